"""The checked inputs of `compare` and `distil`: scores by system, designs of the cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from curator.errors import ConfigError
from curator.estimation.comparison.case_weights import CaseDesign
from curator.readers.eval_results import SystemScores, read_system_scores, system_scores_of
from curator.records import JsonValue
from curator.run_folder.layout import DESIGN, MANIFEST
from curator.workflows.inputs import HasFolder

ResultRows: TypeAlias = Sequence[Mapping[str, JsonValue]]
Results: TypeAlias = str | Path | HasFolder | Iterable[str | Path | Mapping[str, JsonValue]]
"""Results of systems: a file or several, or rows in memory with the keys of a row of such a file."""

_LEAST, _MOST = 1e-12, 1e15
"""The range of weights and probabilities: beyond it their squares do not fit into a float."""


def paths_or_rows(results: Results) -> list[str] | ResultRows:
    """Return the paths of files of results, or the rows in memory.

    Raises:
        ConfigError: paths and rows are mixed, or a run is given.
    """
    if isinstance(results, HasFolder):
        return [str(results.folder)]
    given = [results] if isinstance(results, str | Path) else list(results)
    rows = [row for row in given if isinstance(row, Mapping)]
    if rows and len(rows) < len(given):
        raise ConfigError("the results are paths and rows in one list", remedy="give either files or rows in memory")
    return rows or [str(path) for path in given]


def read_results(results: Sequence[str] | ResultRows, *, by: Sequence[str]) -> SystemScores:
    """Read results from files, or from rows in memory.

    Raises:
        LogsError: a path matches nothing, or no row gives a score.
        ConfigError: a path is the folder of a run or a selection.
    """
    rows = [row for row in results if isinstance(row, Mapping)]
    if rows:
        return system_scores_of(rows, by=by)
    paths = [str(path) for path in results]
    for path in paths:
        if any(file.of(Path(path)).is_file() for file in (MANIFEST, DESIGN)):
            raise ConfigError(
                f"{path!r} is the folder of a run or a selection, which holds no results of systems",
                remedy="name files of results: rows of `id`, `system` and `score` (0..1)",
            )
    return read_system_scores(paths, by=by)


def designs_of(rows: Mapping[str, Mapping[str, JsonValue]]) -> dict[str, CaseDesign]:
    """Read how each case was drawn from the rows of an eval set; by case id.

    Raises:
        ConfigError: a weight or a probability is out of range.
    """
    return {case_id: checked_design(case_id, _design(case_id, row)) for case_id, row in rows.items()}


def _design(case_id: str, row: Mapping[str, JsonValue]) -> CaseDesign:
    chance = row.get("inclusion_probability")
    return CaseDesign(
        weight=_number(case_id, "weight", row.get("weight", 1)),
        inclusion_probability=None if chance is None else _number(case_id, "inclusion_probability", chance),
        slice=str(row["slice"]) if row.get("slice") is not None else None,
        stratum=_stratum(row),
        distilled=bool(row.get("distilled")),
    )


def _stratum(row: Mapping[str, JsonValue]) -> str | None:
    """Return the stratum with its stage: every stage numbers its strata from 0."""
    stratum = row.get("stratum")
    return None if stratum is None else f"{row.get('stage', 1)}/{stratum}"


def _number(case_id: str, name: str, value: JsonValue) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise ConfigError(f"`{name}` of case {case_id!r} is {value!r}", remedy="give a number") from None


def checked_design(case_id: str, design: CaseDesign) -> CaseDesign:
    """Return the design of a case.

    Raises:
        ConfigError: its weight or its inclusion probability is out of range.
    """
    chance = design.inclusion_probability
    if chance is not None and not _LEAST <= chance <= 1:
        raise ConfigError(
            f"`inclusion_probability` of case {case_id!r} is {chance!r}",
            remedy=f"give the chance it was drawn with, {_LEAST:g} to 1, as `curator` writes it",
        )
    if not _LEAST <= design.weight <= _MOST:
        raise ConfigError(
            f"`weight` of case {case_id!r} is {design.weight!r}",
            remedy=f"give the number of log records it represents, {_LEAST:g} to {_MOST:g}, or leave it out",
        )
    return design


def checked_scores(scores: Mapping[str, Mapping[str, float]], *, least: int) -> list[str]:
    """Return the sorted names of the systems.

    Raises:
        ConfigError: there are fewer than `least`, or a score is not in 0..1.
    """
    names = sorted(scores)
    if len(names) < least:
        raise ConfigError(
            f"there is nothing to {'compare' if least > 1 else 'choose by'}: the results name {len(names)} system{'' if len(names) == 1 else 's'}"
            + (f", {names[0]!r}" if names else ""),
            remedy="give one file for each system, or name the systems in each row (`system`, `model`, or --by KEY)",
        )
    for name, cases in scores.items():
        bad = next((item for item in cases.items() if not _is_score(item[1])), None)
        if bad:
            raise ConfigError(
                f"the score of {name!r} for case {bad[0]!r} is {bad[1]!r}",
                remedy="give scores in 0..1; divide other marks by the highest one",
            )
    return names


def _is_score(value: object) -> bool:
    try:
        return bool(0 <= value <= 1)  # type: ignore[operator]
    except TypeError:  # a text, or nothing
        return False
