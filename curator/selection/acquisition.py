"""Discovery: the cases whose labels show as many different failures as possible.

The picks are certain: they hang on scores and vectors, never on which cases were drawn at random, and the seed decides
among equals and in k-means only. They say nothing of how often production fails; that is what the random sample is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.records import stable_unit
from curator.selection.constraints import Limits, nearest_cosine
from curator.selection.coverage import Region, isolation, regions
from curator.selection.facility_location import DENSE, Facility, facility, joined, maximise, partition, shortlist
from curator.selection.strategies import STRATEGIES, Known

NARROW = 2
"""Coverage chooses among so many times k of the most disagreeing cases, with all that tie with the last one."""
AGREEING = 0.05
"""Up to this score a committee agrees, and discovery has no reason to look."""
_EMBEDDED_PER_GROUP = 2
_ISOLATED = 0.9
"""Isolated are candidates farther from the others than this share of the cases."""

_WITHOUT_VECTORS = ("top", "margin", "random")
"""Strategies that look at scores, or at nothing."""

_Vectors = NDArray[np.float32]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Discovered:
    """A pick: what it added to the objective (0 for strategies that have none), and why it was taken, in words."""

    case_id: str
    gain: float
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        picks: in the order chosen, which is the order in which to label.
        candidates: cases that were chosen among.
        coverage: the share of the candidates' weight (u^b) that the picks stand for, in 0..1.
        represented: the share of the cases with a vector that lie as near to a pick as the usual case does to its
            neighbours, in 0..1.
        agreeing: scored cases on which the committee agrees: failures among them are found by a random sample alone.
        regions: of the cases with a vector, and how many picks are in each.
        messages: what did not go as asked for, and what to do.
    """

    picks: tuple[Discovered, ...]
    candidates: int
    coverage: float
    represented: float
    agreeing: int
    regions: tuple[Region, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Named:
    """What is known of cases beside their scores, by id."""

    groups: Mapping[str, str]
    categories: Mapping[str, str]

    def group(self, case_id: str) -> str:
        return self.groups.get(case_id) or case_id


@dataclass(frozen=True, slots=True)
class _Pool:
    """Candidates in rising order of their ids."""

    ids: list[str]
    u: _Floats
    vectors: _Vectors
    groups: list[str]
    categories: list[str]

    def part(self, places: NDArray[np.int64]) -> _Pool:
        return _Pool(
            [self.ids[i] for i in places],
            self.u[places],
            self.vectors[places],
            [self.groups[i] for i in places],
            [self.categories[i] for i in places],
        )


def worth_embedding(
    ids: Sequence[str], scores: Mapping[str, float], *, groups: Mapping[str, str], config: SelectionConfig, k: int
) -> tuple[str, ...]:
    """The cases that need a vector for discovery: the most disagreeing ones.

    They are of k x `candidates_per_pick` near-duplicate groups, but no more than twice as many cases. Among equals a hash
    decides: ids often stand for where cases come from, and equals are many where answers are few.
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


def discover(  # noqa: PLR0913  the stage of a run that sees most of it
    ids: Sequence[str],
    scores: Mapping[str, float],
    vectors: Mapping[str, _Vectors],
    *,
    groups: Mapping[str, str],
    k: int,
    config: SelectionConfig,
    seed: int,
    categories: Mapping[str, str] | None = None,
    covered: Collection[str] = (),
) -> Discovery:
    """At most k of the cases, no two of them near-duplicates.

    Args:
        ids: the pool, each id once; their order does not matter.
        scores: disagreement in 0..1 by id; a case without one is no candidate.
        vectors: unit vectors, each (d,), by id; with none at all, the most disagreeing cases are picked.
        groups: near-duplicate groups by id; a case without one is alone.
        k: the picks wanted.
        config: how they are chosen.
        seed: decides among equals.
        categories: known ones by id, such as the task, for the quotas and the regions.
        covered: cases labelled or selected earlier: not picked again, and what is like them gains little.
    """
    known = categories or {}
    embedded = [i for i in sorted(set(ids)) if i in vectors]
    matrix = np.stack([vectors[i] for i in embedded]) if embedded else np.zeros((0, 0), dtype=np.float32)
    covering = [vectors[i] for i in sorted(covered) if i in vectors]
    labelled = np.stack(covering) if covering else np.zeros((0, matrix.shape[1]), dtype=np.float32)
    isolated = isolation(matrix, labelled, seed=seed)
    scored = [i for i in (embedded or sorted(set(ids))) if i in scores and i not in set(covered)]
    pool = _candidates(
        scored,
        scores,
        dict(zip(embedded, matrix, strict=True)),
        _Named(groups, known),
        labelled,
        covered=covered,
        nearest=config.nearest,
    )
    by = _strategy(config, pool)
    messages = [*_said_before(ids, scores, scored, pool, k, by)]
    isolated_of = dict(zip(embedded, isolated, strict=True))
    picks, coverage = _pick(pool, labelled, isolated_of, isolated, k=min(k, len(pool.ids)), config=config, seed=seed)
    if len(picks) < min(k, len(ids)):
        messages.append(
            f"{len(picks)} of {k} picks found: what is left is a near-duplicate of a pick or of a labelled case, over its "
            "category's maximum, or has no disagreement. Draw the others at random."
        )
    place_of = {i: place for place, i in enumerate(embedded)}
    places = [place_of[pick.case_id] for pick in picks if pick.case_id in place_of]
    chosen, reach = matrix[places], 1 - float(np.median(isolated)) if embedded else 1.0
    return Discovery(
        picks=_with_reasons(picks, matrix, places, reach),
        candidates=len(pool.ids),
        coverage=coverage,
        represented=float((nearest_cosine(matrix, chosen) >= reach).mean()) if places else 0.0,
        agreeing=sum(scores[i] <= AGREEING for i in ids if i in scores),
        regions=regions(embedded, matrix, places, isolated, categories=known, seed=seed),
        messages=tuple(messages),
    )


def _said_before(
    ids: Sequence[str], scores: Mapping[str, float], scored: list[str], pool: _Pool, k: int, by: str
) -> Iterator[str]:
    if k == 0:
        yield "k is 0: nothing is picked."
    if k > len(ids):
        yield f"k is {k}, and the pool has {len(ids)} cases: all that are no near-duplicates are picked."
    if unscored := sum(i not in scores for i in ids):
        yield f"{unscored} cases have no score and are no candidates: only a random sample can find them."
    if pool.ids and not pool.vectors.shape[1]:
        taken = "the most disagreeing cases are picked" if by == "top" else f"cases are picked by {by}"
        yield f"No vectors: {taken}, one a near-duplicate group. Embed them for diversity."
    values = {scores[i] for i in scored}
    what = "in random order" if by in _WITHOUT_VECTORS else "diverse"
    if values == {0.0}:
        yield f"The committee agrees on every case: the picks are {what}, and nothing more."
    elif len(values) == 1 and len(scored) > 1:
        yield f"All {len(scored):,} candidates have the same score: the picks are {what}, and nothing more."
    if len(set(pool.groups)) == 1 and len(pool.groups) > 1:
        yield "All candidates are near-duplicates of each other: one is picked."


def _strategy(config: SelectionConfig, pool: _Pool) -> str:
    """The strategy by its name, or what stands in for it where it needs vectors and there are none."""
    return config.strategy if pool.vectors.shape[1] or config.strategy in _WITHOUT_VECTORS else "top"


def _candidates(
    scored: list[str],
    scores: Mapping[str, float],
    vectors: Mapping[str, _Vectors],
    named: _Named,
    labelled: _Vectors,
    *,
    covered: Collection[str],
    nearest: float,
) -> _Pool:
    """Who may be picked: scored, disagreeing (unless nobody disagrees), and no near-duplicate of what is covered."""
    flat = all(scores[i] == 0 for i in scored)
    taken = {named.group(i) for i in covered}
    kept = [i for i in scored if (flat or scores[i] > 0) and named.group(i) not in taken]
    rows = np.stack([vectors[i] for i in kept]) if kept and vectors else np.zeros((len(kept), 0), dtype=np.float32)
    pool = _Pool(
        kept,
        np.array([1.0 if flat else scores[i] for i in kept], dtype=np.float64),
        rows,
        [named.group(i) for i in kept],
        [named.categories.get(i, "") for i in kept],
    )
    return pool.part(np.flatnonzero(nearest_cosine(rows, labelled) < nearest)) if len(labelled) else pool


def _pick(
    pool: _Pool,
    labelled: _Vectors,
    isolated_of: Mapping[str, np.float32],
    isolated: _Vectors,
    *,
    k: int,
    config: SelectionConfig,
    seed: int,
) -> tuple[list[Discovered], float]:
    if k == 0:
        return [], 0.0
    if config.strategy != "coverage" or not pool.vectors.shape[1]:
        return _by_name(pool, k, config=config, seed=seed), 0.0
    narrow = _narrow(pool, _draws(pool, seed), k, config)
    target, pool = _target(narrow, labelled, k, config=config, seed=seed)
    limits = _limits(pool, config)
    found = _owed(pool, target, limits, k)
    lonely = np.array([isolated_of[i] for i in pool.ids])
    apart = lonely > np.quantile(isolated, _ISOLATED) if len(isolated) else np.zeros(len(lonely), dtype=bool)
    reserved = min(round(config.outlier_share * k), k - len(found))
    steps = maximise(target, limits)
    found += [Discovered(pool.ids[place], gain, "") for place, gain in islice(steps, k - len(found) - reserved)]
    for _ in range(reserved):
        wish = np.where(limits.allowed & apart, pool.u**config.disagreement_power * lonely, -1.0)
        place = int(np.argmax(wish))
        if wish[place] < 0:
            break
        found.append(Discovered(pool.ids[place], target.gain(place), "isolated"))
        limits.take(place)
        target.take(place)
    found += [Discovered(pool.ids[place], gain, "") for place, gain in islice(steps, k - len(found))]
    mass = narrow.u**config.disagreement_power
    chosen = {pick.case_id for pick in found}
    rows = narrow.vectors[[i in chosen for i in narrow.ids]]
    return found, float(nearest_cosine(narrow.vectors, rows) @ mass / mass.sum())


def _owed(pool: _Pool, target: Facility, limits: Limits, k: int) -> list[Discovered]:
    """The picks that the categories' minimum asks for."""
    found: list[Discovered] = []
    steps = maximise(target, limits)
    while len(found) < k and (limits.allowed & limits.owed).any():
        place, gain = next(steps)
        found.append(Discovered(pool.ids[place], gain, f"quota of {pool.categories[place]}"))
    return found


def _limits(pool: _Pool, config: SelectionConfig) -> Limits:
    return Limits(
        pool.vectors,
        pool.groups,
        pool.categories,
        nearest=config.nearest,
        least=config.least_per_category,
        most=config.most_per_category,
    )


def _narrow(pool: _Pool, draw: _Floats, k: int, config: SelectionConfig) -> _Pool:
    """The most disagreeing candidates, and as many of each category as its minimum may take."""
    if np.ptp(pool.u) == 0:
        return pool
    order = np.lexsort((draw, -pool.u))
    keep = np.zeros(len(order), dtype=bool)
    keep[order[: _distinct(pool, order, NARROW * k)]] = True
    if config.least_per_category or config.most_per_category:
        category_of = np.asarray(pool.categories)
        for name in np.unique(category_of):
            places = order[category_of[order] == name]
            keep[places[: NARROW * max(config.least_per_category, config.most_per_category or 0)]] = True
    return pool.part(np.flatnonzero(keep))


def _draws(pool: _Pool, seed: int) -> _Floats:
    """(n,) numbers in 0..1 that decide among equals."""
    return np.array([stable_unit("discovery", str(seed), i) for i in pool.ids])


def _distinct(pool: _Pool, order: NDArray[np.int64], wanted: int) -> int:
    """How many of the first candidates there are up to the `wanted`th near-duplicate group."""
    seen: set[str] = set()
    for count, place in enumerate(order, start=1):
        seen.add(pool.groups[place])
        if len(seen) >= wanted:
            return count
    return len(order)


def _target(pool: _Pool, labelled: _Vectors, k: int, *, config: SelectionConfig, seed: int) -> tuple[Facility, _Pool]:
    """F over the candidates, or over a shortlist where they are too many to compare each with each."""
    covered = nearest_cosine(pool.vectors, labelled).astype(np.float64)
    power, own = config.disagreement_power, config.score_weight
    if len(pool.ids) <= DENSE:
        return facility(pool.vectors, pool.u, power=power, score_weight=own, covered=covered), pool
    parts = partition(pool.vectors, seed=seed)
    places, weight = shortlist(pool.vectors, pool.u, k, power=power, score_weight=own, covered=covered, parts=parts)
    short = pool.part(places)
    return joined(short.vectors, short.u, weight, score_weight=own, covered=covered[places]), short


def _by_name(pool: _Pool, k: int, *, config: SelectionConfig, seed: int) -> list[Discovered]:
    name = _strategy(config, pool)
    strategy = STRATEGIES[name]
    limits = _limits(pool, config)
    known = Known(pool.vectors, pool.u, _draws(pool, seed), np.random.default_rng(seed))
    picked: list[int] = []
    while len(picked) < k and (allowed := limits.allowed).any():
        place = int(np.argmax(np.where(allowed, strategy(known, picked), -np.inf)))
        picked.append(place)
        limits.take(place)
    return [Discovered(pool.ids[place], 0.0, f"by {name}") for place in picked]


def _with_reasons(
    picks: Sequence[Discovered], matrix: _Vectors, places: Sequence[int], reach: float
) -> tuple[Discovered, ...]:
    """The picks, with how many cases each one stands for: those it is the nearest pick to, and near."""
    counts = np.zeros(len(picks), dtype=np.int64)
    if places:
        for start in range(0, len(matrix), 1024):
            cosine = matrix[start : start + 1024] @ matrix[places].T
            nearest = cosine.argmax(axis=1)
            counts += np.bincount(nearest[cosine.max(axis=1) >= reach], minlength=len(picks))
    return tuple(
        Discovered(p.case_id, p.gain, p.reason or f"stands for {max(int(count) - 1, 0)} cases like it")
        for p, count in zip(picks, counts, strict=True)
    )
