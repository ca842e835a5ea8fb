"""The differences of a task's cases by key, and whether their cases are more than noise."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from curator.clustering.noise import (
    EXCESS_OF_SPLITS,
    EXPLAINED,
    LEAST_BY_WORDS,
    LEAST_CASES,
    LEAST_SPLITS,
    NoiseModel,
    is_claim,
    is_concentrated,
    unit_of,
)
from curator.records.differences import OMITS, SAYS, WORDING, Aspect, CaseContrasts

TOPIC = "topic:"
"""The beginning of the keys of words of the input."""
_WEAK: frozenset[Aspect] = frozenset(("content", "value", "complaint"))
"""Aspects that do not say what differs, so that the words of the input may tell the modes apart."""
_COMMON_TOPIC = 0.5
_STYLE = 0.3
"""The share of production's texts with a word that the committee does not use, above which it is a matter of style."""
_LEAST_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class AskedCase:
    """One case to group.

    Attributes:
        contrasts: of its answers.
        task: its task.
        weight: the log records that it represents.
        chance: how likely it fails, 0..1: the label's failure, else the disagreement.
        topics: the words of its input, by stem.
        failed: it fails by a label; None without one.
    """

    contrasts: CaseContrasts
    task: str
    weight: int
    chance: float
    topics: Mapping[str, str] = field(default_factory=dict)
    failed: bool | None = None

    @property
    def mass(self) -> float:
        """The failures expected of it, in log records."""
        return self.weight * max(self.chance, _LEAST_CHANCE)


