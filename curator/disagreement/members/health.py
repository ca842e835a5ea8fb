"""Health of each committee member: failures, readability, agreement, accuracy.

A broken member causes disagreement on every case, so that the ranking of cases shows where that member is broken. Such a
member is left out or counts half. The rules need a large difference, enough cases and an interval that supports the
difference; otherwise the member counts in full.
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
from curator.records.recorded import prompt_id_of
from curator.stats import rate, significantly_above

UNUSABLE_HALF, UNUSABLE_OUT = 0.1, 0.3
"""Shares of unreadable answers and refusals above which a member counts half, and above which it is left out."""
BEHIND = 0.15
"""The distance in accuracy to the best member from which a member counts half.

Low accuracy never excludes a member. On recorded answers of three models, leaving out the weakest one (22% right, the best
56%) ranked failures a little worse (AUROC .777 against .781). Weak answers still carry signal; broken ones do not.
"""
KAPPA_HALF, KAPPA_OUT = 1 / 2, 1 / 3
"""Fractions of the other members' median kappa below which a member counts half, and below which it is left out."""
MIN_MEDIAN_KAPPA = 0.15
"""Below this median the members agree too little to call one of them an outlier."""
LEAST_CASES = 20
"""With fewer cases every member counts in full."""
HALF = 0.5
"""The weight of a member that counts half."""


@dataclass(slots=True)
class _Tally:
    """The counts of one member.

    `unreadable`, `refused`, `empty` and `right` are sums over cases of the share of the member's answers to the case.
    """

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
_Verdicts = Iterator[tuple[MemberKey, _Verdict]]


def member_health(votes_by_case: VotesByCase, *, truth: Mapping[str, str] | None = None) -> tuple[MemberHealth, ...]:
    """Assess each member; the result is sorted by model, variant and temperature.

    Three rules apply in this order: the share of unreadable answers and refusals, accuracy, and agreement with the other
    members. A member that is about as accurate as the best one is not assessed by its agreement. At least two members, and
    two answers to most cases, always remain.

    Args:
        votes_by_case: the votes of each case, by case id.
        truth: the meaning of the trusted answer, by case id; only cases that were drawn at random.
    """
    tallies = _tallies(votes_by_case, truth or {})
    verdicts: dict[MemberKey, _Verdict] = {}
    for judge in (_unusable, _inaccurate):
        for member, verdict in sorted(judge(tallies), key=lambda item: (item[1].weight, _order(item[0]))):
            if member not in verdicts:
                verdicts[member] = _keep_enough(member, verdict, verdicts, votes_by_case)
    exempt = _near_best(tallies) | _left_out(verdicts)
    agreement = agreements(votes_by_case, without=_left_out(verdicts))
    while outlier := _worst_outlier(agreement, exempt):
        member, verdict = outlier
        verdicts[member] = _keep_enough(member, verdict, verdicts, votes_by_case)
        exempt.add(member)
        # Agreement is measured again, because the others' majority changes without the member.
        agreement = agreements(votes_by_case, without=_left_out(verdicts))
    for member, verdict in _outliers(agreement, limit=KAPPA_HALF, weight=HALF):
        if member not in exempt:
            verdicts.setdefault(member, verdict)
    none = Agreement(rate(0, 0))
    return tuple(_health(s, tallies[s], agreement.get(s, none), verdicts.get(s)) for s in sorted(tallies, key=_order))


def group_weights(health: Sequence[MemberHealth]) -> dict[str, float]:
    """Return the weight in the score, 0..1, of each prompt identity (`prompt_id_of`).

    It is the mean of its members' weights.
    How far a member agrees with the others is in the mixture of readings, which weights each pair of members. Weighting
    members by it once more ranks worse on recorded sets (.736 against .739, mean AUROC over 16 families at five answers).
    """
    by_group: defaultdict[str, list[float]] = defaultdict(list)
    for h in health:
        by_group[prompt_id_of(h.model, h.variant)].append(h.weight)
    return {group: fsum(weights) / len(weights) for group, weights in by_group.items()}


def health_warnings(health: Sequence[MemberHealth]) -> tuple[str, ...]:
    """Return one sentence for each member that does not count in full."""
    return tuple(
        f"the member {_shown(h)} is left out of the scores: {h.reason}"
        if h.weight == 0
        else f"the member {_shown(h)} has a weight of {h.weight:g}: {h.reason}"
        for h in health
        if h.weight < 1
    )


def _shown(health: MemberHealth) -> str:
    return prompt_id_of(health.model, health.variant) or "(unnamed)"


def split_by_weight(answers: _Answers, health: Sequence[MemberHealth]) -> tuple[_Answers, _Answers]:
    """Split each case's answers into those that are compared and those that are left out.

    A case that would keep fewer than two answers keeps all of them. The second mapping has only cases with answers that
    are left out.
    """
    weights = {MemberKey(h.model, h.variant, h.temperature): h.weight for h in health}
    compared: dict[str, Sequence[Generation]] = {}
    left_out: dict[str, Sequence[Generation]] = {}
    for case_id, generations in answers.items():
        out = [g for g in generations if weights.get(member_key(g), 1.0) == 0]
        compared[case_id] = generations
        if out and len(generations) - len(out) >= 2:
            compared[case_id] = [g for g in generations if weights.get(member_key(g), 1.0) > 0]
            left_out[case_id] = out
    return compared, left_out


