"""The hashes of label queues as they were written, by which a changed one is recognised."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from curator.io.atomic import write_atomic

HASHES = "queue_hashes.json"
_REMEMBERED = 10
"""Hashes of a name: a run that was killed while it wrote leaves a file of an earlier one."""


def is_remembered(path: Path) -> bool:
    """Return whether curator remembers how it wrote a queue."""
    return path.name in _hashes(path.parent)


def is_as_written(path: Path) -> bool:
    """Return whether a queue is as curator wrote it."""
    return _hash(path.read_bytes()) in _hashes(path.parent).get(path.name, ())


def remember_as_written(path: Path) -> None:
    """Remember the content of a queue as curator's own, where the folder has a file of hashes."""
    if path.is_file() and (path.parent / HASHES).is_file():
        remember(path, path.read_bytes())


def remember(path: Path, content: bytes) -> None:
    """Remember the content that a queue is written with."""
    hashes = _hashes(path.parent)
    now = _hash(content)
    before = [other for other in hashes.get(path.name, ()) if other != now]
    hashes[path.name] = [*before, now][-_REMEMBERED:]
    text = orjson.dumps(hashes, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_atomic(path.parent / HASHES, [text])


def _hashes(folder: Path) -> dict[str, list[str]]:
    """Return the hashes of queues as they were written, by file name."""
    try:
        hashes = orjson.loads((folder / HASHES).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(hashes, dict):
        return {}
    return {name: list(map(str, of_file)) for name, of_file in hashes.items() if isinstance(of_file, list)}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
