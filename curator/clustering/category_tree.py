"""Failure modes to categories: a hierarchy with few of them at the top.

A category's id is a hash of its task and its difference. It does not depend on the other cases, so that it holds over nights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from curator.clustering.category_ids import category_id
from curator.clustering.category_sentences import (
    aspect_of,
    describe,
    describe_group,
    describe_topic,
    in_task,
    sides_of,
)
from curator.clustering.failure_modes import SCATTER, FailureMode, contrast_of
from curator.clustering.noise import is_concentrated
from curator.clustering.task_index import TOPIC, AskedCase
from curator.records import Category
from curator.records.differences import ANY, ASPECTS, Aspect, Difference

MOST_TOP = 14
"""Categories at the top level; the smallest ones beyond are joined."""
LEAST_BORDER = 5
"""Cases from which a category has one at its border."""
_LEAST_PARTS = 24
_MOST_PARTS = 4
_LEAST_PART = 6
_PART_SHARE = (0.15, 0.7)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltCategory:
    """A category, and what tells it from the others: the share of its cases with each key."""

    category: Category
    profile: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Node:
    """A mode, or several that are joined at their common path."""

    path: Path
    modes: tuple[FailureMode, ...]
    mass: float


def build_categories(cases: Sequence[AskedCase], modes: Sequence[FailureMode]) -> list[BuiltCategory]:
    """Build the top-level categories, in order of their expected failures, then the parts."""
    nodes = [_Node((m.task, *_path(m.key)), (m,), sum(cases[p].mass for p in m.cases)) for m in modes]
    background = _background(cases)
    top: list[BuiltCategory] = []
    parts: list[BuiltCategory] = []
    for node in sorted(_joined(nodes), key=lambda node: (-node.mass, node.path)):
        if len(node.modes) == 1:
            top.append(_leaf(cases, node.modes[0]))
            parts += _topic_parts(cases, node.modes[0], top[-1], background[node.modes[0].task])
            continue
        top.append(_group(cases, node))
        leaves = sorted((_leaf(cases, mode) for mode in node.modes), key=lambda leaf: leaf.category.id)
        parts += [replace(leaf, category=replace(leaf.category, parent=top[-1].category.id)) for leaf in leaves]
    return [*top, *parts]


@dataclass(frozen=True, slots=True)
class _Background:
    """The cases of a task, and those with each word in the input."""

    cases: int
    topics: Mapping[str, int]


def _background(cases: Sequence[AskedCase]) -> dict[str, _Background]:
    tasks = Counter(case.task for case in cases)
    topics: dict[str, Counter[str]] = {task: Counter() for task in tasks}
    for case in cases:
        topics[case.task].update(case.topics.keys())
    return {task: _Background(count, topics[task]) for task, count in tasks.items()}


def _path(key: str) -> Path:
    aspect, _, rest = key.partition(":")
    if aspect not in ASPECTS:
        return ("content", "wording")
    return (aspect, rest.partition(":")[0])


def _joined(nodes: Sequence[_Node]) -> list[_Node]:
    """Join the smallest nodes with those nearest to them, until few are left.

    A node is joined where the path is longest that both share; among equals with the smallest one. Joined nodes of one path
    are one: the path is what makes their id.
    """
    left = list(nodes)
    while len(left) > MOST_TOP:
        smallest = min(left, key=lambda node: (node.mass, node.path, node.modes[0].key))
        left.remove(smallest)
        nearest = min(
            left,
            key=lambda node: (node.mass / (1 + 3 * _shared(node.path, smallest.path)), node.path, node.modes[0].key),
        )
        left.remove(nearest)
        path = nearest.path[: _shared(nearest.path, smallest.path)]
        twins = [node for node in left if node.path == path and len(node.modes) > 1]
        joined = (nearest, smallest, *twins)
        modes = tuple(sorted((mode for node in joined for mode in node.modes), key=lambda mode: (mode.task, mode.key)))
        left = [node for node in left if node not in twins]
        left.append(_Node(path, modes, sum(node.mass for node in joined)))
    return left


def _shared(left: Path, right: Path) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _leaf(cases: Sequence[AskedCase], mode: FailureMode) -> BuiltCategory:
    contrasts = [c for place in mode.cases if (c := contrast_of(cases[place].contrasts, mode.basis))]
    pairs = [(c.basis, d) for c in contrasts if (d := _difference_of(mode.key, c.differences))]
    text = describe(mode.key, [d for _, d in pairs], mode.basis, mode.profile, mode.topics, _words(cases, mode))
    if _has_name(mode.task) and _says_little(mode.key):
        text = in_task(text, mode.task)
    category = Category(
        id=category_id(mode.task, mode.key),
        name=text.name,
        keywords=text.keywords,
        case_ids=_ids(cases, mode.cases),
        sentence=text.sentence,
        task=mode.task,
        aspect=aspect_of(mode.key),
        basis=mode.basis,
        sides=sides_of(pairs),
        border=_border(cases, mode.cases),
    )
    return BuiltCategory(category, {f"key:{mode.key}": 1.0, **mode.profile})


def _has_name(task: str) -> bool:
    """Return whether a task has a name, and not only the digest of a system prompt."""
    return bool(task) and not task.startswith("system prompt ")


def _says_little(key: str) -> bool:
    """Return whether several tasks may have a category of these words."""
    aspect, _, rest = key.partition(":")
    return aspect in ("complaint", "value") or rest in (ANY, SCATTER)


def _difference_of(key: str, differences: Sequence[Difference]) -> Difference | None:
    """Return the difference that a mode is about; of the rest of an aspect, the first one of it."""
    aspect, _, rest = key.partition(":")
    if rest in (ANY, SCATTER):
        return next((d for d in differences if d.aspect == aspect), None)
    return next((d for d in differences if key in d.keys), None)


def _group(cases: Sequence[AskedCase], node: _Node) -> BuiltCategory:
    places = [place for mode in sorted(node.modes, key=lambda m: (-len(m.cases), m.key)) for place in mode.cases]
    task = node.path[0] if node.path else ""
    aspect: Aspect | None = next((a for a in ASPECTS if a in node.path[1:2]), None)
    bases = Counter(mode.basis for mode in node.modes for _ in mode.cases)
    basis = min(bases, key=lambda basis: (-bases[basis], basis))
    text = describe_group(task, aspect, node.path[2] if len(node.path) > 2 else "", basis)
    if aspect and _has_name(task):
        text = in_task(text, task)
    profile = Counter[str]()
    for mode in node.modes:
        for key, share in {f"key:{mode.key}": 1.0, **mode.profile}.items():
            profile[key] += share * len(mode.cases) / len(places)  # type: ignore[assignment]  # a Counter of shares
    category = Category(
        id=category_id("group", *node.path),
        name=text.name,
        keywords=(),
        case_ids=_ids(cases, places),
        sentence=text.sentence,
        task=task,
        aspect=aspect,
        basis=basis,
        border=_border(cases, places),
    )
    return BuiltCategory(category, dict(profile))


def _topic_parts(
    cases: Sequence[AskedCase], mode: FailureMode, parent: BuiltCategory, background: _Background
) -> list[BuiltCategory]:
    """Divide a large category by words of its inputs that are rarer elsewhere."""
    if len(mode.cases) < _LEAST_PARTS:
        return []
    left = list(mode.cases)
    parts: list[BuiltCategory] = []
    least, most = (share * len(mode.cases) for share in _PART_SHARE)
    words = _words(cases, mode)
    usual = Counter(topic for place in mode.cases for topic in cases[place].topics)
    topics = {
        topic
        for topic, count in usual.items()
        if max(least, _LEAST_PART) <= count <= most
        and is_concentrated(
            count, len(mode.cases), background.topics[topic] - count, background.cases - len(mode.cases)
        )
    }
    while topics and len(parts) < _MOST_PARTS:
        counts = Counter(topic for place in left for topic in cases[place].topics.keys() & topics)
        if not counts:
            break
        topic = min(counts, key=lambda t: (-counts[t], t))
        inside = [place for place in left if topic in cases[place].topics]
        if len(inside) < _LEAST_PART:
            break
        text = describe_topic(parent.category.name, parent.category.sentence, words.get(topic, topic))
        category = replace(
            parent.category, id=category_id(mode.task, mode.key, TOPIC + topic), name=text.name, sentence=text.sentence,
            keywords=text.keywords, case_ids=_ids(cases, inside), parent=parent.category.id, border=_border(cases, inside),
        )  # fmt: skip
        parts.append(BuiltCategory(category, {**parent.profile, f"{TOPIC}{topic}": 1.0}))
        topics.remove(topic)
        left = [place for place in left if topic not in cases[place].topics]
    return parts


def _words(cases: Sequence[AskedCase], mode: FailureMode) -> dict[str, str]:
    """Return the usual spelling of each stem in the answers and inputs of a mode."""
    spellings: dict[str, Counter[str]] = {}
    for place in mode.cases:
        for spelt in (cases[place].contrasts.words, cases[place].topics):
            for stem, word in spelt.items():
                spellings.setdefault(stem, Counter())[word] += 1
    return {stem: min(counts, key=lambda w: (-counts[w], w)) for stem, counts in spellings.items()}


def _ids(cases: Sequence[AskedCase], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(cases[place].contrasts.case_id for place in places)


def _border(cases: Sequence[AskedCase], places: Sequence[int]) -> str | None:
    return cases[places[-1]].contrasts.case_id if len(places) >= LEAST_BORDER else None
