"""The plan of a run as data: what will be asked, of whom, in which order, and what it can cost at most."""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import orjson

from curator.committee.prices import batch_price, takes_batches
from curator.committee.prompts import Variant, render
from curator.committee.providers.hosts import OPENAI_BASE_URL
from curator.committee.providers.local import LOCAL_MODEL, local_identity
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import CommitteeConfig, Mode, ModelConfig, Price
from curator.records import Case, JsonValue, Member, Message, stable_unit
from curator.state.generations import RecentMeans

# Servers keep the prompts they read last, and providers bill the part they still have at a discount. So the cases that
# share a system prompt are asked in blocks, one member after the other: the shared start is read once a block and member.
BLOCK = 64
# The local model works on 4 prompts at a time and keeps them: the repeats of a prompt come when it has just read it.
WINDOW = 4
BATCH_S = 24 * 3600.0  # within which OpenAI promises the answers of a batch
_KEYS_PER_LOOKUP = 500
_WORD_BYTES = (string.ascii_letters + string.whitespace).encode()
_ASCII = bytes(range(128))
_TOKENS_PER_MESSAGE = 4
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """One model's share of an `Estimate`, with the same meanings.

    `usd_live` is the ceiling with `mode: live`, `usd_batch` the one with `mode: batch` (None where that cannot be had),
    and `usd_max` that of the `mode` in the config.
    """

    model: str
    mode: Mode
    calls: int
    stored_calls: int
    input_tokens: int
    max_output_tokens: int
    usd_live: float
    usd_batch: float | None
    seconds: float | None

    @property
    def usd_max(self) -> float:
        """The ceiling with the config's mode, in US dollars."""
        return self.usd_batch if self.mode == "batch" and self.usd_batch is not None else self.usd_live


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan comes to. `calls` counts all, `stored_calls` those whose answers are there already.

    Tokens and dollars are those of the calls still to be made, each tried once: input tokens as `estimate_tokens` has
    them, output tokens as if every answer went to its limit. `usd_max` is therefore a ceiling, in US dollars.

    `seconds` is how long the calls are expected to take, or for a model in batch mode the longest they may; None where
    nobody knows it.
    """

    cases: int
    members: int
    calls: int
    stored_calls: int
    input_tokens: int
    max_output_tokens: int
    by_model: tuple[ModelEstimate, ...]

    @property
    def usd_max(self) -> float:
        """The ceiling with the config's modes, in US dollars."""
        return sum(model.usd_max for model in self.by_model)

    @property
    def usd_live(self) -> float:
        """The ceiling if every model were asked live, in US dollars."""
        return sum(model.usd_live for model in self.by_model)

    @property
    def usd_batch(self) -> float | None:
        """The ceiling if every model that can be were asked in batches, in US dollars; None where none of them can."""
        if all(model.usd_batch is None for model in self.by_model):
            return None
        return sum(m.usd_live if m.usd_batch is None else m.usd_batch for m in self.by_model)

    @property
    def seconds(self) -> float | None:
        """The models are asked side by side, so that the slowest one counts."""
        times = [model.seconds for model in self.by_model]
        return None if None in times else max((t for t in times if t is not None), default=0.0)


@dataclass(frozen=True, slots=True)
class _Seat:
    """A member with what it takes to ask it."""

    member: Member
    model: ModelConfig
    variant: Variant
    endpoint: str
    repeats: int


def members_of(config: CommitteeConfig, one_temperature: Container[str] = ()) -> tuple[Member, ...]:
    """The committee: models x variants x temperatures, in the config's order; `model` is its name there.

    The models in `one_temperature` take none but 1.
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
    """The model's name as it stands in a request and in the store."""
    return LOCAL_MODEL if model.provider == "local" else model.model


