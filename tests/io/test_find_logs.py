"""From what the user names to files: folders by content, addresses, standard input."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curator.errors import LogsError, MissingDependency
from curator.io import log_file
from curator.io.find_logs import FoundLogs, find_logs
from curator.io.log_file import OtherFile
from curator.readers.rows import open_records

LINE = b'{"q": "x"}\n'


def write(path: Path, data: bytes = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(found: FoundLogs) -> list[str]:
    return [file.name for file in found.files]


def workbook_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    return buffer.getvalue()


READ: dict[str, bytes] = {
    "2026-11-02_chatcmpl-1": b'{\n  "id": 1\n}\n',
    "array": b"[\n]\n",
    "lines.log": b"starting\n" + LINE,
    "table.txt": b"a\tb\n" * 4,
    "utf16": "\ufeff{}".encode("utf-16-le"),
    "packed": gzip.compress(LINE),
    "columns": b"PAR1",
    "book": workbook_bytes(),
    "empty.jsonl": b"",
    "year=2026/_day=1/part-0": LINE,
}
SKIPPED: dict[str, tuple[bytes, str]] = {
    "README.md": (b"# x", "not a log by its name"),
    "LICENSE": (LINE, "not a log by its name"),
    "_SUCCESS": (b"", "hidden"),
    ".DS_Store": (b"\0", "hidden"),
    "manifest.json": (LINE, "a manifest"),
    "manifests/1.json": (LINE, "a manifest"),
    "dataset_info.json": (LINE, "describes a dataset"),
    "chart.png": (b"\x89PNG\r\n", "this is an image"),
    "notes.txt": (b"call Jo\nthen Flo\n", "neither JSON nor a table"),
    "settings": (b"[section]\na = 1\n", "neither JSON nor a table"),
    "nothing": (b"", "empty"),
    "noise": (bytes(range(256)), "a binary file"),
    "traces.db": (b"SQLite format 3\0", "this is an SQLite database"),
    "cut.gz": (gzip.compress(b"x" * 100)[:-12], "neither JSON nor a table"),
    "backup": (b"x" * 257 + b"ustar", "this is a tar archive"),
}


def test_a_folder_is_read_by_content_and_what_is_skipped_is_told(tmp_path: Path) -> None:
    for name, data in [*READ.items(), *((name, data) for name, (data, _) in SKIPPED.items())]:
        write(tmp_path / name, data)
    write(tmp_path / ".git" / "a.jsonl")
    write(tmp_path / "_temporary" / "a.jsonl")
    found = find_logs([str(tmp_path)])
    assert sorted(str(file.relative_to(tmp_path)) for file in found.files if isinstance(file, Path)) == sorted(READ)
    assert {str(Path(item.file).relative_to(tmp_path)): item.reason for item in found.skipped} == {
        name: reason for name, (_, reason) in SKIPPED.items()
    }


def test_a_named_file_is_read_whatever_it_is(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / name, data)) for name, (data, _) in SKIPPED.items()]
    assert len(find_logs(paths).files) == len(SKIPPED)


def test_a_folder_without_logs_names_what_was_skipped(tmp_path: Path) -> None:
    write(tmp_path / "README.md")
    with pytest.raises(LogsError) as caught:
        find_logs([str(tmp_path)])
    assert "'README.md': not a log by its name" in caught.value.what
    assert ".parquet" in caught.value.remedy


def test_a_saved_dataset_is_its_data_files(tmp_path: Path) -> None:
    write(tmp_path / "train" / "state.json", b'{"_data_files": [{"filename": "data-0.arrow"}]}')
    for name in ("data-0.arrow", "cache-1.arrow", "dataset_info.json"):
        write(tmp_path / "train" / name)
    write(tmp_path / "dataset_dict.json")
    write(tmp_path / "other" / "state.json")
    found = find_logs([str(tmp_path)])
    assert [str(file) for file in found.files] == [
        str(tmp_path / "other/state.json"),
        str(tmp_path / "train/data-0.arrow"),
    ]
    reasons = {Path(item.file).name: item.reason for item in found.skipped}
    assert reasons["cache-1.arrow"] == "not a data file of the dataset"


@pytest.fixture
def bucket() -> Iterator[Any]:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pipe({"/b/day=1/a.jsonl": LINE, "/b/day=1/noext": LINE, "/b/day=2/c.json": b"[{}]", "/b/README.md": b"x"})
    memory.pipe({"/b/.hidden/a.jsonl": LINE, "/b/_SUCCESS": b""})
    yield memory
    memory.store.clear()


def test_folders_globs_and_files_at_an_address(bucket: Any) -> None:
    found = find_logs(["memory://b"])
    assert list(map(str, found.files)) == [
        "memory:///b/day=1/a.jsonl",
        "memory:///b/day=1/noext",
        "memory:///b/day=2/c.json",
    ]
    assert {item.file: item.reason for item in found.skipped} == {
        "memory:///b/README.md": "not a log by its name",
        "memory:///b/_SUCCESS": "hidden",
    }
    assert names(find_logs(["memory://b/*/*.json*"])) == ["a.jsonl", "c.json"]
    assert names(find_logs(["memory://b/day=*"])) == ["a.jsonl", "noext", "c.json"]
    assert names(find_logs(["memory://b/day=1/a.jsonl", "memory://b/day=1"])) == ["a.jsonl", "noext"]
    (file,) = find_logs(["memory://b/day=2/c.json"]).files
    assert [row.cells for row in open_records(file, wanted=(), max_bytes=100).rows] == [{}]


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("memory://b/nothing.jsonl", "no such file or folder"),
        ("memory://b/*.parquet", "the pattern matches no file"),
        ("nosuch://b/a.jsonl", "nosuch:// cannot be opened"),
    ],
)
def test_an_address_that_matches_nothing(bucket: Any, address: str, what: str) -> None:
    with pytest.raises(LogsError) as caught:
        find_logs([address])
    assert what in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("abfs", "adlfs")])
def test_a_missing_driver_is_named(scheme: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency) as caught:
        find_logs([f"{scheme}://bucket/a.jsonl"])
    assert f"pip install {package}" in caught.value.remedy


def test_secrets_of_an_address_are_not_shown() -> None:
    with pytest.raises(LogsError) as caught:
        find_logs(["nosuch://user:secret@host/a.jsonl?signature=secret"])
    assert "secret" not in str(caught.value)


class Failing:
    """A file system whose files fail after a few bytes, as a network does."""

    def open(self, path: str, mode: str) -> Any:
        class File(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise KeyError("no such connection")
                return super().read(len(LINE))

        return File(LINE * 10)


def test_a_connection_that_breaks_is_one_rejected_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "file_system", lambda address: (Failing(), "a"))
    rows = list(open_records(OtherFile("x://a", "x://a"), wanted=(), max_bytes=1000).rows)
    assert "the file cannot be read ('no such connection')" in str(rows[-1].cells)


def test_a_file_address_is_a_path(tmp_path: Path) -> None:
    path = write(tmp_path / "with space.jsonl")
    assert find_logs([path.as_uri()]).files == (path,)


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    log_file._copy_of_standard_input.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LINE * 3))))
    yield
    log_file._copy_of_standard_input.cache_clear()


@pytest.mark.usefixtures("piped")
def test_standard_input_is_read_as_often_as_needed() -> None:
    for _ in range(2):
        (file,) = find_logs(["-"]).files
        assert str(file) == "<stdin>"
        assert len(list(open_records(file, wanted=(), max_bytes=100).rows)) == 3


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(LogsError, match="nothing is piped"):
        find_logs(["-"])
