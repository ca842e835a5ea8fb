"""What is found in texts, values and cases, and what replaces it."""

from __future__ import annotations

import base64
import json
import pickle
import time
from typing import Any
from urllib.parse import quote

import pytest

from curator.config.redaction import PERSONAL_KINDS, RedactionConfig
from curator.records import Case, Document, Feedback, LoggedAnswer, Message, Reference, Source, ToolCall, case_id
from curator.records.token_logprobs import TokenLogprobs
from curator.redaction.checks import is_iban, passes_luhn
from curator.redaction.redactor import Redactor

KEY = "sk-proj-Ab3dEf9hIj2kLmN5pQrS7tUv_WxYz0123456789abcd"
MAIL = "anna.schmidt@firma.de"
FULL = Redactor(RedactionConfig(personal=PERSONAL_KINDS), b"k" * 32)
SECRETS = FULL.secrets_only()


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        (f"use {KEY} now", KEY, "openai-key"),
        ("sk-ant-api03-Zx8Yw7Vu6Ts5Rq4Po3Nm2Lk1", "Zx8Yw7Vu6Ts5Rq4Po3Nm2Lk1", "anthropic-key"),
        ("id AKIAIOSFODNN7EXAMPLQ.", "AKIAIOSFODNN7EXAMPLQ", "aws-key"),
        ("AWS_SECRET_ACCESS_KEY=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", "K7MDENG/bPxRfiCYq8Zk3TLmPQ", "secret"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912E7710c838347Ae178B4a", "github-token"),
        ("acme_live_9fK2mQ7xR4tZ8wB3nV6c", "9fK2mQ7xR4tZ8wB3nV6c", "api-key"),
        ("Authorization: Bearer abcDEF123456ghiJKL7890", "abcDEF123456ghiJKL7890", "token"),
        ("Cookie: sid=a8f5f167f44f4964e6c998dee827110c", "a8f5f167f44f4964e6c998dee827110c", "cookie"),
        ("postgres://admin:Tr0ub4dor&3@db.host:5432/x", "Tr0ub4dor&3", "password"),
        ("curl -u admin:S3cretPw! https://x.y", "S3cretPw!", "password"),
        ("mysql -u root -pHunter2xyz", "Hunter2xyz", "password"),
        ('{"password": "correct"}', "correct", "password"),
        ("Password: Winter2024!", "Winter2024!", "password"),
        ("my password is hunter2", "hunter2", "password"),
        ("<password>hunter2</password>", "hunter2", "password"),
        ("my PIN is 4821", "4821", "pin"),
        ("valid 12/28, cvc 123", "123", "pin"),
        ("**Password:** hunter2", "hunter2", "password"),
        ("Password - hunter2", "hunter2", "password"),
        ("here is the api key you asked for: 9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d65", "token"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow", "private-key"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "card"),
    ],
)  # fmt: skip
def test_secrets_are_always_found(text: str, secret: str, kind: str) -> None:
    redacted = SECRETS.redacted_text(text)
    assert secret not in redacted.value
    assert redacted.counts == {kind: 1}
    assert not redacted.originals


