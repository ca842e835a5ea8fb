"""Names of people: what recognises them, their pseudonyms, and what is said where it cannot be loaded."""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from curator.config import parse_config
from curator.config.redaction import RedactionConfig
from curator.errors import ConfigError, MissingDependency
from curator.records import Case, Message, Source, case_id
from curator.redaction.names import load_recogniser
from curator.redaction.redactor import Redactor

NAMES = ("Anna Schmidt", "Peter van Houten", "ZO\u00cb")
KNOWN = "tests.redaction.test_names:known_names"


def known_names(text: str) -> Iterator[tuple[int, int]]:
    for name in NAMES:
        start = text.find(name)
        if start >= 0:
            yield start, start + len(name)


def beyond(text: str) -> list[tuple[int, int]]:
    return [(0, len(text) + 1)]


def breaks(text: str) -> list[tuple[int, int]]:
    raise RuntimeError(text)


def redactor(**config: Any) -> Redactor:
    return Redactor(RedactionConfig.model_validate({"names": KNOWN, **config}), b"k" * 32)


def test_a_name_has_one_pseudonym_of_the_same_form_in_every_text() -> None:
    redact = pickle.loads(pickle.dumps(redactor(personal=["mail"])))  # noqa: S301
    redacted = redact.redacted_text("Anna Schmidt and Peter van Houten (p@x.example), ZO\u00cb.")
    first, last, *_ = redacted.value.split()
    assert redacted.counts == {"name": 3, "mail": 1}
    assert redacted.value.startswith(f"{first} {last} and ")
    assert " van " in redacted.value
    assert first.istitle()
    assert last.istitle()
    assert redacted.value.split()[-1][:-1].isupper()
    assert not any(word in redacted.value for word in ("Anna", "Schmidt", "Peter", "Houten", "ZO\u00cb"))
    assert redact.text("Ask Anna Schmidt.") == f"Ask {first} {last}."
    assert redacted.originals[f"{first} {last}"] == "Anna Schmidt"
    assert (redacted.originals[first], redacted.originals[last]) == ("Anna", "Schmidt")


def test_pseudonyms_that_people_saw_stay_also_by_the_first_name_alone() -> None:
    original = redactor().redacted_text("Anna Schmidt")
    again = Redactor(redactor().config, b"k" * 32, frozenset(original.originals))
    assert all(again._stays(name) for name in (original.value, *original.value.split()))


def test_names_in_a_case_are_replaced_and_answers_of_models_keep_theirs() -> None:
    messages = (Message("user", "I am Anna Schmidt."),)
    case = Case(id=case_id(messages), messages=messages, source=Source("f", 1), target="Hello Anna Schmidt!")
    redacted = redactor().case(case)
    assert "Schmidt" not in str(redacted.value)
    assert redacted.counts["name"] == 2
    assert redacted.value.id != case.id
    assert redactor().secrets_only().text("Hello Anna Schmidt!") == "Hello Anna Schmidt!"
    assert Redactor(RedactionConfig(), b"k" * 32).case(case).value is case


@pytest.mark.parametrize(
    ("reference", "error", "what", "remedy"),
    [
        ("no_such_module_x:f", ConfigError, "no module 'no_such_module_x'", "PYTHONPATH"),
        ("tests.redaction.test_names:nothing", ConfigError, "has no function 'nothing'", r"\[\(start, end\), ...\]"),
        ("tests.redaction.test_names:NAMES", ConfigError, "has no function 'NAMES'", "takes a text"),
    ],
)
def test_a_recogniser_that_cannot_be_loaded_is_named_at_once(
    reference: str, error: type[Exception], what: str, remedy: str
) -> None:
    with pytest.raises(error, match=rf"{what}(.|\n)*{remedy}"):
        Redactor(RedactionConfig(names=reference), b"k" * 32)


@pytest.mark.parametrize(("name", "what"), [("beyond", "a place outside"), ("breaks", "failed on a text")])
def test_a_recogniser_that_fails_ends_the_run_with_its_name_and_not_with_the_text(name: str, what: str) -> None:
    failing = redactor(names=f"tests.redaction.test_names:{name}")
    with pytest.raises(ConfigError, match=f"{name}.* {what}") as caught:
        failing.text("violet saxophone")
    assert "saxophone" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.fixture
def spacy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A stand-in for spaCy; `tests/producers/test_names.py` tests with the real one."""
    module = ModuleType("spacy")
    monkeypatch.setitem(sys.modules, "spacy", module)
    load_recogniser.cache_clear()
    yield module
    load_recogniser.cache_clear()


def test_what_is_missing_of_spacy_is_named(monkeypatch: pytest.MonkeyPatch, spacy: Any) -> None:
    def load(_: str) -> Any:
        raise OSError("no pipeline")

    spacy.load = load
    with pytest.raises(MissingDependency, match=r"no pipeline 'xx'\n.*python -m spacy download xx"):
        load_recogniser("spacy:xx")
    spacy.load = lambda _: SimpleNamespace(pipe_names=["tagger"])
    with pytest.raises(ConfigError, match="recognises no names"):
        load_recogniser("spacy:xx")
    monkeypatch.setitem(sys.modules, "spacy", None)
    load_recogniser.cache_clear()
    with pytest.raises(MissingDependency, match=r"pip install 'committee-curator\[names\]'"):
        load_recogniser("spacy:xx")


class Pipeline:
    """Finds each word with a capital: Rome is a place, all others are people."""

    pipe_names = ("tok2vec", "tagger", "ner")
    enabled: Any = None

    def select_pipes(self, *, enable: list[str]) -> None:
        self.enabled = enable

    def __call__(self, text: str) -> SimpleNamespace:
        words = re.finditer(r"\b[A-Z][\w']+", text)
        ents = [
            SimpleNamespace(text=w[0], start_char=w.start(), label_="GPE" if w[0] == "Rome" else "PER") for w in words
        ]
        return SimpleNamespace(ents=ents)


def test_people_that_a_pipeline_finds_are_names_in_each_part_of_a_long_text(
    monkeypatch: pytest.MonkeyPatch, spacy: Any
) -> None:
    pipeline = Pipeline()
    spacy.load = lambda _: pipeline
    find = load_recogniser("spacy:xx")
    text = "Anna's dog saw Rome, and Rome saw Schmidt"
    assert pipeline.enabled == ["tok2vec", "ner"]
    for longest in (len(text), 10):
        monkeypatch.setattr("curator.redaction.names._LONGEST", longest)
        assert [text[start:end] for start, end in find(text)] == ["Anna", "Schmidt"]


@pytest.mark.parametrize("names", ["presidio", "spacy:", "a b:c", ":f", "module:"])
def test_a_config_that_names_no_recogniser_says_what_to_write(names: str) -> None:
    with pytest.raises(ConfigError, match=r"spacy:en_core_web_sm"):
        parse_config({"redaction": {"names": names}})
