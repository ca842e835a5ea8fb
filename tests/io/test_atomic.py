"""Writing a run folder: whole files or none, one process at a time, and what the disk refuses explained."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from curator.errors import RunLocked, StorageError
from curator.io.atomic import LOCK_NAME, is_locked, json_lines, run_lock, write_atomic, write_unsynced

HOLDER = """
import pathlib, sys
from curator.io.atomic import run_lock
with run_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folder_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    write_atomic(path, json_lines([{"b": 1, "a": [None, "ü"]}, {}]))
    assert path.read_text(encoding="utf-8") == '{"a":[null,"ü"],"b":1}\n{}\n'
    write_atomic(path, [b"two", b""])
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["out.jsonl"]


def test_many_megabytes_pass_through_whole(tmp_path: Path) -> None:
    path = tmp_path / "big"
    write_atomic(path, (bytes([i % 256]) * 100_000 for i in range(35)))
    assert path.read_bytes() == b"".join(bytes([i % 256]) * 100_000 for i in range(35))


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomic(tmp_path / "out", [b"x"])
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "cannot be written"),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_the_disk_refuses_is_explained_and_the_old_file_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str, call: str
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(StorageError, match=says) as caught:
        write_atomic(path, [b"new"])
    monkeypatch.undo()
    assert "out.jsonl" in caught.value.what
    assert caught.value.remedy
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out.jsonl"]


def test_a_disk_that_takes_only_a_part_at_a_time_gets_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    write_atomic(tmp_path / "out", [b"one whole text"])
    assert (tmp_path / "out").read_bytes() == b"one whole text"


def test_an_error_of_the_content_passes_through_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def broken() -> Iterator[bytes]:
        yield b"x"
        raise FileNotFoundError("a log went away")

    with pytest.raises(FileNotFoundError, match="a log went away"):
        write_atomic(path, broken())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        write_atomic(tmp_path / "file" / "out", [b"x"])
    with pytest.raises(StorageError, match="cannot be written"), run_lock(tmp_path / "file"):
        pass


def test_a_folder_without_permission_is_explained(locked_folder: Path) -> None:
    with pytest.raises(StorageError, match="may not be written"):
        write_atomic(locked_folder / "out", [b"x"])


def test_a_second_run_on_a_folder_is_refused_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunLocked, match="another curator run") as caught, run_lock(tmp_path / "run"):
            pass
        assert str(tmp_path / "run") in caught.value.what
        holder.kill()
        holder.wait()
        with run_lock(tmp_path / "run"):
            pass
    finally:
        holder.kill()
        holder.communicate()


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    with run_lock(tmp_path):
        pass


def test_whether_a_folder_is_locked_can_be_asked_without_changing_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "nowhere")
    assert not is_locked(tmp_path)
    assert names(tmp_path) == []
    with run_lock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_somebody_who_only_looks_does_not_keep_a_run_from_starting(tmp_path: Path) -> None:
    looking = FileLock(tmp_path / LOCK_NAME, thread_local=False)
    looking.acquire()
    threading.Timer(0.05, looking.release).start()
    with run_lock(tmp_path):
        assert is_locked(tmp_path)


def test_an_unsynced_file_is_replaced_whole_and_a_leftover_goes(tmp_path: Path) -> None:
    write_unsynced(tmp_path / "status.json", b"old")
    with (tmp_path / "status.json").open("rb") as before:
        write_unsynced(tmp_path / "status.json", b"new")
        assert before.read() == b"old"
    assert (tmp_path / "status.json").read_bytes() == b"new"
    (tmp_path / ".status.json.curator-tmp").write_bytes(b"ha")
    with run_lock(tmp_path):
        assert names(tmp_path) == sorted([LOCK_NAME, "status.json"])
    with pytest.raises(OSError, match="No such file"):
        write_unsynced(tmp_path / "gone" / "status.json", b"new")


def test_what_a_killed_run_left_half_written_goes(tmp_path: Path) -> None:
    (tmp_path / ".report.html.0badcafe.curator-tmp").write_bytes(b"half")
    (tmp_path / ".mine").write_bytes(b"kept")
    with run_lock(tmp_path):
        assert names(tmp_path) == sorted([LOCK_NAME, ".mine"])
