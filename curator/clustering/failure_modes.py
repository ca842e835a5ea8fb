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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

from curator.clustering.noise import (
    EXCESS_OF_SPLITS,
    FALSE_CLAIMS,
    LEAST_CASES,
    LEAST_SPLITS,
    TAIL,
    NoiseModel,
    is_claim,
    is_concentrated,
    unit_of,
)
from curator.records.differences import ANY, OMITS, SAYS, WORDING, Aspect, Basis, CaseContrasts, Contrast

TOPIC = "topic:"
"""The beginning of the keys of words of the input."""
_WEAK: frozenset[Aspect] = frozenset(("content", "value", "complaint"))
"""Aspects that do not say what differs, so that the words of the input may tell the modes apart."""
_SPECIFIC = 3.0
"""A specific difference is preferred to a general one from a third of its cases on: two faults of one field are two modes."""
_PREFERENCE = {SAYS: 1.0, OMITS: 0.7, TOPIC: 0.4}
_COMMON_TOPIC = 0.5
_STYLE = 0.3
"""The share of production's texts with a word that the committee does not use, above which it is a matter of style."""
_LEAST_CHANCE = 0.05
FAILED = 0.5
"""The failure by a label from which a case counts as failed."""
_MOST_MODES = 60
_PROFILE_SHARE = 0.15
_PROFILE_LIFT = 2.0
_SMOOTHING = 0.02
_ROUNDS = 2
_SAME_MODE = 0.6


@dataclass(frozen=True, slots=True)
class AskedCase:
    """One case to group.

    Attributes:
        contrasts: of its answers.
        task: its task.
        weight: the log records that it represents.
        chance: how likely it fails, 0..1: the label's failure, else the disagreement.
        topics: the words of its input, by stem.
        failure: how far it fails by a label, 0..1; None without one.
    """

    contrasts: CaseContrasts
    task: str
    weight: int
    chance: float
    topics: Mapping[str, str] = field(default_factory=dict)
    failure: float | None = None

    @property
    def mass(self) -> float:
        """The failures expected of it, in log records."""
        return self.weight * max(self.chance, _LEAST_CHANCE)


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


def find_modes(cases: Sequence[AskedCase]) -> list[FailureMode]:
    """Find the failure modes of each task; a case is in one of them at most."""
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        by_task[case.task].append(place)
    return [mode for task in sorted(by_task) for mode in _TaskModes(cases, by_task[task], task).find()]


def contrast_of(case: CaseContrasts, basis: Basis) -> Contrast | None:
    """Return the contrast of a case that a mode of this basis is about, else its other one."""
    first, second = case.production, case.committee
    return (second or first) if basis == "committee" else (first or second)


