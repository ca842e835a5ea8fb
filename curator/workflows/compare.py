"""`curator compare`: which of several prompts or models is better on one eval set, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curator.errors import ConfigError, ExitCode, LogsError
from curator.estimation.comparison.case_weights import CaseDesign, Sample, Scope, drawn, sample_of
from curator.estimation.comparison.multiple import Pair, Standing, compare_many, standings, swapped
from curator.estimation.comparison.paired import labels_needed
from curator.readers.eval_results import read_designs, read_system_scores
from curator.records import JsonValue, RejectedRecord, too_many_rejected
from curator.records.result import Result, renamed
from curator.text.display import plural

FEW_DIFFERING = 10
"""Below this many differing cases a verdict hangs on two or three labels; it is given with a warning."""
_LEAST, _MOST = 1e-12, 1e15
"""Weights and probabilities beyond are no counts and no chances, and their squares are beyond what a float can hold."""
MOST_PAIRS = 15
"""Of more pairs the text shows only those with the best system."""
_SPEAKS_FOR: Mapping[Scope, str] = {
    "production": "the traffic the pool came from, by the inclusion probabilities",
    "sample": "what they are drawn from: without inclusion probabilities taken as a simple random sample",
    "these cases": "these cases alone: they were chosen and not drawn by chance, so that they do not speak for production",
}


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How to compare.

    Attributes:
        baseline: compare every other system with this one; None for all pairs.
        confidence: of the intervals; one less it is the error the tests allow, over all comparisons.
        power: the chance of finding the true difference that `labels_needed` is for.
        detect: the true difference to plan for, 0..1; None for the one that was seen.
        seed: of the draws behind the simultaneous intervals.
    """

    baseline: str | None = None
    confidence: float = 0.95
    power: float = 0.8
    detect: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("confidence", self.confidence), ("power", self.power)):
            if not 0 < value < 1:
                raise ConfigError(f"`{name}` is {value!r}", remedy="give a share between 0 and 1, such as 0.95")
        if self.detect is not None and not 0 < self.detect <= 1:
            raise ConfigError(
                f"`detect` is {self.detect!r}", remedy="give a difference of scores above 0, such as 0.02"
            )


