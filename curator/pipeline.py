"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

from curator.committee.nli import NliModel
from curator.committee.plan import Plan
from curator.committee.prices import price_of, prices_of
from curator.committee.store import DEFAULT_STORE, GenerationStore
from curator.committee.variants import Variant, load_variants
from curator.comparing import by_embedding, by_nli
from curator.config import Config, TaskConfig
from curator.disagreement.answers import read_answer
from curator.disagreement.health import health_warnings
from curator.disagreement.score import DEFAULT
from curator.disagreement.signals import group_of
from curator.diversity.dedupe import Deduped, deduplicate
from curator.diversity.embedding import Encoder, VectorCache, embed, open_encoder
from curator.errors import CuratorError, LogsError
from curator.guarding import Guarded, guard_export, open_registry, settle
from curator.kept_labels import keep_labels, kept_labels
from curator.logs.labels import LabelFile, read_labels
from curator.logs.read import read
from curator.outputs.calibration_file import CalibrationFile, read_calibration
from curator.outputs.categories_file import read_categories, write_categories
from curator.outputs.files import json_lines, run_lock, write_atomic
from curator.picking import Picked, failure_rate
from curator.progress import Progress, Silent
from curator.records import Case, FailureRate, Generation, Reference, Unreadable, Verdict, random_order
from curator.results import Intake, PlanResult, RunResult
from curator.run_folder import RunFacts, set_aside_row, write_run_folder
from curator.sampling import agree, ask, estimated, known_plan
from curator.scorer import Scorer, kind_of
from curator.selection.labelling import workload
from curator.standing import standing
from curator.status import StatusFile
from curator.studying import Study, study

FAILED_FILE = "set_aside.failed.jsonl"  # a run that fails leaves the files of the one before alone


class RunOptions(TypedDict, total=False):
    """The options of `run`, which says what they mean."""

    logs: Sequence[str]
    labels: Sequence[str]
    out: str | Path | None
    progress: Progress | None
    environ: Mapping[str, str] | None
    encoder: Encoder | None
    confirm: Callable[[PlanResult], bool] | None


def run(  # noqa: PLR0913  each one is an option of the job, and all but the job have a default
    config: Config,
    *,
    logs: Sequence[str] = (),
    labels: Sequence[str] = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
    confirm: Callable[[PlanResult], bool] | None = None,
) -> RunResult:
    """Run the whole job, or finish the one that was interrupted.

    Args:
        config: The job.
        logs: Files, folders or globs to read instead of `config.logs.paths`.
        labels: Label files to use beside `config.labels`.
        out: The run folder; `runs/<config.name>` by default.
        progress: Who is told of the work; nobody by default.
        environ: Where API keys are looked up; `os.environ` by default.
        encoder: What turns inputs into vectors, instead of `config.embedding`.
        confirm: Says whether to spend that much; asked once, before anything is, if it could be more than
            `budget.confirm_above_usd`. By default nobody is asked.

    Raises:
        NotConfirmed: `confirm` said no.
        UserError: something the user can fix; the subclasses in `curator.errors` say what.
    """
    _refuse_running_loop()
    started = datetime.now(UTC)
    folder = Path(out) if out else Path("runs") / config.name
    environ = os.environ if environ is None else environ
    variants, prices = _variants(config), prices_of(config.committee.models)
    encoder = encoder or open_encoder(config.embedding)  # a missing one is told before anything is paid for
    nli = _nli(config)
    fitted = _fitted(config)
    remembered = read_categories(_categories_path(config))
    if config.equivalence.asks:
        price_of(config.equivalence.asks.model)  # so is a judge without a price
    with run_lock(folder), StatusFile(folder, progress or Silent()) as progress:  # noqa: PLR1704  it passes all on
        keep_labels(folder)
        intake = _take_in(config, logs, labels, progress, folder)
        scorer = Scorer(config, intake.asked, variants, formula=fitted.formula if fitted else DEFAULT)
        with GenerationStore(_store_path(config)) as store:
            planned = known_plan(Plan(intake.asked, config.committee, variants, config.seed, prices), store)
            if confirm is not None:
                agree(config, intake, planned, store, progress=progress, confirm=confirm)
            with open_registry(config) as registry:  # a bad one is told before anything is paid for
                settled = settle(config, intake, registry)
            asked = asyncio.run(ask(config, planned, store, scorer, progress=progress, environ=environ))
        _compare(config, scorer, asked.generations, encoder, nli, progress)
        scored = scorer.score(asked.generations)
        ranked = asked.ranking(scored.scores)
        how = Study(
            config.selection, config.clustering, config.seed, encoder, _vectors_path(config),
            split=lambda case: settled.split_of(case.group), remembered=remembered, today=_today(),
            standing=standing(folder, [case.id for case in intake.asked], config) if intake.labels else None,
        )  # fmt: skip
        studied, picked = study(intake.asked, scored.scores, ranked, how, progress=progress)
        rate = _rate(picked, intake.asked, scored.failures)
        guarded = _guard(settled, config, intake, encoder, progress)
        facts = RunFacts(
            config=config, started=started, intake=intake, plan=asked.plan, sampled=asked.sampled,
            generations=asked.generations, scored=scored, studied=studied, picked=picked, guarded=guarded, rate=rate,
            missed=asked.missed(scored.scores), judged=asked.judged, fitted=fitted,
        )  # fmt: skip
        summary = write_run_folder(folder, facts, progress)
        write_categories(_categories_path(config), remembered.followed_by(studied.memory))
    warnings = (
        *intake.warnings, *guarded.warnings, *asked.plan.warnings, *studied.warnings, *health_warnings(scored.health),
        *(asked.judged.warnings if asked.judged else ()),
        *(fitted.warnings(scorer=scorer.default_scorer, groups=_groups(asked.plan)) if fitted else ()),
        *picked.discovery.messages,
    )  # fmt: skip
    sampled, work = asked.sampled, workload(summary.selection.to_label, config.labelling)
    return RunResult(folder, summary, sampled.sent, sampled.from_store, intake.labels, warnings, work)


