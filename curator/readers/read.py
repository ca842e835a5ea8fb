"""Read every record of every log file, as a case or as a rejected record, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from curator.config import LogsConfig
from curator.errors import LogsError, RecordError
from curator.io.lines import expand
from curator.readers import READERS, LogRecord, Reader, recognise
from curator.readers.chat import CHAT
from curator.readers.hints import listed, nearest, suggested_mapping
from curator.readers.mapped import MAPPED
from curator.readers.rows import open_records
from curator.readers.table import Row
from curator.records import Case, JsonValue, RejectedRecord, Source


def read(config: LogsConfig, *, paths: Sequence[str] | None = None) -> Iterator[Case | RejectedRecord]:
    """Stream the records of all log files; `paths` replaces those of the config.

    Every record gives one case (of weight 1, without a group) or one rejected record. A file that cannot be read line by
    line, such as one JSON array, gives one rejected record as a whole; an empty file gives nothing. With format `auto` the
    first readable record of each file decides who reads the file (`readers.recognise`). A file that no reader recognises is
    read through the mapping where there is one, else as chat.

    Raises:
        LogsError: no path is given, a path matches nothing, or a CSV file lacks a mapped column (that one while reading).
        ConfigError: the format is unknown, or it is `mapped` and a mapping is missing.
    """
    named = config.paths if paths is None else paths
    if not named:
        raise LogsError("no logs are named", remedy="set `logs: {paths: [...]}` in the config, or give `--logs PATH`")
    chosen = None if config.format == "auto" else READERS.require(config.format, where="logs.format")
    default = chosen or (CHAT if config.mapping is None else MAPPED)
    columns = default.columns(config)
    opener = _Opener(config, chosen, default, columns)
    return _read_files(map(opener.open, expand(named)), config)


@dataclass(frozen=True, slots=True)
class _LogFile:
    """An opened file with the reader for it. `rows` are still to come."""

    path: str
    reader: Reader
    rows: Iterator[Row]


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens files; `chosen` reads them, or the reader that recognises each, or `default`."""

    options: LogsConfig
    chosen: Reader | None
    default: Reader
    columns: Mapping[str, str]

    def open(self, path: Path) -> _LogFile:
        """Open a file.

        Raises:
            LogsError: it is a CSV file and lacks a column that the reader needs.
        """
        max_bytes = int(self.options.max_record_mb * 1e6)
        records = open_records(path, wanted=list(self.columns.values()), max_bytes=max_bytes)
        if not records.columns:
            return self._open_json_lines(path, records.rows)
        if self.default.reads_csv:
            _check_columns(self.columns, records.columns, str(path))
            return _LogFile(str(path), self.default, records.rows)
        first, rows = _first_record(records.rows)
        reader = None if self.chosen or first is None else recognise(first, self.options)
        if reader is None or not reader.reads_csv:
            return _LogFile(str(path), self.default, iter((Row(1, _unmapped(records.columns)),)))
        return _LogFile(str(path), reader, rows)

    def _open_json_lines(self, path: Path, rows: Iterator[Row]) -> _LogFile:
        if self.chosen:
            return _LogFile(str(path), self.chosen, rows)
        first, rows = _first_record(rows)
        reader = None if first is None else recognise(first, self.options)
        return _LogFile(str(path), reader or self.default, rows)


def _first_record(rows: Iterator[Row]) -> tuple[dict[str, JsonValue] | None, Iterator[Row]]:
    """The first readable record, None where no record can be readne, and all rows still to come."""
    seen: list[Row] = []
    for row in rows:
        seen.append(row)
        if not isinstance(row.cells, RecordError):
            return row.cells, chain(seen, rows)
    return None, iter(seen)


def _read_files(files: Iterable[_LogFile], options: LogsConfig) -> Iterator[Case | RejectedRecord]:
    """Yield the results in the order of the files; neighbours of one format are one stream."""
    waiting: list[RejectedRecord] = []
    for reader, of_format in groupby(files, key=attrgetter("reader")):
        for result in reader.read(_readable(of_format, waiting), options):
            # rows that could not be parsed stand before the record that this result was made of
            yield from waiting
            waiting.clear()
            yield result
        yield from waiting
        waiting.clear()


def _readable(files: Iterable[_LogFile], rejected: list[RejectedRecord]) -> Iterator[LogRecord]:
    """The records that are JSON objects or table rows; the others are appended to `rejected`."""
    for file in files:
        for row in file.rows:
            if isinstance(row.cells, RecordError):
                rejected.append(row.cells.at(file.path, row.number))
            else:
                yield LogRecord(row.cells, Source(file.path, row.number))


def _unmapped(columns: Sequence[str]) -> RecordError:
    if len(columns) == 1:
        return RecordError(
            "neither JSONL nor CSV with several columns",
            f"if it is CSV with the one column {listed(columns)}, write {suggested_mapping(columns)}",
        )
    return RecordError(
        f"a CSV file with the columns {listed(columns)}, and no mapping in use",
        f"name the column that holds the user's text, for example {suggested_mapping(columns)} (and no `format: chat`)",
    )


def _check_columns(keys: Mapping[str, str], columns: Sequence[str], file: str) -> None:
    """Check that a CSV file has every column; a dotted key may lead into a column of JSON.

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
