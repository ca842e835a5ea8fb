"""Votes: who gave which answer to a case, and whether it is one. Health, diagnosis and the noise floor are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from curator.answers.read import Answer
from curator.disagreement.equivalence.comparers import Comparer, meaning
from curator.records import Generation, Kind


class MemberKey(NamedTuple):
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

    member: MemberKey
    meaning: str | None
    text: str = ""
    readable: bool = True
    refused: bool = False
    empty: bool = False
    failed: bool = False


Votes = Sequence[Vote]
VotesByCase = Mapping[str, Votes]


def vote(member: MemberKey, answer: Answer, kind: Kind) -> Vote:
    """The vote for an answer, which was read as one of `kind`."""
    is_text = kind == "text"
    return Vote(
        member,
        meaning=None if is_text else meaning(answer),
        text=answer.key if is_text else answer.text,
        readable=bool(answer.key),
        refused=answer.kind == "refusal",
        empty=answer.kind == "empty",
    )


def votes_of(members: Sequence[MemberKey], answers: Sequence[Answer], kind: Kind, compare: Comparer) -> list[Vote]:
    """The votes of one case's answers, in which those that `compare` puts in one class have one meaning."""
    votes = [vote(member, answer, kind) for member, answer in zip(members, answers, strict=True)]
    if kind == "text":
        return votes
    numbers = compare.classes(answers, None)
    names: dict[int, str] = {}
    for one, number in zip(votes, numbers, strict=True):
        names[number] = min(names.get(number, one.meaning or ""), one.meaning or "")
    return [replace(one, meaning=names[number]) for one, number in zip(votes, numbers, strict=True)]


def member_key(generation: Generation) -> MemberKey:
    """Who gave a generation."""
    return MemberKey(generation.model or "", generation.variant or "", generation.temperature)


def failed_vote(member: MemberKey) -> Vote:
    """The vote for a call that failed for good."""
    return Vote(member, None, readable=False, failed=True)


def answered_votes(votes: Votes) -> list[Vote]:
    """The votes with an answer."""
    return [one for one in votes if not one.failed]


def votes_by_member(votes: Votes) -> dict[MemberKey, list[Vote]]:
    """The votes of each member."""
    found: dict[MemberKey, list[Vote]] = {}
    for one in votes:
        found.setdefault(one.member, []).append(one)
    return found
