"""The scores of a loop's models to its learning curve, and to the decision to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.config import Config
from curator.errors import Refused
from curator.estimation.learning_curve import CurvePoint, RoundScores, learning_curve
from curator.estimation.stop_rule import StopRule, StopView, stop_view
from curator.records import Case, Pick
from curator.records.loop import LoopLabel, LoopRound, StopReason
from curator.stages.loop_evaluate import slice_errors
from curator.stages.loop_labels import label_seconds
from curator.stages.loop_training import RoundModel
from curator.text.display import plural

MOST_UNDECIDABLE = 0.2
"""Above this share of answers that cannot be compared with the label, a score says too little."""
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class LoopCurve:
    """The answers of the models of all rounds, compared with the labels of the last of them.

    Attributes:
        labels: training labels of each round.
        correct: of each round by held-out case, 0..1; None where it cannot be told.
        groups: the near-duplicate group of a case, by case id.
    """

    labels: Sequence[int]
    correct: Sequence[Mapping[str, float | None]]
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def compared(self) -> frozenset[str]:
        """The held-out cases that can be told in every round."""
        by_round = [{i for i, right in correct.items() if right is not None} for correct in self.correct]
        return frozenset(set.intersection(*by_round)) if by_round else frozenset()

    @property
    def scores(self) -> list[RoundScores]:
        """The rounds with more training labels than those before, on the same cases."""
        cases, rounds = sorted(self.compared), list[RoundScores]()
        for labels, correct in zip(self.labels, self.correct, strict=True):
            if not rounds or labels > rounds[-1].labels:
                rounds.append(RoundScores(labels, {i: correct[i] or 0.0 for i in cases}, self.groups))
        return rounds

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """The points of the curve."""
        return learning_curve(self.scores)


def stop_rule(config: Config) -> StopRule:
    """Return the rule to stop by the gain and by the interval; the budgets are `stop_reason`'s."""
    loop = config.loop
    return StopRule(
        min_gain=loop.stop.min_gain,
        round_labels=loop.round_labels,
        rounds=loop.stop.rounds,
        confidence=loop.stop.confidence,
        half_width=loop.stop.half_width,
    )


def ended_round(  # noqa: PLR0913  a round has a part of every step
    curve: LoopCurve,
    labels: Mapping[str, LoopLabel],
    model: RoundModel,
    picks: Sequence[Pick],
    slices: Mapping[str, float | None],
    *,
    cases: Mapping[str, Case],
    config: Config,
    before: Sequence[LoopRound],
    left: int,
    production: float | None,
) -> LoopRound:
    """Return the record of a round that ends.

    Args:
        curve: of all rounds up to this one.
        labels: of the loop so far.
        model: of this round.
        picks: of this round.
        slices: by case of this round, whether the model before was right.
        cases: the pool by id.
        config: the job.
        before: the rounds that ended before.
        left: the cases that no round has chosen yet.
        production: the share of held-out cases that production answered rightly.

    Raises:
        Refused: too many answers cannot be compared with their labels.
    """
    last = curve.correct[-1]
    undecidable = sum(right is None for right in last.values())
    if not last or undecidable > MOST_UNDECIDABLE * len(last):
        raise _refusal(undecidable, len(last))
    here = {i for i, right in last.items() if right is not None}
    point = learning_curve([RoundScores(curve.labels[-1], {i: last[i] or 0.0 for i in here}, curve.groups)])[0]
    view = stop_view(curve.scores, stop_rule(config))
    of_round = [labels[pick.case_id] for pick in picks if pick.case_id in labels]
    ended = LoopRound(
        number=len(before),
        training_labels=curve.labels[-1],
        labels=len(labels),
        score=point.score or 0.0,
        low=point.low or 0.0,
        high=1.0 if point.high is None else point.high,
        held_out=len(here),
        label_s=label_seconds(of_round, config.labelling.minutes_per_label),
        training_s=model.model.seconds,
        usd=model.model.usd,
        undecided=sum(label.answer is None for label in of_round),
        excluded=model.excluded,
        production=production,
        undecidable=undecidable,
        slices=slice_errors(picks, slices, cases),
    )
    reason = stop_reason(view, [*before, ended], config, left=left)
    sentence = (
        view.sentence if reason in (None, view.reason) else f"{_ENDS[reason]} {view.sentence.removeprefix('Go on. ')}"
    )
    return replace(_with_gain(ended, curve), stop=reason, view=sentence)


def _with_gain(ended: LoopRound, curve: LoopCurve) -> LoopRound:
    """Add the gain over the round before, where the last round has more training labels."""
    if len(curve.labels) < 2 or curve.labels[-1] <= max(curve.labels[:-1]):
        return ended
    point = curve.points[-1]
    return replace(ended, gain=point.gain, gain_low=point.gain_low, gain_high=point.gain_high)


_ENDS: Mapping[str, str] = {
    "labels": "Stop: `loop.stop.max_labels` is reached.",
    "hours": "Stop: `loop.stop.max_hours` is reached.",
    "usd": "Stop: `loop.stop.max_usd` is spent.",
    "pool": "Stop: every case that may be labelled for training has been chosen.",
}


def stop_reason(view: StopView, rounds: Sequence[LoopRound], config: Config, *, left: int) -> StopReason | None:
    """Return what ends the loop after these rounds; None where it goes on."""
    stop = config.loop.stop
    if view.reason in ("gain", "precise"):
        return view.reason
    if rounds[-1].labels >= stop.max_labels:
        return "labels"
    hours = sum(done.label_s for done in rounds) / _SECONDS_PER_HOUR
    if stop.max_hours is not None and hours >= stop.max_hours:
        return "hours"
    usd = sum(done.usd or 0.0 for done in rounds)
    if stop.max_usd is not None and usd >= stop.max_usd:
        return "usd"
    return None if left else "pool"


def _refusal(undecidable: int, answers: int) -> Refused:
    if not answers:
        return Refused(
            "no held-out case has a right answer, so that no model can be measured",
            remedy="label the held-out cases of round 0",
        )
    return Refused(
        f"{undecidable:,} of {plural(answers, 'answer')} to held-out cases are free text in other words than the label, which may say"
        " the same: the score of the model cannot be told",
        remedy="name the kind of the answers in `tasks`, or compare texts by a local model: `equivalence: {method: embedding}`, or"
        " `method: nli`",
    )
