"""Requests that an endpoint refused for good, so that no later run asks them again.

A refusal belongs to one prompt, or to one sample of it. It is found by the same keys as answers: another prompt, model or
limit has another key.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.io.closeable import Closeable
from curator.io.sqlite import Database
from curator.state.store_schema import STORE

_KEYS_PER_QUERY = 500
_ROWS_PER_WRITE = 64  # each write waits for the disk


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: the model's name at the endpoint, the reason, and its cause if known."""

    model: str
    reason: str
    cause: str | None = None


class Refusals(Closeable):
    """The refusals in the store at `path`; a context manager that writes the last at its end.

    Raises:
        ConfigError: the file belongs to another program or to a newer curator.
        StorageError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, STORE)
        self._unwritten: dict[str, Refusal] = {}
        try:
            with self._database.explained():
                rows = self._database.connection.execute("SELECT EXISTS (SELECT 1 FROM refusal)")
                self._any = bool(rows.fetchone()[0])
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Write what is left and close the file."""
        try:
            self._write()
        finally:
            self._database.close()

    @property
    def empty(self) -> bool:
        """True when nothing was ever refused."""
        return not self._any

    def find(self, keys: Sequence[str]) -> dict[str, Refusal]:
        """Return the refusals among `keys` (hex digests), by key."""
        refusals = {key: self._unwritten[key] for key in keys if key in self._unwritten}
        with self._database.explained():
            for start in range(0, len(keys) if self._any else 0, _KEYS_PER_QUERY):
                part = [bytes.fromhex(key) for key in keys[start : start + _KEYS_PER_QUERY]]
                query = f"SELECT key, model, reason, cause FROM refusal WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
                for key, model, reason, cause in self._database.connection.execute(query, part):
                    refusals[key.hex()] = Refusal(model, reason, cause)
        return refusals

    def add(self, key: str, refusal: Refusal) -> None:
        """Remember a refusal; the first one under a key stays."""
        self._any = True
        self._unwritten.setdefault(key, refusal)
        if len(self._unwritten) >= _ROWS_PER_WRITE:
            self._write()

    def _write(self) -> None:
        if not self._unwritten:
            return
        rows = [(bytes.fromhex(k), r.model, r.reason, r.cause, time.time()) for k, r in self._unwritten.items()]
        with self._database.transaction(), self._database.explained():
            self._database.connection.executemany(
                "INSERT INTO refusal VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
            )
        self._unwritten.clear()