class TaskIndex:
    """The cases of one task by the keys of their differences.

    Attributes:
        cases: all asked cases, of which `places` are those of the task, in order of their ids.
        noise: the noise of the task.
        topics: the words of inputs that may name a topic.
        contradicted: the cases of free text whose answer is far from the committee's.
        keys: the keys under which each case may be explained.
        having: the cases with each key.
        about: the number of cases with each word in the input.
        expected: the cases that noise gives each key: in production, and as splits.
    """

    def __init__(
        self,
        cases: Sequence[AskedCase],
        places: Sequence[int],
        is_known: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._is_known = is_known
        self.places = sorted(places, key=lambda place: cases[place].contrasts.case_id)
        self.cases = cases
        self.noise = NoiseModel.of([cases[place].contrasts for place in self.places])
        self.topics = self._telling_topics()
        self.contradicted = self._beyond(self.noise.excess)
        self._suspected = self._beyond(self.noise.suspicion)
        self._texts = [p for p in self.places if cases[p].contrasts.excess is not None]
        self.keys = {place: self._keys_of(place) for place in self.places}
        self.having: defaultdict[str, list[int]] = defaultdict(list)
        for place, keys in self.keys.items():
            for key in keys:
                self.having[key].append(place)
        self._dispersion = self.noise.dispersion(
            Counter(
                unit
                for place in self.places
                if (committee := cases[place].contrasts.committee) is not None
                for unit in {unit_of(d.keys[0]) for d in committee.differences}
            )
        )
        self.about = Counter(topic for place in self.places for topic in cases[place].topics)
        self.expected = self._expected_by_noise()
        # All keys are tests, also those of few cases: which ones are of many is chosen by the counts.
        self._tests = Counter(map(in_words, self.having.keys() | self.noise.rates.keys()))

    def claims(self, key: str, places: Sequence[int]) -> bool:
        """Return whether these cases are more than noise in production, or as splits."""
        if not in_words(key) and self._fails_by_labels(key, places):
            return True
        remaining = len(places) / len(self.having[key])
        by_production, by_committee = (expected * remaining for expected in self.expected[key])
        by_topic = key.startswith(TOPIC)
        production = sum(by_topic or key in self.cases[place].contrasts.keys for place in places)
        splits = [place for place in places if self.is_split(place, key)]
        least = LEAST_BY_WORDS if key.startswith((SAYS, OMITS, TOPIC)) else LEAST_CASES
        claimed = is_claim(production, by_production, tests=self._tests_of(key), least=least)
        if claimed and key.startswith((SAYS, OMITS)):
            claimed = self._is_more_than_style(key, places)
        return claimed or self._is_split_beyond_noise(key, splits, by_committee)

    def _tests_of(self, key: str) -> int:
        """Return the number of differences that are tried with this one; a known one is tried alone."""
        return 1 if self._is_known(key) else self._tests[in_words(key)]

    def _fails_by_labels(self, key: str, places: Sequence[int]) -> bool:
        """Return whether labels show the difference more often than noise does."""
        labelled = sum(self.cases[place].failed is not None for place in self.places)
        failing = sum(bool(self.cases[place].failed) and key in self.cases[place].contrasts.keys for place in places)
        return is_claim(failing, self.noise.by_production(key, labelled), tests=self._tests_of(key))

    def _is_split_beyond_noise(self, key: str, splits: Sequence[int], expected: float) -> bool:
        """Return whether the committee's splits are more than members that err together.

        Either they are many more, or they are more than independent members give and a prompt or a topic explains them.
        """
        dispersion = self._dispersion.get(unit_of(key), 1.0)
        least = partial(is_claim, len(splits), least=LEAST_SPLITS)
        if least(expected * dispersion, tests=self._tests_of(key), excess=EXCESS_OF_SPLITS):
            return True
        # The rate of noise has these splits in it; that a prompt or a topic explains them is the stronger evidence.
        return least(expected, tests=1) and (self._has_dissenter(splits) or self._has_topic(splits))

    def _has_dissenter(self, splits: Sequence[int]) -> bool:
        """Return whether one prompt alone gives the other answer, more often than elsewhere."""
        inside = Counter(self.cases[place].contrasts.dissenter for place in splits)
        chosen = set(splits)
        others = [
            c.dissenter
            for place in self.places
            if place not in chosen and (c := self.cases[place].contrasts).committee is not None
        ]
        outside = Counter(others)
        return any(
            prompt and is_concentrated(count, len(splits), outside[prompt], len(others), chance=EXPLAINED)
            for prompt, count in inside.items()
        )

    def _has_topic(self, places: Sequence[int]) -> bool:
        """Return whether a word of the inputs tells these cases from the others."""
        inside = Counter(topic for place in places for topic in self.cases[place].topics.keys() & self.topics)
        chance = EXPLAINED / max(len(self.topics), 1)
        n = len(self.places) - len(places)
        return any(
            is_concentrated(count, len(places), self.about[topic] - count, n, chance=chance)
            for topic, count in inside.items()
            if count >= LEAST_CASES
        )

    def _is_more_than_style(self, key: str, places: Sequence[int]) -> bool:
        """Return whether a word of production is more than its style.

        Words of a style are in many answers, to all kinds of inputs. Words of a failure are in answers far from the
        committee's, or belong to a topic.
        """
        if len(self.having[key]) > _STYLE * len(self._texts):
            return False
        far = sum(place in self._suspected for place in places)
        return 2 * far >= len(places) or self._has_topic(places)

    def is_split(self, place: int, key: str) -> bool:
        """Return whether the committee's split shows this difference."""
        committee = self.cases[place].contrasts.committee
        return committee is not None and any(key in difference.keys for difference in committee.differences)

    def _beyond(self, limit: float | None) -> set[int]:
        """Return the cases whose excess distance is above a limit."""
        if limit is None:
            return set()
        excess = {place: self.cases[place].contrasts.excess for place in self.places}
        return {place for place, value in excess.items() if value is not None and value > limit}

    def _telling_topics(self) -> frozenset[str]:
        counts = Counter(topic for place in self.places for topic in self.cases[place].topics)
        most = _COMMON_TOPIC * len(self.places)
        return frozenset(topic for topic, count in counts.items() if LEAST_CASES <= count <= most)

    def _keys_of(self, place: int) -> frozenset[str]:
        """Return the keys under which a case may be explained."""
        case, contrasts = self.cases[place], self.cases[place].contrasts
        suspected = place in self._suspected
        production = [
            d for d in (contrasts.production.differences if contrasts.production else ()) if d != WORDING or suspected
        ]
        differences = [*production, *(contrasts.committee.differences if contrasts.committee else ())]
        keys = {key for d in differences if d.part not in self.noise.free for key in d.keys[:-1]} - set(WORDING.keys)
        keys |= {key for key in contrasts.keys if key.startswith((SAYS, OMITS))}
        if production and all(d.aspect in _WEAK for d in production):
            keys |= {f"{TOPIC}{topic}" for topic in case.topics.keys() & self.topics}
        return frozenset(keys)

    def _expected_by_noise(self) -> dict[str, tuple[float, float]]:
        """Return the cases that noise gives each key: in production, and as splits."""
        opposed = [p for p, keys in self.keys.items() if any(key.startswith(TOPIC) for key in keys)]
        n = len(self.places)
        expected: dict[str, tuple[float, float]] = {}
        for key, places in self.having.items():
            if len(places) < LEAST_CASES:
                continue
            if key.startswith(TOPIC):
                inside = self.about[key.removeprefix(TOPIC)]
                outside = max(len(opposed) - len(places), 0) / max(n - inside, 1)
                expected[key] = (inside * outside, 0.0)
            elif key.startswith("complaint:"):
                expected[key] = (0.0, 0.0)
            elif key.startswith((SAYS, OMITS)):
                expected[key] = (self.noise.by_production(key, len(self._texts)), 0.0)
            else:
                expected[key] = (self.noise.by_production(key, n), self.noise.by_committee(key))
        return expected


def in_words(key: str) -> bool:
    """Return whether a key is a word of an answer or an input, or a fact of a text."""
    return key.startswith((SAYS, OMITS, TOPIC, "content:"))
