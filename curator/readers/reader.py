"""The form of a log reader: an entry of READERS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.pieces import Attachment, Exchange, NoExchange, Piece
from curator.records import JsonValue, RejectedRecord, Source

Content = Literal["question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"]
"""Parts of a logged exchange that a format may hold."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One readable record: its keys or table columns (None where empty), and its place."""

    cells: dict[str, JsonValue]
    source: Source


Sniff = Callable[[Mapping[str, JsonValue], LogsConfig], float]
Parse = Callable[[LogRecord, LogsConfig], Piece | Iterable[Piece]]


def _no_columns(_: LogsConfig) -> Mapping[str, str]:
    return {}


def _as_they_are(_: Sequence[Mapping[str, JsonValue]], options: LogsConfig) -> LogsConfig:
    return options


@dataclass(frozen=True, slots=True)
class Reader:
    """A log format.

    Attributes:
        name: the value of `logs.format`.
        description: one line for the documentation.
        understands: the parts of an exchange that become part of a case; others are named as not used.
        sniff: says how sure it is that a record is of this format, 0 (it is not) to 1. It sees the first readable records of a
            file and must not raise.
        parse: converts one record to a case or to other pieces (`pieces.py`). It raises `RecordError` for a record that does
            not fit; a missing key or a value of another type rejects the record too. It keeps no state: batches of records
            are parsed in several processes.
        reads_csv: the format may be a table, not only JSON.
        columns: the columns that a table must have, by the config key that names them.
        sniff_file: says the same of all first records of a file together, from 0 to their number; by default the sum of `sniff`.
        adapt: the options to parse a file with, from its first records, such as a mapping that fits them.
    """

    name: str
    description: str
    understands: frozenset[Content]
    sniff: Sniff
    parse: Parse
    reads_csv: bool = False
    columns: Callable[[LogsConfig], Mapping[str, str]] = _no_columns
    sniff_file: Callable[[Sequence[Mapping[str, JsonValue]], LogsConfig], float] | None = None
    adapt: Callable[[Sequence[Mapping[str, JsonValue]], LogsConfig], LogsConfig] = _as_they_are


def parse_record(reader: Reader, record: LogRecord, options: LogsConfig) -> list[Piece]:
    """The pieces of one record, at least one.

    A record that does not fit is rejected. One that holds nothing, such as a trace without spans, asks no model.
    """
    pieces = list(_guarded(lambda: reader.parse(record, options), record.source))
    return pieces or [NoExchange(source=record.source, what="records that hold nothing")]


def parse_parts(
    items: Iterable[T],
    parse: Callable[[T, Source], Piece | Iterable[Piece]],
    source: Source,
    *,
    unread: tuple[str, ...] = (),
) -> Iterator[Piece]:
    """Parse the records that one line holds; a damaged one costs no other.

    `unread` are the keys with content beside them, which are counted as unused once.
    """
    for number, item in enumerate(items, 1):
        part = source.numbered(number)
        for piece in _guarded(lambda item=item, part=part: parse(item, part), part):  # type: ignore[misc]
            if unread and isinstance(piece, Exchange | Attachment):
                piece.unused, unread = (*piece.unused, *unread), ()
            yield piece


def _guarded(parse: Callable[[], Piece | Iterable[Piece]], source: Source) -> Iterator[Piece]:
    try:
        pieces = parse()
        if isinstance(pieces, Iterable):
            yield from list(pieces)
        else:
            yield pieces
    except RecordError as error:
        yield RejectedRecord(source, error.reason, error.remedy)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"the record does not fit the format ({type(error).__name__}: {error})"
        yield RejectedRecord(source, reason, "log whole records, or name another format in `logs.format`")
