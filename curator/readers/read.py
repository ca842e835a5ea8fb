"""Read every record of every log file, one at a time: cases, rejected records, and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Protocol

from curator.config import LogsConfig
from curator.errors import LogsError, RecordError
from curator.executors.local import Workers
from curator.io.find_logs import FoundLogs, find_logs
from curator.io.lines import LineBatch
from curator.io.log_file import LogFile
from curator.readers import READERS, recognise
from curator.readers.account import FileAccount, ReadAccount
from curator.readers.batches import AbsentKeys, BatchParser, RowParser
from curator.readers.chat import CHAT
from curator.readers.hints import listed, nearest
from curator.readers.join import Joiner
from curator.readers.label_files import no_logs
from curator.readers.mapped import MAPPED
from curator.readers.pieces import Complete, Piece, Reading
from curator.readers.reader import Reader
from curator.readers.rows import Kind, Records, open_records, rows_of
from curator.readers.scales import Ratings, Scale, named_scale
from curator.readers.suggest import names_question, suggested_mapping
from curator.readers.table import Row
from curator.records import Case, JsonValue, Source
from curator.redaction.redactor import Redacted, Redactor

_SNIFFED = 20
"""A file is recognised by its first readable records: the first one may be a header or a span without content."""
FIRST_ROWS = 200
"""Rows of a table by which its columns are understood: a column of thumbs is empty in most of them."""


WORTH_A_PROCESS = 8
"""From this many batches on (2 MB), worker processes are started; this one works until they are."""


class CaseRedaction(Protocol):
    """Redacts cases, and counts what was replaced."""

    @property
    def redactor(self) -> Redactor:
        """The redactor, which worker processes use too."""

    def counted(self, redacted: Redacted[Case]) -> Case:
        """Count what was replaced in a case; return the case."""


def read(
    config: LogsConfig,
    *,
    paths: Sequence[str] | None = None,
    redaction: CaseRedaction | None = None,
    processes: int = 1,
) -> LogReading:
    """Stream the records of all log files; `paths` replaces those of the config.

    A file that cannot be read record by record gives one rejected record as a whole; an empty file gives nothing. With format
    `auto` the first readable records of each file decide who reads the file (`readers.recognise`). A file that no reader
    recognises is read through the mapping where there is one, else as chat. With `redaction`, cases come redacted; they are
    joined before. With several `processes` large JSONL files are parsed and redacted in worker processes; the results are
    the same.

    Raises:
        LogsError: no path is given, a path matches nothing, or a table lacks a mapped column (that one while reading).
        ConfigError: the format is unknown, or it is `mapped` and a mapping is missing, or the feedback scale is none.
    """
    named = config.paths if paths is None else paths
    if not named:
        raise LogsError("no logs are named", remedy="set `logs: {paths: [...]}` in the config, or give `--logs PATH`")
    chosen = None if config.format == "auto" else READERS.require(config.format, where="logs.format")
    default = chosen or (CHAT if config.mapping is None else MAPPED)
    opener = _Opener(config, chosen, default, default.columns(config), in_batches=processes > 1)
    return LogReading(config, opener, find_logs(named), redaction, Workers(processes))


class LogReading:
    """The records of logs to come, and the account of those that came so far.

    A record gives its case at once, unless it has to be joined with others or its ratings need the scale of the file; then its
    cases come when the logs end. Each record ends as one case (with `further` ones where it is a conversation), as one rejected
    record, or as one other record.

    Attributes:
        files: the log files, in their order.
        account: grows while the records are read.
    """

    def __init__(
        self,
        options: LogsConfig,
        opener: _Opener,
        logs: FoundLogs,
        redaction: CaseRedaction | None,
        workers: Workers,
    ) -> None:
        self._options = options
        self._opener = opener
        self.files = logs.files
        self._redaction = redaction
        self._workers = workers
        self.account = ReadAccount(skipped=logs.skipped)
        self._scale = _named_scale(options)
        self._absent = AbsentKeys(set())
        self._searched: dict[tuple[Source, str], Redacted[Case] | None] = {}
        self._expected = {r.name: tuple(r.columns(options).values()) for r in (opener.default,)}
        self._readings = self._read()

    def __iter__(self) -> Iterator[Reading]:
        return self._readings

    def __next__(self) -> Reading:
        return next(self._readings)

    def _read(self) -> Iterator[Reading]:
        joiner, ratings = Joiner(self._options), Ratings(self._scale, self.account)
        try:
            for piece in self._pieces():
                for reading in joiner.add(piece):
                    yield from self._counted(reading, ratings)
        finally:
            self._workers.close()
        for reading in joiner.close():
            yield from self._counted(reading, ratings)
        self.account.repeated_turns = joiner.repeated_turns
        if self.account.cases:
            keys = list(chain.from_iterable(self._absent.keys))
            self.account.absent = tuple(f"{key!r}{nearest(key, keys)}" for key in sorted(self._absent.absent))
        yield from map(self._redacted, ratings.close())

    def _counted(self, reading: Reading, ratings: Ratings) -> Iterator[Reading]:
        self.account.add_reading(reading)
        if isinstance(reading, Case):
            yield from map(self._redacted, ratings.add(reading))
        else:
            yield reading

    def _redacted(self, case: Case) -> Case:
        """The case without what is sensitive, which a worker process may have looked for already."""
        if self._redaction is None:
            return case
        place = case.source, case.id
        if place not in self._searched:
            return self._redaction.counted(self._redaction.redactor.case(case))
        redacted = self._searched.pop(place)
        if redacted is None:
            return case
        result, feedback = self._redaction.counted(redacted), case.feedback
        if feedback is None or result.feedback is None:
            return result
        rated = replace(result.feedback, thumb=feedback.thumb, rating=feedback.rating)  # known since the file was read
        return replace(result, feedback=rated)

    def _pieces(self) -> Iterator[Piece]:
        for file in map(self._opener.open, self.files):
            account = FileAccount(
                file.path,
                file.reader.name,
                container=file.kind,
                encoding=file.encoding,
                recognised=file.recognised,
            )
            account = self.account.files.setdefault(file.path, account)
            for note in file.notes:
                self.account.note(note, Source(file.path, 1))
            self._absent.look_for(self._expected.pop(file.reader.name, ()))
            if file.batches is not None and READERS.get(file.reader.name) is file.reader:
                yield from self._of_batches(file, file.batches, account)
                continue
            parser = RowParser(file.path, file.reader, file.options)
            for row in file.rows:
                account.records += 1
                self._absent.look(row)
                for piece in parser.pieces(row):
                    self.account.add_piece(piece)
                    yield piece

    def _of_batches(self, file: _LogFile, batches: Iterator[LineBatch], account: FileAccount) -> Iterator[Piece]:
        """The pieces of a large file, parsed in worker processes."""
        redactor = self._redaction.redactor if self._redaction else None
        absent = frozenset(self._absent.absent)
        parse = BatchParser(file.path, file.reader.name, file.options, redactor, absent)
        for batch in self._workers.map_ordered(parse, batches):
            account.records += batch.records
            self.account.add_seen(batch.unused, batch.notes)
            self._absent.merge(batch.absent)
            for piece in batch.pieces:
                for case in piece.readings if redactor and isinstance(piece, Complete) else ():
                    if isinstance(case, Case) and parse.is_wanted(case):
                        place = case.source, case.id
                        self._searched[place] = batch.redacted.get(place)
                yield piece


def _named_scale(options: LogsConfig) -> Scale | None:
    named = options.feedback_scale or (options.mapping.feedback_scale if options.mapping else None)
    return named_scale(named) if named else None


@dataclass(frozen=True, slots=True)
class _LogFile:
    """An opened file with the reader for it.

    `rows`, or `batches` of the lines of a large file, are still to come.
    """

    path: str
    reader: Reader
    options: LogsConfig
    rows: Iterator[Row]
    kind: Kind
    encoding: str | None
    notes: tuple[str, ...]
    recognised: bool
    batches: Iterator[LineBatch] | None


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens files; `chosen` reads them, or the reader that recognises each, or `default`.

    `in_batches`: large files of lines are wanted in batches.
    """

    options: LogsConfig
    chosen: Reader | None
    default: Reader
    columns: Mapping[str, str]
    in_batches: bool

    def open(self, path: LogFile) -> _LogFile:
        """Open a file.

        Raises:
            LogsError: it is a table and lacks a column that the reader needs.
        """
        max_bytes = int(self.options.max_record_mb * 1e6)
        records = open_records(
            path,
            wanted=list(self.columns.values()),
            max_bytes=max_bytes,
            encoding=self.options.encoding,
            is_record=lambda value: recognise([value], self.options) is not None,
        )
        records, batches = _large(records) if self.in_batches else (records, None)
        first, rows = _first_records(records.rows, FIRST_ROWS if records.columns else _SNIFFED)
        recogniser = self.chosen or recognise(first[:_SNIFFED], self.options)
        reader = recogniser or self.default
        labels = no_logs(first[:_SNIFFED]) if self.chosen is None and reader is not MAPPED else None
        if labels is not None:
            rows, batches = _set_aside(rows, labels), None
        elif records.columns and records.kind in ("csv", "xlsx") and not reader.reads_csv:
            reason = _unmapped(records.columns, first, self.chosen)
            rows = _set_aside(rows, reason) if len(records.columns) > 1 else iter((Row(1, reason),))
        elif records.columns and reader is self.default:
            _check_columns(self.columns, records.columns, str(path))
        options = reader.adapt(first, self.options)
        recognised = recogniser is not None or reader is MAPPED
        return _LogFile(
            str(path), reader, options, rows, records.kind, records.encoding, records.notes, recognised, batches
        )


