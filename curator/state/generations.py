"""Keeps every paid-for answer in one SQLite file: written by one thread, read by content key, shared by processes."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from curator.errors import ConfigError, StorageError
from curator.records import Usage
from curator.state.claims import Claims

APPLICATION_ID = 0x43555241  # "CURA": tells our file from another program's
SCHEMA_VERSION = 2

_BUSY_S = 30.0
_ROWS = 1000  # of one commit; a statement takes 32,766 values
_KEYS_PER_QUERY = 500
_CHECKPOINT_PAGES = (
    8_000  # keys are spread over all of the index: the longer its pages gather, the less is written twice
)
_RECENT_ANSWERS = 1_000
_RECENT_ROWS = 50_000  # no index leads to a model's answers, so that no more rows than these are looked at
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
_INSERT = f"INSERT INTO generation ({_COLUMNS}) VALUES"
_WIDTH = _COLUMNS.count(",") + 1
_PLACES = f"({', '.join('?' * _WIDTH)})"
_LATENCY = """
SELECT avg(latency_s) FROM (
    SELECT latency_s FROM generation WHERE model = ? AND rowid > (SELECT max(rowid) FROM generation) - ?
    ORDER BY rowid DESC LIMIT ?
)
"""

_REMEDIES = {
    sqlite3.SQLITE_FULL: "make room on the disk, then run again: it goes on from what is stored",
    sqlite3.SQLITE_READONLY: "give write permission to the file and its folder, or name another file in `store:`",
    sqlite3.SQLITE_CANTOPEN: "name a file in a folder that may be written in `store:`",
    sqlite3.SQLITE_NOTADB: "name another file in `store:`; this one is not a store of curator",
    sqlite3.SQLITE_CORRUPT: "save what can be read with `curator cache export`, then move the file away or name another one",
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


Kept = Callable[[Sequence[StoredReply] | Exception], None]


@dataclass(frozen=True, slots=True)
class _Write:
    """Rows on their way to the disk, by key, and who is told in which loop."""

    rows: Sequence[tuple[bytes, StoredReply]]
    loop: asyncio.AbstractEventLoop
    kept: Kept


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
        self._queue: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._outboxes: dict[asyncio.AbstractEventLoop, list[_Write]] = {}  # each is touched by its own loop alone
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
            for loop in list(self._outboxes):
                self._post(loop)
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

    def claims(self) -> Claims:
        """A new set of claims on keys, against other runs on the same file.

        Raises:
            StorageError: the file of claims beside the store cannot be made.
        """
        with explained(self.path):
            return Claims(self.path)

    def open_batches(self, endpoint: str, model: str) -> int:
        """How many batches of a model at an endpoint are handed in and not collected yet.

        Raises:
            StorageError: the file cannot be read.
        """
        query = "SELECT count(*) FROM batch WHERE endpoint = ? AND model = ? AND ended_at IS NULL"
        with explained(self.path):
            return int(self._reads.execute(query, (endpoint, model)).fetchone()[0])

    def latency_s(self, model: str) -> float | None:
        """How long an answer of a model took on average, in seconds, over its newest thousand or so; None without any.

        Raises:
            StorageError: the file cannot be read.
        """
        with explained(self.path):
            (mean,) = self._reads.execute(_LATENCY, (model, _RECENT_ROWS, _RECENT_ANSWERS)).fetchone()
        return None if mean is None else float(mean)

    def keep(self, answers: Sequence[tuple[str, StoredReply]], kept: Kept) -> None:
        """Keep answers by key, together or not at all; 1,000 at most.

        Once they are on the disk, `kept` is called in the running loop with what stands under each key (an earlier
        answer wins), or with the StorageError that came instead: everything committed before stays as it was.

        Raises:
            UnicodeEncodeError: the text is no text (a lone surrogate); raised here, it spares the others of its batch.
        """
        for _, reply in answers:
            reply.text.encode()
        loop = asyncio.get_running_loop()
        if loop not in self._outboxes:  # one wake-up of the writer for all that comes in this turn of the loop
            self._outboxes[loop] = []
            loop.call_soon(self._post, loop)
        self._outboxes[loop].append(_Write([(bytes.fromhex(key), reply) for key, reply in answers], loop, kept))

    async def put(self, answers: Sequence[tuple[str, StoredReply]]) -> Sequence[StoredReply]:
        """`keep`, and wait for it.

        Raises:
            StorageError: they could not be written.
            UnicodeEncodeError: as `keep`.
        """
        if not answers:
            return []
        done: asyncio.Future[Sequence[StoredReply]] = asyncio.get_running_loop().create_future()

        def kept(outcome: Sequence[StoredReply] | Exception) -> None:
            if done.done():  # who waited was cancelled
                return
            if isinstance(outcome, Exception):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

        self.keep(answers, kept)
        return await done

    def _post(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue.put(self._outboxes.pop(loop, []))

    def note(self, endpoint: str, model: str, finding: str) -> None:
        """Keep what was found out of a model at an endpoint, such as `one-temperature`.

        Raises:
            StorageError: it could not be written.
        """
        with explained(self.path), contextlib.closing(connect(self.path)) as connection:
            row = (endpoint, model, finding, time.time())
            connection.execute("INSERT INTO finding VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)

    def noted(self, endpoint: str, model: str, finding: str) -> bool:
        """Whether that was found out before.

        Raises:
            StorageError: the file cannot be read.
        """
        query = "SELECT 1 FROM finding WHERE endpoint = ? AND model = ? AND name = ?"
        with explained(self.path):
            return self._reads.execute(query, (endpoint, model, finding)).fetchone() is not None

    def _write_all(self) -> None:
        """The writer thread: commits batch after batch until the queue brings None."""
        ended = False
        while not ended and (batch := self._queue.get()) is not None:
            ended = self._collect(batch)
            for some in _parts(batch):
                _hand_back(some, self._write(some))

    def _write(self, some: Sequence[_Write]) -> Sequence[list[StoredReply] | Exception]:
        """What stands under the keys of each write, or why it could not be written."""
        try:
            with explained(self.path):
                return _commit(self._writes, some)
        except StorageError as error:
            return [error] * len(some)
        except Exception as error:  # noqa: BLE001  one of them is no row; the others are paid for as well
            return [error] if len(some) == 1 else [result for write in some for result in self._write([write])]

    def _collect(self, batch: list[_Write]) -> bool:
        """Add to the batch what has queued up meanwhile; whether the queue ended there."""
        with contextlib.suppress(queue.Empty):
            while True:
                more = self._queue.get_nowait()
                if more is None:
                    return True
                batch += more
        return False


def _parts(batch: Sequence[_Write]) -> Iterator[list[_Write]]:
    """The batch in parts that one statement takes."""
    part: list[_Write] = []
    rows = 0
    for write in batch:
        if part and rows + len(write.rows) > _ROWS:
            yield part
            part, rows = [], 0
        part.append(write)
        rows += len(write.rows)
    if part:
        yield part


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; only one thread at a time uses it."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
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


def _commit(connection: sqlite3.Connection, batch: Sequence[_Write]) -> list[list[StoredReply]]:
    """Write the batch, all of it or nothing; what then stands under each key.

    It is one statement, which is a transaction of its own: SQLite lets go of the interpreter's lock once, and this
    thread waits only once until the busy event loop gives it back.
    """
    values = [value for write in batch for key, reply in write.rows for value in _to_row(key, reply)]
    rows = len(values) // _WIDTH
    places = ", ".join([_PLACES] * rows)
    if connection.execute(f"{_INSERT} {places} ON CONFLICT DO NOTHING", values).rowcount == rows:
        return [[reply for _, reply in write.rows] for write in batch]
    return [[_standing(connection, key) or reply for key, reply in write.rows] for write in batch]


def _standing(connection: sqlite3.Connection, key: bytes) -> StoredReply | None:
    """What stands under the key; None if another process has just pruned it."""
    row = connection.execute(_query(1), (key,)).fetchone()
    return None if row is None else _from_row(row)


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


def _hand_back(batch: Sequence[_Write], results: Sequence[list[StoredReply] | Exception]) -> None:
    """Tell everybody in their own event loop, with one wake-up a loop."""
    for loop in {write.loop for write in batch}:
        own = [(w.kept, result) for w, result in zip(batch, results, strict=True) if w.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, own)


def _tell(outcomes: Sequence[tuple[Kept, list[StoredReply] | Exception]]) -> None:
    for kept, outcome in outcomes:
        kept(outcome)


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


@contextlib.contextmanager
def open_existing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a store that is there, for those who look after it; an older schema is brought up to date.

    Raises:
        ConfigError: there is no such file, or it belongs to another program or to a newer curator.
        StorageError: SQLite fails, here or in the body.
    """
    if not path.is_file():
        raise ConfigError(
            f"{str(path)!r}: no store of answers there",
            remedy="name one with --store, or a config whose `store:` exists; the first `curator run` makes it",
        )
    with explained(path), contextlib.closing(connect(path)) as connection:
        _prepare(connection, path)
        yield connection
