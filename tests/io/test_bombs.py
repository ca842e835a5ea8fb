"""Files that are small and hold gigabytes end in a clear failure, in little memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
import zstandard

from curator.config import LogsConfig
from curator.errors import LogsError
from curator.io import compression
from curator.io.lines import lines
from curator.labels import rows as label_rows
from curator.labels.read import read_labels
from curator.readers.eval_results import read_rows
from curator.readers.read import read
from curator.records import RejectedRecord

MIB = 1 << 20
PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}


@contextmanager
def little_memory(limit: int = 24 * MIB) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def bomb(path: Path, text: bytes, copies: int) -> Path:
    """`copies` of one packed mebibyte of a text, one after the other, which is one packed file."""
    path.write_bytes(PACK[path.suffix]((text * (MIB // len(text) + 1))[:MIB]) * copies)
    return path


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("text", [b"0", b" " * 10_000 + b"\n", b'{"messages": "'], ids=["one line", "blank", "no end"])
def test_a_small_file_that_unpacks_to_much_more_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, text: bytes
) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", MIB)
    path = bomb(tmp_path / f"a.jsonl{suffix}", text, 40)
    assert path.stat().st_size < 100_000
    with little_memory():
        *_, last = lines(path, max_bytes=MIB)
    assert last.data is None
    assert last.problem is not None
    assert "unpacks to more than 500 times its size" in last.problem
    with little_memory():
        *_, rejected = read(LogsConfig(max_record_mb=1), paths=[str(path)])
    assert isinstance(rejected, RejectedRecord)
    assert "unpacks to more than 500 times its size" in rejected.reason


@pytest.mark.slow
def test_a_bomb_of_gigabytes(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.jsonl.gz", b"0", 2048)
    assert path.stat().st_size < 4 * MIB
    with little_memory():
        (only,) = lines(path, max_bytes=MIB)
    assert "unpacks to more than 500 times its size" in (only.problem or "")


def test_a_real_log_that_packs_well_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", MIB)
    random = Random(0)
    prompt = random.randbytes(2000).hex().encode()
    record = b'{"messages": [{"role": "system", "content": "' + prompt + b'"}, {"role": "user", "content": "%s"}]}\n'
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.compress(b"".join(record % random.randbytes(20).hex().encode() for _ in range(1000))))
    assert path.stat().st_size * 50 < 4 * MIB
    assert sum(line.data is not None for line in lines(path, max_bytes=MIB)) == 1000


def test_a_quote_that_is_never_closed_holds_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b'question,answer\n"' + b"\n" * 101_000))
    (rejected,) = read(LogsConfig.model_validate({"mapping": {"input": "question"}}), paths=[str(path)])
    assert isinstance(rejected, RejectedRecord)
    assert rejected.reason == "the row has more than 100,000 lines"


def test_a_label_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_rows, "_MAX_ROWS", 1000)
    path = tmp_path / "labels.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 20_000))
    with little_memory(), pytest.raises(LogsError, match="has more than 1,000 rows"):
        read_labels([str(path)])


def test_rows_of_an_eval_set_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    line = b'{"id": "%d", "text": "' + b"x" * 10_000 + b'"}'
    path.write_bytes(b"\n\n".join(line % n for n in range(5000)))
    with little_memory():
        count = 0
        for case_id, written, _ in read_rows([str(path)]):
            assert written == line % int(case_id)
            count += 1
    assert count == 5000
