"""SQLite files of curator: open or make one, refuse foreign files, explain failures.

A `DatabaseKind` describes one kind of file: its tables, its marks in the header, and the remedies for what can go wrong.
A `Database` is one open connection to such a file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.errors import ConfigError, StorageError
from curator.io.closeable import Closeable

PRIMARY_CODE = 0xFF
"""The byte of SQLite's extended error code that holds the primary one (https://sqlite.org/rescode.html)."""
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_BUSY_S = 30.0


@dataclass(frozen=True, slots=True)
class DatabaseKind:
    """One kind of file.

    Attributes:
        noun: the words for such a file in messages, such as "store of answers".
        setting: where the user names the file, in messages, such as "`store:`".
        tables: the SQL that makes each table, by its name. A statement must change nothing where the table exists.
        indexes: further SQL of the same sort.
        application_id: the mark of such files; 0 for a kind without a mark.
        version: the version of the schema. A file of a lower version gets the tables it lacks.
        wal: keep a write-ahead log, so that readers and the writer do not block each other.
        pragmas: settings of every connection.
        damaged_remedy: what to do with a file that is not a database or is damaged.
        remedy: what to do about any other failure.
        remedies: what to do by SQLite's primary error code, where that differs from `damaged_remedy` and `remedy`.
    """

    noun: str
    setting: str
    tables: Mapping[str, str]
    damaged_remedy: str
    remedy: str
    indexes: Sequence[str] = ()
    application_id: int = 0
    version: int = 0
    wal: bool = True
    pragmas: Sequence[str] = ()
    remedies: Mapping[int, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def explained(self, path: Path) -> Iterator[None]:
        """Turn errors of SQLite and of the system into a StorageError with its remedy."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._storage_error(path, error) from error
        except OSError as error:
            raise StorageError(
                f"{str(path)!r}: the {self.noun} cannot be read or written ({error.strerror or error})",
                remedy=self.remedies.get(sqlite3.SQLITE_CANTOPEN, self.remedy),
            ) from error

    def damaged(self, path: Path, reason: object) -> StorageError:
        """Return the error of a damaged file."""
        return StorageError(f"{str(path)!r}: the {self.noun} is damaged ({reason})", remedy=self.damaged_remedy)

    def _storage_error(self, path: Path, error: sqlite3.Error) -> StorageError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE
        if code in self.remedies:
            remedy = self.remedies[code]
        elif code in _DAMAGED or not isinstance(error, sqlite3.OperationalError):
            return self.damaged(path, error)
        else:
            remedy = self.remedy
        return StorageError(f"{str(path)!r}: the {self.noun} cannot be read or written ({error})", remedy=remedy)


class Database(Closeable):
    """One connection to a file, which is made if need be; a context manager closes it.

    The connection is in autocommit mode. Only one thread at a time may use it.

    Raises:
        ConfigError: the file belongs to another program or to a newer curator; it is left as it is.
        StorageError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path, kind: DatabaseKind) -> None:
        self.path = path
        self._kind = kind
        with self.explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self.connection.close()
                raise

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        self.connection.close()

    def explained(self) -> contextlib.AbstractContextManager[None]:
        """Turn errors of SQLite and of the system into a StorageError with its remedy."""
        return self._kind.explained(self.path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock, then commit or roll back; an inner transaction is part of the outer.

        Raises:
            StorageError: SQLite fails; nothing is written then.
        """
        if self.connection.in_transaction:
            yield
            return
        with self.explained():
            self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self.explained():
                self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk may have rolled it back already
                self.connection.execute("ROLLBACK")
            raise

    def _prepare(self) -> None:
        """Make the schema in a new or older file; a foreign file is refused unchanged."""
        if self._needs_tables():
            # Another process may be making the same file: only the lock shows whether it has.
            with self.transaction():
                if self._needs_tables():
                    self._make_tables()
        for pragma in self._kind.pragmas:
            self.connection.execute(f"PRAGMA {pragma}")
        if self._kind.wal:
            _use_wal(self.connection)

    def _needs_tables(self) -> bool:
        """Return whether the file is new, older, or lacks a table.

        Raises:
            ConfigError: it belongs to another program or to a newer curator.
        """
        kind = self._kind
        names = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        application, version = (
            int(self.connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
        )
        unmarked_tables = bool(kind.application_id) and bool(names)
        if application != kind.application_id and (application or unmarked_tables):
            raise ConfigError(
                f"{str(self.path)!r} is not a {kind.noun}, but a database of another program",
                remedy=f"name another file in {kind.setting}",
            )
        if version > kind.version:
            raise ConfigError(
                f"{str(self.path)!r}: a newer curator wrote this {kind.noun}"
                f" (schema {version}; this curator reads up to {kind.version})",
                remedy=f"upgrade curator, or name another file in {kind.setting}; this file was not changed",
            )
        return version < kind.version or not kind.tables.keys() <= names

    def _make_tables(self) -> None:
        for statement in (*self._kind.tables.values(), *self._kind.indexes):
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA application_id = {self._kind.application_id}")
        self.connection.execute(f"PRAGMA user_version = {self._kind.version}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite refuses one of two processes that do so at once."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
