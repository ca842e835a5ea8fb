"""Categories of earlier nights in a JSON file beside the store, with their profiles.

The file has the categories before the last night and after it. A night that is run again (with more labels, or for another
report) is compared with the categories before it and keeps its date, so that the same logs give the same report.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.clustering.night_changes import Counts
from curator.clustering.tracked_categories import CategoryHistory, NightCategory, Role, TrackedCategory
from curator.errors import ConfigError
from curator.io.atomic import write_atomic
from curator.records import Aspect

VERSION = 2
CENTROIDS = "centroids"
"""The method of grouping of version 1, whose categories were clusters of vectors."""


@dataclass(frozen=True, slots=True)
class CategoriesFile:
    """The categories before and after the last night; None where there were none."""

    before: CategoryHistory | None
    after: CategoryHistory | None

    def known_to(self, key: str) -> CategoryHistory | None:
        """Return the categories that a night is compared with.

        A night that is run again has the same `key` as the one that wrote this file.
        """
        return self.before if self._is_again(key) else self.after

    def date_of(self, key: str, today: str) -> str:
        """Return the date of a night: that of its first run if it is run again, else today."""
        return (self.after.date if self.after and self._is_again(key) else "") or today

    def followed_by(self, night: CategoryHistory | None) -> CategoriesFile:
        """Return the file after one more night."""
        return self if night is None else CategoriesFile(self.known_to(night.key), night)

    def _is_again(self, key: str) -> bool:
        return self.after is not None and self.after.key == key


_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _CategoryRow(_Strict):
    id: str
    name: str
    sentence: str
    keywords: tuple[str, ...]
    parent: str | None
    task: str
    aspect: Aspect | None
    profile: dict[str, _Weight]
    cases: _Count
    records: _Count
    named_by: str


class _TrackedRow(_Strict):
    category: _CategoryRow
    signature: str
    role: Role
    shown: _Count
    first_night: int
    last_night: int
    nights: int
    first_seen: str
    last_seen: str


class _CountsRow(_Strict):
    cases: _Count
    records: _Count
    by_task: dict[str, _Count]


class _HistoryRow(_Strict):
    method: str
    night: int
    key: str
    date: str
    counts: _CountsRow
    categories: tuple[_TrackedRow, ...]


class _File(_Strict):
    version: int
    before: _HistoryRow | None
    after: _HistoryRow | None


class _Version(BaseModel):
    version: int


class _OldNight(BaseModel):
    night: int
    key: str
    cases: _Count


class _OldFile(BaseModel):
    before: _OldNight | None
    after: _OldNight | None


def read_categories(path: Path) -> CategoriesFile:
    """Read the file; where there is none, nothing is known.

    A file of version 1 is that of another method of grouping, without categories to compare with.

    Raises:
        ConfigError: it is damaged, or of a later version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return CategoriesFile(None, None)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        version = _Version.model_validate_json(data).version
        if version == 1:
            old = _OldFile.model_validate_json(data)
            return CategoriesFile(before=_without_categories(old.before), after=_without_categories(old.after))
        if version != VERSION:
            raise _unreadable(path, f"`version` is {version}, and this curator reads {VERSION}")
        content = _File.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise _unreadable(path, f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error
    return CategoriesFile(before=_history(content.before), after=_history(content.after))


def write_categories(path: Path, file: CategoriesFile) -> None:
    """Write the file.

    Raises:
        StorageError: it cannot be written.
    """
    content = {
        "version": VERSION,
        "before": asdict(file.before) if file.before else None,
        "after": asdict(file.after) if file.after else None,
    }
    write_atomic(path, [orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])


def _history(stored: _HistoryRow | None) -> CategoryHistory | None:
    if stored is None:
        return None
    tracked = tuple(
        TrackedCategory(
            NightCategory(**dict(row.category)), row.signature, row.role, row.shown, row.first_night, row.last_night, row.nights,
            row.first_seen, row.last_seen,
        )
        for row in stored.categories
    )  # fmt: skip
    return CategoryHistory(stored.method, stored.night, stored.key, stored.date, Counts(**dict(stored.counts)), tracked)


def _without_categories(night: _OldNight | None) -> CategoryHistory | None:
    if night is None:
        return None
    return CategoryHistory(CENTROIDS, night.night, night.key, "", Counts(night.cases, night.cases, {}), ())


def _unreadable(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{str(path)!r}: the categories of earlier nights cannot be read ({what})",
        remedy="restore the file from a backup; without it (move it away) all categories are new ones",
    )
