"""Sentences about one category of failures, the same in every page and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from curator.records import AnswerSide
from curator.report.format import count, interval, percent
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary, LabelSummary, VariantSummary
from curator.stats import MIN_FOR_RATE
from curator.text.display import plural

NO_ANSWER = "no answer"
FEW_CASES = 200
"""Asked cases below which the report says that few differences can stand out."""
_SPEAKERS = {"production": "production", "committee": "the committee", "label": "the labels"}
_REFERENCES = {"labels": "the label", "majority": "the committee's majority"}


def headline(category: CategorySummary) -> str:
    """Return the sentence that says what fails, or without one the name."""
    return category.sentence or category.name


def too_few_labels(labels: LabelSummary) -> str:
    """Return the reason why there is not a failure rate; the empty text where there is one."""
    if labels.rate.value is not None:
        return ""
    if not labels.labelled:
        return "no labels yet"
    return f"not enough labels ({count(labels.labelled)} of {MIN_FOR_RATE})"


def failure_rate(category: CategorySummary) -> str:
    """Return the failure rate with its interval, or the reason why there is none.

    It is said to be of the labelled cases: those that were picked for their disagreement fail more often than the others.
    A category of the basis `label` has its cases because their labels say that they fail.
    """
    labels = category.labels
    by_labels = ", by which it was found" if category.basis == "label" else ""
    return too_few_labels(labels) or (
        f"{interval(labels.rate)} of its {count(labels.labelled)} labelled cases fail{by_labels}"
    )


def rate_or_contradiction(category: CategorySummary) -> str:
    """Return the failure rate; without one the share of answers that contradict production."""
    against = category.against_target.value
    if category.labels.rate.value is not None or against is None:
        return failure_rate(category)
    return f"{percent(against)} of the committee's answers contradict production"


def expected_failures(category: CategorySummary) -> str:
    """Return the expected failures as a whole number; `-` where nothing suggests a rate."""
    return "-" if category.expected_failures is None else count(round(category.expected_failures))


def category_line(category: CategorySummary) -> str:
    """Return what fails, in how many log records, and how often, on one line."""
    return f"{headline(category)} ({plural(category.records, 'log record')}; {rate_or_contradiction(category)})"


def sides(given: Sequence[AnswerSide]) -> str:
    """Return the groups of answers that face each other, with their shares; "" for none."""
    by_speaker = groupby(given, key=lambda side: side.by)
    texts = (
        (_SPEAKERS[by], [f"{s.text or NO_ANSWER} ({percent(s.share)})" for s in group]) for by, group in by_speaker
    )
    return "; ".join(f"{speaker}: {', '.join(answers)}" for speaker, answers in texts)


def variant(best: VariantSummary | None) -> str:
    """Say which prompt variant does best; the empty text where none does."""
    if best is None:
        return ""
    return (
        f"The prompt variant {best.name} does best: {percent(best.agreement)} of its answers match"
        f" {_REFERENCES[best.reference]} ({plural(best.n, 'case')})."
    )


def ungrouped(summary: Summary) -> tuple[str, ...]:
    """Say how many cases show a difference and are in no category, and why."""
    none = () if summary.categories else ("No group of cases shows one way to fail, so there are no categories.",)
    if not summary.ungrouped:
        return none
    few = (
        f" With {plural(summary.counts.asked, 'case')}, only a difference that several of them share can stand out."
        if summary.counts.asked < FEW_CASES
        else ""
    )
    verbs = "shows a difference and is" if summary.ungrouped == 1 else "show a difference and are"
    sentence = (
        f"{plural(summary.ungrouped, 'case')} of {count(summary.counts.asked)} that were asked {verbs} in no category: the"
        " members of the committee differ from each other as often, or too few cases share the difference. The label queue"
        f" has the ones that teach most.{few}"
    )
    return (*none, sentence)
