"""Keeps every paid-for answer in one SQLite file: written by one thread, read by content key, shared by processes."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from curator.errors import ConfigError, StorageError
from curator.records import Usage

APPLICATION_ID = 0x43555241  # "CURA": tells our file from another program's
SCHEMA_VERSION = 2

_BUSY_S = 30.0
_LINGER_S = 0.002
_BATCH = 512
_KEYS_PER_QUERY = 500
_PRIMARY = 0xFF  # the byte of an error code that tells its kind

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS generation (
    key BLOB PRIMARY KEY,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    usage_estimated INTEGER NOT NULL,
    logprobs BLOB,
    cost_usd REAL NOT NULL,
    latency_s REAL NOT NULL,
    created_at REAL NOT NULL
)
""",
    # What was found out of an endpoint's model: that it takes no temperature but 1, say.
    """
CREATE TABLE IF NOT EXISTS finding (
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    found_at REAL NOT NULL,
    PRIMARY KEY (endpoint, model, name)
)
""",
    # A batch that was handed in. Its row is there before the provider hears of it, and `nonce` is in the batch's own
    # metadata, so that one made just before a crash is found again; `id` is the provider's, NULL until it is known.
    """
CREATE TABLE IF NOT EXISTS batch (
    nonce TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    id TEXT,
    created_at REAL NOT NULL,
    ended_at REAL
)
""",
    # The calls of the batches that are still open. A key stands in one of them at most: nothing is handed in twice.
    """
CREATE TABLE IF NOT EXISTS batch_call (
    key BLOB PRIMARY KEY,
    nonce TEXT NOT NULL REFERENCES batch (nonce),
    bound_tokens INTEGER NOT NULL,
    bound_picodollars INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL
)
""",
    "CREATE INDEX IF NOT EXISTS batch_call_nonce ON batch_call (nonce)",
)
_COLUMNS = (
    "key, model, text, finish_reason, input_tokens, output_tokens, usage_estimated, logprobs, "
    "cost_usd, latency_s, created_at"
)
_INSERT = f"INSERT INTO generation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608

_REMEDIES = {
    sqlite3.SQLITE_FULL: "make room on the disk, then run again: it goes on from what is stored",
    sqlite3.SQLITE_READONLY: "give write permission to the file and its folder, or name another file in `store:`",
    sqlite3.SQLITE_CANTOPEN: "name a file in a folder that may be written in `store:`",
    sqlite3.SQLITE_NOTADB: "name another file in `store:`; this one is not a store of curator",
    sqlite3.SQLITE_CORRUPT: "move the damaged file away, or name another file in `store:`",
    sqlite3.SQLITE_BUSY: "another process holds the store for long: wait until it ends, then run again",
    sqlite3.SQLITE_IOERR: "check the disk (full, quota, network share), then run again: it goes on from what is stored",
}


@dataclass(frozen=True, slots=True)
class StoredReply:
    """An answer as it is kept. `cost_usd` is what it cost when it was bought, `created_at` in seconds since 1970."""

    text: str
    finish_reason: str | None
    usage: Usage
    logprobs: tuple[float, ...] | None
    cost_usd: float
    latency_s: float
    model: str
    created_at: float


@dataclass(frozen=True, slots=True)
class _Write:
    """A row on its way to the disk, and who waits for it."""

    key: bytes
    reply: StoredReply
    done: asyncio.Future[StoredReply]


