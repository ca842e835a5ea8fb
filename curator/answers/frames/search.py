"""Search the chain of proposed frames in which the answers to a case agree the most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curator.answers.frames.brackets import is_balanced, is_explicit
from curator.answers.frames.frame import Frame
from curator.answers.frames.mining import SHARE
from curator.answers.frames.proposals import preference
from curator.answers.frames.sample import MOSTLY, TELLING, Sample
from curator.answers.frames.tokens import is_word

GAIN = 0.5
"""Nats that a frame must add over all cases."""
UNCHANGING = 0.985
"""A part in which the answers to a case agree this often repeats the input."""
LEAST = 0.15
"""Agreement beyond chance, as a share of what is possible, that a level must have: below, no part of the answers is one."""
GRAIN = 0.005
"""Nats by which two chains must differ for one to be better."""


def search(sample: Sample, start: list[Frame], pool: Sequence[Frame]) -> list[Frame]:
    """Improve a chain of frames until no change makes it more informative.

    A change puts in, replaces or leaves out one frame.     Among equals the frame that comes first in the pool is taken.
    """
    best = max((start[:size] for size in range(len(start) + 1)), key=lambda chain: _worth(sample, chain))
    worth = _worth(sample, best)
    for _ in range(10):
        options = [best[:place] + best[place + 1 :] for place in range(len(best))]
        for frame in pool:
            if frame not in best:
                options += [[*best[:place], frame, *best[place + 1 :]] for place in range(len(best))]
                options += [[*best[:place], frame, *best[place:]] for place in range(len(best) + 1)]
        scored = [(round(_worth(sample, option) / GRAIN), -index) for index, option in enumerate(options)]
        top, index = max(scored, default=(0, 0))
        if top <= round(worth / GRAIN):
            break
        best = options[-index]
        worth = _worth(sample, best)
    for place in range(len(best)):
        equals = [[*best[:place], other, *best[place + 1 :]] for other in pool if other not in best]
        equals = [best, *(option for option in equals if _worth(sample, option) >= worth - GRAIN)]
        best = min(equals, key=lambda option: _tidiness(sample, option, place))
    return best


def widened(sample: Sample, chain: list[Frame], pool: Sequence[Frame]) -> list[Frame]:
    """Replace frames by wider ones of the pool where what lies between the two tells the case.

    The table of a query agrees better than the query: between the two are its columns, so that the table is not the answer.
    """
    for place, frame in enumerate(chain):
        has = sample.keys(frame) >= 0
        for wider in pool:
            covers = (sample.keys(wider) >= 0)[has].mean() >= MOSTLY
            if (
                wider != frame
                and covers
                and sample.holds(wider, frame)
                and sample.tells_outside(frame, wider) > TELLING
            ):
                option = [*chain[:place], wider, *chain[place + 1 :]]
                if sample.judge(sample.read(option)).beyond_chance >= LEAST:
                    return widened(sample, option, pool)
    return chain


def _tidiness(
    sample: Sample, chain: list[Frame], place: int
) -> tuple[int, bool, bool, float, tuple[bool, int, int, int, str]]:
    """Sort chains that read the same: behind signs first, then by the fewest words left."""
    frame = chain[place]
    cuts = frame.closing in {"word", "sentence"}
    opens = frame.kind == "marker" and not is_balanced(frame.opening)
    in_words = frame.kind == "marker" and frame.opening != "" and is_word(frame.opening.split(" ")[-1])
    return (
        2 * (frame.kind == "place") + in_words,
        opens,
        cuts,
        round(sample.length(sample.read(chain)), 1),
        preference(frame),
    )


def verdict_frames(sample: Sample, pool: Sequence[Frame]) -> list[Frame]:
    """Return frames in which nearly all answers are one of two or three values; [] without them.

    Two answers of a yes or no question agree half the time by chance, so that agreement beyond chance is weak evidence.
    """
    best: list[Frame] = []
    most = MOSTLY
    values_of = {frame: values for frame in pool if (values := sample.values(frame))}
    for values in sorted(set(values_of.values()), key=sorted):
        read = np.isin(sample.whole, list(values))
        chain: list[Frame] = []
        for frame in (frame for frame in values_of if values_of[frame] <= values):
            keys = sample.keys(frame)
            if ((keys >= 0) & ~read).mean() >= SHARE:
                chain.append(frame)
                read |= np.isin(keys, list(values))
        evidence = sample.judge(sample.read(chain))
        if chain and read.mean() > most and evidence.agreement > evidence.chance:
            best, most = chain, float(read.mean())
    return best


def stripping_frame(sample: Sample, pool: Sequence[Frame]) -> list[Frame]:
    """Return the frame that removes the most of what all texts share; [] without one."""
    best: list[Frame] = []
    least, explicit = 0.9 * sample.length(sample.whole), False
    for frame in pool:
        removes = frame.kind != "place" and frame.closing not in {"line", "sentence", "word"}
        if not removes or (explicit and not is_explicit(frame)):
            continue
        if (sample.keys(frame) >= 0).mean() >= MOSTLY and sample.keeps_all(frame):
            length = sample.length(sample.read([frame]))
            if length < 0.9 * least:
                best, least, explicit = [frame], length, is_explicit(frame)
    return best


def _worth(sample: Sample, chain: Sequence[Frame]) -> float:
    """Return the information of a chain, less `GAIN` for each frame."""
    evidence = sample.judge(sample.read(chain))
    if evidence.agreement > UNCHANGING and chain:
        return 0.0
    return evidence.information - GAIN * len(chain) / sample.cases
