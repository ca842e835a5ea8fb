"""HeldOutRegistry of held-out and trained-on cases: one SQLite file that outlives the logs.

It keeps each case's text and the templates around it, but no vectors and no signatures. Those are made from the text by
the encoder of each run and cached elsewhere, so that a new encoder or recipe loses nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from curator.io.closeable import Closeable
from curator.io.sqlite import Database, DatabaseKind
from curator.records import Split

_COLUMNS = "id, split, family, question, turns, asked, run, added_at"
REGISTRY = DatabaseKind(
    noun="registry of held-out cases",
    setting="`held_out: {registry: ...}`",
    tables={
        "entry": """
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
        """,
        "template": "CREATE TABLE IF NOT EXISTS template (sentence TEXT PRIMARY KEY) WITHOUT ROWID",
    },
    application_id=0x43555248,  # "CURH"
    version=1,
    pragmas=("synchronous = FULL",),
    damaged_remedy="put back a copy of the file; without one, move it away, and know that a new registry holds out"
    " only what is in the logs from now on. Nothing was exported",
    remedy="make room on the disk, make the file and its folder writable, or wait until another run ends;"
    " then run again. Nothing was exported",
    remedies={
        sqlite3.SQLITE_CANTOPEN: "make its folder writable, or name another file under `held_out: {registry: ...}`"
    },
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case whose split never changes again.

    Attributes:
        id: the case id, a hash of its content.
        split: `eval` for a held-out case, `train` for a case that was trained on.
        family: the near-duplicate group of the case.
        question: its last question, without the template around it.
        turns: all its messages but the system prompt, without the template.
        asked: a committee has answered it, so that an eval set may contain it.
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


class HeldOutRegistry(Closeable):
    """The registry in its file; a context manager.

    Processes share it: a call sees everything that another process has committed.

    Every method raises StorageError where the file is damaged, full, locked for long or may not be written.

    Raises:
        ConfigError: the file belongs to another program or to a newer curator.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, REGISTRY)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def entries(self, *, after: int = 0) -> tuple[list[Entry], int]:
        """Return the entries behind place `after`, in their order, and the last place."""
        with self._database.explained():
            rows = self._database.connection.execute(
                f"SELECT place, {_COLUMNS} FROM entry WHERE place > ? ORDER BY place",  # noqa: S608  constants only
                (after,),
            ).fetchall()
        entries = [Entry(i, split, family, question, turns, bool(asked), run, at)
                   for _, i, split, family, question, turns, asked, run, at in rows]  # fmt: skip
        return entries, rows[-1][0] if rows else after

    def add(self, entries: Iterable[Entry]) -> None:
        """Settle the splits of the cases that have none yet, all of them or none.

        They are on the disk when this returns.

        An entry in the file keeps its split, whatever the new entry says. Its `asked` becomes true and stays so.
        """
        rows = [(e.id, e.split, e.family, e.question, e.turns, int(e.asked), e.run, e.added_at) for e in entries]
        with self.transaction(), self._database.explained():
            self._database.connection.executemany(
                f"INSERT INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  constants only
                " ON CONFLICT (id) DO UPDATE SET asked = max(asked, excluded.asked)",
                rows,
            )

    def templates(self) -> frozenset[str]:
        """Return the sentences that many cases of a night shared, and that ask nothing."""
        with self._database.explained():
            return frozenset(s for (s,) in self._database.connection.execute("SELECT sentence FROM template"))

    def add_templates(self, sentences: Iterable[str]) -> None:
        """Store such sentences.

        A night of few cases cannot tell them from the questions of its cases.
        """
        rows = [(sentence,) for sentence in sorted(sentences)]
        with self.transaction(), self._database.explained():
            self._database.connection.executemany("INSERT OR IGNORE INTO template VALUES (?)", rows)

    def transaction(self) -> AbstractContextManager[None]:
        """Keep every other process from writing until the block ends.

        Then everything is committed, or rolled back after an exception.
        """
        return self._database.transaction()


def by_split(entries: Sequence[Entry], split: Split) -> list[Entry]:
    """Return the entries of a split, in their order."""
    return [entry for entry in entries if entry.split == split]
