"""Plan to generations: what would be asked, whether that is agreed to, and the asking, in rounds where it adapts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from curator.committee.batch.api import BatchEndpoint, open_batch_client
from curator.committee.batch.runner import CallsOf, answer_in_batches
from curator.committee.budget import Budget
from curator.committee.clock import Host
from curator.committee.dispatcher import TemperatureRefused
from curator.committee.endpoints import ONE_TEMPERATURE, Endpoint
from curator.committee.engine import Sampled, sample
from curator.committee.judge import Judge, load_prompt
from curator.committee.plan import Plan, PlanPart, endpoint_of
from curator.committee.prices import batch_price, price_of
from curator.committee.providers.open import open_clients
from curator.committee.requests import PlannedCall
from curator.config import Config, JudgeConfig, ModelConfig
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.errors import ConfigError
from curator.progress import Progress
from curator.records import Generation, Score
from curator.selection.adaptive import Cascade, first_stage, next_stage, ranking
from curator.selection.adaptive_audit import Missed, missed
from curator.stages.equivalence import JudgeQueue, JudgeUsage
from curator.stages.score import Scorer
from curator.state.generations import GenerationStore


@dataclass(frozen=True, slots=True)
class SamplingResult:
    """What sampling came to: the plan as it was carried out, the generations by case id, and how it adapted, if so.

    `judged` tells what a judge was asked, None where there is none.
    """

    plan: Plan
    stats: Sampled
    generations: Mapping[str, tuple[Generation, ...]]
    cascade: Cascade | None
    judged: JudgeUsage | None = None

    def ranking(self, scores: Mapping[str, Score]) -> dict[str, float]:
        """What the cases are selected by, in 0..1; 0 for those that agree.

        It is the disagreement, or for a cascade the mean that is comparable between few answers and many.
        """
        known = {i: score.disagreement for i, score in scores.items() if score.disagreement is not None}
        if self.cascade is None:
            return known
        means = ranking(self.cascade, scores)
        return {i: means[i] if disagreement else 0.0 for i, disagreement in known.items()}

    def missed(self, scores: Mapping[str, Score]) -> Missed | None:
        """What the cascade missed, measured on the cases that got the whole committee."""
        return None if self.cascade is None else missed(self.cascade, scores)


async def ask(
    config: Config,
    plan: Plan,
    store: GenerationStore,
    scorer: Scorer,
    *,
    progress: Progress,
    environ: Mapping[str, str],
) -> SamplingResult:
    """Get the answers: what is stored is taken from the store, the rest is asked, live or in batches.

    A model that refuses its temperature is asked without; then everything starts over, from what is stored.

    Raises:
        UserError: as `committee.engine.sample` and `committee.batch.answer_in_batches`.
    """
    for model in config.committee.models:
        if model.mode == "live" and (count := store.open_batches(endpoint_of(model), model.model)):
            raise ConfigError(
                f"model {model.name!r}: {count} of its batches are still open, and their answers would be bought twice",
                remedy="collect them first: run with `mode: batch` once more",
            )
    async with AsyncExitStack() as stack:
        desk = _Desk(config, store, progress, environ, stack)
        await desk.open()
        while True:
            try:
                asked = await _ask_all(desk, plan, scorer)
                return replace(asked, judged=await _judge(desk, scorer, asked.generations))
            except TemperatureRefused as refused:
                model = next(m for m in config.committee.models if m.name == refused.model)
                store.note(endpoint_of(model), model.model, ONE_TEMPERATURE)
                plan = replace(plan, one_temperature=plan.one_temperature | {model.name})
                scorer.forget()


async def _ask_all(desk: _Desk, plan: Plan, scorer: Scorer) -> SamplingResult:
    """The whole plan, or as much of it as the cascade wants."""
    found = _Collected(plan)
    adaptive = plan.config.adaptive
    if adaptive is None:
        sampled = await desk.answer(plan, plan, found)
        return SamplingResult(plan, sampled, found.by_case(), None)
    selection = desk.config.selection
    top = min(len(plan.cases), selection.k * selection.candidates_per_pick)
    ids = [case.id for case in plan.cases]
    cascade = first_stage(ids, plan.calls_per_case, adaptive, seed=plan.seed, top=top)
    total = Sampled()
    while cascade.wanted:
        total = _sum(total, await desk.answer(plan, plan.part(cascade.wanted), found))
        cascade = next_stage(cascade, scorer.scores(found.by_case()))
    return SamplingResult(plan, total, found.by_case(), cascade)


async def _judge(desk: _Desk, scorer: Scorer, generations: Mapping[str, tuple[Generation, ...]]) -> JudgeUsage | None:
    """Ask the judge, if there is one, about the answers that words leave open; the scorer then compares by its verdicts."""
    config = desk.config.equivalence.asks
    if config is None:
        return None
    judge = await desk.judge(config)
    docket = JudgeQueue(scorer.compared(generations), pairs_per_case=config.pairs_per_case)
    total = Sampled()
    while pairs := docket.next_pairs():
        total = _sum(total, await desk.ask_judge(judge, pairs))
        docket.learn(judge.verdicts)
    name = f"judge({config.model.name}, {judge.prompt.id}/{judge.prompt.version})"
    scorer.compare_by(docket.comparer(name))
    verdicts = judge.verdicts.values()
    return JudgeUsage(
        prompt=judge.prompt,
        model=config.model.name,
        pairs=len(verdicts),
        undecided=dict(Counter(verdict.reason for verdict in verdicts if verdict.reason is not None)),
        usd=sum(verdict.cost_usd for verdict in verdicts),
        sent=total.sent,
        from_store=total.from_store,
    )


class _Desk:
    """The clients and the budget of one run, in which it asks part after part."""

    def __init__(
        self,
        config: Config,
        store: GenerationStore,
        progress: Progress,
        environ: Mapping[str, str],
        stack: AsyncExitStack,
    ) -> None:
        self.config = config
        self._store = store
        self._progress = progress
        self._environ = environ
        self._stack = stack
        self._budget = Budget(config.budget)
        models = config.committee.models
        self._live = [model for model in models if model.mode == "live"]
        self._batch = [model for model in models if model.mode == "batch"]

    async def open(self) -> None:
        """Make the clients, which the stack closes."""
        self._clients = await self._stack.enter_async_context(open_clients(self._live, environ=self._environ))
        self._batch_clients = {
            model.name: await self._stack.enter_async_context(open_batch_client(model, self._environ))
            for model in self._batch
        }

    async def answer(self, plan: Plan, calls: Plan | PlanPart, found: _Collected) -> Sampled:
        """Answer some calls of a plan: first those of models in batch mode, then the others."""
        given_up: dict[str, str] = {}
        for model in self._batch:
            given_up |= await self._in_batches(plan, calls, model)
        endpoints = {m.name: Endpoint(m, plan.prices[m.name], self._clients[m.name]) for m in self._live}
        return await sample(
            calls,
            endpoints,
            store=self._store,
            budget=self._budget,
            deliver=found.take,
            given_up=given_up,
            progress=self._progress,
        )

    async def judge(self, config: JudgeConfig) -> Judge:
        """The judge, with a client of its own, which the stack closes."""
        clients = await self._stack.enter_async_context(open_clients([config.model], environ=self._environ))
        return Judge(config, price_of(config.model), clients[config.model.name], load_prompt())

    async def ask_judge(self, judge: Judge, pairs: Sequence[Pair]) -> Sampled:
        """Ask the judge out of the run's budget."""
        return await judge.ask(pairs, store=self._store, budget=self._budget, progress=self._progress)

    async def _in_batches(self, plan: Plan, calls: Plan | PlanPart, model: ModelConfig) -> Mapping[str, str]:
        count = len(calls) // len(self.config.committee.models)  # models are asked alike
        endpoint = BatchEndpoint(model, batch_price(plan.prices[model.name]), self._batch_clients[model.name])
        errors = await answer_in_batches(
            CallsOf(calls, model.name, count),
            endpoint,
            store=self._store,
            budget=self._budget,
            progress=self._progress,
            host=Host(),
        )
        if _refuses_temperature(model, plan, errors.values()):
            raise TemperatureRefused(model.name)
        return errors


