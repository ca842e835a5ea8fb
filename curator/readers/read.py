"""Read every record of every log file, one at a time: cases, rejected records, and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from curator.config import LogsConfig
from curator.errors import LogsError, RecordError
from curator.io.find_logs import FoundLogs, find_logs
from curator.io.log_file import LogFile
from curator.readers import READERS, recognise
from curator.readers.account import FileAccount, ReadAccount
from curator.readers.chat import CHAT
from curator.readers.hints import key_paths, listed, nearest
from curator.readers.join import Joiner
from curator.readers.mapped import MAPPED
from curator.readers.paths import lookup
from curator.readers.pieces import Piece, Reading
from curator.readers.reader import LogRecord, Reader, parse_record
from curator.readers.rows import Kind, open_records
from curator.readers.scales import Ratings, Scale, named_scale
from curator.readers.suggest import suggested_mapping
from curator.readers.table import Row
from curator.records import Case, JsonValue, Source

_MOST_KEYS = 1000
_SNIFFED = 20
"""A file is recognised by its first readable records: the first one may be a header or a span without content."""


def read(config: LogsConfig, *, paths: Sequence[str] | None = None) -> LogReading:
    """Stream the records of all log files; `paths` replaces those of the config.

    A file that cannot be read record by record gives one rejected record as a whole; an empty file gives nothing. With format
    `auto` the first readable records of each file decide who reads the file (`readers.recognise`). A file that no reader
    recognises is read through the mapping where there is one, else as chat.

    Raises:
        LogsError: no path is given, a path matches nothing, or a table lacks a mapped column (that one while reading).
        ConfigError: the format is unknown, or it is `mapped` and a mapping is missing, or the feedback scale is none.
    """
    named = config.paths if paths is None else paths
    if not named:
        raise LogsError("no logs are named", remedy="set `logs: {paths: [...]}` in the config, or give `--logs PATH`")
    chosen = None if config.format == "auto" else READERS.require(config.format, where="logs.format")
    default = chosen or (CHAT if config.mapping is None else MAPPED)
    opener = _Opener(config, chosen, default, default.columns(config))
    return LogReading(config, opener, find_logs(named))


class LogReading:
    """The records of logs to come, and the account of those that came so far.

    A record gives its case at once, unless it has to be joined with others or its ratings need the scale of the file; then its
    cases come when the logs end. Each record ends as one case (with `further` ones where it is a conversation), as one rejected
    record, or as one other record.

    Attributes:
        files: the log files, in their order.
        account: grows while the records are read.
    """

    def __init__(self, options: LogsConfig, opener: _Opener, logs: FoundLogs) -> None:
        self._options = options
        self._opener = opener
        self.files = logs.files
        self.account = ReadAccount(skipped=logs.skipped)
        self._scale = _named_scale(options)
        self._absent: set[str] = set()
        self._keys: dict[str, None] = {}
        self._expected = {r.name: tuple(r.columns(options).values()) for r in (opener.default,)}
        self._readings = self._read()

    def __iter__(self) -> Iterator[Reading]:
        return self._readings

    def __next__(self) -> Reading:
        return next(self._readings)

    def _read(self) -> Iterator[Reading]:
        joiner, ratings = Joiner(self._options), Ratings(self._scale, self.account)
        for piece in self._pieces():
            for reading in joiner.add(piece):
                yield from self._counted(reading, ratings)
        for reading in joiner.close():
            yield from self._counted(reading, ratings)
        self.account.repeated_turns = joiner.repeated_turns
        if self.account.cases:
            self.account.absent = tuple(f"{key!r}{nearest(key, self._keys)}" for key in sorted(self._absent))
        yield from ratings.close()

    def _counted(self, reading: Reading, ratings: Ratings) -> Iterator[Reading]:
        self.account.add_reading(reading)
        yield from ratings.add(reading) if isinstance(reading, Case) else (reading,)

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
            self._absent.update(self._expected.pop(file.reader.name, ()))
            for row in file.rows:
                account.records += 1
                if isinstance(row.cells, RecordError):
                    yield row.cells.at(file.path, row.number, row.part)
                    continue
                record = LogRecord(row.cells, Source(file.path, row.number, row.part))
                if self._absent:
                    self._keys |= dict.fromkeys(key_paths(row.cells) if len(self._keys) < _MOST_KEYS else ())
                    self._absent = {
                        key for key in self._absent if key not in row.cells and lookup(row.cells, key) is None
                    }
                for piece in parse_record(file.reader, record, file.options):
                    self.account.add_piece(piece)
                    yield piece


def _named_scale(options: LogsConfig) -> Scale | None:
    named = options.feedback_scale or (options.mapping.feedback_scale if options.mapping else None)
    return named_scale(named) if named else None


@dataclass(frozen=True, slots=True)
class _LogFile:
    """An opened file with the reader for it. `rows` are still to come."""

    path: str
    reader: Reader
    options: LogsConfig
    rows: Iterator[Row]
    kind: Kind
    encoding: str | None
    notes: tuple[str, ...]
    recognised: bool


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens files; `chosen` reads them, or the reader that recognises each, or `default`."""

    options: LogsConfig
    chosen: Reader | None
    default: Reader
    columns: Mapping[str, str]

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
        first, rows = _first_records(records.rows)
        recogniser = self.chosen or recognise(first, self.options)
        reader = recogniser or self.default
        if records.columns and records.kind in ("csv", "xlsx") and not reader.reads_csv:
            rows = iter((Row(1, _unmapped(records.columns, first, self.chosen)),))
        elif records.columns and reader is self.default:
            _check_columns(self.columns, records.columns, str(path))
        options = reader.adapt(first, self.options)
        recognised = recogniser is not None or reader is MAPPED
        return _LogFile(str(path), reader, options, rows, records.kind, records.encoding, records.notes, recognised)


def _first_records(rows: Iterator[Row]) -> tuple[list[dict[str, JsonValue]], Iterator[Row]]:
    """The first readable records, and all rows still to come."""
    seen: list[Row] = []
    readable: list[dict[str, JsonValue]] = []
    for row in rows:
        seen.append(row)
        if not isinstance(row.cells, RecordError):
            readable.append(row.cells)
        if len(readable) >= _SNIFFED or len(seen) >= 10 * _SNIFFED:
            break
    return readable, chain(seen, rows)


def _unmapped(columns: Sequence[str], first: Sequence[Mapping[str, JsonValue]], chosen: Reader | None) -> RecordError:
    mapping = suggested_mapping(first or [dict.fromkeys(columns)])
    if len(columns) == 1:
        return RecordError(
            "neither JSONL nor CSV with several columns",
            f"if it is CSV with the one column {listed(columns)}, write {mapping}",
        )
    return RecordError(
        f"a table with the columns {listed(columns)}, and no mapping in use",
        f"name the column that holds the user's text, for example {mapping}"
        + (f" (and no `format: {chosen.name}`)" if chosen else ""),
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
