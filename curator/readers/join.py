"""Pieces of log records -> cases, joined where they belong together.

Complete exchanges pass through at once. The others are held until the logs end: a question and its answer in two records
(`Exchange.pair`), the turns of a conversation, and what other records of a trace add to an exchange.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from curator.config import LogsConfig
from curator.readers.exchange import cases_of
from curator.readers.pieces import Attachment, Exchange, NoExchange, Piece, Place, Reading, Turn
from curator.readers.replies import Reply, answer_of
from curator.readers.traces import join_traces
from curator.records import Case, Message, OtherRecord, RejectedRecord

TWICE = "records that were logged twice"
UNANSWERED = "turns that no later answer follows"
USER_TURNS = "turns before an answer"


class Joiner:
    """Takes the pieces of all files; gives cases as soon as they are complete.

    Attributes:
        repeated_turns: the number of earlier turns of conversations that stand in the logs as the last turn of another record.
    """

    def __init__(self, options: LogsConfig) -> None:
        self._options = options
        self._pairs: dict[str, list[Exchange]] = defaultdict(list)
        self._turns: dict[str, list[Turn]] = defaultdict(list)
        self._spans: list[Exchange | Attachment | NoExchange] = []
        self._earlier: list[Case] = []
        self._last_turns: set[tuple[str | None, str, str | None]] = set()
        self.repeated_turns = 0

    def add(self, piece: Piece) -> Iterator[Reading]:
        """Take one piece; yield what is complete with it."""
        if isinstance(piece, Exchange):
            if piece.pair is not None:
                self._pairs[piece.pair].append(piece)
            elif _joins(piece.place):
                self._spans.append(piece)
            else:
                yield from self._cases(piece)
        elif isinstance(piece, Turn):
            self._turns[piece.session].append(piece)
        elif isinstance(piece, Attachment) or (isinstance(piece, NoExchange) and _joins(piece.place)):
            self._spans.append(piece)
        elif isinstance(piece, NoExchange):
            yield OtherRecord(piece.source, piece.what)
        else:
            yield piece

    def close(self) -> Iterator[Reading]:
        """Yield the rest, when all pieces were added."""
        for pieces in self._pairs.values():
            for joined in _join_pair(pieces):
                if isinstance(joined, Exchange) and not _joins(joined.place):
                    yield from self._cases(joined)
                elif isinstance(joined, Exchange):
                    self._spans.append(joined)
                else:
                    yield joined
        for joined in join_traces(self._spans):
            yield from (joined,) if isinstance(joined, OtherRecord) else self._cases(joined)
        for turns in self._turns.values():
            yield from _join_turns(turns)
        for case in self._earlier:
            if _key(case) in self._last_turns:
                self.repeated_turns += 1
            else:
                yield case

    def _cases(self, exchange: Exchange) -> Iterator[Case | RejectedRecord]:
        if not exchange.conversation:
            yield from cases_of(exchange)
            return
        for case in cases_of(exchange):
            if isinstance(case, RejectedRecord) or not case.further:
                if isinstance(case, Case):
                    self._last_turns.add(_key(case))
                yield case
            elif self._options.turns == "all":
                # An application that logs the conversation so far with every turn would repeat each turn here: those that are
                # the last turn of another record are left out, when all records are there.
                self._earlier.append(case)


def _key(case: Case) -> tuple[str | None, str, str | None]:
    return case.session, case.id, case.target


def _joins(place: Place | None) -> bool:
    return place is not None and (place.trace is not None or place.span is not None or place.parent is not None)


def _join_pair(pieces: Sequence[Exchange]) -> Iterator[Exchange | OtherRecord]:
    """Join the records of one id: the last question and the last answer that did not fail."""
    if len(pieces) == 1:
        yield pieces[0]
        return
    asked = [piece for piece in pieces if piece.messages]
    answered = [piece for piece in pieces if piece.reply is not None]
    answered.sort(key=lambda piece: piece.reply is not None and piece.reply.text is not None)
    question, answer = (asked or pieces)[-1], (answered or pieces)[-1]
    joined = question if question is answer else _merged(question, answer)
    yield joined
    for piece in pieces:
        if piece is not question:
            yield OtherRecord(
                piece.source, "answers that are joined with their questions" if piece is answer else TWICE
            )


def _merged(question: Exchange, answer: Exchange) -> Exchange:
    """The question's record with what the answer's record adds."""
    return replace(
        question,
        reply=answer.reply or question.reply,
        options={**answer.options, **question.options},
        documents=question.documents or answer.documents,
        feedback=question.feedback or answer.feedback,
        reference=question.reference or answer.reference,
        log_id=question.log_id or answer.log_id,
        task=question.task or answer.task,
        kind=question.kind or answer.kind,
        model=answer.model or question.model,
        session=question.session or answer.session,
        user=question.user or answer.user,
        time=question.time if question.time is not None else answer.time,
        latency_s=answer.latency_s if answer.latency_s is not None else question.latency_s,
        cost_usd=answer.cost_usd if answer.cost_usd is not None else question.cost_usd,
        metadata={**answer.metadata, **question.metadata},
        place=question.place or answer.place,
    )


def _join_turns(turns: Sequence[Turn]) -> Iterator[Reading]:
    """Each assistant turn of a session is the answer to the turns before it."""
    orders = [turn.order for turn in turns]
    ordered: Iterable[Turn] = turns
    if all(order is not None for order in orders):
        ordered = sorted(turns, key=lambda turn: turn.order or 0.0)
    so_far: list[Message] = []
    waiting: list[Turn] = []
    for turn in ordered:
        answers = turn.message.role == "assistant" and any(message.role == "user" for message in so_far)
        if answers:
            yield from (OtherRecord(earlier.source, USER_TURNS) for earlier in waiting)
            waiting.clear()
            exchange = replace(turn.exchange, messages=tuple(so_far), reply=_reply_of(turn))
            yield from cases_of(exchange)
        else:
            waiting.append(turn)
        so_far.append(turn.message)
    yield from (OtherRecord(turn.source, UNANSWERED) for turn in waiting)


def _reply_of(turn: Turn) -> Reply:
    reply = answer_of(turn.message)
    logged = turn.exchange.reply
    return (
        reply
        if logged is None
        else replace(reply, finish_reason=logged.finish_reason, model=logged.model, id=logged.id)
    )