def endpoint_of(model: ModelConfig) -> str:
    """Who answers for the model, as it stands in a request's key."""
    if model.provider == "local":
        return local_identity()
    if model.provider == "openai":
        return f"openai:{(model.base_url or OPENAI_BASE_URL).rstrip('/')}"
    provider = model.model.partition("/")[0] if "/" in model.model else "auto"
    return f"litellm:{provider}" + (f"@{model.base_url.rstrip('/')}" if model.base_url else "")


def estimate_tokens(messages: Iterable[Message], options: Mapping[str, JsonValue]) -> int:
    """About how many input tokens a request has, rather too many than too few, so that a budget holds.

    One for every 4 ASCII letters and blanks, for every 1.5 digits and signs, and for every 2 bytes of any other UTF-8;
    4 for each message. Tool definitions and answer schemas among the options count as text. Measured with OpenAI's two
    tokenizers that is 1.1 to 1.3 times the true number for English, code and JSON and 1.05 to 3.7 times for other
    languages; text made of nothing but hexadecimal ids comes to 0.8 times.
    """
    texts: list[str | bytes] = []
    count = 0
    for message in messages:
        count += 1
        texts.append(message.content)
        texts.extend(text for call in message.tool_calls for text in (call.name, call.arguments))
    texts.extend(orjson.dumps(options[key]) for key in ("tools", "response_format") if key in options)
    text = b"".join(t.encode() if isinstance(t, str) else t for t in texts)
    dense = text.translate(None, _WORD_BYTES)
    wide = dense.translate(None, _ASCII)
    tokens = (len(text) - len(dense)) / 4 + (len(dense) - len(wide)) / 1.5 + len(wide) / 2
    return math.ceil(tokens) + _TOKENS_PER_MESSAGE * count


