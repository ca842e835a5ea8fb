"""Parquet and Arrow files: every type becomes a JSON value, also of datasets, and damage is told."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from curator.errors import RecordError
from curator.io.find_logs import find_logs
from curator.readers.rows import Records, open_records

RECORD: dict[str, Any] = {
    "text": "é",
    "messages": [{"role": "user", "content": "x"}],
    "when": datetime(2026, 11, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    "day": date(2026, 11, 2),
    "hour": time(3, 4),
    "took": timedelta(seconds=1.5),
    "cost": Decimal("0.0125"),
    "count": Decimal("3.00"),
    "body": b'{"a": 1}',
    "image": b"\xff\xd8\xff",
    "score": 0.5,
    "nan": float("nan"),
    "none": None,
    "ok": True,
}
READ: dict[str, Any] = {
    **RECORD,
    "when": "2026-11-02T03:04:05.678901+00:00",
    "day": "2026-11-02",
    "hour": "03:04:00",
    "took": 1.5,
    "cost": 0.0125,
    "count": 3,
    "body": '{"a": 1}',
    "image": "/9j/",
    "nan": None,
}


def opened(path: Path, max_bytes: int = 10**6) -> Records:
    (file,) = find_logs([str(path)]).files
    return open_records(file, wanted=(), max_bytes=max_bytes)


def table_of(records: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(records)


def write(path: Path, table: Any, **options: Any) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        pq.write_table(table, path, **options)
    elif path.suffix == ".stream":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=1000)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table, max_chunksize=1000)
    return path


@pytest.mark.parametrize(("name", "kind"), [("a.parquet", "parquet"), ("a.arrow", "arrow"), ("a.stream", "arrow")])
def test_every_type_becomes_a_json_value(tmp_path: Path, name: str, kind: str) -> None:
    file = opened(write(tmp_path / name, table_of([RECORD, RECORD])))
    rows = list(file.rows)
    assert (file.kind, file.columns, file.encoding) == (kind, tuple(RECORD), None)
    assert [(row.number, row.cells) for row in rows] == [(1, READ), (2, READ)]
    orjson.dumps([row.cells for row in rows])


def test_maps_nanoseconds_and_columns_of_one_name(tmp_path: Path) -> None:
    import pyarrow as pa

    kinds = pa.array([[("a", 1), ("b", 2)]], pa.map_(pa.string(), pa.int64()))
    when = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", "UTC"))
    table = pa.Table.from_arrays([kinds, when, pa.array(["first"]), pa.array(["second"])], ["map", "ns", "x", "x"])
    (row,) = opened(write(tmp_path / "a.arrow", table)).rows
    assert row.cells == {"map": {"a": 1, "b": 2}, "ns": "2023-11-14T22:13:20.123456+00:00", "x": "first"}


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.stream"])
def test_many_rows_are_read_in_batches(tmp_path: Path, name: str) -> None:
    table = table_of([{"n": n, "t": "x" * 100} for n in range(5000)])
    rows = list(opened(write(tmp_path / name, table)).rows)
    assert [row.number for row in rows] == list(range(1, 5001))
    assert [row.cells["n"] for row in rows if isinstance(row.cells, dict)] == list(range(5000))


def test_a_file_of_many_row_groups_takes_little_memory(tmp_path: Path) -> None:
    import pyarrow as pa

    table = table_of([{"n": n, "t": Random(n).randbytes(2000).hex()} for n in range(5000)])
    path = write(tmp_path / "a.parquet", table, row_group_size=500)
    del table
    before = pa.total_allocated_bytes()
    assert max(pa.total_allocated_bytes() - before for _ in opened(path).rows) < 8_000_000


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", table_of([{"n": 1}]))
    packed = tmp_path / "b.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [row.cells for row in opened(packed).rows] == [{"n": 1}]


def test_a_record_that_is_too_long_is_rejected(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", table_of([{"t": "x" * n} for n in (10, 5000, 20)]))
    rows = list(opened(path, max_bytes=1000).rows)
    assert [isinstance(row.cells, RecordError) for row in rows] == [False, True, False]


def test_saved_and_uploaded_datasets_keep_the_names_of_their_labels(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features(
        {
            "q": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["bad", "good"]),
            "turns": datasets.List(
                {"by": datasets.ClassLabel(names=["user", "bot"]), "text": datasets.Value("string")}
            ),
            "extra": datasets.Json(),
        }
    )
    record = {"q": "x", "label": "good", "turns": [{"by": "bot", "text": "y"}], "extra": {"a": [1]}}
    datasets.disable_progress_bars()
    dataset = datasets.Dataset.from_list([record] * 3, features=features)
    datasets.DatasetDict({"train": dataset}).save_to_disk(tmp_path / "saved")
    (tmp_path / "hub" / "data").mkdir(parents=True)
    (tmp_path / "hub" / "README.md").write_text("---\nconfigs: []\n---\n")
    dataset.to_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet")
    for folder in ("saved", "hub"):
        assert [row.cells for row in opened(tmp_path / folder).rows] == [record] * 3


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.stream"])
def test_a_cut_off_file_is_told(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, table_of([{"n": n, "t": str(n)} for n in range(5000)]))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    *good, last = opened(path).rows
    assert isinstance(last.cells, RecordError)
    assert "damaged" in last.cells.reason
    assert len(good) == {"a.stream": 3000}.get(name, 0)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.stream"])
@pytest.mark.parametrize("seed", range(40))
def test_no_damage_ends_the_program(tmp_path: Path, name: str, seed: int) -> None:
    random = Random(seed)
    path = write(tmp_path / name, table_of([{**RECORD, "n": n, "t": str(n)} for n in range(300)]))
    data = bytearray(path.read_bytes())
    for _ in range(random.randrange(1, 8)):
        data[random.randrange(8, len(data))] = random.randrange(256)
    path.write_bytes(data)
    rows = list(opened(path).rows)
    assert rows
    assert all(row.cells.remedy for row in rows if isinstance(row.cells, RecordError))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
