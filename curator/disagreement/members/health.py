"""The health of a committee's members: who answers, who can be read, who agrees with the rest, and who is right.

A broken member looks like disagreement everywhere, and ranks the cases by where it is broken. So it is left out or counts
for half, by rules that need a large difference, enough cases and an interval that supports it; where these are missing,
a member is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import median

from curator.disagreement.members.agreement import Agreement, agreements
from curator.disagreement.members.votes import (
    MemberKey,
    Vote,
    Votes,
    VotesByCase,
    answered_votes,
    member_key,
    votes_by_member,
)
from curator.records import Generation, MemberHealth, Rate
from curator.records.recorded import group_of
from curator.stats import rate, significantly_above

SICK, BROKEN = 0.1, 0.3
"""Shares of answers that are none (unreadable, or refusals) above which a member counts for half, and is left out."""
BEHIND = 0.15
"""How far a member's accuracy may be below the best one's before it counts for half.

It is never left out for that: on recorded answers of three models, leaving out the weakest, 22% right where the best were
56%, ranked failures a little worse (AUROC .777 against .781). Weak answers still tell; broken ones do not.
"""
ODD, FOREIGN = 1 / 2, 1 / 3
"""The parts of the other members' median agreement (kappa) below which a member counts for half, and is left out."""
AGREEING = 0.15
"""Below this median the members agree so little that nobody can be told to be the odd one out."""
LEAST_CASES = 20
"""With fewer cases no member is judged."""
HALF = 0.5


@dataclass(slots=True)
class _Tally:
    """A member's counts, and its sums over cases of the share of its answers there."""

    cases: int = 0
    answers: int = 0
    failed: int = 0
    labelled: int = 0
    unreadable: float = 0.0
    refused: float = 0.0
    empty: float = 0.0
    right: float = 0.0

    def accuracy(self) -> Rate:
        return rate(self.right, self.labelled)


@dataclass(frozen=True, slots=True)
class _Verdict:
    weight: float
    reason: str


_Answers = Mapping[str, Sequence[Generation]]
_Tallies = Mapping[MemberKey, _Tally]
_Found = Iterator[tuple[MemberKey, _Verdict]]


def member_health(votes_by_case: VotesByCase, *, truth: Mapping[str, str] | None = None) -> tuple[MemberHealth, ...]:
    """The health of each member, in the order of model, variant and temperature.

    `truth` gives the meaning of the trusted answer to cases that were drawn at random. A member is judged by its answers
    that are none, its accuracy and its agreement with the others, in this order; one that is about as accurate as the best
    is not judged by its agreement. Two members, and two answers to most cases, always stay.
    """
    tallies = _tallies(votes_by_case, truth or {})
    verdicts: dict[MemberKey, _Verdict] = {}
    for judge in (_without_answer, _inaccurate):
        for member, verdict in sorted(judge(tallies), key=lambda found: (found[1].weight, _order(found[0]))):
            if member not in verdicts:
                verdicts[member] = _bearable(member, verdict, verdicts, votes_by_case)
    settled = _about_the_best(tallies) | _left_out(verdicts)
    found = agreements(votes_by_case, without=_left_out(verdicts))
    while foreign := _most_foreign(found, settled):
        member, verdict = foreign
        verdicts[member] = _bearable(member, verdict, verdicts, votes_by_case)
        settled.add(member)
        found = agreements(votes_by_case, without=_left_out(verdicts))
    for member, verdict in _odd(found, limit=ODD, weight=HALF):
        if member not in settled:
            verdicts.setdefault(member, verdict)
    none = Agreement(rate(0, 0))
    return tuple(_health(s, tallies[s], found.get(s, none), verdicts.get(s)) for s in sorted(tallies, key=_order))


