"""Scored cases to vectors, picks and categories.

Only the candidates of discovery and the drawn sample are embedded. Discovery comes first, because the sample is drawn from the
other cases. The categories come last, because they group all embedded cases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.clustering.cluster import cluster, layout
from curator.clustering.naming import build_categories
from curator.clustering.texts import embedding_texts
from curator.clustering.tracking import (
    CategoryHistory,
    NightCategory,
    match_categories,
    night_key,
    update_history,
)
from curator.config import ClusteringConfig, SelectionConfig
from curator.encoders.sentence import Encoder, embed
from curator.progress import Progress
from curator.records import (
    Case,
    Category,
    GoneCategory,
    Score,
    Split,
    task_name,
    with_group,
)
from curator.run_folder.cases import CaseRow
from curator.run_folder.frozen_selection import FrozenSelection
from curator.selection.acquisition import acquire, cases_to_embed
from curator.selection.discovery_plan import Arm, DiscoveryPlan, plan_discovery
from curator.stages.pick import NOTHING_EARLIER, Earlier, SelectionResult, pick, sample_size
from curator.stages.sampling_units import sampling_units
from curator.state.categories import CategoriesFile
from curator.state.vectors import VectorCache
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """The embedded cases, in the order of the rows of `vectors` (n, d) and `places` (n, 2).

    `memory` is compared with the categories of the next night; `gone` are the categories that only the night before had.
    """

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    places: NDArray[np.float32]
    categories: tuple[Category, ...]
    encoder: str
    gone: tuple[GoneCategory, ...] = ()
    memory: CategoryHistory | None = None
    warnings: tuple[str, ...] = ()


FIRST_NIGHT = CategoriesFile(None, None)
Vectors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """The settings of the picks and the categories.

    Attributes:
        selection: the budget and how it is spent.
        clustering: how categories are found.
        seed: fixes the sample and the clusters.
        encoder: turns texts into vectors; None for no vectors, so that every case represents itself only.
        cache: the file that keeps vectors.
        split: the split of a case.
        earlier: what was selected in rounds before.
        categories: of the cases whose category is known beforehand, by case id.
        remembered: the categories of the nights before.
        today: the date, as YYYY-MM-DD.
        standing: a selection to keep instead of a new one.
    """

    selection: SelectionConfig
    clustering: ClusteringConfig
    seed: int
    encoder: Encoder | None
    cache: Path
    split: Callable[[Case], Split]
    earlier: Earlier = NOTHING_EARLIER
    categories: Mapping[str, str] = field(default_factory=dict)
    remembered: CategoriesFile = FIRST_NIGHT
    today: str = ""
    standing: FrozenSelection | None = None


def select_and_cluster(
    cases: Sequence[Case],
    scores: Mapping[str, Score],
    ranked: Mapping[str, float],
    how: SelectionSettings,
    *,
    progress: Progress,
) -> tuple[ClusterResult, SelectionResult]:
    """Pick cases to label, and group the embedded cases in categories.

    `ranked` has the number that discovery ranks a case by, in 0..1, by case id; a case without one can only be drawn.
    """
    cases = [with_group(case) for case in cases]
    ids, groups = [case.id for case in cases], {case.id: case.group for case in cases}
    left = min(how.selection.k, len(cases) - len(how.earlier.settled))
    k = left - sample_size(left, how.selection.random_share)
    texts = dict(zip(ids, embedding_texts(cases), strict=True))
    plan = _plan(cases, k, how)
    arms = [_with_candidates(arm, ranked, groups, how.selection) for arm in plan.arms]
    wanted = [case_id for _, chosen in arms for case_id in chosen]
    vectors = _embedded(list(dict.fromkeys([*wanted, *sorted(how.earlier.settled)])), texts, how, progress)
    acquisition = acquire(
        ids, ranked, vectors, groups=groups, k=k, config=how.selection, seed=how.seed,
        categories=_categories(vectors, how), covered=how.earlier.settled, arms=[arm for arm, _ in arms],
    )  # fmt: skip
    acquisition = replace(acquisition, messages=(*plan.messages, *acquisition.messages))
    if how.standing:
        acquisition = replace(acquisition, picks=how.standing.discovered)
    rows = [
        CaseRow.of(case, scores.get(case.id), split=how.split(case), category=how.categories.get(case.id))
        for case in cases
    ]
    picked = pick(
        cases, sampling_units(rows), acquisition, how.selection, split=how.split, seed=how.seed, earlier=how.earlier,
        standing=how.standing.stage if how.standing else None,
    )  # fmt: skip
    late = [p.case_id for p in picked.picks if p.case_id not in vectors]
    if vectors:
        vectors |= _embedded(late, texts, how, progress)
    return _cluster(ids, vectors, texts, how, progress), picked


def _plan(cases: Sequence[Case], k: int, how: SelectionSettings) -> DiscoveryPlan:
    """Divide k picks by what the labels so far say; a standing selection was divided before."""
    if how.standing:
        return plan_discovery({case.id: "" for case in cases}, k)
    tasks = {case.id: task_name(case.task, case.system) for case in cases if case.id not in how.earlier.settled}
    return plan_discovery(tasks, k, quality=how.earlier.quality, yields=how.earlier.yields)


def _with_candidates(
    arm: Arm, ranked: Mapping[str, float], groups: Mapping[str, str], config: SelectionConfig
) -> tuple[Arm, tuple[str, ...]]:
    """Return the arm and the cases to embed for it.

    A choice that does not look at the score is among cases that were not embedded for their score.
    """
    ids = sorted(arm.among)
    if arm.slice == "disagreement":
        return arm, cases_to_embed(ids, ranked, groups=groups, config=config, k=arm.k)
    equal = dict.fromkeys((i for i in ids if i in ranked), 0.0)
    chosen = cases_to_embed(ids, equal, groups=groups, config=config, k=arm.k)
    return replace(arm, among=frozenset(chosen)), chosen


def _embedded(ids: Sequence[str], texts: Mapping[str, str], how: SelectionSettings, progress: Progress) -> Vectors:
    with_text = [i for i in ids if texts[i]]
    if how.encoder is None or not with_text:
        return {}
    with VectorCache(how.cache) as cache:
        vectors = embed([texts[i] for i in with_text], how.encoder, cache, progress=progress)
    return dict(zip(with_text, vectors, strict=True))


def _categories(vectors: Vectors, how: SelectionSettings) -> Mapping[str, str]:
    """Return the categories that quotas count: the given ones, else clusters of the candidates."""
    quotas = how.selection.least_per_category or how.selection.most_per_category
    if how.categories or not vectors or not quotas:
        return how.categories
    labels = cluster(np.stack(list(vectors.values())), how.clustering, seed=how.seed).labels
    return {i: f"cluster {label}" for i, label in zip(vectors, labels.tolist(), strict=True) if label >= 0}


def _cluster(
    cases: Sequence[str], vectors: Vectors, texts: Mapping[str, str], how: SelectionSettings, progress: Progress
) -> ClusterResult:
    """Group the embedded cases; a category that the night before had keeps its id and name."""
    ids, name = tuple(i for i in cases if i in vectors), how.encoder.name if how.encoder else ""
    if not ids:
        return ClusterResult((), np.zeros((0, 0), np.float32), np.zeros((0, 2), np.float32), (), name)
    rows = np.stack([vectors[i] for i in ids])
    progress.start("cluster", total=None, unit="cases")
    clustering = cluster(rows, how.clustering, seed=how.seed)
    named = build_categories(ids, [texts[i] for i in ids], clustering.labels, clustering.typicality)
    key = night_key(cases)
    memory = how.remembered.known_to(key)
    matches = match_categories(
        memory,
        [_of_night(c) for c in named],
        cases_by_task={"": len(ids)},
        records=len(ids),
        method=f"vectors of {name}",
    )
    memory_now = update_history(memory, matches, key=key, date=how.remembered.date_of(key, how.today))
    categories = tuple(
        replace(c, id=kept.id, name=kept.name, change=change)
        for c, kept, change in zip(named, matches.categories, matches.changes, strict=True)
    )
    progress.advance(len(ids))
    progress.finish(f"{plural(len(ids), 'case')} in {plural(len(categories), 'category', 'categories')}")
    return ClusterResult(
        ids, rows, layout(rows, seed=how.seed), categories, name, matches.gone, memory_now, matches.warnings
    )


def _of_night(category: Category) -> NightCategory:
    """Describe a category by its name and keywords, the first ones the heaviest."""
    profile = {f"topic:{word}": 1 / place for place, word in enumerate(category.keywords, start=1)}
    digest = hashlib.sha256(category.name.encode()).hexdigest()[:8]
    size = len(category.case_ids)
    return NightCategory(
        f"category-{digest}", category.name, "", category.keywords, None, "", None, profile, size, size
    )
