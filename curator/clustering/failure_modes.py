"""Failure modes: differences that more cases share than noise explains.

Every case shows differences under several keys, specific and general ones (`Difference.keys`), and free text under the words
that production alone says or omits. Modes are picked greedily: the key that explains the largest mass of failures not yet
explained, beyond noise, and its cases; then again with the others. A mode of free text also takes in the cases that have
the words of its cases, though not its first one.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.clustering.category_ids import category_id
from curator.clustering.noise import (
    LEAST_BY_WORDS,
    LEAST_CASES,
    LEAST_SPLITS,
    MINORITY,
    TAIL,
    is_claim,
    is_concentrated,
)
from curator.clustering.task_index import TOPIC, AskedCase, TaskIndex, in_words
from curator.records.differences import ANY, ASPECTS, OMITS, SAYS, WORDING, Aspect, Basis, CaseContrasts, Contrast

_SPECIFIC = 3.0
"""A specific difference is preferred to a general one from a third of its cases on: two faults of one field are two modes."""
_PREFERENCE = {SAYS: 1.0, OMITS: 0.7, TOPIC: 0.4, "complaint:": 0.3}
SCATTER = "scatter"
"""The subject of a mode whose cases only have in common that the committee's answers differ."""
_SCATTERING: tuple[Aspect, ...] = ("tool", "label", "value")
_LARGE_PART = 0.1
"""The share of a task's cases from which scattered answers are a mode; two members rarely err together in so many."""
_MOST_MODES = 60
_PROFILE_SHARE = 0.15
_PROFILE_LIFT = 2.0
_SMOOTHING = 0.02
_ROUNDS = 2
_SAME_MODE = 0.6


@dataclass(frozen=True, slots=True)
class FailureMode:
    """Cases that share a difference.

    Attributes:
        task: their task.
        key: the difference that they share; `ASPECT:*` for the rest of an aspect.
        basis: the sides that face each other in most of them.
        cases: their places, the most central ones first.
        profile: the share of them that has each key, for the keys that tell them from the others.
        topics: the words of their inputs that tell them from the others, by stem, the most telling first.
    """

    task: str
    key: str
    basis: Basis
    cases: tuple[int, ...]
    profile: Mapping[str, float]
    topics: tuple[str, ...] = ()


def find_modes(cases: Sequence[AskedCase], earlier_ids: Collection[str] = ()) -> list[FailureMode]:
    """Find the failure modes of each task; a case is in one of them at most.

    `earlier_ids` are those of the categories of nights before. A difference that was found then is one hypothesis, not one of
    all that are tried, so that fewer cases are needed to see it again.
    """
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        by_task[case.task].append(place)
    return [
        mode
        for task in sorted(by_task)
        for mode in _Search(_index(cases, by_task[task], task, earlier_ids), task).find()
    ]


def _index(cases: Sequence[AskedCase], places: Sequence[int], task: str, earlier_ids: Collection[str]) -> TaskIndex:
    return TaskIndex(cases, places, lambda key: category_id(task, key) in earlier_ids)


def contrast_of(case: CaseContrasts, basis: Basis) -> Contrast | None:
    """Return the contrast of a case that a mode of this basis is about, else its other one."""
    first, second = case.production, case.committee
    return (second or first) if basis == "committee" else (first or second)


