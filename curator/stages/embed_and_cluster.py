"""Scored cases to vectors, picks and topics.

Only the candidates of discovery and the drawn sample are embedded. Discovery comes first, because the sample is drawn from the
other cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.clustering.cluster import cluster, layout
from curator.clustering.naming import build_topics
from curator.clustering.texts import embedding_texts
from curator.config import ClusteringConfig, SelectionConfig
from curator.encoders.sentence import Encoder, embed
from curator.progress import Progress
from curator.records import Case, Category, Score, Split, task_name, with_group
from curator.run_folder.cases import CaseRow
from curator.run_folder.frozen_selection import FrozenSelection
from curator.selection.acquisition import acquire, cases_to_embed
from curator.selection.discovery_plan import Arm, DiscoveryPlan, plan_discovery
from curator.stages.pick import NOTHING_EARLIER, Earlier, SelectionResult, pick, sample_size
from curator.stages.sampling_units import sampling_units
from curator.state.vectors import VectorCache
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class EmbeddedCases:
    """The embedded cases, in the order of the rows of `vectors` (n, d).

    `texts` are those that were embedded, `encoder` is the name of the encoder.
    """

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    texts: tuple[str, ...]
    encoder: str

    def places(self, *, seed: int) -> NDArray[np.float32]:
        """Return a map of the cases, (n, 2), see `layout`."""
        return layout(self.vectors, seed=seed)


Vectors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """The settings of the picks and the topics.

    Attributes:
        selection: the budget and how it is spent.
        clustering: how topics are found.
        seed: fixes the sample and the clusters.
        encoder: turns texts into vectors; None for no vectors, so that every case represents itself only.
        cache: the file that keeps vectors.
        split: the split of a case.
        earlier: what was selected in rounds before.
        categories: of the cases whose category is known beforehand, by case id.
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
    standing: FrozenSelection | None = None


def select_and_embed(
    cases: Sequence[Case],
    scores: Mapping[str, Score],
    ranked: Mapping[str, float],
    how: SelectionSettings,
    *,
    progress: Progress,
) -> tuple[EmbeddedCases, SelectionResult]:
    """Pick cases to label, and embed the candidates and the picks.

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
    embedded = tuple(i for i in ids if i in vectors)
    matrix = np.stack([vectors[i] for i in embedded]) if embedded else np.zeros((0, 0), np.float32)
    name = how.encoder.name if how.encoder else ""
    return EmbeddedCases(embedded, matrix, tuple(texts[i] for i in embedded), name), picked


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


def find_topics(
    embedded: EmbeddedCases, config: ClusteringConfig, *, seed: int, progress: Progress
) -> tuple[Category, ...]:
    """Group the embedded cases by the topic of their inputs."""
    if not embedded.ids:
        return ()
    progress.start("cluster", total=None, unit="cases")
    clustering = cluster(embedded.vectors, config, seed=seed)
    topics = build_topics(embedded.ids, embedded.texts, clustering.labels, clustering.typicality)
    progress.advance(len(embedded.ids))
    progress.finish(f"{plural(len(embedded.ids), 'case')} in {plural(len(topics), 'topic')}")
    return topics
