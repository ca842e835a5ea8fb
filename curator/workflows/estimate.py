"""`curator estimate`: production's failure rate from labels, by how the labelled cases were drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.errors import ConfigError, Refused
from curator.estimation.failure_rate import MIN_LABELS, DomainEstimate, Estimate
from curator.estimation.failure_rate import estimate as estimate_rate
from curator.estimation.sample_design import Stage, Stratum
from curator.estimation.sampling_frame import SamplingUnit
from curator.labels.agreement import Agreement
from curator.labels.read import read_labels
from curator.records import JsonValue, RejectedRecord
from curator.records.result import Result, renamed
from curator.run_folder.cases import CaseRow, read_case_rows
from curator.run_folder.design import pool_hash, read_design
from curator.run_folder.layout import CASES
from curator.stages.label_truth import NO_ANSWER, LabelledFailures, no_label, read_failures
from curator.stages.sampling_units import (
    AGREES,
    CATEGORIES,
    COMMITTEE,
    domain_of,
    known_agreement,
    metadata_fields,
    sampling_units,
)
from curator.text.display import plural

MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class EstimateResult(Result):
    """What an estimate came to.

    Attributes:
        found: the estimate.
        pool: cases of the pool.
        records: log records they stand for.
        drawn: labelled cases of the probability sample.
        certain: labelled cases that discovery took, which count for themselves alone.
        left_out: labels that were not used, by reason.
        rejected: rows that could not be read.
        agreement: of people who judged the same cases; None where nobody did.
        half_width: the precision that was asked for, None where none was.
        needed: how many more labels that takes; None where it cannot be told.
    """

    found: Estimate
    pool: int
    records: int
    drawn: int
    certain: int
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...] = field()
    agreement: Agreement | None = None
    half_width: float | None = None
    needed: int | None = None

    problems = renamed("problems", "rejected")

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        f = self.found
        return {
            "rate": f.rate, "low": f.low, "high": f.high, "confidence": f.confidence, "standard_error": f.standard_error,
            "pool": self.pool, "records": self.records, "labels": f.labels, "drawn": self.drawn, "certain": self.certain,
            "missing": f.missing, "bounds": list(f.bounds) if f.bounds else None, "ignored": list(f.ignored),
            "worth": f.effective_sample_size, "worth_low": f.effective_sample_size_low,
            "worth_high": f.effective_sample_size_high,
            "half_width": self.half_width, "labels_needed": self.needed,
            "by": {name: [asdict(part) for part in parts] for name, parts in f.domains.items()},
            "left_out": dict(self.left_out), "agreement": asdict(self.agreement) if self.agreement else None,
            "problems": [f"{p.source}: {p.reason} -> {p.remedy}" for p in self.rejected],
            "rejected": self.rejected_rows(),
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        f = self.found
        records = f", {plural(self.records, 'log record')}" if self.records != self.pool else ""
        yield (
            f"failure rate  {f.rate:.1%}  ({f.confidence:.0%} interval {f.low:.1%} to {f.high:.1%})"
            f"  of {plural(self.pool, 'case')}{records}"
        )
        known = f", and {self.certain:,} by discovery, which count for themselves alone" if self.certain else ""
        yield f"labels        {self.drawn:,} of the probability sample{known}"
        if f.effective_sample_size is not None:
            low, high = f.effective_sample_size_low, f.effective_sample_size_high
            span = f" (80% interval {low:,.0f} to {high:,.0f})" if low and high else ""
            yield f"worth         your {plural(f.labels, 'label')} are worth {f.effective_sample_size:,.0f} random ones{span}"
        if self.half_width is not None:
            yield f"precision     {_needed(self.half_width, self.needed)}"
        if f.missing:
            bounds = f"; with them the rate lies between {f.bounds[0]:.1%} and {f.bounds[1]:.1%}" if f.bounds else ""
            yield (
                f"missing       {f.missing:,} of the selected cases without a label: the rate holds if they fail as often as the"
                f" labelled ones of their stratum{bounds}"
            )
        for reason, number in self.left_out.items():
            yield f"not used      {number:,}: {reason}"
        if self.agreement is not None:
            yield self.agreement.to_text()
        yield from self._silent()
        for name, parts in f.domains.items():
            if name != COMMITTEE:
                yield from _by(name, parts)

    def _silent(self) -> Iterator[str]:
        part = next((p for p in self.found.domains.get(COMMITTEE, ()) if p.value == AGREES), None)
        if part is None:
            return
        cases = part.share * self.records
        if part.rate is None or part.low is None or part.high is None:
            yield f"silent        failures where the committee agrees ({part.share:.0%} of the records): {part.reason}"
        else:
            yield (
                f"silent        about {part.rate * cases:,.0f} failures (of {cases:,.0f} records) are where the committee"
                f" agrees and nobody would look: {part.rate:.1%} there ({part.low:.1%} to {part.high:.1%})"
            )


def _needed(half_width: float, needed: int | None) -> str:
    if needed is None:
        return f"how many labels ±{half_width:.1%} takes cannot be told from these"
    return (
        f"±{half_width:.1%} is reached"
        if needed == 0
        else f"±{half_width:.1%} takes about {plural(needed, 'more label')}"
    )


def _by(name: str, parts: Sequence[DomainEstimate]) -> Iterator[str]:
    yield f"\nby {name}"
    for part in parts[:MOST_PARTS]:
        if part.rate is None or part.low is None or part.high is None:
            shown = f"     -                     {part.reason}"
        else:
            shown = f"{part.rate:6.1%}  ({part.low:.1%} to {part.high:.1%})"
        value = part.value[:32] or "(none)"
        yield f"  {value:<32} {part.share:4.0%} of records  labels {part.labels:4,}  {shown}"
    if len(parts) > MOST_PARTS:
        yield f"  {len(parts) - MOST_PARTS:,} more, which --json lists"


def estimate(
    labels: Sequence[str] | Mapping[str, float],
    *,
    selection: Path,
    by: Sequence[str] = (),
    confidence: float = 0.95,
    half_width: float | None = None,
    comparer: ComparerFactory = WordComparer,
) -> EstimateResult:
    """How often production fails, from labels and the folder of the selection that they were made for.

    Args:
        labels: failures by case id, 0 (good) to 1 (failed), or files: the filled-in label queues, or JSONL or CSV rows of
            `id` with `wrong`, `verdict` or `label`.
        selection: what `curator select` or `curator run` wrote.
        by: what to break the rate down by; by default task, kind, category and the metadata.
        confidence: of the interval.
        half_width: the precision for which to tell how many more labels it takes.
        comparer: what says whether a label and an answer mean the same, where there is no verdict.

    Raises:
        LogsError: a file is not there or holds no label.
        ConfigError: there is no design in the folder, or `by` names nothing that is known.
        Refused: the design does not support an estimate.
    """
    design = read_design(selection)
    every, drawn_from = read_case_rows(selection), design.cases
    if pool_hash(every) != design.pool_hash:
        raise ConfigError(
            f"{str(CASES.of(selection))!r} is not the pool that the cases were drawn from",
            remedy="restore the file as curator wrote it: the scores, weights and ids in it are what the draw went by",
        )
    rows = [row for row in every if row.id in drawn_from]  # a run may ask about some of its cases only
    pool = sampling_units(rows)
    labelled = (
        LabelledFailures(labels, {}, ()) if isinstance(labels, Mapping) else read_failures(labels, selection, comparer)
    )
    found = estimate_rate(pool, design.stages, labelled.failures, confidence=confidence, by=_names(by, rows, pool))
    return _result(found, pool, design.stages, labelled, half_width)


def estimate_sample(
    labels: Sequence[str], *, size: int | None, confidence: float = 0.95, half_width: float | None = None
) -> EstimateResult:
    """Estimate from the labels of a simple random sample that was drawn elsewhere, of `size` cases (None: very many).

    Raises:
        LogsError: a file is not there or holds no label.
        ConfigError: there are more labels than cases.
        Refused: there are too few labels.
    """
    label_set = read_labels(labels)
    failures = label_set.failures
    without = len(label_set.texts.keys() - failures.keys())
    left_out = Counter({NO_ANSWER: without} if without else {})
    if not failures:
        raise no_label(label_set.rejected, +left_out)
    size = max(MANY, len(failures)) if size is None else size
    if size < len(failures):
        raise ConfigError(
            f"{plural(len(failures), 'label')} are more than the {plural(size, 'case')} they were drawn from",
            remedy="name the number of cases in the pool with --sample-of",
        )
    if len(failures) < min(MIN_LABELS, size):
        raise Refused(
            f"too few labels for a rate: {len(failures)}",
            remedy=f"label at least {plural(min(MIN_LABELS, size), 'case')}",
        )
    drawn = tuple(sorted(failures))
    others = tuple(f"\x00{number}" for number in range(size - len(drawn)))
    pool = [SamplingUnit(id=name) for name in (*drawn, *others)]
    stages = (Stage(certain=(), strata=(Stratum(cases=(*drawn, *others), drawn=drawn),)),)
    found = estimate_rate(pool, stages, failures, confidence=confidence)
    labelled = LabelledFailures(failures, left_out, label_set.rejected, label_set.agreement)
    return _result(found, pool, stages, labelled, half_width)


MANY = 100_000
"""The size of a pool that is not known: so many that sampling takes nothing away from it."""


def _result(
    found: Estimate,
    pool: Sequence[SamplingUnit],
    stages: Sequence[Stage],
    labelled: LabelledFailures,
    half_width: float | None,
) -> EstimateResult:
    drawn = {case_id for stage in stages for case_id in stage.drawn}
    used = labelled.failures.keys() - set(found.ignored)
    return EstimateResult(
        found=found,
        pool=len(pool),
        records=round(sum(case.weight for case in pool)),
        drawn=len(used & drawn),
        certain=len(used - drawn),
        left_out={reason: labelled.left_out[reason] for reason in sorted(labelled.left_out)},
        rejected=labelled.rejected,
        agreement=labelled.agreement,
        half_width=half_width,
        needed=None if half_width is None else found.labels_needed(half_width),
    )


def _names(by: Sequence[str], rows: Sequence[CaseRow], pool: Sequence[SamplingUnit]) -> tuple[str, ...]:
    known = (*CATEGORIES, *metadata_fields(rows))
    for name in by:
        if name not in known:
            raise ConfigError(
                f"the cases cannot be told apart by {name!r}", remedy=f"choose among {', '.join(known)} with --by"
            )
    chosen = by or [name for name in known if name not in CATEGORIES or len({domain_of(row, name) for row in rows}) > 1]
    return (*known_agreement(pool), *chosen)
