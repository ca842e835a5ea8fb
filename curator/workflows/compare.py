"""`curator compare`: test which of several prompts or models is better on one eval set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from curator.errors import ConfigError, LogsError
from curator.estimation.comparison.case_weights import CaseDesign, Sample, sample_of, with_known_design
from curator.estimation.comparison.multiple import Pair, SystemRank, compare_many, rank_systems, reversed_pair
from curator.estimation.comparison.paired import labels_needed
from curator.readers.eval_results import read_designs
from curator.text.display import plural
from curator.workflows.comparison_result import MISSING_POLICIES, Comparison, MissingPolicy, PairComparison
from curator.workflows.doubtful_labels import labels_in_doubt, with_details
from curator.workflows.system_scores import (
    ResultRows,
    Results,
    checked_design,
    checked_scores,
    designs_of,
    paths_or_rows,
    read_results,
)

FEW_DIFFERING = 10
"""Below this many differing cases a verdict depends on two or three labels; it is given with a warning."""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The settings of a comparison.

    Attributes:
        baseline: compare every other system with this one; None for all pairs.
        confidence: of the intervals; 1 less it is the error rate of the tests, over all comparisons together.
        power: the probability to detect the true difference that `labels_needed` is computed for.
        detect: the true difference to plan for, 0..1; None for the measured one.
        seed: of the draws behind the simultaneous intervals.
        missing: `fail` counts a case that the baseline has a score for and a candidate has not as a failure (0) of the
            candidate; `ignore` leaves it out. Without a baseline such cases are always left out.
    """

    baseline: str | None = None
    confidence: float = 0.95
    power: float = 0.8
    detect: float | None = None
    seed: int = 0
    missing: MissingPolicy = "fail"

    def __post_init__(self) -> None:
        for name, value in (("confidence", self.confidence), ("power", self.power)):
            if not 0 < value < 1:
                raise ConfigError(f"`{name}` is {value!r}", remedy="give a share between 0 and 1, such as 0.95")
        if self.detect is not None and not 0 < self.detect <= 1:
            raise ConfigError(
                f"`detect` is {self.detect!r}", remedy="give a difference of scores above 0, such as 0.02"
            )
        if self.missing not in MISSING_POLICIES:
            raise ConfigError(f"`missing` is {self.missing!r}", remedy=f"choose one of: {', '.join(MISSING_POLICIES)}")


def compare(
    scores: Mapping[str, Mapping[str, float]] | Results,
    *,
    design: Mapping[str, CaseDesign] | None = None,
    eval_set: str | Path | None = None,
    by: Sequence[str] = (),
    options: CompareOptions | None = None,
) -> Comparison:
    """Compare systems by their scores on the same cases.

    Args:
        scores: `scores[system][case id]` in 0..1, higher is better; or files of results; or the rows of such a file as dicts.
        design: the way each case was drawn, by case id; without it the cases count as a simple random sample. Only for
            `scores[system][case id]`: files and rows hold it themselves.
        eval_set: the file that holds the design of the cases, for files or rows of results.
        by: the keys of a row that name its system, for files or rows of results.
        options: the settings.

    Raises:
        ConfigError: fewer than two systems, an unknown baseline, a score or weight out of range, or a run folder.
        LogsError: a file cannot be read, or no case has a score of every system.
    """
    if isinstance(scores, Mapping):
        return _compare_scores(scores, design or {}, options or CompareOptions())
    return compare_files(paths_or_rows(scores), eval_set=str(eval_set) if eval_set else None, by=by, options=options)


def _compare_scores(
    scores: Mapping[str, Mapping[str, float]], design: Mapping[str, CaseDesign], options: CompareOptions
) -> Comparison:
    names = checked_scores(scores, least=2)
    if options.baseline is not None and options.baseline not in scores:
        raise ConfigError(
            f"the baseline {options.baseline!r} is not one of the systems {', '.join(map(repr, names[:12]))}",
            remedy="name one of them as the baseline",
        )
    ids = _compared_ids(scores, names, options)
    designs = [design.get(case_id, CaseDesign()) for case_id in ids]
    kept = [case_id for case_id, is_drawn in zip(ids, with_known_design(designs), strict=True) if is_drawn]
    sample = sample_of([checked_design(case_id, design.get(case_id, CaseDesign())) for case_id in kept])
    table = np.array([[scores[name].get(case_id, 0.0) for name in names] for case_id in kept], dtype=float)
    places = range(len(names))
    base = names.index(options.baseline) if options.baseline else None
    wanted = [(i, j) for i in places for j in places if (i < j if base is None else i == base != j)]
    pairs = compare_many(table, sample, wanted, confidence=options.confidence, seed=options.seed)
    ranks = rank_systems(table, sample, pairs, confidence=options.confidence)
    return Comparison(
        systems={names[i]: ranks[i] for i in sorted(places, key=lambda i: (-ranks[i].score, names[i]))},
        pairs=tuple(_pair_comparison(pair, names, ranks, options, len(pairs)) for pair in pairs),
        tied_for_best=tuple(names[i] for i in places if base is None and ranks[i].best_rank == 1),
        cases=len(kept),
        left_out=_left_out(scores, ids, kept, baseline=options.baseline if options.missing == "fail" else None),
        scope=sample.scope,
        warnings=tuple(_warnings(pairs, names, sample, designs)),
        confidence=options.confidence,
        missing=_missing(scores, names, options),
        missing_policy=options.missing if options.baseline else "ignore",
        doubts=labels_in_doubt(scores),
    )


