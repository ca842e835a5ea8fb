"""Induce the frames around the answers of a task.

They are the frames under which the answers to a case agree beyond chance. A frame is judged without labels: by the Kullback-Leibler divergence of the chance that two answers to one case agree in what it reads
from the chance that answers to two cases do. Most committees are mixed, so that a frame is first judged by the share of the other
answers of the case in which any candidate reads the same (`proposals`), and then in a chain that reads each answer once (`search`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from curator.answers.frames.frame import Frame, ReadingChain, behind_block, fields, read_level, tag_pair
from curator.answers.frames.mining import FEWEST, SHARE, mine
from curator.answers.frames.proposals import propose
from curator.answers.frames.sample import ASIDE, Evidence, Keys, Sample
from curator.answers.frames.search import GAIN, LEAST, UNCHANGING, search, stripping_frame, verdict_frames, widened
from curator.records import stable_unit

SAMPLE = 1200
"""Answers from which frames are induced."""
CHARACTERS, FEWEST_CASES = 400_000, 40
"""Characters of answers after which no further case is used, if there are this many cases."""
TELLING_LENGTH = 20
"""Characters from which the same answer to two cases is more than chance."""
MEMBERS = 8
"""Answers of one case that are used: more say little about frames."""
LEVELS = 3
"""Frames inside frames: a block of thinking, JSON behind it, and a phrase in its field."""
CHECKED = 400
"""Answers in which a candidate is checked to belong to the task."""

TELLING_FIELD = 0.5
"""Agreement beyond chance from which a field of a record is an answer; stated confidences and reasons have less."""
_ANSWER_FIELDS, _FIELD_SHARE = 2, 0.5

_TAG = re.compile(r"\s*([<\[{(◁|]{1,2}\w[\w -]{0,30}[>\]})▷|]{1,2})")


def induce_reading_chain(cases: Sequence[Sequence[str]], *, sample: int = SAMPLE) -> ReadingChain:
    """Induce the chain of frames around the answers of a task from the answers to its cases.

    Args:
        cases: the answers to each case, of one task. Their order, and that of the cases, does not matter.
        sample: the answers that are used, of cases chosen by a hash.

    Returns:
        A chain without frames where no part of the answers agrees better than the whole, and where fewer than `FEWEST`
        cases have two answers.
    """
    texts, case = _sampled(cases, sample)
    if not texts or np.bincount(case).size < FEWEST:
        return ReadingChain()
    levels: list[tuple[Frame, ...]] = []
    if block := _block(texts):
        levels.append((block,))
        texts = [behind_block(text, block.opening) for text in texts]
    evidence = Sample(texts, case).judge(Sample(texts, case).whole)
    for _ in range(LEVELS):
        level, evidence = _level(texts, case)
        if not level:
            break
        levels.append(level)
        texts = [read_level(level, text) for text in texts]
    return ReadingChain(tuple(levels), evidence.agreement, evidence.chance)


def _sampled(cases: Sequence[Sequence[str]], sample: int) -> tuple[list[str], Keys]:
    """Return answers of cases that have two, and the number of each one's case.

    They are chosen by a hash of their content. Of cases that share their answers, such as one question with the targets of
    several systems, one is used: between two of them agreement is not by chance.
    """
    usable = [sorted(case) for case in cases if len(case) > 1]
    texts: list[str] = []
    numbers: list[int] = []
    seen: dict[str, int] = {}
    size = number = 0
    for case in sorted(usable, key=lambda case: (stable_unit(*case[:3]), case)):
        if len(texts) >= sample or (size > CHARACTERS and number >= FEWEST_CASES):
            break
        if _is_repeated(case, seen):
            continue
        kept = case
        if len(case) > MEMBERS:
            ranked = sorted((stable_unit(str(place), text), text) for place, text in enumerate(case))
            kept = [text for _, text in ranked[:MEMBERS]]
        texts += kept
        numbers += [number] * len(kept)
        seen.update(dict.fromkeys(case, number))
        size += sum(map(len, kept))
        number += 1
    return texts, np.array(numbers, dtype=np.int64)


def _is_repeated(case: Sequence[str], seen: Mapping[str, int]) -> bool:
    """Return True if half of the longer answers of a case are also those of one earlier case."""
    long = [text for text in case if len(text) >= TELLING_LENGTH]
    earlier = Counter(seen[text] for text in long if text in seen)
    return bool(earlier) and 2 * max(earlier.values()) >= len(long)


def _is_record(sample: Sample) -> bool:
    """Return whether the answers are records, of which no single field is the answer.

    A field is an answer if the answers to a case agree in it beyond chance, but not always: one that never changes repeats the
    input, and a line of reasoning never agrees.
    """
    counts = Counter(path for text in sample.texts for path in fields(text))
    telling = 0
    for path, count in counts.items():
        if (
            not path
            or count < _FIELD_SHARE * len(sample.texts)
            or any(other.startswith(f"{path}.") for other in counts)
        ):
            continue
        evidence = sample.judge(sample.keys(Frame("field", path)))
        telling += evidence.beyond_chance >= TELLING_FIELD and evidence.agreement < UNCHANGING
    return telling >= _ANSWER_FIELDS


def _block(texts: Sequence[str]) -> Frame | None:
    """Return the long tagged block at the start of many texts; None without one."""
    tags = Counter(match[1] for text in texts if (match := _TAG.match(text)))
    for tag, count in sorted(tags.items(), key=lambda item: (-item[1], item[0])):
        if count < max(FEWEST, SHARE * len(texts)):
            break
        closing = tag_pair(tag)[1]
        pairs = [text.rpartition(closing) for text in texts if closing in text]
        rests = [(len(before), len(rest.strip())) for before, _, rest in pairs if rest.strip()]
        if 2 * len(rests) > len(pairs) and sum(before > rest for before, rest in rests) > 0.5 * len(rests):
            return Frame("block", tag, coverage=len(pairs) / len(texts))
    return None


def _level(texts: Sequence[str], case: Keys) -> tuple[tuple[Frame, ...], Evidence]:
    """Return the frames of one level, in the order to try, and the agreement under them."""
    sample = Sample(texts, case)
    before = sample.judge(sample.whole)
    if _is_record(sample):
        return (), before
    few = int(np.searchsorted(case, case[min(CHECKED, len(case)) - 1], side="right"))
    first, pool = propose(mine(texts), case, Sample(texts[:few], case[:few]))
    chosen = search(sample, first, pool)
    if len(chosen) == 1 and sample.around(chosen[0])[1] > ASIDE and not sample.keeps_all(chosen[0]):
        # The answer stands at the end more often than in the first line of what leads to it.
        final = [frame for frame in pool if sample.around(frame)[1] <= ASIDE]
        chosen = search(sample, [], final) or chosen
    chosen = widened(sample, chosen, pool)
    evidence = sample.judge(sample.read(chosen))
    if evidence.beyond_chance < LEAST or evidence.information < before.information + GAIN / sample.cases:
        chosen, evidence = verdict_frames(sample, pool) or stripping_frame(sample, pool), before
    return tuple(replace(frame, coverage=float((sample.keys(frame) >= 0).mean())) for frame in chosen), evidence
