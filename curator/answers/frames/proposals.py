"""Propose frames: a list that together reads most answers, and alternatives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curator.answers.frames.brackets import is_explicit
from curator.answers.frames.frame import Frame
from curator.answers.frames.mining import FEWEST, SHARE, Candidates
from curator.answers.frames.sample import FEW_VERDICTS, LIFT, Keys, Sample, group_counts, information
from curator.answers.frames.streams import Hashes

SINGLE = 0.5
"""The weight of a marker of one token: such a token is often shared by the markers of several members, or by content."""
TRIED_ENDS = 3
"""Ends of a marker that are tried where only a few values are inside."""
MOST_FRAMES = 8
"""Frames of one level that are looked for."""
MOST_SCORED, CHECKS, POOL = 400, 40, 24
"""Candidates that are scored again at each step, that are checked at a step, and that are kept of it."""


def propose(candidates: Candidates, case: Keys, sample: Sample) -> tuple[list[Frame], list[Frame]]:
    """Return frames that together read most answers, and a pool of alternatives to them.

    The partners of an answer in its case may be read by any candidate, until a frame has been chosen for them.
    """
    sizes = np.bincount(case)
    frames = candidates.frames
    everything = candidates.only(_lifts(candidates, case, sizes) <= LIFT)
    whole = _whole_keys(everything, len(case))
    candidates, fixed = _without_bare(everything, case, whole)
    checks = _Checks(frames, sample)
    chosen: list[int] = []
    while len(chosen) < MOST_FRAMES and (~fixed).sum() >= max(FEWEST, SHARE * len(case)):
        scores = _scores(candidates, case, sizes, fixed)
        if not chosen:
            candidates = candidates.only(scores >= np.sort(scores)[-min(MOST_SCORED, len(scores))])
        ranked = sorted(
            map(int, np.flatnonzero(scores > 0)), key=lambda i: (-round(float(scores[i]), 2), preference(frames[i]))
        )
        best = checks.first(ranked[:MOST_SCORED], CHECKS if chosen else 3 * CHECKS, chosen)
        if best is None:
            break
        chosen.append(best)
        newly = np.zeros(len(case), dtype=bool)
        newly[candidates.answer[(candidates.frame == best) & (candidates.key != whole[candidates.answer])]] = True
        newly &= ~fixed
        fixed |= newly
        candidates = candidates.rows(~newly[candidates.answer] | (candidates.frame == best))
    for index in _verdicts(everything)[: 2 * CHECKS]:
        checks.passes(index)
    openings = {(frames[index].kind, frames[index].opening, frames[index].last) for index in chosen}
    for index, frame in enumerate(frames):
        if (frame.kind, frame.opening, frame.last) in openings:
            checks.passes(index)
    return [frames[index] for index in chosen], sorted(checks.passed(), key=preference)


class _Checks:
    """Checks of frames: each one belongs to the task or to the content."""

    def __init__(self, frames: Sequence[Frame], sample: Sample) -> None:
        self._frames, self._sample = frames, sample
        self._passed = {0: False}  # Candidate 0 is the whole text.

    def passes(self, index: int) -> bool:
        """Return True if a frame belongs to the task."""
        if index not in self._passed:
            self._passed[index] = self._sample.is_frame(self._frames[index])
        return self._passed[index]

    def first(self, ranked: Sequence[int], most: int, chosen: Sequence[int]) -> int | None:
        """Return the first ranked frame that passes and is not chosen yet.

        Some alternatives to it are checked too.
        """
        good: list[int] = []
        for index in ranked:
            most -= index not in self._passed
            if self.passes(index):
                good.append(index)
            if len(good) == POOL or most <= 0:
                break
        return next((index for index in good if index not in chosen), None)

    def passed(self) -> list[Frame]:
        """Return the frames that were checked and belong to the task."""
        return [self._frames[index] for index, passed in self._passed.items() if passed]


def _verdicts(candidates: Candidates) -> list[int]:
    """Return the frames that read two or three values in nearly all answers, best first."""
    order = np.lexsort((candidates.key, candidates.frame))
    frame, key = candidates.frame[order], candidates.key[order]
    bounds = np.flatnonzero(np.append(True, (frame[1:] != frame[:-1]) | (key[1:] != key[:-1])))
    counts = np.diff(np.append(bounds, len(key)))
    by_frame: dict[int, list[int]] = {}
    for index, count in zip(frame[bounds].tolist(), counts.tolist(), strict=True):
        by_frame.setdefault(index, []).append(count)
    few: list[tuple[float, int]] = []
    for index, sizes in by_frame.items():
        sizes.sort(reverse=True)
        total = sum(sizes)
        if len(sizes) > 1 and sum(sizes[:FEW_VERDICTS]) >= 0.95 * total and sizes[1] >= 0.1 * total:
            few.append((total / candidates.repeats[index], index))
    few.sort(key=lambda item: (-item[0], preference(candidates.frames[item[1]])))
    tried: Counter[tuple[str, bool]] = Counter()
    best: list[int] = []
    for _, index in few:
        opening = (candidates.frames[index].opening, candidates.frames[index].last)
        tried[opening] += 1
        if tried[opening] <= TRIED_ENDS:
            best.append(index)
    return best


def _lifts(candidates: Candidates, case: Keys, sizes: Keys) -> NDArray[np.float64]:
    """Return how much more often an answer has a frame if another one to its case has it."""
    number = len(candidates.frames)
    place, counts = group_counts(candidates.frame, case[candidates.answer])
    within = np.bincount(place, counts * (counts - 1.0), number)
    partners = np.bincount(candidates.frame, sizes[case[candidates.answer]] - 1.0, number)
    lifts: NDArray[np.float64] = within / np.maximum(partners, 1) - np.bincount(
        candidates.frame, minlength=number
    ) / len(case)
    return lifts


def _whole_keys(candidates: Candidates, size: int) -> Hashes:
    """Return the key of each answer's whole text."""
    whole = np.zeros(size, dtype=np.uint64)
    rows = candidates.frame == 0
    whole[candidates.answer[rows]] = candidates.key[rows]
    return whole


