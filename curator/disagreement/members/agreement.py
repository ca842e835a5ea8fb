"""Agreement of each committee member with the other members, corrected for chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.members.votes import MemberKey, Vote, Votes, VotesByCase, answered_votes, votes_by_member
from curator.records import Rate
from curator.stats import rate, rounded


@dataclass(frozen=True, slots=True)
class Agreement:
    """A member's agreement with the other members.

    Attributes:
        share: the share of the cases on which it agrees.
        kappa: the share corrected for chance; None where chance explains all agreement, or there are too few cases.
        high: the upper end of the 95% interval of `kappa`.
    """

    share: Rate
    kappa: float | None = None
    high: float | None = None


@dataclass(slots=True)
class _Sums:
    """Sums over the cases of one member.

    Attributes:
        cases: cases that count.
        agreeing: sum of the shares of its answers that agree with the others.
        typed: cases that are not free text.
        member_meanings: how often it says each meaning.
        other_meanings: how often the others' majority says each meaning.
        text_chance: sum of the similarities of its texts to the others' answers to another case.
    """

    cases: int = 0
    agreeing: float = 0.0
    typed: int = 0
    member_meanings: Counter[str] = field(default_factory=Counter)
    other_meanings: Counter[str] = field(default_factory=Counter)
    text_chance: float = 0.0

    def chance(self) -> float:
        """Return the share of the cases that would agree by chance."""
        products = (count * self.other_meanings[meaning] for meaning, count in self.member_meanings.items())
        typed = sum(products) / max(self.typed, 1)
        return (typed + self.text_chance) / self.cases


def agreements(votes_by_case: VotesByCase, *, without: Collection[MemberKey] = ()) -> dict[MemberKey, Agreement]:
    """Measure the agreement of each member with the others.

    On one case, the agreement of a member is the share of its answers that have the meaning of the others' majority. Each
    other member has one vote, however often it answered. Where several meanings have the most votes, each counts in equal
    parts. For free text, the agreement is the mean similarity to the others' answers. A case counts only where another
    member has a readable answer.

    Chance is removed as in Cohen's kappa (1960): (a - e) / (1 - e). For typed answers e = sum_c p_c q_c, the probability
    that the member and the others' majority say the same if each draws from what it says over all cases. For free text e
    is the mean similarity to the others' answers to the case before, so that a text that fits every question does not
    count as agreement.

    Args:
        votes_by_case: the votes of each case.
        without: members that are measured, but not used to measure other members.
    """
    sums: defaultdict[MemberKey, _Sums] = defaultdict(_Sums)
    texts: list[list[Vote]] = []
    for votes in votes_by_case.values():
        answered = answered_votes(votes)
        if any(v.meaning is None for v in answered):
            texts.append(answered)
        else:
            _add_classes(sums, votes_by_member(answered), without)
    for number, answered in enumerate(texts):
        _add_texts(sums, answered, texts[number - 1], without)
    return {member: _agreement(of_member) for member, of_member in sums.items()}


def plurality(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the meanings with the most votes, in equal parts of 1; empty without votes."""
    most = max(shares.values(), default=0.0)
    top = [meaning for meaning, share in shares.items() if share >= most - 1e-9 and most > 0]
    return dict.fromkeys(top, 1 / len(top)) if top else {}


def vote_shares(votes: Votes) -> dict[str, float]:
    """Return the share of one member's answers for each meaning.

    Unreadable answers count in the total, so that the shares may sum to less than 1.
    """
    counts = Counter(v.meaning for v in votes if v.readable and v.meaning is not None)
    return {meaning: count / len(votes) for meaning, count in counts.items()}


def _add_classes(
    sums: Mapping[MemberKey, _Sums], members: Mapping[MemberKey, list[Vote]], without: Collection[MemberKey]
) -> None:
    shares_by_member = {member: vote_shares(votes) for member, votes in members.items()}
    total: Counter[str] = Counter()
    for member, shares in shares_by_member.items():
        if member not in without:
            total.update(shares)
    for member, shares in shares_by_member.items():
        others = total if member in without else {m: count - shares.get(m, 0.0) for m, count in total.items()}
        majority = plurality(others)
        if not majority:
            continue
        of_member = sums[member]
        of_member.cases += 1
        of_member.typed += 1
        of_member.agreeing += sum(shares.get(meaning, 0.0) * part for meaning, part in majority.items())
        of_member.member_meanings.update(shares)
        of_member.other_meanings.update(majority)


def _add_texts(
    sums: Mapping[MemberKey, _Sums], votes_here: Votes, votes_before: Votes, without: Collection[MemberKey]
) -> None:
    """Add a case of free text; `votes_before` are the answers to another case."""
    votes = [*votes_here, *votes_before]
    similarities = 1 - word_distances([v.text for v in votes])
    here = range(len(votes_here))
    for member in votes_by_member(votes_here):
        mine = [i for i in here if votes[i].member == member]
        others = [i for i, v in enumerate(votes) if v.member != member and v.member not in without and v.readable]
        rest, elsewhere = [i for i in others if i in here], [i for i in others if i not in here]
        if rest and elsewhere:
            sums[member].cases += 1
            sums[member].agreeing += float(similarities[np.ix_(mine, rest)].mean())
            sums[member].text_chance += float(similarities[np.ix_(mine, elsewhere)].mean())


def _agreement(sums: _Sums) -> Agreement:
    share = rate(sums.agreeing, sums.cases)
    if share.value is None or share.high is None:
        return Agreement(share)
    chance = sums.chance()
    if chance >= 1 - 1e-9:
        return Agreement(share)  # all members say the same on every case, so that agreement is not informative
    return Agreement(share, rounded((share.value - chance) / (1 - chance)), (share.high - chance) / (1 - chance))
