"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

from curator.committee.budget import Budget
from curator.committee.calls import PlannedCall
from curator.committee.clients import open_clients
from curator.committee.endpoints import Endpoint
from curator.committee.engine import Sampled, sample
from curator.committee.lane import TemperatureRefused
from curator.committee.plan import Plan, endpoint_of
from curator.committee.prices import prices_of
from curator.committee.store import DEFAULT_STORE, GenerationStore
from curator.committee.variants import Variant, load_variants
from curator.config import Config, TaskConfig
from curator.disagreement.answers import detect_kind, extract, read_answer
from curator.disagreement.equivalence import meaning
from curator.disagreement.score import Answered, score_case
from curator.diversity.clustering import cluster, layout
from curator.diversity.dedupe import Deduped, deduplicate
from curator.diversity.embedding import Encoder, VectorCache, embed, open_encoder
from curator.diversity.texts import embedding_texts
from curator.errors import CuratorError, LogsError, NotConfirmed
from curator.logs.labels import LabelFile, read_labels
from curator.logs.read import read
from curator.outputs.files import json_lines, run_lock, write_atomic
from curator.progress import Progress, Silent
from curator.records import Case, Generation, Kind, Pick, Unreadable
from curator.report.answers import GivenAnswer, group_answers
from curator.report.categories import build_categories
from curator.results import Intake, PlanResult, RunResult, Scored, Studied
from curator.run_folder import RunFacts, set_aside_row, write_run_folder
from curator.selection.choose import candidates, random_order, select
from curator.status import StatusFile

FAILED_FILE = "set_aside.failed.jsonl"  # a run that fails leaves the files of the one before alone
ONE_TEMPERATURE = "one-temperature"
LABEL_QUEUES = ("label_queue.csv", "label_queue.jsonl")


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
    with run_lock(folder), StatusFile(folder, progress or Silent()) as progress:  # noqa: PLR1704  it passes all on
        _keep_labels(folder)
        intake = _take_in(config, logs, labels, progress, folder)
        with GenerationStore(_store_path(config)) as store:
            planned = Plan(
                intake.asked, config.committee, variants, config.seed, prices, _one_temperature(config, store)
            )
            if confirm is not None:
                _confirm(config, intake, planned, store, progress, confirm)
            planned, sampled, generations = asyncio.run(_ask(config, planned, store, progress, environ))
        scored = _score(config, intake.asked, generations, variants)
        studied = _study(config, intake.asked, scored, encoder, progress)
        picks = _select(config, intake.asked, scored, studied)
        facts = RunFacts(
            config=config, started=started, intake=intake, plan=planned, sampled=sampled, generations=generations,
            scored=scored, studied=studied, picks=picks,
        )  # fmt: skip
        summary = write_run_folder(folder, facts, progress)
    warnings = (*intake.warnings, *planned.warnings)
    return RunResult(folder, summary, sampled.sent, sampled.from_store, intake.labels, warnings)


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
    intake = _take_in(config, logs, labels, progress or Silent(), folder=None)
    path = _store_path(config)
    if not path.exists():
        made = Plan(intake.asked, config.committee, variants, config.seed, prices)
        return PlanResult(intake, made.estimate(), config.budget.max_usd)
    with GenerationStore(path) as store:
        made = Plan(intake.asked, config.committee, variants, config.seed, prices, _one_temperature(config, store))
        intake = replace(intake, warnings=(*intake.warnings, *made.warnings))
        return _estimated(config, intake, made, store)


def _estimated(config: Config, intake: Intake, planned: Plan, store: GenerationStore) -> PlanResult:
    """What the plan comes to, less the answers that are stored."""
    found = planned.estimate(lambda keys: set(store.get_many(keys)), store.latency_s)
    return PlanResult(intake, found, config.budget.max_usd)


def _confirm(
    config: Config,
    intake: Intake,
    planned: Plan,
    store: GenerationStore,
    progress: Progress,
    confirm: Callable[[PlanResult], bool],
) -> None:
    """Ask whether to go on, where that can cost more than the config lets pass.

    Raises:
        NotConfirmed: the answer is no.
    """
    if not any(price.input or price.output for price in planned.prices.values()):
        return  # a large plan takes a while to estimate, and this one is free
    progress.start("plan", total=len(planned), unit="calls")
    estimated = _estimated(config, intake, planned, store)
    progress.advance(len(planned))
    progress.finish(f"${estimated.ceiling_usd:,.4f} at most")
    if estimated.ceiling_usd > config.budget.confirm_above_usd and not confirm(estimated):
        raise NotConfirmed(
            f"nothing was spent: ${estimated.ceiling_usd:,.4f} at most were not agreed to",
            remedy="set a limit you agree to with --max-usd (`budget.max_usd`), or say --yes",
        )


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise CuratorError("an event loop is running here, as in a notebook: use `await curator.run_async(config)`")


