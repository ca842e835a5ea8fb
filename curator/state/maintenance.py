"""Maintenance of the store of answers: its contents, and deleting answers.

Every function works on the file alone, and beside processes that sample with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from curator.errors import ConfigError
from curator.io.sqlite import PRIMARY_CODE
from curator.records import JsonValue
from curator.records.result import Result
from curator.state.store_schema import open_existing_store
from curator.text.display import money, plural

_DELETED_AT_A_TIME = 5_000
_WORTH_VACUUMING = 0.25  # the share of the file that is unused
_SECONDS_A_DAY = 86_400.0
_BY_MODEL = """
SELECT model, count(*), sum(input_tokens), sum(output_tokens), total(cost_usd), min(created_at), max(created_at)
FROM generation GROUP BY model ORDER BY model
"""
_OPEN_BATCHES = """
SELECT b.id, b.endpoint, b.model, count(c.key), b.created_at
FROM batch b LEFT JOIN batch_call c USING (nonce) WHERE b.ended_at IS NULL GROUP BY nonce ORDER BY b.created_at
"""
# The answers of a batch arrive together and are stored one by one: those that are there already belong to it until it ends.
_NOT_IN_OPEN_BATCH = """
key NOT IN (SELECT c.key FROM batch_call c JOIN batch b USING (nonce) WHERE b.ended_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class ModelHoldings:
    """The stored answers of one model in numbers.

    `usd` is their price in US dollars; `oldest` and `newest` are in seconds since 1970.
    """

    model: str
    answers: int
    input_tokens: int
    output_tokens: int
    usd: float
    oldest: float
    newest: float


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that was handed in and is not over; `id` is None until the provider has named it."""

    id: str | None
    endpoint: str
    model: str
    calls: int
    created_at: float


@dataclass(frozen=True, slots=True)
class StoreContents(Result):
    """The contents of a store; `size` is in bytes, with the write-ahead log."""

    path: Path
    size: int
    models: tuple[ModelHoldings, ...]
    batches: tuple[OpenBatch, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        return {
            "store": str(self.path), "bytes": self.size,
            "answers": sum(m.answers for m in self.models), "cost_usd": sum(m.usd for m in self.models),
            "models": [
                {
                    "model": m.model, "answers": m.answers, "input_tokens": m.input_tokens,
                    "output_tokens": m.output_tokens, "cost_usd": m.usd, "oldest": _iso(m.oldest),
                    "newest": _iso(m.newest),
                }
                for m in self.models
            ],
            "open_batches": [
                {"id": b.id, "endpoint": b.endpoint, "model": b.model, "calls": b.calls, "created": _iso(b.created_at)}
                for b in self.batches
            ],
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people."""
        lines = [f"{self.path}  {self.size / 1e6:,.1f} MB"]
        lines += [
            f"  {m.model}: {plural(m.answers, 'answer')}, {m.input_tokens:,} input and {plural(m.output_tokens, 'output token')},"
            f" {money(m.usd)}, from {_iso(m.oldest)[:10]} to {_iso(m.newest)[:10]}"
            for m in self.models
        ]
        lines.append(
            f"{plural(sum(m.answers for m in self.models), 'answer')} that cost {money(sum(m.usd for m in self.models))}"
        )
        lines += [
            f"open batch {b.id or '(not named yet)'}: {plural(b.calls, 'call')} to {b.model}, handed in {_iso(b.created_at)}"
            for b in self.batches
        ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """Answers to delete, as an SQL condition with its arguments.

    Answers of open batches are never among them.
    """

    condition: str
    arguments: tuple[str | float, ...]

    @classmethod
    def of(cls, *, model: str | None, older_than_days: float | None, keys: Sequence[str], now: float) -> Self:
        """Return the condition for answers by model, age and keys (hex).

        An argument that is None or empty sets no condition.

        Raises:
            ConfigError: nothing is given, or a key is not hexadecimal.
        """
        conditions: list[str] = []
        arguments: list[str | float] = []
        if model is not None:
            conditions.append("model = ?")
            arguments.append(model)
        if older_than_days is not None:
            conditions.append("created_at < ?")
            arguments.append(now - older_than_days * _SECONDS_A_DAY)
        if keys:
            conditions.append(
                f"hex(key) IN ({', '.join('?' * len(keys))})"
            )  # this also matches a damaged key that is not a blob
            arguments += [_checked(key) for key in keys]
        if not conditions:
            raise ConfigError(
                "nothing says which answers should go", remedy="add --model NAME, --older-than DAYS or --key HEX"
            )
        return cls(" AND ".join([*conditions, _NOT_IN_OPEN_BATCH]), tuple(arguments))


@dataclass(frozen=True, slots=True)
class PruneResult(Result):
    """The deleted answers, or those that would be deleted, in numbers.

    `usd` is the price that was paid for them; `freed` is in bytes.
    """

    answers: int
    usd: float
    freed: int
    dry_run: bool

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        return {"answers": self.answers, "cost_usd": self.usd, "freed_bytes": self.freed, "dry_run": self.dry_run}

    def to_text(self) -> str:
        """The figures for people."""
        what = f"{plural(self.answers, 'answer')} that cost {money(self.usd)}"
        if self.dry_run:
            return f"would delete {what}; nothing was deleted"
        return f"deleted {what}; the file is {self.freed / 1e6:,.1f} MB smaller"


def contents(path: Path) -> StoreContents:
    """Return the contents of the store.

    Raises:
        UserError: as `open_existing_store`.
    """
    with open_existing_store(path) as connection:
        models = tuple(ModelHoldings(*row) for row in connection.execute(_BY_MODEL))
        batches = tuple(OpenBatch(*row) for row in connection.execute(_OPEN_BATCHES))
    return StoreContents(path, _size(path), models, batches)


def prune(path: Path, wanted: AnswerFilter, *, dry_run: bool = False) -> PruneResult:
    """Delete the answers that `wanted` selects, and free their space if there is much of it.

    It is safe while others sample with the store: SQLite keeps them apart, they go on with the answers that they looked
    up before, and ask again for what they find missing later. Each piece that is deleted is a transaction of its own, so
    that none of them waits longer than for one; what an interruption leaves goes with the same command.

    Raises:
        UserError: as `open_existing_store`.
    """
    chosen = f"FROM generation WHERE {wanted.condition}"
    with open_existing_store(path) as connection:
        before = _size(path)
        answers, usd, last = connection.execute(
            f"SELECT count(*), total(cost_usd), max(rowid) {chosen}",
            wanted.arguments,
        ).fetchone()
        if not dry_run:  # what was refused is asked again as well
            connection.execute(f"DELETE FROM refusal WHERE {wanted.condition}", wanted.arguments)  # noqa: S608
        if answers and not dry_run:
            for start in range(0, last, _DELETED_AT_A_TIME):
                connection.execute(
                    f"DELETE {chosen} AND rowid > ? AND rowid <= ?",
                    (*wanted.arguments, start, min(start + _DELETED_AT_A_TIME, last)),
                )
            _vacuum(connection)
    return PruneResult(answers, usd, 0 if dry_run else max(0, before - _size(path)), dry_run)


def _checked(key: str) -> str:
    """The key as SQLite's `hex` writes it."""
    try:
        return bytes.fromhex(key).hex().upper()
    except ValueError as error:
        raise ConfigError(
            f"--key: {key!r} is not hexadecimal", remedy="copy it from `curator cache verify` or `curator cache export`"
        ) from error


def _size(path: Path) -> int:
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _vacuum(connection: sqlite3.Connection) -> None:
    """Return unused pages to the disk where there are many, if no other process is there.

    VACUUM locks the file while it copies it, which other processes could not tell from a store that hangs. SQLite leaves
    WAL mode only while no other connection is open, so that the attempt shows whether there is one. With another
    connection, or without room for the copy, the pages stay in the file and are used again.
    """
    (pages,), (unused,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count"))
    if unused < _WORTH_VACUUMING * pages:
        return
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & PRIMARY_CODE not in {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_FULL,
        }:
            raise


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
