from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.confidence import stated_confidence, without_confidence
from curator.answers.read import read_answer
from curator.records import Kind

LINES = [
    ("Confidence: 85%", 0.85),
    ("**Confidence level:** high", 0.7),
    ("Confidence (0-100): 85", 0.85),
    ("Confidence (1-5): 4", 0.8),
    ("- Confidence: 0.9", 0.9),
    ("Confidence Score: 9 out of 10", 0.9),
    ("confidence = 8/10", 0.8),
    ("Confidence: 70-80%", 0.75),
    ("My confidence in this answer is 0.75.", 0.75),
    ("Certainty: very low", 0.1),
    ("Confidence: moderate", 0.5),
    ("[Confidence: 1]", 1.0),
    ("Konfidenz: 85 %", 0.85),
    ("Confiance : élevée", 0.7),
    ("Certeza: muy baja", 0.1),
    ("Fiducia: 0,6", 0.6),
    ("Zekerheid: gemiddeld", 0.5),
    ("Уверенность: высокая", 0.7),
    ("置信度:85%", 0.85),
    ("置信度\uff1a很高", 0.9),
    ("確信度: 高い", 0.7),
    ("확신도: 0.4", 0.4),
]
SENTENCES = [
    ("I am 70% sure that it is Paris.", 0.7),
    ("It is Paris, I'm about 80% confident.", 0.8),
    ("With 90% certainty, it is Paris.", 0.9),
    ("Ich bin mir zu 80 % sicher, dass es Paris ist.", 0.8),
    ("Je suis sûr à 80 % que c'est Paris.", 0.8),
    ("Estoy 60% seguro de que es París.", 0.6),
    ("我有90%的把握,是巴黎。", 0.9),
]
NONE = [
    "Paris",
    "The 95% confidence interval is 3 to 5.",
    "With 95% confidence level, the mean is 3.",
    "[calculate(\n    sample_mean=25,\n    confidence_level=0.95\n)]",
    "He is 70% sure of it, they say.",
    "I am not sure.",
    "Confidence is what the team needs.",
    "confidence in the economy: 40% of all people",
    "Confidence: 8",
    "Confidence: 850%",
    "Consumer confidence: 85%",
    "We had 40% certain losses.",
]


@pytest.mark.parametrize(("line", "value"), LINES)
@pytest.mark.parametrize("shape", ["Paris\n{}", "{}\nParis", "Because of this:\n\nParis\n\n{}\n"])
def test_a_line_states_the_confidence_of_the_rest(line: str, value: float, shape: str) -> None:
    text = shape.format(line)
    assert stated_confidence(text) == pytest.approx(value)
    assert without_confidence(text).split() == shape.format("").split()


@pytest.mark.parametrize(("sentence", "value"), SENTENCES)
def test_a_sentence_states_it_and_stays_in_the_answer(sentence: str, value: float) -> None:
    assert stated_confidence(sentence) == pytest.approx(value)
    assert without_confidence(sentence) == sentence


@pytest.mark.parametrize("text", NONE)
def test_other_matters_are_not_a_confidence(text: str) -> None:
    assert stated_confidence(f"{text}\nParis") is None
    assert without_confidence(f"{text}\nParis") == f"{text}\nParis"


@pytest.mark.parametrize(("line", "_value"), LINES)
def test_a_text_that_only_states_a_confidence_is_the_answer_itself(line: str, _value: float) -> None:
    assert stated_confidence(line) is None
    assert without_confidence(line) == line


def test_the_last_statement_counts() -> None:
    assert stated_confidence("Confidence: 20%\nLondon\nno, Paris\nConfidence: 90%") == 0.9
    assert stated_confidence("Confidence: 20%\nI am 60% sure of Paris") == 0.6


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"answer": "A", "confidence": 0.9}, 0.9),
        ({"answer": "A", "confidenceScore": "85%"}, 0.85),
        ({"answer": "A", "answer_confidence": 85}, 0.85),
        ({"answer": "A", "confidence": "very high"}, 0.9),
        ({"answer": "A", "p_true": 0.25}, 0.25),
        ({"antwort": "A", "Konfidenz": "hoch"}, 0.7),
        ({"confidence": 0.9}, None),
        ({"confidence": 0.9, "certainty": 0.8}, None),
        ({"answer": "A", "confidence_interval": 0.9}, None),
        ({"answer": "A", "consumer_confidence": 0.9}, None),
        ({"answer": "A", "confidence": True}, None),
        ({"answer": "A", "confidence": None}, None),
        ({"answer": "A", "confidence": 7}, None),
        ({"name": "f", "arguments": {"confidence": 0.9}}, None),
    ],
)
def test_a_field_beside_others_states_it(fields: dict[str, object], value: float | None) -> None:
    assert stated_confidence(json.dumps(fields), fields) == value  # type: ignore[arg-type]


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    value = stated_confidence(f"{text}\nConfidence: {text}")
    assert value is None or 0 <= value <= 1
    assert without_confidence(text).strip() or not text.strip()


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("The answer is 42.\nConfidence: 85%", "number", "42"),
        ("Confidence: 0.9\nno", "boolean", "no"),
        ("Paris\n**Confidence**: high", "short", "paris"),
        ("Confidence: 85%", "number", "85"),
    ],
)
def test_the_number_of_a_confidence_is_not_the_answer(text: str, kind: Kind, key: str) -> None:
    plain = without_confidence(text)
    assert read_answer(text, kind).key == read_answer(plain, kind).key != ""
    assert read_answer(text, kind).text.strip("*. ").lower().endswith(key)