@dataclass(frozen=True, slots=True)
class Compared:
    """One system against another; positive differences say that `candidate` is better.

    Attributes:
        baseline: the system that is subtracted.
        candidate: the other one.
        difference: the mean of candidate less baseline, -1..1.
        low: the lower end of its interval.
        high: the upper end.
        simultaneous: the interval that holds for all comparisons at once; the same one where there is but one.
        p: the sign-flip test's, two-sided.
        adjusted_p: p once all comparisons are counted (Holm).
        verdict: what that says at the confidence asked for.
        differing: the cases where the two differ.
        effective_cases: the simple random cases that would tell as much.
        labels_needed: the cases to label in all, for all comparisons at once, to find a difference of `detect`, or of what was seen; None where no
            number would do, or nobody can tell yet.
    """

    baseline: str
    candidate: str
    difference: float
    low: float
    high: float
    simultaneous: tuple[float, float]
    p: float
    adjusted_p: float
    verdict: str
    differing: int
    effective_cases: float
    labels_needed: int | None


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """What a comparison found.

    Attributes:
        systems: each system's standing, the best first.
        pairs: the comparisons that were asked for.
        tied_for_best: the systems that no other is significantly better than; empty where a baseline was named.
        cases: the cases that counted: those with a score of every system.
        left_out: how many others there were, by reason.
        scope: what the result speaks for.
        warnings: what to know before relying on it.
        confidence: of all intervals.
        rejected: rows that could not be read.
        rows: how many could; 0 where the scores did not come from files.
    """

    systems: Mapping[str, Standing]
    pairs: tuple[Compared, ...]
    tied_for_best: tuple[str, ...]
    cases: int
    left_out: Mapping[str, int]
    scope: Scope
    warnings: tuple[str, ...] = field()
    confidence: float = 0.95
    rejected: tuple[RejectedRecord, ...] = ()
    rows: int = 0

    problems = renamed("problems", "rejected")

    @property
    def exit_code(self) -> ExitCode:
        """6 where more than a fifth of the rows give no score, else 0."""
        unreadable = too_many_rejected(len(self.rejected), self.rows + len(self.rejected))
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    def worse_than_baseline(self) -> tuple[str, ...]:
        """The candidates that are significantly worse than the system they were compared with."""
        return tuple(pair.candidate for pair in self.pairs if pair.verdict == "worse")

    def to_dict(self) -> dict[str, JsonValue]:
        """The result for machines."""
        return {
            "cases": self.cases,
            "scope": self.scope,
            "confidence": self.confidence,
            "systems": [
                {"system": name, "score": one.score, "best_rank": one.best_rank, "worst_rank": one.worst_rank}
                for name, one in self.systems.items()
            ],
            "tied_for_best": list(self.tied_for_best),
            "pairs": [_pair_json(pair) for pair in self.pairs],
            "left_out": dict(self.left_out),
            "warnings": list(self.warnings),
            "problems": self.rejected_rows(),
            "rejected": self.rejected_rows(),
        }

    def to_text(self) -> str:
        """The result for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{plural(self.cases, 'case')} with a score of every system; speaks for {_SPEAKS_FOR[self.scope]}"
        yield from (f"left out: {plural(count, 'case')}, {reason}" for reason, count in self.left_out.items())
        width = max(map(len, self.systems))
        yield ""
        for name, one in self.systems.items():
            ranks = f"{one.best_rank}" if one.best_rank == one.worst_rank else f"{one.best_rank}-{one.worst_rank}"
            yield f"  {name:<{width}}  {100 * one.score:5.1f}%  rank {ranks}"
        yield ""
        best = next(iter(self.systems))
        shown = [
            pair for pair in self.pairs if len(self.pairs) <= MOST_PAIRS or best in (pair.baseline, pair.candidate)
        ]
        for pair in shown[:MOST_PAIRS]:
            yield from _pair_lines(pair, self.confidence, many=len(self.pairs) > 1)
        if len(shown[:MOST_PAIRS]) < len(self.pairs):
            yield f"{plural(len(self.pairs) - len(shown[:MOST_PAIRS]), 'more pair')}, which --json lists"
        if len(self.tied_for_best) > 1 and len(self.systems) > 2:
            yield f"tied for best: {', '.join(self.tied_for_best)}"
        elif self.tied_for_best and len(self.systems) > 2:
            yield f"best: {self.tied_for_best[0]}"


def compare(
    scores: Mapping[str, Mapping[str, float]],
    *,
    design: Mapping[str, CaseDesign] | None = None,
    options: CompareOptions | None = None,
) -> Comparison:
    """Compare systems by their scores on the same cases: `scores[system][case id]` in 0..1, higher is better.

    `design` says how the cases were drawn; without it they are taken as a simple random sample. Only cases that every
    system has a score for count: a difference of systems on different cases is partly one of the cases.

    Raises:
        ConfigError: fewer than two systems, a baseline that is none of them, or a score or weight out of range.
        LogsError: no case has a score of every system.
    """
    options = options or CompareOptions()
    names = checked_scores(scores, least=2)
    if options.baseline is not None and options.baseline not in scores:
        raise ConfigError(
            f"the baseline {options.baseline!r} is none of the systems {', '.join(map(repr, names[:12]))}",
            remedy="name one of them",
        )
    design = design or {}
    common = sorted(set.intersection(*(set(scores[name]) for name in names)))
    if not common:
        raise LogsError(
            f"no case has a score of all {len(names)} systems",
            remedy="compare results on the same cases, with the same ids; pairs are made by `id`",
        )
    designs = [design.get(case_id, CaseDesign()) for case_id in common]
    kept = [case_id for case_id, there in zip(common, drawn(designs), strict=True) if there]
    sample = sample_of([_checked_design(case_id, design.get(case_id, CaseDesign())) for case_id in kept])
    table = np.array([[scores[name][case_id] for name in names] for case_id in kept], dtype=float)
    places = range(len(names))
    base = names.index(options.baseline) if options.baseline else None
    wanted = [(i, j) for i in places for j in places if (i < j if base is None else i == base != j)]
    pairs = compare_many(table, sample, wanted, confidence=options.confidence, seed=options.seed)
    standing = standings(table, sample, pairs, confidence=options.confidence)
    return Comparison(
        systems={names[i]: standing[i] for i in sorted(places, key=lambda i: (-standing[i].score, names[i]))},
        pairs=tuple(_compared(pair, names, standing, options, len(pairs)) for pair in pairs),
        tied_for_best=tuple(names[i] for i in places if base is None and standing[i].best_rank == 1),
        cases=len(kept),
        left_out=_left_out(scores, common, kept),
        scope=sample.scope,
        warnings=tuple(_warnings(pairs, names, sample, designs)),
        confidence=options.confidence,
    )


def compare_files(
    results: Sequence[str],
    *,
    eval_set: str | None = None,
    by: Sequence[str] = (),
    options: CompareOptions | None = None,
) -> Comparison:
    """Compare the systems in files of results; `eval_set` is the file that says how the cases were drawn.

    Raises:
        LogsError: a file cannot be read, or holds nothing to compare.
        ConfigError: as `compare`.
    """
    read = read_system_scores(results, by=by)
    known = read_designs(eval_set) if eval_set else {}
    rows = {**read.design, **known}
    scores = read.scores
    warnings: list[str] = []
    if eval_set:
        strange = {i for cases in scores.values() for i in cases if i not in known}
        scores = {name: {i: s for i, s in cases.items() if i in known} for name, cases in scores.items()}
        if strange:
            warnings.append(f"{plural(len(strange), 'case')} of the results left out: not in {eval_set!r}")
    if read.repeated:
        warnings.append(f"{plural(read.repeated, 'time')}, one system has several scores for a case: their mean counts")
    made = compare(scores, design=designs_of(rows), options=options)
    return replace(made, warnings=(*made.warnings, *warnings), rejected=read.problems, rows=read.rows)


def designs_of(rows: Mapping[str, Mapping[str, JsonValue]]) -> dict[str, CaseDesign]:
    """The designs that rows of an eval set state, by case id.

    Raises:
        ConfigError: a weight or a probability is out of range.
    """
    return {case_id: _checked_design(case_id, _design(case_id, row)) for case_id, row in rows.items()}


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
    """Each stage of drawing has strata of its own, numbered alike."""
    stratum = row.get("stratum")
    return None if stratum is None else f"{row.get('stage', 1)}/{stratum}"


def _number(case_id: str, name: str, value: JsonValue) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise ConfigError(f"`{name}` of case {case_id!r} is {value!r}", remedy="give a number") from None


def _checked_design(case_id: str, design: CaseDesign) -> CaseDesign:
    chance = design.inclusion_probability
    if chance is not None and not _LEAST <= chance <= 1:
        raise ConfigError(
            f"`inclusion_probability` of case {case_id!r} is {chance!r}",
            remedy=f"give the chance it was drawn with, {_LEAST:g} to 1, as `curator` writes it",
        )
    if not _LEAST <= design.weight <= _MOST:
        raise ConfigError(
            f"`weight` of case {case_id!r} is {design.weight!r}",
            remedy=f"give the number of log records it stands for, {_LEAST:g} to {_MOST:g}, or leave it out",
        )
    return design


def checked_scores(scores: Mapping[str, Mapping[str, float]], *, least: int) -> list[str]:
    """The names of the systems in order.

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


