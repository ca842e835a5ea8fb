"""A share of the mutations of `benchmarks/ingest/mutations.py`, and proof that each of its checks can fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common.log_samples import SAMPLES
from benchmarks.ingest.mutating import UNKNOWN_KEY, line_of
from benchmarks.ingest.mutations import Batch, checked, measured, sample_records
from curator.config import LogsConfig
from curator.readers import READERS
from curator.readers.pieces import Exchange, NoExchange, Piece
from curator.readers.reader import LogRecord
from curator.records import Message


def test_mutated_records_of_every_format_are_accounted_for() -> None:
    counts: Counter[str] = Counter()
    names = set()
    for number, outcome, name in measured(4_000, seed=11):
        assert outcome.problems == {}, f"python -m benchmarks.ingest.mutations --seed 11 --batch {number}"
        counts += outcome.counts
        names.add(name)
    assert names == SAMPLES.keys()
    assert counts["crashes"] == 0
    assert min(counts["cases"], counts["rejected"], counts["others"], counts["bare crashes"]) > 500


def raising(record: LogRecord, _: object) -> Piece:
    raise AssertionError(record.source)


def silent(record: LogRecord, _: object) -> Piece:
    return Exchange(source=record.source, messages=(Message("user", "Where?"),))


def twice(record: LogRecord, _: object) -> Iterator[Piece]:
    yield NoExchange(source=record.source, what="records")
    yield NoExchange(source=record.source, what="records")


def wrong(record: LogRecord, _: object) -> Piece:
    return Exchange(source=record.source, messages=(Message("user", "Where?"),), latency_s=float("nan"))


def unfit(record: LogRecord, _: object) -> Piece:
    return silent(record, record.cells["not there"])


@pytest.mark.parametrize(
    ("parse", "problem"),
    [
        (raising, "AssertionError"),
        (silent, "an unknown key with content is not named"),
        (twice, "10 outcomes, 5 places"),
        (wrong, "not finite"),
        (unfit, "set aside by an exception"),
    ],
)
def test_a_broken_reader_is_found(parse: Any, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (records,) = next(files for name, files in sample_records() if name == "bedrock")
    records = [{**record, UNKNOWN_KEY: "in rhymes"} for record in records]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(map(line_of, records)))
    batch = Batch("bedrock", LogsConfig(format="bedrock"), (path,), tuple(records))
    assert checked(batch).problems == {}
    monkeypatch.setitem(READERS.built_in, "bedrock", replace(READERS["bedrock"], parse=parse))
    assert any(problem in found for found in checked(batch).problems)
