"""The key of redaction, and the map from pseudonyms back to personal data, beside the store.

Both files can be read by their owner only (mode 0600). Who has the map can turn redacted texts back; who has the key can test
guesses at what was replaced.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from curator.errors import ConfigError, StorageError
from curator.io.closeable import Closeable
from curator.io.sqlite import Database, DatabaseKind

_KEY_BYTES = 32
_PER_STATEMENT = 500
PSEUDONYMS = DatabaseKind(
    noun="map of pseudonyms",
    setting="`store:`, as the map lies beside it",
    tables={
        "pseudonym": """
            CREATE TABLE IF NOT EXISTS pseudonym (pseudonym TEXT PRIMARY KEY, original TEXT NOT NULL) WITHOUT ROWID
        """
    },
    wal=False,
    pragmas=("secure_delete = ON",),
    damaged_remedy="delete the file; the next run writes it again, as far as its logs hold the same data",
    remedy="make room on the disk and make the folder writable, then run again",
)


def new_key() -> bytes:
    """Return a random key."""
    return secrets.token_bytes(_KEY_BYTES)


def read_key(path: Path) -> bytes | None:
    """Return the key in a file; None without a file.

    Raises:
        ConfigError: the file holds no key.
        StorageError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            f"{str(path)!r}: the key of redaction cannot be read ({error.strerror or error})",
            remedy="make it readable for the user who runs curator",
        ) from error
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"{str(path)!r}: not a key of redaction",
            remedy="restore it from a backup; without it (move it away) everything gets new pseudonyms",
        )
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a new key, for its owner only.

    Raises:
        StorageError: there is one, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise StorageError(
            f"{str(path)!r}: another run has just made this key of redaction", remedy="run the same command again"
        ) from error
    except OSError as error:
        raise StorageError(
            f"{str(path)!r}: the key of redaction cannot be written ({error.strerror or error})",
            remedy="make its folder writable, then run again",
        ) from error


class PseudonymMap(Closeable):
    """The map in its file, which is made if need be; a context manager.

    Every method raises StorageError where the file is damaged, full or may not be written.
    """

    def __init__(self, path: Path) -> None:
        with PSEUDONYMS.explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # before SQLite makes it with wider permissions
        self._database = Database(path, PSEUDONYMS)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, originals: Mapping[str, str]) -> None:
        """Store the originals by their pseudonyms; an earlier one stays."""
        with self._database.transaction(), self._database.explained():
            self._database.connection.executemany("INSERT OR IGNORE INTO pseudonym VALUES (?, ?)", originals.items())

    def originals(self) -> dict[str, str]:
        """Return the originals by their pseudonyms."""
        with self._database.explained():
            return dict(self._database.connection.execute("SELECT pseudonym, original FROM pseudonym"))

    def remove(self, pseudonyms: Collection[str]) -> int:
        """Remove pseudonyms with their originals, and return their number.

        Their bytes are overwritten.
        """
        removed = 0
        with self._database.transaction(), self._database.explained():
            for part in _parts(sorted(pseudonyms)):
                places = ",".join("?" * len(part))
                cursor = self._database.connection.execute(
                    f"DELETE FROM pseudonym WHERE pseudonym IN ({places})",  # noqa: S608  only places
                    part,
                )
                removed += cursor.rowcount
        with self._database.explained():
            self._database.connection.execute("VACUUM")
        return removed


def read_pseudonyms(path: Path) -> dict[str, str]:
    """Return the originals by their pseudonyms; empty without a file."""
    if not path.exists():
        return {}
    with PseudonymMap(path) as file:
        return file.originals()


def _parts(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _PER_STATEMENT):
        yield items[start : start + _PER_STATEMENT]
