"""The form of a log reader: an entry of READERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.records import Case, JsonValue, RejectedRecord, Source

Content = Literal["question", "answer", "system", "tools", "documents", "feedback", "outcome", "time"]
"""Parts of a logged exchange that a format may hold."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One readable record: its keys or CSV columns (None where empty), and its place."""

    cells: dict[str, JsonValue]
    source: Source


Sniff = Callable[[Mapping[str, JsonValue], LogsConfig], float]
Read = Callable[[Iterator[LogRecord], LogsConfig], Iterator[Case | RejectedRecord]]


def _no_columns(_: LogsConfig) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Reader:
    """A log format.

    Attributes:
        name: the value of `logs.format`.
        description: one line for the documentation.
        understands: the parts of an exchange that become part of a case; others are ignored.
        sniff: says how sure it is that a record is of this format, 0 (it is not) to 1. It sees the first readable record of a
            file and must not raise.
        read: reads the records of all files of this format, in their order. Each record should give one case or one rejected
            record; a format that spreads an exchange over records gives one for each exchange.
        reads_csv: the format may be a CSV file, not only JSONL.
        columns: the columns that a CSV file must have, by the config key that names them.
    """

    name: str
    description: str
    understands: frozenset[Content]
    sniff: Sniff
    read: Read
    reads_csv: bool = False
    columns: Callable[[LogsConfig], Mapping[str, str]] = _no_columns


def by_record(parse: Callable[[LogRecord, LogsConfig], Case]) -> Read:
    """Make the `read` of a format whose records are one exchange each.

    `parse` raises `RecordError` for a record that does not fit. A missing key or a value of another type rejects the record too:
    a reader of another package must not end a run over one odd line.
    """

    def read(records: Iterator[LogRecord], options: LogsConfig) -> Iterator[Case | RejectedRecord]:
        for record in records:
            try:
                yield parse(record, options)
            except RecordError as error:
                yield error.at(record.source.file, record.source.line)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                reason = f"the record does not fit the format ({type(error).__name__}: {error})"
                yield RejectedRecord(
                    record.source, reason, "log whole records, or name another format in `logs.format`"
                )

    return read
