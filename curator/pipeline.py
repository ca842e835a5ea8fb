"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from curator.committee.budget import Budget
from curator.committee.clients import open_clients
from curator.committee.endpoints import Endpoint
from curator.committee.engine import Sampled, sample
from curator.committee.plan import Plan
from curator.committee.prices import prices_of
from curator.committee.store import GenerationStore
from curator.committee.variants import Variant, load_variants
from curator.config import Config
from curator.disagreement.answers import detect_kind, extract, read_answer
from curator.disagreement.equivalence import meaning
from curator.disagreement.score import Answered, score_case
from curator.diversity.clustering import cluster, layout
from curator.diversity.dedupe import deduplicate
from curator.diversity.embedding import Encoder, VectorCache, embed, open_encoder
from curator.diversity.texts import embedding_texts
from curator.errors import LogsError
from curator.logs.labels import LabelFile, read_labels
from curator.logs.read import read
from curator.outputs.files import json_lines, run_lock, write_atomic
from curator.progress import Progress, Silent
from curator.records import Case, Generation, Kind, Pick, Unreadable
from curator.report.answers import GivenAnswer, group_answers
from curator.report.categories import build_categories
from curator.results import Intake, PlanResult, RunResult, Scored, Studied
from curator.run_folder import RunFacts, write_run_folder
from curator.selection.choose import candidates, random_order, select

DEFAULT_STORE = Path(".curator") / "store.sqlite"
SET_ASIDE_FILE = "set_aside.jsonl"
LABEL_QUEUES = ("label_queue.csv", "label_queue.jsonl")


def run(
    config: Config,
    *,
    logs: Sequence[str] = (),
    labels: Sequence[str] = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
) -> RunResult:
    """Run the whole job, or finish the one that was interrupted. `run_async` says the rest; this one waits for it."""
    return asyncio.run(
        run_async(config, logs=logs, labels=labels, out=out, progress=progress, environ=environ, encoder=encoder)
    )