class _TaskModes:
    """The search for the modes of one task."""

    def __init__(self, cases: Sequence[AskedCase], places: Sequence[int], task: str) -> None:
        self._task = task
        self._places = sorted(places, key=lambda place: cases[place].contrasts.case_id)
        self._cases = cases
        self._noise = NoiseModel.of([cases[place].contrasts for place in self._places])
        self._topics = self._telling_topics()
        self._contradicted = self._beyond(self._noise.excess)
        self._suspected = self._beyond(self._noise.suspicion)
        self._texts = [p for p in self._places if cases[p].contrasts.excess is not None]
        self._keys = {place: self._keys_of(place) for place in self._places}
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for place, keys in self._keys.items():
            for key in keys:
                self._having[key].append(place)
        self._left = {place for place, keys in self._keys.items() if keys}
        self._dispersion = self._noise.dispersion(
            Counter(
                unit
                for place in self._places
                if (committee := cases[place].contrasts.committee) is not None
                for unit in {unit_of(d.keys[0]) for d in committee.differences}
            )
        )
        self._about = Counter(topic for place in self._places for topic in cases[place].topics)
        self._expected = self._expected_by_noise()
        self._tests = Counter(map(_is_worded, self._expected))

    def find(self) -> list[FailureMode]:
        modes: list[tuple[str, list[int]]] = []
        heap = [(-self._gain(key), key) for key, places in self._having.items() if len(places) >= LEAST_CASES]
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
            if not self._claims(key, places):
                continue
            if key.startswith((SAYS, OMITS, TOPIC)):
                places = self._grown(places)
            modes.append((key, places))
            self._left -= set(places)
        merged = self._merge(modes)
        return [self._mode(key, places) for key, places in [*merged, *self._rest()]]

    def _open(self, key: str) -> list[int]:
        return [place for place in self._having[key] if place in self._left]

    def _gain(self, key: str) -> float:
        """Return the preferred mass of failures that a key explains beyond noise."""
        places = self._open(key)
        if len(places) < LEAST_CASES:
            return 0.0
        noise = min(1.0, sum(self._expected[key]) * len(places) / len(self._having[key]) / len(places))
        return sum(self._cases[place].mass for place in places) * (1 - noise) * _preference(key)

    def _claims(self, key: str, places: Sequence[int]) -> bool:
        """Return whether these cases are more than noise in production, or as splits."""
        in_words = _is_worded(key)
        if not in_words and self._fails_by_labels(key, places):
            return True
        remaining = len(places) / len(self._having[key])
        by_production, by_committee = (expected * remaining for expected in self._expected[key])
        by_topic = key.startswith(TOPIC)
        production = sum(by_topic or key in self._cases[place].contrasts.keys for place in places)
        splits = [place for place in places if self._is_split(place, key)]
        claimed = is_claim(production, by_production, tests=self._tests[in_words])
        if claimed and key.startswith((SAYS, OMITS)):
            claimed = self._is_more_than_style(key, places)
        return claimed or self._is_split_beyond_noise(key, splits, by_committee)

    def _fails_by_labels(self, key: str, places: Sequence[int]) -> bool:
        """Return whether labels show the difference more often than noise gives it to labelled cases."""
        labelled = sum(self._cases[place].failure is not None for place in self._places)
        failing = sum(
            (self._cases[place].failure or 0.0) >= FAILED and key in self._cases[place].contrasts.keys
            for place in places
        )
        return is_claim(failing, self._noise.by_production(key, labelled), tests=self._tests[False])

    def _is_split_beyond_noise(self, key: str, splits: Sequence[int], expected: float) -> bool:
        """Return whether the committee's splits are more than members that err together.

        Either they are many more, or they are more than independent members give and a prompt or a topic explains them.
        """
        tests, dispersion = self._tests[False], self._dispersion.get(unit_of(key), 1.0)
        least = partial(is_claim, len(splits), tests=tests, least=LEAST_SPLITS)
        if least(expected * dispersion, excess=EXCESS_OF_SPLITS):
            return True
        return least(expected) and (self._has_dissenter(splits) or self._has_topic(splits))

    def _has_dissenter(self, splits: Sequence[int]) -> bool:
        """Return whether one prompt alone gives the other answer, more often than elsewhere."""
        inside = Counter(self._cases[place].contrasts.dissenter for place in splits)
        chosen = set(splits)
        others = [
            c.dissenter
            for place in self._places
            if place not in chosen and (c := self._cases[place].contrasts).committee is not None
        ]
        outside = Counter(others)
        return any(
            prompt and is_concentrated(count, len(splits), outside[prompt], len(others))
            for prompt, count in inside.items()
        )

    def _has_topic(self, places: Sequence[int]) -> bool:
        """Return whether a word of the inputs tells these cases from the others."""
        inside = Counter(topic for place in places for topic in self._cases[place].topics.keys() & self._topics)
        chance = FALSE_CLAIMS / max(len(self._topics), 1)
        n = len(self._places) - len(places)
        return any(
            is_concentrated(count, len(places), self._about[topic] - count, n, chance=chance)
            for topic, count in inside.items()
            if count >= LEAST_CASES
        )

    def _is_more_than_style(self, key: str, places: Sequence[int]) -> bool:
        """Return whether a word of production is more than its style.

        Words of a style are in many answers, to all kinds of inputs. Words of a failure are in answers far from the
        committee's, or belong to a topic.
        """
        if len(self._having[key]) > _STYLE * len(self._texts):
            return False
        far = sum(place in self._suspected for place in places)
        return 2 * far >= len(places) or self._has_topic(places)

    def _is_split(self, place: int, key: str) -> bool:
        """Return whether the committee's split shows this difference."""
        committee = self._cases[place].contrasts.committee
        return committee is not None and any(key in difference.keys for difference in committee.differences)

    def _beyond(self, limit: float | None) -> set[int]:
        """Return the cases whose excess distance is above a limit."""
        if limit is None:
            return set()
        excess = {place: self._cases[place].contrasts.excess for place in self._places}
        return {place for place, value in excess.items() if value is not None and value > limit}

    def _telling_topics(self) -> frozenset[str]:
        counts = Counter(topic for place in self._places for topic in self._cases[place].topics)
        most = _COMMON_TOPIC * len(self._places)
        return frozenset(topic for topic, count in counts.items() if LEAST_CASES <= count <= most)

    def _keys_of(self, place: int) -> frozenset[str]:
        """Return the keys under which a case may be explained."""
        case, contrasts = self._cases[place], self._cases[place].contrasts
        suspected = place in self._suspected
        production = [
            d for d in (contrasts.production.differences if contrasts.production else ()) if d != WORDING or suspected
        ]
        differences = [*production, *(contrasts.committee.differences if contrasts.committee else ())]
        keys = {key for d in differences if d.part not in self._noise.free for key in d.keys[:-1]} - set(WORDING.keys)
        keys |= {key for key in contrasts.keys if key.startswith((SAYS, OMITS))}
        if production and all(d.aspect in _WEAK for d in production):
            keys |= {f"{TOPIC}{topic}" for topic in case.topics.keys() & self._topics}
        return frozenset(keys)

    def _expected_by_noise(self) -> dict[str, tuple[float, float]]:
        """Return the cases that noise gives each key: in production, and as splits."""
        opposed = [p for p, keys in self._keys.items() if any(key.startswith(TOPIC) for key in keys)]
        n = len(self._places)
        expected: dict[str, tuple[float, float]] = {}
        for key, places in self._having.items():
            if len(places) < LEAST_CASES:
                continue
            if key.startswith(TOPIC):
                inside = self._about[key.removeprefix(TOPIC)]
                outside = max(len(opposed) - len(places), 0) / max(n - inside, 1)
                expected[key] = (inside * outside, 0.0)
            elif key.startswith((SAYS, OMITS)):
                expected[key] = (self._noise.by_production(key, len(self._texts)), 0.0)
            else:
                expected[key] = (self._noise.by_production(key, n), self._noise.by_committee(key))
        return expected

    def _grown(self, seeds: Sequence[int]) -> list[int]:
        """Return the cases of a mode of free text: seeds that fit, and others with its words.

        A case fits by the log odds of its keys, as in naive Bayes: by those of its answers alone, and with those of its
        topics, by half of the seeds' median, and by 20 to 1.
        """
        places = list(seeds)
        candidates = [place for place in self._left if any(map(_is_worded, self._keys[place]))]
        for _ in range(_ROUNDS):
            odds = self._log_odds(places, candidates)
            answers = {key: value for key, value in odds.items() if not key.startswith(TOPIC)}
            fit = {p: (self._sum(answers, p), self._sum(odds, p)) for p in candidates}
            usual = [sorted(fit[p][part] for p in places)[len(places) // 2] / 2 for part in (0, 1)]
            grown = [p for p in candidates if fit[p][0] >= usual[0] and fit[p][1] >= max(math.log(20), usual[1])]
            if len(grown) < LEAST_CASES:
                return places
            places = grown
        return sorted(places)

    def _sum(self, odds: Mapping[str, float], place: int) -> float:
        return math.fsum(odds.get(key, 0.0) for key in sorted(self._keys[place]))

    def _log_odds(self, places: Sequence[int], candidates: Sequence[int]) -> dict[str, float]:
        """Return the log odds of the keys that tell these cases from the other candidates."""
        inside = Counter(key for p in places for key in self._keys[p])
        every = Counter(key for p in candidates for key in self._keys[p])
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
                    if _is_worded(key) and _is_worded(other) and _cosine(profile, profiles[i]) >= _SAME_MODE
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
        every = Counter(key for p in self._places for key in self._features(p))
        others = max(len(self._places) - len(places), 1)
        return {
            key: count / len(places)
            for key, count in sorted(inside.items())
            if count >= max(2, _PROFILE_SHARE * len(places))
            and count / len(places) >= _PROFILE_LIFT * (every[key] - count) / others
            and is_concentrated(count, len(places), every[key] - count, others)
        }

    def _features(self, place: int) -> Iterable[str]:
        yield from (key for key in self._keys[place] if not key.startswith(TOPIC))
        yield from (f"{TOPIC}{topic}" for topic in self._cases[place].topics.keys() & self._topics)

    def _rest(self) -> list[tuple[str, list[int]]]:
        """Return the cases that no mode explains, by aspect, where they are more than noise."""
        by_aspect: defaultdict[Aspect, list[int]] = defaultdict(list)
        for place in sorted(self._left | self._contradicted):
            contrast = self._cases[place].contrasts.production
            if contrast is None or place not in self._left:
                continue
            aspects = Counter(
                d.aspect
                for d in contrast.differences
                if d.part not in self._noise.free and (d != WORDING or place in self._contradicted)
            )
            if aspects:
                by_aspect[min(aspects, key=lambda a: (-aspects[a], _ASPECTS.index(a)))].append(place)
        rest: list[tuple[str, list[int]]] = []
        for aspect, places in by_aspect.items():
            expected = self._noise.by_production(f"{aspect}:{ANY}", self._noise.cases)
            if aspect == "content":
                expected += TAIL * self._noise.cases
            if is_claim(len(places), expected, tests=len(_ASPECTS)):
                rest.append((f"{aspect}:{ANY}", places))
        return rest

    def _mode(self, key: str, places: Sequence[int]) -> FailureMode:
        profile = self._profile(places)

        def centrality(place: int) -> tuple[float, float, str]:
            shared = math.fsum(profile.get(feature, 0.0) for feature in sorted(self._features(place)))
            case = self._cases[place]
            return -shared, -case.chance, case.contrasts.case_id

        splits = sum(self._is_split(place, key) and key not in self._cases[place].contrasts.keys for place in places)
        labels = sum(
            c.basis == "label" for place in places if (c := self._cases[place].contrasts.production) is not None
        )
        basis: Basis = (
            "committee" if 2 * splits > len(places) else "label" if 2 * labels > len(places) else "production"
        )
        ordered = tuple(sorted(places, key=centrality))
        return FailureMode(self._task, key, basis, ordered, profile, self._telling(profile))

    def _telling(self, profile: Mapping[str, float]) -> tuple[str, ...]:
        """Return the topics of a profile in order of their share times the logarithm of their lift over the task."""
        topics = {key.removeprefix(TOPIC): share for key, share in profile.items() if key.startswith(TOPIC)}
        worth = {t: share * math.log(share * len(self._places) / self._about[t]) for t, share in topics.items()}
        return tuple(sorted(worth, key=lambda t: (-worth[t], t)))


_ASPECTS: tuple[Aspect, ...] = get_args(Aspect)


def _is_worded(key: str) -> bool:
    return key.startswith((SAYS, OMITS, TOPIC, "content:"))


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
