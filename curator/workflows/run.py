"""`curator run`: the stages in their order, with resume.

logs -> cases -> plan -> generations -> scores -> vectors -> picks -> categories -> run folder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from curator.committee.budget import Budget
from curator.committee.plan import Plan
from curator.committee.questions import Asking, QuestionUsage
from curator.config import Config
from curator.disagreement.members.health import health_warnings
from curator.disagreement.score import DEFAULT
from curator.encoders.sentence import Encoder
from curator.errors import BudgetReached, NoAnswers, RecordError
from curator.exporters.eval_set_rounds import EarlierEvalSet, read_eval_set
from curator.io.atomic import run_lock
from curator.io.manifest import read_manifest
from curator.labels.archive import archive_labels, unreadable_queues
from curator.labels.batches import workload
from curator.labels.queue_files import worked_in
from curator.progress import Progress, Silent
from curator.records import Case, Kind
from curator.records.recorded import prompt_id_of
from curator.records.selections import category_names
from curator.report.summary import Summary
from curator.run_folder.frozen_selection import FrozenSelection, read_frozen_selection
from curator.run_folder.status import StatusFile
from curator.selection.judged_ranking import judged_ranking
from curator.stages.artifacts import RunArtifacts
from curator.stages.ask import SamplingResult, ask
from curator.stages.ask_attributes import ask_attributes, task_keys, with_attributes
from curator.stages.categorise import CategoryResult, categorise, earlier_categories, follow_nights, method_of, remember
from curator.stages.corrected_categories import correct_categories
from curator.stages.earlier_nights import EarlierNights
from curator.stages.embed_and_cluster import SelectionSettings, select_and_embed
from curator.stages.export import EarlierSet, export
from curator.stages.holdout import HoldoutSplit, assign_splits, exclude_leaks
from curator.stages.ingest import IngestResult, ingest
from curator.stages.judge_answers import judge_answers, verdicts_on, with_judgements
from curator.stages.measure_score import (
    answer_lengths,
    draws_by_labels,
    draws_of_selection,
    failures_by_labels,
    measure_judge,
    measure_score,
    ranked_cases,
    strategy_yields,
)
from curator.stages.name_categories import name_categories
from curator.stages.pick import Earlier
from curator.stages.plan import PlanResult, confirm_cost, with_model_limits
from curator.stages.prepare import RunContext, open_run
from curator.stages.sampling_units import judge_verdicts
from curator.stages.score import Scorer, ScoringResult
from curator.stages.write import write_run_folder
from curator.state.categories import write_categories
from curator.state.draws import DrawsFile, NightDraw, write_draws
from curator.state.paths import StatePaths
from curator.text.display import plural
from curator.workflows.event_loop import run_coroutine, run_job
from curator.workflows.inputs import PathLike, Paths, config_from, path_list
from curator.workflows.run_result import RunResult

INCOMPLETE = "incomplete"
"""The folder inside a complete run folder that gets what a later run made before it ended early."""


class RunOptions(TypedDict, total=False):
    """The options of `run`, which explains them."""

    logs: Paths
    labels: Paths
    out: str | Path | None
    progress: Progress | None
    environ: Mapping[str, str] | None
    encoder: Encoder | None
    confirm: Callable[[PlanResult], bool] | None
    processes: int


def run(  # noqa: PLR0913  each one is an option of the job, and all but the job have a default
    config: Config | PathLike,
    *,
    logs: Paths = (),
    labels: Paths = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
    confirm: Callable[[PlanResult], bool] | None = None,
    processes: int = 1,
) -> RunResult:
    """Run the whole job, or finish the one that was interrupted.

    Where an event loop is running, as in a notebook, the job runs in a thread of its own, and this function waits for it.

    Args:
        config: The job, or the path of its file.
        logs: Files, folders or globs to read instead of `config.logs.paths`.
        labels: Label files to use beside `config.labels`.
        out: The run folder instead of `config.out`; `runs/<config.name>` beside the config by default.
        progress: Receives the progress of the work; silent by default.
        environ: Where API keys are looked up; `os.environ` by default.
        encoder: Turns inputs into vectors, instead of `config.embedding`.
        confirm: Returns whether to spend that much; called once, before any model is asked, if the run could cost more than
            `budget.confirm_above_usd`. By default the run does not ask.
        processes: Reads large logs in so many processes. A script that asks for several runs under `if __name__ == "__main__":`.

    Raises:
        NotConfirmed: `confirm` said no.
        BudgetReached: a limit of `budget` ended the run; its `result` is made from the answers so far.
        NoAnswers: the models gave no answer that can be used, or a member gave none; `result` as above.
        UserError: something the user can fix; the subclasses in `curator.errors` say what.
    """
    config = config_from(config)
    job = partial(
        _run, config, StatePaths.of(config, out=out), path_list(logs), path_list(labels), progress=progress or Silent(),
        environ=os.environ if environ is None else environ, encoder=encoder, confirm=confirm, processes=processes,
    )  # fmt: skip
    return run_job(job)


def _run(  # noqa: PLR0913  the options of `run`, with their defaults filled in
    config: Config,
    paths: StatePaths,
    logs: Sequence[str],
    labels: Sequence[str],
    *,
    progress: Progress,
    environ: Mapping[str, str],
    encoder: Encoder | None,
    confirm: Callable[[PlanResult], bool] | None,
    processes: int,
) -> RunResult:
    started, folder = datetime.now(UTC), paths.run_folder
    with (
        open_run(config, paths, encoder=encoder) as context,
        run_lock(folder),
        StatusFile(folder, progress) as status,
    ):
        archive_labels(folder)
        archive_labels(folder / INCOMPLETE, into=folder)
        unreadable = [
            f"{refusal.source.file}: {refusal.reason} -> {refusal.remedy}" for refusal in unreadable_queues(folder)
        ]
        eval_set = read_eval_set(folder).redacted(context.redaction.kept)
        intake = ingest(
            config, logs, labels, status, folder,
            redaction=context.redaction, processes=processes, earlier=eval_set.cases,
        )  # fmt: skip
        calibration = context.calibration
        scorer = Scorer(config, intake.asked, context.variants, formula=calibration.formula if calibration else DEFAULT)
        plan = with_model_limits(_plan(context, intake), context.store)
        if confirm is not None:
            confirm_cost(config, intake, plan, context.store, progress=status, confirm=confirm)
        # Before any model is asked, so that a damaged registry costs nothing.
        holdout = assign_splits(config, intake, context.registry, eval_set=eval_set.cases)
        asking = Asking(context.store, Budget(config.budget), status, environ)
        sampling = run_coroutine(ask(config, plan, scorer, asking))
        attributes = run_coroutine(ask_attributes(intake.asked, config.categories, asking))
        judgements = run_coroutine(judge_answers(intake.asked, config.judge, config.judge_model, asking))
        intake = with_judgements(with_attributes(intake, attributes), judgements)
        context.compare_answers(scorer, sampling.generations, status)
        frozen = _frozen_selection(config, folder, intake)
        artifacts, draws = _analyse(
            context, started, intake, sampling, scorer, holdout, eval_set, frozen=frozen, asking=asking
        )
        artifacts = replace(artifacts, attributes=attributes, judgements=judgements)
        output = folder / INCOMPLETE if sampling.stopped and _is_complete(folder) else folder
        summary = write_run_folder(output, artifacts, status)
        write_draws(paths.draws, draws)  # also of a run that ended early: its label queue may be filled in
        notices = (*paths.notices, *unreadable, *_frozen_early(frozen, folder), *_warnings(artifacts, scorer))
        result = _result(output, artifacts, summary, notices)
        if sampling.stopped is not None:
            raise _incomplete(sampling.stopped, folder, result)
        write_categories(paths.categories, context.history.followed_by(remember(artifacts.categories)))
    return result


def _result(folder: Path, run: RunArtifacts, summary: Summary, warnings: tuple[str, ...]) -> RunResult:
    stats = run.sampling.stats
    return RunResult(
        folder=folder,
        summary=summary,
        sent=stats.sent,
        from_store=stats.from_store,
        labels=run.ingest.labels,
        warnings=warnings,
        workload=workload(summary.selection.to_label, run.config.labelling),
        rejected=run.ingest.unreadable,
        spent_usd=stats.usd,
        understood=run.ingest.understood,
        eval_set=run.exports.eval_round.to_text(),
    )


def _is_complete(folder: Path) -> bool:
    """Return whether a folder holds a complete run.

    A damaged manifest counts as complete, so that nothing is overwritten.
    """
    try:
        earlier = read_manifest(folder)
    except RecordError:
        return True
    return earlier is not None and earlier.stopped is None


def _plan(context: RunContext, intake: IngestResult) -> Plan:
    config = context.config
    return Plan(
        intake.questions,
        config.committee,
        context.variants,
        config.seed,
        context.prices,
        same_question=intake.same_question,
    )


def _frozen_selection(config: Config, folder: Path, intake: IngestResult) -> FrozenSelection | None:
    """Return the selection that labels in the folder, or in work, belong to."""
    if not (intake.labels or worked_in(folder)):
        return None
    return read_frozen_selection(folder, [case.id for case in intake.asked], config)


def _frozen_early(frozen: FrozenSelection | None, folder: Path) -> Iterator[str]:
    if frozen is not None and frozen.drawn_early:
        yield (
            f"the selection in {str(folder)!r} was drawn by a run that ended at its budget, from a part of the answers; it is"
            " kept, because labels for it came back; to draw anew from all answers, name another run folder with `--out`"
            " and the labels with `--labels`"
        )


def _analyse(  # noqa: PLR0913  the results of the stages before
    context: RunContext,
    started: datetime,
    intake: IngestResult,
    sampling: SamplingResult,
    scorer: Scorer,
    holdout: HoldoutSplit,
    eval_set: EarlierEvalSet,
    *,
    frozen: FrozenSelection | None,
    asking: Asking,
) -> tuple[RunArtifacts, DrawsFile]:
    """Score, select, group and export what was answered; return the draws of all nights as well."""
    config, paths, progress = context.config, context.paths, asking.progress
    scoring = scorer.score(sampling.generations)
    judged = judged_ranking(sampling.ranking(scoring.scores), verdicts_on(intake.asked))
    ranking = judged.ranks
    earlier = _labels_so_far(intake.asked, ranking, scoring, sampling, frozen)
    nights = EarlierNights.of(_draws(context, frozen), intake.asked, scoring.failures, config)
    settings = SelectionSettings(
        config.selection, config.clustering, config.seed, context.encoder, paths.vectors,
        split=lambda case: holdout.split_of(case.group), standing=frozen,
        earlier=replace(nights.within(intake.asked), quality=earlier.quality),
    )  # fmt: skip
    embedded, selection = select_and_embed(intake.asked, scoring.scores, ranking, settings, progress=progress)
    categories, names = _categories(context, intake.asked, scoring, asking)
    holdout = exclude_leaks(holdout, config, intake, context.registry, embed=partial(context.embed, progress=progress))
    exports = export(
        config, context.exporters, cases=intake.cases, picks=selection.picks, scores=scoring.scores,
        categories=categories.categories, holdout=holdout,
        eval_set=EarlierSet(eval_set, intake.gone, intake.given, started.date().isoformat()),
    )  # fmt: skip
    corrected = {case.id for case in intake.asked if case.corrected}
    by_people = correct_categories(
        category_names(categories.categories), intake.corrected_categories, categories.categories
    )
    labels = failures_by_labels(intake.asked, scoring.failures, _kinds(scoring))
    artifacts = RunArtifacts(
        config=config, started=started, ingest=intake, sampling=sampling.with_spend(asking.budget), scoring=scoring,
        embedded=embedded, categories=categories,
        selection=selection, holdout=holdout, exports=exports, calibration=context.calibration,
        failure_rate=nights.failure_rate(selection, scoring.failures, corrected, by_people), by_people=by_people,
        other_answers=nights.warnings,
        judge=measure_judge(selection.stages, {**selection.earlier.labels, **labels}, judge_verdicts(selection.pool)),
        audit=sampling.audit(scoring.scores),
        score_quality=earlier.quality, yields=earlier.yields, names=names, judge_ranking_weight=judged.weight,
    )  # fmt: skip
    return artifacts, nights.with_night(selection, scoring.failures, corrected, config, _today())


def _draws(context: RunContext, frozen: FrozenSelection | None) -> DrawsFile:
    """Return the draws of the nights so far; without any, those of the kept selection's folder."""
    if context.draws.nights or frozen is None:
        return context.draws
    return DrawsFile(tuple(NightDraw("", "", stage) for stage in frozen.before))


