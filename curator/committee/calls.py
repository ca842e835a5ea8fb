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
    """One question to one model. Everything in it changes the answer, so everything in it is in the key.

    `endpoint` names who answers (`local:<sha256>`, `openai:<base url>`, `litellm:<provider>`); `options` are further
    fields of the body. `sample_index` tells repeats of the same question apart: each one is an answer of its own.
    """

    endpoint: str
    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    sample_index: int = 0
    seed: int | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The content key: SHA-256 (hex) of the canonical JSON of every field."""
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
        for key, value in self.options.items():
            if value is None:
                body.pop(key, None)
        return body


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A request with the place its answer has in the committee; `input_tokens` is an estimate."""

    case_id: str
    member: Member
    request: ModelRequest
    input_tokens: int


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered. `logprobs` are those of the chosen tokens, where the endpoint gave them."""

    text: str
    finish_reason: str | None
    usage: Usage | None
    logprobs: tuple[float, ...] | None = None


class CallFailed(Exception):
    """A request got no answer. Its message never holds a key or a header.

    Kinds: `retryable` (429, 5xx, no connection: nothing was billed), `ambiguous` (it may have been billed: a timeout,
    a truncated body), `terminal` (the endpoint refuses everything: bad key, no quota, no such model), `rejected` (it
    refuses this request).
    """

    def __init__(
        self, kind: FailureKind, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.status = status
        self.retry_after_s = retry_after_s


class ModelClient(Protocol):
    """The whole seam to a provider."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: there is no answer, and its kind says what to do.
        """