def _compared_ids(
    scores: Mapping[str, Mapping[str, float]], names: Sequence[str], options: CompareOptions
) -> list[str]:
    """Return the cases to compare on, sorted.

    An evaluation that breaks off must not pass a gate: where a baseline is named, its cases count for every candidate.
    """
    common = set.intersection(*(set(scores[name]) for name in names))
    if not common:
        raise LogsError(
            f"no case has a score of all {len(names)} systems",
            remedy="compare results on the same cases, with the same ids; pairs are made by `id`",
        )
    return sorted(scores[options.baseline] if options.baseline and options.missing == "fail" else common)


def _missing(
    scores: Mapping[str, Mapping[str, float]], names: Sequence[str], options: CompareOptions
) -> dict[str, int]:
    """Count, by system, the cases of the baseline (else of any system) that it has no score for."""
    cases = {case_id for name in names if options.baseline in (None, name) for case_id in scores[name]}
    counts = {name: len(cases - scores[name].keys()) for name in names}
    return {name: count for name, count in counts.items() if count}


def compare_files(
    results: Sequence[str] | ResultRows,
    *,
    eval_set: str | None = None,
    by: Sequence[str] = (),
    options: CompareOptions | None = None,
) -> Comparison:
    """Compare the systems in files of results, or in rows in memory.

    `eval_set` is the file that holds the design of the cases.

    Raises:
        LogsError: a file cannot be read, or holds nothing to compare.
        ConfigError: as `compare`.
    """
    read = read_results(results, by=by)
    eval_rows, notes = read_designs(eval_set) if eval_set else ({}, ())
    scores = read.scores
    warnings = [*read.notes, *notes]
    if eval_set:
        scored = {case_id for cases in scores.values() for case_id in cases}
        scores = {name: {i: s for i, s in cases.items() if i in eval_rows} for name, cases in scores.items()}
        if strange := len(scored - eval_rows.keys()):
            warnings.append(f"{plural(strange, 'case')} of the results left out: not in {eval_set!r}")
        if unscored := len(eval_rows.keys() - scored):
            warnings.append(f"{plural(unscored, 'case')} of {eval_set!r} without a result of any system: not compared")
    if read.repeated:
        warnings.append(f"{plural(read.repeated, 'time')}, one system has several scores for a case: their mean counts")
    result = compare(scores, design=designs_of({**read.design, **eval_rows}), options=options)
    doubts = with_details(result.doubts, eval_set, read.answers)
    return replace(
        result, warnings=(*result.warnings, *warnings), rejected=read.rejected, rows=read.rows, doubts=doubts
    )


def _pair_comparison(
    pair: Pair, names: Sequence[str], ranks: Sequence[SystemRank], options: CompareOptions, pairs: int
) -> PairComparison:
    """Return the comparison of a pair; without a baseline the better one is the candidate.

    `labels_needed` is corrected for the number of comparisons, `pairs` (Bonferroni).
    """
    if options.baseline is None and ranks[pair.first].score > ranks[pair.second].score:
        pair = reversed_pair(pair)
    measured = pair.single
    verdict = "not decided"
    if pair.adjusted_p < 1 - options.confidence and measured.difference:
        verdict = "better" if measured.difference > 0 else "worse"
    true = options.detect if options.detect is not None else measured.difference
    return PairComparison(
        baseline=names[pair.first],
        candidate=names[pair.second],
        difference=measured.difference,
        low=measured.low,
        high=measured.high,
        simultaneous=(pair.low, pair.high),
        p=measured.p,
        adjusted_p=pair.adjusted_p,
        verdict=verdict,
        differing=measured.differing,
        effective_cases=measured.effective_cases,
        labels_needed=labels_needed(
            measured, true, confidence=1 - (1 - options.confidence) / pairs, power=options.power
        ),
    )


def _left_out(
    scores: Mapping[str, Mapping[str, float]], ids: Sequence[str], kept: Sequence[str], *, baseline: str | None
) -> dict[str, int]:
    everything = {case_id for cases in scores.values() for case_id in cases}
    unscored = "without a score of every system" if baseline is None else f"without a score of {baseline!r}"
    counts = {
        unscored: len(everything) - len(ids),
        "without an inclusion probability, though others have one": len(ids) - len(kept),
    }
    return {reason: count for reason, count in counts.items() if count}


def _warnings(
    pairs: Iterable[Pair], names: Sequence[str], sample: Sample, designs: Sequence[CaseDesign]
) -> Iterator[str]:
    if sample.scope == "these cases":
        what = "distilled cases" if any(design.distilled for design in designs) else "certain picks"
        yield (
            f"only {what}: the differences are those on these cases; label some of a random slice to speak for production"
        )
    few = [pair for pair in pairs if pair.single.differing < FEW_DIFFERING]
    for pair in few[:3]:
        yield (
            f"not enough data: {names[pair.first]!r} and {names[pair.second]!r} differ in {plural(pair.single.differing, 'case')}"
            f" of {pair.single.cases}"
        )
    if len(few) > 3:
        yield f"the same holds for {plural(len(few) - 3, 'more pair')}: each differs in fewer than {FEW_DIFFERING} cases"