def group_weights(health: Sequence[MemberHealth]) -> dict[str, float]:
    """What the answers of each prompt of a model count for in the score, 0..1; by `signals.group_of`.

    The mean over its members of their weight times their agreement with the others, as a share of the best one's: on
    recorded committees of models the one that is right most often is the one that most of the others agree with
    (`benchmarks/signal/disagreement.py`). A group whose members are all left out has 0; where the agreement of one is not
    known, the weights alone count.
    """
    by_group: defaultdict[str, list[MemberHealth]] = defaultdict(list)
    for h in health:
        by_group[group_of(h.model, h.variant)].append(h)
    kept = {group: [h for h in own if h.weight > 0] for group, own in by_group.items()}
    agreement = {group: _mean([h.agreement.value for h in own]) for group, own in kept.items() if own}
    best = max((value or 0.0 for value in agreement.values()), default=0.0)
    known = best > 0 and None not in agreement.values()
    return {
        group: (_mean([h.weight for h in own]) or 0.0) * ((agreement[group] or 0.0) / best if known and own else 1.0)
        for group, own in kept.items()
    }


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None where there is no value, or one is not known."""
    known = [value for value in values if value is not None]
    return fsum(known) / len(known) if known and len(known) == len(values) else None


def health_warnings(health: Sequence[MemberHealth]) -> tuple[str, ...]:
    """A sentence for each member that does not count in full."""
    return tuple(
        f"the member {_shown(h)} is left out of what is scored: {h.reason}"
        if h.weight == 0
        else f"the member {_shown(h)} has a weight of {h.weight:g}: {h.reason}"
        for h in health
        if h.weight < 1
    )


def _shown(health: MemberHealth) -> str:
    return group_of(health.model, health.variant) or "(unnamed)"


def weighed(answers: _Answers, health: Sequence[MemberHealth]) -> tuple[_Answers, _Answers]:
    """Each case's answers that are compared, and those that are left out; cases without any are not among the latter.

    A case that would keep fewer than two answers keeps all of them.
    """
    weights = {MemberKey(h.model, h.variant, h.temperature): h.weight for h in health}
    compared: dict[str, Sequence[Generation]] = {}
    left_out: dict[str, Sequence[Generation]] = {}
    for case_id, own in answers.items():
        out = [g for g in own if weights.get(member_key(g), 1.0) == 0]
        compared[case_id] = own
        if out and len(own) - len(out) >= 2:
            compared[case_id] = [g for g in own if weights.get(member_key(g), 1.0) > 0]
            left_out[case_id] = out
    return compared, left_out


def _tallies(votes_by_case: VotesByCase, truth: Mapping[str, str]) -> dict[MemberKey, _Tally]:
    tallies: defaultdict[MemberKey, _Tally] = defaultdict(_Tally)
    for case_id, votes in votes_by_case.items():
        for member, own in votes_by_member(votes).items():
            answered = answered_votes(own)
            tallies[member].failed += len(own) - len(answered)
            if answered:
                _add(tallies[member], answered, truth.get(case_id))
    return dict(tallies)


def _add(tally: _Tally, votes: Votes, right: str | None) -> None:
    def share(holds: Callable[[Vote], bool]) -> float:
        return sum(map(holds, votes)) / len(votes)

    tally.cases += 1
    tally.answers += len(votes)
    tally.unreadable += share(lambda v: not v.readable and not v.refused)
    tally.refused += share(lambda v: v.refused)
    tally.empty += share(lambda v: v.empty)
    if right is not None:
        tally.labelled += 1
        tally.right += share(lambda v: v.meaning == right)


def _without_answer(tallies: _Tallies) -> _Found:
    """The members that give no answer more often than `SICK`, and than the others by more than chance."""
    shares = {member: (t.unreadable + t.refused) / t.cases for member, t in tallies.items() if t.cases}
    for member, share in shares.items():
        tally, others = tallies[member], [other for s, other in shares.items() if s != member]
        if tally.cases < LEAST_CASES or not others:
            continue
        own, rest = rate(share * tally.cases, tally.cases), sum(others) / len(others)
        if share > SICK and significantly_above(own, rate(rest * tally.cases, tally.cases)):
            reason = (
                f"{share:.0%} of its answers are none ({tally.unreadable / tally.cases:.0%} cannot be read,"
                f" {tally.refused / tally.cases:.0%} are refusals), {rest:.0%} of the others' (n={own.n:,})"
            )
            yield member, _Verdict(0.0 if share > BROKEN else HALF, reason)


def _inaccurate(tallies: _Tallies) -> _Found:
    best = _best(tallies)
    for member, tally in tallies.items():
        own = tally.accuracy()
        if best is None or best.value is None or own.value is None or own.n < LEAST_CASES:
            continue
        if best.value - own.value >= BEHIND and significantly_above(best, own):
            reason = (
                f"{own.value:.0%} right on the labelled random cases, the best member {best.value:.0%} (n={own.n:,})"
            )
            yield member, _Verdict(HALF, reason)


def _best(tallies: _Tallies) -> Rate | None:
    known = [found for t in tallies.values() if (found := t.accuracy()).value is not None and found.n >= LEAST_CASES]
    return max(known, key=lambda found: (found.value, found.n), default=None)


def _about_the_best(tallies: _Tallies) -> set[MemberKey]:
    """The members that the labels show to be good, so that being alone speaks for them."""
    best = _best(tallies)
    if best is None or best.value is None:
        return set()
    limit = best.value - BEHIND
    accuracies = {member: t.accuracy() for member, t in tallies.items()}
    return {s for s, a in accuracies.items() if a.value is not None and a.n >= LEAST_CASES and a.value > limit}


def _most_foreign(found: Mapping[MemberKey, Agreement], settled: set[MemberKey]) -> tuple[MemberKey, _Verdict] | None:
    """The member that agrees least, of those that are to be left out for it."""
    foreign = [(member, verdict) for member, verdict in _odd(found, limit=FOREIGN, weight=0.0) if member not in settled]
    return min(foreign, key=lambda item: (found[item[0]].kappa, _order(item[0])), default=None)


def _odd(found: Mapping[MemberKey, Agreement], *, limit: float, weight: float) -> _Found:
    """The members whose agreement is surely below a part of the other members' median. Of two members none is the odd one."""
    known = {member: a for member, a in found.items() if a.kappa is not None and a.share.n >= LEAST_CASES}
    for member, own in known.items():
        others = [a.kappa for s, a in known.items() if s != member and a.kappa is not None]
        if len(others) < 2 or own.kappa is None or own.high is None:
            continue
        usual = median(others)
        if usual >= AGREEING and own.high < limit * usual:
            reason = (
                f"it agrees with the other members by {own.kappa:z.2f} beyond chance, where these do by {usual:z.2f}"
                f" (n={own.share.n:,})"
            )
            yield member, _Verdict(weight, reason)


