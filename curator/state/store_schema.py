"""The store of answers as a file: its tables, and the row of one answer."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from curator.errors import ConfigError
from curator.io.sqlite import Database, DatabaseKind
from curator.records import Usage
from curator.records.token_logprobs import TokenLogprobs, read_logprobs

# Keys are spread over the whole index. With the checkpoint at 8,000 pages, changes to one page gather before it is written.
_CHECKPOINT_PAGES = 8_000

_TABLES = {
    "generation": """
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
    # A property of an endpoint's model that earlier runs discovered, such as `one-temperature`.
    "finding": """
        CREATE TABLE IF NOT EXISTS finding (
            endpoint TEXT NOT NULL,
            model TEXT NOT NULL,
            name TEXT NOT NULL,
            found_at REAL NOT NULL,
            PRIMARY KEY (endpoint, model, name)
        )
    """,
    # A request that an endpoint refused for what is in it, or answered with nothing. The key is that of a sample, or the one
    # that all samples of its prompt share. The columns that `curator cache prune` selects by are named as in `generation`.
    "refusal": """
        CREATE TABLE IF NOT EXISTS refusal (
            key BLOB PRIMARY KEY,
            model TEXT NOT NULL,
            reason TEXT NOT NULL,
            cause TEXT,
            created_at REAL NOT NULL
        )
    """,
    # A batch that was submitted. The row is written before the provider gets the batch, and `nonce` is in the batch's
    # metadata, so that the next run finds a batch made just before a crash. `id` is the provider's, NULL until it is known.
    "batch": """
        CREATE TABLE IF NOT EXISTS batch (
            nonce TEXT PRIMARY KEY,
            endpoint TEXT NOT NULL,
            model TEXT NOT NULL,
            id TEXT,
            created_at REAL NOT NULL,
            ended_at REAL
        )
    """,
    # The calls of the open batches. A key is in at most one of them: no call is submitted twice.
    "batch_call": """
        CREATE TABLE IF NOT EXISTS batch_call (
            key BLOB PRIMARY KEY,
            nonce TEXT NOT NULL REFERENCES batch (nonce),
            bound_tokens INTEGER NOT NULL,
            bound_picodollars INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL
        )
    """,
}

STORE = DatabaseKind(
    noun="store of answers",
    setting="`store:`",
    tables=_TABLES,
    indexes=("CREATE INDEX IF NOT EXISTS batch_call_nonce ON batch_call (nonce)",),
    application_id=0x43555241,  # "CURA"
    version=2,
    pragmas=("synchronous = FULL", f"wal_autocheckpoint = {_CHECKPOINT_PAGES}"),
    damaged_remedy="save what can be read with `curator cache export`, then move the file away or name another one",
    remedy="check the file and its disk, or name another file in `store:`",
    remedies={
        sqlite3.SQLITE_FULL: "make room on the disk, then run again: it goes on from what is stored",
        sqlite3.SQLITE_READONLY: "give write permission to the file and its folder, or name another file in `store:`",
        sqlite3.SQLITE_CANTOPEN: "name a file in a folder that may be written in `store:`",
        sqlite3.SQLITE_NOTADB: "name another file in `store:`; this one is not a store of curator",
        sqlite3.SQLITE_BUSY: "another process has locked the store: wait until it ends, then run again",
        sqlite3.SQLITE_IOERR: "check the disk (full, quota, network share), then run again: it goes on from what is stored",
    },
)

COLUMNS = (
    "key, model, text, finish_reason, input_tokens, output_tokens, usage_estimated, logprobs, "
    "cost_usd, latency_s, created_at"
)
"""The columns of `generation` in the order of `to_row` and `from_row`."""


@dataclass(frozen=True, slots=True)
class StoredReply:
    """An answer as the store keeps it.

    `cost_usd` is its price when it was bought, in US dollars. `created_at` is in seconds since 1970.
    """

    text: str
    finish_reason: str | None
    usage: Usage
    logprobs: tuple[float, ...] | None
    cost_usd: float
    latency_s: float
    model: str
    created_at: float
    tokens: tuple[str, ...] = ()


def to_row(key: bytes, reply: StoredReply) -> tuple[object, ...]:
    """Return the values of `COLUMNS`."""
    usage = reply.usage
    return (
        key,
        reply.model,
        reply.text,
        reply.finish_reason,
        usage.input_tokens,
        usage.output_tokens,
        usage.estimated,
        None if reply.logprobs is None else _logprobs_blob(reply.logprobs, reply.tokens),
        reply.cost_usd,
        reply.latency_s,
        reply.created_at,
    )


def _logprobs_blob(logprobs: Sequence[float], tokens: Sequence[str]) -> bytes:
    """Write log-probabilities as JSON: a list of numbers, or of objects with the tokens."""
    if len(tokens) != len(logprobs):
        return orjson.dumps(logprobs)
    return orjson.dumps([{"token": token, "logprob": value} for token, value in zip(tokens, logprobs, strict=True)])


def from_row(row: Sequence[Any]) -> StoredReply:
    """Return the reply in a row of `COLUMNS`."""
    logprobs = None if row[7] is None else read_logprobs(orjson.loads(row[7])) or TokenLogprobs(())
    return StoredReply(
        model=row[1],
        text=row[2],
        finish_reason=row[3],
        usage=Usage(row[4], row[5], estimated=bool(row[6])),
        logprobs=logprobs.values if logprobs else None,
        tokens=logprobs.tokens if logprobs else (),
        cost_usd=row[8],
        latency_s=row[9],
        created_at=row[10],
    )


@contextlib.contextmanager
def open_existing_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store that exists, to look after it. An older schema is brought up to date.

    Raises:
        ConfigError: the file is missing, or belongs to another program or to a newer curator.
        StorageError: SQLite fails, here or in the body.
    """
    if not path.is_file():
        raise ConfigError(
            f"{str(path)!r}: no store of answers there",
            remedy="name one with --store, or a config whose `store:` exists; the first `curator run` makes it",
        )
    with Database(path, STORE) as database, database.explained():
        yield database.connection
