"""Types between the plan, the engine and the clients: planned call, request, reply, failure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

import orjson

from curator.records import JsonValue, Member, Message, Usage

FailureKind = Literal["retryable", "ambiguous", "terminal", "rejected"]
RefusalCause = Literal["content_filter", "context_length", "invalid_input", "token_limit"]
"""Causes that lie in one request, not in the endpoint: its content is filtered, it is too long, an image or a message in
it is invalid, or its token limit left nothing for the answer."""


@dataclass(frozen=True)
class ModelRequest:
    """One question to one model.

    Every field changes the answer, so that every field but `n` is in the key.

    Attributes:
        endpoint: the endpoint's name: `local:<sha256>`, `openai:<base url>` or `litellm:<provider>`.
        model: the model's name at the endpoint.
        messages: the prompt.
        temperature: the sampling temperature.
        max_tokens: output tokens at most.
        sample_index: distinguishes the repeats of a question; each one has an answer of its own.
        seed: the sampling seed; None sends none.
        options: further fields of the body.
        n: the number of answers to ask for, from `sample_index` on.
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
        """The content key of the first answer: SHA-256 (hex) of the fields' canonical JSON."""
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

    @cached_property
    def prompt_key(self) -> str:
        """The key that all samples of the prompt share; it differs from the key of each sample."""
        return hashlib.sha256(b"prompt:" + replace(self, sample_index=0, seed=None).key.encode()).hexdigest()

    @property
    def output_limit(self) -> int:
        """The most output tokens of one answer; `options` may set the limit, also by another name."""
        options = self.options
        limits = (options.get("max_tokens", self.max_tokens), options.get("max_completion_tokens"))
        return max((limit for limit in limits if isinstance(limit, int)), default=self.max_tokens)

    def body(self) -> dict[str, JsonValue]:
        """Return the body of a chat-completions request. An option that is None removes its field."""
        body: dict[str, JsonValue] = {
            **self.options,
            "model": self.model,
            "messages": [m.as_openai() for m in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.options.get("max_tokens", self.max_tokens),
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
    """A request with the case and the member that it is for; `input_tokens` is an estimate.

    The calls of one case and member have the same prompt and differ only in their sample.
    """

    case_id: str
    member: Member
    request: ModelRequest
    input_tokens: int


@dataclass(frozen=True, slots=True)
class Quota:
    """One rate limit by an endpoint's headers: size, rest, and seconds until its reset."""

    limit: float | None
    remaining: float | None
    reset_s: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate limits by an endpoint's headers, in requests and in tokens."""

    requests: Quota | None
    tokens: Quota | None


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The answer of a model.

    `logprobs` are those of the chosen tokens, where the endpoint gave them, and `tokens` the tokens' texts.

    `more` are the further answers of a request for several. They have no usage of their own: `usage` counts all answers.
    `failure` is set, and `text` empty, where the model was billed but gave no answer: an error inside the answer, a content
    filter, or a token limit that hidden reasoning used up.
    """

    text: str
    finish_reason: str | None
    usage: Usage | None
    logprobs: tuple[float, ...] | None = None
    tokens: tuple[str, ...] = ()
    more: tuple[ModelReply, ...] = ()
    limits: Limits | None = None
    failure: CallFailed | None = None


class CallFailed(Exception):
    """A request got no answer. Its message never holds a key or a header.

    Kinds: `retryable` (429, 5xx, no connection: nothing was billed), `ambiguous` (it may have been billed: a timeout,
    a truncated body), `terminal` (the endpoint refuses everything: bad key, no quota, no such model), `rejected` (it
    refuses this request).

    Attributes:
        kind: one of the kinds above.
        status: the HTTP status; None without one.
        retry_after_s: the seconds that the endpoint asks to wait.
        limits: the rate limits of the response.
        cause: of a `rejected` request; None where it is not known to lie in this request alone.
        reasoning_tokens: the tokens of hidden reasoning in an answer without text; None where the endpoint does not say.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        limits: Limits | None = None,
        cause: RefusalCause | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        self.limits = limits
        self.cause: RefusalCause | None = cause
        self.reasoning_tokens = reasoning_tokens

    @property
    def overload(self) -> bool:
        """True for a rate limit (429) and for missing capacity (503, 529)."""
        return self.kind == "retryable" and self.status in {429, 503, 529}

    @property
    def label(self) -> str:
        """The label under which failures are counted: the cause, else the status, else the kind."""
        return self.cause or (str(self.status) if self.status is not None else self.kind)


class ModelClient(Protocol):
    """A client of one model, as every provider opens it."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: no answer came; its kind says what to do.
        """
