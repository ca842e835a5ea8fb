"""The words for production's failure rate, the same in the report and on the console."""

from __future__ import annotations

from curator.records import FailureRate, UnseenKinds
from curator.report.format import NO_DATA, percent
from curator.report.judge_quality import judge_sentences
from curator.report.summary import Summary
from curator.text.display import plural


def failure_rate(summary: Summary) -> tuple[str, ...]:
    """Return the estimate of production's failure rate, or why there is none."""
    estimate, counts = summary.failure_rate, summary.counts
    if estimate is None:
        drawn = summary.selection.by_slice.get("random", 0)
        return (
            (
                f"There are no labels yet. Fill in the label queue and run again: the {plural(drawn, 'case')} of the random"
                " slice give the failure rate of production, with an interval."
            ),
        )
    if estimate.rate is None or estimate.low is None or estimate.high is None:
        return (f"{NO_DATA}: {estimate.reason}.",)
    worth = (
        f" They are worth {estimate.worth:,.0f} labels of a plain random sample." if estimate.worth is not None else ""
    )
    subset = f" behind the {plural(counts.asked, 'case')} that were asked" if counts.asked < counts.kept else ""
    if estimate.new_cases:
        subset = f" of the labelled period ({plural(estimate.cases or 0, 'case')}{_until(estimate.until)})"
    weight = estimate.judge_weight
    judge = f" and the judge's verdicts (weight {weight:.2f})" if weight else ""
    rate = (
        f"{percent(estimate.rate)} of the log records{subset} ({estimate.confidence:.0%} interval {percent(estimate.low)} to"
        f" {percent(estimate.high)}), from {plural(estimate.labels, 'label')}{judge}.{worth}{_missing_labels(estimate.missing)}"
    )
    lines = [rate, _anytime(estimate), _new_cases(estimate), "" if estimate.gone else _silent_failures(estimate)]
    if estimate.unseen is not None:
        lines.append(f"Kinds of failures not seen yet: {unseen_sentence(estimate.unseen)}.")
    if summary.judge is not None:
        lines.append(f"The judge: {'; '.join(judge_sentences(summary.judge, weight))}.")
    return tuple(filter(None, lines))


def _until(date: str | None) -> str:
    return f" up to {date}" if date else ""


def _new_cases(estimate: FailureRate) -> str:
    """Describe the cases that the rate says nothing about."""
    if not estimate.new_cases:
        return ""
    gone = " The cases of the labelled period, or most of them, are no longer in the logs." if estimate.gone else ""
    verb = "has" if estimate.new_cases == 1 else "have"
    return (
        f"New since then: {plural(estimate.new_cases, 'case')} ({plural(estimate.new_records, 'log record')}) {verb} too few"
        f" labels, and the rate says nothing about them.{gone} Fill in the label queue and run again to include them."
    )


def _missing_labels(missing: int) -> str:
    if not missing:
        return ""
    verb, pronoun = ("has", "it fails") if missing == 1 else ("have", "they fail")
    return (
        f" {plural(missing, 'selected case')} {verb} no label yet. The rate assumes that {pronoun} as often as the labelled"
        " cases of the same stratum."
    )


def _silent_failures(estimate: FailureRate) -> str:
    """Return the expected failures among records on which committee and production agree."""
    part, records = estimate.silent, estimate.silent_records
    subject = f"Silent failures, where the committee agrees with production ({plural(records, 'record')})"
    if part.value is None or part.low is None or part.high is None:
        return f"{subject}: {NO_DATA} ({plural(part.n, 'label')} there)."
    return (
        f"{subject}: about {part.value * records:,.0f} are expected ({part.low * records:,.0f} to"
        f" {part.high * records:,.0f}). Only the random slice finds them."
    )


def _anytime(estimate: FailureRate) -> str:
    """Return the interval for those who look often."""
    if estimate.any_time is None or estimate.low is None or estimate.high is None:
        return ""
    interval = anytime_sentence(estimate.any_time, (estimate.low, estimate.high), estimate.confidence)
    return f"At any time: {interval}"


def anytime_sentence(sequence: tuple[float, float], interval: tuple[float, float], confidence: float) -> str:
    """Describe the interval of a confidence sequence, and its price."""
    width = interval[1] - interval[0]
    price = (
        f" It is {(sequence[1] - sequence[0]) / width:.1f} times as wide as the interval above, which holds for one look."
        if width > 0
        else ""
    )
    return (
        f"{sequence[0]:.1%} to {sequence[1]:.1%}: a {confidence:.0%} confidence sequence. You may look after every label and"
        f" stop when it is narrow enough.{price}"
    )


def unseen_sentence(unseen: UnseenKinds) -> str:
    """Describe the failures of kinds that no label shows, without the stop at the end."""
    return (
        f"of the failures, about {unseen.share:.0%} (at most {unseen.high:.0%}) are of kinds that no label shows yet: at most"
        f" {unseen.rate_high:.1%} of the records. {plural(unseen.singletons, 'kind')} of {unseen.kinds:,} have one labelled"
        " failure (Good-Turing)"
    )
