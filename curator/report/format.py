"""Numbers and names as the report shows them, the same in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curator.records import DiagnosisName, Rate
from curator.stats import Figure

NO_DATA = "not enough data"
SHOWN_NAMES = 6


def count(number: int) -> str:
    """Return 1234 as `1,234`."""
    return f"{number:,}"


def names(items: Sequence[str]) -> str:
    """Return the first names of a list, and the number of the others."""
    more = len(items) - SHOWN_NAMES
    return ", ".join(items[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def percent(value: float) -> str:
    """Return 0.123 as `12%`, shares below 10% with one digit more; only 0 is shown as `0%`."""
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def score(value: float | None) -> str:
    """Return a value with two digits; `-` for None."""
    return "-" if value is None else f"{value:z.2f}"


def with_n(figure: Figure) -> str:
    """Return a mean with the number of values behind it."""
    return f"{NO_DATA if figure.value is None else score(figure.value)} (n={count(figure.n)})"


def rate_with_n(figure: Figure) -> str:
    """Return a share with the number of values behind it."""
    return f"{NO_DATA if figure.value is None else percent(figure.value)} (n={count(figure.n)})"


def interval(rate: Rate) -> str:
    """Return a share with its 95% interval."""
    if rate.value is None or rate.low is None or rate.high is None:
        return NO_DATA
    return f"{percent(rate.value)} (95% interval {percent(rate.low)} to {percent(rate.high)})"


def rate_cell(rate: Rate) -> str:
    """Return a share for a table whose head says that the interval follows."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "-"
    return f"{percent(rate.value)} ({percent(rate.low)}-{percent(rate.high)})"


def rate_with_cases(rate: Rate) -> str:
    """Return a share for a table, with its interval and its number of cases."""
    return f"{NO_DATA if rate.value is None else rate_cell(rate)}, n={count(rate.n)}" if rate.n else "-"


def diagnosis_name(name: str, *, certain: bool = True) -> str:
    """Return the name of a diagnosis in words."""
    return name.replace("-", " ") if certain else f"possibly {name.replace('-', ' ')}"


def diagnosis_mix(diagnoses: Mapping[DiagnosisName, int]) -> str:
    """Return the number of cases with each diagnosis, on one line."""
    return ", ".join(f"{count(number)} {diagnosis_name(name)}" for name, number in diagnoses.items())
