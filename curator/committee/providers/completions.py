"""Chat completions: the answers in one, and those that are none.

An answer is what a model said. An error in its place, a content filter, and an empty text at the token limit are failed
calls, although the response has the status 200.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from curator.answers.normalization import answer_part
from curator.committee.providers.refusals import failure, failure_inside
from curator.committee.rate_limits import limits_of
from curator.committee.requests import CallFailed, ModelReply
from curator.errors import RecordError
from curator.readers.messages import read_tool_calls
from curator.readers.outcome import FAILED, FILTERED, TRUNCATED, failed_body, failed_text, finish_reason_of
from curator.readers.replies import answer_text
from curator.readers.streams import assembled, logged_events
from curator.records import JsonValue, Usage
from curator.records.token_logprobs import read_logprobs

_MALFORMED = (KeyError, ValueError, TypeError, AttributeError, RecordError)
_REFUSED = frozenset({"refusal", "refused"})  # Anthropic's word for an answer that its filter stopped
_STREAMED = frozenset({"choices", "error", "usage"})
_STATUS = re.compile(r"HTTP (\d{3})")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The headers that came with a completion, the clock, and secrets to black out."""

    headers: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    secrets: Collection[str] = ()

    def failure_inside(self, error: Any) -> CallFailed:  # noqa: ANN401
        """Return the failure of an error that stood in a response with the status 200."""
        return failure_inside(error, self.headers, now=self.now, secrets=self.secrets)

    def failure_in_text(self, text: str) -> CallFailed | None:
        """Return the failure where a text is the error page of a gateway; None for other texts."""
        reason = failed_text(text)
        if reason is None:
            return None
        status = _STATUS.search(reason)
        error = {"message": f"{reason}, in a response with the status 200"}
        return failure(int(status[1]) if status else 502, error, self.headers, now=self.now, secrets=self.secrets)


