"""Draws of earlier nights and the labels of their cases, a file beside the store.

A label is worth something as long as it is known with what probability its case was drawn. The file keeps that of each night, so that
labels stay in the estimate when logs are added, when they come late, and when the run folder is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.errors import ConfigError
from curator.estimation.sample_design import Stage, Stratum
from curator.io.atomic import write_atomic
from curator.records import Slice

VERSION = 1
KEPT_WITHOUT_LABELS = 14
"""The last so many nights are kept without labels, which may still come: two weeks. Those with labels are all kept."""


@dataclass(frozen=True, slots=True)
class NightDraw:
    """The draw of a night.

    Attributes:
        date: of its first run.
        settings: a fingerprint of the seed and the settings of the selection.
        stage: the draw, from all cases of that night.
        slices: how discovery chose its picks, by case id.
        weights: the log records of each case that represents more than one.
    """

    date: str
    settings: str
    stage: Stage
    slices: Mapping[str, Slice] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def is_again(self, cases: Collection[str], settings: str) -> bool:
        """Return whether a run over these cases, with these settings, is a run of this night."""
        return self.settings == settings and self.stage.cases == frozenset(cases)


@dataclass(frozen=True, slots=True)
class DrawsFile:
    """The nights in order, and the labels of the cases that they chose.

    Attributes:
        nights: in order.
        failures: 0 (right) to 1, by case id.
        answers: the mark of the answer that was judged (`records.answer_mark`), by case id, where it is known.
    """

    nights: tuple[NightDraw, ...] = ()
    failures: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    def of_other_answers(self, answers: Mapping[str, str]) -> frozenset[str]:
        """Return the labelled cases whose answers have other marks now."""
        return frozenset(i for i in self.failures if i in answers and self.answers.get(i, answers[i]) != answers[i])

    def followed_by(
        self, night: NightDraw, failures: Mapping[str, float], answers: Mapping[str, str] | None = None
    ) -> DrawsFile:
        """Return the file after a night, which replaces an earlier run of it and keeps its date.

        `answers` are the marks of the night's cases.
        """
        before = [n for n in self.nights if not n.is_again(night.stage.cases, night.settings)]
        date = next((n.date for n in self.nights if n not in before), night.date)
        labels = {**self.failures, **failures}
        nights = [*before, replace(night, date=date)]
        recent = nights[-KEPT_WITHOUT_LABELS:]
        kept = tuple(n for n in nights if n in recent or not labels.keys().isdisjoint(n.stage.drawn))
        chosen = {i for n in kept for i in (*n.stage.certain, *n.stage.drawn)}
        failed = {i: labels[i] for i in sorted(labels.keys() & chosen)}
        marks = {**self.answers, **{i: mark for i, mark in (answers or {}).items() if i in failures}}
        return DrawsFile(kept, failed, {i: marks[i] for i in failed if i in marks})

    def without(self, cases: Collection[str]) -> DrawsFile:
        """Return the file without these cases; the draws hold for the others."""
        nights = []
        for night in self.nights:
            others = night.stage.cases - set(cases)
            slices = {i: slice_ for i, slice_ in night.slices.items() if i in others}
            weights = {i: weight for i, weight in night.weights.items() if i in others}
            nights.append(replace(night, stage=night.stage.among(others), slices=slices, weights=weights))
        failures = {i: failure for i, failure in self.failures.items() if i not in cases}
        return DrawsFile(tuple(nights), failures, {i: mark for i, mark in self.answers.items() if i not in cases})


def purge_draws(path: Path, cases: Collection[str], *, dry_run: bool) -> int:
    """Remove cases from the file, and return how many of them it holds."""
    file = read_draws(path)
    held = set(cases) & frozenset().union(*(night.stage.cases for night in file.nights))
    if held and not dry_run:
        write_draws(path, file.without(held))
    return len(held)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _StratumRow(_Strict):
    cases: tuple[str, ...]
    drawn: tuple[str, ...]


class _NightRow(_Strict):
    date: str
    settings: str
    certain: tuple[str, ...]
    strata: tuple[_StratumRow, ...]
    slices: dict[str, Slice]
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]


class _File(_Strict):
    version: int
    nights: tuple[_NightRow, ...]
    failures: dict[str, Annotated[float, Field(ge=0, le=1)]]
    answers: dict[str, str] = Field(default_factory=dict)


def read_draws(path: Path) -> DrawsFile:
    """Read the file; where there is none, nothing was drawn.

    Raises:
        ConfigError: it is damaged, or of another version.
    """
    try:
        content = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return DrawsFile()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise _unreadable(path, f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error
    if content.version != VERSION:
        raise _unreadable(path, f"`version` is {content.version}, and this curator reads {VERSION}")
    return DrawsFile(tuple(map(_night, content.nights)), content.failures, content.answers)


def write_draws(path: Path, file: DrawsFile) -> None:
    """Write the file.

    Raises:
        StorageError: it cannot be written.
    """
    nights = [
        {
            "date": night.date,
            "settings": night.settings,
            "certain": night.stage.certain,
            "strata": [{"cases": stratum.cases, "drawn": stratum.drawn} for stratum in night.stage.strata],
            "slices": dict(sorted(night.slices.items())),
            "weights": dict(sorted(night.weights.items())),
        }
        for night in file.nights
    ]
    content = {"version": VERSION, "nights": nights, "failures": dict(file.failures), "answers": dict(file.answers)}
    write_atomic(path, [orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)])


def _night(row: _NightRow) -> NightDraw:
    stage = Stage(row.certain, tuple(Stratum(stratum.cases, stratum.drawn) for stratum in row.strata))
    return NightDraw(row.date, row.settings, stage, row.slices, row.weights)


def _unreadable(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{str(path)!r}: the draws of earlier nights cannot be read ({what})",
        remedy="restore the file from a backup; without it (move it away) the labels of earlier nights no longer count for the"
        " failure rate",
    )
