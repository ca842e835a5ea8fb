"""Plan to generations: ask the committee, then the judge of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from curator.committee.batch.api import BatchEndpoint, open_batch_client
from curator.committee.batch.runner import CallsOf, answer_in_batches
from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import ONE_TEMPERATURE, Endpoint
from curator.committee.engine import EngineStats, sample
from curator.committee.engine_context import TemperatureRefused
from curator.committee.judge import Judge, load_prompt
from curator.committee.plan import Plan, PlanPart, endpoint_of
from curator.committee.prices import batch_price, price_of
from curator.committee.providers.open import open_clients
from curator.committee.questions import Asking
from curator.committee.requests import PlannedCall
from curator.config import Config, JudgeConfig, ModelConfig
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.errors import BudgetReached, ConfigError, NoAnswers
from curator.records import Generation, Score
from curator.selection.adaptive import Cascade, first_stage, next_stage, ranking
from curator.selection.adaptive_audit import CascadeAudit, audit_cascade
from curator.stages.equivalence import JudgeQueue, JudgeUsage
from curator.stages.score import Scorer
from curator.text.display import one_line, plural

_SHOWN_ERRORS = 3
_ERROR_CHARS = 160


@dataclass(frozen=True, slots=True)
class SamplingResult:
    """The committee's answers, and what they took.

    Attributes:
        plan: as it was carried out.
        stats: the requests, tokens and dollars of this run, the judge's dollars included.
        generations: by case id.
        cascade: how an adaptive committee went; None for a fixed one.
        judged: what a judge was asked; None without one.
        stopped: the error that ended the asking early; None where every answer that was planned is there.
    """

    plan: Plan
    stats: EngineStats
    generations: Mapping[str, tuple[Generation, ...]]
    cascade: Cascade | None
    judged: JudgeUsage | None = None
    stopped: BudgetReached | NoAnswers | None = None

    @property
    def answers(self) -> int:
        """The number of answers, failed calls not counted."""
        asked = (self.generations[case.id] for case in self.plan.cases if case.id in self.generations)
        return sum(generation.error is None for case in asked for generation in case)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on the calls that got no answer."""
        errors = errors_of(self.generations)
        if not errors:
            return ()
        whole = len(errors) + self.answers
        return (f"{len(errors):,} of {plural(whole, 'call')} got no answer: {most_frequent(errors)}",)

    def ranking(self, scores: Mapping[str, Score]) -> dict[str, float]:
        """Return the number that each case is selected by, in 0..1; 0 for cases whose answers agree.

        It is the disagreement. Of a cascade it is a mean that is comparable between few answers and many.
        """
        disagreements = {i: score.disagreement for i, score in scores.items() if score.disagreement is not None}
        if self.cascade is None:
            return disagreements
        means = ranking(self.cascade, scores)
        same = self.plan.same_question
        return {i: means[same.get(i, i)] if disagreement else 0.0 for i, disagreement in disagreements.items()}

    def with_spend(self, budget: Budget) -> SamplingResult:
        """Return the result with the dollars of the whole run so far.

        Those of other models are included; the counts stay those of the committee.
        """
        ledger = budget.ledger
        return replace(self, stats=replace(self.stats, usd=ledger.usd, unconfirmed_usd=ledger.unconfirmed_usd))

    def audit(self, scores: Mapping[str, Score]) -> CascadeAudit | None:
        """Measure what the cascade missed; None without one, or if the run ended early."""
        return None if self.cascade is None or self.stopped else audit_cascade(self.cascade, scores)


async def ask(
    config: Config,
    plan: Plan,
    scorer: Scorer,
    asking: Asking,
) -> SamplingResult:
    """Take stored answers from the store, and ask for the others, live or in batches.

    A model that refuses its temperature is asked without one; then everything starts again, from what is stored. Where a
    limit of the budget ends the asking, or the models answer with nothing, the result has what is there, and `stopped`.

    Raises:
        BudgetReached: a limit has no room for a request, before the first answer.
        ProviderError: an endpoint refuses for good; its answers so far are stored.
        UserError: as `committee.engine.sample` and `committee.batch.answer_in_batches`.
    """
    for model in config.committee.models:
        if model.mode == "live" and (count := asking.store.open_batches(endpoint_of(model), model.model)):
            raise ConfigError(
                f"model {model.name!r}: {count} of its batches are still open, and their answers would be bought twice",
                remedy="collect them first: run with `mode: batch` once more",
            )
    async with AsyncExitStack() as stack:
        session = _Session(config, asking, stack)
        await session.open()
        while True:
            try:
                sampling = await _ask_committee(session, plan, scorer)
                break
            except TemperatureRefused as refused:
                model = next(m for m in config.committee.models if m.name == refused.model)
                asking.store.note(endpoint_of(model), model.model, ONE_TEMPERATURE)
                plan = replace(plan, one_temperature=plan.one_temperature | {model.name})
                scorer.forget()
        if sampling.stopped is None:
            judged, stopped = await _ask_judge(session, scorer, sampling.generations)
            sampling = replace(sampling, judged=judged, stopped=stopped)
        return replace(sampling, stats=session.stats).with_spend(asking.budget)


