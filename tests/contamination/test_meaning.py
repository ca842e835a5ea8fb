"""Paraphrases and translations: what details add to a cosine, and what is never let go of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.contamination.details import Agreement
from curator.contamination.meaning import GAIN, LOSS, Vectors, detail_bonus, embedded_text, paraphrases, translations
from curator.contamination.records import HeldText, Match, TrainingRow

NUMBERS = (
    "Janet sells 16 eggs for 250 dollars in 35 days",
    "What does Janet get if 16 eggs go for 250 within 35 days?",
)
PLAIN = ("how do I cancel it", "what is the way to end it")


def pair(row: str, held: str, cosine: float, *, threshold: float = 0.88) -> dict[str, Match]:
    vectors = Vectors(
        held=np.array([[1.0, 0.0]], dtype=np.float32),
        questions=np.array([[cosine, (1 - cosine**2) ** 0.5]], dtype=np.float32),
    )
    return paraphrases([TrainingRow("r", (row,), row)], [HeldText("h", held)], vectors, threshold=threshold)


@pytest.mark.parametrize(("cosine", "found"), [(0.89, True), (0.87, False)])
def test_without_details_the_cosine_decides(cosine: float, found: bool) -> None:
    assert bool(pair(*PLAIN, cosine)) is found


@pytest.mark.parametrize(("cosine", "found"), [(0.75, True), (0.65, False)])
def test_details_that_agree_ask_for_less(cosine: float, found: bool) -> None:
    matches = pair(*NUMBERS, cosine)
    assert bool(matches) is found
    if found:
        assert matches["r"].kind == "paraphrase"
        assert matches["r"].similarity == pytest.approx(cosine, abs=1e-3)
        assert {"16", "250", "35", "janet"} <= set(matches["r"].shared)


@pytest.mark.parametrize(("cosine", "found"), [(0.99, True), (0.92, False)])
def test_details_that_differ_ask_for_more(cosine: float, found: bool) -> None:
    assert bool(pair("order 17 of 23 to Bonn", "order 88 of 99 to Rome", cosine)) is found


def test_nothing_makes_a_paraphrase_of_what_is_about_something_else() -> None:
    many = " ".join(str(n) for n in range(100, 200))
    assert pair(f"a {many}", f"b {many}", 0.59, threshold=0.7) == {}


@given(st.floats(0, 50), st.floats(0, 50))
def test_details_are_worth_what_is_promised(same: float, different: float) -> None:
    value = detail_bonus(Agreement(same, different, ()))
    assert -LOSS <= value <= GAIN
    assert detail_bonus(Agreement(0.0, 0.0, ())) == 0.0
    assert detail_bonus(Agreement(same + 1, different, ())) >= value
    assert detail_bonus(Agreement(same, different + 1, ())) <= value


def unit(rng: np.random.Generator, n: int) -> np.ndarray:
    made = rng.normal(size=(n, 6))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**31), st.integers(1, 30), st.integers(1, 20))
def test_a_larger_registry_lets_go_of_nothing(seed: int, few: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [TrainingRow(str(i), (f"text {i % 3}",), "") for i in range(10)]
    held = [HeldText(f"h{i}", f"other {i % 4}") for i in range(few + more)]
    questions, vectors = unit(rng, 10), unit(rng, few + more)
    small = paraphrases(rows, held[:few], Vectors(vectors[:few], questions), threshold=0.8)
    large = paraphrases(rows, held, Vectors(vectors, questions), threshold=0.8)
    assert small.keys() <= large.keys()


def test_many_rows_are_compared_in_blocks() -> None:
    rows = [TrainingRow(str(i), ("a b",), "") for i in range(3000)]
    questions = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (3000, 1))
    questions[1500] = (0.0, 1.0)
    held = np.array([[1.0, 0.0]], dtype=np.float32)
    found = paraphrases(rows, [HeldText("h", "c d")], Vectors(held, questions), threshold=0.9)
    assert len(found) == 2999
    assert "1500" not in found


ENGLISH = (
    "Janet's 3 ducks lay 16 eggs a day, and 250 of them cost 47 dollars at https://eggs.example. What does she earn?"
)
TRANSLATED = (
    "Janets 3 Enten legen jeden Tag 16 Eier; 250 davon kosten 47 Dollar bei https://eggs.example. Wie viel verdient sie?",
    "Les 3 canards de Janet pondent 16 œufs par jour ; 250 coûtent 47 dollars sur https://eggs.example. Combien gagne-t-elle ?",
    "珍妮特的3只鸭子每天下16个蛋,其中250个在 https://eggs.example 卖47美元。她赚多少钱?",
)


@pytest.mark.parametrize("text", TRANSLATED)
def test_a_translation_has_the_same_numbers_and_addresses(text: str) -> None:
    found = translations([TrainingRow("r", (text,), text)], [HeldText("x", "2 plus 250"), HeldText("h", ENGLISH)])
    assert found["r"].held == "h"
    assert found["r"].kind == "translation"
    assert "250" in found["r"].shared


@pytest.mark.parametrize(
    "text",
    [
        "Janets 3 Enten legen jeden Tag 18 Eier; 999 davon kosten 47 Dollar. Wie viel verdient sie?",  # other numbers
        "Wie viel verdient Janet mit ihren Enten?",  # no numbers
        "47 Dollar kosten 250 Eier; 16 davon legen 3 Enten",  # another order
    ],
)
def test_what_only_looks_like_a_translation_is_none(text: str) -> None:
    assert (
        translations(
            [TrainingRow("r", (text,), text)], [HeldText("h", ENGLISH.replace("https://eggs.example", "the fair"))]
        )
        == {}
    )


def test_the_same_language_is_left_to_paraphrases() -> None:
    text = "What does she earn, if Janet's 3 ducks lay 16 eggs, 250 cost 47 dollars at https://eggs.example?"
    assert translations([TrainingRow("r", (text,), text)], [HeldText("h", ENGLISH)]) == {}


def test_a_long_question_is_embedded_by_its_beginning_and_its_end() -> None:
    text = "start " + "middle " * 1000 + "end"
    short = embedded_text(text)
    assert len(short) < 1300
    assert short.startswith("start ")
    assert short.endswith(" end")
    assert embedded_text("  a\n b ") == "a b"
