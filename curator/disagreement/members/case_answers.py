"""What the answers to one case say: one partition of all of them, from which everything else is taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from curator.answers.read import Answer
from curator.disagreement.equivalence.comparers import CachedComparer, Comparer, meaning
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.records import Kind


@dataclass(frozen=True, slots=True)
class ComparableCase:
    """What is compared in one case: its question and the answers to it, production's, and that of a trusted source.

    `label` is None where there is none, and where nothing of the case's kind can be read in it, or wording is no meaning.
    """

    case_id: str
    question: str
    answers: tuple[Answer, ...]
    target: Answer | None
    label: Answer | None = None


@dataclass(frozen=True, slots=True)
class CaseAnswers:
    """The answers of one case and their votes, in the same order.

    `compare` knows the partition of all that was compared, also of answers that were left out since.
    """

    kind: Kind
    answers: tuple[Answer, ...]
    target: Answer | None
    label: Answer | None
    compare: CachedComparer
    votes: tuple[Vote, ...]

    @property
    def label_meaning(self) -> str | None:
        """The meaning that the label has among the votes; None without one."""
        return label_meaning(self.label, self.votes, self.answers, self.compare) if self.label else None

    @property
    def agrees(self) -> bool | None:
        """Whether production's answer means the same as the label; None where there are not both."""
        if self.label is None or self.target is None:
            return None
        one, other = self.compare.classes([self.label], self.target)
        return one == other

    def without(self, members: Collection[MemberKey]) -> CaseAnswers:
        """What all others say."""
        kept = [(a, v) for a, v in zip(self.answers, self.votes, strict=True) if v.member not in members]
        return replace(self, answers=tuple(a for a, _ in kept), votes=tuple(v for _, v in kept))


def group_case_answers(
    found: ComparableCase, members: Sequence[MemberKey], kind: Kind, compare: Comparer
) -> CaseAnswers:
    """What the answers of a case say, which the `members` gave, in their order."""
    settled = CachedComparer(compare, found.answers, found.target, found.label)
    votes = votes_of(members, found.answers, kind, settled)
    return CaseAnswers(kind, found.answers, found.target, found.label, settled, tuple(votes))


def label_meaning(label: Answer, votes: Sequence[Vote], answers: Sequence[Answer], compare: Comparer) -> str:
    """The meaning that a label has among the `votes` for the `answers`: that of those which say the same, or its own."""
    *numbers, own = compare.classes([*answers, label], None)
    same = [v.meaning for v, number in zip(votes, numbers, strict=True) if number == own and v.meaning is not None]
    return min(same, default=meaning(label))
