"""Plan of a run as data: every call to every member of the committee, in order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from curator.committee.prompts import Variant, render
from curator.committee.providers.local import LOCAL_MODEL, local_identity
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import CommitteeConfig, ModelConfig, Price
from curator.config.endpoint import OPENAI_BASE_URL
from curator.records import Case, JsonValue, Member, stable_unit
from curator.text.tokens import estimate_tokens

BLOCK = 64
"""Cases with the same system prompt that one member is asked about before the next member.

Servers keep the prompts they read last, and providers bill the part of a prompt that they still have at a discount. The
shared start of a block is so read once for each member.
"""
WINDOW = 4
"""Prompts that the local model reads at a time and keeps: their repeats follow while it still has them."""
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _MemberSetup:
    """A member with its model, its prompt variant, and the number of answers to each case."""

    member: Member
    model: ModelConfig
    variant: Variant
    endpoint: str
    repeats: int


def members_of(config: CommitteeConfig, one_temperature: Container[str] = ()) -> tuple[Member, ...]:
    """Return the committee: models x variants x temperatures, in the config's order.

    A member's `model` is the model's name in the config. The models in `one_temperature` are asked at 1 only.
    """
    return tuple(
        Member(
            id=f"{model.name}/{variant}/t{str(temperature).removesuffix('.0')}",
            model=model.name,
            variant=variant,
            temperature=temperature,
            max_tokens=config.max_tokens,
            options=dict(model.options),
        )
        for model, variant in itertools.product(config.models, config.variants)
        for temperature in ((1.0,) if model.name in one_temperature else config.temperatures)
    )


def name_at_endpoint(model: ModelConfig) -> str:
    """Return the model's name as it stands in a request and in the store."""
    return LOCAL_MODEL if model.provider == "local" else model.model


def endpoint_of(model: ModelConfig) -> str:
    """Return the name of the model's endpoint, as it stands in a request's key."""
    if model.provider == "local":
        return local_identity()
    if model.provider == "openai":
        return f"openai:{(model.base_url or OPENAI_BASE_URL).rstrip('/')}"
    provider = model.model.partition("/")[0] if "/" in model.model else "auto"
    return f"litellm:{provider}" + (f"@{model.base_url.rstrip('/')}" if model.base_url else "")


@dataclass(frozen=True)
class Plan:
    """Every call of a run: cases x members x repeats. Iteration makes the calls.

    The same plan gives the same calls in the same order. A member at temperature 0 is asked as often as any other: its
    repeats measure the endpoint's own noise. Two variants may give the same prompt for a case, as when neither changes
    it. Their calls then share one count of `sample_index`, so that one answer never counts twice.

    Attributes:
        cases: the cases to ask about.
        config: the committee.
        variants: the prompt variants that `config` names.
        seed: seeds the requests of models with `send_seed`; it does not matter to others.
        prices: by model name.
        one_temperature: names of models that can only be asked at temperature 1. They get more repeats instead of the
            config's temperatures.
        same_question: by the id of a case that is not asked, the one that asks the same and whose answers it gets.
    """

    cases: tuple[Case, ...]
    config: CommitteeConfig
    variants: tuple[Variant, ...]
    seed: int
    prices: Mapping[str, Price]
    one_temperature: frozenset[str] = frozenset()
    same_question: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cases) * self.calls_per_case

    def __iter__(self) -> Iterator[PlannedCall]:
        for block in self._blocks():
            samples: Counter[tuple[str, str]] = Counter()
            for setup, window in self._windows(block):
                prompts = [_prompt(case, setup, self.config.max_tokens) for case in window]
                for prompt in prompts * setup.repeats:
                    key = (prompt.case_id, prompt.request.key)
                    yield self._sample(prompt, setup, samples[key])
                    samples[key] += 1

    def part(self, wanted: Mapping[str, tuple[int, int]]) -> PlanPart:
        """Return the calls start <= i < stop of some cases, given as `wanted` by case id.

        A case's calls are numbered round the committee: the first repeat of every member, then the second, and so on.
        The first few calls so come from as many members as possible.
        """
        return PlanPart(self, wanted)

    @property
    def calls_per_case(self) -> int:
        """The number of calls for one case."""
        return len(self._rounds)

    @cached_property
    def _rounds(self) -> Mapping[tuple[int, int], int]:
        """The number of each of a case's calls, by the member's place and the repeat."""
        calls = [(repeat, place) for place, setup in enumerate(self._setups) for repeat in range(setup.repeats)]
        return {(place, repeat): number for number, (repeat, place) in enumerate(sorted(calls))}

    def _blocks(self) -> Iterator[list[Case]]:
        """Iterate over the cases by system prompt, at most `BLOCK` at a time."""
        for _, alike in itertools.groupby(sorted(self.cases, key=lambda case: case.system), lambda case: case.system):
            yield from batched(alike, BLOCK)

    def _windows(self, block: Sequence[Case]) -> Iterator[tuple[_MemberSetup, list[Case]]]:
        """Iterate over members and cases; the repeats of a prompt follow each other.

        They can then be one request.
        """
        for setup in self._setups:
            size = WINDOW if setup.model.provider == "local" else 1
            yield from ((setup, window) for window in batched(block, size))

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The committee."""
        return members_of(self.config, self.one_temperature)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Differences between the plan and the config."""
        temperatures = ", ".join(f"{t:g}" for t in self.config.temperatures)
        return tuple(
            f"model {name!r} can only be asked at temperature 1: each prompt variant is asked {self._repeats(name)} times"
            f" at 1, instead of {self.config.repeats} times at {temperatures}"
            for name in sorted(self.one_temperature)
        )

    def _repeats(self, model: str) -> int:
        return self.config.repeats * (len(self.config.temperatures) if model in self.one_temperature else 1)

    @cached_property
    def _setups(self) -> tuple[_MemberSetup, ...]:
        models = {model.name: model for model in self.config.models}
        variants = {variant.id: variant for variant in self.variants}
        return tuple(
            _MemberSetup(m, models[m.model], variants[m.variant], endpoint_of(models[m.model]), self._repeats(m.model))
            for m in self.members
        )

    def _sample(self, prompt: PlannedCall, setup: _MemberSetup, index: int) -> PlannedCall:
        """Return the call for one of the repeats of a prompt."""
        if not index and not setup.model.send_seed:
            return prompt
        seed = None
        if setup.model.send_seed:
            seed = int(stable_unit(str(self.seed), prompt.case_id, prompt.member.id, str(index)) * 2**31)
        return replace(prompt, request=replace(prompt.request, sample_index=index, seed=seed))


