"""A case as a trace, the form in which Langfuse and LangSmith show it to people."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from curator.labels.queue import QueueRow
from curator.labels.returned import context_of
from curator.labels.shown import answer, by_case, committee, documents, turns
from curator.records import JsonValue
from curator.text.display import clean

CONTEXT = "curator"
"""The key of the metadata with what comes back with the label. It holds JSON text, since a platform may change the types of
other values, as of a case id that looks like a number."""
MARK = "mark"
_LEAST_LABELS, _MOST_LABELS = 2, 100
"""Numbers of fixed labels that are offered as a choice; of more than that, a person types the right one faster."""
_IDS = uuid.UUID("5e4c94bd-0a3f-5f0c-9a0e-5d0f0e2b6a41")
"""The namespace of the ids, so that no other program makes the same ones."""


@dataclass(frozen=True, slots=True)
class TracedCase:
    """A case as it stands in a trace.

    Attributes:
        case_id: the case.
        inputs: the conversation and the documents.
        answer: production's answer.
        metadata: the context of the label under `CONTEXT`, the committee's answers and the rest of the queue's row.
        mark: fingerprint of all that is shown, 16 hex digits; another one means that the case changed.
    """

    case_id: str
    inputs: Mapping[str, JsonValue]
    answer: str
    metadata: Mapping[str, JsonValue]
    mark: str

    @classmethod
    def of(cls, row: QueueRow, *, people: Sequence[str] = ()) -> TracedCase:
        """Make the trace of a queue's row that these people shall label."""
        inputs: dict[str, JsonValue] = {"messages": [*turns(row)]}
        if row.documents:
            inputs["documents"] = [*documents(row)]
        every: dict[str, JsonValue] = {
            "committee": [*committee(row)],
            "labels": [clean(label) for label in row.labels],
            "batch": row.batch,
            "task": clean(row.task or ""),
            "category": clean(row.category or ""),
            "disagreement": row.disagreement,
            "assigned_to": clean(", ".join(filter(None, people))),
        }
        shown = {key: value for key, value in every.items() if value is not None and value not in ("", [])}
        context = context_of(row)
        everything = orjson.dumps([inputs, answer(row), shown, context], option=orjson.OPT_SORT_KEYS)
        mark = hashlib.sha256(everything).hexdigest()[:16]
        text = orjson.dumps({**context, MARK: mark}).decode()
        return cls(row.case_id, inputs, answer(row), {**shown, CONTEXT: text}, mark)


def traced_cases(rows: Sequence[QueueRow]) -> Iterator[TracedCase]:
    """Yield each case once, in the order of the queue, with the people who shall label it."""
    for of_case in by_case(rows).values():
        yield TracedCase.of(of_case[0], people=[row.annotator for row in of_case])


def trace_id(*parts: str) -> uuid.UUID:
    """Return the id that always belongs to these parts, such as the queue and the case."""
    return uuid.uuid5(_IDS, "\x1f".join(parts))


def read_context(metadata: object) -> dict[str, JsonValue]:
    """Return the context in the metadata of a trace; {} where curator did not make it.

    A platform gives the JSON text back as it was, or read.
    """
    value = metadata.get(CONTEXT) if isinstance(metadata, Mapping) else None
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return dict(value) if isinstance(value, Mapping) and value.get("case_id") else {}


def label_choices(rows: Sequence[QueueRow]) -> list[str]:
    """Return the fixed labels that people choose among; [] where they write the right answer."""
    labels = list(dict.fromkeys(label for row in rows for label in row.labels))
    return labels if _LEAST_LABELS <= len(labels) <= _MOST_LABELS else []


def queue_name(name: str, *, adjudication: bool) -> str:
    """Return the name of the annotation queue of a job."""
    return f"{name} (adjudication)" if adjudication else name
