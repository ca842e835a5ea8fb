"""Prompts that are not sent: refused before in this run, or too long for the model."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from curator.committee.endpoints import Endpoint
from curator.committee.prices import listed_context_window
from curator.committee.providers.local import CONTEXT_TOKENS
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import ModelConfig
from curator.records import Message
from curator.state.refusals import Refusal, Refusals
from curator.text.tokens import prompt_text

_ALWAYS_FITS = 1_000  # estimated tokens; no model's limit is looked up for shorter prompts
_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)
# The most bytes of one token, on the average of a text.
_LETTERS_PER_TOKEN = 6.5
_SIGNS_PER_TOKEN = 3.5
_WIDE_BYTES_PER_TOKEN = 9.0


@runtime_checkable
class TellsWindow(Protocol):
    """A client that can find out how long a prompt may be."""

    async def context_window(self) -> int | None:
        """Return the most tokens of a prompt by the endpoint's `/models`; None if it does not say."""


class Unsent:
    """The prompts of one model that are not worth a request.

    `on_known` is called when the model's limit, which is looked up for the first long prompt, has become known.
    """

    def __init__(self, endpoint: Endpoint, *, on_known: Callable[[], object]) -> None:
        self._client = endpoint.client
        self._on_known = on_known
        self._window = known_window(endpoint.config)
        self._looked_up = self._window is not None or not isinstance(endpoint.client, TellsWindow)
        self._look_up: asyncio.Task[None] | None = None
        self._refused: dict[str, str] = {}

    def refuse(self, request: ModelRequest, reason: str) -> None:
        """Remember that every sample of a prompt was refused."""
        self._refused[request.prompt_key] = reason

    def ready_for(self, call: PlannedCall) -> bool:
        """Return whether `reason` can decide now; a look-up that it needs is started."""
        if self._looked_up or call.input_tokens <= _ALWAYS_FITS:
            return True
        if self._look_up is None:
            self._look_up = asyncio.create_task(self._ask_for_window())
        return False

    def reason(self, call: PlannedCall) -> str | None:
        """Return the reason not to send a call; None for one that may be answered."""
        if self._refused and (refused := self._refused.get(call.request.prompt_key)):
            return refused
        return too_long(call, self._window)

    def stop(self) -> None:
        """End the look-up."""
        if self._look_up is not None:
            self._look_up.cancel()

    async def _ask_for_window(self) -> None:
        if isinstance(self._client, TellsWindow):
            self._window = await self._client.context_window()
        self._looked_up = True
        self._on_known()


def known_window(model: ModelConfig) -> int | None:
    """Return the most tokens of a prompt by the config or litellm's list; None where unknown."""
    if model.context_window is not None:
        return model.context_window
    return CONTEXT_TOKENS if model.provider == "local" else listed_context_window(model)


def too_long(call: PlannedCall, window: int | None) -> str | None:
    """Return the reason not to send a prompt that is surely too long; None for others."""
    if window is None or call.input_tokens <= window:
        return None
    least = least_tokens(call.request.messages)
    if least <= window:
        return None
    return f"the prompt is too long: at least {least:,} tokens, and the model takes {window:,}; it was not sent"


def refused_before(refusals: Refusals, calls: Sequence[PlannedCall]) -> dict[str, Refusal]:
    """Return the refusals of calls in earlier runs, by the calls' keys."""
    if refusals.empty or not calls:
        return {}
    stored = refusals.find([key for call in calls for key in (call.request.key, call.request.prompt_key)])
    matched = {c.request.key: stored.get(c.request.key) or stored.get(c.request.prompt_key) for c in calls}
    return {key: refusal for key, refusal in matched.items() if refusal is not None}


def reason_again(refusal: Refusal) -> str:
    """Return the reason why a call that was refused before has no answer."""
    return f"{refusal.reason} (in an earlier run; not asked again)"


def least_tokens(messages: Iterable[Message]) -> int:
    """Return a number of tokens that a prompt surely has; `estimate_tokens` gives an upper one.

    A run of one character counts once, since tokenizers have tokens for long runs. Measured with the tokenizer of GPT-4
    (`benchmarks/engine/prompt_length.py`), it is 0.2 to 0.65 times the true number.
    """
    text = prompt_text(replace(message, content=_RUN.sub(r"\1", message.content)) for message in messages)
    return math.floor(
        text.letters / _LETTERS_PER_TOKEN + text.signs / _SIGNS_PER_TOKEN + text.wide / _WIDE_BYTES_PER_TOKEN
    )
