import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import zstandard

from curator.errors import LogsError
from curator.io.lines import BATCH_BYTES, Line, expand, line_batches, lines

MB = 1_000_000


def write(path: Path, data: bytes = b"{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read(path: Path, max_bytes: int = MB) -> list[Line]:
    return list(lines(path, max_bytes=max_bytes))


def test_a_folder_is_searched_at_every_depth(tmp_path: Path) -> None:
    wanted = ["a.jsonl", "b/c.ndjson", "b/d/e.CSV", "f.jsonl.gz", "g.csv.zst", "h.json", "i.txt", "j.gz", "k.bak"]
    for name in [*wanted, ".hidden.jsonl", ".git/k.jsonl", "l.md", "manifests/1.json"]:
        write(tmp_path / name)
    assert expand([str(tmp_path)]) == [tmp_path / name for name in wanted]


def test_globs_files_and_folders_together_give_each_file_once(tmp_path: Path) -> None:
    a, b, odd = (write(tmp_path / name) for name in ("x/a.jsonl", "x/y/b.jsonl", "x/odd.log"))
    odd.write_bytes(b"neither\n")
    paths = [str(tmp_path / "x/**/*.jsonl"), str(odd), str(tmp_path / "x"), str(a)]
    assert expand(paths) == sorted([a, b, odd])
    assert expand([str(tmp_path / "*")]) == [a, b]


def test_a_link_to_a_file_is_the_same_file(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to(file)
    assert len(expand([str(tmp_path)])) == 1


def test_a_file_whose_name_looks_like_a_glob_is_found(tmp_path: Path) -> None:
    file = write(tmp_path / "log[1].jsonl")
    assert expand([str(file)]) == [file]


def test_relative_paths_stay_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.jsonl")
    monkeypatch.chdir(tmp_path)
    assert expand(["a.jsonl"]) == [Path("a.jsonl")]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nothing.jsonl", "no such file or folder"),
        ("*.jsonl", "the pattern matches no file"),
        ("empty", "the folder holds no log"),
        ("\0", "no such file or folder"),
    ],
)
def test_a_path_that_matches_nothing(tmp_path: Path, name: str, what: str) -> None:
    write(tmp_path / "empty" / "notes.txt", b"some words")
    write(tmp_path / "full" / "a.jsonl")
    with pytest.raises(LogsError) as caught:
        expand([str(tmp_path / "full"), str(tmp_path / name)])
    assert what in caught.value.what
    assert repr(str(tmp_path / name)) in caught.value.what
    assert caught.value.remedy


def test_blank_lines_count_but_are_no_records(tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"\xef\xbb\xbfone\r\n\n  \t\r\ntwo\n\nthree")
    assert read(path) == [Line(1, b"one"), Line(4, b"two"), Line(6, b"three")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    for data in (b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b""), zstandard.compress(b"")):
        assert read(write(tmp_path / "a", data)) == []


CONTENT = b"".join(b'{"n": %d, "text": "%s"}\n' % (n, os.urandom(20).hex().encode()) for n in range(5000))


def packed(how: str, data: bytes) -> bytes:
    if how == "gzip":
        return gzip.compress(data)
    if how == "gzip members":
        return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]) + b"\0" * 512
    if how == "zstd":
        return zstandard.ZstdCompressor(write_checksum=True).compress(data)
    if how == "zstd frames":
        skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"meta"
        return skippable + zstandard.compress(data[:777]) + skippable + zstandard.compress(data[777:])
    if how in ("bzip2", "xz"):
        pack, padding = (lambda part: bz2.compress(part, 1), b"") if how == "bzip2" else (lzma.compress, bytes(8))
        return pack(data[:777]) + padding + pack(data[777:])
    return data


FORMATS = ["plain", "gzip", "gzip members", "zstd", "zstd frames", "bzip2", "xz"]


@pytest.mark.parametrize("how", FORMATS)
def test_formats_are_told_by_their_bytes(tmp_path: Path, how: str) -> None:
    path = write(tmp_path / "misleading.csv", packed(how, CONTENT))
    assert [line.data for line in read(path)] == CONTENT.splitlines()


