"""Cost of a plan in calls, tokens, dollars and time: the ceiling and the expected cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from curator.committee.endpoints import cost_usd
from curator.committee.plan import Plan, batched, name_at_endpoint
from curator.committee.prices import batch_price, takes_batches
from curator.config import Mode, ModelConfig
from curator.records import Case, Message
from curator.state.generations import RecentMeans
from curator.text.tokens import estimate_tokens

BATCH_S = 24 * 3600.0  # within which OpenAI promises the answers of a batch
_KEYS_PER_LOOKUP = 500

FindStored = Callable[[Sequence[str]], set[str]]
"""Returns those of some request keys whose answers are stored."""
FindMeans = Callable[[str], RecentMeans | None]
"""Returns the means over a model's newest stored answers, by its name at the endpoint."""


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """One model's share of an `Estimate`, with the same meanings.

    `usd_live` is the ceiling with `mode: live`. `usd_batch` is the ceiling with `mode: batch`, None where the model
    cannot be asked in batches.
    """

    model: str
    mode: Mode
    calls: int
    stored_calls: int
    input_tokens: int
    max_output_tokens: int
    usd_live: float
    usd_batch: float | None
    usd_expected: float | None
    seconds: float | None

    @property
    def usd_max(self) -> float:
        """The ceiling with the config's mode, in US dollars."""
        return self.usd_batch if self.mode == "batch" and self.usd_batch is not None else self.usd_live


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls, tokens, dollars and time of a plan.

    `calls` counts all calls, `stored_calls` those whose answers are stored.

    Tokens and dollars are those of the calls still to be made, each one tried once. Input tokens are as
    `estimate_tokens` counts them. For the ceilings `max_output_tokens` and `usd_max` (US dollars), every answer has the
    longest length that its limit allows. For `usd_expected`, the answers of a model are on average as long as its newest
    stored answers, or else as the logged answers of production; None where neither is known for some model.

    `seconds` is the expected time of the calls, or the longest time for a model in batch mode. It is None where a model
    has neither stored answers nor a rate limit in the config.
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
    def usd_expected(self) -> float | None:
        """The expected cost with the config's modes, in US dollars; None where it is unknown."""
        expected = [model.usd_expected for model in self.by_model]
        return None if None in expected else sum(usd for usd in expected if usd is not None)

    @property
    def usd_live(self) -> float:
        """The ceiling if every model were asked live, in US dollars."""
        return sum(model.usd_live for model in self.by_model)

    @property
    def usd_batch(self) -> float | None:
        """The ceiling with batches for every model that can have them, in US dollars; None without."""
        if all(model.usd_batch is None for model in self.by_model):
            return None
        return sum(m.usd_live if m.usd_batch is None else m.usd_batch for m in self.by_model)

    @property
    def seconds(self) -> float | None:
        """The time of the slowest model, in seconds, as all are asked at the same time."""
        times = [model.seconds for model in self.by_model]
        return None if None in times else max((t for t in times if t is not None), default=0.0)


@dataclass(slots=True)
class _Counts:
    """Calls of one model: all, stored ones, and the tokens of the others."""

    calls: int = 0
    stored: int = 0
    input_tokens: int = 0
    max_output_tokens: int = 0


def estimate_cost(
    plan: Plan, *, find_stored: FindStored | None = None, find_means: FindMeans | None = None
) -> Estimate:
    """Count what a plan still has to ask, and what that costs.

    Every call is made for it, which takes about half a minute for a million calls.
    """
    counts = {model.name: _Counts() for model in plan.config.models}
    for batch in batched(plan, _KEYS_PER_LOOKUP):
        stored = find_stored([call.request.key for call in batch]) if find_stored else set()
        for call in batch:
            of_model = counts[call.member.model]
            of_model.calls += 1
            if call.request.key in stored:
                of_model.stored += 1
            else:
                of_model.input_tokens += call.input_tokens
                of_model.max_output_tokens += call.request.output_limit
    logged = _mean_logged_tokens(plan.cases)
    by_model = tuple(
        _of_model(plan, model, counts[model.name], find_means(name_at_endpoint(model)) if find_means else None, logged)
        for model in plan.config.models
    )
    return Estimate(
        cases=len(plan.cases),
        members=len(plan.members),
        calls=len(plan),
        stored_calls=sum(of_model.stored for of_model in counts.values()),
        input_tokens=sum(of_model.input_tokens for of_model in counts.values()),
        max_output_tokens=sum(of_model.max_output_tokens for of_model in counts.values()),
        by_model=by_model,
    )


def _of_model(
    plan: Plan, model: ModelConfig, counts: _Counts, means: RecentMeans | None, logged: float | None
) -> ModelEstimate:
    price = plan.prices[model.name]
    tokens_in, tokens_out = counts.input_tokens, counts.max_output_tokens
    left = counts.calls - counts.stored
    mean = means.output_tokens if means else logged
    usd_batch = cost_usd(tokens_in, tokens_out, batch_price(price)) if takes_batches(model) else None
    expected = None
    if mean is not None or not left:
        rates = batch_price(price) if model.mode == "batch" else price
        expected = cost_usd(tokens_in, min(tokens_out, round(left * (mean or 0.0))), rates)
    return ModelEstimate(
        model=model.name,
        mode=model.mode,
        calls=counts.calls,
        stored_calls=counts.stored,
        input_tokens=tokens_in,
        max_output_tokens=tokens_out,
        usd_live=cost_usd(tokens_in, tokens_out, price),
        usd_batch=usd_batch,
        usd_expected=expected,
        seconds=_seconds(model, left, tokens_in + tokens_out, means.latency_s if means else None),
    )


def _mean_logged_tokens(cases: Iterable[Case]) -> float | None:
    """Return the mean length of the logged answers in estimated tokens; None without any."""
    lengths = [estimate_tokens([Message("assistant", case.target)], {}) for case in cases if case.target]
    return sum(lengths) / len(lengths) if lengths else None


def _seconds(model: ModelConfig, calls: int, tokens: int, latency_s: float | None) -> float | None:
    """Return the time that the slowest limit of a model leaves for its calls, in seconds.

    It is None where neither a limit nor the latency is known.
    """
    if not calls:
        return 0.0
    if model.mode == "batch":
        return BATCH_S
    times = []
    if model.requests_per_minute is not None:
        times.append(60 * calls / model.requests_per_minute)
    if model.tokens_per_minute is not None:
        times.append(60 * tokens / model.tokens_per_minute)
    if latency_s is not None:
        times.append(calls * latency_s / model.concurrency)
    return max(times, default=None)
