"""Sentences about the categories of this night and of the night before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from curator.records import CategoryChange, Fading, GoneCategory, Trend
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
_SHRANK: dict[Fading | None, str] = {
    "fixed": "fewer cases of its task fail so: partly fixed?",
    "not-asked": "its task is asked less",
}
_GONE: dict[Fading | None, str] = {
    "fixed": "its task is still asked: fixed?",
    "not-asked": "its task is asked less: no longer asked?",
    None: "no reason is certain",
}
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def names_by_id(summary: Summary) -> dict[str, str]:
    """Return the names of the categories of this night, and of those that are gone, by id."""
    return {c.id: c.name for c in summary.gone} | {c.id: c.name for c in summary.categories}


def since_last_night(summary: Summary) -> str:
    """Return the changes of the top level as ` (2 new, 3 gone)`; empty on the first night."""
    trends = Counter(c.change.trend for c in summary.categories if c.change and c.parent is None)
    if not trends and not summary.gone:
        return ""
    parts = [f"{count(trends[name])} {word}" for name, word in _TRENDS.items() if trends[name] and name != "steady"]
    parts += [f"{count(len(summary.gone))} gone"] if summary.gone else []
    return f" ({', '.join(parts) or 'all as the night before'})"


def trend(change: CategoryChange, named: Mapping[str, str] = _NO_NAMES) -> str:
    """Describe the change of one category; `named` has the names of others by id."""
    parts = [_TRENDS[change.trend]]
    if change.before is not None:
        parts.append(f"{plural(change.before, 'case')} the night before, {count(change.now)} now")
    if reason := _SHRANK.get(change.fading):
        parts.append(reason)
    if change.split_from:
        parts.append(f"split from {named.get(change.split_from, change.split_from)}")
    if change.merged:
        parts.append(f"merged with {names([named.get(id_, id_) for id_ in change.merged])}")
    if change.renamed_from:
        parts.append(f"renamed from {change.renamed_from}")
    if change.nights > 1:
        parts.append(f"seen in {plural(change.nights, 'night')}")
    return "; ".join(parts)


def gone(categories: tuple[GoneCategory, ...], named: Mapping[str, str] = _NO_NAMES) -> str:
    """Name the categories of the night before that are gone; the empty text for none."""
    if not categories:
        return ""
    return f"Gone since the night before: {names([_gone(c, named) for c in categories])}."


def _gone(category: GoneCategory, named: Mapping[str, str]) -> str:
    reason = f"now in {named.get(category.into, category.into)}" if category.into else _GONE[category.fading]
    return f"{category.name} (was {plural(category.before, 'case')}; {reason})"
