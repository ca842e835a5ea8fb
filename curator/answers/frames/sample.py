"""Judge frames without labels, by the agreement of answers in what they read."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curator.answers.frames.brackets import enters_brackets, has_paired_quotes, is_balanced, is_explicit, is_glued
from curator.answers.frames.frame import ENDS, Frame
from curator.answers.frames.mining import FEWEST
from curator.answers.frames.tokens import NEWLINE, inner_key

Keys = NDArray[np.int64]
CHANCE = 0.05
"""Added to the chance agreement: a reading that names the case is not much better than one that narrows it to one in 20."""
LONG = 30
"""Words from which two equal answers are copies, not two answers that agree."""
TELLING = 0.1
"""Above this, what a frame leaves out tells the case by itself, so that it is content."""
LIFT = 0.1
"""Above this, the answers to some cases have the frame and those to others lack it, so that it is part of the content."""
FEW_VALUES = 12
"""A word that is cut out of a line is an answer if it is a number or one of this many values, in `MOSTLY` of the answers."""
FEW_VERDICTS = 3
"""Values of a verdict: yes, no and one more."""
FEW_OUTSIDES = 4
"""Strings around the content that a frame may have."""
MOSTLY = 0.9
ALONE = 0.1
"""From this on, what is inside a frame is the whole of other answers to the case, so that it is an answer."""
ASIDE = 6
"""Words on one side of a frame at most: content is in the middle."""
KEPT = 0.98
"""Pairs of answers that stay different under a frame that only removes what all answers have in common."""


@dataclass(frozen=True)
class Evidence:
    """The chances that answers to one case, and to two cases, agree in a reading."""

    agreement: float
    chance: float

    @property
    def information(self) -> float:
        """Nats that seeing whether two answers agree tells about whether they are to the same case."""
        return information(self.agreement, self.chance)

    @property
    def beyond_chance(self) -> float:
        """Agreement beyond chance as a share of what is possible (Cohen's kappa)."""
        return (self.agreement - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


def information(agreement: float, chance: float) -> float:
    """Return KL(Bernoulli(agreement) || Bernoulli(chance)), in nats.

    The chance is raised by `CHANCE` first; the result is 0 where it is more than the agreement.
    """
    chance = min(chance + CHANCE * (1 - chance) ** 8, 0.999)
    agreement = min(max(agreement, 0.0), 0.999)
    if agreement <= chance:
        return 0.0
    return agreement * math.log(agreement / chance) + (1 - agreement) * math.log((1 - agreement) / (1 - chance))


class Sample:
    """Sampled texts of a task, in which chains of frames are judged."""

    def __init__(self, texts: Sequence[str], case: Keys) -> None:
        self.texts, self.case = texts, case
        self._ids: dict[str, int] = {}
        self._lengths: list[int] = []
        self._parts: dict[Frame, list[str | None]] = {}
        self._read: dict[Frame, Keys] = {}
        self.whole = np.array([self._id(text) for text in texts])
        self.cases = len(np.unique(case))

    def _id(self, text: str | None) -> int:
        key = inner_key(text) if text is not None else ""
        if not key:
            return -1
        if key not in self._ids:
            self._ids[key] = len(self._ids)
            self._lengths.append(len(key.split()))
        return self._ids[key]

    def parts(self, frame: Frame) -> list[str | None]:
        """Return all that a frame has inside in each text; None in texts without it."""
        if frame not in self._parts:
            self._parts[frame] = [frame.cut_out(text) for text in self.texts]
        return self._parts[frame]

    def keys(self, frame: Frame) -> Keys:
        """Return the key of what a frame reads in each text; -1 where it reads nothing."""
        if frame not in self._read:
            self._read[frame] = np.array([self._id(part) for part in self.parts(frame)])
        return self._read[frame]

    def read(self, chain: Sequence[Frame]) -> Keys:
        """Return the key that a chain reads in each text."""
        keys = self.whole.copy()
        for frame in reversed(chain):
            inner = self.keys(frame)
            keys = np.where(inner >= 0, inner, keys)
        return keys

    def judge(self, keys: Keys) -> Evidence:
        """Return the agreement of keys within cases and between them."""
        sizes = np.bincount(self.case)
        per_pair = 1.0 / np.maximum(sizes * (sizes - 1), 1)
        case_of, counts = group_counts(self.case, keys)
        same = counts * (counts - 1)
        agreement = float((same * per_pair[case_of]).sum() / (sizes > 1).sum())
        total = np.bincount(keys + 1)
        all_pairs = len(keys) * (len(keys) - 1) - (sizes * (sizes - 1)).sum()
        chance = (float((total * (total - 1.0)).sum()) - float(same.sum())) / max(all_pairs, 1)
        return Evidence(agreement, float(chance))

    def is_frame(self, frame: Frame) -> bool:
        """Return True if a frame belongs to the task, and not to the content of its answers."""
        if frame.opening in {"", "first", "last"} and frame.closing in ENDS and self.is_short_where_cut(frame):
            return False
        if self.lift(frame) > LIFT or self.tells_outside(frame) > TELLING or not self.is_whole(frame):
            return False
        alone = self.stands_alone(frame)
        if alone < 3 * ALONE and not self.cuts_values(frame):
            return False
        return alone >= ALONE or (
            (is_explicit(frame) or min(self.around(frame)) <= ASIDE)
            and all(self.tells_outside(frame, wider) <= TELLING for wider in _wider(frame))
        )

    def values(self, frame: Frame) -> frozenset[int]:
        """Return the keys of a frame that reads only two or three values; empty for other frames."""
        keys = self.keys(frame)
        counts = Counter(keys[keys >= 0].tolist())
        usual = counts.most_common(FEW_VERDICTS)
        some = len(usual) > 1 and usual[1][1] >= 0.1 * counts.total()
        return (
            frozenset(key for key, _ in usual)
            if some and sum(c for _, c in usual) >= 0.95 * counts.total()
            else frozenset()
        )

    def length(self, keys: Keys) -> float:
        """Return the mean number of words and numbers of keys."""
        return float(np.array([*self._lengths, 0])[keys].mean())

    def keeps_all(self, frame: Frame) -> bool:
        """Return True if a frame makes hardly any two texts of a case equal that differ."""
        inner = self.read([frame])
        both = inner * len(self._ids) + self.whole
        return _pairs(self.case, both) >= KEPT * _pairs(self.case, inner) and self.leaves_constant(frame)

    def leaves_constant(self, frame: Frame, wider: Frame | None = None) -> bool:
        """Return True if a frame leaves out one of a few strings in nearly all texts.

        With `wider`, of the part that this frame reads, else of the text.
        """
        outside = Counter(part for part in self.outsides(frame, wider) if part)
        usual = sum(count for _, count in outside.most_common(FEW_OUTSIDES))
        return usual >= MOSTLY * outside.total()

    def holds(self, wider: Frame, frame: Frame) -> bool:
        """Return True if a frame stands inside of what a wider one reads, in nearly all texts."""
        both = [
            (at, around) for at, around in zip(self.places(frame), self.places(wider), strict=True) if at and around
        ]
        inside = sum(around != at and around[0] <= at[0] and at[1] <= around[1] for at, around in both)
        return bool(both) and inside >= MOSTLY * len(both)

    def outsides(self, frame: Frame, wider: Frame | None = None) -> list[tuple[str, str] | None]:
        """Return what a frame leaves out of each text, or of what a wider one reads, on both sides."""
        outsides: list[tuple[str, str] | None] = []
        for text, part in zip(self.parts(wider) if wider else self.texts, self.parts(frame), strict=True):
            inside = (part or "").strip()
            place = (text.rfind(inside) if frame.last else text.find(inside)) if text and inside else -1
            if text and place >= 0:
                outsides.append((text[:place].strip(), text[place + len(inside) :].strip()))
            else:
                outsides.append(None)
        return outsides

    def lift(self, frame: Frame) -> float:
        """Return how much more often an answer has the frame if another answer to its case has it."""
        has = self.keys(frame) >= 0
        within = _pairs(self.case[has], self.case[has] * 0)
        sizes = np.bincount(self.case)[self.case[has]]
        return within / max(int((sizes - 1).sum()), 1) - float(has.mean())

    def stands_alone(self, frame: Frame) -> float:
        """Return how often the inner part is all of another answer to the case, beyond chance."""
        inner = self.keys(frame)
        rows = np.flatnonzero((inner >= 0) & (inner != self.whole))
        if len(rows) < FEWEST:
            return 0.0
        width = len(self._ids) + 1
        there = np.isin(self.case[rows] * width + inner[rows], np.unique(self.case * width + self.whole))
        shifted = (self.case[rows] + 1) % (int(self.case.max()) + 1)
        elsewhere = np.isin(shifted * width + inner[rows], np.unique(self.case * width + self.whole))
        return float(there.mean() - elsewhere.mean())

    def is_whole(self, frame: Frame) -> bool:
        """Return True if nearly all parts are whole: not cut out of a word or of brackets."""
        if frame.kind in {"field", "place"} or not frame.opening:
            return True
        if frame.kind == "marker" and enters_brackets(frame.opening):
            return False
        sides = [(text, *place) for text, place in zip(self.texts, self.places(frame), strict=True) if place]
        sound = [_is_sound(frame, text[:start], text[start:end], text[end:]) for text, start, end in sides]
        return sum(sound) >= MOSTLY * len(sound)

    def places(self, frame: Frame) -> list[tuple[int, int] | None]:
        """Return the start and the end of each text's part; None where the frame reads nothing."""
        places: list[tuple[int, int] | None] = []
        for text, part in zip(self.texts, self.parts(frame), strict=True):
            inside = (part or "").strip()
            start = (text.rfind(inside) if frame.last else text.find(inside)) if inside else -1
            places.append((start, start + len(inside)) if start >= 0 else None)
        return places

    def is_short_where_cut(self, frame: Frame) -> bool:
        """Return True if the texts that a frame shortens have three words at most, in the median."""
        cut = np.flatnonzero((self.keys(frame) != self.whole) & (self.keys(frame) >= 0))
        return len(cut) == 0 or float(np.median(np.array(self._lengths)[self.whole[cut]])) <= 3

    def around(self, frame: Frame) -> tuple[float, float]:
        """Return the median numbers of words before and after what a frame reads.

        It is 0 where the words are one of a few strings, such as a polite phrase.
        """
        sides = [(text, *place) for text, place in zip(self.texts, self.places(frame), strict=True) if place]
        before = _typical_words([text[:start].strip() for text, start, _ in sides])
        return before, _typical_words([text[end:].strip() for text, _, end in sides])

    def cuts_values(self, frame: Frame) -> bool:
        """Return False for words cut out of lines that are neither numbers nor a few values."""
        if frame.closing != "word":
            return True
        inner = self.keys(frame)
        line = self.whole if frame.kind == "place" else self.keys(replace(frame, closing="line"))
        has = inner >= 0
        if 10 * (inner != line)[has].sum() <= has.sum():
            return True
        usual = np.sort(np.bincount(inner[has]))[::-1][:FEW_VALUES].sum()
        numbers = sum(part is not None and part[-1:].isdigit() for part in self.parts(frame))
        return bool(max(int(usual), numbers) >= MOSTLY * has.sum())

    def tells_outside(self, frame: Frame, wider: Frame | None = None) -> float:
        """Return how much the rest of a text agrees within cases, beyond that between cases.

        Within cases only pairs that agree in the inner part count. With `wider`, the rest of what this frame reads. Texts of
        more than `LONG` words are left out: where two of them are equal, one is a copy.
        """
        whole = self.keys(wider) if wider else self.whole
        inner = self.keys(frame)
        short = np.array(self._lengths)[np.maximum(whole, 0)] < LONG
        rows = (inner >= 0) & short & (whole >= 0) & (whole != inner)
        if rows.sum() < FEWEST:
            return 0.0
        ids: dict[tuple[str, str], int] = {}
        rest = np.array([ids.setdefault(part, len(ids)) if part else -1 for part in self.outsides(frame, wider)])
        case, inner, rest = self.case[rows], inner[rows], rest[rows]
        same_inner = _pairs(case, inner)
        within = _pairs(case, inner * (len(ids) + 1) + rest + 1) / same_inner if same_inner else 0.0
        in_case = _pairs(case, case * 0)
        between = (_pairs(case * 0, rest) - _pairs(case, rest)) / max(len(case) * (len(case) - 1) - in_case, 1)
        # Less one standard error: few pairs agree in the inner part where a frame is rare.
        error = math.sqrt(within * (1 - within) / (same_inner / 2)) if same_inner else 0.0
        return within - between - error


def _typical_words(texts: Sequence[str]) -> float:
    usual = sum(count for _, count in Counter(texts).most_common(FEW_OUTSIDES))
    return 0.0 if usual >= MOSTLY * len(texts) else float(np.median([len(text.split()) for text in texts]))


def _is_sound(frame: Frame, before: str, part: str, after: str) -> bool:
    """Return True if brackets and quotes are in pairs in a part, and around it."""
    opened = frame.opening if frame.kind == "marker" else ""
    closed = frame.closing if opened and frame.closing not in ENDS else ""
    if is_glued(opened, before, part) or is_glued(closed, part, after, closes=True):
        return False
    line = after.partition(NEWLINE)[0]
    closes = closed or ("" if re.search(r"\w", line) else line)
    closes = "" if is_balanced(opened) else closes
    return (
        is_balanced(part) and has_paired_quotes(part) and is_balanced(opened + closes) and is_balanced(before, opened)
    )


def _wider(frame: Frame) -> list[Frame]:
    """Return the same frame with ends that come later."""
    if frame.kind == "marker" and frame.closing != "text":
        return [replace(frame, closing=end) for end in ("line", "text") if end != frame.closing]
    return []


def group_counts(group: Keys, keys: Keys) -> tuple[Keys, Keys]:
    """Return the group and the number of each distinct pair of group and key."""
    both, counts = np.unique(group * (int(keys.max(initial=0)) + 2) + keys + 1, return_counts=True)
    return both // (int(keys.max(initial=0)) + 2), counts


def _pairs(group: Keys, keys: Keys) -> int:
    counts = group_counts(group, keys)[1]
    return int((counts * (counts - 1)).sum())