def _bearable(
    member: MemberKey, verdict: _Verdict, verdicts: Mapping[MemberKey, _Verdict], votes: VotesByCase
) -> _Verdict:
    """The verdict, or half the weight instead of none where too little would be left without the member."""
    if verdict.weight > 0 or _enough_without({*_left_out(verdicts), member}, votes):
        return verdict
    return _Verdict(HALF, f"{verdict.reason}; not left out, as fewer than two members or answers would be left")


def _enough_without(left_out: set[MemberKey], votes_by_case: VotesByCase) -> bool:
    remaining: set[MemberKey] = set()
    comparable = still = 0
    for votes in votes_by_case.values():
        members = [v.member for v in answered_votes(votes)]
        staying = [member for member in members if member not in left_out]
        remaining.update(staying)
        comparable += len(members) >= 2
        still += len(staying) >= 2
    return len(remaining) >= 2 and 2 * still > comparable


def _left_out(verdicts: Mapping[MemberKey, _Verdict]) -> set[MemberKey]:
    return {member for member, verdict in verdicts.items() if verdict.weight == 0}


def _health(member: MemberKey, tally: _Tally, agreement: Agreement, verdict: _Verdict | None) -> MemberHealth:
    if verdict is None:
        few = tally.cases < LEAST_CASES
        verdict = _Verdict(1.0, f"not enough data (n={tally.cases:,})" if few else "nothing found")
    return MemberHealth(
        model=member.model,
        variant=member.variant,
        temperature=member.temperature,
        answers=tally.answers,
        failed=tally.failed,
        unreadable=rate(tally.unreadable, tally.cases),
        refused=rate(tally.refused, tally.cases),
        empty=rate(tally.empty, tally.cases),
        agreement=agreement.share,
        kappa=agreement.kappa,
        accuracy=tally.accuracy(),
        weight=verdict.weight,
        reason=verdict.reason,
    )


def _order(member: MemberKey) -> tuple[str, str, float]:
    return member.model, member.variant, -1.0 if member.temperature is None else member.temperature
