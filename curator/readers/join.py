"""Pieces of log records -> cases, joined where they belong together.

Complete exchanges pass through at once. The others are held until the logs end: a question and its answer in two records
(`Exchange.pair`), the turns of a conversation, and what other records of a trace add to an exchange.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from curator.config import LogsConfig
from curator.readers.exchange import cases_of
from curator.readers.pieces import Attachment, Complete, Exchange, NoExchange, Piece, Place, Reading, Turn
from curator.readers.sessions import join_session
from curator.readers.trace_parts import TWICE, completed
from curator.readers.traces import join_traces
from curator.records import Case, OtherRecord, RejectedRecord

_Key: TypeAlias = tuple[str | None, str, str | None]


class Joiner:
    """Takes the pieces of all files; gives cases as soon as they are complete.

    Attributes:
        repeated_turns: the number of earlier turns of conversations that stand in the logs as the last turn of another record.
    """

    def __init__(self, options: LogsConfig) -> None:
        self._options = options
        self._pairs: dict[str, list[Exchange]] = defaultdict(list)
        self._turns: dict[tuple[str | None, str], list[Turn]] = defaultdict(list)
        self._spans: list[Exchange | Attachment | NoExchange] = []
        self._earlier: list[Case] = []
        self._last_turns: set[_Key] = set()
        self.repeated_turns = 0

    def add(self, piece: Piece) -> Iterator[Reading]:
        """Take one piece; yield what is complete with it."""
        if isinstance(piece, Exchange):
            if is_complete(piece):
                yield from self._cases(piece)
            elif piece.pair is not None:
                self._pairs[piece.pair].append(piece)
            else:
                self._spans.append(piece)
        elif isinstance(piece, Complete):
            yield from self._turns_of(piece.readings) if piece.conversation else piece.readings
        elif isinstance(piece, Turn):
            self._turns[(None, piece.session) if piece.session else (piece.source.file, "")].append(piece)
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
            yield from join_session(turns, last_only=self._options.turns == "last")
        yield from self._earlier_turns()

    def _earlier_turns(self) -> Iterator[Case]:
        """Yield the earlier turns of conversations, each once.

        An application that logs the conversation so far with every turn logs each turn again and again. A turn of a session is
        the same one wherever it is found. Without sessions, equal turns may be those of different users (`Hi` and its answer):
        they are the same only in a file most of whose earlier turns are the last turn of another record.
        """
        again = Counter(case.source.file for case in self._earlier if _key(case) in self._last_turns)
        every = Counter(case.source.file for case in self._earlier)
        seen = set(self._last_turns)
        for case in self._earlier:
            file, key = case.source.file, _key(case)
            if key in seen and (case.session is not None or 2 * again[file] > every[file]):
                self.repeated_turns += 1
            else:
                seen.add(key)
                yield case

    def _cases(self, exchange: Exchange) -> Iterator[Case | RejectedRecord]:
        cases = cases_of(exchange)
        return self._turns_of(cases) if exchange.conversation else cases

    def _turns_of(self, cases: Iterable[Case | RejectedRecord]) -> Iterator[Case | RejectedRecord]:
        """Yield the last answer of a conversation, and hold the earlier ones."""
        for case in cases:
            if isinstance(case, RejectedRecord) or not case.further:
                if isinstance(case, Case):
                    self._last_turns.add(_key(case))
                yield case
            elif self._options.turns == "all":
                self._earlier.append(case)  # until all records are there: another one may have the turn as its last


def is_complete(exchange: Exchange) -> bool:
    """Return whether an exchange is joined with no other record."""
    return exchange.pair is None and not _joins(exchange.place)


def _key(case: Case) -> _Key:
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
    joined = (
        question
        if question is answer
        else replace(
            completed(question, answer),
            reply=answer.reply or question.reply,
            model=answer.model or question.model,
        )
    )
    yield joined
    for piece in pieces:
        if piece is not question:
            yield OtherRecord(
                piece.source, "answers that are joined with their questions" if piece is answer else TWICE
            )