async def run_async(
    config: Config,
    *,
    logs: Sequence[str] = (),
    labels: Sequence[str] = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
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

    Raises:
        UserError: something the user can fix; the subclasses in `curator.errors` say what.
    """
    started = datetime.now(UTC)
    folder = Path(out) if out else Path("runs") / config.name
    progress = progress or Silent()
    environ = os.environ if environ is None else environ
    variants = _variants(config)
    with run_lock(folder):
        intake = _take_in(config, logs, [*labels, *_keep_labels(folder)], progress, folder)
        asking = Plan(intake.asked, config.committee, variants, config.seed, prices_of(config.committee.models))
        sampled = await _ask(config, asking, progress, environ)
        generations = _by_case(intake.asked, sampled.generations)
        scored = _score(config, intake.asked, generations, variants)
        studied = _study(config, intake.asked, scored, encoder or open_encoder(config.embedding), progress)
        picks = _select(config, intake.asked, scored, studied)
        facts = RunFacts(
            config=config, started=started, intake=intake, plan=asking, sampled=sampled, generations=generations,
            scored=scored, studied=studied, picks=picks,
        )  # fmt: skip
        summary = write_run_folder(folder, facts, progress)
    return RunResult(folder, summary, sampled.sent, sampled.from_store, intake.warnings)


def plan(
    config: Config, *, logs: Sequence[str] = (), labels: Sequence[str] = (), progress: Progress | None = None
) -> PlanResult:
    """Say what a run would ask and cost, without asking anything; stored answers are looked up.

    Raises:
        UserError: as `run_async`.
    """
    variants, prices = _variants(config), prices_of(config.committee.models)
    intake = _take_in(config, logs, labels, progress or Silent(), folder=None)
    made = Plan(intake.asked, config.committee, variants, config.seed, prices)
    path = _store_path(config)
    if not path.exists():
        return PlanResult(intake, made.estimate())
    with GenerationStore(path) as store:
        return PlanResult(intake, made.estimate(lambda keys: set(store.get_many(keys))))


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
    if folder is not None:
        write_atomic(folder / SET_ASIDE_FILE, json_lines(_set_aside(u) for u in unreadable))
    _check_readable(records, unreadable, config.logs.max_unreadable, folder)
    cases, warnings = _label(deduped.cases, [*config.labels, *labels])
    return Intake(records, cases, _subset(cases, config), deduped.merged, tuple(unreadable), warnings)


def _set_aside(record: Unreadable) -> dict[str, str | int]:
    return {"file": record.source.file, "line": record.source.line, "reason": record.reason, "remedy": record.remedy}


def _check_readable(records: int, unreadable: Sequence[Unreadable], limit: float, folder: Path | None) -> None:
    if not records:
        raise LogsError("the logs hold no record", remedy="name logs that hold some, in `logs.paths` or with --logs")
    if len(unreadable) <= limit * records:
        return
    first = unreadable[0]
    listed = f"all of them are in {str(folder / SET_ASIDE_FILE)!r}; " if folder else ""
    raise LogsError(
        f"{len(unreadable):,} of {records:,} records cannot be read, more than `logs.max_unreadable: {limit}` allows;"
        f" the first is {first.source}: {first.reason}",
        remedy=f"{first.remedy} ({listed}or allow more with `logs.max_unreadable`)",
    )


def _keep_labels(folder: Path) -> list[str]:
    """Put label queues that somebody filled in away in `labels/`, before this run overwrites them; all that are there."""
    kept = folder / "labels"
    for queue in (folder / name for name in LABEL_QUEUES):
        found = read_labels([str(queue)]) if queue.exists() else LabelFile({}, ())
        if found.labels or found.problems:
            content = queue.read_bytes()
            write_atomic(kept / f"{sha256(content).hexdigest()[:16]}{queue.suffix}", [content])
    return [str(path) for path in sorted(kept.glob("*")) if path.suffix in (".csv", ".jsonl")]


def _label(cases: Sequence[Case], paths: Sequence[str]) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Give each case the label that came back for it."""
    if not paths:
        return tuple(cases), ()
    found = read_labels(paths)
    warnings = [f"{p.source}: {p.reason} -> {p.remedy}" for p in found.problems]
    if unknown := sorted(found.labels.keys() - {case.id for case in cases}):
        warnings.append(f"{len(unknown)} labels are for cases that these logs do not hold, such as {unknown[0]!r}")
    labelled = tuple(replace(c, reference=found.labels[c.id]) if c.id in found.labels else c for c in cases)
    return labelled, tuple(warnings)


def _subset(cases: tuple[Case, ...], config: Config) -> tuple[Case, ...]:
    """The random subset that `logs.sample` wants, in the order of the log."""
    if config.logs.sample is None or config.logs.sample >= len(cases):
        return cases
    chosen = set(random_order([case.id for case in cases], config.seed)[: config.logs.sample])
    return tuple(case for case in cases if case.id in chosen)


async def _ask(config: Config, plan: Plan, progress: Progress, environ: Mapping[str, str]) -> Sampled:
    """Plan to generations: what is stored is taken from the store, the rest is asked."""
    models = config.committee.models
    with GenerationStore(_store_path(config)) as store:
        async with open_clients(models, environ=environ) as clients:
            endpoints = {m.name: Endpoint(m, plan.prices[m.name], clients[m.name]) for m in models}
            return await sample(plan, endpoints, store=store, budget=Budget(config.budget), progress=progress)


def _by_case(cases: Sequence[Case], generations: Iterable[Generation]) -> dict[str, tuple[Generation, ...]]:
    """The generations of each case; the plan has them in the committee's order, whenever each one arrived."""
    found: dict[str, list[Generation]] = {case.id: [] for case in cases}
    for generation in generations:
        found[generation.case_id].append(generation)
    return {case_id: tuple(own) for case_id, own in found.items()}


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
    return Scored(scores, answers)


def _given(generation: Generation, kind: Kind, labels: Sequence[str]) -> GivenAnswer:
    answer = read_answer(generation.text, kind, labels=labels)
    return GivenAnswer(generation.text, meaning(answer), generation.variant or "", readable=bool(answer.key))


def _kinds(config: Config, cases: Sequence[Case], generations: Mapping[str, Sequence[Generation]]) -> dict[str, Kind]:
    """The kind of each case: the log's, else the config's, else what the answers to its whole task look like."""
    unknown: defaultdict[str, list[Case]] = defaultdict(list)
    kinds: dict[str, Kind] = {}
    for case in cases:
        configured = config.tasks[case.task].kind if case.task in config.tasks else None
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
