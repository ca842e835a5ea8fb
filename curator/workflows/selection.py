"""`curator select`: spend a labelling budget on recorded answers; no model is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from curator.config import ClusteringConfig, Config, DedupeConfig, LabellingConfig, SelectionConfig
from curator.dedup import near_duplicate_groups
from curator.encoders.sentence import Encoder
from curator.errors import ConfigError
from curator.estimation.failure_rate import Estimate
from curator.estimation.failure_rate import estimate as estimate_rate
from curator.estimation.sample_design import Stage
from curator.io.atomic import json_lines, run_lock, write_atomic
from curator.labels import CSV, LabelTool, chosen_tools
from curator.labels.archive import archive_labels
from curator.labels.batches import Workload, workload
from curator.labels.page import label_page
from curator.labels.queue import queue_rows
from curator.labels.queue_files import current_queue, labelled_in_work, write_queues
from curator.progress import Progress, Silent
from curator.records import (
    SLICES,
    Case,
    Category,
    JsonValue,
    Pick,
    RejectedRecord,
    Score,
    ScoreQuality,
    StrategyYield,
)
from curator.records.result import TableResult, renamed, warn_of_old_name
from curator.records.selections import category_names
from curator.report.answer_groups import AnswerGroup
from curator.report.score_quality import quality_sentences, yields_sentence
from curator.run_folder.cases import CaseRow
from curator.run_folder.design import Design, pool_hash, read_design
from curator.run_folder.layout import CASES, DESIGN, EARLIER_LABELS, LABEL_PAGE, SELECTION
from curator.run_folder.selection import SelectionRow, read_selection
from curator.selection.splits import split_of
from curator.stages.embed_and_cluster import EmbeddedCases, SelectionSettings, find_topics, select_and_embed
from curator.stages.label_truth import earlier_labels, read_failures
from curator.stages.measure_score import Draw, RankedCase, measure_score, ranked_cases, strategy_yields
from curator.stages.pick import NOTHING_EARLIER, Earlier, SelectionResult
from curator.stages.sampling_units import sampling_units
from curator.state.paths import DEFAULT_VECTORS
from curator.text.display import plural
from curator.workflows.inputs import Paths, path_list, source_of
from curator.workflows.label_inputs import label_files
from curator.workflows.pool import Pool, PoolInput, pool_of, read_pool, recorded_answers
from curator.workflows.score import DEFAULT_SCORING, Scoring


@dataclass(frozen=True, slots=True)
class SelectOptions:
    """The settings of a selection.

    Attributes:
        selection: the budget and the way to spend it.
        labelling: the time a label takes, and the batches.
        dedupe: the rule for near-duplicate inputs.
        scoring: the way to score recorded answers.
        seed: of the random draws.
        encoder: turns inputs into vectors; None for no vectors: then only near-duplicates are recognised.
        cache: the file that keeps vectors.
        clustering: the way to group embedded cases into categories.
    """

    selection: SelectionConfig = field(default_factory=SelectionConfig)
    labelling: LabellingConfig = field(default_factory=LabellingConfig)
    dedupe: DedupeConfig = field(default_factory=DedupeConfig)
    scoring: Scoring = DEFAULT_SCORING
    seed: int = 0
    encoder: Encoder | None = None
    cache: Path = DEFAULT_VECTORS
    clustering: ClusteringConfig = field(default_factory=ClusteringConfig)

    def of(self, config: Config | None, *, strategy: str | None, random_share: float | None) -> SelectOptions:
        """Return these options with the sections of a config, and other values for some keys."""
        selection = config.selection if config else self.selection
        changed = {"strategy": strategy, "random_share": random_share}
        return replace(
            self,
            selection=selection.model_copy(update={key: value for key, value in changed.items() if value is not None}),
            labelling=config.labelling if config else self.labelling,
            dedupe=config.dedupe if config else self.dedupe,
            clustering=config.clustering if config else self.clustering,
        )


@dataclass(frozen=True, slots=True)
class Selected(TableResult):
    """The cases to label, and how they were drawn.

    Attributes:
        picks: the cases of this round, in order of rank.
        stages: the draws, those of earlier rounds first.
        rows: every case of the pool, as in `cases.jsonl`.
        warnings: what the user should know.
        rejected: lines of the pool that are not cases.
        workload: the time that labelling the picks takes.
        folder: the folder that it was written to; None for none.
        score_quality: of the score, by the labels of earlier rounds; None without a label of the random slice.
        yields: the failures among the labels of earlier rounds, by slice.
    """

    picks: tuple[Pick, ...]
    stages: tuple[Stage, ...]
    rows: tuple[CaseRow, ...]
    warnings: tuple[str, ...] = field()
    rejected: tuple[RejectedRecord, ...] = field()
    workload: Workload
    folder: Path | None = None
    score_quality: ScoreQuality | None = None
    yields: tuple[StrategyYield, ...] = ()

    warnings_in_text = True
    messages = renamed("messages", "warnings")
    problems = renamed("problems", "rejected")

    def estimate(self, labels: Mapping[str, float], *, confidence: float = 0.95, by: Sequence[str] = ()) -> Estimate:
        """Estimate the failure rate of the pool from labels by case id, 0 (good) to 1 (failed).

        Raises:
            Refused: the labels do not support an estimate.
        """
        return estimate_rate(sampling_units(self.rows), self.stages, labels, confidence=confidence, by=by)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "folder": str(self.folder) if self.folder else None,
            "pool": len(self.rows),
            "set_aside": len(self.rejected),
            "selected": len(self.picks),
            "by_slice": {name: sum(p.slice == name for p in self.picks) for name in SLICES},
            "stage": len(self.stages),
            "strata": len(self.stages[-1].strata),
            "pool_hash": pool_hash(self.rows),
            "labelling": asdict(self.workload),
            "score_quality": orjson.loads(orjson.dumps(self.score_quality)) if self.score_quality else None,
            "yields": [asdict(item) for item in self.yields],
            "messages": list(self.warnings),
            "warnings": list(self.warnings),
            "problems": [f"{p.source}: {p.reason} -> {p.remedy}" for p in self.rejected],
            "rejected": self.rejected_rows(),
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a pick."""
        return [asdict(pick) for pick in self.picks]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        drawn = sum(p.slice == "random" for p in self.picks)
        aside = f" ({plural(len(self.rejected), 'line')} set aside)" if self.rejected else ""
        yield f"{len(self.picks):,} of {plural(len(self.rows), 'case')} selected{aside}"
        diverse = sum(p.slice == "diversity" for p in self.picks)
        yield f"  {len(self.picks) - drawn - diverse:,} by discovery: unstable cases that represent similar ones"
        if diverse:
            yield f"  {diverse:,} by diversity alone: cases that represent similar ones, whatever their score"
        if drawn:
            yield f"  {drawn:,} drawn at random from the rest, in {plural(len(self.stages[-1].strata), 'stratum', 'strata')}: the failure rate is estimated from these"
        if len(self.stages) > 1:
            yield from quality_sentences(self.score_quality)
            yield from filter(None, [yields_sentence(self.yields)])
        yield self.workload.to_text()
        if self.folder:
            yield ""
            yield f"{LABEL_PAGE.of(self.folder)}  <- judge the cases here, or"
            queue = current_queue(self.folder, CSV)
            yield f"{queue}  <- fill in `verdict` (pass or fail) or `label`, then:"
            yield f"curator estimate {queue}"
        yield from (f"note: {warning}" for warning in self.warnings)


