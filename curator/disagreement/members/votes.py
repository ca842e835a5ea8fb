"""Votes: which member gave which answer to a case, and whether the answer can be read.

Member health, diagnosis and the noise floor are computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from curator.answers.read import Answer
from curator.disagreement.equivalence.comparers import Comparer, meaning
from curator.records import Generation, Kind


class MemberKey(NamedTuple):
    """The identity of a member of the committee; an unknown part is "" or None."""

    model: str = ""
    variant: str = ""
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of one member to one case.

    Attributes:
        member: the member that gave the answer.
        meaning: the name of the answer's meaning class; None for free text, which is compared by distance.
        text: the part of the answer that is compared.
        readable: an answer of the case's kind can be read in it.
        refused: it is a refusal.
        empty: it is empty.
        failed: the call failed and gave no answer.
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
    """Make the vote for an answer that was read as `kind`."""
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
    """Make the votes of one case; answers that `compare` puts in one class get one meaning.

    `members[i]` gave `answers[i]`.
    """
    votes = [vote(member, answer, kind) for member, answer in zip(members, answers, strict=True)]
    if kind == "text":
        return votes
    classes = compare.classes(answers, None)
    names: dict[int, str] = {}
    for cast, number in zip(votes, classes, strict=True):
        names[number] = min(names.get(number, cast.meaning or ""), cast.meaning or "")
    return [replace(cast, meaning=names[number]) for cast, number in zip(votes, classes, strict=True)]


def member_key(generation: Generation) -> MemberKey:
    """Return the key of the member that gave a generation."""
    return MemberKey(generation.model or "", generation.variant or "", generation.temperature)


def failed_vote(member: MemberKey) -> Vote:
    """Make the vote for a call whose retries all failed."""
    return Vote(member, None, readable=False, failed=True)


def answered_votes(votes: Votes) -> list[Vote]:
    """Return the votes that have an answer."""
    return [cast for cast in votes if not cast.failed]


def votes_by_member(votes: Votes) -> dict[MemberKey, list[Vote]]:
    """Group the votes by member."""
    by_member: dict[MemberKey, list[Vote]] = {}
    for cast in votes:
        by_member.setdefault(cast.member, []).append(cast)
    return by_member