async def _ask_committee(session: _Session, plan: Plan, scorer: Scorer) -> SamplingResult:
    """Ask for the whole plan, or as much of it as an adaptive committee wants."""
    collected = _Collected(plan)
    cascade: Cascade | None = None
    session.stats = EngineStats()
    try:
        if plan.config.adaptive is None:
            await session.answer(plan, plan, collected)
            return SamplingResult(plan, session.stats, _answered(collected), None)
        selection = session.config.selection
        top = min(len(plan.cases), selection.k * selection.candidates_per_pick)
        ids = [case.id for case in plan.cases]
        cascade = first_stage(ids, plan.calls_per_case, plan.config.adaptive, seed=plan.seed, top=top)
        while cascade.wanted:
            await session.answer(plan, plan.part(cascade.wanted), collected)
            cascade = next_stage(cascade, scorer.scores(collected.by_case()))
        return SamplingResult(plan, session.stats, _answered(collected), cascade)
    except (BudgetReached, NoAnswers) as error:
        # The engine stops in the middle of the plan: answers of later calls may be stored from earlier runs.
        stored = await session.stored_answers(plan)
        if isinstance(error, NoAnswers):
            stored = collected.failed_and(stored)
        elif not any(stored.values()):
            raise
        scorer.forget()
        return SamplingResult(plan, session.stats, stored, cascade, stopped=error)


async def _ask_judge(
    session: _Session, scorer: Scorer, generations: Mapping[str, tuple[Generation, ...]]
) -> tuple[JudgeUsage | None, BudgetReached | None]:
    """Ask the judge about pairs that words leave open; the scorer then compares by the verdicts.

    Returns None without a judge, and what stopped it early. Words decide the pairs that have no verdict.
    """
    config = session.config.equivalence.asks
    if config is None:
        return None, None
    judge = await session.open_judge(config)
    queue = JudgeQueue(scorer.compared(generations), pairs_per_case=config.pairs_per_case)
    total, stopped = EngineStats(), None
    try:
        while pairs := queue.next_pairs():
            total = _sum(total, await session.ask_judge(judge, pairs))
            queue.learn(judge.verdicts)
    except BudgetReached as error:
        if not judge.verdicts:
            return None, error
        queue.learn(judge.verdicts)
        stopped = error
    name = f"judge({config.model.name}, {judge.prompt.id}/{judge.prompt.version})"
    scorer.compare_by(queue.comparer(name))
    verdicts = judge.verdicts.values()
    usage = JudgeUsage(
        prompt=judge.prompt,
        model=config.model.name,
        pairs=len(verdicts),
        undecided=dict(Counter(verdict.reason for verdict in verdicts if verdict.reason is not None)),
        usd=sum(verdict.cost_usd for verdict in verdicts),
        sent=total.sent,
        from_store=total.from_store,
    )
    return usage, stopped


class _Session:
    """The clients and the budget of one run. `stats` adds up what the committee took."""

    def __init__(self, config: Config, asking: Asking, stack: AsyncExitStack) -> None:
        self.config = config
        self._store = asking.store
        self._progress = asking.progress
        self._environ = asking.environ
        self._budget = asking.budget
        self._stack = stack
        self.stats = EngineStats()
        models = config.committee.models
        self._live = [model for model in models if model.mode == "live"]
        self._batch = [model for model in models if model.mode == "batch"]

    async def open(self) -> None:
        """Open the clients of the committee, which the stack closes.

        Those of the models beside it are opened as well, so that a missing key is found before anything is paid for.
        """
        self._clients = await self._stack.enter_async_context(open_clients(self._live, environ=self._environ))
        self._batch_clients = {
            model.name: await self._stack.enter_async_context(open_batch_client(model, self._environ))
            for model in self._batch
        }
        for model in self.config.models_beside:
            await self._stack.enter_async_context(open_clients([model], environ=self._environ))

    async def answer(self, plan: Plan, calls: Plan | PlanPart, collected: _Collected) -> None:
        """Answer some calls of a plan: first those of models in batch mode, then the others."""
        given_up: dict[str, str] = {}
        for model in self._batch:
            given_up |= await self._in_batches(plan, calls, model)
        endpoints = {m.name: Endpoint(m, plan.prices[m.name], self._clients[m.name]) for m in self._live}
        await sample(
            calls,
            endpoints,
            store=self._store,
            budget=self._budget,
            deliver=collected.take,
            given_up=given_up,
            progress=self._progress,
            on_end=self._add,
        )

    async def stored_answers(self, plan: Plan) -> dict[str, tuple[Generation, ...]]:
        """Return the stored answers to a plan by case id, without asking any model."""
        collected = _Collected(plan)

        def take_answer(call: PlannedCall, generation: Generation) -> None:
            if generation.error is None:
                collected.take(call, generation)

        await sample(plan, {}, store=self._store, budget=self._budget, deliver=take_answer)
        return collected.by_case()

    def _add(self, stats: EngineStats) -> None:
        self.stats = _sum(self.stats, stats)

    async def open_judge(self, config: JudgeConfig) -> Judge:
        """Open the judge with a client of its own, which the stack closes."""
        clients = await self._stack.enter_async_context(open_clients([config.model], environ=self._environ))
        return Judge(config, price_of(config.model), clients[config.model.name], load_prompt())

    async def ask_judge(self, judge: Judge, pairs: Sequence[Pair]) -> EngineStats:
        """Ask the judge about pairs of answers, within the run's budget."""
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
            clock=Clock(),
        )
        if _refuses_temperature(model, plan, errors.values()):
            raise TemperatureRefused(model.name)
        return errors


