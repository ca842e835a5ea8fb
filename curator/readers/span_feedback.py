"""Annotations of spans: people's are feedback, those of models and programs are metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curator.readers.feedback import nonblank, read_thumb
from curator.readers.json_text import decoded
from curator.readers.traces import joined_feedback
from curator.records import Feedback, JsonValue, Reference, Scalar

_PEOPLE = frozenset(("human", "user", "end_user", "enduser", "annotator", "expert", "app_user"))
_MACHINES = frozenset(("llm", "code", "llm_judge", "ai_judge", "model", "heuristic", "program", "evaluator", "auto"))
_PEOPLES_NAMES = re.compile(
    r"(?<![a-z])(user|human|customer|thumbs?|feedback|csat|nps|annotator|stars?|vote|correction)(?![a-z])"
)
_CORRECTIONS = re.compile(r"(?<![a-z])(correction|corrected|correct answer|expected|ideal|edited)(?![a-z])")
_EXPECTED = ("expected_response", "expected_output", "expected_answer", "answer", "response", "output", "text", "value")


@dataclass(frozen=True, slots=True)
class SpanRatings:
    """The ratings of a span: people's, and as metadata those of models and programs."""

    feedback: Feedback | None = None
    reference: Reference | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    def joined(self, other: SpanRatings) -> SpanRatings:
        """Both ratings as one."""
        return SpanRatings(
            joined_feedback(self.feedback, other.feedback),
            other.reference or self.reference,
            {**self.metadata, **other.metadata},
        )


def rating(
    name: str, *, kind: str | None, label: JsonValue = None, score: JsonValue = None, comment: JsonValue = None
) -> SpanRatings:
    """One annotation: of a person, a model or a program (`kind`), else as its name says.

    A label that is a thumb counts before the score beside it.
    """
    by = (kind or "").strip().lower()
    plain = name.lower().replace("_", " ").replace("-", " ")
    is_peoples = by in _PEOPLE or (by not in _MACHINES and _PEOPLES_NAMES.search(plain) is not None)
    label_text = nonblank(label)
    value = next((item for item in (_thumb_word(label), score, label_text) if item is not None and item != ""), None)
    if not is_peoples:
        named = name or "evaluation"
        values = {
            named: score if score is not None else label_text,
            f"{named} label": label_text if score is not None else None,
        }
        return SpanRatings(metadata={key: item for key, item in values.items() if isinstance(item, str | int | float)})
    if label_text and value == label_text and _CORRECTIONS.search(plain) and read_thumb(label) is None:
        return SpanRatings(Feedback(correction=label_text, comment=nonblank(comment)))
    given: dict[str, Scalar] = {name or "feedback": value} if isinstance(value, str | int | float) else {}
    if not given and not nonblank(comment):
        return SpanRatings()
    return SpanRatings(Feedback(comment=nonblank(comment), given=given))


def annotation_ratings(items: Iterable[JsonValue]) -> SpanRatings:
    """The ratings that annotations of OpenInference and Phoenix give."""
    ratings = SpanRatings()
    for item in items:
        inner = item
        for key in ("annotation", "evaluation"):
            if isinstance(inner, dict) and isinstance(inner.get(key), dict):
                inner = inner[key]
        if not isinstance(inner, dict):
            continue
        result = decoded(inner.get("result"))
        result = result if isinstance(result, dict) else inner
        comment = result.get("explanation", inner.get("note"))
        ratings = ratings.joined(
            rating(
                str(inner.get("name") or inner.get("annotation_name") or ""),
                kind=nonblank(inner.get("annotator_kind", inner.get("annotatorKind"))),
                label=result.get("label"),
                score=result.get("score"),
                comment=comment,
            )
        )
    return ratings


def evaluation_ratings(rows: Iterable[Mapping[str, JsonValue]]) -> SpanRatings:
    """The evaluations in events of the GenAI convention, which does not say who evaluated."""
    ratings = SpanRatings()
    for row in rows:
        get = {key.removeprefix("gen_ai.evaluation."): value for key, value in row.items()}.get
        ratings = ratings.joined(
            rating(
                str(get("name") or ""),
                kind=nonblank(get("evaluator.kind", get("source"))),
                label=get("score.label", get("label")),
                score=get("score.value", get("score")),
                comment=get("explanation"),
            )
        )
    return ratings


def expectation(value: JsonValue, by: str | None) -> Reference | None:
    """The answer that a person expects of a trace: a text, or the text in an object."""
    value = decoded(value)
    if isinstance(value, dict):
        value = next((value[key] for key in _EXPECTED if value.get(key)), None)
    text = nonblank(value)
    return Reference(text, "label", by) if text else None


def _thumb_word(label: JsonValue) -> str | None:
    text = nonblank(label)
    return text if text and read_thumb(text) is not None else None
