"""Optional fields on the case in a line of recorded answers or of scores.

People and other tools write these fields: a value of another type is left out, except where it would distort an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from curator.errors import RecordError
from curator.io.json_rows import Fields
from curator.readers.json_text import as_text
from curator.readers.messages import read_messages
from curator.records import (
    KINDS,
    Case,
    Feedback,
    JsonValue,
    Kind,
    Message,
    Reference,
    ReferenceSource,
    Scalar,
    Source,
    Thumb,
)

_REFERENCE_SOURCES: tuple[ReferenceSource, ...] = ("correction", "teacher")


@dataclass(frozen=True, slots=True)
class CaseContext:
    """The fields of a line that a selection and an estimate can use.

    Attributes:
        messages: what production was asked; () where the line has no `input`.
        source: where the record is from, as the line names it.
        target: production's answer; None without one.
        task: as logged.
        kind: of the answers; None where it is not known.
        feedback: the user's thumb; None without one.
        reference: the trusted answer; None without one.
        metadata: the texts, numbers, true and false of it.
        weight: the log records that the case represents.
        group: its near-duplicate group; "" where it has none.
        category: None where it has none.
        labels: the labels that an answer can be; () where they are not fixed.
    """

    messages: tuple[Message, ...] = ()
    source: str = ""
    target: str | None = None
    task: str | None = None
    kind: Kind | None = None
    feedback: Feedback | None = None
    reference: Reference | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    weight: int = 1
    group: str = ""
    category: str | None = None
    labels: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, row: object) -> CaseContext:
        """Read the fields; unknown ones are ignored.

        Raises:
            RecordError: `input` holds no messages, or `weight` is not a whole number from 1 on.
        """
        values = Fields.of(row)
        task, kind, group = values.value("task"), values.value("kind"), values.value("group")
        category, labels = values.value("category"), values.value("labels")
        return cls(
            messages=_read_input(values.value("input")),
            source=as_text(values.value("source")) or "",
            target=as_text(values.value("target")),
            task=None if task is None else str(task),
            kind=kind if kind in KINDS else None,
            feedback=_read_thumb(values.value("feedback")),
            reference=_read_reference(values),
            metadata=_scalars(values.value("metadata")),
            weight=_read_weight(values.value("weight")),
            group=str(group) if group else "",
            category=category if isinstance(category, str) else None,
            labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        )

    def case(self, case_id: str, line: int) -> Case:
        """Return the case of a line, by its number in the file."""
        return Case(
            id=case_id,
            messages=self.messages,
            source=Source(self.source, line),
            target=self.target,
            task=self.task,
            kind=self.kind,
            feedback=self.feedback,
            reference=self.reference,
            metadata=self.metadata,
            weight=self.weight,
            group=self.group,
        )


def _read_input(value: JsonValue) -> tuple[Message, ...]:
    if isinstance(value, str):
        return (Message("user", value),)
    return read_messages(value) if value else ()


def _read_thumb(value: JsonValue) -> Feedback | None:
    thumb = Fields.of(value).value("thumb") if isinstance(value, dict) else value
    return Feedback(thumb=cast("Thumb", thumb)) if thumb in get_args(Thumb) else None


def _read_reference(values: Fields) -> Reference | None:
    text, source = values.value("reference"), values.value("reference_source")
    if not isinstance(text, str) or not text.strip():
        return None
    return Reference(text, source if source in _REFERENCE_SOURCES else "label")


def _scalars(metadata: JsonValue) -> dict[str, Scalar]:
    items = metadata.items() if isinstance(metadata, dict) else ()
    return {key: value for key, value in items if isinstance(value, str | int | float | bool)}


def _read_weight(value: JsonValue) -> int:
    """Return the number of log records that a case represents; 1 by default."""
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1 or value != int(value):
        raise RecordError(f"`weight` is {value!r}", "it counts log records: a whole number from 1 on, or leave it out")
    return int(value)