class _Collected:
    """The generations of each case in the order of the committee, not of arrival."""

    def __init__(self, plan: Plan) -> None:
        self._order = {(m.model, m.variant, m.temperature): rank for rank, m in enumerate(plan.members)}
        self._generations: dict[str, list[Generation]] = {case.id: [] for case in plan.cases}
        self._same_question = plan.same_question

    def take(self, call: PlannedCall, generation: Generation) -> None:
        """Add a generation, as `sample` delivers it."""
        self._generations[call.case_id].append(generation)

    def by_case(self) -> dict[str, tuple[Generation, ...]]:
        """Return the generations by case id."""
        answers = {case_id: tuple(sorted(items, key=self._place)) for case_id, items in self._generations.items()}
        return self._shared(answers)

    def failed_and(self, stored: Mapping[str, tuple[Generation, ...]]) -> dict[str, tuple[Generation, ...]]:
        """Return the stored answers by case id, with the calls that failed here."""
        return self._shared(
            {
                case_id: tuple(sorted([*stored[case_id], *(g for g in items if g.error is not None)], key=self._place))
                for case_id, items in self._generations.items()
            }
        )

    def _shared(self, answers: dict[str, tuple[Generation, ...]]) -> dict[str, tuple[Generation, ...]]:
        """Add the cases of the same questions; what was paid counts once."""
        for case_id, asked in self._same_question.items():
            answers[case_id] = tuple(replace(g, case_id=case_id, cost_usd=0.0) for g in answers[asked])
        return answers

    def _place(self, generation: Generation) -> tuple[int, int]:
        member = (generation.model or "", generation.variant or "", generation.temperature or 0.0)
        return self._order[member], generation.sample_index


def _answered(collected: _Collected) -> dict[str, tuple[Generation, ...]]:
    """Return the generations by case id.

    Raises:
        NoAnswers: every call failed.
    """
    generations = collected.by_case()
    errors = errors_of(generations)
    if errors and len(errors) == sum(map(len, generations.values())):
        raise NoAnswers(
            f"none of {plural(len(errors), 'call')} got an answer: {most_frequent(errors)}",
            remedy="change what the messages name; then run again: it asks for what is missing",
        )
    return generations


def errors_of(generations: Mapping[str, Sequence[Generation]]) -> list[str]:
    """Return the errors of the calls that failed."""
    return [g.error for answers in generations.values() for g in answers if g.error is not None]


def most_frequent(errors: Iterable[str]) -> str:
    """Return the most frequent errors with their counts, in one short line."""
    counts = Counter(one_line(error, _ERROR_CHARS) for error in errors).most_common()
    shown = "; ".join(f"{count:,} x {error}" for error, count in counts[:_SHOWN_ERRORS])
    others = sum(count for _, count in counts[_SHOWN_ERRORS:])
    return f"{shown}; {others:,} others" if others else shown


def _refuses_temperature(model: ModelConfig, plan: Plan, errors: Iterable[str]) -> bool:
    """Return whether a model's batches failed because of its temperature."""
    sent = {m.temperature for m in plan.members if m.model == model.name}
    if sent == {1.0} or "temperature" in model.options:
        return False
    return any(error.startswith(("400", "422")) and "temperature" in error for error in errors)


def _sum(first: EngineStats, later: EngineStats) -> EngineStats:
    """Add the counts; the dollars are read from one ledger, so that the later figure has both."""
    return replace(
        later,
        sent=first.sent + later.sent,
        from_store=first.from_store + later.from_store,
        failed=first.failed + later.failed,
        estimated=first.estimated + later.estimated,
        input_tokens=first.input_tokens + later.input_tokens,
        output_tokens=first.output_tokens + later.output_tokens,
    )