def _variants(config: Config) -> tuple[Variant, ...]:
    folder = config.committee.prompts
    return load_variants(config.committee.variants, Path(folder) if folder else None)


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
    cases, used, warnings = _label(deduped, [*config.labels, *labels], _kept_labels(folder), config)
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


def _keep_labels(folder: Path) -> None:
    """Put label queues that somebody filled in away in `labels/`, numbered, before this run overwrites them."""
    for queue in (folder / name for name in LABEL_QUEUES):
        found = read_labels([str(queue)]) if queue.exists() else LabelFile({}, ())
        if not found.labels and not found.problems:
            continue
        content, kept = queue.read_bytes(), _kept_labels(folder)
        if all(Path(path).read_bytes() != content for path in kept):
            write_atomic(folder / "labels" / f"{len(kept) + 1:04d}{queue.suffix}", [content])


def _kept_labels(folder: Path | None) -> list[str]:
    """The queues that were put away, the oldest first."""
    found = sorted((folder / "labels").glob("*")) if folder else []
    return [str(path) for path in found if path.suffix in (".csv", ".jsonl")]


def _label(
    deduped: Deduped, paths: Sequence[str], kept: Sequence[str], config: Config
) -> tuple[tuple[Case, ...], int, tuple[str, ...]]:
    """Give each case the label that came back for it, or for a record it stands for; how many, and what was not used.

    A later one of the `kept` queues corrects an earlier one, and `paths` correct them all.
    """
    files = [*([path] for path in kept), *([list(paths)] if paths else [])]
    read_ones = [read_labels(file) for file in files]
    warnings = [f"{p.source}: {p.reason} -> {p.remedy}" for found in read_ones for p in found.problems]
    stands_for = {m.id: m.into for m in deduped.merged}
    labels = {stands_for.get(i, i): label for found in read_ones for i, label in found.labels.items()}
    cases = {case.id: case for case in deduped.cases}
    for case_id in sorted(labels.keys() - cases.keys()):
        warnings.append(f"the label for {case_id} is not used: these logs hold no such case")
        del labels[case_id]
    for case_id, label in sorted(labels.items()):
        task = config.tasks.get(cases[case_id].task or "", TaskConfig())
        kind = cases[case_id].kind or _kind_of(task)
        if kind and not read_answer(label.text, kind, labels=task.labels).key:
            allowed = f", one of {', '.join(task.labels)}" if task.labels else ""
            warnings.append(f"the label {label.text!r} for {case_id} is not used: it should be a {kind}{allowed}")
            del labels[case_id]
    labelled = tuple(replace(c, reference=labels[c.id]) if c.id in labels else c for c in deduped.cases)
    return labelled, len(labels), tuple(warnings)


def _kind_of(task: TaskConfig) -> Kind | None:
    """The kind that the config says; a task with labels has labels for answers."""
    return task.kind or ("label" if task.labels else None)


def _subset(cases: tuple[Case, ...], config: Config) -> tuple[Case, ...]:
    """The random subset that `logs.sample` wants, in the order of the log."""
    if config.logs.sample is None or config.logs.sample >= len(cases):
        return cases
    chosen = set(random_order([case.id for case in cases], config.seed)[: config.logs.sample])
    return tuple(case for case in cases if case.id in chosen)


def _one_temperature(config: Config, store: GenerationStore) -> frozenset[str]:
    """The models of which an earlier run found out that they take no temperature but 1."""
    models = config.committee.models
    return frozenset(m.name for m in models if store.noted(endpoint_of(m), m.model, ONE_TEMPERATURE))


async def _ask(
    config: Config, plan: Plan, store: GenerationStore, progress: Progress, environ: Mapping[str, str]
) -> tuple[Plan, Sampled, dict[str, tuple[Generation, ...]]]:
    """Plan to generations: what is stored is taken from the store, the rest is asked.

    The plan comes back as it was carried out: a model that refuses its temperature is asked without.
    """
    models = config.committee.models
    budget = Budget(config.budget)
    async with open_clients(models, environ=environ) as clients:
        endpoints = {m.name: Endpoint(m, plan.prices[m.name], clients[m.name]) for m in models}
        while True:
            found = _Collected(plan)
            try:
                sampled = await sample(
                    plan, endpoints, store=store, budget=budget, deliver=found.take, progress=progress
                )
            except TemperatureRefused as refused:
                request, name = refused.call.request, refused.call.member.model
                store.note(request.endpoint, request.model, ONE_TEMPERATURE)
                plan = replace(plan, one_temperature=plan.one_temperature | {name})
            else:
                return plan, sampled, found.by_case()