async def run_async(config: Config, **options: Unpack[RunOptions]) -> RunResult:
    """`run` in a thread of its own, for a program that has an event loop; it takes the same options.

    Cancelling it does not stop the thread: the run goes on to its end.
    """
    return await asyncio.to_thread(run, config, **options)


def plan(
    config: Config, *, logs: Sequence[str] = (), labels: Sequence[str] = (), progress: Progress | None = None
) -> PlanResult:
    """Say what a run would ask and cost, without asking anything; stored answers are looked up.

    Raises:
        UserError: as `run_async`.
    """
    variants, prices = _variants(config), prices_of(config.committee.models)
    _fitted(config)  # a run would refuse it
    intake = _take_in(config, logs, labels, progress or Silent(), folder=None)
    made = Plan(intake.asked, config.committee, variants, config.seed, prices)
    path = _store_path(config)
    work = workload(min(config.selection.k, len(intake.asked)), config.labelling)
    if not path.exists():
        return replace(estimated(config, intake, made, None), workload=work)
    with GenerationStore(path) as store:
        return replace(estimated(config, intake, known_plan(made, store), store), workload=work)


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise CuratorError("an event loop is running here, as in a notebook: use `await curator.run_async(config)`")


def _variants(config: Config) -> tuple[Variant, ...]:
    folder = config.committee.prompts
    return load_variants(config.committee.variants, Path(folder) if folder else None)


def _nli(config: Config) -> NliModel | None:
    """The NLI model, loaded before anything is paid for, where the config wants one."""
    if config.equivalence.method != "nli" or config.equivalence.nli_model is None:
        return None
    model = NliModel(config.equivalence.nli_model)
    model.load()
    return model


def _fitted(config: Config) -> CalibrationFile | None:
    """The calibration that the config names."""
    return read_calibration(config.calibration) if config.calibration else None


def _groups(plan: Plan) -> set[str]:
    return {group_of(member.model, member.variant) for member in plan.members}


