"""What passes between the plan, the engine and the clients: a planned call, its request, its reply, its failure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import orjson

from curator.records import JsonValue, Member, Message, Usage

FailureKind = Literal["retryable", "ambiguous", "terminal", "rejected"]


@dataclass(frozen=True)
class ModelRequest:
    """One question to one model. Everything in it changes the answer, so everything but `n` is in the key.

    `endpoint` names who answers (`local:<sha256>`, `openai:<base url>`, `litellm:<provider>`); `options` are further
    fields of the body. `sample_index` tells repeats of the same question apart: each one is an answer of its own, and
    `n` of them, from that index on, can be asked for at once.
    """

    endpoint: str
    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    sample_index: int = 0
    seed: int | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    n: int = 1

    @cached_property
    def key(self) -> str:
        """The content key of the first answer: SHA-256 (hex) of the canonical JSON of every field but `n`."""
        content = {
            "endpoint": self.endpoint,
            "model": self.model,
            "messages": [m.as_openai() for m in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "sample_index": self.sample_index,
            "seed": self.seed,
            "options": dict(self.options),
        }
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def output_limit(self) -> int:
        """Output tokens that one answer can have at most; options may set another limit, or one by another name."""
        options = self.options
        limits = (options.get("max_tokens", self.max_tokens), options.get("max_completion_tokens"))
        return max((limit for limit in limits if isinstance(limit, int)), default=self.max_tokens)

    def body(self) -> dict[str, JsonValue]:
        """The body of a chat-completions request. An option that is None takes its field out of the body."""
        body: dict[str, JsonValue] = {
            **self.options,
            "model": self.model,
            "messages": [m.as_openai() for m in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        if self.seed is not None:
            body["seed"] = self.seed
        if self.n > 1:
            body["n"] = self.n
        for key, value in self.options.items():
            if value is None:
                body.pop(key, None)
        return body


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A request with the place its answer has in the committee; `input_tokens` is an estimate.

    The calls of one case and member ask the same; they differ in their sample alone.
    """

    case_id: str
    member: Member
    request: ModelRequest
    input_tokens: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What an endpoint says of one rate limit: so many a period, so many left, and the seconds until all are back."""

    limit: float | None
    remaining: float | None
    reset_s: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint says of its rate limits, in requests and in tokens."""

    requests: Quota | None
    tokens: Quota | None


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered. `logprobs` are those of the chosen tokens, where the endpoint gave them.

    `more` are the further answers of a request for several, without a usage of their own: `usage` counts them all.
    """

    text: str
    finish_reason: str | None
    usage: Usage | None
    logprobs: tuple[float, ...] | None = None
    more: tuple[ModelReply, ...] = ()
    limits: Limits | None = None


class CallFailed(Exception):
    """A request got no answer. Its message never holds a key or a header.

    Kinds: `retryable` (429, 5xx, no connection: nothing was billed), `ambiguous` (it may have been billed: a timeout,
    a truncated body), `terminal` (the endpoint refuses everything: bad key, no quota, no such model), `rejected` (it
    refuses this request).
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        self.limits = limits

    @property
    def overload(self) -> bool:
        """Whether the endpoint takes less than it gets: a rate limit (429), or no capacity (503, 529)."""
        return self.kind == "retryable" and self.status in {429, 503, 529}

    @property
    def label(self) -> str:
        """The failure in a word or two, to count by: the status, else the kind."""
        return str(self.status) if self.status is not None else self.kind


class ModelClient(Protocol):
    """The whole seam to a provider."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: there is no answer, and its kind says what to do.
        """