def _compared(
    pair: Pair, names: Sequence[str], standing: Sequence[Standing], options: CompareOptions, pairs: int
) -> Compared:
    """The pair as it is told: without a baseline the better of the two is the candidate.

    The labels needed are those that decide although `pairs` comparisons are made (Bonferroni).
    """
    if options.baseline is None and standing[pair.first].score > standing[pair.second].score:
        pair = swapped(pair)
    found = pair.found
    verdict = "not decided"
    if pair.adjusted_p < 1 - options.confidence and found.difference:
        verdict = "better" if found.difference > 0 else "worse"
    true = options.detect if options.detect is not None else found.difference
    return Compared(
        baseline=names[pair.first],
        candidate=names[pair.second],
        difference=found.difference,
        low=found.low,
        high=found.high,
        simultaneous=(pair.low, pair.high),
        p=found.p,
        adjusted_p=pair.adjusted_p,
        verdict=verdict,
        differing=found.differing,
        effective_cases=found.effective_cases,
        labels_needed=labels_needed(found, true, confidence=1 - (1 - options.confidence) / pairs, power=options.power),
    )


def _left_out(scores: Mapping[str, Mapping[str, float]], common: Sequence[str], kept: Sequence[str]) -> dict[str, int]:
    everything = {case_id for cases in scores.values() for case_id in cases}
    counts = {
        "without a score of every system": len(everything) - len(common),
        "without an inclusion probability, though others have one": len(common) - len(kept),
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
    few = [pair for pair in pairs if pair.found.differing < FEW_DIFFERING]
    for pair in few[:3]:
        yield (
            f"not enough data: {names[pair.first]!r} and {names[pair.second]!r} differ in {plural(pair.found.differing, 'case')}"
            f" of {pair.found.cases}"
        )
    if len(few) > 3:
        yield f"the same holds for {plural(len(few) - 3, 'more pair')}: each differs in fewer than {FEW_DIFFERING} cases"


def _pair_json(pair: Compared) -> dict[str, JsonValue]:
    return {
        "baseline": pair.baseline,
        "candidate": pair.candidate,
        "difference": pair.difference,
        "low": pair.low,
        "high": pair.high,
        "simultaneous": list(pair.simultaneous),
        "p": pair.p,
        "adjusted_p": pair.adjusted_p,
        "verdict": pair.verdict,
        "differing": pair.differing,
        "effective_cases": pair.effective_cases,
        "labels_needed": pair.labels_needed,
    }


def _pair_lines(pair: Compared, confidence: float, *, many: bool) -> Iterator[str]:
    low, high = pair.simultaneous if many else (pair.low, pair.high)
    p = pair.adjusted_p
    shown = "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")
    yield (
        f"{pair.candidate} against {pair.baseline}: {100 * pair.difference:+.1f} points"
        f" ({100 * confidence:g}%: {100 * low:+.1f} to {100 * high:+.1f}), {shown}: {pair.verdict}"
    )
    if pair.verdict == "not decided":
        yield f"  {_still_needed(pair)}"


def _still_needed(pair: Compared) -> str:
    if pair.labels_needed is None:
        return (
            "the two never differ: no number of cases like these tells them apart"
            if not pair.differing
            else "no difference was seen: say with --detect which one would matter to learn the labels it takes"
        )
    return f"about {plural(pair.labels_needed, 'labelled case')} in all would tell such a difference, if it is there"
