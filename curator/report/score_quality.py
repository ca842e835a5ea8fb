"""The words for the quality of a score, the same in the report and on the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from curator.records import PartQuality, Rate, ScoreQuality, Slice, StrategyYield
from curator.report.format import NO_DATA, count, percent
from curator.text.display import one_line, plural

CHANCE = "0.50"
MOST_TASKS = 20
"""The tasks that a table shows; `summary.json` has all."""
QUALITY_HEAD = (
    "labels of",
    "labels",
    "failures",
    "AUROC of the score",
    "AUROC of the answers' length",
    "of chance",
    "verdict",
)
_COVERS = (
    "A selection that knows these labels covers the inputs instead of ranking them by the score (slice `diversity`)."
)
_TITLE_LIMIT = 40


def quality_sentences(quality: ScoreQuality | None) -> tuple[str, ...]:
    """Return how well the score ranks, compared with chance and with the length of the answers."""
    if quality is None:
        return (
            f"AUROC of the score: {NO_DATA}. It takes labels of the random slice, with at least 10 failures and 10 passes.",
        )
    return tuple(_sentences(quality))


def quality_rows(quality: ScoreQuality) -> list[tuple[str, ...]]:
    """Return the rows below `QUALITY_HEAD`: all labels, pairs within a task, each task."""
    parts = [("all cases", quality.pooled)]
    if quality.within is not None:
        parts.append(("all cases, compared within tasks", quality.within))
        parts += [(one_line(t.task or "(no task)", _TITLE_LIMIT), t.quality) for t in quality.tasks[:MOST_TASKS]]
    return [
        (name, count(p.labels), count(p.failures), _cell(p.score), _cell(p.length), CHANCE, _verdict(p))
        for name, p in parts
    ]


def yields_sentence(yields: Sequence[StrategyYield]) -> str:
    """Return the failures among the labels of each slice; the empty text without labels."""
    if not yields:
        return ""
    each = (
        f"{item.failures:g} of {plural(item.labels, 'label')} {_BY_SLICE[item.slice]}"
        + (f" ({percent(item.rate)} by their weights)" if item.slice == "random" else f" ({percent(item.rate)})")
        for item in yields
    )
    return f"Failures so far: {'; '.join(each)}."


def slice_counts(by_slice: Mapping[Slice, int]) -> str:
    """Return the number of picks of each slice; `diversity` only where it has any."""
    counts = {name: by_slice.get(name, 0) for name in ("disagreement", "diversity", "random")}
    return ", ".join(f"{count(n)} {_BY_SLICE[name]}" for name, n in counts.items() if n or name != "diversity")


_BY_SLICE: Mapping[str, str] = {"random": "at random", "disagreement": "by disagreement", "diversity": "by diversity"}


def _sentences(quality: ScoreQuality) -> Iterator[str]:
    yield _verdict_sentence(quality.pooled)
    if quality.within is not None and quality.within.score.value is not None and quality.pooled.score.value is not None:
        yield (
            f"Compared within tasks only, the AUROC is {_interval(quality.within.score)};"
            f" over all pairs it is {quality.pooled.score.value:.2f}."
        )
    for task in quality.tasks if quality.within is not None else ():
        if task.quality.verdict == "not better than chance":
            name = one_line(task.task or "(no task)", _TITLE_LIMIT)
            yield f"On {name} the score is not better than chance: AUROC {_interval(task.quality.score)}. {_COVERS}"
    if quality.represents == "rest":
        yield (
            "No pick of discovery has a label yet: the figures are about the other cases, whose scores differ less, so that"
            " they are too low for the whole pool."
        )


def _verdict_sentence(part: PartQuality) -> str:
    labels = f"{plural(part.labels, 'label')}, {plural(part.failures, 'failure')}"
    if part.verdict == "not enough labels":
        return (
            f"AUROC of the score: not enough labels ({labels}). About {plural(part.missing, 'more label')} of the random slice"
            " are needed, for 10 failures and 10 passes."
        )
    length = (
        f" The length of the answers alone has {_interval(part.length)}, chance {CHANCE}."
        if part.length.value is not None
        else f" Chance has {CHANCE}."
    )
    measured = f"AUROC {_interval(part.score)} on {labels}.{length}"
    if part.verdict == "better than chance":
        return f"The score ranks failures above passes better than chance: {measured}"
    if part.verdict == "open":
        return (
            f"The labels leave open whether the score is better than chance: {measured} If it stays at this value, about"
            f" {plural(part.missing, 'more label')} of the random slice settle it."
        )
    return f"The score is not better than chance: {measured} {_COVERS}"


def _verdict(part: PartQuality) -> str:
    return f"{part.verdict}: about {count(part.missing)} more" if part.missing else part.verdict


def _cell(rate: Rate) -> str:
    return "-" if rate.value is None else f"{rate.value:.2f} ({rate.low:.2f}-{rate.high:.2f})"


def _interval(rate: Rate) -> str:
    if rate.value is None:
        return NO_DATA
    return f"{rate.value:.2f} (95% interval {rate.low:.2f} to {rate.high:.2f})"
