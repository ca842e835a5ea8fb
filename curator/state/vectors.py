"""Cache of text embeddings, in one SQLite file, by encoder and text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.io.closeable import Closeable
from curator.io.sqlite import Database, DatabaseKind

_KEYS_PER_QUERY = 500
VECTORS = DatabaseKind(
    noun="cache of vectors",
    setting="`store:`, as the vectors stand beside it",
    tables={
        "vectors": """
            CREATE TABLE IF NOT EXISTS vectors (
                encoder TEXT NOT NULL, text_sha256 BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (encoder, text_sha256)
            ) WITHOUT ROWID
        """
    },
    wal=False,
    damaged_remedy="delete the file; the vectors are computed again, which costs time but no money",
    remedy="make room on the disk and make the folder writable, then run again",
)


class VectorCache(Closeable):
    """Vectors that were computed before; a context manager.

    Every method raises StorageError where the file is damaged, full or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(path, VECTORS)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get_many(self, encoder: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the cached vectors of the texts, each (d,); texts without one are left out."""
        text_of_key = {_text_key(text): text for text in texts}
        keys = list(text_of_key)
        vectors: dict[str, NDArray[np.float32]] = {}
        with self._database.explained():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                part = keys[start : start + _KEYS_PER_QUERY]
                places = ",".join("?" * len(part))
                rows = self._database.connection.execute(
                    f"SELECT text_sha256, vector FROM vectors WHERE encoder = ? AND text_sha256 IN ({places})",  # noqa: S608
                    (encoder, *part),
                )
                try:
                    vectors.update((text_of_key[key], np.frombuffer(blob, dtype="<f4")) for key, blob in rows)
                except ValueError as error:
                    raise VECTORS.damaged(self._path, error) from error
        if len({len(vector) for vector in vectors.values()}) > 1:
            raise VECTORS.damaged(self._path, "vectors of different lengths")
        return vectors

    def put_many(self, encoder: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store the vectors, (n, d), of the n texts; they are on disk when this returns."""
        rows = [
            (encoder, _text_key(text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._database.transaction(), self._database.explained():
            self._database.connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


def _text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
