"""The categories of a night, and those that are followed over nights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from curator.clustering.night_changes import Counts
from curator.records import Aspect

NIGHTS_KEPT = 30
TEMPLATE = "template"
Role = Literal["mode", "joined", "topic"]
"""`joined`: several categories rolled up into one. `topic`: the cases of another category with one topic. `mode`: neither."""


@dataclass(frozen=True, slots=True)
class NightCategory:
    """A category of one night.

    Attributes:
        id: made from its signature; no two categories of a night have the same one.
        name: a few words.
        sentence: what fails.
        keywords: of its inputs.
        parent: the id of the category that it is a part of; None at the top level.
        task: of its cases; "" where they are of several tasks.
        aspect: the respect in which the answers differ; None where several are.
        profile: the weights, 0 or more, of the differences and topics of its cases, such as `field:due_date` or
            `topic:warranty`.
        cases: the number of its cases.
        records: the number of log records behind them.
        named_by: `template`, or the model that wrote name and sentence.
    """

    id: str
    name: str
    sentence: str
    keywords: tuple[str, ...]
    parent: str | None
    task: str
    aspect: Aspect | None
    profile: Mapping[str, float]
    cases: int
    records: int
    named_by: str = TEMPLATE


@dataclass(frozen=True, slots=True)
class TrackedCategory:
    """A category as it was last seen; nights count from 1.

    Attributes:
        category: with the id, name and sentence that it keeps, and the mean profile of its nights.
        signature: the id that its last night alone would have given it.
        role: in its last night.
        shown: the number of cases of its task that showed its difference in its last night, in it or not.
        first_night: the first night that had it.
        last_night: the last one.
        nights: the number of nights that had it.
        first_seen: the date of the first one, as YYYY-MM-DD.
        last_seen: the date of the last one.
    """

    category: NightCategory
    signature: str
    role: Role
    shown: int
    first_night: int
    last_night: int
    nights: int
    first_seen: str
    last_seen: str


@dataclass(frozen=True, slots=True)
class CategoryHistory:
    """The tracked categories after a night.

    Attributes:
        method: of the grouping; the categories of another method cannot be compared.
        night: the number of nights so far.
        key: names the night's cases; a night that is run again has the same key.
        date: of the night, as YYYY-MM-DD.
        counts: of the night.
        categories: those seen in one of the last `NIGHTS_KEPT` nights, in order of their ids.
    """

    method: str
    night: int
    key: str
    date: str
    counts: Counts
    categories: tuple[TrackedCategory, ...]


def roles(categories: Iterable[NightCategory]) -> dict[str, Role]:
    """Return the role of each category of a night, by id.

    A part is a topic of its parent if it has the whole profile of the parent, and more.
    """
    by_id = {c.id: c for c in categories}
    parents = {c.id: by_id.get(c.parent or "") for c in by_id.values()}
    topics = {i for i, parent in parents.items() if parent and _contains(by_id[i].profile, parent.profile)}
    joined = {parent.id for i, parent in parents.items() if parent and i not in topics}
    return {i: "topic" if i in topics else "joined" if i in joined else "mode" for i in by_id}


def _contains(profile: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return all(profile.get(name, 0.0) >= weight for name, weight in other.items())