def select(
    pool: PoolInput,
    out: str | Path | None = None,
    *,
    k: int | None = None,
    options: SelectOptions | None = None,
    after: str | Path | None = None,
    labels: Paths = (),
    progress: Progress | None = None,
) -> Selected:
    """Select the cases to label.

    Args:
        pool: recorded answers or scores: a file that `curator score` reads or writes, a run folder, records or scores in
            memory, or the result of `curator.score` or `curator.run`.
        out: the folder to write the selection to; None to write nothing.
        k: cases to select, instead of `options.selection.k`.
        options: the settings.
        after: an earlier selection of the same pool, which this one continues.
        labels: the labels of that earlier selection; its own label queue by default.
        progress: receives the progress of the work; silent by default.

    Raises:
        LogsError: the pool cannot be read, a record in memory does not fit, or an id is used twice.
        ConfigError: `after` is not a selection, or is one of other cases; or a label tool is unknown.
        StorageError: `out` cannot be written.
    """
    options, progress = _with_budget(options or SelectOptions(), k), progress or Silent()
    tools = chosen_tools(options.labelling.tools)  # before the work, and before anything is written
    source = source_of(pool)
    cases = _read_cases(source, options, progress)
    before = Path(after) if after is not None else None
    earlier = _earlier(before, path_list(labels), options, cases) if before else NOTHING_EARLIER
    if out is None:
        return _selected(cases, options, earlier, progress)
    folder = Path(out)
    with run_lock(folder):
        selected = replace(_selected(cases, options, earlier, progress), folder=folder)
        rows_before = list(read_selection(before).values()) if before else []
        archived = tuple(f"{file}: labels of an earlier label queue, archived" for file in archive_labels(folder))
        if before:
            write_atomic(EARLIER_LABELS.of(folder), earlier_labels(earlier.labels, earlier.categories))
        else:
            EARLIER_LABELS.of(folder).unlink(missing_ok=True)
        picked = frozenset(pick.case_id for pick in selected.picks)
        answers = recorded_answers(source, picked, comparer=options.scoring.comparer)
        _write(folder, cases, selected, options, tools, before=rows_before, answers=answers)
    return replace(selected, warnings=(*selected.warnings, *archived))


