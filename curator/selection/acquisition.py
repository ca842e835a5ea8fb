"""Acquisition: choose the cases whose labels show as many different failures as possible.

Reports call it discovery.

Picks have inclusion probability 1: they depend on scores and vectors, not on the cases drawn at random. The picks alone
therefore cannot estimate how often production fails; that is the purpose of the random sample.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curator.config import SelectionConfig
from curator.records import stable_unit
from curator.selection.candidates import (
    AcquiredCase,
    Candidates,
    PickRequest,
    PickResult,
    Vectors,
    eligible,
    without_near,
)
from curator.selection.constraints import nearest_cosine
from curator.selection.coverage import Region, isolation, regions
from curator.selection.strategies import Strategy, usable_strategy
from curator.text.display import plural

AGREEING = 0.05
"""Up to this score a committee agrees on a case, and acquisition has no reason to pick it."""
_EMBEDDED_PER_GROUP = 2
_ISOLATED_QUANTILE = 0.9  # isolated candidates are farther from the others than this share of the cases


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The picks, and how well they represent the cases.

    Attributes:
        picks: in the order chosen, which is the order in which to label.
        candidates: the number of cases that were chosen from.
        coverage: the share of the candidates' weight (u^b) that the picks represent, in 0..1.
        represented: the share of the cases with a vector that are represented, in 0..1: their cosine with the nearest pick
            is at least the median case's cosine with its neighbours.
        agreeing: the scored cases on which the committee agrees. Only a random sample can find failures among them.
        regions: of the cases with a vector, with the number of picks in each.
        messages: deviations from the request, and what to do about them.
    """

    picks: tuple[AcquiredCase, ...]
    candidates: int
    coverage: float
    represented: float
    agreeing: int
    regions: tuple[Region, ...]
    messages: tuple[str, ...]


def cases_to_embed(
    ids: Sequence[str], scores: Mapping[str, float], *, groups: Mapping[str, str], config: SelectionConfig, k: int
) -> tuple[str, ...]:
    """The most disagreeing cases: those that acquisition needs vectors of.

    They are of k x `candidates_per_pick` near-duplicate groups, but at most twice as many cases. A hash decides among equals:
    ids often say where a case comes from, and with few answers per case many cases are equal.
    """
    wanted = k * config.candidates_per_pick
    chosen: list[str] = []
    seen: set[str] = set()
    for case_id in sorted((i for i in ids if i in scores), key=lambda i: (-scores[i], stable_unit("embed", i), i)):
        if len(seen) >= wanted or len(chosen) >= _EMBEDDED_PER_GROUP * wanted:
            break
        chosen.append(case_id)
        seen.add(groups.get(case_id) or case_id)
    return tuple(chosen)