def _categories(
    context: RunContext, cases: Sequence[Case], scoring: ScoringResult, asking: Asking
) -> tuple[CategoryResult, QuestionUsage | None]:
    """Group the failures under the ids and names of earlier nights, and name the new ones."""
    config = context.config.categories
    tasks = task_keys(cases, config.attributes)
    method = method_of(attribute.name for attribute in config.attributes if attribute.group)
    earlier_ids = earlier_categories(cases, context.history, method=method)
    result = categorise(
        cases, scoring.contrasts, scoring.scores, scoring.failures, tasks=tasks, earlier_ids=earlier_ids
    )
    result = follow_nights(result, cases, context.history, today=_today(), tasks=tasks, method=method)
    by_id = {case.id: case for case in cases}
    named = run_coroutine(name_categories(result.categories, result.contrasts, by_id, config, asking))
    warnings = (*result.warnings, *named.warnings)
    return replace(result, categories=named.categories, warnings=warnings), named.usage


def _labels_so_far(
    cases: Sequence[Case],
    ranking: Mapping[str, float],
    scoring: ScoringResult,
    sampling: SamplingResult,
    frozen: FrozenSelection | None,
) -> Earlier:
    """Return what the labels say of the score and of the slices.

    They were drawn in the kept selection, if there is one.
    """
    failures = failures_by_labels(cases, scoring.failures, _kinds(scoring))
    draws = draws_by_labels(cases) if frozen is None else draws_of_selection(frozen)
    ranked = ranked_cases(cases, ranking, answer_lengths(sampling.generations))
    return Earlier(quality=measure_score(ranked, failures, draws), yields=strategy_yields(failures, draws))


