"""`curator distil`: choose the K cases of an eval set that predict the score of all of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from curator.errors import ConfigError, ExitCode, LogsError
from curator.estimation.comparison.case_weights import CaseDesign, Floats
from curator.estimation.comparison.distillation import (
    MIN_FAMILIES,
    MIN_FAMILIES_FOR_PATTERN,
    CrossValidation,
    Method,
    WeightedSubset,
    best_method,
    choose_cases,
    system_families,
    weighted_means,
)
from curator.exporters.reweighted import from_cells, reweighted
from curator.io.atomic import write_atomic
from curator.readers.eval_results import SystemScores, has_case_id, read_rows
from curator.readers.feedback import case_id_of
from curator.records import JsonValue, RejectedRecord, dump_line, too_many_rejected
from curator.records.result import TableResult, renamed
from curator.text.display import plural
from curator.workflows.system_scores import (
    ResultRows,
    Results,
    checked_scores,
    designs_of,
    paths_or_rows,
    read_results,
)


@dataclass(frozen=True, slots=True)
class Distilled(TableResult):
    """A short eval set.

    Attributes:
        weights: by case id the number of records of the full set (of production, if it has probabilities) that the case
            represents; the weights add up to those of the full set.
        cases: cases of the full set.
        scores: by system its score on the full set and on the short one, 0..1; nan where it has none.
        expected: the error for systems that were not used in the choice; None where it cannot be estimated.
        way: the method of choice, see `choose_cases`.
        families: the number of systems that differ from each other (`system_families`).
        warnings: what to know before relying on it.
        out: the file that the rows were written to; None for none.
        rejected: rows that could not be read.
        rows: rows that could be read.
    """

    weights: Mapping[str, float]
    cases: int
    scores: Mapping[str, tuple[float, float]]
    expected: CrossValidation | None
    way: Method
    families: int
    warnings: tuple[str, ...] = field()
    out: Path | None = None
    rejected: tuple[RejectedRecord, ...] = ()
    rows: int = 0

    problems = renamed("problems", "rejected")

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the rows give no score, else 0."""
        unreadable = too_many_rejected(len(self.rejected), self.rows + len(self.rejected))
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        expected = self.expected
        return {
            "cases": self.cases,
            "kept": len(self.weights),
            "out": str(self.out) if self.out else None,
            "weights": dict(self.weights),
            "systems": [
                {"system": name, "full": _or_none(full), "distilled": _or_none(short)}
                for name, (full, short) in self.scores.items()
            ],
            "way": self.way,
            "families": self.families,
            "expected": None
            if expected is None
            else {
                "error": expected.error,
                "rank_correlation": expected.rank_correlation,
                "random_error": expected.random_error,
                "random_rank_correlation": expected.random_rank_correlation,
                "systems": expected.systems,
                "folds": expected.folds,
            },
            "warnings": list(self.warnings),
            "problems": self.rejected_rows(),
            "rejected": self.rejected_rows(),
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a case that was kept."""
        return [{"id": case_id, "weight": weight} for case_id, weight in self.weights.items()]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        where = f": {self.out}" if self.out else ""
        yield f"{len(self.weights):,} of {plural(self.cases, 'case')} kept{where}, chosen by {self.way}"
        if expected := self.expected:
            yield (
                f"a system left out of the choice was off by {100 * expected.error:.1f} points on average"
                f" ({plural(expected.systems, 'system')} in {plural(expected.folds, 'turn')});"
                f" as many cases drawn at random: {100 * expected.random_error:.1f}"
            )
            if expected.rank_correlation is not None and expected.random_rank_correlation is not None:
                yield (
                    f"order of the systems left out (Kendall's tau): {expected.rank_correlation:.2f};"
                    f" at random: {expected.random_rank_correlation:.2f}"
                )
        elif len(self.weights) < self.cases:
            yield "the error for a system that was not used in the choice cannot be estimated from these results"
        width = max(map(len, self.scores))
        yield f"\n  {'':<{width}}    full  distilled (these systems were used in the choice)"
        for name, (full, short) in list(self.scores.items())[:20]:
            yield f"  {name:<{width}}  {_percent(full)}  {_percent(short)}"
        if len(self.scores) > 20:
            yield f"  {len(self.scores) - 20} more, which --json lists"


def distil(
    scores: Mapping[str, Mapping[str, float]] | Results,
    k: int,
    *,
    design: Mapping[str, CaseDesign] | None = None,
    eval_set: str | Path | None = None,
    by: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int = 0,
) -> Distilled:
    """Choose k cases of an eval set whose weighted score is close to the score of all of it.

    Args:
        scores: `scores[system][case id]` in 0..1; or files of results; or the rows of such a file as dicts. A case without a
            score of a system is left out of the score of that system only.
        k: cases to keep.
        design: the way each case was drawn, by case id; its weight over its inclusion probability is its weight in the full
            set. Without it all cases have the same weight. Only for `scores[system][case id]`: files and rows hold it
            themselves.
        eval_set: the file of the eval set, for files or rows of results.
        by: the keys of a row that name its system, for files or rows of results.
        out: the file to write the chosen rows to; of `scores[system][case id]` only `id` and `weight`.
        seed: of the random draws.

    Raises:
        ConfigError: k is below 1, no system or a run folder is given, or a score or weight is out of range.
        LogsError: a file cannot be read or gives no score, or the eval set lacks cases or has one twice.
        StorageError: `out` cannot be written.
    """
    target = Path(out) if out is not None else None
    if not isinstance(scores, Mapping):
        results = paths_or_rows(scores)
        return distil_files(results, k, eval_set=str(eval_set) if eval_set else None, by=by, out=target, seed=seed)
    result = _distil_scores(scores, k, design or {}, seed)
    if target is not None:
        write_atomic(target, [_line(i, weight, None, result) for i, weight in result.weights.items()])
    return replace(result, out=target)


def _distil_scores(
    scores: Mapping[str, Mapping[str, float]], k: int, designs: Mapping[str, CaseDesign], seed: int
) -> Distilled:
    if k < 1:
        raise ConfigError(f"`k` is {k!r}", remedy="keep at least one case")
    names = checked_scores(scores, least=1)
    ids = sorted({case_id for cases in scores.values() for case_id in cases})
    if not ids:
        raise ConfigError("the systems have no score for any case", remedy="give scores by case id")
    mass = np.array([_represented_records(designs.get(case_id, CaseDesign())) for case_id in ids])
    table = np.array([[scores[name].get(case_id, np.nan) for name in names] for case_id in ids], dtype=float)
    families = system_families(table)
    way, expected = best_method(table, mass, k, families=families, seed=seed) if k < len(ids) else ("difficulty", None)
    chosen = choose_cases(table, mass, k, method=way, seed=seed)
    full, short = weighted_means(table, mass), weighted_means(table[chosen.rows], chosen.weights)
    return Distilled(
        weights={ids[row]: float(w * mass.sum()) for row, w in zip(chosen.rows, chosen.weights, strict=True)},
        cases=len(ids),
        scores={name: (float(full[i]), float(short[i])) for i, name in enumerate(names)},
        expected=expected,
        way=way,
        families=len(set(families)),
        warnings=tuple(_warnings(table, names, k, chosen, len(set(families)))),
    )


def distil_files(
    results: Sequence[str] | ResultRows,
    k: int,
    *,
    eval_set: str | None = None,
    by: Sequence[str] = (),
    out: Path | None = None,
    seed: int = 0,
) -> Distilled:
    """Choose k cases by files of results or by rows in memory, and write their rows.

    The rows are those of `eval_set`; without it those of the results, if each case has one row only.

    Raises:
        LogsError: a file cannot be read or gives no score, or the eval set lacks cases or has one twice.
        ConfigError: as `distil`.
        StorageError: `out` cannot be written.
    """
    read = read_results(results, by=by)
    rows = list(read_rows([eval_set])) if eval_set else _rows_of(results)
    repeated = [case_id for case_id, count in Counter(case_id for case_id, _, _ in rows).items() if count > 1]
    if eval_set and repeated:
        raise LogsError(
            f"{eval_set!r}: {plural(len(repeated), 'id')} used more than once, such as {repeated[0]!r}",
            remedy="give the eval set with one row for each case",
        )
    lines = {} if repeated else {case_id: (line, cells) for case_id, line, cells in rows}
    designs = designs_of({**read.design, **({i: cells for i, (_, cells) in lines.items()} if eval_set else {})})
    scores, warnings = _of_the_set(read, set(lines) if eval_set else None, eval_set)
    result = _distil_scores(scores, k, designs, seed)
    if out is not None:
        write_atomic(out, [_line(i, weight, lines.get(i), result) for i, weight in result.weights.items()])
    if out is not None and repeated:
        warnings.append("the results have several rows for a case: only `id` and `weight` were written; name --eval")
    return replace(
        result, out=out, warnings=(*result.warnings, *read.notes, *warnings), rejected=read.rejected, rows=read.rows
    )


def _rows_of(
    results: Sequence[str] | ResultRows,
) -> list[tuple[str, bytes | None, Mapping[str, JsonValue]]]:
    """Return the id, the written line (None for CSV and in memory) and the cells of each row."""
    in_memory = [row for row in results if isinstance(row, Mapping)]
    if not in_memory:
        return list(read_rows([str(path) for path in results]))
    return [(case_id_of(row), None, row) for row in in_memory if has_case_id(row)]


def _of_the_set(
    read: SystemScores, ids: set[str] | None, eval_set: str | None
) -> tuple[Mapping[str, Mapping[str, float]], list[str]]:
    """Keep the scores of cases in the eval set; warn of cases that only one of the two has."""
    if ids is None:
        return read.scores, []
    scored = {case_id for cases in read.scores.values() for case_id in cases}
    if not scored & ids:
        raise LogsError(
            f"{eval_set!r} has none of the cases in the results",
            remedy="give the results of this eval set, with its ids",
        )
    warnings = []
    if strange := len(scored - ids):
        warnings.append(f"{plural(strange, 'case')} of the results left out: not in {eval_set!r}")
    if without := len(ids - scored):
        warnings.append(f"{plural(without, 'case')} of {eval_set!r} without a result: such a case cannot be chosen")
    return {name: {i: s for i, s in cases.items() if i in ids} for name, cases in read.scores.items()}, warnings


def _line(
    case_id: str, weight: float, row: tuple[bytes | None, Mapping[str, JsonValue]] | None, result: Distilled
) -> bytes:
    """Write the row of a case; its weight includes the inclusion probability, which is removed."""
    changes: dict[str, JsonValue] = {"weight": weight, "distilled": {"kept": len(result.weights), "of": result.cases}}
    if row is None:
        return dump_line({"id": case_id, **changes})
    line, cells = row
    if cells.get("inclusion_probability") is not None:
        changes["inclusion_probability"] = None
    return from_cells(cells, changes) if line is None else reweighted(line, changes)


def _or_none(score: float) -> float | None:
    return None if math.isnan(score) else score


def _percent(score: float) -> str:
    return f"{'-':>6}" if math.isnan(score) else f"{100 * score:5.1f}%"


def _represented_records(design: CaseDesign) -> float:
    return design.weight / (design.inclusion_probability or 1.0)


def _warnings(table: Floats, names: Sequence[str], k: int, chosen: WeightedSubset, families: int) -> Iterator[str]:
    cases = len(table)
    if k >= cases:
        yield f"k is {k:,}, and the eval set has {plural(cases, 'case')}: all are kept with their own weights"
        return
    if k < 2:
        yield "one case cannot rank systems; keep at least 20"
    missing = int(np.isnan(table).sum())
    if missing:
        yield f"{missing:,} of {plural(table.size, 'score')} missing: the score of a system is the mean over the cases that have one"
    unanswered = [name for i, name in enumerate(names) if np.isnan(table[chosen.rows, i]).all()]
    if unanswered:
        yield f"no chosen case has a score of {', '.join(unanswered[:5])}"
    constant = [name for i, name in enumerate(names) if len(set(table[~np.isnan(table[:, i]), i])) == 1]
    if constant:
        yield f"{', '.join(constant[:5])}: the same score in every case, which carries no information about the cases"
    if families < MIN_FAMILIES:
        what = f"{len(names)} system{'' if len(names) == 1 else 's'}"
        yield (
            f"{what}{' that answer nearly alike' if families < len(names) else ''}: too few to estimate the error for another"
            " system; cases are chosen by difficulty"
        )
    elif families < MIN_FAMILIES_FOR_PATTERN:
        yield (
            f"{plural(families, 'system')} that differ: cases are chosen by difficulty and not by pattern, and the error for"
            " another system is only a rough estimate"
        )
