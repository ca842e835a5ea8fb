"""How far each member of a committee agrees with the others: leave one out, and correct for chance."""

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
    """A member's agreement with the others, the same corrected for chance, and the upper end of the latter's interval."""

    share: Rate
    kappa: float | None = None
    high: float | None = None


@dataclass(slots=True)
class _Sums:
    """Over a member's cases: the shares that agree, how often it and the others say each thing, and what chance gives texts."""

    cases: int = 0
    agreeing: float = 0.0
    typed: int = 0
    own: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    text_chance: float = 0.0

    def chance(self) -> float:
        """The share that would agree by chance."""
        typed = sum(count * self.others[meaning] for meaning, count in self.own.items()) / max(self.typed, 1)
        return (typed + self.text_chance) / self.cases


def agreements(votes_by_case: VotesByCase, *, without: Collection[MemberKey] = ()) -> dict[MemberKey, Agreement]:
    """The agreement of each member with the others; those `without` are measured too, but nobody is measured by them.

    A member agrees on a case by the share of its answers that mean what most of the other members' do; each of these has one
    voice, however often it answered, and where several meanings are named equally often each counts for its part. Of
    free text it is the mean similarity to the others' answers. Cases without a readable answer of another member do not
    count. Chance is taken away as in Cohen's kappa (1960): (a - e) / (1 - e), with e = sum_c p_c q_c, the chance that a
    member and the others' majority say the same when each says what it says over all cases. Of free text e is the mean
    similarity to the others' answers to another case, the one before: a text that fits everywhere agrees with nothing.
    """
    sums: defaultdict[MemberKey, _Sums] = defaultdict(_Sums)
    texts: list[list[Vote]] = []
    for votes in votes_by_case.values():
        own = answered_votes(votes)
        if any(v.meaning is None for v in own):
            texts.append(own)
        else:
            _add_classes(sums, votes_by_member(own), without)
    for number, own in enumerate(texts):
        _add_texts(sums, own, texts[number - 1], without)
    return {member: _agreement(found) for member, found in sums.items()}


def plurality(voices: Mapping[str, float]) -> dict[str, float]:
    """The meanings with the most voices, each with its part of 1; none where there is no voice."""
    most = max(voices.values(), default=0.0)
    top = [meaning for meaning, count in voices.items() if count >= most - 1e-9 and most > 0]
    return dict.fromkeys(top, 1 / len(top)) if top else {}


def vote_shares(own: Votes) -> dict[str, float]:
    """One member's voice, spread over what its readable answers mean; shares of all its answers."""
    counts = Counter(v.meaning for v in own if v.readable and v.meaning is not None)
    return {meaning: count / len(own) for meaning, count in counts.items()}


def _add_classes(
    sums: Mapping[MemberKey, _Sums], members: Mapping[MemberKey, list[Vote]], without: Collection[MemberKey]
) -> None:
    voices = {member: vote_shares(own) for member, own in members.items()}
    total: Counter[str] = Counter()
    for member, voice in voices.items():
        if member not in without:
            total.update(voice)
    for member, voice in voices.items():
        others = total if member in without else {m: count - voice.get(m, 0.0) for m, count in total.items()}
        majority = plurality(others)
        if not majority:
            continue
        found = sums[member]
        found.cases += 1
        found.typed += 1
        found.agreeing += sum(voice.get(meaning, 0.0) * part for meaning, part in majority.items())
        found.own.update(voice)
        found.others.update(majority)


def _add_texts(sums: Mapping[MemberKey, _Sums], own: Votes, before: Votes, without: Collection[MemberKey]) -> None:
    """Add a case of free text; `before` are the answers to another one."""
    votes = [*own, *before]
    alike = 1 - word_distances([v.text for v in votes])
    here = range(len(own))
    for member in votes_by_member(own):
        mine = [i for i in here if votes[i].member == member]
        others = [i for i, v in enumerate(votes) if v.member != member and v.member not in without and v.readable]
        rest, elsewhere = [i for i in others if i in here], [i for i in others if i not in here]
        if rest and elsewhere:
            sums[member].cases += 1
            sums[member].agreeing += float(alike[np.ix_(mine, rest)].mean())
            sums[member].text_chance += float(alike[np.ix_(mine, elsewhere)].mean())


def _agreement(found: _Sums) -> Agreement:
    share = rate(found.agreeing, found.cases)
    if share.value is None or share.high is None:
        return Agreement(share)
    chance = found.chance()
    if chance >= 1 - 1e-9:
        return Agreement(share)  # all say one thing whatever is asked: that tells nothing of anybody
    return Agreement(share, rounded((share.value - chance) / (1 - chance)), (share.high - chance) / (1 - chance))
