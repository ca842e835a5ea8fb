"""Store of paid answers: one SQLite file with one writer thread, shared by processes."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.errors import StorageError
from curator.io.closeable import Closeable
from curator.io.sqlite import Database
from curator.state.claims import Claims
from curator.state.store_schema import COLUMNS, STORE, StoredReply, from_row, to_row

_ROWS_PER_COMMIT = 1000  # SQLite takes 32,766 values in one statement
_KEYS_PER_QUERY = 500
_RECENT_ANSWERS = 1_000
_RECENT_ROWS = 50_000  # no index leads to a model's answers, so that at most this many rows are read

_INSERT = f"INSERT INTO generation ({COLUMNS}) VALUES"
_WIDTH = COLUMNS.count(",") + 1
_PLACES = f"({', '.join('?' * _WIDTH)})"
_RECENT_MEANS = """
SELECT count(*), avg(latency_s), avg(output_tokens) FROM (
    SELECT latency_s, output_tokens FROM generation
    WHERE model = ? AND rowid > (SELECT max(rowid) FROM generation) - ?
    ORDER BY rowid DESC LIMIT ?
)
"""

OnStored = Callable[[Sequence[StoredReply] | Exception], None]
"""Called with the answers under the keys of a write, or with the error that came instead."""


@dataclass(frozen=True, slots=True)
class RecentMeans:
    """Means over a model's newest thousand answers or so: latency in seconds, and output tokens."""

    answers: int
    latency_s: float
    output_tokens: float


@dataclass(frozen=True, slots=True)
class _Write:
    """Rows to write, by key, with the callback and the event loop that it runs in."""

    rows: Sequence[tuple[bytes, StoredReply]]
    loop: asyncio.AbstractEventLoop
    on_stored: OnStored


_Result = list[StoredReply] | Exception


