"""Parts of an answer: fields of a record, tools and their arguments, facts of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from curator.answers.normalization import answer_part
from curator.answers.read import Answer
from curator.answers.record_fields import folded_key, folded_value, parse_record
from curator.answers.sql import read_sql
from curator.answers.tool_calls import is_tool_call, read_calls
from curator.disagreement.contrasts.languages import language_of
from curator.disagreement.equivalence.critical_tokens import yes_or_no
from curator.disagreement.equivalence.word_lists import CALENDAR
from curator.records import Aspect, JsonValue, Kind
from curator.records.differences import OPTION

PartKey = tuple[Aspect, str]
"""The aspect of a part, and its subject."""
Form = Literal["calls", "record", "query", "value", "text"]
"""The way in which the answers to a case are taken apart."""
TOOL: PartKey = ("tool", "")
NOTHING: frozenset[str] = frozenset()
_PLAIN: Mapping[Kind, PartKey] = {
    "label": ("label", ""),
    "boolean": ("label", ""),
    "choice": ("value", OPTION),
    "number": ("value", "number"),
    "date": ("value", "date"),
    "short": ("value", "answer"),
    "code": ("value", "program"),
}
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_KEPT = 64
"""Texts whose parts are kept: those of one case, which are needed for its contrasts and for its pattern."""
_MOST_PARTS = 200
_DEEPEST = 12
_SHARE = 1 / 3
"""The share of the answers to a case that must call a tool, or be a record, for it to be compared as such."""
_RANGE = re.compile(
    r"(?<![\w.,-])(\d{1,4}(?:[.,]\d{1,2})?)\s?(?:-|\u2013|\u2014|to|or|bis|oder|a|o|\u00e0|ou)\s?(\d{1,4}(?:[.,]\d{1,2})?)"
    r"[\s-]([^\W\d_]{2,}|%)"
)
"""Two numbers of one unit, such as `8 to 10 days`."""
_QUANTITY = re.compile(
    r"(?<![\w.,-])([$\u20ac\u00a3])?(\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d{1,4}(?:[.,]\d{1,2})?)(?![\w]*\d)"
    r"(?:\s?(%|[$\u20ac\u00a3])|[\s-]?([^\W\d_]{2,}))?"
)
_MONTHS_AND_DAYS = "|".join(sorted(word for word in CALENDAR if not word.startswith(_ORDINALS)))
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}\.? (?:{_MONTHS_AND_DAYS}|march|may)(?: \d{{4}})?|(?:{_MONTHS_AND_DAYS})\b(?: \d{{1,2}}\b)?|(?:march|may) \d{{1,2}}\b"
    r"|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}-\d{2}-\d{2})",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[.,](?=\d{3}\b)")


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """One answer, taken apart.

    Attributes:
        problem: `refusal`, `empty`, `prose`, `broken` (a record) or `unreadable`; "" for an answer of the form.
        parts: the values under each part; a part that is absent has none. Empty where there is a problem.
        shown: the spelling of a subject or value, by its compared form.
    """

    problem: str
    parts: Mapping[PartKey, frozenset[str]] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


_UNREADABLE = AnswerParts("unreadable")


def form_of(kind: Kind, texts: Sequence[str]) -> Form:
    """Return the way in which the answers to a case are taken apart.

    Answers in prose among tool calls are answers without a call.
    """
    least = max(1.0, _SHARE * len(texts))
    if kind == "tool_call" or (kind not in ("code", "label", "choice", "boolean") and sum(map(_calls, texts)) >= least):
        return "calls"
    if kind == "json" or sum(map(_is_record, texts)) >= least:
        return "record"
    if kind == "code" and all(read_sql(text) for text in texts):
        return "query"
    return "text" if kind == "text" else "value"


def form_name(form: Form, kind: Kind) -> str:
    """Return the words for an answer of a form, such as `a record` or `a number`."""
    names: Mapping[Form, str] = {"record": "a record", "query": "a query", "calls": "a tool call", "text": "text"}
    return names.get(form) or (
        "an option" if kind == "choice" else f"a {kind} answer" if kind == "short" else f"a {kind}"
    )


def parts_of(text: str, answer: Answer, form: Form, kind: Kind, *, meaning: str, question: str) -> AnswerParts:
    """Take an answer apart.

    Args:
        text: the whole answer.
        answer: as it was read.
        form: of the answers to this case.
        kind: of the answers.
        meaning: the name of its class among the answers to the case, for an answer of one value.
        question: the last user message; numbers that it holds are not facts of the answer.
    """
    if not answer_part(text) or answer.kind == "refusal":
        return AnswerParts("refusal" if answer.kind == "refusal" else "empty")
    if form == "text":
        return AnswerParts("", facts_of(text, question))
    if form == "value":
        part = _PLAIN.get(kind, ("value", "answer"))
        shown = answer.key if part[0] == "label" else answer.text
        return _UNREADABLE if not answer.key else AnswerParts("", {part: frozenset((meaning,))}, {meaning: shown})
    return _OF_FORMS[form](text)


@lru_cache(maxsize=_KEPT)
def facts_of(text: str, question: str) -> Mapping[PartKey, frozenset[str]]:
    """Return the language of a text, its quantities by unit, its dates, and its first yes or no."""
    parts: dict[PartKey, frozenset[str]] = {}
    language = language_of(text)
    if language:
        parts["content", "language"] = frozenset((language,))
    asked = {number for number, _ in quantities_in(question)}
    for number, unit in quantities_in(_DATE.sub(" ", text)):
        if number not in asked and unit:
            key: PartKey = ("content", unit)
            parts[key] = parts.get(key, NOTHING) | {number}
    if dates := {date.casefold() for date in _DATE.findall(text)} - {
        date.casefold() for date in _DATE.findall(question)
    }:
        parts["content", "date"] = frozenset(dates)
    if verdict := yes_or_no(text):
        parts["content", "yes or no"] = frozenset((verdict,))
    return parts


def quantities_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers of a text with up to six digits, each with the word or sign it counts."""
    for match in _QUANTITY.finditer(_RANGE.sub(r"\1 \3 \2 \3", text)):
        sign, digits, after, word = match.groups()
        number = _SEPARATOR.sub("", digits).replace(",", ".")
        unit = sign or after or (word or "").lower()
        yield f"{float(number):g}" if number.count(".") < 2 else number, unit.removesuffix("s")