def _without_bare(candidates: Candidates, case: Keys, whole: Hashes) -> tuple[Candidates, NDArray[np.bool_]]:
    """Return the candidates without parts of bare answers, and which answers are bare.

    A bare answer stands inside another answer to its case, so that it has no frame. Only its whole text, which is candidate 0, stays.
    """
    is_whole = candidates.frame == 0
    mixed = case.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    proper = candidates.key != whole[candidates.answer]
    inside = np.unique(candidates.key[proper] ^ mixed[candidates.answer[proper]])
    bare = np.isin(whole ^ mixed, inside)
    rows = is_whole | ~bare[candidates.answer]
    return candidates.rows(rows), bare


def _scores(candidates: Candidates, case: Keys, sizes: Keys, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what each frame tells about the other answers of a case, times a root.

    The root is that of its share of the answers, over the repeats of its marker.
    """
    answer, key, frame = candidates.answer, candidates.key, candidates.frame
    order = np.lexsort((answer, key))
    answer, key, frame = answer[order], key[order], frame[order]
    new_key = np.append(True, key[1:] != key[:-1])
    new_pair = new_key | np.append(True, answer[1:] != answer[:-1])
    group = np.cumsum(new_key) - 1
    of_case = case[answer]
    everywhere = np.bincount(group[new_pair], minlength=group[-1] + 1)[group]
    _, place, counts = np.unique(
        (group * (int(case.max()) + 1) + of_case)[new_pair], return_inverse=True, return_counts=True
    )
    in_case = counts[place][np.cumsum(new_pair) - 1]
    free = ~fixed[answer]
    size = sizes[of_case]
    within = np.where(size > 1, (in_case - 1) / np.maximum(size - 1, 1), 0.0)
    between = (everywhere - in_case) / max(len(case) - 1, 1)
    number = len(candidates.frames)
    total = np.bincount(frame[free], minlength=number)
    agreement = np.bincount(frame[free], within[free], number) / np.maximum(total, 1)
    chance = np.bincount(frame[free], between[free], number) / np.maximum(total, 1)
    # One more pair that agrees by chance: few answers are weak evidence.
    agreement = (agreement * total + chance) / (total + 1)
    scores = np.zeros(number)
    for index in np.flatnonzero(total >= FEWEST):
        share = total[index] / len(case)
        plain = candidates.frames[index].kind == "marker" and candidates.frames[index].opening.count(" ") == 0
        scores[index] = information(agreement[index], chance[index]) * math.sqrt(share / candidates.repeats[index])
        scores[index] *= SINGLE if plain else 1.0
    return scores


def preference(frame: Frame) -> tuple[bool, int, int, int, str]:
    """Sort frames that read the same: explicit ones, strings as ends, longer markers."""
    kinds = {"field": 0, "block": 0, "marker": 1, "enclosure": 2, "place": 3}
    ends = {"line": 1, "sentence": 2, "text": 3, "word": 4}
    return (
        not is_explicit(frame),
        kinds[frame.kind],
        ends.get(frame.closing, 0),
        -frame.opening.count(" "),
        frame.opening,
    )
