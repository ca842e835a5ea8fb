"""`curator run`: the stages in their order, with resume.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from curator.committee.plan import Plan
from curator.committee.prices import price_of, prices_of
from curator.config import Config
from curator.disagreement.members.health import health_warnings
from curator.disagreement.score import DEFAULT
from curator.encoders.nli import NliModel
from curator.encoders.sentence import Encoder, embed, open_encoder
from curator.errors import BudgetReached, ProviderError
from curator.io.atomic import run_lock
from curator.labels.archive import archive_labels
from curator.labels.batches import Workload, workload
from curator.progress import Progress, Silent
from curator.records import (
    Case,
    FailureRate,
    Generation,
    JsonValue,
    RejectedRecord,
)
from curator.records.recorded import prompt_id_of
from curator.records.result import Result
from curator.report.summary import Summary
from curator.report.trends import since_last_night
from curator.run_folder.frozen_selection import read_frozen_selection
from curator.run_folder.layout import REPORT_HTML
from curator.run_folder.status import StatusFile
from curator.stages.artifacts import RunArtifacts
from curator.stages.ask import ask
from curator.stages.embed_and_cluster import SelectionSettings, select_and_cluster
from curator.stages.equivalence import by_embedding, by_nli
from curator.stages.export import chosen_exporters, export
from curator.stages.holdout import HoldoutSplit, assign_splits, exclude_leaks
from curator.stages.ingest import IngestResult, ingest, ingest_line
from curator.stages.pick import SelectionResult, failure_rate
from curator.stages.plan import PlanResult, confirm_cost, with_model_limits
from curator.stages.prepare import _fitted, _nli, _variants
from curator.stages.score import Scorer
from curator.stages.write import write_run_folder
from curator.state.categories import read_categories, write_categories
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths
from curator.state.registry import Registry
from curator.state.vectors import VectorCache
from curator.text.display import money, plural
from curator.workflows.event_loop import run_coroutine, run_job
from curator.workflows.inputs import PathLike, Paths, config_from, path_list


class RunOptions(TypedDict, total=False):
    """The options of `run`, which explains them."""

    logs: Paths
    labels: Paths
    out: str | Path | None
    progress: Progress | None
    environ: Mapping[str, str] | None
    encoder: Encoder | None
    confirm: Callable[[PlanResult], bool] | None


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

    Raises:
        NotConfirmed: `confirm` said no.
        UserError: something the user can fix; the subclasses in `curator.errors` say what.
    """
    config = config_from(config)
    job = partial(
        _run, config, StatePaths.of(config, out=out), path_list(logs), path_list(labels), progress=progress or Silent(),
        environ=os.environ if environ is None else environ, encoder=encoder, confirm=confirm,
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
) -> RunResult:
    started, folder = datetime.now(UTC), paths.run_folder
    variants, prices = _variants(config), prices_of(config.committee.models)
    encoder = encoder or open_encoder(config.embedding)  # a missing one is told before anything is paid for
    nli = _nli(config)
    fitted = _fitted(config)
    exporters = chosen_exporters(config)
    remembered = read_categories(paths.categories)
    if config.equivalence.asks:
        price_of(config.equivalence.asks.model)  # so is a judge without a price
    with run_lock(folder), StatusFile(folder, progress) as progress:  # noqa: PLR1704  it passes all on
        archive_labels(folder)
        intake = ingest(config, logs, labels, progress, folder)
        scorer = Scorer(config, intake.asked, variants, formula=fitted.formula if fitted else DEFAULT)
        with GenerationStore(paths.store) as store:
            planned = with_model_limits(Plan(intake.asked, config.committee, variants, config.seed, prices), store)
            if confirm is not None:
                confirm_cost(config, intake, planned, store, progress=progress, confirm=confirm)
            with Registry(paths.registry) as registry:  # a bad one is told before anything is paid for
                settled = assign_splits(config, intake, registry)
            asked = run_coroutine(ask(config, planned, store, scorer, progress=progress, environ=environ))
        _compare(config, paths, scorer, asked.generations, encoder, nli, progress)
        scored = scorer.score(asked.generations)
        ranked = asked.ranking(scored.scores)
        how = SelectionSettings(
            config.selection, config.clustering, config.seed, encoder, paths.vectors,
            split=lambda case: settled.split_of(case.group), remembered=remembered, today=_today(),
            standing=read_frozen_selection(folder, [case.id for case in intake.asked], config) if intake.labels else None,
        )  # fmt: skip
        studied, picked = select_and_cluster(intake.asked, scored.scores, ranked, how, progress=progress)
        rate = _rate(picked, intake.asked, scored.failures)
        guarded = _guard(settled, config, paths, intake, encoder, progress)
        exports = export(
            config, exporters, cases=intake.cases, picks=picked.picks, scores=scored.scores,
            categories=studied.categories, holdout=guarded,
        )  # fmt: skip
        artifacts = RunArtifacts(
            config=config, started=started, ingest=intake, sampling=asked, scoring=scored, clusters=studied, selection=picked,
            holdout=guarded, exports=exports, calibration=fitted, failure_rate=rate, audit=asked.audit(scored.scores),
        )  # fmt: skip
        summary = write_run_folder(folder, artifacts, progress)
        if asked.stopped is not None:
            raise _incomplete(asked.stopped, folder, summary)
        write_categories(paths.categories, remembered.followed_by(studied.memory))
    warnings = (
        *paths.notices, *intake.warnings, *guarded.warnings, *asked.plan.warnings, *studied.warnings, *health_warnings(scored.health), *scored.warnings,
        *(asked.judged.warnings if asked.judged else ()),
        *(fitted.warnings(scorer=scorer.default_scorer, groups=_groups(asked.plan)) if fitted else ()),
        *picked.discovery.messages, *exports.warnings,
    )  # fmt: skip
    sampled, work = asked.stats, workload(summary.selection.to_label, config.labelling)
    return RunResult(
        folder, summary, sampled.sent, sampled.from_store, intake.labels, warnings, work, intake.unreadable, sampled.usd
    )