def select_file(path: Path, out: Path, **options: Any) -> Selected:  # noqa: ANN401  those of `select`
    """Select from a file: the old name of `select(path, out)`, kept for one release."""
    warn_of_old_name("select_file", "select")
    return select(path, out, **options)


def _read_cases(source: Path | Sequence[Mapping[str, object]], options: SelectOptions, progress: Progress) -> Pool:
    progress.start("read", total=None, unit="cases")
    if isinstance(source, Path):
        pool = read_pool(source, scoring=options.scoring, on_case=progress.advance)
    else:
        pool = pool_of(source, scoring=options.scoring)
    progress.finish(f"{plural(len(pool.cases), 'case')}, {len(pool.problems):,} set aside")
    return _grouped(pool, options.dedupe)


def _with_budget(options: SelectOptions, k: int | None) -> SelectOptions:
    if k is None:
        return options
    return replace(options, selection=options.selection.model_copy(update={"k": k}))


def _grouped(pool: Pool, config: DedupeConfig) -> Pool:
    """Give a near-duplicate group to each case that has none."""
    ungrouped = [n for n, item in enumerate(pool.cases) if not item.case.group]
    groups = near_duplicate_groups([pool.cases[n].case for n in ungrouped], config)
    cases = list(pool.cases)
    for n, group in zip(ungrouped, groups, strict=True):
        cases[n] = replace(cases[n], case=replace(cases[n].case, group=group))
    return replace(pool, cases=tuple(cases))


def _earlier(after: Path, labels: Sequence[str], options: SelectOptions, pool: Pool) -> Earlier:
    design = read_design(after)
    now = {item.case.id for item in pool.cases}
    then = design.cases
    if other := sorted(then - now) or sorted(now - then):
        which = "is not in this pool" if other[0] in then else "was not in its pool"
        raise ConfigError(
            f"{str(after)!r} was selected from another pool: {other[0]!r} {which} ({len(other):,} such)",
            remedy="name the pool that it was selected from, or leave `after` out",
        )
    files = list(labels) or label_files([str(after)])
    labelled = read_failures(files, after, options.scoring.comparer)
    draws = {i: Draw.of(row.pick) for i, row in read_selection(after).items()}
    return Earlier(
        design.stages,
        labelled.failures,
        quality=measure_score(_ranked(pool), labelled.unselected_failures, draws),
        yields=strategy_yields(labelled.failures, draws),
        categories=labelled.categories,
    )


def _ranked(pool: Pool) -> dict[str, RankedCase]:
    """Return the scored cases of a pool with what measures their score."""
    ranking = {item.case.id: item.score.disagreement for item in pool.cases if item.score.disagreement is not None}
    lengths = {item.case.id: item.length for item in pool.cases if item.length is not None}
    return ranked_cases((item.case for item in pool.cases), ranking, lengths)


