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
_MANY = 30
"""From so many ratings on, the best rating of a scale is among them: if a tenth of the ratings are the best one, 30 ratings miss
it with a probability of 0.04."""
_NAMED = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|to|-)\s*(-?\d+(?:\.\d+)?)\s*")
_RATED = re.compile(
    r"([+-]?\d+(?:[.,]\d+)?)\s*((?:(?:/|of|out of|von|sur|su|de|van)\s*\d+(?:[.,]\d+)?|%|stars?|[\u2605\u2b50]+)?)",
    re.IGNORECASE,
)
_STARS, _EMPTY_STARS = frozenset("\u2605\u2b50\U0001f31f"), frozenset("\u2606")


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


_NAMES = {
    re.compile(r"(?<![a-z])(thumbs?|likes?|liked|upvotes?|votes?)(?![a-z])"): Scale(0.0, 1.0),
    re.compile(r"(?<![a-z])(stars?)(?![a-z])"): Scale(1.0, 5.0),
    re.compile(r"(?<![a-z])nps(?![a-z])"): Scale(0.0, 10.0),
    re.compile(r"(?<![a-z])(percent|percentage|pct)(?![a-z])"): Scale(0.0, 100.0),
}
"""Words in the names of ratings that say their scale."""


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


def find_scale(values: Iterable[float], name: str = "") -> Scale | None:
    """The only usual scale that fits all values; None where several do, or none.

    The values are those of one kind of rating, named `name`. Usual are 0 and 1, -1 to 1, 0 to 1, one to 3, 5, 7, 10 or 100 points (from 0 where a 0 occurs), and -n to n. Some value has to
    be in the upper half of a scale of points: 1 and 2 may be of three points or of five. One value alone decides nothing, as 1 may
    be a thumb up or one star. A name such as `stars`, `thumbs` or `nps` decides where all values fit it.
    """
    counts = Counter(value for value in values if math.isfinite(value))
    if not counts:
        return None
    low, high = min(counts), max(counts)
    if (named := _scale_of_name(name, low, high)) is not None:
        return named
    if len(counts) < 2:
        return None
    if low < 0:
        half = max(-low, high)
        return Scale(-half, half) if half in (1, 2, 3, 5) or low == -high else None
    if high <= 1:
        return Scale(0.0, 1.0)
    top = _top_of_points(high, many=counts.total() >= _MANY)
    return None if top is None else Scale(0.0 if low < 1 else 1.0, top)


def _top_of_points(high: float, *, many: bool) -> float | None:
    """The best rating of a scale by the best one in the log; None where it stays open."""
    if high in (3, 7):  # of five or ten points, one of many ratings would be better
        return high if many else None
    if 5 < high < 7:
        return None
    above = ((5.0, 3.0), (10.0, 7.0), (100.0, 50.0))
    return next((top if high > least else None for top, least in above if high <= top), None)


def _scale_of_name(name: str, low: float, high: float) -> Scale | None:
    """The scale that the name of a kind of rating says, where the values fit it."""
    plain = name.lower().replace("_", " ").replace("-", " ")
    for pattern, scale in _NAMES.items():
        if pattern.search(plain):
            start = -1.0 if scale.high == 1 and low < 0 else 0.0 if low < scale.low else scale.low
            return Scale(start, scale.high) if start <= low and high <= scale.high else None
    return None


def read_number(value: Scalar) -> tuple[float, Scale | None] | None:
    """A rating as a number, and the scale that it names itself; None for a text.

    `4` names none, `"4/5"`, `"80%"`, `"3 stars"` and stars drawn as signs do.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return (float(value), None) if math.isfinite(value) else None
    text = value.replace("\ufe0f", "").strip()
    if text and set(text) <= _STARS | _EMPTY_STARS and not set(text) <= _EMPTY_STARS:
        drawn = sum(sign in _STARS for sign in text)
        return float(drawn), Scale(1.0, 5.0) if len(text) <= 5 else None
    match = _RATED.fullmatch(text)
    if match is None:
        return None
    number = float(match[1].replace(",", "."))
    unit = match[2].strip().lower()
    if not unit or unit == "%":
        return number, Scale(0.0, 100.0) if unit else None
    top = re.search(r"\d+", unit)
    best = float(top[0]) if top else 5.0
    return number, Scale(0.0 if number < 1 or best > 5 else 1.0, best) if best > 1 else None


def number_of(value: Scalar) -> float | None:
    """A rating as a number, such as `4`, `"4/5"` and `"80%"`; None for a text."""
    read = read_number(value)
    return read[0] if read else None


def with_rating(feedback: Feedback, scales: Mapping[str, Scale]) -> Feedback:
    """The feedback with the thumb and the rating of its values; the first name counts.

    Values of a name without a scale say nothing.
    """
    for name, value in feedback.given.items():
        read = read_number(value)
        if read is None:
            thumb = read_thumb(value)
            if thumb is not None and feedback.thumb is None:
                feedback = replace(feedback, thumb=thumb)
            continue
        number, written = read
        scale = written or scales.get(name)
        rating = scale.rating(number) if scale else None
        if rating is None or feedback.rating is not None:
            continue
        thumb = "up" if rating >= LIKED else "down" if rating <= DISLIKED else None
        feedback = replace(feedback, rating=rating, thumb=feedback.thumb or thumb)
    return feedback


def numbers_by_name(cases: Iterable[Case]) -> Iterator[tuple[str, float]]:
    """Yield the numbers given as feedback that name no scale, with their names."""
    for case in cases:
        for name, value in (case.feedback.given if case.feedback else {}).items():
            if (read := read_number(value)) is not None and read[1] is None:
                yield name, read[0]


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
        values: dict[str, list[float]] = {}
        for name, number in numbers_by_name(cases):
            values.setdefault(name, []).append(number)
        scales = {name: self._named or find_scale(numbers, name) for name, numbers in values.items()}
        return {name: scale for name, scale in scales.items() if scale is not None}

    def _rated(self, case: Case, scales: Mapping[str, Scale]) -> Case:
        feedback = case.feedback or Feedback()
        for name, value in feedback.given.items():
            number, written = read_number(value) or (None, None)
            scale = written or scales.get(name)
            if scale is not None:
                self._account.scales.setdefault(name, str(scale))
            if number is not None and (scale is None or scale.rating(number) is None):
                self._account.open_ratings.setdefault(name, Counter())[number] += 1
        return replace(case, feedback=with_rating(feedback, scales))
