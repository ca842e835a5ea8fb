"""Deletion of a person's data from the state files, so that no byte of it stays in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from curator.io.sqlite import Database, DatabaseKind
from curator.state.registry import REGISTRY
from curator.state.store_schema import STORE

_AT_A_TIME = 500
_SPACE = " \t\n\r"


def purge_answers(store: Path, texts: Collection[str], *, dry_run: bool) -> int:
    """Delete the stored answers with these texts, and return their number.

    Raises:
        StorageError: the file cannot be written, or another process is using it.
    """
    trimmed = sorted({text.strip(_SPACE) for text in texts})  # as files of a run may have them
    return _delete(store, STORE, "generation", "trim(text, char(32, 9, 10, 13))", trimmed, dry_run=dry_run)


def purge_registry(registry: Path, ids: Collection[str], *, dry_run: bool) -> int:
    """Delete the held-out and exported cases with these ids, and return their number.

    Raises:
        StorageError: as `purge_answers`.
    """
    return _delete(registry, REGISTRY, "entry", "id", sorted(ids), dry_run=dry_run)


def purge_refusals(store: Path, *, dry_run: bool) -> int:
    """Forget all refused requests, and return their number.

    Their keys name no case, and the reason that an endpoint gave may quote a prompt.

    Raises:
        StorageError: as `purge_answers`.
    """
    if not store.exists():
        return 0
    with Database(store, STORE) as database, database.explained():
        models = [row[0] for row in database.connection.execute("SELECT DISTINCT model FROM refusal")]
    return _delete(store, STORE, "refusal", "model", models, dry_run=dry_run)


def _delete(path: Path, kind: DatabaseKind, table: str, field: str, values: Sequence[str], *, dry_run: bool) -> int:
    if not path.exists() or not values:
        return 0
    rows = 0
    with _overwriting(path, kind) as connection:
        for start in range(0, len(values), _AT_A_TIME):
            part = values[start : start + _AT_A_TIME]
            chosen = f"FROM {table} WHERE {field} IN ({','.join('?' * len(part))})"
            rows += connection.execute(f"SELECT count(*) {chosen}", part).fetchone()[0]
            if not dry_run:
                connection.execute(f"DELETE {chosen}", part)
        if (
            rows and not dry_run
        ):  # without the copy, earlier versions of a row could stay in unused pages and in the log
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows


@contextmanager
def _overwriting(path: Path, kind: DatabaseKind) -> Iterator[sqlite3.Connection]:
    with Database(path, kind) as database, database.explained():
        database.connection.execute("PRAGMA secure_delete = ON")
        yield database.connection