def _selected(pool: Pool, options: SelectOptions, earlier: Earlier, progress: Progress) -> Selected:
    cases = [item.case for item in pool.cases]
    scores = {item.case.id: item.score for item in pool.cases}
    ranked = {i: score.disagreement for i, score in scores.items() if score.disagreement is not None}
    config = options.selection
    given_categories = {item.case.id: item.category for item in pool.cases if item.category}
    settings = SelectionSettings(
        config, options.clustering, options.seed, options.encoder, options.cache,
        split=lambda case: split_of(case.group, config.held_out_share), earlier=earlier, categories=given_categories,
    )  # fmt: skip
    embedded, picked = select_and_embed(cases, scores, ranked, settings, progress=progress)
    topics = find_topics(embedded, options.clustering, seed=options.seed, progress=progress)
    category_of = category_names(topics) | given_categories
    slices = {p.case_id: p.slice for p in picked.picks}
    rows = tuple(
        CaseRow.of(
            case, scores[case.id], split=settings.split(case), category=category_of.get(case.id), slice=slices.get(case.id)
        )
        for case in cases
    )  # fmt: skip
    return Selected(
        picks=picked.picks,
        stages=(*earlier.stages, picked.stage),
        rows=rows,
        warnings=tuple(_about(picked, config, cases, embedded)),
        rejected=pool.problems,
        workload=workload(len(picked.picks), options.labelling),
        score_quality=earlier.quality,
        yields=earlier.yields,
    )


def _about(
    picked: SelectionResult, config: SelectionConfig, cases: Sequence[Case], embedded: EmbeddedCases
) -> Iterator[str]:
    yield from picked.discovery.messages
    if len(picked.picks) < config.k:
        yield f"k is {config.k:,}, and only {len(picked.picks):,} of {plural(len(cases), 'case')} could be selected"
    if not picked.stage.drawn:
        yield (
            "no case was drawn at random: these labels cannot show how often production fails, nor find silent failures;"
            " raise `random_share`"
        )
    if not embedded.ids:
        yield "no vectors are available: apart from near-duplicates, discovery treats all cases as different"
    if bare := sum(case.target is None for case in cases):
        yield (
            f"{plural(bare, 'case')} without an answer of production: the label is compared with the committee's most frequent answer"
        )


def _write(
    out: Path,
    pool: Pool,
    selected: Selected,
    options: SelectOptions,
    tools: Sequence[LabelTool],
    *,
    before: Sequence[SelectionRow],
    answers: Mapping[str, tuple[AnswerGroup, ...]],
) -> None:
    cases = {item.case.id: item.case for item in pool.cases}
    scores: dict[str, Score] = {item.case.id: item.score for item in pool.cases}
    labels = {item.case.id: item.labels for item in pool.cases}
    queue = list(
        queue_rows(
            selected.picks, cases=cases, scores=scores, answers_of=lambda i: answers.get(i, ()), labels_of=lambda case: labels[case.id],
            labelling=options.labelling, seed=options.seed, categories=_categories(selected.rows),
        )
    )  # fmt: skip
    pool_id = pool_hash(selected.rows)
    categories = {row.id: row.category for row in selected.rows}
    rows = [
        SelectionRow.of(
            pick, cases[pick.case_id], scores.get(pick.case_id), category=categories[pick.case_id],
            labels=labels[pick.case_id], seed=options.seed, pool_hash=pool_id,
        )
        for pick in selected.picks
    ]  # fmt: skip
    write_atomic(CASES.of(out), json_lines(row.to_json() for row in selected.rows))
    write_atomic(SELECTION.of(out), json_lines(row.to_json() for row in [*before, *rows]))
    labelled = labelled_in_work(out, queue)
    queue = [row for row in queue if row.case_id not in labelled]
    write_queues(out, queue, tools)
    write_atomic(LABEL_PAGE.of(out), [label_page(queue).encode()])
    write_atomic(DESIGN.of(out), [Design(selected.stages, options.seed, pool_id).to_bytes()])


def _categories(rows: Sequence[CaseRow]) -> list[Category]:
    """Return the categories of the pool for the label queue."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.category:
            members[row.category].append(row.id)
    return [Category(name, name, (), tuple(ids)) for name, ids in sorted(members.items())]
