"""Files of curator's own on a real disk: made, opened again, shared, refused."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from curator.errors import ConfigError, StorageError
from curator.io.sqlite import Database, DatabaseKind

NOTES = DatabaseKind(
    noun="notebook",
    setting="`notes:`",
    tables={"note": "CREATE TABLE IF NOT EXISTS note (text TEXT PRIMARY KEY)"},
    application_id=0x4E4F5445,
    version=1,
    damaged_remedy="restore it",
    remedy="look at the disk",
    remedies={sqlite3.SQLITE_FULL: "make room"},
)
PLAIN = replace(NOTES, application_id=0, version=0, wal=False)
CHANGED = {**NOTES.tables, "tag": "CREATE TABLE IF NOT EXISTS tag (name TEXT)"}


def add(path: Path, text: str, kind: DatabaseKind = NOTES) -> None:
    with Database(path, kind) as database, database.transaction():
        database.connection.execute("INSERT INTO note VALUES (?)", (text,))


def notes(path: Path, kind: DatabaseKind = NOTES) -> list[str]:
    with Database(path, kind) as database:
        return [text for (text,) in database.connection.execute("SELECT text FROM note ORDER BY text")]


@pytest.mark.parametrize("kind", [NOTES, PLAIN], ids=["marked", "unmarked"])
def test_a_file_is_made_with_its_folder_and_opened_again_unchanged(tmp_path: Path, kind: DatabaseKind) -> None:
    path = tmp_path / "deep" / "notes.sqlite"
    add(path, "a", kind)
    before = path.read_bytes()
    assert notes(path, kind) == ["a"]
    assert path.read_bytes() == before


def test_an_older_file_gets_the_tables_it_lacks_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    add(path, "a")
    newer = replace(NOTES, version=2, tables=CHANGED)
    with Database(path, newer) as database:
        database.connection.execute("INSERT INTO tag VALUES ('x')")
    assert notes(path, newer) == ["a"]


def test_a_table_that_is_missing_at_the_same_version_is_made(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    add(path, "a")
    with Database(path, replace(NOTES, tables=CHANGED)) as database:
        assert database.connection.execute("SELECT count(*) FROM tag").fetchone() == (0,)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (replace(NOTES, application_id=7), "not a notebook, but a database of another program"),
        (PLAIN, "not a notebook, but a database of another program"),
        (replace(NOTES, version=0), "a newer curator wrote this notebook"),
    ],
    ids=["another mark", "no mark expected", "newer"],
)
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path, kind: DatabaseKind, message: str) -> None:
    path = tmp_path / "notes.sqlite"
    add(path, "a")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=message) as refused:
        Database(path, kind)
    assert "`notes:`" in refused.value.remedy
    assert path.read_bytes() == before


def test_a_failure_has_the_remedy_of_its_code(tmp_path: Path) -> None:
    with Database(tmp_path / "n.sqlite", NOTES) as database:
        database.connection.execute("PRAGMA max_page_count = 3")
        with pytest.raises(StorageError, match="full") as full, database.explained():
            database.connection.execute("INSERT INTO note VALUES (?)", ("x" * 50_000,))
        with pytest.raises(StorageError, match="cannot be read or written") as other, database.explained():
            database.connection.execute("SELECT nothing")
    assert (full.value.remedy, other.value.remedy) == ("make room", "look at the disk")


def test_a_transaction_writes_all_or_nothing_and_may_stand_in_another(tmp_path: Path) -> None:
    path = tmp_path / "n.sqlite"

    def write(database: Database, *, fail: bool) -> None:
        with database.transaction():
            database.connection.execute("INSERT INTO note VALUES ('a')")
            with database.transaction():
                database.connection.execute("INSERT INTO note VALUES ('b')")
            if fail:
                raise RuntimeError

    with Database(path, NOTES) as database:
        with pytest.raises(RuntimeError):
            write(database, fail=True)
        assert notes(path) == []
        write(database, fail=False)
    assert notes(path) == ["a", "b"]


def test_a_file_that_is_not_a_database_is_damaged_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "n.sqlite"
    path.write_bytes(b"these are notes, not a database " * 100)
    with pytest.raises(StorageError, match="damaged") as damaged:
        Database(path, NOTES)
    assert damaged.value.remedy == "restore it"
    assert path.read_bytes().startswith(b"these are notes")
