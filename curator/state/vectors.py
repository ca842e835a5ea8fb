"""Turns texts into vectors: the encoder behind one protocol, and the cache of vectors.

The encoder's libraries take seconds to import, so they are imported for the first text that has to be encoded: a run
whose vectors are all in the cache never loads them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curator.errors import StorageError

_KEYS_PER_QUERY = 500
_TABLE = """
    CREATE TABLE IF NOT EXISTS vectors (
        encoder TEXT NOT NULL, text_sha256 BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (encoder, text_sha256)
    ) WITHOUT ROWID
"""


class VectorCache:
    """Vectors that were computed before, in one SQLite file, by encoder and text.

    Every method raises StorageError where the file is damaged, full or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=30)
            try:
                self._database.execute(_TABLE)
            except sqlite3.Error:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get_many(self, encoder: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors, each (d,), of those of the texts that the cache has."""
        wanted = {_text_key(text): text for text in texts}
        keys = list(wanted)
        found: dict[str, NDArray[np.float32]] = {}
        with self._explained():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                part = keys[start : start + _KEYS_PER_QUERY]
                marks = ",".join("?" * len(part))
                rows = self._database.execute(
                    f"SELECT text_sha256, vector FROM vectors WHERE encoder = ? AND text_sha256 IN ({marks})",  # noqa: S608
                    (encoder, *part),
                )
                found.update((wanted[key], np.frombuffer(blob, dtype="<f4")) for key, blob in rows)
            if len({len(vector) for vector in found.values()}) > 1:
                raise sqlite3.DatabaseError("vectors of different lengths")
        return found

    def put_many(self, encoder: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep the vectors, (n, d), of the n texts; they are on disk when this returns."""
        rows = [
            (encoder, _text_key(text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._explained(), self._database:
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise StorageError(
                f"{str(self._path)!r}: the cache of vectors cannot be read or written ({error})",
                remedy="make room on the disk and make the folder writable, then run again",
            ) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise StorageError(
                f"{str(self._path)!r}: the cache of vectors is damaged ({error})",
                remedy="delete the file; the vectors are computed again, which costs time but no money",
            ) from error


def _text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
