"""Group one case's answers by meaning, once, for every later stage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from curator.answers.read import Answer
from curator.disagreement.equivalence.comparers import CachedComparer, Comparer, meaning
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.records import Kind


@dataclass(frozen=True, slots=True)
class ComparableCase:
    """One case's question and everything that is compared in it.

    Attributes:
        case_id: the id of the case.
        question: the user's last message.
        answers: the committee's answers.
        target: production's answer; None without one.
        label: the trusted answer; None without one, where it cannot be read as the case's kind, and for free text, where
            another wording does not show another meaning.
    """

    case_id: str
    question: str
    answers: tuple[Answer, ...]
    target: Answer | None
    label: Answer | None = None


@dataclass(frozen=True, slots=True)
class CaseAnswers:
    """The answers to one case and their votes, in the same order.

    `compare` keeps the partition of all answers that were compared, also of those that `without` has removed.
    """

    kind: Kind
    answers: tuple[Answer, ...]
    target: Answer | None
    label: Answer | None
    compare: CachedComparer
    votes: tuple[Vote, ...]

    @property
    def label_meaning(self) -> str | None:
        """The meaning that the label has among the votes; None without a label."""
        return label_meaning(self.label, self.votes, self.answers, self.compare) if self.label else None

    @property
    def agrees(self) -> bool | None:
        """True where production's answer means the same as the label; None without one of them."""
        if self.label is None or self.target is None:
            return None
        label_class, target_class = self.compare.classes([self.label], self.target)
        return label_class == target_class

    def without(self, members: Collection[MemberKey]) -> CaseAnswers:
        """Remove the answers of these members; the partition of the others does not change."""
        kept = [(a, v) for a, v in zip(self.answers, self.votes, strict=True) if v.member not in members]
        return replace(self, answers=tuple(a for a, _ in kept), votes=tuple(v for _, v in kept))


def group_case_answers(
    case: ComparableCase, members: Sequence[MemberKey], kind: Kind, compare: Comparer
) -> CaseAnswers:
    """Group the answers to a case by meaning; `members[i]` gave answer i."""
    cached = CachedComparer(compare, case.answers, case.target, case.label)
    votes = votes_of(members, case.answers, kind, cached)
    return CaseAnswers(kind, case.answers, case.target, case.label, cached, tuple(votes))


def label_meaning(label: Answer, votes: Sequence[Vote], answers: Sequence[Answer], compare: Comparer) -> str:
    """Return the meaning that the label has among the votes.

    That is the meaning of the votes in the label's class; without such a vote it is the label's own meaning.
    """
    *classes, label_class = compare.classes([*answers, label], None)
    same = [
        v.meaning for v, number in zip(votes, classes, strict=True) if number == label_class and v.meaning is not None
    ]
    return min(same, default=meaning(label))
