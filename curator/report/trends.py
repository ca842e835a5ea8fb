"""Sentences about the categories of this night and of the night before."""

from __future__ import annotations

from collections import Counter

from curator.records import CategoryChange, GoneCategory, Trend
from curator.report.format import count, names
from curator.report.summary import Summary
from curator.text.display import plural

_TRENDS: dict[Trend, str] = {
    "new": "new",
    "back": "back again",
    "grew": "grew",
    "shrank": "shrank",
    "steady": "as before",
}


def since_last_night(summary: Summary) -> str:
    """Return the changes as ` (2 new, 1 grew, 3 gone)`; the empty text on the first night."""
    trends = Counter(c.change.trend for c in summary.categories if c.change)
    if not trends and not summary.gone:
        return ""
    parts = [f"{count(trends[name])} {word}" for name, word in _TRENDS.items() if trends[name] and name != "steady"]
    parts += [f"{count(len(summary.gone))} gone"] if summary.gone else []
    return f" ({', '.join(parts) or 'all as the night before'})"


def trend(change: CategoryChange) -> str:
    """Describe the change of one category."""
    parts = [_TRENDS[change.trend]]
    if change.before is not None:
        parts.append(f"{plural(change.before, 'case')} the night before")
    if change.split_from:
        parts.append(f"split from {change.split_from}")
    if change.merged:
        parts.append(f"merged with {names(change.merged)}")
    if change.nights > 1:
        parts.append(f"seen in {plural(change.nights, 'night')}")
    return ", ".join(parts)


def gone(categories: tuple[GoneCategory, ...]) -> str:
    """Name the categories of the night before that are gone; the empty text for none."""
    if not categories:
        return ""
    return (
        "Gone since the night before: "
        + names(
            [f"{c.name} ({plural(c.before, 'case')}" + (f", now in {c.into})" if c.into else ")") for c in categories]
        )
        + "."
    )
