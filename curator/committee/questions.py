"""Questions to a model beside the committee, through the sampling engine.

A reply is a generation like any other: paid for once, stored, and counted in the budget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from curator.committee.budget import Budget
from curator.committee.endpoints import ONE_TEMPERATURE, Endpoint, cost_usd
from curator.committee.engine import EngineStats, sample
from curator.committee.engine_context import TemperatureRefused
from curator.committee.engine_run import Deliver
from curator.committee.plan import batched, endpoint_of, name_at_endpoint
from curator.committee.prices import price_of
from curator.committee.providers.open import open_clients
from curator.committee.question_prompt import QuestionPrompt
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import ModelConfig, Price
from curator.errors import BudgetReached, MissingDependency, ProviderError, UserError
from curator.progress import Progress
from curator.records import Generation, JsonValue, Member, Message, stable_unit
from curator.state.generations import GenerationStore
from curator.text.tokens import estimate_tokens

_KEYS_PER_LOOKUP = 500


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a model beside the committee.

    Attributes:
        id: the case id of its calls.
        role: of the model, such as `judge`; the member id of its calls.
        prompt: the id of the prompt.
        messages: as they are sent.
        schema: of the reply, sent as `response_format` unless the model's options set it.
        max_tokens: output tokens at most.
        temperature: of sampling; 1 where the model accepts no other.
    """

    id: str
    role: str
    prompt: str
    messages: tuple[Message, ...]
    schema: JsonValue
    max_tokens: int
    temperature: float = 0.0

    def calls(self, model: ModelConfig, *, samples: int = 1, temperature: float | None = None) -> Iterator[PlannedCall]:
        """Iterate over the calls that ask a model, one for each sample.

        `temperature` replaces the question's own.
        """
        heat = self.temperature if temperature is None else temperature
        options: dict[str, JsonValue] = {"response_format": self.schema, **model.options}
        member = Member(self.role, model.name, self.prompt, heat, self.max_tokens, dict(model.options))
        tokens = estimate_tokens(self.messages, options)
        for index in range(samples):
            seeded = model.send_seed and samples > 1  # a fixed seed would give the same sample again and again
            request = ModelRequest(
                endpoint=endpoint_of(model),
                model=name_at_endpoint(model),
                messages=self.messages,
                temperature=heat,
                max_tokens=self.max_tokens,
                sample_index=index,
                seed=int(stable_unit(self.id, self.role, str(index)) * 2**31) if seeded else None,
                options=options,
            )
            yield PlannedCall(self.id, member, request, tokens)


class Questions(Protocol):
    """Questions that can be gone through again; they need not be in memory."""

    def __len__(self) -> int:
        """The number of questions."""

    def __iter__(self) -> Iterator[Question]:
        """Iterate over the questions, in the same order every time."""


async def ask_questions(
    questions: Questions,
    endpoint: Endpoint,
    *,
    samples: int = 1,
    store: GenerationStore,
    budget: Budget,
    deliver: Deliver,
    progress: Progress,
) -> EngineStats:
    """Ask questions, each of the samples once; stored replies are not asked again.

    Raises:
        UserError: as `engine.sample`. What was answered until then is stored.
    """
    model = endpoint.config

    async def asked(temperature: float | None) -> EngineStats:
        return await sample(
            _Calls(questions, model, samples, temperature),
            {model.name: endpoint},
            store=store,
            budget=budget,
            deliver=deliver,
            progress=progress,
        )

    try:
        return await asked(_accepted(model, store))
    except TemperatureRefused:
        store.note(endpoint_of(model), model.model, ONE_TEMPERATURE)
        return await asked(1.0)


