"""The language of short texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.contrasts.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Your order is on the way.", "English"),
        ("It can take up to ten days for a refund to show.", "English"),
        ("Danke, wir melden uns.", "German"),
        ("Bitte senden Sie uns die Rechnung.", "German"),
        ("Merci pour votre commande.", "French"),
        ("Le colis est en route.", "French"),
        ("Gracias, el pedido está en camino.", "Spanish"),
        ("¿Dónde está?", "Spanish"),
        ("Il tuo ordine è in viaggio", "Italian"),
        ("Seu pedido está a caminho, obrigado", "Portuguese"),
        ("Uw bestelling is onderweg naar het depot", "Dutch"),
        ("Twoje zamówienie jest już w drodze do nas", "Polish"),
        ("Din beställning är på väg", "Swedish"),
        ("Siparişiniz yola çıktı ve bugün", "Turkish"),  # noqa: RUF001
        ("ご注文ありがとうございます", "Japanese"),
        ("您的订单已发货", "Chinese"),
        ("주문이 접수되었습니다", "Korean"),
        ("Ваш заказ отправлен", "Russian or another Cyrillic language"),
        ("تم شحن طلبك", "Arabic"),
        ("ההזמנה נשלחה", "Hebrew"),
        ("Η παραγγελία", "Greek"),  # noqa: RUF001
        ("आपका ऑर्डर", "Hindi"),
    ],
)
def test_a_short_text_shows_its_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "12345", "Ok.", "Refund approved", "You have 30 days."])
def test_a_text_that_is_too_short_shows_none(text: str) -> None:
    assert language_of(text) == ""


def test_one_foreign_word_does_not_decide() -> None:
    assert language_of("The name 田 is in the list of the customers") == "English"
    assert language_of("The café is in the street of the señor") == "English"


def test_a_text_between_two_languages_has_none() -> None:
    assert language_of("der die das the and to of") == ""


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert isinstance(language_of(text), str)
