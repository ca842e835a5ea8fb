"""The estimate of production's failure rate, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from curator.estimation.domains import DomainEstimate
from curator.estimation.failure_rate import Estimate
from curator.labels.agreement import Agreement
from curator.records import JsonValue, JudgeQuality, RejectedRecord, ScoreQuality
from curator.records.result import TableResult, renamed
from curator.report.failure_rate import anytime_sentence, unseen_sentence
from curator.report.judge_quality import judge_sentences
from curator.report.score_quality import quality_sentences
from curator.stages.sampling_units import AGREES, COMMITTEE
from curator.text.display import one_line, plural

MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class EstimateResult(TableResult):
    """The failure rate of production, with its interval, as a whole and by part.

    Attributes:
        estimate: the failure rate with its interval.
        pool: cases of the pool.
        records: log records that they represent.
        drawn: labelled cases of the probability sample.
        certain: labelled cases that discovery chose; each represents itself only.
        left_out: labels that were not used, by reason.
        rejected: rows that could not be read.
        agreement: of people who judged the same cases; None where no case was labelled by two.
        half_width: the requested precision; None for none.
        needed: further labels that it takes; None where it cannot be estimated.
        score_quality: of the score that the cases were selected by; None without a selection.
        judge: the judge, measured by the labels; None without one.
        notes: sentences on the form of the label files.
        any_time: show the interval of the confidence sequence as well.
    """

    estimate: Estimate
    pool: int
    records: int
    drawn: int
    certain: int
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...] = field()
    agreement: Agreement | None = None
    half_width: float | None = None
    needed: int | None = None
    score_quality: ScoreQuality | None = None
    judge: JudgeQuality | None = None
    notes: tuple[str, ...] = ()
    any_time: bool = False

    problems = renamed("problems", "rejected")
    found = renamed("found", "estimate")

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        f = self.estimate
        return {
            "rate": f.rate, "low": f.low, "high": f.high, "confidence": f.confidence, "standard_error": f.standard_error,
            "pool": self.pool, "records": self.records, "labels": f.labels, "drawn": self.drawn, "certain": self.certain,
            "missing": f.missing, "bounds": list(f.bounds) if f.bounds else None, "ignored": list(f.ignored),
            "worth": f.effective_sample_size, "worth_low": f.effective_sample_size_low,
            "worth_high": f.effective_sample_size_high,
            "any_time": dict(zip(("low", "high"), f.anytime_interval(f.confidence), strict=True)) if self.any_time else None,
            "not_covered": {"cases": f.uncovered_cases, "records": f.uncovered_records},
            "unseen_kinds": asdict(f.unseen) if f.unseen else None,
            "half_width": self.half_width, "labels_needed": self.needed,
            "by": {name: [asdict(part) for part in parts] for name, parts in f.domains.items()},
            "judge": {**asdict(self.judge), "weight": f.prediction_weight} if self.judge else None,
            "score_quality": orjson.loads(orjson.dumps(self.score_quality)) if self.score_quality else None,
            "left_out": dict(self.left_out), "agreement": asdict(self.agreement) if self.agreement else None,
            "notes": list(self.notes),
            "problems": [f"{p.source}: {p.reason} -> {p.remedy}" for p in self.rejected],
            "rejected": self.rejected_rows(),
        }  # fmt: skip

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a part of the traffic, and a first one for all of it."""
        rate = self.estimate
        whole = {
            "by": "all",
            "value": "",
            "share": 1.0,
            "labels": rate.labels,
            "rate": rate.rate,
            "low": rate.low,
            "high": rate.high,
        }
        parts = [(name, part) for name, parts in rate.domains.items() for part in parts]
        return [
            whole,
            *({"by": name, **{key: getattr(part, key) for key in whole if key != "by"}} for name, part in parts),
        ]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        f = self.estimate
        records = (
            f", {plural(self.records, 'log record')}" if self.records != self.pool and not f.uncovered_cases else ""
        )
        yield (
            f"failure rate  {f.rate:.1%}  ({f.confidence:.0%} interval {f.low:.1%} to {f.high:.1%})"
            f"  of {plural(f.cases, 'case')}{records}"
        )
        yield from self._beside_interval()
        certain = f", and {self.certain:,} picked by discovery (each counts only for itself)" if self.certain else ""
        yield f"labels        {self.drawn:,} of the probability sample{certain}"
        if f.effective_sample_size is not None:
            low, high = f.effective_sample_size_low, f.effective_sample_size_high
            span = f" (80% interval {low:,.0f} to {high:,.0f})" if low and high else ""
            yield f"worth         your {plural(f.labels, 'label')} are worth {f.effective_sample_size:,.0f} random ones{span}"
        if self.half_width is not None:
            yield f"precision     {_needed(self.half_width, self.needed)}"
        if f.missing:
            bounds = (
                f". Whatever their labels are, it lies between {f.bounds[0]:.1%} and {f.bounds[1]:.1%}"
                if f.bounds
                else ""
            )
            yield (
                f"missing       {f.missing:,} of the selected cases without a label. The rate assumes that they fail as often as"
                f" the labelled cases of the same stratum{bounds}"
            )
        yield from (f"labels from   {note}" for note in self.notes)
        for reason, number in self.left_out.items():
            yield f"not used      {number:,}: {reason}"
        if self.agreement is not None:
            yield self.agreement.to_text()
        yield from self._silent()
        yield from self._unseen()
        if self.judge is not None:
            yield from (f"judge         {line}" for line in judge_sentences(self.judge, f.prediction_weight))
        if self.score_quality is not None:
            yield from (f"score         {line}" for line in quality_sentences(self.score_quality))
        for name, parts in f.domains.items():
            if name != COMMITTEE:
                yield from _by(name, parts)

    def _beside_interval(self) -> Iterator[str]:
        """Yield the interval for those who look often, and the cases that are not covered."""
        f = self.estimate
        if self.any_time:
            sequence = f.anytime_interval(f.confidence)
            yield f"at any time   {anytime_sentence(sequence, (f.low, f.high), f.confidence)}"
        if f.uncovered_cases:
            yield (
                f"not covered   {plural(f.uncovered_cases, 'case')} ({plural(round(f.uncovered_records), 'log record')}), new since"
                " these labels were drawn: the rate says nothing about them. Fill in the label queue to include them"
            )

    def _unseen(self) -> Iterator[str]:
        unseen = self.estimate.unseen
        if unseen is not None:
            yield f"unseen kinds  {unseen_sentence(unseen)}"

    def _silent(self) -> Iterator[str]:
        part = next((p for p in self.estimate.domains.get(COMMITTEE, ()) if p.value == AGREES), None)
        if part is None:
            return
        cases = part.share * self.records
        if part.rate is None or part.low is None or part.high is None:
            yield f"silent        failures where the committee agrees ({part.share:.0%} of the records): {part.reason}"
        else:
            yield (
                f"silent        about {part.rate * cases:,.0f} failures (of {cases:,.0f} records) are where the committee"
                f" agrees, where no review would look: {part.rate:.1%} there ({part.low:.1%} to {part.high:.1%})"
            )