def _compare(
    config: Config,
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
        with VectorCache(_vectors_path(config)) as cache:
            scorer.compare_by(by_embedding(scorer.compared(generations), encoder, cache, progress=progress))


def _guard(guarded: Guarded, config: Config, intake: Intake, encoder: Encoder, progress: Progress) -> Guarded:
    """Keep out of training what asks a held-out question again."""
    with open_registry(config) as registry, VectorCache(_vectors_path(config)) as cache:
        return guard_export(
            guarded, config, intake, registry, embed=lambda texts: embed(texts, encoder, cache, progress=progress)
        )


def _rate(picked: Picked, cases: Sequence[Case], failures: Mapping[str, float]) -> FailureRate | None:
    """How often production fails; None where nobody but users, who correct what failed, has said of any case."""
    corrected = {case.id for case in cases if case.corrected}
    return failure_rate(picked, failures, corrected=corrected) if failures.keys() - corrected else None


def _vectors_path(config: Config) -> Path:
    return _store_path(config).with_name("vectors.sqlite")


def _store_path(config: Config) -> Path:
    return Path(config.store) if config.store else DEFAULT_STORE


def _take_in(
    config: Config, logs: Sequence[str], labels: Sequence[str], progress: Progress, folder: Path | None
) -> Intake:
    """Logs to cases: read, deduplicate, label, and take the subset that is asked for."""
    unreadable: list[Unreadable] = []
    records = 0

    def readable() -> Iterator[Case]:
        nonlocal records
        for record in read(config.logs, paths=logs or None):
            records += 1
            progress.advance()
            if isinstance(record, Unreadable):
                unreadable.append(record)
            else:
                yield record

    progress.start("read", total=None, unit="records")
    deduped = deduplicate(readable(), config.dedupe)
    progress.finish(f"{records:,} records, {len(deduped.cases):,} cases, {len(unreadable):,} set aside")
    _check_readable(records, unreadable, config.logs.max_unreadable, folder)
    cases, used, warnings = _label(deduped, [*config.labels, *labels], kept_labels(folder), config)
    return Intake(records, cases, _subset(cases, config), deduped.merged, tuple(unreadable), used, warnings)


def _check_readable(records: int, unreadable: Sequence[Unreadable], limit: float, folder: Path | None) -> None:
    if not records:
        raise LogsError("the logs hold no record", remedy="name logs that hold some, in `logs.paths` or with --logs")
    if len(unreadable) <= limit * records and len(unreadable) < records:
        if folder is not None:
            (folder / FAILED_FILE).unlink(missing_ok=True)
        return
    first, listed = unreadable[0], ""
    if folder is not None:
        write_atomic(folder / FAILED_FILE, json_lines(map(set_aside_row, unreadable)))
        listed = f"all of them are in {str(folder / FAILED_FILE)!r}; "
    raise LogsError(
        f"{len(unreadable):,} of {records:,} records cannot be read, more than `logs.max_unreadable: {limit}` allows;"
        f" the first is {first.source}: {first.reason}",
        remedy=f"{first.remedy} ({listed}or allow more with `logs.max_unreadable`)",
    )


def _label(
    deduped: Deduped, paths: Sequence[str], kept: Sequence[str], config: Config
) -> tuple[tuple[Case, ...], int, tuple[str, ...]]:
    """Give each case the label that came back for it, or for a record it stands for; how many, and what was not used.

    A later one of the `kept` queues corrects an earlier one, and `paths` correct them all.
    """
    files = [*([path] for path in kept), *([list(paths)] if paths else [])]
    read_ones = [read_labels(file) for file in files]
    warnings = [f"{p.source}: {p.reason} -> {p.remedy}" for found in read_ones for p in found.problems]
    warnings += [found.agreement.as_text() for found in read_ones if found.agreement]
    stands_for = {m.id: m.into for m in deduped.merged}
    labels = {stands_for.get(i, i): label for found in read_ones for i, label in found.labels.items()}
    cases = {case.id: case for case in deduped.cases}
    for case_id in sorted(labels.keys() - cases.keys()):
        warnings.append(f"the label for {case_id} is not used: these logs hold no such case")
        del labels[case_id]
    for case_id, label in sorted(labels.items()):
        task = config.tasks.get(cases[case_id].task or "", TaskConfig())
        kind = cases[case_id].kind or kind_of(task)
        if kind and not read_answer(label.text, kind, labels=task.labels).key:
            allowed = f", one of {', '.join(task.labels)}" if task.labels else ""
            warnings.append(f"the label {label.text!r} for {case_id} is not used: it should be a {kind}{allowed}")
            del labels[case_id]
    verdicts = _verdicts(read_ones, stands_for)
    labelled = tuple(_labelled(case, labels.get(case.id), verdicts.get(case.id)) for case in deduped.cases)
    return labelled, len(labels.keys() | verdicts.keys() & cases.keys()), tuple(warnings)


def _verdicts(files: Sequence[LabelFile], stands_for: Mapping[str, str]) -> dict[str, Verdict]:
    return {
        stands_for.get(i, i): Verdict(failure, found.slices.get(i))
        for found in files
        for i, failure in found.verdicts.items()
    }


def _labelled(case: Case, label: Reference | None, verdict: Verdict | None) -> Case:
    """The case with what people said of it: an answer that they call right is one that is trusted."""
    if label is None and verdict is not None and verdict.failure == 0 and case.target is not None:
        label = Reference(case.target, "label", slice=verdict.slice)
    return replace(case, reference=label or case.reference, verdict=verdict)


def _subset(cases: tuple[Case, ...], config: Config) -> tuple[Case, ...]:
    """The random subset that `logs.sample` wants, in the order of the log."""
    if config.logs.sample is None or config.logs.sample >= len(cases):
        return cases
    chosen = set(random_order([case.id for case in cases], config.seed)[: config.logs.sample])
    return tuple(case for case in cases if case.id in chosen)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _categories_path(config: Config) -> Path:
    return _store_path(config).with_name(f"categories.{config.name}.json")