@pytest.mark.parametrize(
    "text",
    [
        'The "password" field is required',
        "I forgot my password, please reset it",
        '{"password": "<your password>", "token": "${TOKEN}"}',
        "password = os.environ['DB_PASSWORD']",
        '{"token": "the", "logprob": -0.1}, max_tokens: 512',
        "model claude-3-5-sonnet-20241022, key: gpt-4o-mini-2024-07-18",
        "call_9aBcDeF12345678901234567 and 550e8400-e29b-41d4-a716-446655440000",
        "the key 550e8400-e29b-41d4-a716-446655440000",
        "order 4111 1111 1111 1112, invoice 1234567890123456",
        "at 2024-01-02T03:04:05.678Z it took 1234567 ms",
        "a bearer of good news about the secret garden",
        "10 copies of Wall Street Journal, 1800-1500 = 300, 5 weeks",
        "version 1.2.3.4 on 127.0.0.1 at 10:30:15",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert FULL.text(text) == text


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: json.dumps({"a": f"line\n{s}\n"}),
        lambda s: json.dumps(json.dumps({"a": f"line\n{s}\n"})),
        lambda s: f"https://x.y/?q={quote(s, safe='')}&b=1",
        lambda s: quote(quote(f" {s} ")),
        lambda s: base64.b64encode(f"config: {s} end".encode()).decode(),
        lambda s: base64.urlsafe_b64encode(f"??>{s} end?>".encode()).decode().rstrip("="),
        lambda s: f"config: {s} end".encode().hex(),
        lambda s: base64.b64encode(base64.b64encode(f"config: {s} end".encode())).decode(),
        lambda s: s[:9] + "\u200b" + s[9:12] + "\u2060\ufeff" + s[12:],
        lambda s: f"```python\nx = '{s}'\n```",
        lambda s: "".join(f"\\u{ord(c):04x}" if c in "-@_" else c for c in s),
        lambda s: s.replace("@", "&#64;").replace("-", "&#45;"),
    ],
)
@pytest.mark.parametrize("secret", [KEY, MAIL])
def test_encodings_hide_nothing(wrap: Any, secret: str) -> None:
    redacted = FULL.redacted_text(wrap(secret))
    assert sum(redacted.counts.values()) >= 1
    again = FULL.redacted_text(wrap("x"))
    assert not again.counts
    texts = [redacted.value]
    if not wrap(secret).startswith(("http", "{", '"', "`")) and "%" not in wrap(secret) and " " not in wrap(secret):
        for decode in (lambda t: base64.b64decode(t + "===").decode(), lambda t: bytes.fromhex(t).decode()):
            try:
                texts.append(decode(redacted.value))
            except ValueError:
                continue
    assert not any(secret in text.replace("\u200b", "").replace("\u2060", "").replace("\ufeff", "") for text in texts)


@pytest.mark.parametrize(
    ("kind", "original"),
    [
        ("mail", MAIL),
        ("mail", "j.o'neil+news@mail.example.co.uk"),
        ("phone", "+49 170 1234567"),
        ("phone", "(555) 123-4567"),
        ("phone", "07700 900123"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("address", "Hauptstra\u00dfe 12, 10115 Berlin"),
        ("address", "123 Main Street, Springfield, IL 62704"),
        ("address", "12 rue de la Paix, 75002 Paris"),
        ("address", "Calle de Alcal\u00e1 45, 28014 Madrid"),
        ("ip", "203.0.113.7"),
        ("ip", "2001:db8::ff00:42:8329"),
    ],
)
def test_personal_data_gets_a_pseudonym_of_the_same_form(kind: str, original: str) -> None:
    redacted = FULL.redacted_text(f"Contact: {original} please")
    (pseudonym,) = redacted.originals
    assert redacted.originals[pseudonym] == original
    assert redacted.counts == {kind: 1}
    assert redacted.value == f"Contact: {pseudonym} please"
    layout = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in original)
    if kind in ("phone", "address"):
        assert "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in pseudonym) == layout
    if kind == "iban":
        assert (pseudonym[:2], len(pseudonym)) == (original[:2], len(original))
        assert not is_iban(pseudonym.replace(" ", ""))
    assert SECRETS.text(f"Contact: {original} please") == f"Contact: {original} please"


def test_one_person_has_one_pseudonym_in_every_layout() -> None:
    text = FULL.text(f"{MAIL} {MAIL.upper()} +49 170 1234567 0170/1234567")
    small, capital, *phones = text.split(" ", 2)
    assert capital == small.upper()
    digits = "".join(filter(str.isdigit, phones[0]))
    assert digits[:2] == "49"
    assert digits.count(digits[-8:]) == 2


def test_dates_of_birth_stay_dates() -> None:
    redacted = FULL.text("born on 12.03.1980, DOB: 1980-03-12")
    assert redacted != "born on 12.03.1980, DOB: 1980-03-12"
    assert [len(part) for part in redacted.split()] == [4, 2, 11, 4, 10]


def test_a_card_keeps_its_layout_and_is_no_card() -> None:
    card = FULL.text("card 4111-1111-1111-1111").removeprefix("card ")
    assert (card[0], card[4], len(card)) == ("4", "-", 19)
    assert not passes_luhn(card.replace("-", ""))