def _kinds(scoring: ScoringResult) -> dict[str, Kind]:
    return {case_id: score.kind for case_id, score in scoring.scores.items()}


def _warnings(run: RunArtifacts, scorer: Scorer) -> Iterator[str]:
    """Yield what each stage warns of, in the order of the stages."""
    plan, judged = run.sampling.plan, run.sampling.judged
    yield from (*run.ingest.warnings, *run.other_answers, *run.holdout.warnings, *plan.warnings, *run.sampling.warnings)
    yield from (*run.attributes.warnings, *run.judgements.warnings, *run.categories.warnings)
    yield from (*health_warnings(run.scoring.health), *run.scoring.warnings, *(judged.warnings if judged else ()))
    if run.calibration:
        members = {prompt_id_of(member.model, member.variant) for member in plan.members}
        yield from run.calibration.warnings(scorer=scorer.default_scorer, groups=members)
    yield from (*run.selection.discovery.messages, *run.exports.warnings)


def _incomplete(error: BudgetReached | NoAnswers, folder: Path, result: RunResult) -> BudgetReached | NoAnswers:
    """Return the error that ended the asking, with what was written all the same."""
    answers = result.summary.stopped.answers if result.summary.stopped else 0
    kept = f"; the complete run in {str(folder)!r} is unchanged" if result.folder != folder else ""
    return type(error)(
        f"{error.what}; the report and the label queue in {str(result.folder)!r} are made from the"
        f" {plural(answers, 'answer')} so far{kept}",
        remedy=error.remedy,
        result=result,
    )


async def run_async(config: Config | PathLike, **options: Unpack[RunOptions]) -> RunResult:
    """Run the job in a thread, beside the event loop of the caller; with the options of `run`.

    Cancelling it does not stop the thread: the job runs to its end.
    """
    return await asyncio.to_thread(run, config, **options)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
