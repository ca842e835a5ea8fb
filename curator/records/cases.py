"""One production input with its context."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import orjson

from curator.records.identity import normalise_space
from curator.records.token_logprobs import TokenLogprobs
from curator.records.values import JsonValue, Kind, ReferenceSource, Role, Scalar, Slice, Thumb


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call that the assistant asked for; `arguments` is the logged JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is "" for an assistant turn that only calls tools."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def as_openai(self) -> dict[str, JsonValue]:
        """Return the message in the form of the chat-completions API."""
        message: dict[str, JsonValue] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            message["content"] = self.content or None
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in self.tool_calls
            ]
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


@dataclass(frozen=True, slots=True)
class Source:
    """The place of a record: the file as the user named it, and its first line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback of the application's user on the logged answer."""

    thumb: Thumb | None = None
    correction: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A trusted answer: a label, a user's correction, or the answer of a named teacher model.

    `slice` is the slice of the selection that the label was given for, None if it is unknown. `probability` is the inclusion
    probability of the case in that selection.
    """

    text: str
    source: ReferenceSource
    by: str | None = None
    slice: Slice | None = None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A human judgement of production's answer: `failure` from 0 (right) to 1 (wrong).

    `slice` is the slice of the selection that the case was judged for, `probability` its inclusion probability there.
    """

    failure: float
    slice: Slice | None = None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """One production input with its context.

    `messages` is what the model was asked, without the logged answer; that answer is `target`. `options` are those
    sampling options of the logged request that shape an answer (max_tokens, stop, response_format, tools, tool_choice).
    A reader gives every log record as a case of weight 1; `weight` then counts the log records that a kept case
    represents, and `group` names its near-duplicate group by the case id in it that came first. `verdict` is the human
    judgement of the target, `target_logprobs` has the log-probabilities of its tokens.
    """

    id: str
    messages: tuple[Message, ...]
    source: Source
    target: str | None = None
    task: str | None = None
    kind: Kind | None = None
    model: str | None = None
    finish_reason: str | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    feedback: Feedback | None = None
    reference: Reference | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    log_id: str | None = None
    weight: int = 1
    group: str = ""
    verdict: Verdict | None = None
    target_logprobs: TokenLogprobs | None = None

    @property
    def system(self) -> str:
        """The system messages as one text; "" if there are none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def user(self) -> str:
        """The text of the last user message; "" if there is none."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def needs_label(self) -> bool:
        """True if neither a verdict nor a trusted answer says how good the logged answer is."""
        return self.reference is None and self.verdict is None

    @property
    def corrected(self) -> bool:
        """True if a user's correction is the only evidence of the right answer."""
        return self.verdict is None and self.reference is not None and self.reference.source == "correction"

    @property
    def truncated(self) -> bool:
        """True if the logged answer stopped at the token limit, so that its end is missing."""
        return self.finish_reason == "length"


def case_id(messages: Iterable[Message]) -> str:
    """Return the content id of an input: `c` and 64 bits of the SHA-256 of its messages, in hex.

    White space does not count.
    """
    parts = [[m.role, normalise_space(m.content), [[c.name, c.arguments] for c in m.tool_calls]] for m in messages]
    return "c" + hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]


def with_group(case: Case) -> Case:
    """Return the case with a near-duplicate group: its own if it has none yet."""
    return case if case.group else replace(case, group=case.id)