@dataclass(frozen=True, slots=True)
class Asking:
    """The store, the budget and the rest of a run that questions need."""

    store: GenerationStore
    budget: Budget
    progress: Progress
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies to questions, as far as they came.

    Attributes:
        by_question: the samples of each question that has any, by its id, in their order.
        usd: US dollars of all replies, stored ones included.
        sent: requests.
        from_store: replies that were stored before.
        stopped: the error that ended the asking early, in words; None where every call was made.
    """

    by_question: Mapping[str, tuple[str, ...]]
    usd: float
    sent: int
    from_store: int
    stopped: str | None = None


async def collect_replies(questions: Questions, model: ModelConfig, asking: Asking, *, samples: int = 1) -> Replies:
    """Ask questions as far as the budget and the model allow.

    A model that refuses or is not there, and a limit of the budget, end the asking, not the run: the replies are then
    those that are stored.
    """
    generations: dict[tuple[str, int], Generation] = {}
    price = price_of(model)

    def take(call: PlannedCall, generation: Generation) -> None:
        generations[call.case_id, call.request.sample_index] = generation

    stats, stopped = EngineStats(), None
    try:
        async with open_clients([model], environ=asking.environ) as clients:
            stats = await ask_questions(
                questions,
                Endpoint(model, price, clients[model.name], "max_tokens"),
                samples=samples,
                store=asking.store,
                budget=asking.budget,
                deliver=take,
                progress=asking.progress,
            )
    except (BudgetReached, ProviderError, MissingDependency) as error:
        stopped = error
        # Calls behind the one that found no room may be stored from an earlier run.
        calls = _Calls(questions, model, samples, _accepted(model, asking.store))
        stats = await sample(calls, {}, store=asking.store, budget=asking.budget, deliver=take)
    return _replies(generations, stats, stopped)


def _replies(
    generations: Mapping[tuple[str, int], Generation], stats: EngineStats, stopped: UserError | None
) -> Replies:
    texts: defaultdict[str, list[str]] = defaultdict(list)
    usd = 0.0
    for key in sorted(generations):
        generation = generations[key]
        usd += generation.cost_usd
        if generation.error is None:
            texts[key[0]].append(generation.text)
    return Replies(
        by_question={question: tuple(samples) for question, samples in texts.items()},
        usd=usd,
        sent=stats.sent,
        from_store=stats.from_store,
        stopped=stopped.what if stopped else None,
    )


@dataclass(frozen=True, slots=True)
class QuestionUsage:
    """The use of a model that was asked beside the committee.

    Attributes:
        model: its name in the config.
        prompt: of its questions.
        questions: the number of questions.
        answered: those with a usable answer.
        usd: US dollars of all replies, stored ones included.
        sent: requests of this run.
        from_store: replies that were stored before.
    """

    model: str
    prompt: QuestionPrompt
    questions: int
    answered: int
    usd: float
    sent: int
    from_store: int

    def facts(self) -> dict[str, JsonValue]:
        """Return the lines of the manifest."""
        prompt = self.prompt
        return {
            "model": self.model,
            "prompt": {"id": prompt.id, "version": prompt.version, "sha256": prompt.digest},
            "questions": self.questions,
            "answered": self.answered,
            "usd": self.usd,
            "requests_sent": self.sent,
            "replies_from_store": self.from_store,
        }


@dataclass(frozen=True, slots=True)
class QuestionEstimate:
    """The most that questions to a model can take, in calls, tokens and US dollars.

    `stored_calls` of the `calls` are answered already; they are in no other figure.
    """

    calls: int
    input_tokens: int
    max_output_tokens: int
    usd_max: float
    stored_calls: int = 0


def estimate_questions(questions: Questions, model: ModelConfig, store: GenerationStore | None) -> QuestionEstimate:
    """Return the ceiling of questions that are known beforehand."""
    calls = stored_calls = input_tokens = output_tokens = 0
    temperature = _accepted(model, store) if store else None
    for batch in batched(_Calls(questions, model, 1, temperature), _KEYS_PER_LOOKUP):
        stored = set(store.get_many([call.request.key for call in batch])) if store else set()
        missing = [call for call in batch if call.request.key not in stored]
        calls += len(batch)
        stored_calls += len(batch) - len(missing)
        input_tokens += sum(call.input_tokens for call in missing)
        output_tokens += sum(call.request.output_limit for call in missing)
    return ceiling(calls, input_tokens, output_tokens, price_of(model), stored_calls=stored_calls)


def ceiling(
    calls: int, input_tokens: int, output_tokens: int, price: Price, *, stored_calls: int = 0
) -> QuestionEstimate:
    """Return the estimate with the cost of its tokens."""
    usd = cost_usd(input_tokens, output_tokens, price)
    return QuestionEstimate(calls, input_tokens, output_tokens, usd, stored_calls)


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of questions, made when they are needed."""

    questions: Questions
    model: ModelConfig
    samples: int
    temperature: float | None

    def __len__(self) -> int:
        return len(self.questions) * self.samples

    def __iter__(self) -> Iterator[PlannedCall]:
        for question in self.questions:
            yield from question.calls(self.model, samples=self.samples, temperature=self.temperature)


def _accepted(model: ModelConfig, store: GenerationStore) -> float | None:
    """Return the only temperature that a model was seen to accept; None where it accepts others."""
    return 1.0 if store.noted(endpoint_of(model), model.model, ONE_TEMPERATURE) else None
