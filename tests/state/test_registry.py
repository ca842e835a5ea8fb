"""The registry file: what is settled stays settled, whoever writes, and what is wrong with it is said."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import ConfigError, StorageError
from curator.records import Split
from curator.state.registry import REGISTRY, Entry, HeldOutRegistry


def entry(name: str, split: Split = "eval", *, asked: bool = False, run: str = "night") -> Entry:
    return Entry(name, split, f"g-{name}", f"question {name}", f"turns {name}", asked, run, 1.5)


def test_what_is_added_is_there_again(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "new" / "r.sqlite") as registry:
        registry.add([entry("a"), entry("b", "train", asked=True)])
    with HeldOutRegistry(tmp_path / "new" / "r.sqlite") as registry:
        assert registry.entries() == ([entry("a"), entry("b", "train", asked=True)], 2)


def test_templates_are_remembered_also_by_a_registry_that_knew_of_none(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        registry.add([entry("a")])
        registry.add_templates(["Be polite.", "Answer:"])
    with sqlite3.connect(tmp_path / "r.sqlite") as database:
        database.execute("DELETE FROM template WHERE sentence = 'Answer:'")
    database.close()
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        assert registry.templates() == {"Be polite."}
    with sqlite3.connect(tmp_path / "r.sqlite") as database:
        database.execute("DROP TABLE template")
    database.close()
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        assert (registry.templates(), registry.entries()) == (frozenset(), ([entry("a")], 1))


def test_a_split_is_settled_once(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        registry.add([entry("a", "eval", run="first")])
        registry.add([entry("a", "train", asked=True, run="second")])
        assert registry.entries()[0] == [entry("a", "eval", asked=True, run="first")]
        registry.add([entry("a", "eval")])
        assert registry.entries()[0][0].asked


def test_only_what_came_after_a_place_is_read(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as one, HeldOutRegistry(tmp_path / "r.sqlite") as other:
        one.add([entry("a")])
        _, last = one.entries()
        other.add([entry("a"), entry("b")])
        newer, end = one.entries(after=last)
        assert newer == [entry("b")]
        assert one.entries(after=end) == ([], end)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(registry: HeldOutRegistry) -> None:
        with registry.transaction():
            registry.add([entry("a")])
            raise RuntimeError

    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        with pytest.raises(RuntimeError):
            fail(registry)
        assert registry.entries() == ([], 0)
        registry.add([entry("b")])
        assert registry.entries()[0] == [entry("b")]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["eval", "train"])), max_size=12))
def test_the_first_split_stands_whatever_comes(adds: list[tuple[str, Split]]) -> None:
    with HeldOutRegistry(Path(":memory:")) as registry:
        for name, split in adds:
            registry.add([entry(name, split)])
        first: dict[str, str] = {}
        for name, split in adds:
            first.setdefault(name, split)
        assert {e.id: e.split for e in registry.entries()[0]} == first


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
            for i in range(20):
                registry.add([entry(f"shared-{i}", "eval" if writer % 2 else "train"), entry(f"{writer}-{i}")])

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        found = [e.id for e in registry.entries()[0]]
    assert len(found) == len(set(found)) == 20 + 4 * 20


def test_a_killed_writer_leaves_the_file_whole(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from curator.state.registry import Entry, HeldOutRegistry\n"
        "registry = HeldOutRegistry(pathlib.Path(sys.argv[1]))\n"
        "add = lambda n: registry.add([Entry(n, 'eval', 'g', 'q', 't', False, 'r', 0.0)])\n"
        "add('a')\n"
        "with registry.transaction():\n"
        "    add('b')\n"
        "    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "r.sqlite")], check=False)
    assert done.returncode == 9
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        assert [e.id for e in registry.entries()[0]] == ["a"]


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with HeldOutRegistry(path) as registry:
        registry.add([entry("a")])
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {REGISTRY.version + 1}")
    with pytest.raises(ConfigError, match=r"newer curator") as told:
        HeldOutRegistry(path)
    assert "upgrade curator" in told.value.remedy
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM entry").fetchone() == (1,)


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (a)")
    with pytest.raises(ConfigError, match=r"another program"):
        HeldOutRegistry(path)


def test_a_damaged_file_is_said_to_be_so_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 50)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"damaged") as told:
        HeldOutRegistry(path)
    assert "copy" in told.value.remedy
    assert path.read_bytes() == before


def test_damage_inside_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with HeldOutRegistry(path) as registry:
        registry.add([entry(f"case-{i}") for i in range(500)])
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(bytes(data))
    with pytest.raises(StorageError, match=r"damaged"), HeldOutRegistry(path) as registry:
        registry.entries()


def test_a_folder_that_may_not_be_written_is_told(locked_folder: Path) -> None:
    with pytest.raises(StorageError, match=r"registry of held-out cases") as told:
        HeldOutRegistry(locked_folder / "r.sqlite")
    assert "writable" in told.value.remedy