def acquire(  # noqa: PLR0913  the stage of a run that needs most of its data
    ids: Sequence[str],
    scores: Mapping[str, float],
    vectors: Mapping[str, Vectors],
    *,
    groups: Mapping[str, str],
    k: int,
    config: SelectionConfig,
    seed: int,
    categories: Mapping[str, str] | None = None,
    covered: Collection[str] = (),
) -> Acquisition:
    """Choose at most k of the cases, no two of them near-duplicates.

    Args:
        ids: the pool, each id once; their order does not matter.
        scores: disagreement in 0..1 by id; a case without one is not a candidate.
        vectors: unit vectors, each (d,), by id; where there are none, the most disagreeing cases are picked.
        groups: near-duplicate groups by id; a case without one is a group of its own.
        k: the picks wanted.
        config: the strategy and its settings.
        seed: decides among equals, and in strategies that draw at random.
        categories: by id, such as the task, for the quotas and the regions.
        covered: cases labelled or selected earlier: they are not picked again, and cases near them gain little.
    """
    category_of = categories or {}
    embedded = [i for i in sorted(set(ids)) if i in vectors]
    matrix = np.stack([vectors[i] for i in embedded]) if embedded else np.zeros((0, 0), dtype=np.float32)
    earlier = [vectors[i] for i in sorted(covered) if i in vectors]
    earlier_vectors = np.stack(earlier) if earlier else np.zeros((0, matrix.shape[1]), dtype=np.float32)
    isolated = isolation(matrix, earlier_vectors, seed=seed)
    scored = [i for i in (embedded or sorted(set(ids))) if i in scores and i not in set(covered)]
    candidates = eligible(
        scored,
        scores,
        dict(zip(embedded, matrix, strict=True)),
        dict(zip(embedded, isolated, strict=True)),
        groups=groups,
        categories=category_of,
        covered=covered,
    )
    candidates = without_near(candidates, earlier_vectors, config.nearest)
    strategy, wanted = usable_strategy(config.strategy, candidates), min(k, len(candidates))
    threshold = float(np.quantile(isolated, _ISOLATED_QUANTILE)) if len(isolated) else 1.0
    request = PickRequest(wanted, config, seed, covered=earlier_vectors, isolated_above=threshold)
    chosen = strategy.choose(candidates, request) if wanted else PickResult(())
    place_of = {i: place for place, i in enumerate(embedded)}
    places = [place_of[pick.case_id] for pick in chosen.picks if pick.case_id in place_of]
    reach = 1 - float(np.median(isolated)) if embedded else 1.0
    return Acquisition(
        picks=_with_reasons(chosen.picks, matrix, places, reach),
        candidates=len(candidates),
        coverage=chosen.coverage,
        represented=float((nearest_cosine(matrix, matrix[places]) >= reach).mean()) if places else 0.0,
        agreeing=sum(scores[i] <= AGREEING for i in ids if i in scores),
        regions=regions(embedded, matrix, places, isolated, categories=category_of, seed=seed),
        messages=tuple(_messages(ids, scores, scored, candidates, k, strategy, picks=len(chosen.picks))),
    )


def _messages(
    ids: Sequence[str],
    scores: Mapping[str, float],
    scored: list[str],
    candidates: Candidates,
    k: int,
    strategy: Strategy,
    *,
    picks: int,
) -> Iterator[str]:
    if k == 0:
        yield "k is 0: nothing is picked."
    if k > len(ids):
        yield f"k is {k}, and the pool has {plural(len(ids), 'case')}: all cases except near-duplicates are picked."
    if unscored := sum(i not in scores for i in ids):
        yield f"{plural(unscored, 'case')} without a score cannot be picked: only a random sample can find such cases."
    if candidates.ids and not candidates.have_vectors:
        taken = "the most disagreeing cases are" if strategy.name == "top" else f"strategy {strategy.name} picks cases,"
        yield f"No vectors: {taken} picked, one per near-duplicate group. Embed the cases for diverse picks."
    values = {scores[i] for i in scored}
    order = "diverse" if strategy.needs_vectors else "in random order"
    if values == {0.0}:
        yield f"The committee agrees on every case: the picks are only {order}."
    elif len(values) == 1 and len(scored) > 1:
        yield f"All {len(scored):,} candidates have the same score: the picks are only {order}."
    if len(set(candidates.groups)) == 1 and len(candidates.groups) > 1:
        yield "All candidates are near-duplicates of each other: one is picked."
    if picks < min(k, len(ids)):
        yield (
            f"Only {picks} of {k} cases could be picked by disagreement: the other cases are near-duplicates of a pick or of a"
            " labelled case, exceed their category's maximum, or have no disagreement. Random cases take the remaining places,"
            " unless `selection.random_share` is 0."
        )


def _with_reasons(
    picks: Sequence[AcquiredCase], matrix: Vectors, places: Sequence[int], reach: float
) -> tuple[AcquiredCase, ...]:
    """The picks, with the number of cases that each represents in its reason.

    A pick represents the cases that it is the nearest pick to, if their cosine is at least `reach`.
    """
    counts = np.zeros(len(picks), dtype=np.int64)
    if places:
        for start in range(0, len(matrix), 1024):
            cosine = matrix[start : start + 1024] @ matrix[places].T
            nearest = cosine.argmax(axis=1)
            counts += np.bincount(nearest[cosine.max(axis=1) >= reach], minlength=len(picks))
    return tuple(
        replace(pick, reason=pick.reason or f"represents {plural(max(int(count) - 1, 0), 'case')} like it")
        for pick, count in zip(picks, counts, strict=True)
    )
