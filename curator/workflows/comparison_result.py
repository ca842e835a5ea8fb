"""The result of `curator compare`: a rank for each system, and one comparison for each pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from curator.errors import ExitCode
from curator.estimation.comparison.case_weights import Scope
from curator.estimation.comparison.multiple import SystemRank
from curator.records import JsonValue, RejectedRecord, too_many_rejected
from curator.records.result import TableResult, renamed
from curator.text.display import plural
from curator.workflows.doubtful_labels import DoubtfulLabels

MissingPolicy: TypeAlias = Literal["fail", "ignore"]
MISSING_POLICIES: tuple[MissingPolicy, ...] = ("fail", "ignore")
MOST_PAIRS = 15
"""Of more pairs the text shows only those with the best system."""
_APPLIES_TO: Mapping[Scope, str] = {
    "production": "all the traffic of the pool: each case is weighted by its inclusion probability",
    "sample": "the larger set that these cases come from, if they are a simple random sample of it: they have no inclusion probabilities",
    "these cases": "these cases only: they were not drawn at random, so that it says nothing about other cases",
}


@dataclass(frozen=True, slots=True)
class PairComparison:
    """One system against another; a positive difference means that `candidate` is better.

    Attributes:
        baseline: the system that is subtracted.
        candidate: the other system.
        difference: the mean of candidate less baseline, -1..1.
        low: the lower end of its interval.
        high: the upper end.
        simultaneous: the interval that holds for all comparisons at once; the same as the plain one for a single comparison.
        p: of the two-sided sign-flip test.
        adjusted_p: p corrected for all comparisons (Holm).
        verdict: `better`, `worse` or `not decided`, at the confidence of the comparison.
        differing: the number of cases in which the two differ.
        effective_cases: the number of simple random cases with the same precision.
        labels_needed: cases to label in all to detect the difference `detect`, or the measured one, in every comparison; None
            where no number is enough, or no difference was measured.
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
class Comparison(TableResult):
    """A comparison of systems on the same cases.

    Attributes:
        systems: the score and ranks of each system, the best first.
        pairs: the comparisons: with the baseline, or of all pairs.
        tied_for_best: the systems that no other is significantly better than; empty where a baseline was named.
        cases: the cases that were compared on.
        left_out: the number of other cases, by reason.
        scope: the population that the result holds for.
        warnings: what to know before relying on it.
        confidence: of all intervals.
        rejected: rows that could not be read.
        rows: rows that could be read; 0 where the scores did not come from files.
        missing: by system the cases without a score of it, of those of the baseline or else of any system.
        missing_policy: `fail` where they counted as failures, `ignore` where they were left out.
        doubts: the labels that the results put in doubt.
    """

    systems: Mapping[str, SystemRank]
    pairs: tuple[PairComparison, ...]
    tied_for_best: tuple[str, ...]
    cases: int
    left_out: Mapping[str, int]
    scope: Scope
    warnings: tuple[str, ...] = field()
    confidence: float = 0.95
    rejected: tuple[RejectedRecord, ...] = ()
    rows: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    missing_policy: MissingPolicy = "ignore"
    doubts: DoubtfulLabels = field(default_factory=DoubtfulLabels)

    problems = renamed("problems", "rejected")

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the rows give no score, else 0."""
        unreadable = too_many_rejected(len(self.rejected), self.rows + len(self.rejected))
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    def worse_than_baseline(self) -> tuple[str, ...]:
        """Return the candidates that are significantly worse than the baseline."""
        return tuple(pair.candidate for pair in self.pairs if pair.verdict == "worse")

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "cases": self.cases,
            "scope": self.scope,
            "confidence": self.confidence,
            "systems": [
                {"system": name, "score": rank.score, "best_rank": rank.best_rank, "worst_rank": rank.worst_rank}
                for name, rank in self.systems.items()
            ],
            "tied_for_best": list(self.tied_for_best),
            "pairs": [_pair_row(pair) for pair in self.pairs],
            "left_out": dict(self.left_out),
            "missing": dict(self.missing),
            "missing_policy": self.missing_policy,
            "doubtful_labels": self.doubts.to_json(),
            "warnings": list(self.warnings),
            "problems": self.rejected_rows(),
            "rejected": self.rejected_rows(),
        }

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a pair."""
        return [asdict(pair) for pair in self.pairs]

    def _missing_text(self) -> str:
        if not self.missing:
            return "with a score of every system"
        missing = ", ".join(f"{count:,} of {name!r}" for name, count in self.missing.items())
        if self.missing_policy == "fail":
            return f"compared; missing answers counted as failures: {missing}"
        return f"with a score of every system; missing answers left out: {missing}"

    def _lines(self) -> Iterator[str]:
        yield f"{plural(self.cases, 'case')} {self._missing_text()}; the result applies to {_APPLIES_TO[self.scope]}"
        yield from (f"left out: {plural(count, 'case')}, {reason}" for reason, count in self.left_out.items())
        width = max(map(len, self.systems))
        yield ""
        for name, rank in self.systems.items():
            ranks = f"{rank.best_rank}" if rank.best_rank == rank.worst_rank else f"{rank.best_rank}-{rank.worst_rank}"
            yield f"  {name:<{width}}  {100 * rank.score:5.1f}%  rank {ranks}"
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
        yield from self.doubts.lines(len(self.systems))


def _pair_row(pair: PairComparison) -> dict[str, JsonValue]:
    return {**asdict(pair), "simultaneous": list(pair.simultaneous)}


def _pair_lines(pair: PairComparison, confidence: float, *, many: bool) -> Iterator[str]:
    low, high = pair.simultaneous if many else (pair.low, pair.high)
    p = pair.adjusted_p
    shown = "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")
    yield (
        f"{pair.candidate} against {pair.baseline}: {100 * pair.difference:+.1f} points"
        f" ({100 * confidence:g}%: {100 * low:+.1f} to {100 * high:+.1f}), {shown}: {pair.verdict}"
    )
    if pair.verdict == "not decided":
        yield f"  {_still_needed(pair)}"


def _still_needed(pair: PairComparison) -> str:
    if pair.labels_needed is None:
        return (
            "the two never differ: no number of such cases can distinguish them"
            if not pair.differing
            else "no difference was measured: give --detect to learn how many labels a difference that matters takes"
        )
    return f"about {plural(pair.labels_needed, 'labelled case')} in all would detect such a difference, if it exists"