def _calls(text: str) -> bool:
    return any(sign in text for sign in "{(<") and is_tool_call(text)


def _is_record(text: str) -> bool:
    if "{" not in text:
        return False
    value = parse_record(text)
    return isinstance(value, dict) and len(value) > 1


@lru_cache(maxsize=_KEPT)
def _of_calls(text: str) -> AnswerParts:
    calls = read_calls(text)
    shown: dict[str, str] = {}
    parts: dict[PartKey, frozenset[str]] = {TOOL: frozenset(call.name for call in calls)}
    for call in calls:
        for path, spelt, value in _fields(dict(call.arguments)):
            subject = f"{call.name}.{path}"
            shown[subject] = f"{call.name}.{spelt}"
            parts["argument", subject] = parts.get(("argument", subject), NOTHING) | {_folded(value, shown)}
    return AnswerParts("", parts, shown)


@lru_cache(maxsize=_KEPT)
def _of_record(text: str) -> AnswerParts:
    value = parse_record(text)
    if not isinstance(value, dict | list):
        return AnswerParts("broken" if "{" in text else "prose")
    shown: dict[str, str] = {}
    parts: dict[PartKey, frozenset[str]] = {}
    for path, spelt, inner in _fields(value):
        shown[path] = spelt
        parts["field", path] = parts.get(("field", path), NOTHING) | {_folded(inner, shown)}
    return AnswerParts("", parts, shown)


def _of_query(text: str) -> AnswerParts:
    statement = read_sql(text)
    if statement is None:
        return _UNREADABLE
    parts: dict[PartKey, frozenset[str]] = {}
    for place, clause in statement.parts or {("statement", statement.key)}:
        parts["value", place] = parts.get(("value", place), NOTHING) | {clause}
    return AnswerParts("", parts)


def _folded(value: JsonValue, shown: dict[str, str]) -> str:
    folded = folded_value(value)
    shown.setdefault(folded, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return folded


def _fields(value: JsonValue) -> list[tuple[str, str, JsonValue]]:
    """Return the path, its spelling and the value of each field; null and "" are absent fields."""
    fields: list[tuple[str, str, JsonValue]] = []

    def walk(inner: JsonValue, path: str, spelt: str, depth: int) -> None:
        if len(fields) >= _MOST_PARTS or depth > _DEEPEST:
            return
        if isinstance(inner, dict):
            for name, held in inner.items():
                key = _folded_key(name)
                walk(held, f"{path}.{key}" if path else key, f"{spelt}.{name}" if spelt else name, depth + 1)
        elif isinstance(inner, list):
            for held in inner:
                walk(held, f"{path}[]", f"{spelt}[]", depth + 1)
        elif inner is not None and inner != "":
            fields.append((path or "$", spelt or "$", inner))

    walk(value, "", "", 0)
    return fields


_folded_key = lru_cache(maxsize=2**12)(folded_key)
_OF_FORMS: Mapping[Form, Callable[[str], AnswerParts]] = {
    "calls": _of_calls,
    "record": _of_record,
    "query": _of_query,
}