@dataclass(frozen=True)
class Plan:
    """Every call of a run, made while it is iterated: cases x members x repeats.

    The same plan gives the same calls in the same order. `variants` are those that `config` names, `prices` go by model
    name, and `seed` only matters to models with `send_seed`. A member at temperature 0 is asked as often as any other:
    its repeats show how much the endpoint's own noise is.

    Prompts that come out the same for one case, such as those of two variants that leave it alone, count on in their
    `sample_index`, so that no answer is taken for two.

    A model in `one_temperature` (by name) takes none but 1: more repeats stand in for the config's temperatures.
    """

    cases: tuple[Case, ...]
    config: CommitteeConfig
    variants: tuple[Variant, ...]
    seed: int
    prices: Mapping[str, Price]
    one_temperature: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.cases) * self.calls_per_case

    def __iter__(self) -> Iterator[PlannedCall]:
        for block in self._blocks():
            asked: Counter[tuple[str, str]] = Counter()
            for seat, window in self._windows(block):
                prompts = [_prompt(case, seat, self.config.max_tokens) for case in window]
                for prompt in prompts * seat.repeats:
                    key = (prompt.case_id, prompt.request.key)
                    yield self._sample(prompt, seat, asked[key])
                    asked[key] += 1

    def part(self, wanted: Mapping[str, tuple[int, int]]) -> PlanPart:
        """The calls start <= i < stop of some cases, `wanted` by case id.

        A case's calls are counted round the committee: the first repeat of every member, then the second, and so on, so
        that the first few come from as many members as there can be.
        """
        return PlanPart(self, wanted)

    @property
    def calls_per_case(self) -> int:
        """The calls of one case."""
        return len(self._rounds)

    @cached_property
    def _rounds(self) -> Mapping[tuple[int, int], int]:
        """The order in which parts count a case's calls, by the member's place and the repeat."""
        seats = [(repeat, place) for place, seat in enumerate(self._seats) for repeat in range(seat.repeats)]
        return {(place, repeat): rank for rank, (repeat, place) in enumerate(sorted(seats))}

    def _blocks(self) -> Iterator[list[Case]]:
        """The cases by system prompt, at most `BLOCK` at a time."""
        for _, alike in itertools.groupby(sorted(self.cases, key=lambda case: case.system), lambda case: case.system):
            yield from _batches(alike, BLOCK)

    def _windows(self, block: Sequence[Case]) -> Iterator[tuple[_Seat, list[Case]]]:
        """What is asked member by member: a prompt with all of its repeats, so that they can go as one request."""
        for seat in self._seats:
            size = WINDOW if seat.model.provider == "local" else 1
            yield from ((seat, window) for window in _batches(block, size))

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The committee."""
        return members_of(self.config, self.one_temperature)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the plan had to change of what the config asks for."""
        temperatures = ", ".join(f"{t:g}" for t in self.config.temperatures)
        return tuple(
            f"model {name!r} takes no temperature but 1: {self._repeats(name)} repeats of each prompt variant at 1 stand"
            f" in for {self.config.repeats} at {temperatures}"
            for name in sorted(self.one_temperature)
        )

    def _repeats(self, model: str) -> int:
        return self.config.repeats * (len(self.config.temperatures) if model in self.one_temperature else 1)

    @cached_property
    def _seats(self) -> tuple[_Seat, ...]:
        models = {model.name: model for model in self.config.models}
        variants = {variant.id: variant for variant in self.variants}
        return tuple(
            _Seat(m, models[m.model], variants[m.variant], endpoint_of(models[m.model]), self._repeats(m.model))
            for m in self.members
        )

    def _sample(self, prompt: PlannedCall, seat: _Seat, index: int) -> PlannedCall:
        """The call for one of the repeats of a prompt."""
        if not index and not seat.model.send_seed:
            return prompt
        seed = None
        if seat.model.send_seed:
            seed = int(stable_unit(str(self.seed), prompt.case_id, prompt.member.id, str(index)) * 2**31)
        return replace(prompt, request=replace(prompt.request, sample_index=index, seed=seed))

    def estimate(
        self,
        stored: Callable[[Sequence[str]], set[str]] | None = None,
        recent_means: Callable[[str], RecentMeans | None] | None = None,
    ) -> Estimate:
        """What the plan comes to.

        `stored` tells which of some request keys have their answers already, and `recent_means` the mean latency of a
        model's answers (by its name at the endpoint).

        It goes through every call, so that a large plan takes a while: about half a minute for a million calls.
        """
        calls, done, tokens_in, tokens_out = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for batch in _batches(self, _KEYS_PER_LOOKUP):
            known = stored([call.request.key for call in batch]) if stored else set()
            for call in batch:
                name = call.member.model
                calls[name] += 1
                if call.request.key in known:
                    done[name] += 1
                else:
                    tokens_in[name] += call.input_tokens
                    tokens_out[name] += call.request.output_limit
        by_model = tuple(
            self._of_model(model, (calls[n], done[n], tokens_in[n], tokens_out[n]), recent_means)
            for model in self.config.models
            for n in (model.name,)
        )
        return Estimate(
            cases=len(self.cases),
            members=len(self.members),
            calls=len(self),
            stored_calls=done.total(),
            input_tokens=tokens_in.total(),
            max_output_tokens=tokens_out.total(),
            by_model=by_model,
        )

    def _of_model(
        self,
        model: ModelConfig,
        counts: tuple[int, int, int, int],
        recent_means: Callable[[str], RecentMeans | None] | None,
    ) -> ModelEstimate:
        """The estimate of one model from its calls, those that are stored, and the tokens in and out of the others."""
        calls, stored, tokens_in, tokens_out = counts
        price = self.prices[model.name]
        means = recent_means(name_at_endpoint(model)) if recent_means else None
        return ModelEstimate(
            model=model.name,
            mode=model.mode,
            calls=calls,
            stored_calls=stored,
            input_tokens=tokens_in,
            max_output_tokens=tokens_out,
            usd_live=_usd(price, tokens_in, tokens_out),
            usd_batch=_usd(batch_price(price), tokens_in, tokens_out) if takes_batches(model) else None,
            seconds=_seconds(model, calls - stored, tokens_in + tokens_out, means.latency_s if means else None),
        )


