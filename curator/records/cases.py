"""One production input with its context."""

from __future__ import annotations

import hashlib
import re
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
    """The place of a record: the file as the user named it, and its first line, counted from 1.

    `part` counts the records of one line from 1 on, such as the spans of a batch; 0 where the line is one record. `inner` counts
    those within a part in the same way, such as the spans of several batches on one line.
    """

    file: str
    line: int
    part: int = 0
    inner: int = 0

    def __str__(self) -> str:
        part = f", part {self.part}" + (f".{self.inner}" if self.inner else "")
        return f"{self.file}:{self.line}" + (part if self.part else "")

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read a place as `str` writes it; another text is the name of a file, with line 0."""
        match = re.fullmatch(r"(.*):(\d+)(?:, part (\d+)(?:\.(\d+))?)?", text, re.DOTALL)
        if match is None:
            return cls(text, 0)
        file, *numbers = match.groups(default="0")
        return cls(file, *map(int, numbers))

    def numbered(self, number: int) -> Source:
        """Return the place of a record within this one, counted from 1."""
        return replace(self, inner=number) if self.part else replace(self, part=number)


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was retrieved for the question.

    `score` is the retriever's, on its own scale; None where it gave none.
    """

    text: str
    id: str | None = None
    score: float | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback of the application's user on the logged answer.

    Attributes:
        thumb: the verdict, where the user gave one or a rating says one.
        correction: the answer that the user wanted instead.
        comment: what the user wrote.
        rating: from 0 (worst) to 1 (best); None without one.
        given: ratings and scores as logged, by their names. A reader fills it, and `thumb` and `rating` are made of it when
            their scale is known.
    """

    thumb: Thumb | None = None
    correction: str | None = None
    comment: str | None = None
    rating: float | None = None
    given: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedAnswer:
    """One of the answers that production gave to a question, over all its log records.

    `text` is None for failed calls. `records` counts the records with this answer, `up` and `down` their thumbs.
    """

    text: str | None
    records: int
    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A trusted answer: a label, a user's correction, or the answer of a named teacher model.

    `slice` is the slice of the selection that the label was given for, None if it is unknown. `probability` is the inclusion
    probability of the case in that selection. `at` is when it was given, ISO 8601 in UTC; "" where it is not known.
    """

    text: str
    source: ReferenceSource
    by: str | None = None
    slice: Slice | None = None
    probability: float = 1.0
    at: str = ""


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

    `documents` were retrieved for the question. `session` and `user_id` are hashes (`records.hashed_id`), in a run with its key. `time` is when it was
    asked, in seconds since 1970 (UTC). `further` marks a turn of a conversation whose record gives another case too.
    `question` is the id of the case that asks the same and got another answer, which the committee is asked about; "" where that
    is the case itself. `answers` are all that production answered to the question; () where it was asked once.
    `judged_wrong` is the probability that the target is wrong, as a judge says; None without a verdict.
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
    documents: tuple[Document, ...] = ()
    session: str | None = None
    user_id: str | None = None
    time: float | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    further: bool = False
    question: str = ""
    answers: tuple[LoggedAnswer, ...] = ()
    judged_wrong: float | None = None

    @property
    def failed_call(self) -> bool:
        """True if the logged call failed, so that it has no answer."""
        return self.target is None and self.finish_reason == "error"

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


def answer_case_id(question: str, answer: str) -> str:
    """Return the id of a further case of a question, for another of production's answers to it."""
    return "c" + hashlib.sha256(orjson.dumps([question, normalise_space(answer)])).hexdigest()[:16]


def with_group(case: Case) -> Case:
    """Return the case with a near-duplicate group: its own if it has none yet."""
    return case if case.group else replace(case, group=case.id)