@dataclass(frozen=True)
class PlanPart:
    """Some calls of a plan; see `Plan.part`. Iteration makes the calls.

    Each call has the key that it has in the plan. A later full run therefore finds the answers in the store, however the
    plan was divided into parts.
    """

    plan: Plan
    wanted: Mapping[str, tuple[int, int]]

    def __len__(self) -> int:
        ranges = (self.wanted.get(case.id, (0, 0)) for case in self.plan.cases)
        return sum(len(range(max(start, 0), min(stop, self.plan.calls_per_case))) for start, stop in ranges)

    def __iter__(self) -> Iterator[PlannedCall]:
        for block in self.plan._blocks():
            cases = [case for case in block if case.id in self.wanted]
            earlier: Counter[tuple[str, str]] = Counter()
            for place, setup in enumerate(self.plan._setups):
                for case in cases:
                    yield from self._of_member(case, place, setup, earlier)

    def _of_member(
        self, case: Case, place: int, setup: _MemberSetup, earlier: Counter[tuple[str, str]]
    ) -> Iterator[PlannedCall]:
        """Iterate over the wanted calls of a case to the member at a place.

        `earlier` counts the plan's calls so far for each prompt. Earlier members with the same prompt have the first
        sample indices, whether their calls are wanted or not.
        """
        start, stop = self.wanted[case.id]
        prompt = _prompt(case, setup, self.plan.config.max_tokens)
        key = (case.id, prompt.request.key)
        for repeat in range(setup.repeats):
            if start <= self.plan._rounds[place, repeat] < stop:
                yield self.plan._sample(prompt, setup, earlier[key] + repeat)
        earlier[key] += setup.repeats


def _prompt(case: Case, setup: _MemberSetup, max_tokens: int) -> PlannedCall:
    """Return the call for the case's first sample, without a seed."""
    messages = render(setup.variant, case)
    options = _options(case, setup)
    request = ModelRequest(
        endpoint=setup.endpoint,
        model=name_at_endpoint(setup.model),
        messages=messages,
        temperature=setup.member.temperature,
        max_tokens=_limit(case, max_tokens) + setup.variant.extra_tokens,
        options=options,
    )
    return PlannedCall(case.id, setup.member, request, estimate_tokens(messages, options))


def _options(case: Case, setup: _MemberSetup) -> dict[str, JsonValue]:
    """Return the logged options that change an answer; the model's own options replace them.

    The logged `stop` is left out for a variant whose answer is read from a longer text: it would cut that text off.
    """
    kept = {"response_format", "tools", "tool_choice"} | ({"stop"} if setup.variant.read.read == "whole" else set())
    return {**{key: value for key, value in case.options.items() if key in kept}, **setup.model.options}


def _limit(case: Case, max_tokens: int) -> int:
    """Return the token limit of an answer: the smaller one of the config and the logged request."""
    logged = case.options.get("max_tokens")
    return min(max_tokens, logged) if type(logged) is int and logged > 0 else max_tokens


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Iterate over lists of `size` items; the last one may be shorter."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
