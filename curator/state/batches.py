"""Open batches of one model, as rows beside the answers, so that a later run finds them.

A row is written before the provider gets the batch. It is closed, and its calls are deleted, once every answer is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from curator.errors import RunLocked
from curator.io.closeable import Closeable
from curator.io.sqlite import Database
from curator.records.spend import Spend
from curator.state.store_schema import STORE

_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class BatchCall:
    """A call in a batch: its request's key, its cost bound, and its estimated input tokens."""

    key: str
    bound: Spend
    input_tokens: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """An open batch.

    `id` is the provider's, None until it is known. `created_at` is in seconds since 1970.
    """

    nonce: str
    id: str | None
    created_at: float


class BatchRows(Closeable):
    """The open batches of one model at one endpoint, in the store at `path`; a context manager.

    Every change is on the disk when its method returns. Only one process at a time holds a model's rows. A second process
    could not tell a batch that is being submitted from one that a crash left, and would pay for its calls again.

    Raises:
        RunLocked: another process holds them.
        StorageError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path, *, endpoint: str, model: str) -> None:
        self.path = path
        self._endpoint = endpoint
        self._model = model
        name = hashlib.sha256(f"{endpoint}\n{model}".encode()).hexdigest()[:12]
        self._lock = FileLock(path.with_name(f"{path.name}.batches-{name}.lock"))
        with STORE.explained(path):
            self._acquire()
        try:
            self._database = Database(path, STORE)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Close the file and let another process hold the model's rows."""
        self._database.close()
        self._lock.release()

    def open(self) -> list[BatchRow]:
        """Return the batches that have not ended, the oldest first."""
        query = (
            "SELECT nonce, id, created_at FROM batch WHERE endpoint = ? AND model = ? AND ended_at IS NULL "
            "ORDER BY created_at, nonce"
        )
        with self._database.explained():
            return [BatchRow(*row) for row in self._database.connection.execute(query, (self._endpoint, self._model))]

    def add(self, nonce: str, created_at: float, calls: Iterable[BatchCall]) -> None:
        """Open a batch with its calls. No other open batch may contain one of their keys."""
        with self._database.transaction(), self._database.explained():
            self._database.connection.execute(
                "INSERT INTO batch (nonce, endpoint, model, created_at) VALUES (?, ?, ?, ?)",
                (nonce, self._endpoint, self._model, created_at),
            )
            self._database.connection.executemany(
                "INSERT INTO batch_call (key, nonce, bound_tokens, bound_picodollars, input_tokens) "
                "VALUES (?, ?, ?, ?, ?)",
                ((bytes.fromhex(c.key), nonce, *c.bound, c.input_tokens) for c in calls),
            )

    def set_id(self, nonce: str, batch_id: str) -> None:
        """Store the provider's id of a batch."""
        with self._database.explained():
            self._database.connection.execute("UPDATE batch SET id = ? WHERE nonce = ?", (batch_id, nonce))

    def end(self, nonce: str, ended_at: float) -> None:
        """Close a batch whose answers are stored, or that the provider never had."""
        with self._database.transaction(), self._database.explained():
            self._database.connection.execute("UPDATE batch SET ended_at = ? WHERE nonce = ?", (ended_at, nonce))
            self._database.connection.execute("DELETE FROM batch_call WHERE nonce = ?", (nonce,))

    def drop_answered(self, nonce: str) -> None:
        """Delete the calls of a batch whose answers are stored.

        An earlier run was killed while it collected the batch.
        """
        with self._database.explained():
            self._database.connection.execute(
                "DELETE FROM batch_call WHERE nonce = ? AND key IN (SELECT key FROM generation)", (nonce,)
            )

    def bound(self, nonce: str) -> Spend:
        """Return the most that a batch can still cost."""
        query = (
            "SELECT coalesce(sum(bound_tokens), 0), coalesce(sum(bound_picodollars), 0) FROM batch_call WHERE nonce = ?"
        )
        with self._database.explained():
            return Spend(*self._database.connection.execute(query, (nonce,)).fetchone())

    def calls(self, nonce: str) -> dict[str, BatchCall]:
        """Return the calls of an open batch by key; about 500 bytes each."""
        query = "SELECT key, bound_tokens, bound_picodollars, input_tokens FROM batch_call WHERE nonce = ?"
        with self._database.explained():
            rows = self._database.connection.execute(query, (nonce,))
            return {row[0].hex(): BatchCall(row[0].hex(), Spend(row[1], row[2]), row[3]) for row in rows}

    def open_keys(self, keys: Sequence[str]) -> set[str]:
        """Return those of `keys` that are in an open batch."""
        in_batches: set[str] = set()
        with self._database.explained():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                part = [bytes.fromhex(key) for key in keys[start : start + _KEYS_PER_QUERY]]
                query = f"SELECT key FROM batch_call WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
                in_batches.update(row[0].hex() for row in self._database.connection.execute(query, part))
        return in_batches

    def _acquire(self) -> None:
        try:
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise RunLocked(
                f"{str(self.path)!r}: another curator run is submitting batches of model {self._model!r}",
                remedy="wait until it ends or stop it: its batches stay open, and the next run collects them",
            ) from error