def _incomplete(error: BudgetReached | ProviderError, folder: Path, summary: Summary) -> BudgetReached | ProviderError:
    """Return the error that ended the asking, with what was written all the same."""
    written = summary.stopped.answers if summary.stopped else 0
    return type(error)(
        f"{error.what}; the report and the label queue in {str(folder)!r} are made from the {plural(written, 'answer')} so far",
        remedy=error.remedy,
    )


async def run_async(config: Config | PathLike, **options: Unpack[RunOptions]) -> RunResult:
    """Run the job in a thread, while the event loop of the caller goes on; the options are those of `run`.

    Cancelling it does not stop the thread: the job runs to its end.
    """
    return await asyncio.to_thread(run, config, **options)


def _groups(plan: Plan) -> set[str]:
    return {prompt_id_of(member.model, member.variant) for member in plan.members}


def _compare(
    config: Config,
    paths: StatePaths,
    scorer: Scorer,
    generations: Mapping[str, Sequence[Generation]],
    encoder: Encoder,
    nli: NliModel | None,
    progress: Progress,
) -> None:
    """Let the scorer compare answers by the models of this machine, where the config says so."""
    if nli is not None:
        scorer.compare_by(by_nli(nli))
    elif config.equivalence.method == "embedding":
        with VectorCache(paths.vectors) as cache:
            scorer.compare_by(by_embedding(scorer.compared(generations), encoder, cache, progress=progress))


def _guard(
    guarded: HoldoutSplit, config: Config, paths: StatePaths, intake: IngestResult, encoder: Encoder, progress: Progress
) -> HoldoutSplit:
    """Keep out of training what asks a held-out question again."""
    with Registry(paths.registry) as registry, VectorCache(paths.vectors) as cache:
        return exclude_leaks(
            guarded, config, intake, registry, embed=lambda texts: embed(texts, encoder, cache, progress=progress)
        )


def _rate(picked: SelectionResult, cases: Sequence[Case], failures: Mapping[str, float]) -> FailureRate | None:
    """How often production fails; None where nobody but users, who correct what failed, has said of any case."""
    corrected = {case.id for case in cases if case.corrected}
    return failure_rate(picked, failures, corrected=corrected) if failures.keys() - corrected else None


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class RunResult(Result):
    """A finished run.

    Attributes:
        folder: where its files are.
        summary: the content of `summary.json`.
        sent: the requests that this run sent.
        from_store: the answers that earlier runs had stored.
        labels: the labels that were used.
        warnings: what to know before relying on the result.
        workload: what it takes to label the queue.
        rejected: the log records that could not be read.
        spent_usd: what this run paid, in US dollars; `summary.committee.cost_usd` is the cost of all answers.
    """

    folder: Path
    summary: Summary
    sent: int
    from_store: int
    labels: int
    warnings: tuple[str, ...] = field()
    workload: Workload | None = None
    rejected: tuple[RejectedRecord, ...] = ()
    spent_usd: float = 0.0

    warnings_in_text = True

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines; everything else is in `summary.json`."""
        c = self.summary.counts
        return {
            "folder": str(self.folder), "read": c.read, "cases": c.kept, "merged": c.merged_exact + c.merged_near,
            "set_aside": c.set_aside, "asked": c.asked, "sent": self.sent, "from_store": self.from_store,
            "labels": self.labels, "spent_usd": self.spent_usd, "cost_usd": self.summary.committee.cost_usd, "categories": len(self.summary.categories),
            "labelling": asdict(self.workload) if self.workload else None,
            "selected": c.selected, "files": dict(self.summary.outputs), "warnings": list(self.warnings),
            "rejected": self.rejected_rows(),
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people, and where to look first."""
        s, c = self.summary, self.summary.counts
        merged = c.merged_exact + c.merged_near
        adaptive = f" ({s.adaptive.calls_full:,} by the whole committee)" if s.adaptive else ""
        answers = (
            f"{plural(s.committee.generations, 'answer')} of {plural(len(s.committee.members), 'member')} to {plural(c.asked, 'case')}{adaptive}:"
            f" {plural(self.sent, 'request')} sent now, {plural(self.from_store, 'answer')} stored before"
        )
        selected = (
            f"{plural(len(s.categories), 'category', 'categories')}{since_last_night(s)}, {plural(c.selected, 'case')} selected"
            f" ({s.selection.by_slice['disagreement']} by disagreement, {s.selection.by_slice['random']} at random)"
        )
        lines = [
            ingest_line(c.read, c.kept, merged, c.set_aside),
            answers,
            *([self._cost_line()] if s.committee.cost_usd or self.spent_usd else []),
            selected,
            *([f"used {plural(self.labels, 'label')} that came back"] if self.labels else []),
            *([f"labelling: {self.workload.to_text()}"] if self.workload and self.workload.cases else []),
            "",
            f"{REPORT_HTML.of(self.folder)}  <- open this first",
            *(f"{self.folder / name}  {plural(rows, 'row')}" for name, rows in s.outputs.items()),
        ]
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])

    def _cost_line(self) -> str:
        return f"this run spent {money(self.spent_usd)}; all answers that it used cost {money(self.summary.committee.cost_usd)}"
