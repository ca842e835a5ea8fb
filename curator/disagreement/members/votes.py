"""Votes: who gave which answer to a case, and whether it is one. Health, diagnosis and the noise floor are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from curator.answers.read import Answer
from curator.disagreement.equivalence.classes import meaning
from curator.disagreement.equivalence.comparers import Comparer
from curator.records import Generation, Kind


class Seat(NamedTuple):
    """Whose answer it is: a member of the committee. What is not known is "" or None."""

    model: str = ""
    variant: str = ""
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer to one case.

    `meaning` is the name of its class of equal meaning, None for free text, which is compared by distance. `text` is the
    part that is compared. A `failed` one is a call without any answer.
    """

    seat: Seat
    meaning: str | None
    text: str = ""
    readable: bool = True
    refused: bool = False
    empty: bool = False
    failed: bool = False


Votes = Sequence[Vote]
VotesByCase = Mapping[str, Votes]


def vote(seat: Seat, answer: Answer, kind: Kind) -> Vote:
    """The vote for an answer, which was read as one of `kind`."""
    is_text = kind == "text"
    return Vote(
        seat,
        meaning=None if is_text else meaning(answer),
        text=answer.key if is_text else answer.text,
        readable=bool(answer.key),
        refused=answer.kind == "refusal",
        empty=answer.kind == "empty",
    )


def votes_of(seats: Sequence[Seat], answers: Sequence[Answer], kind: Kind, compare: Comparer) -> list[Vote]:
    """The votes of one case's answers, in which those that `compare` puts in one class have one meaning."""
    votes = [vote(seat, answer, kind) for seat, answer in zip(seats, answers, strict=True)]
    if kind == "text":
        return votes
    numbers = compare.classes(answers, None)
    names: dict[int, str] = {}
    for one, number in zip(votes, numbers, strict=True):
        names[number] = min(names.get(number, one.meaning or ""), one.meaning or "")
    return [replace(one, meaning=names[number]) for one, number in zip(votes, numbers, strict=True)]


def seat_of(generation: Generation) -> Seat:
    """Who gave a generation."""
    return Seat(generation.model or "", generation.variant or "", generation.temperature)


def failed_vote(seat: Seat) -> Vote:
    """The vote for a call that failed for good."""
    return Vote(seat, None, readable=False, failed=True)


def given(votes: Votes) -> list[Vote]:
    """The votes with an answer."""
    return [one for one in votes if not one.failed]


def by_seat(votes: Votes) -> dict[Seat, list[Vote]]:
    """The votes of each seat."""
    found: dict[Seat, list[Vote]] = {}
    for one in votes:
        found.setdefault(one.seat, []).append(one)
    return found
