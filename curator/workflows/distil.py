"""`curator distil`: the K cases of an eval set whose weighted score stands for the score of all of it."""

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
from curator.readers.eval_results import SystemScores, read_rows, read_system_scores
from curator.records import JsonValue, RejectedRecord, dump_line, too_many_rejected
from curator.records.result import TableResult, renamed
from curator.text.display import plural
from curator.workflows.inputs import Paths, path_list
from curator.workflows.system_scores import checked_scores, designs_of


@dataclass(frozen=True, slots=True)
class Distilled(TableResult):
    """A short eval set.

    Attributes:
        weights: by case id how many records of the full set (or of production, where it has probabilities) the case
            stands for; together as many as the full set stands for.
        cases: how many the full set has.
        scores: by system its score on the full set and on the short one, 0..1; nan where it has none.
        expected: the error for systems that the choice knew nothing of; None where that cannot be told.
        way: how they were chosen, see `choose_cases`.
        families: how many systems differ from each other (`system_families`).
        warnings: what to know before relying on it.
        out: where the rows went.
        rejected: rows that could not be read.
        rows: how many could.
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
        """6 where more than a fifth of the rows give no score, else 0."""
        unreadable = too_many_rejected(len(self.rejected), self.rows + len(self.rejected))
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """The result for machines."""
        expected = self.expected
        return {
            "cases": self.cases,
            "kept": len(self.weights),
            "out": str(self.out) if self.out else None,
            "weights": dict(self.weights),
            "systems": [
                {"system": name, "full": _known(full), "distilled": _known(short)}
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
        """The result for people."""
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
            yield "how far off a system will be that the choice did not know cannot be told from these"
        width = max(map(len, self.scores))
        yield f"\n  {'':<{width}}    full  distilled (these the choice did know)"
        for name, (full, short) in list(self.scores.items())[:20]:
            yield f"  {name:<{width}}  {_percent(full)}  {_percent(short)}"
        if len(self.scores) > 20:
            yield f"  {len(self.scores) - 20} more, which --json lists"


def distil(
    scores: Mapping[str, Mapping[str, float]] | Paths,
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
        scores: `scores[system][case id]` in 0..1; or files of results. A case without a score of a system is left out of the
            score of that system only.
        k: cases to keep.
        design: the way each case was drawn, by case id; its weight over its inclusion probability is its weight in the full
            set. Without it all cases have the same weight. Only for scores in memory: files hold it themselves.
        eval_set: the file of the eval set, for files of results.
        by: the keys of a row that name its system, for files of results.
        out: the file to write the chosen rows to; of scores in memory only `id` and `weight`.
        seed: of the random draws.

    Raises:
        ConfigError: k is below 1, there is no system, or a score or weight is out of range.
        LogsError: a file cannot be read or gives no score, or the eval set lacks cases or has one twice.
        StorageError: `out` cannot be written.
    """
    target = Path(out) if out is not None else None
    if not isinstance(scores, Mapping):
        files = path_list(scores)
        return distil_files(files, k, eval_set=str(eval_set) if eval_set else None, by=by, out=target, seed=seed)
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
    mass = np.array([_stands_for(designs.get(case_id, CaseDesign())) for case_id in ids])
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
    results: Sequence[str],
    k: int,
    *,
    eval_set: str | None = None,
    by: Sequence[str] = (),
    out: Path | None = None,
    seed: int = 0,
) -> Distilled:
    """Choose k cases by files of results and write their rows of `eval_set`, or of the results if each case has but one.

    Raises:
        LogsError: a file cannot be read or gives no score, or the eval set lacks cases or has one twice.
        ConfigError: as `distil`.
        StorageError: `out` cannot be written.
    """
    read = read_system_scores(results, by=by)
    source = [eval_set] if eval_set else list(results)
    rows = list(read_rows(source))
    repeated = [case_id for case_id, count in Counter(case_id for case_id, _, _ in rows).items() if count > 1]
    if eval_set and repeated:
        raise LogsError(
            f"{eval_set!r}: {plural(len(repeated), 'id')} used more than once, such as {repeated[0]!r}",
            remedy="give the eval set with one row for each case",
        )
    lines = {} if repeated else {case_id: (line, cells) for case_id, line, cells in rows}
    known = designs_of({**read.design, **({i: cells for i, (_, cells) in lines.items()} if eval_set else {})})
    scores, warnings = _of_the_set(read, set(lines) if eval_set else None, eval_set)
    made = _distil_scores(scores, k, known, seed)
    if out is not None:
        write_atomic(out, [_line(i, weight, lines.get(i), made) for i, weight in made.weights.items()])
    if out is not None and repeated:
        warnings.append("the results have several rows for a case: only `id` and `weight` were written; name --eval")
    return replace(made, out=out, warnings=(*made.warnings, *warnings), rejected=read.problems, rows=read.rows)


def _of_the_set(
    read: SystemScores, ids: set[str] | None, eval_set: str | None
) -> tuple[Mapping[str, Mapping[str, float]], list[str]]:
    """The scores of the cases that are in the eval set, with a warning for what does not match."""
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
    case_id: str, weight: float, row: tuple[bytes | None, Mapping[str, JsonValue]] | None, made: Distilled
) -> bytes:
    """The row as it is written: its weight takes in the inclusion probability, which is then none of its own."""
    changes: dict[str, JsonValue] = {"weight": weight, "distilled": {"kept": len(made.weights), "of": made.cases}}
    if row is None:
        return dump_line({"id": case_id, **changes})
    line, cells = row
    if cells.get("inclusion_probability") is not None:
        changes["inclusion_probability"] = None
    return from_cells(cells, changes) if line is None else reweighted(line, changes)


def _known(score: float) -> float | None:
    return None if math.isnan(score) else score


def _percent(score: float) -> str:
    return f"{'-':>6}" if math.isnan(score) else f"{100 * score:5.1f}%"


def _stands_for(design: CaseDesign) -> float:
    return design.weight / (design.inclusion_probability or 1.0)


def _warnings(table: Floats, names: Sequence[str], k: int, chosen: WeightedSubset, families: int) -> Iterator[str]:
    cases = len(table)
    if k >= cases:
        yield f"k is {k:,}, and the eval set has {plural(cases, 'case')}: all are kept with their own weights"
        return
    if k < 2:
        yield "one case tells of no system how good it is: keep some tens at least"
    missing = int(np.isnan(table).sum())
    if missing:
        yield f"{missing:,} of {plural(table.size, 'score')} missing: a system's score is over the cases it has one for"
    unanswered = [name for i, name in enumerate(names) if np.isnan(table[chosen.rows, i]).all()]
    if unanswered:
        yield f"no chosen case has a score of {', '.join(unanswered[:5])}"
    constant = [name for i, name in enumerate(names) if len(set(table[~np.isnan(table[:, i]), i])) == 1]
    if constant:
        yield f"{', '.join(constant[:5])}: the same score in every case, which tells nothing of the cases"
    if families < MIN_FAMILIES:
        what = f"{len(names)} system{'' if len(names) == 1 else 's'}"
        yield (
            f"with {what}{' that answer nearly alike' if families < len(names) else ''} it cannot be told how far off an"
            " unknown one will be; cases are chosen by difficulty"
        )
    elif families < MIN_FAMILIES_FOR_PATTERN:
        yield (
            f"with {plural(families, 'system')} that differ, cases are chosen by difficulty and not by pattern, and the error"
            " for an unknown one is itself known only roughly"
        )
