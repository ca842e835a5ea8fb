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
from curator.selection.discovery_plan import Arm
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
    arms: Sequence[Arm] = (),
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
        arms: the parts of the budget, k picks together; all by disagreement by default.
    """
    embedded = [i for i in sorted(set(ids)) if i in vectors]
    matrix = np.stack([vectors[i] for i in embedded]) if embedded else np.zeros((0, 0), dtype=np.float32)
    isolated = isolation(matrix, _rows(covered, vectors, width=matrix.shape[1]), seed=seed)
    pool = _Pool(
        ids=[i for i in (embedded or sorted(set(ids))) if i in scores],
        scores=scores,
        vectors=dict(zip(embedded, matrix, strict=True)),
        isolation=dict(zip(embedded, isolated, strict=True)),
        groups=groups,
        categories=categories or {},
        isolated_above=float(np.quantile(isolated, _ISOLATED_QUANTILE)) if len(isolated) else 1.0,
    )
    chosen: list[_ArmResult] = []
    for arm in arms or (Arm("disagreement", k, frozenset(ids)),):
        taken = {pick.case_id for result in chosen for pick in result.picks}
        chosen.append(_choose(pool, arm, config, seed=seed, covered=taken.union(covered), vectors=vectors))
    picks = _interleaved([result.picks for result in chosen])
    place_of = {i: place for place, i in enumerate(embedded)}
    places = [place_of[pick.case_id] for pick in picks if pick.case_id in place_of]
    reach = 1 - float(np.median(isolated)) if embedded else 1.0
    return Acquisition(
        picks=_with_reasons(picks, matrix, places, reach),
        candidates=sum(len(result.candidates) for result in chosen),
        coverage=chosen[0].coverage,
        represented=float((nearest_cosine(matrix, matrix[places]) >= reach).mean()) if places else 0.0,
        agreeing=sum(scores[i] <= AGREEING for i in ids if i in scores),
        regions=regions(embedded, matrix, places, isolated, categories=pool.categories, seed=seed),
        messages=tuple(_messages(ids, scores, chosen[0], k, picks=len(picks))),
    )


@dataclass(frozen=True, slots=True)
class _Pool:
    """The cases that can be picked, as `acquire` describes them, and the threshold of isolation."""

    ids: list[str]
    scores: Mapping[str, float]
    vectors: Mapping[str, Vectors]
    isolation: Mapping[str, np.float32]
    groups: Mapping[str, str]
    categories: Mapping[str, str]
    isolated_above: float


@dataclass(frozen=True, slots=True)
class _ArmResult:
    """The picks of one arm, the cases it could choose from, and its strategy."""

    arm: Arm
    picks: tuple[AcquiredCase, ...]
    scored: list[str]
    candidates: Candidates
    strategy: Strategy
    coverage: float


def _choose(
    pool: _Pool,
    arm: Arm,
    config: SelectionConfig,
    *,
    seed: int,
    covered: Collection[str],
    vectors: Mapping[str, Vectors],
) -> _ArmResult:
    """Choose the picks of one arm; `diversity` covers the inputs, and all scores count as equal."""
    by_score = arm.slice == "disagreement"
    scored = [i for i in pool.ids if i in arm.among and i not in covered]
    candidates = eligible(
        scored, pool.scores if by_score else dict.fromkeys(scored, 0.0), pool.vectors, pool.isolation,
        groups=pool.groups, categories=pool.categories, covered=covered,
    )  # fmt: skip
    near = _rows(covered, vectors, width=candidates.vectors.shape[1])
    candidates = without_near(candidates, near, config.nearest)
    strategy = usable_strategy(config.strategy if by_score else "coverage", candidates)
    wanted = min(arm.k, len(candidates))
    request = PickRequest(wanted, config, seed, covered=near, isolated_above=pool.isolated_above)
    result = strategy.choose(candidates, request) if wanted else PickResult(())
    picks = tuple(replace(pick, slice=arm.slice) for pick in result.picks)
    return _ArmResult(arm, picks, scored, candidates, strategy, result.coverage)


def _rows(ids: Collection[str], vectors: Mapping[str, Vectors], *, width: int) -> Vectors:
    """Return the vectors of the ids that have one, (m, width)."""
    rows = [vectors[i] for i in sorted(ids) if i in vectors]
    return np.stack(rows) if rows and width else np.zeros((0, width), dtype=np.float32)


def _interleaved(parts: Sequence[Sequence[AcquiredCase]]) -> list[AcquiredCase]:
    """Merge the picks of the arms; any first part has about the same share of each arm."""
    placed = [((n + 0.5) / len(part), number, pick) for number, part in enumerate(parts) for n, pick in enumerate(part)]
    return [pick for _, _, pick in sorted(placed, key=lambda item: item[:2])]


def _messages(
    ids: Sequence[str], scores: Mapping[str, float], first: _ArmResult, k: int, *, picks: int
) -> Iterator[str]:
    strategy, candidates = first.strategy, first.candidates
    if k == 0:
        yield "k is 0: nothing is picked."
    if k > len(ids):
        yield f"k is {k}, and the pool has {plural(len(ids), 'case')}: all cases except near-duplicates are picked."
    if unscored := sum(i not in scores for i in ids):
        yield f"{plural(unscored, 'case')} without a score cannot be picked: only a random sample can find such cases."
    if candidates.ids and not candidates.have_vectors:
        most = "the most disagreeing cases are" if first.arm.slice == "disagreement" else "random cases are"
        taken = most if strategy.name == "top" else f"strategy {strategy.name} picks cases,"
        yield f"No vectors: {taken} picked, one per near-duplicate group. Embed the cases for diverse picks."
    values = {scores[i] for i in first.scored} if first.arm.slice == "disagreement" else set()
    order = "diverse" if strategy.needs_vectors else "in random order"
    if values == {0.0}:
        yield f"The committee agrees on every case: the picks are only {order}."
    elif len(values) == 1 and len(first.scored) > 1:
        yield f"All {len(first.scored):,} candidates have the same score: the picks are only {order}."
    if len(set(candidates.groups)) == 1 and len(candidates.groups) > 1:
        yield "All candidates are near-duplicates of each other: one is picked."
    if picks < min(k, len(ids)):
        yield (
            f"Only {picks} of {k} cases could be picked by discovery: the other cases are near-duplicates of a pick or of a"
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
