"""Every record of every log file, as a case or as a record that was set aside, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from curator.config import LogsConfig
from curator.errors import ConfigError, LogsError, RecordError
from curator.io.lines import expand
from curator.readers.chat import is_chat, read_chat
from curator.readers.hints import listed, nearest, suggested_mapping
from curator.readers.mapped import Mapper, mapped_keys
from curator.readers.rows import open_records
from curator.records import Case, JsonValue, RejectedRecord, Source

_Parse = Callable[[dict[str, JsonValue], Source], Case]

_log = logging.getLogger(__name__)


def read(config: LogsConfig, *, paths: Sequence[str] | None = None) -> Iterator[Case | RejectedRecord]:
    """Stream the records of all log files; `paths` replaces those of the config.

    Every record gives one case (of weight 1, without a group) or one unreadable. A file that cannot be read line by
    line, such as one JSON array, gives one unreadable as a whole; an empty file gives nothing. With format `auto` and a
    mapping each JSONL file is read by the first record in it: through the mapping where it has the mapped input, else
    as chat where it is a chat-completions record.

    Raises:
        LogsError: no path is given, a path matches nothing, or a CSV file lacks a mapped column (that one while reading).
        ConfigError: the format is `mapped` and there is no mapping.
    """
    named = config.paths if paths is None else paths
    if not named:
        raise LogsError("no logs are named", remedy="set `logs: {paths: [...]}` in the config, or give `--logs PATH`")
    if config.format == "mapped" and config.mapping is None:
        raise ConfigError(
            "'logs.format' is 'mapped' and there is no mapping",
            remedy="tell which key or column holds the user's text: `logs: {mapping: {input: ...}}`",
        )
    return _read_files(expand(named), config)


def _read_files(files: Sequence[Path], config: LogsConfig) -> Iterator[Case | RejectedRecord]:
    mapper = None
    if config.mapping is not None and config.format != "chat":
        mapper = Mapper(config.mapping, system=config.system, examples=config.examples, task=config.task)
    cases = 0
    for file in files:
        for record in _read_file(file, config, mapper):
            cases += mapper is not None and isinstance(record, Case)
            yield record
    if mapper is not None and cases and mapper.unseen:
        _log.warning("no record has %s, which `logs.mapping` names", listed(sorted(mapper.unseen)))


def _read_file(path: Path, config: LogsConfig, mapper: Mapper | None) -> Iterator[Case | RejectedRecord]:
    file = str(path)
    keys = mapped_keys(mapper.mapping) if mapper else {}
    records = open_records(path, wanted=list(keys.values()), max_bytes=int(config.max_record_mb * 1e6))
    parse: _Parse | None = None
    if records.columns:
        if mapper is None:
            yield _unmapped(records.columns).at(file, 1)
            return
        _check_columns(keys, records.columns, file)
        parse = mapper.read
    for row in records.rows:
        try:
            if isinstance(row.cells, RecordError):
                raise row.cells
            if parse is None:
                parse = _parser_for(row.cells, config, mapper)
            yield parse(row.cells, Source(file, row.number))
        except RecordError as problem:
            yield problem.at(file, row.number)


def _parser_for(record: dict[str, JsonValue], config: LogsConfig, mapper: Mapper | None) -> _Parse:
    """How the records of a JSONL file are read, by its first readable one."""
    if mapper is not None and (config.format == "mapped" or mapper.fits(record) or not is_chat(record)):
        return mapper.read
    return lambda record, source: read_chat(record, source, task=config.task)


def _unmapped(columns: Sequence[str]) -> RecordError:
    if len(columns) == 1:
        return RecordError(
            "neither JSONL nor CSV with several columns",
            f"if it is CSV with the one column {listed(columns)}, write {suggested_mapping(columns)}",
        )
    return RecordError(
        f"a CSV file with the columns {listed(columns)}, and no mapping in use",
        f"tell which column holds the user's text, for example {suggested_mapping(columns)} (and no `format: chat`)",
    )


def _check_columns(keys: dict[str, str], columns: Sequence[str], file: str) -> None:
    """Every mapped column has to be there; a dotted key may lead into a column that holds JSON.

    Raises:
        LogsError: one is not.
    """
    for field, key in keys.items():
        parts = key.split(".")
        if not any(".".join(parts[:end]) in columns for end in range(1, len(parts) + 1)):
            raise LogsError(
                f"{file!r}: there is no column {key!r} (`logs.mapping.{field}`); the columns are {listed(columns)}",
                remedy=f"name one of these columns in the mapping{nearest(key, columns)}",
            )