class _Search:
    """The search for the modes of one task."""

    def __init__(self, index: TaskIndex, task: str) -> None:
        self._index = index
        self._task = task
        self._left = {place for place, keys in index.keys.items() if keys}
        self._taken: set[int] = set()
        self._every = Counter(key for place in index.places for key in self._features(place))

    def find(self) -> list[FailureMode]:
        modes: list[tuple[str, list[int]]] = []
        heap = [(-self._gain(key), key) for key, places in self._index.having.items() if len(places) >= LEAST_CASES]
        heapq.heapify(heap)
        while heap and len(modes) < _MOST_MODES:
            _, key = heapq.heappop(heap)
            gain = self._gain(key)
            if gain <= 0:
                continue
            if heap and -gain > heap[0][0] + 1e-12:
                heapq.heappush(heap, (-gain, key))
                continue
            places = self._open(key)
            if not self._index.claims(key, places):
                continue
            if key.startswith((SAYS, OMITS, TOPIC)):
                places = self._grown(places)
            if not places:
                continue
            modes.append((key, places))
            self._left -= set(places)
            self._taken |= set(places)
        merged = self._merge(modes)
        return [self._mode(key, places) for key, places in [*merged, *self._rest()]]

    def _open(self, key: str) -> list[int]:
        return [place for place in self._index.having[key] if place in self._left]

    def _gain(self, key: str) -> float:
        """Return the preferred mass of failures that a key explains beyond noise."""
        places = self._open(key)
        if len(places) < LEAST_CASES:
            return 0.0
        noise = min(1.0, sum(self._index.expected[key]) * len(places) / len(self._index.having[key]) / len(places))
        return sum(self._index.cases[place].mass for place in places) * (1 - noise) * _preference(key)

    def _grown(self, seeds: Sequence[int]) -> list[int]:
        """Return the cases of a mode of free text: seeds that fit, and others with its words.

        A case fits by the log odds of its keys, as in naive Bayes: by those of its answers alone, and with those of its
        topics, by half of the seeds' median, and by 20 to 1. The result is empty where too few hold together.
        """
        places = list(seeds)
        candidates = [place for place in self._left if any(map(in_words, self._index.keys[place]))]
        for _ in range(_ROUNDS):
            odds = self._log_odds(places, candidates)
            answers = {key: value for key, value in odds.items() if not key.startswith(TOPIC)}
            fit = {p: (self._sum(answers, p), self._sum(odds, p)) for p in candidates}
            usual = [sorted(fit[p][part] for p in places)[len(places) // 2] / 2 for part in (0, 1)]
            grown = [p for p in candidates if fit[p][0] >= usual[0] and fit[p][1] >= max(math.log(20), usual[1])]
            if len(grown) < LEAST_BY_WORDS:
                return []
            places = grown
        return sorted(places)

    def _sum(self, odds: Mapping[str, float], place: int) -> float:
        return math.fsum(odds.get(key, 0.0) for key in sorted(self._index.keys[place]))

    def _log_odds(self, places: Sequence[int], candidates: Sequence[int]) -> dict[str, float]:
        """Return the log odds of the keys that tell these cases from the other candidates."""
        inside = Counter(key for p in places for key in self._index.keys[p])
        every = Counter(key for p in candidates for key in self._index.keys[p])
        others = max(len(candidates) - len(places), 1)
        odds: dict[str, float] = {}
        for key, count in inside.items():
            share = count / len(places)
            elsewhere = max(every[key] - count, 0) / others
            if share >= _PROFILE_SHARE and share >= _PROFILE_LIFT * elsewhere:
                odds[key] = math.log((share + _SMOOTHING) / (elsewhere + _SMOOTHING))
        return odds

    def _merge(self, modes: Sequence[tuple[str, list[int]]]) -> list[tuple[str, list[int]]]:
        """Join modes of free text whose cases have the same words."""
        merged: list[tuple[str, list[int]]] = []
        profiles: list[dict[str, float]] = []
        for key, places in modes:
            profile = self._profile(places)
            same = next(
                (
                    i
                    for i, (other, _) in enumerate(merged)
                    if in_words(key) and in_words(other) and _cosine(profile, profiles[i]) >= _SAME_MODE
                ),
                None,
            )
            if same is None:
                merged.append((key, places))
                profiles.append(profile)
            else:
                merged[same] = (merged[same][0], sorted({*merged[same][1], *places}))
                profiles[same] = self._profile(merged[same][1])
        return merged

    def _profile(self, places: Sequence[int]) -> dict[str, float]:
        """Return the share of these cases with each key that tells them from the task's other cases."""
        inside = Counter(key for p in places for key in self._features(p))
        every = self._every
        others = max(len(self._index.places) - len(places), 1)
        return {
            key: count / len(places)
            for key, count in sorted(inside.items())
            if count >= max(2, _PROFILE_SHARE * len(places))
            and count / len(places) >= _PROFILE_LIFT * (every[key] - count) / others
            and is_concentrated(count, len(places), every[key] - count, others)
        }

    def _features(self, place: int) -> Iterable[str]:
        yield from (key for key in self._index.keys[place] if not key.startswith(TOPIC))
        yield from (f"{TOPIC}{topic}" for topic in self._index.cases[place].topics.keys() & self._index.topics)

    def _rest(self) -> list[tuple[str, list[int]]]:
        """Return the cases that no mode explains, by aspect, where they are more than noise."""
        by_aspect: defaultdict[Aspect, list[int]] = defaultdict(list)
        for place in sorted(set(self._index.places) - self._taken):
            contrast = self._index.cases[place].contrasts.production
            if contrast is None:
                continue
            aspects = Counter(
                d.aspect
                for d in contrast.differences
                if d.part not in self._index.noise.free and (d != WORDING or place in self._index.contradicted)
            )
            if aspects:
                by_aspect[min(aspects, key=lambda a: (-aspects[a], ASPECTS.index(a)))].append(place)
        rest: list[tuple[str, list[int]]] = []
        for aspect, places in by_aspect.items():
            expected = self._index.noise.by_production(f"{aspect}:{ANY}", self._index.noise.cases)
            if aspect == "content":
                expected += TAIL * self._index.noise.cases
            if is_claim(len(places), expected, tests=len(ASPECTS)):
                rest.append((f"{aspect}:{ANY}", places))
        return [*rest, *self._scattered({place for _, places in rest for place in places})]

    def _scattered(self, taken: set[int]) -> list[tuple[str, list[int]]]:
        """Return the cases on which the committee scatters, by aspect, where they are many.

        Production is one sample of such answers, so that it differs from the others no more than they from each other.
        """
        scattered: defaultdict[Aspect, list[int]] = defaultdict(list)
        for place in sorted(set(self._index.places) - self._taken - taken):
            contrasts = self._index.cases[place].contrasts
            aspects = {
                part.partition(":")[0]
                for part, spread in contrasts.spread.items()
                if _scatters(spread, contrasts.members)
            }
            if aspect := next((a for a in _SCATTERING if a in aspects), None):
                scattered[aspect].append(place)
        least = max(LEAST_SPLITS, _LARGE_PART * len(self._index.places))
        return [(f"{aspect}:{SCATTER}", places) for aspect, places in sorted(scattered.items()) if len(places) >= least]

    def _mode(self, key: str, places: Sequence[int]) -> FailureMode:
        profile = self._profile(places)

        def centrality(place: int) -> tuple[float, float, str]:
            shared = math.fsum(profile.get(feature, 0.0) for feature in sorted(self._features(place)))
            case = self._index.cases[place]
            return -shared, -case.chance, case.contrasts.case_id

        splits = sum(
            self._index.is_split(place, key) and key not in self._index.cases[place].contrasts.keys for place in places
        )
        labels = sum(
            c.basis == "label" for place in places if (c := self._index.cases[place].contrasts.production) is not None
        )
        basis: Basis = (
            "committee"
            if key.endswith(f":{SCATTER}") or 2 * splits > len(places)
            else "label"
            if 2 * labels > len(places)
            else "production"
        )
        ordered = tuple(sorted(places, key=centrality))
        return FailureMode(self._task, key, basis, ordered, profile, self._telling(profile))

    def _telling(self, profile: Mapping[str, float]) -> tuple[str, ...]:
        """Return the topics of a profile by their share times the logarithm of their lift."""
        topics = {key.removeprefix(TOPIC): share for key, share in profile.items() if key.startswith(TOPIC)}
        worth = {
            t: share * math.log(share * len(self._index.places) / self._index.about[t]) for t, share in topics.items()
        }
        return tuple(sorted(worth, key=lambda t: (-worth[t], t)))


def _scatters(spread: float, members: int) -> bool:
    """Return whether at least two answers, and a third of all, are outside the largest group."""
    outside = round(spread * members)
    return outside >= 2 and outside >= MINORITY * members


def _preference(key: str) -> float:
    for beginning, preference in _PREFERENCE.items():
        if key.startswith(beginning):
            return preference
    aspect, _, rest = key.partition(":")
    return _SPECIFIC if aspect in ("tool", "label", "refusal", "format") or ":" in rest else 1.0


def _cosine(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    product = math.fsum(value * right.get(key, 0.0) for key, value in left.items())
    norms = [math.sqrt(math.fsum(value * value for value in side.values())) for side in (left, right)]
    return product / (norms[0] * norms[1]) if all(norms) else 0.0
