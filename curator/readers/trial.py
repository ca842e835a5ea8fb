"""A mapping for files that no reader understands, tried on their first records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from curator.config import FieldMapping, LogsConfig
from curator.errors import CuratorError, RecordError
from curator.io.find_logs import find_logs
from curator.readers.layout import found_mapping
from curator.readers.read import FIRST_ROWS, read
from curator.readers.rows import open_records
from curator.readers.suggest import suggested_mapping
from curator.records import Case, JsonValue

_TRIED = 1000
"""Records that a mapping is tried on: enough to see that it fits, and soon done."""
_ENOUGH = 0.5
"""A mapping that reads fewer of the records than this is not the one."""


@dataclass(frozen=True, slots=True)
class MappingTrial:
    """A mapping that reads a file, tried on its first records.

    Attributes:
        file: the file.
        fields: the fields of `logs.mapping`.
        snippet: the mapping as a config has it.
        cases: the cases that it gave.
        records: the records that it was tried on.
    """

    file: str
    fields: Mapping[str, object]
    snippet: str
    cases: int
    records: int


def try_mapping(file: str, options: LogsConfig) -> MappingTrial | None:
    """Find a mapping from the first records of a file, and try it.

    The result is None where no mapping reads most of the records. Standard input cannot be read twice: for it, the result is None.
    """
    try:
        records = _first_records(file, options)
        fields = found_mapping(records, guess=True)
        if "input" not in fields:
            return None
        mapping = FieldMapping.model_validate(fields)
        changed = options.model_copy(update={"mapping": mapping, "format": "mapped"})
        reading = read(changed, paths=(file,))
        with_answer = sum(isinstance(case, Case) and case.target is not None for case in islice(reading, _TRIED))
    except (CuratorError, ValueError):
        return None
    account = reading.account
    if account.cases < _ENOUGH * account.records or not with_answer:
        return None
    return MappingTrial(file, fields, suggested_mapping(records), account.cases, account.records)


def _first_records(file: str, options: LogsConfig) -> list[dict[str, JsonValue]]:
    (path,) = find_logs((file,)).files
    rows = open_records(
        path,
        wanted=(),
        max_bytes=int(options.max_record_mb * 1e6),
        encoding=options.encoding,
    ).rows
    readable = (row.cells for row in rows if not isinstance(row.cells, RecordError))
    return list(islice(readable, FIRST_ROWS))
