"""`curator estimate`: production's failure rate from labels and the design of the draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Protocol

import orjson

from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.errors import ConfigError, Refused
from curator.estimation.failure_rate import MIN_LABELS, DomainEstimate, Estimate
from curator.estimation.failure_rate import estimate as estimate_rate
from curator.estimation.sample_design import Stage, Stratum
from curator.estimation.sampling_frame import SamplingUnit
from curator.io.lines import expand
from curator.labels.agreement import Agreement
from curator.labels.read import read_labels
from curator.records import JsonValue, RejectedRecord, ScoreQuality
from curator.records.result import TableResult, renamed, warn_of_old_name
from curator.report.score_quality import quality_sentences
from curator.run_folder.cases import CaseRow, read_case_rows
from curator.run_folder.design import pool_hash, read_design
from curator.run_folder.layout import CASES
from curator.stages.label_truth import NO_ANSWER, LabelledFailures, no_label, read_failures
from curator.stages.measure_score import draws_of_stages, measure_score, ranked_rows
from curator.stages.sampling_units import (
    AGREES,
    CATEGORIES,
    COMMITTEE,
    domain_of,
    known_agreement,
    metadata_fields,
    sampling_units,
)
from curator.text.display import one_line, plural
from curator.workflows.inputs import HasFolder, Paths
from curator.workflows.label_inputs import failures_in_memory, label_files, label_paths, selection_of

MOST_PARTS = 12


class Drawn(Protocol):
    """A selection in memory."""

    @property
    def rows(self) -> Sequence[CaseRow]:
        """Every case of the pool."""

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages, in the order of drawing."""

    @property
    def folder(self) -> Path | None:
        """The folder that the selection was written to."""


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
        notes: sentences on the form of the label files.
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
    notes: tuple[str, ...] = ()

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
            "half_width": self.half_width, "labels_needed": self.needed,
            "by": {name: [asdict(part) for part in parts] for name, parts in f.domains.items()},
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
        records = f", {plural(self.records, 'log record')}" if self.records != self.pool else ""
        yield (
            f"failure rate  {f.rate:.1%}  ({f.confidence:.0%} interval {f.low:.1%} to {f.high:.1%})"
            f"  of {plural(self.pool, 'case')}{records}"
        )
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
        if self.score_quality is not None:
            yield from (f"score         {line}" for line in quality_sentences(self.score_quality))
        for name, parts in f.domains.items():
            if name != COMMITTEE:
                yield from _by(name, parts)

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
    yield f"\nby {name}"
    names = [one_line(part.value, _LONGEST_NAME) or "(none)" for part in parts[:MOST_PARTS]]
    width = max(_SHORTEST_COLUMN, *map(len, names), 0)
    for value, part in zip(names, parts, strict=False):
        if part.rate is None or part.low is None or part.high is None:
            shown = f"     -                     {part.reason}"
        else:
            shown = f"{part.rate:6.1%}  ({part.low:.1%} to {part.high:.1%})"
        yield f"  {value:<{width}} {part.share:4.0%} of records  labels {part.labels:4,}  {shown}"
    if len(parts) > MOST_PARTS:
        yield f"  {len(parts) - MOST_PARTS:,} more, which --json lists"


def estimate(
    labels: Paths | HasFolder | Mapping[str, float],
    *,
    selection: str | Path | Drawn | None = None,
    population: float | None = None,
    by: Sequence[str] = (),
    confidence: float = 0.95,
    half_width: float | None = None,
    comparer: ComparerFactory = WordComparer,
) -> EstimateResult:
    """Estimate how often production fails, from labels and the way their cases were drawn.

    Args:
        labels: failures by case id, 0 or False (good) to 1 or True (failed); or files: the filled-in label queues, or JSONL or
            CSV rows of `id` with `wrong`, `verdict` or `label`; or a run or selection folder, or the result of a run, whose
            label queues are filled in.
        selection: the folder that `curator select` or `curator run` wrote, or the result of `curator.select`; by default the
            folder of the last file of labels, or the folder that was given as labels.
        population: without a selection: the labelled cases are a simple random sample of this many cases. `math.inf` for
            a pool of unknown size, much larger than the sample.
        by: what to break the rate down by; by default task, kind, category and the metadata.
        confidence: of the interval.
        half_width: a precision; the result says how many more labels it takes.
        comparer: decides whether a label and an answer mean the same, for labels without a verdict.

    Raises:
        LogsError: a file is not there or holds no label, or no label is given.
        ConfigError: the folder holds no design, `by` names an unknown field, a label is not in 0..1, or `population` is not
            a number of cases or is smaller than the number of labels.
        Refused: there are too few labels, or the design does not support an estimate.
    """
    if population is not None:
        if selection is not None:
            raise ConfigError(
                "both a selection and a population are given",
                remedy="give the selection that drew the cases, or neither",
            )
        return _estimate_simple_sample(labels, population, confidence=confidence, half_width=half_width)
    paths = [] if isinstance(labels, Mapping) else label_paths(labels)
    if selection is None and not paths:
        raise ConfigError(
            "it is not known how the labelled cases were drawn",
            remedy="give `selection`, or the size of the pool as `population` for a simple random sample",
        )
    expand([path for path in paths if not Path(path).is_dir()])  # names a missing file first
    every, stages, folder = _drawn_cases(selection if selection is not None else selection_of(Path(paths[-1])))
    drawn_from = stages[0].cases if stages else frozenset()
    rows = [row for row in every if row.id in drawn_from]  # a run may ask about some of its cases only
    pool = sampling_units(rows)
    if isinstance(labels, Mapping):
        labelled = failures_in_memory(labels, selected={i for stage in stages for i in (*stage.certain, *stage.drawn)})
    elif folder is None:
        raise ConfigError(
            "files of labels belong to a selection that was written to a folder",
            remedy="give `out` to `curator.select`, or give the labels by case id",
        )
    else:
        labelled = read_failures(label_files(paths), folder, comparer)
    rate = estimate_rate(pool, stages, labelled.failures, confidence=confidence, by=_names(by, rows, pool))
    return replace(_result(rate, pool, stages, labelled, half_width), score_quality=_quality(rows, stages, labelled))


