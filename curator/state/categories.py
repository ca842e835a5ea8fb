"""Categories of earlier nights in a JSON file beside the store, with their centroids.

The file has the categories before the last night and after it. A night that is run again (with more labels, or for another
report) is compared with the categories before it, so that the same logs give the same report.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from curator.clustering.tracking import CategoryHistory, TrackedCategory
from curator.errors import ConfigError
from curator.io.atomic import write_atomic

VERSION = 1


@dataclass(frozen=True, slots=True)
class CategoriesFile:
    """The categories before and after the last night; None where there were none."""

    before: CategoryHistory | None
    after: CategoryHistory | None

    def known_to(self, key: str) -> CategoryHistory | None:
        """Return the categories that a night is compared with.

        A night that is run again has the same `key` as the one that wrote this file.
        """
        return self.before if self.after and self.after.key == key else self.after

    def followed_by(self, night: CategoryHistory | None) -> CategoriesFile:
        """Return the file after one more night."""
        return self if night is None else CategoriesFile(self.known_to(night.key), night)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    keywords: tuple[str, ...]
    centroid: str
    radius: float
    size: int
    first_night: int
    last_night: int
    nights: int
    first_seen: str
    last_seen: str


class _HistoryRow(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: str
    night: int
    key: str
    cases: int
    next_number: int
    categories: tuple[_Row, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    before: _HistoryRow | None
    after: _HistoryRow | None


def read_categories(path: Path) -> CategoriesFile:
    """Read the file; where there is none, nothing is known.

    Raises:
        ConfigError: it is damaged, or of another version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return CategoriesFile(None, None)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        content = _File.model_validate_json(data)
        if content.version != VERSION:
            raise _unreadable(path, f"`version` is {content.version}, and this curator reads {VERSION}")
        return CategoriesFile(
            before=_history(content.before) if content.before else None,
            after=_history(content.after) if content.after else None,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise _unreadable(path, f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error
    except (ValueError, binascii.Error) as error:
        raise _unreadable(path, f"a `centroid` cannot be read: {error}") from error


def write_categories(path: Path, file: CategoriesFile) -> None:
    """Write the file.

    Raises:
        StorageError: it cannot be written.
    """
    content = {
        "version": VERSION,
        "before": _dumped(file.before) if file.before else None,
        "after": _dumped(file.after) if file.after else None,
    }
    write_atomic(path, [orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])


def _dumped(history: CategoryHistory) -> dict[str, object]:
    return {
        "encoder": history.encoder,
        "night": history.night,
        "key": history.key,
        "cases": history.cases,
        "next_number": history.next_number,
        "categories": [
            {
                "id": c.id, "name": c.name, "keywords": c.keywords, "centroid": _packed(c.centroid), "radius": c.radius,
                "size": c.size, "first_night": c.first_night, "last_night": c.last_night, "nights": c.nights,
                "first_seen": c.first_seen, "last_seen": c.last_seen,
            }
            for c in history.categories
        ],
    }  # fmt: skip


def _history(stored: _HistoryRow) -> CategoryHistory:
    categories = tuple(
        TrackedCategory(**{**row.model_dump(), "keywords": row.keywords, "centroid": _unpacked(row.centroid)})
        for row in stored.categories
    )
    return CategoryHistory(stored.encoder, stored.night, stored.key, stored.cases, stored.next_number, categories)


def _packed(vector: NDArray[np.float32]) -> str:
    """Pack a vector in half precision, as base64 text.

    It moves a cosine by less than .001, and a file of 300 categories takes 0.3 MB.
    """
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f2").astype(np.float32)


def _unreadable(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{str(path)!r}: the categories of earlier nights cannot be read ({what})",
        remedy="restore the file from a backup; without it (move it away) all categories are new ones, with ids from 1 on",
    )