def _tallies(votes_by_case: VotesByCase, truth: Mapping[str, str]) -> dict[MemberKey, _Tally]:
    tallies: defaultdict[MemberKey, _Tally] = defaultdict(_Tally)
    for case_id, votes in votes_by_case.items():
        for member, cast in votes_by_member(votes).items():
            answered = answered_votes(cast)
            tallies[member].failed += len(cast) - len(answered)
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


def _unusable(tallies: _Tallies) -> _Verdicts:
    """Yield the members with too many unreadable answers or refusals, by more than chance."""
    shares = {member: (t.unreadable + t.refused) / t.cases for member, t in tallies.items() if t.cases}
    for member, share in shares.items():
        tally, others = tallies[member], [other for s, other in shares.items() if s != member]
        if tally.cases < LEAST_CASES or not others:
            continue
        of_member, of_others = rate(share * tally.cases, tally.cases), sum(others) / len(others)
        if share > UNUSABLE_HALF and significantly_above(of_member, rate(of_others * tally.cases, tally.cases)):
            reason = (
                f"{share:.0%} of its answers are unusable ({tally.unreadable / tally.cases:.0%} cannot be read,"
                f" {tally.refused / tally.cases:.0%} are refusals), {of_others:.0%} of the others' (n={of_member.n:,})"
            )
            yield member, _Verdict(0.0 if share > UNUSABLE_OUT else HALF, reason)


def _inaccurate(tallies: _Tallies) -> _Verdicts:
    """Yield the members whose accuracy is far below that of the best one, by more than chance."""
    best = _best_accuracy(tallies)
    for member, tally in tallies.items():
        accuracy = tally.accuracy()
        if best is None or best.value is None or accuracy.value is None or accuracy.n < LEAST_CASES:
            continue
        if best.value - accuracy.value >= BEHIND and significantly_above(best, accuracy):
            reason = (
                f"{accuracy.value:.0%} right on the labelled random cases, the best member {best.value:.0%}"
                f" (n={accuracy.n:,})"
            )
            yield member, _Verdict(HALF, reason)


def _best_accuracy(tallies: _Tallies) -> Rate | None:
    """Return the best accuracy among members with enough labelled cases; None without one."""
    accuracies = [tally.accuracy() for tally in tallies.values()]
    enough = [accuracy for accuracy in accuracies if accuracy.value is not None and accuracy.n >= LEAST_CASES]
    return max(enough, key=lambda accuracy: (accuracy.value, accuracy.n), default=None)


def _near_best(tallies: _Tallies) -> set[MemberKey]:
    """Return the members that are about as accurate as the best one.

    Low agreement does not count against them: they may disagree because they are right.
    """
    best = _best_accuracy(tallies)
    if best is None or best.value is None:
        return set()
    limit = best.value - BEHIND
    accuracies = {member: t.accuracy() for member, t in tallies.items()}
    return {s for s, a in accuracies.items() if a.value is not None and a.n >= LEAST_CASES and a.value > limit}


def _worst_outlier(
    agreement: Mapping[MemberKey, Agreement], exempt: set[MemberKey]
) -> tuple[MemberKey, _Verdict] | None:
    """Return the least agreeing member among those that agree too little to stay."""
    outliers = [item for item in _outliers(agreement, limit=KAPPA_OUT, weight=0.0) if item[0] not in exempt]
    return min(outliers, key=lambda item: (agreement[item[0]].kappa, _order(item[0])), default=None)


def _outliers(agreement: Mapping[MemberKey, Agreement], *, limit: float, weight: float) -> _Verdicts:
    """Yield the members that agree surely less than `limit` times the others' median kappa.

    With two members neither is an outlier.
    """
    measured = {m: a for m, a in agreement.items() if a.kappa is not None and a.share.n >= LEAST_CASES}
    for member, of_member in measured.items():
        others = [a.kappa for m, a in measured.items() if m != member and a.kappa is not None]
        if len(others) < 2 or of_member.kappa is None or of_member.high is None:
            continue
        usual = median(others)
        if usual >= MIN_MEDIAN_KAPPA and of_member.high < limit * usual:
            reason = (
                f"its agreement with the other members is {of_member.kappa:z.2f} beyond chance, theirs {usual:z.2f}"
                f" (n={of_member.share.n:,})"
            )
            yield member, _Verdict(weight, reason)


def _keep_enough(
    member: MemberKey, verdict: _Verdict, verdicts: Mapping[MemberKey, _Verdict], votes: VotesByCase
) -> _Verdict:
    """Return the verdict, with the weight 1/2 instead of 0 where too few answers would remain."""
    if verdict.weight > 0 or _enough_without({*_left_out(verdicts), member}, votes):
        return verdict
    return _Verdict(HALF, f"{verdict.reason}; not left out, because fewer than two members or answers would remain")


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
