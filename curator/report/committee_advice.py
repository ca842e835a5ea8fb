"""The advice on a committee in words and tables, for the command line and the report."""

from __future__ import annotations

from curator.records.committee_advice import Addition, CommitteeAdvice, Interval
from curator.report.format import NO_DATA, count, score
from curator.text.display import money, plural

_UNITS = {"model": "model", "variant": "variant", "repeat": "answer", "pair": "pair"}
_BETWEEN = {"model": "models", "variant": "variants", "repeat": "answers to one prompt", "pair": "pairs of answers"}


def advice_sentence(advice: CommitteeAdvice) -> str:
    """Return what to do, with the figures that speak for it."""
    best, present = advice.best, advice.reliability
    if advice.verdict == "not enough data" or present is None:
        return f"{NO_DATA}: {advice.reason}."
    if advice.verdict == "no better than chance" and advice.auroc is not None:
        area = advice.auroc
        return (
            f"First improve the score: its AUROC is {score(area.value)} on {plural(advice.labels, 'label')} (95% interval"
            f" {score(area.low)} to {score(area.high)}), which chance may give. More answers only repeat a score more exactly."
        )
    if best is None or best.gain is None or best.reliability is None:
        return f"{NO_DATA}: no addition could be measured."
    gained = _gain(advice, best)
    if advice.verdict == "enough":
        return (
            f"The committee is large enough: its reliability is {with_interval(present)}, and the best addition for its cost,"
            f" {best.name}, would bring {gained} for {_cost(best)}."
        )
    others = [
        f"{other.name} would bring {_gain(advice, other)} for {_cost(other)}"
        for other in advice.additions
        if other is not best and other.gain is not None
    ]
    return f"Add {best.name}: {gained} for {_cost(best)}" + "".join(f"; {other}" for other in others) + "."


def _gain(advice: CommitteeAdvice, addition: Addition) -> str:
    before, after = advice.reliability, addition.reliability
    if before is None or after is None:
        return ""
    areas = ""
    if advice.auroc is not None and addition.auroc is not None:
        areas = f", AUROC {score(advice.auroc.value)} -> {score(addition.auroc.value)}"
    return f"reliability {score(before.value)} -> {with_interval(after)}{areas}"


def _cost(addition: Addition) -> str:
    usd = f" ({money(addition.usd)})" if addition.usd is not None else ""
    return f"{plural(addition.calls, 'call')}{usd}"


def noise_sentence(advice: CommitteeAdvice) -> str:
    """Return the reliability, and the noise of one answer by its source."""
    present = advice.reliability
    if present is None:
        return f"reliability of the score: {NO_DATA}"
    parts = ", ".join(
        f"{_ratio(source.ratio)} between {_BETWEEN[source.name]} ({plural(source.units, _UNITS[source.name])})"
        for source in advice.noise
    )
    fit = "" if advice.error is None else f"; the fit misses the measured correlations by {advice.error:.2f}"
    return f"reliability {with_interval(present)}; noise of one unit over the variance between cases: {parts}{fit}"


def _ratio(value: float) -> str:
    return ">100" if value > 100 else f"{value:.2f}"


def addition_rows(advice: CommitteeAdvice) -> list[list[str]]:
    """Return the head and the rows of the table of additions."""
    head = ["add", "expected reliability", "gain", "expected AUROC", "more calls", "more cost"]
    if advice.reliability is None:
        return [head]
    areas = "-" if advice.auroc is None else with_interval(advice.auroc)
    now = ["nothing", with_interval(advice.reliability), "", areas, "", ""]
    return [head, now, *(_addition_row(addition) for addition in advice.additions)]


def _addition_row(addition: Addition) -> list[str]:
    gain, area = addition.gain, addition.auroc
    return [
        addition.name,
        addition.reason if addition.reliability is None else with_interval(addition.reliability),
        "-" if gain is None else f"{gain.value:+.3f}",
        "-" if area is None else with_interval(area),
        count(addition.calls),
        "-" if addition.usd is None else money(addition.usd),
    ]


def size_rows(advice: CommitteeAdvice) -> list[list[str]]:
    """Return the head and the rows of the table of parts by their number of answers."""
    head = ["answers in a part", "parts", "rank correlation of two", "fitted", "AUROC"]
    rows = [
        [
            str(size.answers),
            str(size.parts),
            score(size.correlation),
            score(size.fitted),
            "-" if size.auroc is None else with_interval(size.auroc),
        ]
        for size in advice.sizes
    ]
    return [head, *rows]


def with_interval(figure: Interval) -> str:
    """Return a number with its 95% interval, `.80 (.72 to .86)`."""
    return f"{score(figure.value)} ({score(figure.low)} to {score(figure.high)})"
