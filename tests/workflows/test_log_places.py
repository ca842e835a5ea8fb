"""A run over logs from every place and container: its manifest names them with the hash of what lies there."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.cli import main
from curator.config import parse_config
from curator.io import log_file

Place = Callable[[bytes, Path], tuple[str, dict[str, bytes]]]
"""Puts a log somewhere: returns the path to name, and what lies there by the names that the manifest should have."""


def records(log: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.endswith(b"}") and b"request" in line]


def packed(log: bytes, folder: Path) -> tuple[str, dict[str, bytes]]:
    path, data = folder / "a.jsonl.gz", gzip.compress(log)
    path.write_bytes(data)
    return str(path), {str(path): data}


def at_address(log: bytes, folder: Path) -> tuple[str, dict[str, bytes]]:
    import fsspec

    fsspec.filesystem("memory").pipe("/places/day/a", log)
    return "memory://places", {"memory:///places/day/a": log}


def parquet(log: bytes, folder: Path) -> tuple[str, dict[str, bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "a.parquet"
    pq.write_table(pa.Table.from_pylist([{key: json.dumps(v) for key, v in row.items()} for row in records(log)]), path)
    return str(path), {str(path): path.read_bytes()}


def workbook(log: bytes, folder: Path) -> tuple[str, dict[str, bytes]]:
    from openpyxl import Workbook

    book, path = Workbook(), folder / "a.xlsx"
    assert book.active is not None
    book.active.append(["prompt", "completion"])
    for row in records(log):
        asked, answered = row["request"]["messages"][1], row["response"]["choices"][0]["message"]
        book.active.append([asked["content"], answered["content"]])
    book.save(path)
    return str(path), {str(path): path.read_bytes()}


def in_folder(log: bytes, folder: Path) -> tuple[str, dict[str, bytes]]:
    half = len(log[: len(log) // 2].rpartition(b"\n")[0]) + 1
    parts = {folder / "logs" / "one": log[:half], folder / "logs" / "b" / "two.jsonl": log[half:]}
    for path, data in parts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(folder / "logs"), {str(path): data for path, data in parts.items()}


def check_manifest(folder: Path, lying_there: dict[str, bytes]) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in lying_there.items()}
    assert {log["file"]: log["sha256"] for log in manifest["logs"]} == hashes
    report = (folder / "report.md").read_text()
    assert all(Path(name).name in report for name in lying_there)


@pytest.mark.parametrize("place", [packed, at_address, parquet, workbook, in_folder])
def test_the_manifest_has_the_hash_of_every_log(
    place: Place, write_logs: Path, job: dict[str, Any], encoder: Any, tmp_path: Path
) -> None:
    named, lying_there = place(write_logs.read_bytes(), tmp_path)
    job |= {"logs": {"paths": [named]}, "out": str(tmp_path / "out")}
    result = curator.run(parse_config(job), encoder=encoder)
    assert result.sent > 0
    check_manifest(tmp_path / "out", lying_there)


def test_the_manifest_has_the_hash_of_standard_input(
    write_logs: Path, job: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_logs.read_bytes()
    write_logs.unlink()
    (tmp_path / "c.yaml").write_text(json.dumps(job | {"logs": {}, "out": str(tmp_path / "out")}))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log)))
    log_file._copy_of_standard_input.cache_clear()
    assert main(["run", str(tmp_path / "c.yaml"), "--logs", "-", "--yes"]) == 0
    log_file._copy_of_standard_input.cache_clear()
    check_manifest(tmp_path / "out", {"<stdin>": log})


def test_a_log_without_a_case_of_its_own_is_in_the_manifest(
    write_logs: Path, job: dict[str, Any], encoder: Any, tmp_path: Path
) -> None:
    feedback = b'{"name": "stars", "value": 5, "source": "API", "trace_id": "t", "data_type": "NUMERIC"}\n'
    (tmp_path / "scores.jsonl").write_bytes(feedback)
    paths = [str(write_logs), str(tmp_path / "scores.jsonl")]
    curator.run(parse_config(job | {"logs": {"paths": paths}, "out": str(tmp_path / "out")}), encoder=encoder)
    check_manifest(tmp_path / "out", {paths[0]: write_logs.read_bytes(), paths[1]: feedback})
