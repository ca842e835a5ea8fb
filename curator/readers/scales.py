"""The scale of ratings, by all values of a file: 1 may be a thumb up or one star of five."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.errors import ConfigError
from curator.readers.account import ReadAccount
from curator.readers.feedback import read_thumb
from curator.records import Case, Feedback, Scalar

LIKED, DISLIKED = 0.6, 0.4
"""From the first rating up a user liked the answer, from the second down not: of five stars four and two, the third is neither."""
_TOPS = (5.0, 10.0, 100.0)
_NAMED = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|to|-)\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Scale:
    """The worst and the best rating that can be given."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    def rating(self, value: float) -> float | None:
        """The value as a rating from 0 to 1; None outside the scale."""
        return (value - self.low) / (self.high - self.low) if self.low <= value <= self.high else None


def named_scale(text: str) -> Scale:
    """The scale that a config names, such as `1-5`, `0-10` or `-1..1`.

    Raises:
        ConfigError: it is none.
    """
    match = _NAMED.fullmatch(text)
    if match is None or float(match[1]) >= float(match[2]):
        raise ConfigError(
            f"logs.feedback_scale: {text!r} is not a scale", remedy="write the worst and the best rating, such as `1-5`"
        )
    return Scale(float(match[1]), float(match[2]))


def find_scale(values: Iterable[float]) -> Scale | None:
    """The only usual scale that fits all values; None where several do, or none.

    Usual are 0 and 1, -1 to 1, 0 to 1, one to 5, 10 or 100 points (from 0 where a 0 occurs). Some value has to lie in the upper
    half of a scale of points, above the scale below it: 1, 2 and 3 may be of three points or of five.
    """
    seen = {value for value in values if math.isfinite(value)}
    if len(seen) < 2:
        return None
    low, high = min(seen), max(seen)
    if low < 0:
        return Scale(-1.0, 1.0) if low >= -1 and high <= 1 else None
    if high <= 1:
        return Scale(0.0, 1.0)
    start = 0.0 if low < 1 else 1.0
    for below, top in zip((3.0, *_TOPS), _TOPS, strict=False):
        if high <= top:
            return Scale(start, top) if high > below else None
    return None


def number_of(value: Scalar) -> float | None:
    """A rating as a number, such as `4`, `"4/5"` and `"80%"`; None for a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    match = re.fullmatch(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*(?:/\s*\d+|%|stars?|\u2605*)?\s*", value)
    return float(match[1].replace(",", ".")) if match else None


def with_rating(feedback: Feedback, scales: Mapping[str, Scale]) -> Feedback:
    """The feedback with the thumb and the rating of its values; the first name counts.

    Values of a name without a scale say nothing.
    """
    for name, value in feedback.given.items():
        number = number_of(value)
        if number is None:
            thumb = read_thumb(value)
            if thumb is not None and feedback.thumb is None:
                feedback = replace(feedback, thumb=thumb)
            continue
        rating = scales[name].rating(number) if name in scales else None
        if rating is None or feedback.rating is not None:
            continue
        thumb = "up" if rating >= LIKED else "down" if rating <= DISLIKED else None
        feedback = replace(feedback, rating=rating, thumb=feedback.thumb or thumb)
    return feedback


def numbers_by_name(cases: Iterable[Case]) -> Iterator[tuple[str, float]]:
    """Yield the numbers that were given as feedback, with their names."""
    for case in cases:
        for name, value in (case.feedback.given if case.feedback else {}).items():
            if (number := number_of(value)) is not None:
                yield name, number


class Ratings:
    """Gives cases the ratings that their feedback means on the scales of their file.

    Cases with such feedback are held until their file is known well enough. A scale is decided by the first `WINDOW` cases of a
    file, or where those leave it open by all files together; one that stays open is named in the account with the values seen.
    """

    WINDOW = 20_000

    def __init__(self, named: Scale | None, account: ReadAccount) -> None:
        self._named = named
        self._account = account
        self._held: dict[str, list[Case]] = {}
        self._scales: dict[str, dict[str, Scale]] = {}

    def add(self, case: Case) -> Iterator[Case]:
        """Take a case; yield it, or those of its file, where their scales are known."""
        file = case.source.file
        if case.feedback is None or not case.feedback.given:
            yield case
        elif file in self._scales:
            yield self._rated(case, self._scales[file])
        else:
            held = self._held.setdefault(file, [])
            held.append(case)
            if len(held) >= self.WINDOW:
                self._scales[file] = self._find(held)
                yield from (self._rated(case, self._scales[file]) for case in self._held.pop(file))

    def close(self) -> Iterator[Case]:
        """Yield the cases that are still held."""
        everything = [case for cases in self._held.values() for case in cases]
        pooled = self._find(everything)
        for cases in self._held.values():
            scales = {**pooled, **self._find(cases)}
            yield from (self._rated(case, scales) for case in cases)
        self._held.clear()

    def _find(self, cases: Sequence[Case]) -> dict[str, Scale]:
        values: dict[str, set[float]] = {}
        for name, number in numbers_by_name(cases):
            values.setdefault(name, set()).add(number)
        scales = {name: self._named or find_scale(numbers) for name, numbers in values.items()}
        return {name: scale for name, scale in scales.items() if scale is not None}

    def _rated(self, case: Case, scales: Mapping[str, Scale]) -> Case:
        feedback = case.feedback or Feedback()
        for name, value in feedback.given.items():
            number = number_of(value)
            if name in scales:
                self._account.scales[name] = str(scales[name])
            if number is not None and (name not in scales or scales[name].rating(number) is None):
                self._account.open_ratings.setdefault(name, Counter())[number] += 1
        return replace(case, feedback=with_rating(feedback, scales))