def _usd(price: Price, input_tokens: int, output_tokens: int) -> float:
    return (input_tokens * price.input + output_tokens * price.output) / 1e6


def _seconds(model: ModelConfig, calls: int, tokens: int, latency_s: float | None) -> float | None:
    """How long a model's calls take: what slows them down most counts. None where neither limit nor latency is known."""
    if not calls:
        return 0.0
    if model.mode == "batch":
        return BATCH_S
    known = []
    if model.requests_per_minute is not None:
        known.append(60 * calls / model.requests_per_minute)
    if model.tokens_per_minute is not None:
        known.append(60 * tokens / model.tokens_per_minute)
    if latency_s is not None:
        known.append(calls * latency_s / model.concurrency)
    return max(known, default=None)


@dataclass(frozen=True)
class PlanPart:
    """Some calls of a plan, made while they are iterated; see `Plan.part`.

    Each one is the call that the plan itself makes, with the same key. So the parts of a plan make up the plan, whatever
    way it was cut, and a later full run finds their answers in the store.
    """

    plan: Plan
    wanted: Mapping[str, tuple[int, int]]

    def __len__(self) -> int:
        ranges = (self.wanted.get(case.id, (0, 0)) for case in self.plan.cases)
        return sum(len(range(max(start, 0), min(stop, self.plan.calls_per_case))) for start, stop in ranges)

    def __iter__(self) -> Iterator[PlannedCall]:
        for block in self.plan._blocks():
            asked = [case for case in block if case.id in self.wanted]
            earlier: Counter[tuple[str, str]] = Counter()
            for place, seat in enumerate(self.plan._seats):
                for case in asked:
                    yield from self._of_member(case, place, seat, earlier)

    def _of_member(
        self, case: Case, place: int, seat: _Seat, earlier: Counter[tuple[str, str]]
    ) -> Iterator[PlannedCall]:
        """The wanted calls of a case to the member at a place; `earlier` counts the plan's calls for each prompt so far.

        Members before this one whose prompt came out the same have the first sample indices, wanted or not.
        """
        start, stop = self.wanted[case.id]
        prompt = _prompt(case, seat, self.plan.config.max_tokens)
        key = (case.id, prompt.request.key)
        for repeat in range(seat.repeats):
            if start <= self.plan._rounds[place, repeat] < stop:
                yield self.plan._sample(prompt, seat, earlier[key] + repeat)
        earlier[key] += seat.repeats


def _prompt(case: Case, seat: _Seat, max_tokens: int) -> PlannedCall:
    """The call for the case's first sample, without a seed."""
    messages = render(seat.variant, case)
    options = _options(case, seat)
    request = ModelRequest(
        endpoint=seat.endpoint,
        model=name_at_endpoint(seat.model),
        messages=messages,
        temperature=seat.member.temperature,
        max_tokens=_limit(case, max_tokens) + seat.variant.extra_tokens,
        options=options,
    )
    return PlannedCall(case.id, seat.member, request, estimate_tokens(messages, options))


def _options(case: Case, seat: _Seat) -> dict[str, JsonValue]:
    """The logged options that shape an answer, with the model's own over them.

    A variant whose answer is read out of a longer text goes without the logged `stop`, which would cut that text off.
    """
    kept = {"response_format", "tools", "tool_choice"} | ({"stop"} if seat.variant.read.read == "whole" else set())
    return {**{key: value for key, value in case.options.items() if key in kept}, **seat.model.options}


def _limit(case: Case, max_tokens: int) -> int:
    """The token limit of an answer: the config's, or the logged request's where that is smaller."""
    logged = case.options.get("max_tokens")
    return min(max_tokens, logged) if type(logged) is int and logged > 0 else max_tokens


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
