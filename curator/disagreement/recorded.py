"""Recorded generations (contract 4 of `docs/architecture.md`), one JSON record a line, scored as they stream by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import orjson

from curator.disagreement.answers import Answer, detect_kind, read_answer
from curator.disagreement.compare import Comparer, Settled, by_words
from curator.disagreement.health import member_health
from curator.disagreement.score import DEFAULT, SCORER, Formula, score_case
from curator.disagreement.signals import Answered, Signals, group_of, measure
from curator.disagreement.votes import Seat, Vote, votes_of
from curator.records import KINDS, Kind, MemberHealth, Score


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that could not be scored: its number from 1, what is wrong and what the user can do."""

    line: int
    reason: str
    remedy: str


class Unfit(Exception):
    """A record that does not fit the contract: what is wrong and what the user can do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record of contract 4 as it was read: `input` is all that was asked, `question` the user's last message.

    `reference` is the trusted answer. A run also says where it is from (`reference_source`, of `records.ReferenceSource`),
    how its case came into the selection (`reference_slice`, of `records.Slice`) and with what chance it was drawn.
    """

    id: str
    answers: tuple[Answered, ...]
    target: str | None
    kind: Kind
    labels: tuple[str, ...]
    input: str
    question: str
    reference: str | None = None
    reference_source: str | None = None
    reference_slice: str | None = None
    reference_probability: float = 1.0


Comparers = Callable[[str], Comparer]
"""Makes what compares the answers to a question."""


def default_scorer(comparer: Comparers) -> str:
    """The name of the default score where answers are compared so."""
    name = comparer("").name
    return f"{SCORER}+{name}" if name else SCORER


def score_record(
    record: Recorded,
    *,
    comparer: Comparers = by_words,
    weights: Mapping[str, float] | None = None,
    formula: Formula = DEFAULT,
) -> Score:
    """Score one record; `weights` are those of groups."""
    return score_case(
        record.id, record.answers, target=record.target, kind=record.kind, labels=record.labels, input=record.input,
        compare=comparer(record.question), weights=weights, formula=formula,
    )  # fmt: skip


def measure_record(
    record: Recorded, *, comparer: Comparers = by_words, weights: Mapping[str, float] | None = None
) -> Signals | None:
    """The signals that `score_record` makes its score of; None where there are fewer than two answers."""
    if len(record.answers) < 2:
        return None
    return measure(
        record.answers, target=record.target, kind=record.kind, labels=record.labels, input=record.input,
        compare=comparer(record.question), weights=weights,
    )  # fmt: skip


def recorded_health(records: Iterable[Recorded], comparer: Comparers = by_words) -> tuple[MemberHealth, ...]:
    """The health of the members of recorded answers, compared as for their score; a member is a group of any temperatures."""
    return member_health({str(number): _votes(record, comparer) for number, record in enumerate(records)})


def _votes(record: Recorded, comparer: Comparers) -> list[Vote]:
    def read(text: str) -> Answer:
        return read_answer(text, record.kind, labels=record.labels, input=record.input)

    answers = tuple(read(one.text) for one in record.answers)
    target = None if record.target is None else read(record.target)
    seats = [Seat(variant=one.group) for one in record.answers]
    return votes_of(seats, answers, record.kind, Settled(comparer(record.question), answers, target))


def read_record(data: bytes) -> Recorded:
    """Read one record, the JSON of an object.

    A generation is an object with a `text`, or the text itself; one without a text (null, or with an `error`) is no
    answer. Its group is its model with its variant. Where `kind` is missing or not one of `records.KINDS`, it is
    detected from the record's answers, target and input. `labels` may list the labels an answer can be. Unknown keys
    are ignored.

    Raises:
        Unfit: it does not fit the contract.
    """
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Unfit(f"not valid JSON ({error})", "write one JSON object a line, in UTF-8") from error
    if not isinstance(record, dict):
        raise Unfit(f"expected an object, found {type(record).__name__}", "write one JSON object a line")
    case_id = _text(record.get("id"))
    if not case_id:
        raise Unfit("`id` is missing", "give each record an `id` of its own")
    generations = record.get("generations")
    if not isinstance(generations, list):
        raise Unfit("`generations` is missing or no list", "put the answers there: a list of texts or {'text': ...}")
    answers = tuple(answer for answer in map(_answered, generations) if answer is not None)
    target = _text(record.get("target"))
    asked = _asked(record.get("input"))
    kind = record.get("kind")
    if kind not in KINDS:
        given = [*(answer.text for answer in answers), *([] if target is None else [target])]
        kind = detect_kind(given, input=asked)
    labels = record.get("labels")
    return Recorded(
        id=case_id,
        answers=answers,
        target=target,
        kind=cast(Kind, kind),
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        input=asked,
        question=_question(record.get("input")),
        reference=_text(record.get("reference")),
        reference_source=_text(record.get("reference_source")),
        reference_slice=_text(record.get("reference_slice")),
        reference_probability=_probability(record.get("reference_probability")),
    )


def _probability(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value <= 1 else 1.0


def _question(value: object) -> str:
    """What was asked: a text, or the last user message of a list of messages."""
    if isinstance(value, str):
        return value
    messages = value if isinstance(value, list) else []
    asked = [m.get("content") for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    return asked[-1] if asked and isinstance(asked[-1], str) else ""


def _answered(generation: object) -> Answered | None:
    """One generation as an answer, or None where it gave no text."""
    if isinstance(generation, str):
        return Answered(generation, group="")
    if not isinstance(generation, dict):
        raise Unfit(
            f"a generation is {type(generation).__name__}", "write each generation as a text or as {'text': ...}"
        )
    text = _text(generation.get("text"))
    if text is None or generation.get("error"):
        return None
    group = group_of(_text(generation.get("model")), _text(generation.get("variant")))
    temperature = generation.get("temperature")
    return Answered(
        text,
        group=group,
        temperature=float(temperature) if isinstance(temperature, int | float) else None,
        logprobs=_logprobs(generation.get("logprobs")),
    )


def _asked(value: object) -> str:
    """What was asked: a text as it is; of messages all but the assistant's, of their parts those that are text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "" if value.get("role") == "assistant" else _asked(value.get("content") or value.get("text"))
    return "\n".join(filter(None, map(_asked, value))) if isinstance(value, list) else ""


def _logprobs(value: object) -> tuple[float, ...] | None:
    """The log-probabilities where they are a plain list of numbers."""
    if not isinstance(value, list) or not all(isinstance(item, int | float) for item in value):
        return None
    return tuple(map(float, value))


def _text(value: object) -> str | None:
    """A text as it is, any other JSON value as its JSON text, null as None."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
