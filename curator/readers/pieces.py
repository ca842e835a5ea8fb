"""The pieces that readers make of log records, before they are joined to cases.

A reader maps the keys of its format to these records and decides nothing else. `join.py` joins pieces that belong together,
`exchange.py` makes a case of each exchange, for all formats alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from curator.errors import RecordError
from curator.readers.replies import Reply
from curator.records import (
    Case,
    Document,
    Feedback,
    JsonValue,
    Kind,
    Message,
    OtherRecord,
    Reference,
    RejectedRecord,
    Scalar,
    Source,
)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a record among those of other records, by their ids.

    `trace` joins the records of one request to the application; `parent` is the `span` of the record that this one is part
    of. `time` is when it began, in seconds since 1970.
    """

    trace: str | None = None
    span: str | None = None
    parent: str | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutTurn:
    """The facts on one answer in a record of a whole conversation."""

    log_id: str | None = None
    model: str | None = None
    time: float | None = None
    finish_reason: str | None = None
    feedback: Feedback | None = None


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One logged call of a model, with everything that is known about it.

    Attributes:
        source: the place of the record.
        messages: what the model was asked; () in a record that holds the answer only.
        reply: the answer; None in a record that holds none.
        conversation: the messages are a whole conversation, so that each assistant turn is an answer.
        turns: what is known of single answers of the conversation, by the index of their message.
        pair: joins the record of a question with that of its answer, such as `custom_id` in a batch.
        place: joins the spans of a trace, and what other records say about the call.
        speaks: it is what the application was asked and answered, and counts only where no call of its trace is in the logs.
        options: the request options that shape an answer (`chat.OPTION_TYPES`).
        documents: were retrieved for the question.
        feedback: ratings go into `Feedback.given`: their scale is found later, over the whole log.
        reference: a trusted answer in the record.
        session: the conversation, as logged; it is hashed later, as `user` is.
        time: when it was asked, in seconds since 1970.
        metadata: scalars to keep.
        problem: what becomes of the record where it has no question and no other record of its span gives one.
        unused: the paths of keys with content that the reader did not use.
        notes: what was lost or assumed, one sentence each without values of the record, so that equal ones are counted.
    """

    source: Source
    messages: tuple[Message, ...] = ()
    reply: Reply | None = None
    conversation: bool = False
    turns: Mapping[int, AboutTurn] = field(default_factory=dict)
    pair: str | None = None
    place: Place | None = None
    speaks: bool = False
    options: dict[str, JsonValue] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    feedback: Feedback | None = None
    reference: Reference | None = None
    log_id: str | None = None
    task: str | None = None
    kind: Kind | None = None
    model: str | None = None
    session: str | None = None
    user: str | None = None
    time: float | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)
    problem: RejectedRecord | None = None
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """True if the text of a user is among the messages."""
        return any(message.role == "user" and message.content.strip() for message in self.messages)


@dataclass(slots=True, kw_only=True)
class Turn:
    """One message of a conversation that is logged turn by turn; `session` joins the turns.

    Turns are ordered by `order` (a turn number or a time) where all have one, else as they are in the log. Turns whose
    `exchange.place` has the turn before as `parent` form a tree, such as one with several answers to a question. What is known
    about an assistant turn is in `exchange`, whose messages are not used. Without a session, the turns of a file are one
    conversation, and a system prompt begins another one.

    Attributes:
        before: messages of the same record before `message`, such as the question in a record of question and answer.
        begins: the model no longer sees the turns before, such as after a summary of them.
        skipped: names, in the plural, records without a message that are only links of a tree.
        problem: the reason why the turn cannot be read; the answers after it cannot be understood without it.
    """

    message: Message
    session: str | None
    exchange: Exchange
    order: float | None = None
    before: tuple[Message, ...] = ()
    begins: bool = False
    skipped: str | None = None
    problem: RecordError | None = None

    @property
    def source(self) -> Source:
        """The place of the record."""
        return self.exchange.source


@dataclass(slots=True, kw_only=True)
class Attachment:
    """A record that adds to the exchange of another record, such as feedback or documents.

    What it says is about the span `place.span` (its own) or else `place.parent`, and the exchanges below that; without either
    it is about the trace, and without a trace about the session. Feedback goes to the last of these exchanges, which the user
    saw. Documents go to the exchanges that begin after `place.time`, below the nearest span above that has such.
    `messages` and `reply` are those of the call `place.parent`, where each is logged as a record of its own.
    `what` names such records in the plural.
    """

    source: Source
    place: Place
    what: str
    messages: tuple[Message, ...] = ()
    reply: Reply | None = None
    feedback: Feedback | None = None
    reference: Reference | None = None
    documents: tuple[Document, ...] = ()
    session: str | None = None
    user: str | None = None
    task: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class NoExchange:
    """A record that asks no model, such as the span of an agent.

    Attributes:
        what: names such records in the plural.
        session: is that of the exchanges below it, as `user` is.
        answer: the text that it gave, by which the exchange is found that gave it.
        judges: the exchanges below it judge other answers, and ask no question of a user.
    """

    source: Source
    what: str
    place: Place | None = None
    session: str | None = None
    user: str | None = None
    answer: str | None = None
    judges: bool = False


@dataclass(slots=True)
class Complete:
    """The cases of an exchange that is joined with nothing, made in the process that parsed it."""

    readings: tuple[Case | RejectedRecord, ...]
    conversation: bool


Piece: TypeAlias = Case | Exchange | Complete | Turn | Attachment | NoExchange | RejectedRecord
Reading: TypeAlias = Case | RejectedRecord | OtherRecord
"""What becomes of a record: a case, a rejected record, or a record that gives no case of its own."""