def test_a_second_pass_changes_nothing_that_is_known() -> None:
    text = f"{KEY} {MAIL} password=hunter2 +49 170 1234567 DE89370400440532013000 4111111111111111"
    redacted = FULL.redacted_text(text)
    again = Redactor(FULL.config, FULL.key, frozenset(redacted.originals))
    assert again.text(redacted.value) == redacted.value


def test_another_key_gives_other_pseudonyms_and_the_same_key_the_same() -> None:
    other = Redactor(FULL.config, b"o" * 32)
    assert other.text(MAIL) != FULL.text(MAIL)
    assert pickle.loads(pickle.dumps(FULL)).text(MAIL) == FULL.text(MAIL)  # noqa: S301  made here
    assert "kkkk" not in repr(FULL)


def test_an_allowed_text_stays() -> None:
    redactor = Redactor(RedactionConfig(personal=("mail",), allow=(r".*@firma\.de", "hunter2")), b"k" * 32)
    assert redactor.text(f"{MAIL} password=hunter2") == f"{MAIL} password=hunter2"
    assert redactor.text("b@other.de") != "b@other.de"


def test_values_are_redacted_under_their_keys_and_stay_json() -> None:
    value = {
        "db": {"password": "correct horse", "port": 5432},
        "card_number": 4111111111111111,
        KEY: [KEY, None, True, 1.5],
    }
    redacted: Any = FULL.value(value).value
    assert redacted["db"]["port"] == 5432
    assert "correct" not in json.dumps(redacted)
    assert isinstance(redacted["card_number"], int)
    assert KEY not in json.dumps(redacted)
    text = '{"password": 12345678, "to": "a"}'
    assert "12345678" not in json.dumps(json.loads(FULL.text(text)))


def test_every_text_of_a_case_is_redacted() -> None:
    call = ToolCall(f"call {KEY}", f"send {KEY}", json.dumps({"note": f'the "key"\n{KEY}', "n": 1}))
    messages = (Message("user", KEY), Message("assistant", "", (call,)), Message("tool", KEY, tool_call_id=KEY))
    case = Case(
        id=case_id(messages), messages=messages, source=Source("a", 1), target=f"see {KEY}", task=KEY, model=KEY,
        finish_reason=KEY, options={"tools": [{"d": KEY}], "response_format": {KEY: 1}},
        feedback=Feedback(correction=KEY, comment=KEY, given={"score": KEY}),
        reference=Reference(KEY, "correction", KEY), metadata={KEY: 1, "password": "sesame", "phone": 491701234567},
        log_id=KEY, target_logprobs=TokenLogprobs((-0.1, -0.2), ("see", KEY)),
        documents=(Document(KEY, KEY, 0.5, {"k": KEY}),), answers=(LoggedAnswer(KEY, 2), LoggedAnswer(None, 1)),
    )  # fmt: skip
    redacted = FULL.case(case)
    assert KEY not in repr(redacted.value)
    assert "sesame" not in repr(redacted.value)
    assert isinstance(redacted.value.metadata["phone"], int)
    assert redacted.value.metadata["phone"] != 491701234567
    assert redacted.value.id == case_id(redacted.value.messages) != case.id
    assert json.loads(redacted.value.messages[1].tool_calls[0].arguments)["n"] == 1
    assert redacted.value.target_logprobs == TokenLogprobs((-0.1, -0.2))
    assert redacted.counts["openai-key"] >= 20


def test_a_case_without_anything_sensitive_is_the_same_object() -> None:
    case = Case(id="c1", messages=(Message("user", "Where is my order?"),), source=Source("a", 1), target="On its way")
    assert FULL.case(case).value is case


@pytest.mark.parametrize(
    "text", ["curl -x ", "-----BEGIN PRIVATE KEY-----", "key a1B2a1B2a1B2a1B2a1B2a1B2 ", "12 Ab Cd Ef ", "a@", '\\"']
)
def test_a_hostile_text_takes_little_time(text: str) -> None:
    started = time.process_time()
    FULL.text(text * 3000)
    assert time.process_time() - started < 5