class GenerationStore(Closeable):
    """The store of answers; a context manager.

    Commits are durable (WAL with synchronous=FULL) and grouped: one thread writes everything that was queued since its
    last commit. Several processes may use one file. The first answer under a key stays. `clean` changes the text of each answer
    before it is stored, as redaction does.

    Raises:
        ConfigError: the file belongs to another program or to a newer curator.
        StorageError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path, *, clean: Callable[[str], str] = str) -> None:
        self.path = path
        self._clean = clean
        self._writes = Database(path, STORE)
        try:
            self._reads = Database(path, STORE)
        except BaseException:
            self._writes.close()
            raise
        self._queue: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._outboxes: dict[asyncio.AbstractEventLoop, list[_Write]] = {}  # each one belongs to its own loop's thread
        self._thread = threading.Thread(target=self._write_all, name="generation-store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Commit what is queued and close the file. A second call does nothing."""
        if self._thread.is_alive():
            for loop in list(self._outboxes):
                self._post(loop)
            self._queue.put(None)
            self._thread.join()
            self._reads.close()
            # The last connection to close merges the WAL into the file, so that the writing one closes last.
            self._writes.close()

    def get_many(self, keys: Sequence[str]) -> dict[str, StoredReply]:
        """Return the stored answers among `keys` (hex digests), by key.

        It blocks for some microseconds a key.

        Raises:
            StorageError: the file cannot be read.
        """
        replies: dict[str, StoredReply] = {}
        with self._reads.explained():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                part = [bytes.fromhex(key) for key in keys[start : start + _KEYS_PER_QUERY]]
                for row in self._reads.connection.execute(_query(len(part)), part):
                    replies[row[0].hex()] = from_row(row)
        return replies

    def claims(self) -> Claims:
        """Return a new set of claims on keys, against other runs on the same file.

        Raises:
            StorageError: the file of claims beside the store cannot be made.
        """
        with self._reads.explained():
            return Claims(self.path)

    def open_batches(self, endpoint: str, model: str) -> int:
        """Count the batches of a model at an endpoint that were submitted and are not collected yet.

        Raises:
            StorageError: the file cannot be read.
        """
        query = "SELECT count(*) FROM batch WHERE endpoint = ? AND model = ? AND ended_at IS NULL"
        with self._reads.explained():
            return int(self._reads.connection.execute(query, (endpoint, model)).fetchone()[0])

    def recent_means(self, model: str) -> RecentMeans | None:
        """Return the means over a model's newest answers; None where it has no answer.

        Raises:
            StorageError: the file cannot be read.
        """
        with self._reads.explained():
            row = self._reads.connection.execute(_RECENT_MEANS, (model, _RECENT_ROWS, _RECENT_ANSWERS)).fetchone()
        return RecentMeans(*row) if row[0] else None

    def keep(self, answers: Sequence[tuple[str, StoredReply]], on_stored: OnStored) -> None:
        """Store at most 1,000 answers by key, all or none of them.

        When they are on the disk, `on_stored` is called in the running loop with the answer under each key (an earlier
        answer wins). If they could not be written, it is called with the StorageError; earlier commits stay.

        Raises:
            UnicodeEncodeError: a text has a lone surrogate. Raised here, it spares the other answers of its batch.
        """
        answers = [(key, _cleaned(reply, self._clean(reply.text))) for key, reply in answers]
        for _, reply in answers:
            reply.text.encode()
        loop = asyncio.get_running_loop()
        if loop not in self._outboxes:  # the writer wakes up once for everything in this turn of the loop
            self._outboxes[loop] = []
            loop.call_soon(self._post, loop)
        self._outboxes[loop].append(_Write([(bytes.fromhex(key), reply) for key, reply in answers], loop, on_stored))

    async def put(self, answers: Sequence[tuple[str, StoredReply]]) -> Sequence[StoredReply]:
        """Store answers as `keep` does, and wait for the result.

        Raises:
            StorageError: they could not be written.
            UnicodeEncodeError: as `keep`.
        """
        if not answers:
            return []
        done: asyncio.Future[Sequence[StoredReply]] = asyncio.get_running_loop().create_future()

        def on_stored(outcome: Sequence[StoredReply] | Exception) -> None:
            if done.done():  # the caller was cancelled
                return
            if isinstance(outcome, Exception):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

        self.keep(answers, on_stored)
        return await done

    def _post(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue.put(self._outboxes.pop(loop, []))

    def note(self, endpoint: str, model: str, finding: str) -> None:
        """Store a property of a model at an endpoint, such as `one-temperature`.

        Raises:
            StorageError: it could not be written.
        """
        with Database(self.path, STORE) as database, database.explained():
            row = (endpoint, model, finding, time.time())
            database.connection.execute("INSERT INTO finding VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)

    def noted(self, endpoint: str, model: str, finding: str) -> bool:
        """Return whether `note` stored that property.

        Raises:
            StorageError: the file cannot be read.
        """
        query = "SELECT 1 FROM finding WHERE endpoint = ? AND model = ? AND name = ?"
        with self._reads.explained():
            return self._reads.connection.execute(query, (endpoint, model, finding)).fetchone() is not None

    def _write_all(self) -> None:
        """Commit batch after batch, in the writer thread, until the queue brings None."""
        ended = False
        while not ended and (batch := self._queue.get()) is not None:
            ended = self._collect(batch)
            for part in _parts(batch):
                _call_back(part, self._write(part))

    def _write(self, writes: Sequence[_Write]) -> Sequence[_Result]:
        """Write them; return the stored answers of each write, or its error."""
        try:
            with self._writes.explained():
                return _commit(self._writes.connection, writes)
        except StorageError as error:
            return [error] * len(writes)
        except Exception as error:  # noqa: BLE001  one write is not a row; the others are paid for as well
            return [error] if len(writes) == 1 else [result for write in writes for result in self._write([write])]

    def _collect(self, batch: list[_Write]) -> bool:
        """Add to the batch what was queued meanwhile; return whether the queue ended there."""
        with contextlib.suppress(queue.Empty):
            while True:
                more = self._queue.get_nowait()
                if more is None:
                    return True
                batch += more
        return False


def _cleaned(reply: StoredReply, text: str) -> StoredReply:
    """The answer with its text changed; its tokens, which spell the text, are dropped then."""
    return reply if text == reply.text else replace(reply, text=text, tokens=())


def _parts(batch: Sequence[_Write]) -> Iterator[list[_Write]]:
    """Split the batch into parts that fit into one statement."""
    part: list[_Write] = []
    rows = 0
    for write in batch:
        if part and rows + len(write.rows) > _ROWS_PER_COMMIT:
            yield part
            part, rows = [], 0
        part.append(write)
        rows += len(write.rows)
    if part:
        yield part


def _commit(connection: sqlite3.Connection, writes: Sequence[_Write]) -> list[_Result]:
    """Write all or none; return the answers then stored under the keys of each write.

    It is one statement, which is a transaction of its own. SQLite then releases the interpreter's lock once, and this
    thread waits only once until the busy event loop gives it back.
    """
    values = [value for write in writes for key, reply in write.rows for value in to_row(key, reply)]
    rows = len(values) // _WIDTH
    places = ", ".join([_PLACES] * rows)
    if connection.execute(f"{_INSERT} {places} ON CONFLICT DO NOTHING", values).rowcount == rows:
        return [[reply for _, reply in write.rows] for write in writes]
    return [[_stored(connection, key) or reply for key, reply in write.rows] for write in writes]


def _stored(connection: sqlite3.Connection, key: bytes) -> StoredReply | None:
    """Return the answer under a key; None if another process has just pruned it."""
    row = connection.execute(_query(1), (key,)).fetchone()
    return None if row is None else from_row(row)


def _call_back(writes: Sequence[_Write], results: Sequence[_Result]) -> None:
    """Run the callbacks in their event loops, with one wake-up for each loop."""
    for loop in {write.loop for write in writes}:
        outcomes = [(w.on_stored, result) for w, result in zip(writes, results, strict=True) if w.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: no caller waits any more
            loop.call_soon_threadsafe(_run_callbacks, outcomes)


def _run_callbacks(outcomes: Sequence[tuple[OnStored, _Result]]) -> None:
    for on_stored, outcome in outcomes:
        on_stored(outcome)


def _query(count: int) -> str:
    return f"SELECT {COLUMNS} FROM generation WHERE key IN ({','.join('?' * count)})"  # noqa: S608
