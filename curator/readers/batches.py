"""Batches of lines -> pieces, in this process or in a worker process.

All that is cheap to do without the other records of the logs is done where a batch is parsed: complete exchanges become
cases, cases are redacted, and unused keys and notes are counted.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.io.lines import LineBatch
from curator.readers import READERS
from curator.readers.account import ReadAccount, Seen
from curator.readers.exchange import cases_of
from curator.readers.hints import key_paths
from curator.readers.join import is_complete
from curator.readers.paths import lookup
from curator.readers.pieces import Complete, Exchange, Piece
from curator.readers.reader import LogRecord, Reader, parse_record
from curator.readers.rows import rows_of
from curator.readers.table import Row
from curator.records import Case, Message, Source
from curator.redaction.redactor import Redacted, Redactor

MOST_KEYS = 1000
"""So many keys of records are remembered, to suggest one for a misspelt key of a mapping."""


@dataclass(slots=True)
class AbsentKeys:
    """The keys of a mapping that no record had so far, and the keys that the records have.

    Attributes:
        absent: the keys to look for.
        keys: of each record with a new one, the keys that are new.
    """

    absent: set[str]
    keys: list[tuple[str, ...]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def look_for(self, expected: Iterable[str]) -> None:
        """Look for more keys."""
        self.absent.update(expected)

    def look(self, row: Row) -> None:
        """Look at a record."""
        cells = row.cells
        if not self.absent or isinstance(cells, RecordError):
            return
        self._add(key_paths(cells) if len(self._seen) < MOST_KEYS else ())
        self.absent = {key for key in self.absent if key not in cells and lookup(cells, key) is None}

    def merge(self, other: AbsentKeys) -> None:
        """Add what was seen of the next records."""
        if self.absent:
            for keys in other.keys:
                self._add(keys if len(self._seen) < MOST_KEYS else ())
            self.absent &= other.absent

    def _add(self, keys: Iterable[str]) -> None:
        new = tuple(dict.fromkeys(key for key in keys if key not in self._seen))
        if new:
            self.keys.append(new)
            self._seen.update(new)


@dataclass(frozen=True, slots=True)
class RowParser:
    """Parses the rows of one file."""

    path: str
    reader: Reader
    options: LogsConfig

    def pieces(self, row: Row) -> list[Piece]:
        """The pieces of a row; one that cannot be read is one rejected record."""
        if isinstance(row.cells, RecordError):
            return [row.cells.at(self.path, row.number, row.part)]
        return parse_record(self.reader, LogRecord(row.cells, Source(self.path, row.number, row.part)), self.options)


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """A batch of lines.

    Attributes:
        records: their number.
        pieces: in the order of the lines; complete exchanges as their cases.
        redacted: the cases among the pieces in which something sensitive was found, by place and id.
        unused: keys with content that no reader used, with their counts.
        notes: on what was lost or assumed, with their counts.
        absent: what the batch says of the keys that were looked for.
    """

    records: int
    pieces: tuple[Piece, ...]
    redacted: dict[tuple[Source, str], Redacted[Case]]
    unused: dict[str, Seen]
    notes: dict[str, Seen]
    absent: AbsentKeys


@dataclass(frozen=True, slots=True)
class BatchParser:
    """Parses batches of lines of one file in a worker process.

    The reader is found by its name there.

    Attributes:
        redactor: redacts the cases; None where that is not asked.
        absent: the keys of a mapping that were not seen so far.
    """

    path: str
    reader: str
    options: LogsConfig
    redactor: Redactor | None
    absent: frozenset[str]

    def __call__(self, lines: LineBatch) -> ParsedBatch:
        """Parse a batch."""
        parser = RowParser(self.path, READERS[self.reader], self.options)
        account, absent, records = ReadAccount(), AbsentKeys(set(self.absent)), 0
        pieces: list[Piece] = []
        for row in rows_of(lines):
            records += 1
            absent.look(row)
            for piece in parser.pieces(row):
                account.add_piece(piece)
                pieces.append(_completed(piece))
        redacted = self._redacted(pieces) if self.redactor else {}
        return ParsedBatch(records, tuple(pieces), redacted, account.unused, account.notes, absent)

    def is_wanted(self, case: Case) -> bool:
        """Return whether a case is asked for; earlier turns may not be."""
        return not case.further or self.options.turns == "all"

    def _redacted(self, pieces: Iterable[Piece]) -> dict[tuple[Source, str], Redacted[Case]]:
        redacted_cases: dict[tuple[Source, str], Redacted[Case]] = {}
        for piece in pieces:
            for case in piece.readings if isinstance(piece, Complete) else ():
                if isinstance(case, Case) and self.redactor is not None and self.is_wanted(case):
                    redacted = self.redactor.case(case)
                    if redacted.counts:
                        redacted_cases[case.source, case.id] = redacted
        return redacted_cases


def _pickle_by_fields(record: type[Any]) -> None:
    """Let a record be pickled as its class and the values of its fields.

    The state of a frozen dataclass with slots is otherwise taken and set field by field in Python, which costs 41 microseconds a
    case there and back, and 13 so.
    """
    values = attrgetter(*(of_record.name for of_record in fields(record)))
    copyreg.pickle(record, lambda value: (record, values(value)))


for _record in (Case, Complete, Message, Source):
    _pickle_by_fields(_record)


def _completed(piece: Piece) -> Piece:
    """The cases of an exchange that is joined with nothing; any other piece as it is."""
    if isinstance(piece, Exchange) and is_complete(piece):
        return Complete(tuple(cases_of(piece)), piece.conversation)
    return piece
