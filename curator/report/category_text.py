"""Sentences about one category of failures, the same in every page and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from curator.records import AnswerSide
from curator.report.format import count, interval, percent
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary, LabelSummary, PeopleCategory, VariantSummary
from curator.stats import MIN_FOR_RATE
from curator.text.display import plural

NO_ANSWER = "no answer"
FEW_CASES = 200
"""Asked cases below which the report says that few differences can stand out."""
MOST_BY_PEOPLE = 6
"""Categories that only people named which a report lists; `summary.json` has all."""
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


def pooled_rate(labels: LabelSummary) -> str:
    """Return the pooled rate with its 95% interval; "" without one, or if it is exact."""
    rate = labels.pooled
    if rate is None or rate.high <= rate.low:
        return ""
    return f"{percent(rate.rate)} (95% interval {percent(rate.low)} to {percent(rate.high)})"


def moved_cases(labels: LabelSummary) -> str:
    """Return the number of cases that people put in another category, or in this one."""
    parts = [
        f"{plural(labels.moved_out, 'case')} put elsewhere" if labels.moved_out else "",
        f"{plural(labels.moved_in, 'case')} put here" if labels.moved_in else "",
    ]
    return ", ".join(filter(None, parts))


def people_categories(summary: Summary) -> str:
    """Name the categories that only people named, with their labels; "" without any."""
    if not summary.by_people:
        return ""
    shown = [_people_category(category) for category in summary.by_people[:MOST_BY_PEOPLE]]
    more = len(summary.by_people) - len(shown)
    return f"Categories that only people named: {'; '.join(shown)}{f'; and {more} more' if more else ''}."


def _people_category(category: PeopleCategory) -> str:
    labels, pooled = category.labels, pooled_rate(category.labels)
    rate = f", pooled {pooled}" if pooled else ""
    return f"{category.name} ({labels.failed:g} of {plural(labels.labelled, 'labelled case')} fail{'s' if labels.labelled == 1 else ''}{rate})"


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
