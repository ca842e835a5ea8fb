"""The registry: what is held out and what was trained on, in one SQLite file that outlives the logs.

It keeps texts and the templates around them, no vectors and no signatures: those are made from the text by whatever encoder a run has, and cached
elsewhere, so that another encoder or another recipe forgets nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from curator.errors import ConfigError, StorageError
from curator.records import Split

APPLICATION_ID = 0x43555248  # "CURH": tells our file from another program's
SCHEMA_VERSION = 1

_BUSY_S = 30.0
_PRIMARY = 0xFF  # the byte of an error code that tells its kind
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_COLUMNS = "id, split, family, question, turns, asked, run, added_at"
_TABLE = """
    CREATE TABLE IF NOT EXISTS entry (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        split TEXT NOT NULL CHECK (split IN ('eval', 'train')),
        family TEXT NOT NULL,
        question TEXT NOT NULL,
        turns TEXT NOT NULL,
        asked INTEGER NOT NULL,
        run TEXT NOT NULL,
        added_at REAL NOT NULL
    )
"""
_TEMPLATES = "CREATE TABLE IF NOT EXISTS template (sentence TEXT PRIMARY KEY) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class Entry:
    """A case whose split is settled for ever.

    Attributes:
        id: the case id, a hash of its content.
        split: `eval` for what is held out, `train` for what was trained on.
        family: the near-duplicate group that it was in.
        question: what it asks last, without the template around it.
        turns: everything said in it but the system prompt, likewise.
        asked: a committee was asked about it, so that it may stand in an eval set.
        run: the name of the run that settled it.
        added_at: when, in seconds since 1970.
    """

    id: str
    split: Split
    family: str
    question: str
    turns: str
    asked: bool
    run: str
    added_at: float


class Registry:
    """The file; a context manager. Processes share it: what one has committed, the next call of another sees.

    Every method raises StorageError where the file is damaged, full, busy for long or may not be written.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            ConfigError: the file is something else, or a newer curator wrote it.
        """
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def entries(self, *, after: int = 0) -> tuple[list[Entry], int]:
        """The entries in the order in which they came, those up to place `after` left out, and the last place."""
        with self._explained():
            rows = self._database.execute(
                f"SELECT place, {_COLUMNS} FROM entry WHERE place > ? ORDER BY place",  # noqa: S608  constants only
                (after,),
            ).fetchall()
        found = [Entry(i, split, family, question, turns, bool(asked), run, at)
                 for _, i, split, family, question, turns, asked, run, at in rows]  # fmt: skip
        return found, rows[-1][0] if rows else after

    def add(self, entries: Iterable[Entry]) -> None:
        """Settle the splits of those cases that have none yet; all are on the disk when this returns, or none.

        An entry that is there keeps its split, whatever the new one says; `asked` is remembered once it is so.
        """
        rows = [(e.id, e.split, e.family, e.question, e.turns, int(e.asked), e.run, e.added_at) for e in entries]
        with self.transaction(), self._explained():
            self._database.executemany(
                f"INSERT INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  constants only
                " ON CONFLICT (id) DO UPDATE SET asked = max(asked, excluded.asked)",
                rows,
            )

    def templates(self) -> frozenset[str]:
        """The sentences that many cases of some night shared word for word, and that ask nothing."""
        with self._explained():
            return frozenset(s for (s,) in self._database.execute("SELECT sentence FROM template"))

    def add_templates(self, sentences: Iterable[str]) -> None:
        """Remember such sentences: a night of few cases cannot tell them from what its cases ask."""
        rows = [(sentence,) for sentence in sorted(sentences)]
        with self.transaction(), self._explained():
            self._database.executemany("INSERT OR IGNORE INTO template VALUES (?)", rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep every other process from writing meanwhile; what is added is there for good when it ends well.

        A transaction inside another one is part of it.
        """
        if self._database.in_transaction:
            yield
            return
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.rollback()
            raise
        with self._explained():
            self._database.commit()

    def _prepare(self) -> None:
        database = self._database
        # in this order: a process that makes the file just now commits the table and the numbers together
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        application = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID and (tables or application):
            raise ConfigError(
                f"{str(self.path)!r} is another program's database, no registry of held-out cases",
                remedy="name another file under `held_out: {registry: ...}`",
            )
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"{str(self.path)!r}: a newer curator wrote this registry (version {version}, this one reads"
                f" {SCHEMA_VERSION})",
                remedy="update curator; nothing was changed in the file",
            )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        if not {"entry", "template"} <= tables:
            with self.transaction():
                database.execute(_TABLE)
                database.execute(_TEMPLATES)
                database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._problem(error) from error
        except OSError as error:
            raise StorageError(
                f"{str(self.path)!r}: the registry of held-out cases cannot be opened ({error.strerror})",
                remedy="make its folder writable, or name another file under `held_out: {registry: ...}`",
            ) from error

    def _problem(self, error: sqlite3.DatabaseError) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _DAMAGED or not isinstance(error, sqlite3.OperationalError):
            return StorageError(
                f"{str(self.path)!r}: the registry of held-out cases is damaged ({error})",
                remedy="put back a copy of the file; without one, move it away, and know that a new registry holds out"
                " only what is in the logs from now on. Nothing was exported",
            )
        return StorageError(
            f"{str(self.path)!r}: the registry of held-out cases cannot be read or written ({error})",
            remedy="make room on the disk, make the file and its folder writable, or wait until another run ends;"
            " then run again. Nothing was exported",
        )


def by_split(entries: Sequence[Entry], split: Split) -> list[Entry]:
    """Those of the entries that have the split, in their order."""
    return [entry for entry in entries if entry.split == split]