def _quality(rows: Sequence[CaseRow], stages: Sequence[Stage], labelled: LabelledFailures) -> ScoreQuality | None:
    return measure_score(ranked_rows(rows), labelled.unselected_failures, draws_of_stages(stages))


def _drawn_cases(selection: str | Path | Drawn) -> tuple[Sequence[CaseRow], Sequence[Stage], Path | None]:
    """Return the cases of a pool, the stages of the draw, and the folder of the selection."""
    if not isinstance(selection, str | Path):
        return selection.rows, selection.stages, selection.folder
    folder = Path(selection)
    design = read_design(folder)
    rows = read_case_rows(folder)
    if pool_hash(rows) != design.pool_hash:
        raise ConfigError(
            f"{str(CASES.of(folder))!r} is not the pool that the cases were drawn from",
            remedy="restore the file as curator wrote it: the draw depends on its scores, weights and ids",
        )
    return rows, design.stages, folder


def _estimate_simple_sample(
    labels: Paths | HasFolder | Mapping[str, float], population: float, *, confidence: float, half_width: float | None
) -> EstimateResult:
    _require_population(population)
    if isinstance(labels, Mapping):
        labelled = failures_in_memory(labels)
    else:
        label_set = read_labels(label_files(label_paths(labels)))
        without = len(label_set.texts.keys() - label_set.failures.keys())
        left_out = Counter({NO_ANSWER: without} if without else {})
        labelled = LabelledFailures(
            label_set.failures, left_out, label_set.rejected, label_set.agreement, notes=label_set.notes
        )
    failures = labelled.failures
    if not failures:
        raise no_label(labelled.rejected, labelled.left_out)
    size = max(MANY, len(failures)) if population == inf else int(population)
    if size < len(failures):
        raise ConfigError(
            f"{plural(len(failures), 'label')} are more than the {plural(size, 'case')} they were drawn from",
            remedy="give the number of cases in the pool: `population`, or --sample-of for the command",
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
    rate = estimate_rate(pool, stages, failures, confidence=confidence)
    return _result(rate, pool, stages, labelled, half_width)


def _require_population(population: float) -> None:
    try:
        is_size = population >= 1
    except TypeError:
        is_size = False
    if not is_size:  # nan is not either
        raise ConfigError(
            f"`population` is {population!r}",
            remedy="give the number of cases that the labelled ones were drawn from, or `math.inf`",
        )


def estimate_sample(
    labels: Sequence[str], *, size: int | None, confidence: float = 0.95, half_width: float | None = None
) -> EstimateResult:
    """Estimate from a simple random sample: the old name of `estimate(population=size)`."""
    warn_of_old_name("estimate_sample", "estimate(labels, population=size)")
    population = inf if size is None else size
    return estimate(labels, population=population, confidence=confidence, half_width=half_width)


MANY = 100_000
"""The size of an unknown pool: so large that the finite population correction vanishes."""


def _result(
    rate: Estimate,
    pool: Sequence[SamplingUnit],
    stages: Sequence[Stage],
    labelled: LabelledFailures,
    half_width: float | None,
) -> EstimateResult:
    drawn = {case_id for stage in stages for case_id in stage.drawn}
    used = labelled.failures.keys() - set(rate.ignored)
    return EstimateResult(
        estimate=rate,
        pool=len(pool),
        records=round(sum(case.weight for case in pool)),
        drawn=len(used & drawn),
        certain=len(used - drawn),
        left_out={reason: labelled.left_out[reason] for reason in sorted(labelled.left_out)},
        rejected=labelled.rejected,
        agreement=labelled.agreement,
        notes=labelled.notes,
        half_width=half_width,
        needed=None if half_width is None else rate.labels_needed(half_width),
    )


def _names(by: Sequence[str], rows: Sequence[CaseRow], pool: Sequence[SamplingUnit]) -> tuple[str, ...]:
    fields = (*CATEGORIES, *metadata_fields(rows))
    for name in by:
        if name not in fields:
            raise ConfigError(
                f"the cases cannot be told apart by {name!r}", remedy=f"choose among {', '.join(fields)} with --by"
            )
    chosen = by or [
        name for name in fields if name not in CATEGORIES or len({domain_of(row, name) for row in rows}) > 1
    ]
    return (*known_agreement(pool), *chosen)
