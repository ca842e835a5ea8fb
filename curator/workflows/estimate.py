"""`curator estimate`: production's failure rate from labels and the design of the draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Protocol

from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.errors import ConfigError, Refused
from curator.estimation.failure_rate import Estimate
from curator.estimation.failure_rate import estimate as estimate_rate
from curator.estimation.labelled_pool import MIN_LABELS
from curator.estimation.sample_design import Stage, Stratum
from curator.estimation.sampling_frame import SamplingUnit
from curator.io.lines import expand
from curator.labels.read import read_labels
from curator.records import ScoreQuality
from curator.records.result import warn_of_old_name
from curator.run_folder.cases import CaseRow, read_case_rows
from curator.run_folder.categories import read_category_rows
from curator.run_folder.design import pool_hash, read_design
from curator.run_folder.layout import CASES
from curator.run_folder.layout import CATEGORIES as CATEGORIES_FILE
from curator.stages.corrected_categories import CorrectedCategories, correct_categories
from curator.stages.label_truth import NO_ANSWER, LabelledFailures, no_label, read_failures
from curator.stages.measure_score import draws_of_stages, measure_judge, measure_score, ranked_rows
from curator.stages.sampling_units import (
    CATEGORIES,
    judge_verdicts,
    known_agreement,
    metadata_fields,
    sampling_units,
)
from curator.text.display import plural
from curator.workflows.estimate_result import EstimateResult
from curator.workflows.inputs import HasFolder, Paths
from curator.workflows.label_inputs import failures_in_memory, label_files, label_paths, selection_of


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


def estimate(  # noqa: PLR0913  each one is an option of the command
    labels: Paths | HasFolder | Mapping[str, float],
    *,
    selection: str | Path | Drawn | None = None,
    population: float | None = None,
    by: Sequence[str] = (),
    confidence: float = 0.95,
    half_width: float | None = None,
    any_time: bool = False,
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
        any_time: also give the interval of a confidence sequence, for those who look while labels come in.
        comparer: decides whether a label and an answer mean the same, for labels without a verdict.

    Raises:
        LogsError: a file is not there or holds no label, or no label is given.
        ConfigError: the folder holds no design, `by` names an unknown field, a label is not in 0..1, or `population` is not
            a number of cases or is smaller than the number of labels.
        Refused: there are too few labels, or the design does not support an estimate.
    """
    if population is not None:
        _require_no_selection(selection)
        sample = _estimate_simple_sample(labels, population, confidence=confidence, half_width=half_width)
        return replace(sample, any_time=any_time)
    paths = [] if isinstance(labels, Mapping) else label_paths(labels)
    _require_draw(selection, paths)
    every, stages, folder = _drawn_cases(selection if selection is not None else selection_of(Path(paths[-1])))
    rows = _rows_of(every, stages)
    labelled = _labelled(labels, paths, stages, folder, comparer)
    categories = _categories_of(rows, labelled, folder)
    pool = categories.units(sampling_units(rows))
    rate = estimate_rate(
        pool,
        stages,
        labelled.failures,
        confidence=confidence,
        by=_names(by, rows, pool),
        predictions=judge_verdicts(pool),
        kinds=categories.by_case or None,
        open_values=categories.open_values,
    )
    return replace(
        _result(rate, pool, stages, labelled, half_width),
        score_quality=_quality(rows, stages, labelled),
        judge=measure_judge(stages, labelled.unselected_failures, judge_verdicts(pool)),
        any_time=any_time,
    )


def _rows_of(every: Sequence[CaseRow], stages: Sequence[Stage]) -> list[CaseRow]:
    """Return the cases that were drawn from: a run may ask about some of its cases only."""
    drawn_from = frozenset().union(*(stage.cases for stage in stages))
    return [row for row in every if row.id in drawn_from]


def _categories_of(rows: Sequence[CaseRow], labelled: LabelledFailures, folder: Path | None) -> CorrectedCategories:
    """Return the category of each case; the folder of a selection has no file of categories."""
    file = None if folder is None else CATEGORIES_FILE.of(folder)
    every = read_category_rows(folder) if folder is not None and file is not None and file.is_file() else ()
    return correct_categories({row.id: row.category for row in rows if row.category}, labelled.categories, every)


def _require_draw(selection: str | Path | Drawn | None, paths: Sequence[str]) -> None:
    if selection is None and not paths:
        raise ConfigError(
            "it is not known how the labelled cases were drawn",
            remedy="give `selection`, or the size of the pool as `population` for a simple random sample",
        )
    expand([path for path in paths if not Path(path).is_dir()])  # names a missing file first


def _require_no_selection(selection: str | Path | Drawn | None) -> None:
    if selection is not None:
        raise ConfigError(
            "both a selection and a population are given",
            remedy="give the selection that drew the cases, or neither",
        )


def _labelled(
    labels: Paths | HasFolder | Mapping[str, float],
    paths: Sequence[str],
    stages: Sequence[Stage],
    folder: Path | None,
    comparer: ComparerFactory,
) -> LabelledFailures:
    if isinstance(labels, Mapping):
        return failures_in_memory(labels, selected={i for stage in stages for i in (*stage.certain, *stage.drawn)})
    if folder is None:
        raise ConfigError(
            "files of labels belong to a selection that was written to a folder",
            remedy="give `out` to `curator.select`, or give the labels by case id",
        )
    return read_failures(label_files(paths), folder, comparer)


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
        name for name in fields if name not in CATEGORIES or len({unit.domains.get(name) for unit in pool}) > 1
    ]
    return (*known_agreement(pool), *chosen)