class _Collected:
    """The generations of each case, in the committee's order whenever each one arrived."""

    def __init__(self, plan: Plan) -> None:
        self._order = {member.id: rank for rank, member in enumerate(plan.members)}
        self._found: dict[str, list[tuple[int, Generation]]] = {case.id: [] for case in plan.cases}

    def take(self, call: PlannedCall, generation: Generation) -> None:
        self._found[call.case_id].append((self._order[call.member.id], generation))

    def by_case(self) -> dict[str, tuple[Generation, ...]]:
        return {
            case_id: tuple(g for _, g in sorted(own, key=lambda ranked: (ranked[0], ranked[1].sample_index)))
            for case_id, own in self._found.items()
        }


def _score(
    config: Config,
    cases: Sequence[Case],
    generations: Mapping[str, Sequence[Generation]],
    variants: Sequence[Variant],
) -> Scored:
    """Generations to scores. Answers are read the way their prompt variant asks for, and compared by their kind."""
    rules = {variant.id: variant.read for variant in variants}
    read_out = {
        case.id: [replace(g, text=extract(g.text, rules[g.variant or ""])) for g in generations[case.id] if not g.error]
        for case in cases
    }
    kinds = _kinds(config, cases, read_out)
    scores, answers = {}, {}
    for case in cases:
        labels = config.tasks[case.task].labels if case.task in config.tasks else ()
        kind, own = kinds[case.id], read_out[case.id]
        answered = [Answered(g.text, f"{g.model}/{g.variant}", g.temperature, g.logprobs) for g in own]
        scores[case.id] = score_case(case.id, answered, target=case.target, kind=kind, labels=labels)
        target = None if case.target is None else meaning(read_answer(case.target, kind, labels=labels))
        answers[case.id] = group_answers([_given(g, kind, labels) for g in own], target_key=target)
    return Scored(scores, answers, read_out)


def _given(generation: Generation, kind: Kind, labels: Sequence[str]) -> GivenAnswer:
    answer = read_answer(generation.text, kind, labels=labels)
    return GivenAnswer(generation.text, meaning(answer), generation.variant or "", readable=bool(answer.key))


def _kinds(config: Config, cases: Sequence[Case], generations: Mapping[str, Sequence[Generation]]) -> dict[str, Kind]:
    """The kind of each case: the log's, else the config's, else what the answers to its whole task look like."""
    unknown: defaultdict[str, list[Case]] = defaultdict(list)
    kinds: dict[str, Kind] = {}
    for case in cases:
        configured = _kind_of(config.tasks[case.task]) if case.task in config.tasks else None
        if kind := case.kind or configured:
            kinds[case.id] = kind
        else:
            unknown[case.task or case.system].append(case)
    for alike in unknown.values():
        texts = [g.text for case in alike for g in generations[case.id]]
        texts += [case.target for case in alike if case.target is not None]
        kinds |= dict.fromkeys((case.id for case in alike), detect_kind(texts))
    return kinds


def _study(config: Config, cases: Sequence[Case], scored: Scored, encoder: Encoder, progress: Progress) -> Studied:
    """Embed and cluster what is worth it: the most disagreeing cases, and those that the random slice can draw."""
    wanted = set(candidates(cases, _known(scored), config.selection, seed=config.seed).to_embed)
    studied = [case for case in cases if case.id in wanted]
    texts = embedding_texts(studied)
    with VectorCache(_store_path(config).with_name("vectors.sqlite")) as cache:
        vectors = embed(texts, encoder, cache, progress=progress)
    progress.start("cluster", total=None, unit="cases")
    found = cluster(vectors, config.clustering, seed=config.seed)
    ids = tuple(case.id for case in studied)
    categories = build_categories(ids, texts, found.labels, found.typicality)
    progress.advance(len(ids))
    progress.finish(f"{len(ids):,} cases in {len(categories):,} categories")
    return Studied(ids, vectors, layout(vectors, seed=config.seed), categories, encoder.name)


def _select(config: Config, cases: Sequence[Case], scored: Scored, studied: Studied) -> tuple[Pick, ...]:
    vectors = dict(zip(studied.ids, studied.vectors, strict=True))
    return select(cases, _known(scored), vectors, config.selection, seed=config.seed).picks


def _known(scored: Scored) -> dict[str, float]:
    return {i: score.disagreement for i, score in scored.scores.items() if score.disagreement is not None}