def _needed(half_width: float, needed: int | None) -> str:
    if needed is None:
        return f"how many labels ±{half_width:.1%} takes cannot be estimated from these"
    return (
        f"±{half_width:.1%} is reached"
        if needed == 0
        else f"±{half_width:.1%} takes about {plural(needed, 'more label')}"
    )


_SHORTEST_COLUMN, _LONGEST_NAME = 32, 80


def _by(name: str, parts: Sequence[DomainEstimate]) -> Iterator[str]:
    note = (
        "  (pooled: shrunk to the mean of all values, from 3 labels on)" if any(part.pooled for part in parts) else ""
    )
    yield f"\nby {name}{note}"
    names = [one_line(part.value, _LONGEST_NAME) or "(none)" for part in parts[:MOST_PARTS]]
    width = max(_SHORTEST_COLUMN, *map(len, names), 0)
    for value, part in zip(names, parts, strict=False):
        if part.rate is None or part.low is None or part.high is None:
            shown = f"     -                     {part.reason}"
        else:
            shown = f"{part.rate:6.1%}  ({part.low:.1%} to {part.high:.1%})"
        if part.pooled is not None and part.pooled.high > part.pooled.low:
            shown += f"  pooled {part.pooled.rate:.1%} ({part.pooled.low:.1%} to {part.pooled.high:.1%})"
        yield f"  {value:<{width}} {part.share:4.0%} of records  labels {part.labels:4,}  {shown}"
    if len(parts) > MOST_PARTS:
        yield f"  {len(parts) - MOST_PARTS:,} more, which --json lists"