class _Collected:
    """The generations of each case, in the committee's order whenever each one arrived."""

    def __init__(self, plan: Plan) -> None:
        self._order = {(m.model, m.variant, m.temperature): rank for rank, m in enumerate(plan.members)}
        self._found: dict[str, list[Generation]] = {case.id: [] for case in plan.cases}

    def take(self, call: PlannedCall, generation: Generation) -> None:
        """Add a generation, as `sample` delivers it."""
        self._found[call.case_id].append(generation)

    def by_case(self) -> dict[str, tuple[Generation, ...]]:
        """All of them by case id."""
        return {case_id: tuple(sorted(own, key=self._place)) for case_id, own in self._found.items()}

    def _place(self, generation: Generation) -> tuple[int, int]:
        member = (generation.model or "", generation.variant or "", generation.temperature or 0.0)
        return self._order[member], generation.sample_index


def _refuses_temperature(model: ModelConfig, plan: Plan, errors: Iterable[str]) -> bool:
    """Whether a model's batches failed for its temperature, as `refuses_temperature` tells of a live request."""
    sent = {m.temperature for m in plan.members if m.model == model.name}
    if sent == {1.0} or "temperature" in model.options:
        return False
    return any(error.startswith(("400", "422")) and "temperature" in error for error in errors)


def _sum(one: Sampled, other: Sampled) -> Sampled:
    """Both together; the dollars are those of one ledger, so that the later figure holds."""
    return replace(
        other,
        sent=one.sent + other.sent,
        from_store=one.from_store + other.from_store,
        failed=one.failed + other.failed,
        estimated=one.estimated + other.estimated,
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
    )