class GenerationStore:
    """The store of answers; a context manager.

    Commits are durable (WAL with synchronous=FULL) and grouped: one thread writes whatever has queued up since its last
    commit. Several processes may use one file. Under one key the first answer stays.

    Raises:
        ConfigError: the file belongs to another program or to a newer curator.
        StorageError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writes = connect(path)
            try:
                _prepare(self._writes, path)
                self._reads = connect(path)
            except BaseException:
                self._writes.close()
                raise
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="generation-store", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is queued and close the file. A second call does nothing."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
            self._reads.close()
            # the last connection to close folds the WAL back into the file, so this one closes last
            self._writes.close()

    def get_many(self, keys: Sequence[str]) -> dict[str, StoredReply]:
        """The stored answers among `keys` (hex digests). Blocks for some microseconds a key.

        Raises:
            StorageError: the file cannot be read.
        """
        found: dict[str, StoredReply] = {}
        with explained(self.path):
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                some = [bytes.fromhex(key) for key in keys[start : start + _KEYS_PER_QUERY]]
                for row in self._reads.execute(_query(len(some)), some):
                    found[row[0].hex()] = _from_row(row)
        return found

    async def put(self, key: str, reply: StoredReply) -> StoredReply:
        """Keep an answer; returns once it is on the disk, with what stands under the key (an earlier answer wins).

        Raises:
            StorageError: it could not be written. Everything committed before stays as it was.
            UnicodeEncodeError: the text is no text (a lone surrogate); raised here, it spares the others of its batch.
        """
        reply.text.encode()
        done: asyncio.Future[StoredReply] = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(bytes.fromhex(key), reply, done))
        return await done

    def _write_all(self) -> None:
        """The writer thread: commits batch after batch until the queue brings None."""
        while (first := self._queue.get()) is not None:
            batch = [first]
            ended = self._collect(batch)
            results: Sequence[StoredReply | Exception]
            try:
                with explained(self.path):
                    results = _commit(self._writes, batch)
            except Exception as error:  # noqa: BLE001  the waiters raise it; the thread outlives it
                results = [error] * len(batch)
            _hand_back(batch, results)
            if ended:
                return

    def _collect(self, batch: list[_Write]) -> bool:
        """Add to the batch what arrives within the linger time; whether the queue ended there."""
        time.sleep(_LINGER_S)
        with contextlib.suppress(queue.Empty):
            while len(batch) < _BATCH:
                write = self._queue.get_nowait()
                if write is None:
                    return True
                batch.append(write)
        return False


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; only one thread at a time uses it."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the schema in a new file, and refuse a file that is not ours without changing it."""
    if _marks(connection) != (APPLICATION_ID, SCHEMA_VERSION):
        # Only the lock makes sure that no other process is just making the file.
        with transaction(connection):
            if _is_new(connection, path):
                for table in _TABLES:
                    connection.execute(table)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; where two processes do so at once, SQLite refuses one of them without waiting."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    """The file's application id and schema version; zeros in a new one."""
    application, version = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
    )
    return application, version


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file lacks tables yet, as an empty or an older one does; False where it holds our schema.

    Raises:
        ConfigError: it holds something else.
    """
    application, version = _marks(connection)
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise ConfigError(
            f"{str(path)!r}: a store of schema {version}, this curator knows {SCHEMA_VERSION}",
            remedy="upgrade curator, or name another file in `store:`",
        )
    if application != APPLICATION_ID and (
        application or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    ):
        raise ConfigError(
            f"{str(path)!r}: a database of another program", remedy="name a file of curator's own in `store:`"
        )
    return version < SCHEMA_VERSION


def _commit(connection: sqlite3.Connection, batch: Sequence[_Write]) -> list[StoredReply]:
    """Write the batch in one transaction; what then stands under each key."""
    with transaction(connection):
        return [_insert(connection, write) for write in batch]


def _insert(connection: sqlite3.Connection, write: _Write) -> StoredReply:
    if connection.execute(_INSERT, _to_row(write.key, write.reply)).rowcount:
        return write.reply
    return _from_row(connection.execute(_query(1), (write.key,)).fetchone())


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: commit at the end, or roll back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def _hand_back(batch: Sequence[_Write], results: Sequence[StoredReply | Exception]) -> None:
    """Tell every waiter in its own event loop, with one wake-up a loop."""
    loops = {write.done.get_loop() for write in batch}
    for loop in loops:
        own = [(w.done, result) for w, result in zip(batch, results, strict=True) if w.done.get_loop() is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, own)


def _resolve(outcomes: Sequence[tuple[asyncio.Future[StoredReply], StoredReply | Exception]]) -> None:
    for done, outcome in outcomes:
        if done.done():  # its waiter was cancelled
            continue
        if isinstance(outcome, Exception):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)


def _query(count: int) -> str:
    return f"SELECT {_COLUMNS} FROM generation WHERE key IN ({','.join('?' * count)})"  # noqa: S608


def _to_row(key: bytes, reply: StoredReply) -> tuple[object, ...]:
    usage = reply.usage
    return (
        key,
        reply.model,
        reply.text,
        reply.finish_reason,
        usage.input_tokens,
        usage.output_tokens,
        usage.estimated,
        None if reply.logprobs is None else orjson.dumps(reply.logprobs),
        reply.cost_usd,
        reply.latency_s,
        reply.created_at,
    )


def _from_row(row: Sequence[Any]) -> StoredReply:
    """The reply in a row of `_COLUMNS`."""
    return StoredReply(
        model=row[1],
        text=row[2],
        finish_reason=row[3],
        usage=Usage(row[4], row[5], estimated=bool(row[6])),
        logprobs=None if row[7] is None else tuple(orjson.loads(row[7])),
        cost_usd=row[8],
        latency_s=row[9],
        created_at=row[10],
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into a StorageError with its remedy."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
        remedy = _REMEDIES.get(code, "check the file and its disk, or name another file in `store:`")
        raise StorageError(f"{str(path)!r}: the store of answers fails ({error})", remedy=remedy) from error
    except OSError as error:
        raise StorageError(
            f"{str(path)!r}: the store of answers cannot be made ({error.strerror})",
            remedy=_REMEDIES[sqlite3.SQLITE_CANTOPEN],
        ) from error
