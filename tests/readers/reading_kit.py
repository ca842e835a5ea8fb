"""Helpers of the reader tests: the one case of an exchange, and the account of a whole reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.exchange import cases_of
from curator.readers.pieces import Exchange, Reading
from curator.readers.read import LogReading, read
from curator.records import Case, OtherRecord, RejectedRecord


def case_of(exchange: Exchange) -> Case:
    """The last case of an exchange; the reason of a rejected record is raised."""
    *_, last = cases_of(exchange)
    if isinstance(last, RejectedRecord):
        raise RecordError(last.reason, last.remedy)
    return last


def read_all(paths: Sequence[object], **options: Any) -> tuple[list[Case], LogReading, list[Reading]]:
    """Read logs to their end, and check that every record is accounted for."""
    reading = read(LogsConfig.model_validate(options), paths=[str(path) for path in paths])
    results = list(reading)
    account = reading.account
    cases = [result for result in results if isinstance(result, Case)]
    assert account.cases == len(cases)
    assert account.rejected == sum(isinstance(result, RejectedRecord) for result in results)
    assert sum(account.others.values()) == sum(isinstance(result, OtherRecord) for result in results)
    places = [str(result.source) for result in results if not (isinstance(result, Case) and result.further)]
    assert len(set(places)) == len(places), "a record has two outcomes"
    assert account.records == len(places)
    return cases, reading, results
