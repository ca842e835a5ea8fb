"""Cost bound of a request, and the rules for waiting, retrying and giving up on an endpoint."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from curator.committee.providers.keys import key_variable
from curator.committee.requests import CallFailed, ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig, Price
from curator.errors import ProviderError
from curator.progress import span, until
from curator.records import Usage
from curator.records.spend import Spend
from curator.state.store_schema import StoredReply

ONE_TEMPERATURE = "one-temperature"
"""The store's note on a model that accepts no temperature but 1."""

COMMITTEE_LIMIT = "committee.max_tokens"
"""The setting that limits the answers of the committee."""
_MAX_FAILURES = 5  # requests given up before the first answer
_MAX_REFUSED = 200  # cases refused before the first answer, for causes that lie in each request
_MAX_CONNECTS = 3  # tries of one request without a connection before the first reply
_BACKOFF_S = 1.0
_BACKOFF_CAP_S = 30.0
_VARYING = re.compile(r"[0-9a-f]{8,}|[\d.,]*\d")  # ids and figures in a message


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model that is asked: config, price, client, and the setting that limits its answers."""

    config: ModelConfig
    price: Price
    client: ModelClient
    limit_setting: str = COMMITTEE_LIMIT


@dataclass(slots=True)
class CircuitBreaker:
    """Decides when more requests to an endpoint make no sense.

    Attributes:
        answers: answers of the endpoint, stored ones included.
        failures: requests given up since the last answer.
        reached: the endpoint has replied at least once.
        refused: the cases that were refused before the first answer, by the message without its figures.
    """

    answers: int = 0
    failures: int = 0
    reached: bool = False
    refused: dict[str, set[str]] = field(default_factory=dict)

    def answered(self) -> None:
        """Count an answer."""
        self.answers += 1
        self.failures = 0
        self.refused.clear()

    def trips(
        self, failure: CallFailed, attempt: int, config: ModelConfig, *, given_up: bool, case_id: str = ""
    ) -> bool:
        """Count a failure of a request's `attempt`-th try; return whether to give up.

        Giving up is for the endpoint as a whole.

        It gives up when the endpoint cannot be reached at first, when the first requests all fail, and when it refuses the
        same way whatever it is asked: five cases, or 200 where the cause lies in each request. After an answer, a refusal is
        that of one request. It then gives up when more requests in a row fail without a refusal than can be in flight.
        """
        self.reached = self.reached or failure.status is not None or failure.kind == "ambiguous"
        if failure.kind == "terminal":
            return True
        if not self.reached and not self.answers and attempt >= min(_MAX_CONNECTS, config.max_tries):
            return True
        if failure.kind == "rejected":
            return given_up and not self.answers and self._refuses_all(failure, case_id)
        self.failures += given_up
        return self.failures >= _MAX_FAILURES + (config.concurrency if self.answers else 0)

    def _refuses_all(self, failure: CallFailed, case_id: str) -> bool:
        cases = self.refused.setdefault(_VARYING.sub("#", str(failure)), set())
        cases.add(case_id)
        return len(cases) >= (_MAX_REFUSED if failure.cause else _MAX_FAILURES)


def backoff_s(attempt: int, failure: CallFailed, chance: float) -> float:
    """Return the seconds that a request waits after its `attempt`-th try.

    `chance` is in [0, 1).

    It is the exponential backoff with full jitter of
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, on top of the endpoint's own pause.
    """
    jitter = chance * min(_BACKOFF_CAP_S, _BACKOFF_S * 2.0 ** (attempt - 1))
    return pause_s(failure) + jitter


def pause_s(failure: CallFailed) -> float:
    """Return the pause that the endpoint asks for, in seconds."""
    return failure.retry_after_s or 0.0


def refuses_temperature(failure: CallFailed, request: ModelRequest) -> bool:
    """Return whether the model accepts no temperature but 1, as reasoning models do."""
    return (
        failure.kind == "rejected"
        and failure.status in {400, 422}
        and request.temperature != 1.0
        and "temperature" not in request.options
        and "temperature" in str(failure)
    )


def cost_usd(input_tokens: int, output_tokens: int, price: Price) -> float:
    """Return the cost of tokens in US dollars."""
    return (input_tokens * price.input + output_tokens * price.output) / 1_000_000


def cost_bound(request: ModelRequest, price: Price) -> Spend:
    """Return the most that a request can cost.

    No token is shorter than a byte, and a chat template adds some tokens to each message. The input is billed once for
    all answers of a request.
    """
    size = 64
    for message in request.messages:
        size += 16 + len(message.content.encode())
        for call in message.tool_calls:
            size += 16 + len(call.name.encode()) + len(call.arguments.encode())
    if request.options:
        size += len(str(request.options).encode())
    output = request.output_limit * request.n
    return Spend.of(tokens=size + output, usd=cost_usd(size, output, price))


def estimated_usage(input_tokens: int, texts: Iterable[str]) -> Usage:
    """Estimate the usage that an endpoint did not report: 4 bytes of answer for each token."""
    return Usage(input_tokens, sum(math.ceil(len(text.encode()) / 4) for text in texts), estimated=True)


def shares(usage: Usage, texts: Sequence[str]) -> list[Usage]:
    """Split a request's usage among its answers: the input evenly, the output by length.

    The sums stay the same.
    """
    if len(texts) == 1:
        return [usage]
    whole = sum(len(text) + 1 for text in texts)
    split, seen, given_in, given_out = [], 0, 0, 0
    for count, text in enumerate(texts, start=1):
        seen += len(text) + 1
        due_in, due_out = usage.input_tokens * count // len(texts), usage.output_tokens * seen // whole
        split.append(Usage(due_in - given_in, due_out - given_out, usage.estimated))
        given_in, given_out = due_in, due_out
    return split


def stored_reply(
    reply: ModelReply, usage: Usage, price: Price, *, asked: ModelRequest, latency_s: float, now: float
) -> StoredReply:
    """Return the answer to a request as the store keeps it; `now` is in seconds since 1970."""
    return StoredReply(
        text=reply.text,
        finish_reason=reply.finish_reason,
        usage=usage,
        logprobs=reply.logprobs,
        tokens=reply.tokens,
        cost_usd=cost_usd(usage.input_tokens, usage.output_tokens, price),
        latency_s=latency_s,
        model=asked.model,
        created_at=now,
    )


def asks_too_long(failure: CallFailed, patience_s: float) -> bool:
    """Return whether an endpoint asks for a longer pause than the run waits for."""
    return failure.kind == "retryable" and pause_s(failure) > patience_s


def provider_error(config: ModelConfig, address: str, failure: CallFailed, *, now: float) -> ProviderError:
    """Return the error that ends the run when it gives up on the endpoint at `address`.

    `now` is in seconds since 1970.
    """
    what = f"model {config.name!r} at {address}: {failure}"
    if asks_too_long(failure, config.patience_s):
        wait = pause_s(failure)
        return ProviderError(
            f"{what}; it asks to wait {span(wait)} (Retry-After), until {until(now + wait)}",
            remedy="run again then: it goes on from what is stored; or let the run wait: "
            f"`patience_s: {math.ceil(wait)}` of model {config.name!r}",
        )
    return ProviderError(what, remedy=f"{_remedy(config, failure)}; then run again: it goes on from what is stored")


def _remedy(config: ModelConfig, failure: CallFailed) -> str:
    status = failure.status
    if status in {401, 403}:
        variable = key_variable(config)
        return (
            f"check the key in {variable}"
            if variable
            else "put the key into an environment variable, and name the variable in `api_key_env`"
        )
    if status == 402 or (failure.kind == "terminal" and status == 429):
        return "add credit at the provider"
    if status == 404:
        return f"check `model: {config.model}`, and that `base_url` goes up to /v1 as the endpoint has it"
    if failure.kind == "retryable" and status is None:
        return "check that the server runs and that `base_url` is right"
    if failure.kind == "ambiguous":
        return f"check that the endpoint answers chat completions within `timeout_s: {config.timeout_s:g}`"
    return "change the setting that the message names"