def read_body(body: bytes, envelope: Envelope) -> ModelReply | CallFailed:
    """Return the reply in the body of a 200, or the failure that it holds."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        data = _joined_stream(body.decode(errors="replace"))
        if data is None:
            text = body.decode(errors="replace")
            failed = envelope.failure_in_text(text)
            return failed or CallFailed("ambiguous", f"the answer is not JSON: {text[:80]!r}")
    return read_completion(data, envelope)


def _joined_stream(text: str) -> dict[str, JsonValue] | None:
    """Return the completion that the events of a stream add up to; None for any other text.

    Some endpoints stream although no stream was asked for. A stream that ends early gives a completion without choices, since
    its text is not a whole answer.
    """
    events = logged_events(text)
    if not events or not any(event.keys() & _STREAMED for event in events):
        return None
    whole = assembled(events)
    return {**whole, "choices": []} if whole.get("stream_unfinished") else whole


def read_completion(data: Any, envelope: Envelope = Envelope()) -> ModelReply | CallFailed:  # noqa: ANN401
    """Return the reply in a chat completion, or the failure that it holds.

    A refusal in the model's own words counts as text. Calls of tools become
    `{"tool_calls":[{"arguments","name"}]}`, with a `content` where the model said something beside them.
    """
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    reply = _reply(data, envelope)
    if isinstance(data, dict):
        if data.get("error"):
            return envelope.failure_inside(data)
        if reply is None and (blocked := _blocked(data)):
            return CallFailed("rejected", f"the prompt was blocked: {blocked}", cause="content_filter")
        if reply is None and failed_body(data):
            return envelope.failure_inside(data)
    return reply or CallFailed("ambiguous", "the answer does not contain a chat completion")


def _reply(data: Any, envelope: Envelope) -> ModelReply | None:  # noqa: ANN401
    try:
        usage = _usage(data.get("usage"))
        first, *others = data["choices"]
        read = _ChoiceReader(envelope, usage, _reasoning_tokens(data.get("usage")))
        return replace(
            read(first), usage=usage, more=tuple(_readable(others, read)), limits=limits_of(envelope.headers)
        )
    except _MALFORMED:
        return None


def _readable(choices: list[Any], read: Callable[[Any], ModelReply]) -> Iterator[ModelReply]:
    """Iterate over the answers up to the first malformed one."""
    with contextlib.suppress(*_MALFORMED):
        for choice in choices:
            yield read(choice)


@dataclass(frozen=True, slots=True)
class _ChoiceReader:
    """Reads one of the answers in a chat completion."""

    envelope: Envelope
    usage: Usage | None
    reasoning_tokens: int | None

    def __call__(self, choice: Any) -> ModelReply:  # noqa: ANN401
        """Return the answer, or the reply with the failure that stands in its place."""
        finish = choice.get("finish_reason")
        reason = finish_reason_of(finish)
        error = choice.get("error")
        if error or reason == FAILED:
            return _failed(self.envelope.failure_inside(error or {"message": f"finish_reason {finish!r}"}), reason)
        message = choice["message"]
        if isinstance(message, dict) and message.get("error"):
            return _failed(self.envelope.failure_inside(message["error"]), reason)
        text = _text(message)
        if reason == FILTERED or reason in _REFUSED:
            return _failed(_filtered(finish), reason)
        if reason == TRUNCATED and not answer_part(text):
            return _failed(_empty(self.reasoning_tokens), reason)
        if not (self.usage and self.usage.output_tokens) and (failed := failed_text(text)):
            return _failed(CallFailed("retryable", f"{failed} in the place of an answer"), reason)
        logprobs = read_logprobs(choice.get("logprobs"))
        values, tokens = (logprobs.values, logprobs.tokens) if logprobs else (None, ())
        return ModelReply(text, reason, None, values, tokens)


def _failed(failed: CallFailed, reason: str | None) -> ModelReply:
    return ModelReply("", reason, None, failure=failed)


def _filtered(finish: str) -> CallFailed:
    return CallFailed(
        "rejected", f"a content filter took the answer away (finish_reason {finish!r})", cause="content_filter"
    )


def _empty(reasoning_tokens: int | None) -> CallFailed:
    by = f" by {reasoning_tokens:,} tokens of hidden reasoning" if reasoning_tokens else ""
    return CallFailed(
        "rejected",
        f"the answer is empty: its token limit was used up{by}",
        cause="token_limit",
        reasoning_tokens=reasoning_tokens,
    )


def _blocked(data: Mapping[str, Any]) -> str | None:
    """Return the reason where Google's API blocked the prompt; None for any other body."""
    feedback = data.get("promptFeedback") or data.get("prompt_feedback")
    reason = feedback.get("blockReason") or feedback.get("block_reason") if isinstance(feedback, dict) else None
    return str(reason) if reason else None


def _text(message: Any) -> str:  # noqa: ANN401
    """Return a message as text, its calls of tools as logged answers have them."""
    text = _content(message.get("content")) or message.get("refusal") or ""
    return answer_text(text, read_tool_calls(message)) or ""


def _content(content: Any) -> str:  # noqa: ANN401
    """Return the text of a message's content, without parts that are reasoning."""
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part.get("type") == "text")
    if content is None or isinstance(content, str):
        return content or ""
    raise TypeError


def _usage(usage: Any) -> Usage | None:  # noqa: ANN401
    if not isinstance(usage, dict):
        return None
    asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if (
        isinstance(asked, int)
        and isinstance(answered, int)
        and 0 <= min(asked, answered) <= max(asked, answered) < 2**31
    ):
        return Usage(asked, answered)
    return None


def _reasoning_tokens(usage: Any) -> int | None:  # noqa: ANN401
    """Return the tokens of hidden reasoning that a usage counts; None where it does not."""
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    for place in (details, usage):
        count = place.get("reasoning_tokens") if isinstance(place, dict) else None
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            return count
    return None
