"""The words for the quality of a judge of production's answers."""

from __future__ import annotations

from collections.abc import Iterator

from curator.records import JudgeQuality, Rate
from curator.report.format import count
from curator.text.display import plural


def judge_sentences(judge: JudgeQuality, weight: float) -> Iterator[str]:
    """Yield the quality of a judge by the labels, and how far its verdicts count.

    `weight` is that of the verdicts, 0 to 1.
    """
    yield (
        f"it calls {_share(judge.sensitivity, 'failure')} a failure, and passes {_share(judge.specificity, 'right answer')}, by"
        f" {plural(judge.labels, 'label')}"
    )
    if judge.unjudged:
        yield f"{plural(judge.unjudged, 'labelled case')} without a verdict of the judge"
    if not judge.better_than_chance:
        yield "the labels do not show that it is better than chance: do not act on its verdicts"
    yield (
        f"its verdicts count in the rate with weight {weight:.2f}, as far as the labels confirm them. Tuned on the same labels, the weight"
        " leaves a bias of the order of 1 / labels, small beside the interval"
        if weight
        else "its verdicts do not count in the rate: the labels show no use of them"
    )


def _share(rate: Rate, noun: str) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return f"an unknown share of the {noun}s (not enough data: {plural(rate.n, noun)})"
    return f"{rate.value:.0%} of {count(rate.n)} {noun}s ({rate.low:.0%} to {rate.high:.0%})"