def _large(records: Records) -> tuple[Records, Iterator[LineBatch] | None]:
    """The records of a file, and the batches of a large file of lines.

    The rows are then those of its first batches only.
    """
    if records.batches is None:
        return records, None
    begin = list(islice(records.batches, WORTH_A_PROCESS))
    is_large = len(begin) == WORTH_A_PROCESS
    rows = chain.from_iterable(map(rows_of, begin))
    return replace(records, rows=rows), chain(begin, records.batches) if is_large else None


def _first_records(rows: Iterator[Row], most: int) -> tuple[list[dict[str, JsonValue]], Iterator[Row]]:
    """The first readable records, and all rows still to come."""
    seen: list[Row] = []
    readable: list[dict[str, JsonValue]] = []
    for row in rows:
        seen.append(row)
        if not isinstance(row.cells, RecordError):
            readable.append(row.cells)
        if len(readable) >= most or len(seen) >= 10 * most:
            break
    return readable, chain(seen, rows)


def _set_aside(rows: Iterator[Row], reason: RecordError) -> Iterator[Row]:
    """Give every row the same reason; an empty table has it once."""
    first = next(rows, Row(1, reason))
    return (replace(row, cells=reason) for row in chain((first,), rows))


def _unmapped(columns: Sequence[str], first: Sequence[Mapping[str, JsonValue]], chosen: Reader | None) -> RecordError:
    mapping = suggested_mapping(first or [dict.fromkeys(columns)])
    if len(columns) == 1:
        return RecordError(
            "neither JSONL nor CSV with several columns",
            f"if it is CSV with the one column {listed(columns)}, write {mapping}",
        )
    remedy = f"name the column that holds the user's text, for example {mapping}"
    if not names_question(mapping):
        remedy = (
            "name the columns of the question and the answer, `logs: {mapping: {input: ..., target: ...}}`; where each row is a turn"
            " of a conversation, those of its text, speaker and conversation, `logs: {mapping: {input: ..., role: ..., session: ...}}`"
        )
    return RecordError(
        f"a table with the columns {listed(columns)}, and no mapping in use: its rows are not read",
        remedy + (f" (and no `format: {chosen.name}`)" if chosen else ""),
    )


def _check_columns(keys: Mapping[str, str], columns: Sequence[str], file: str) -> None:
    """Check that a table has every column; a dotted key may lead into a column of JSON.

    Raises:
        LogsError: one is missing.
    """
    for option, key in keys.items():
        parts = key.split(".")
        if not any(".".join(parts[:end]) in columns for end in range(1, len(parts) + 1)):
            raise LogsError(
                f"{file!r}: no column {key!r} (`{option}`); the columns are {listed(columns)}",
                remedy=f"name one of these columns in the mapping{nearest(key, columns)}",
            )