@pytest.mark.parametrize("how", FORMATS[1:])
def test_a_cut_off_archive_gives_what_was_readable_and_one_problem(tmp_path: Path, how: str) -> None:
    data = packed(how, CONTENT).rstrip(b"\0")
    *good, last = read(write(tmp_path / "a.gz", data[: len(data) * 2 // 3]))
    assert 100 < len(good) < 5000
    assert [line.data for line in good] == CONTENT.splitlines()[: len(good)]
    assert last.data is None
    assert last.number == len(good) + 1
    assert "cut off" in (last.problem or "")
    assert last.remedy


@pytest.mark.parametrize("how", ["gzip", "gzip members", "zstd"])
def test_a_corrupt_archive_gives_one_problem_at_its_end(tmp_path: Path, how: str) -> None:
    data = bytearray(packed(how, CONTENT))
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    found = read(write(tmp_path / "a.gz", bytes(data)))
    assert "corrupt" in (found[-1].problem or "")
    assert all(line.problem is None for line in found[:-1])


def test_garbage_after_an_archive_is_a_problem(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.gz", gzip.compress(b"one\ntwo\n") + b"garbage"))
    assert [line.data for line in found] == [b"one", b"two", None]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PK\x03\x04", "zip"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"PAR1", "parquet"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\xd0\xcf\x11\xe0", "Excel"),
        (b"x" * 257 + b"ustar", "tar"),
    ],
)
def test_foreign_formats_are_named(tmp_path: Path, head: bytes, name: str) -> None:
    (found,) = read(write(tmp_path / "a.jsonl", head + b"\nmore\n" * 50))
    assert found.data is None
    assert name in (found.problem or "")
    assert found.remedy


def test_a_file_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "gone.jsonl")
    assert "cannot be read" in (found.problem or "")


def test_a_line_may_be_as_long_as_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"12345\n123456\n1234\n1234567")
    found = read(path, 5)
    assert [line.data for line in found] == [b"12345", None, b"1234", None]
    assert "longer than 5e-06 MB" in (found[1].problem or "")
    assert "max_record_mb" in found[1].remedy


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_zip_archive_of_one_file_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", zipped(**{"folder/a.jsonl": CONTENT, "__MACOSX/._a": b"x", "folder/": b""}))
    assert [line.data for line in read(path)] == CONTENT.splitlines()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (zipped(a=b"1", b=b"2"), "a zip archive of 2 files"),
        (zipped(a=CONTENT)[:-30], "cut off or corrupt"),
        (b"PK\x05\x06" + bytes(18), "a zip archive of 0 files"),
    ],
)
def test_another_zip_archive_is_one_problem(tmp_path: Path, data: bytes, problem: str) -> None:
    (line,) = read(write(tmp_path / "a.zip", data))
    assert problem in (line.problem or "")


def test_a_corrupt_zip_archive_gives_what_was_readable(tmp_path: Path) -> None:
    data = bytearray(zipped(a=CONTENT))
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    *lines, last = read(write(tmp_path / "a.zip", bytes(data)))
    assert "corrupt" in (last.problem or "")
    assert [line.data for line in lines[:1000]] == CONTENT.splitlines()[:1000]


def test_batches_hold_the_lines_with_their_numbers(tmp_path: Path) -> None:
    data = b"a\n\nb\r\n" * 200_000 + b"x" * 700_000 + b"\n" + b"tail"
    path = write(tmp_path / "a", data)
    batches = list(line_batches(path, max_bytes=600_000))
    assert all(BATCH_BYTES <= len(batch.data) <= 2 * BATCH_BYTES for batch in batches[:3])
    assert [(batch.number, batch.problem) for batch in batches if batch.problem] == [
        (600_001, "the record is longer than 0.6 MB")
    ]
    texts: list[bytes | None] = [*data.split(b"\n")]
    texts[600_000] = None
    assert [(line.number, line.data) for batch in batches for line in batch] == list(enumerate(texts, 1))


@pytest.mark.parametrize("how", ["plain", "gzip", "zstd"])
def test_a_huge_line_is_skipped_in_constant_memory(tmp_path: Path, how: str) -> None:
    huge = b"before\n" + b"a" * (40 * MB) + b"\nafter\n"
    path = write(tmp_path / "a.jsonl", packed(how, huge))
    del huge
    tracemalloc.start()
    try:
        found = read(path, MB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [line.data for line in found] == [b"before", None, b"after"]
    assert found[1].number == 2
    assert peak < 16 * MB


def test_many_lines_take_constant_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", (b"x" * 999 + b"\n") * 20_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in lines(path, max_bytes=MB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 4 * MB
