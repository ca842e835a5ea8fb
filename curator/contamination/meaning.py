"""Finds held-out questions by their meaning: in other words, and in another language as far as details tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.contamination.details import (
    NAME_WEIGHT,
    Agreement,
    Details,
    agreement,
    anchor_weight,
    details_of,
    in_order,
    same_anchors,
    share_any,
    word_overlap,
)
from curator.contamination.records import HeldText, Match, Row

GAIN = 0.25
"""What details that all agree are worth in cosine. Over rephrased and unrelated school mathematics a logistic regression
gives .17 for agreement against disagreement at four details; here that is GAIN + LOSS, damped by UNSURE."""
LOSS = 0.15
"""What details that all differ take off the cosine: less than GAIN, as a rephrasing may drop some, or spell them out."""
UNSURE = 2.0
"""Details that stand for none: one that agrees by chance counts a third, four that agree count two thirds."""
LEAST_COSINE = 0.6
"""No agreement of details makes a paraphrase of what is about something else."""
LEAST_ANCHORED = 6.0
"""The weight of details that a translation must share: three numbers of two places, say, or a number and two names."""
ANCHORED_ALIKE = 0.75
"""The share of the details, by weight and in their order, that a translation must share."""
MOST_SHARED_WORDS = 0.1
"""A translation has few words in common with its original; what shares more is compared as a paraphrase."""

_BLOCK = 1024
_NEAREST = 64  # held-out texts whose details are compared, for each question
_CROWDED = 256  # texts that share an anchor; more than that is said by many, and leads nowhere
_LONGEST = 1200
_CACHED = 65_536

_details = lru_cache(maxsize=_CACHED)(details_of)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors of the held-out texts, (h, d), and of the questions of all rows in turn, (q, d)."""

    held: NDArray[np.float32]
    questions: NDArray[np.float32]


def embedded_text(question: str) -> str:
    """What is embedded of a question: its beginning and its end, as small models read some 250 words."""
    text = " ".join(question.split())
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2].rsplit(' ', 1)[0]} … {text[-_LONGEST // 2 :].split(' ', 1)[-1]}"


def paraphrases(
    rows: Sequence[Row], held: Sequence[HeldText], vectors: Vectors, *, threshold: float
) -> dict[str, Match]:
    """The rows that ask a held-out question in other words, with the likeliest match of each.

    Two questions are the same where cosine + (GAIN * same - LOSS * different) / (same + different + UNSURE) reaches the
    threshold, with the numbers and names that agree and differ (`details.agreement`): the threshold is the cosine that
    is asked of questions without any. The rule looks at two texts alone, so that a larger registry never lets go of a
    row that a smaller one held back.
    """
    asked = [(row, question) for row in rows for question in row.questions]
    if not asked or not held:
        return {}
    best: dict[str, tuple[float, Match]] = {}
    floor = max(LEAST_COSINE, threshold - GAIN)
    for at, place, cosine in _nearest(vectors.questions, vectors.held, floor=floor):
        row, question = asked[at]
        mine, others = _details(question), _details(held[place].text)
        if cosine < threshold and not share_any(mine, others):
            continue  # what agrees in nothing gains nothing
        agreed = agreement(mine, others)
        likeness = cosine + worth(agreed)
        if likeness >= threshold and likeness > best.get(row.id, (0.0,))[0]:
            text = held[place]
            found = Match(row.id, text.id, "paraphrase", round(cosine, 4), question, text.text, agreed.shared)
            best[row.id] = likeness, found
    return {row: match for row, (_, match) in best.items()}


def worth(agreed: Agreement) -> float:
    """What the details add to the cosine of two questions, in -LOSS..GAIN; 0 where neither has any."""
    return (GAIN * agreed.same - LOSS * agreed.different) / (agreed.same + agreed.different + UNSURE)


def translations(rows: Sequence[Row], held: Sequence[HeldText]) -> dict[str, Match]:
    """The rows that have a held-out question's numbers, names and code in the same order, and hardly a word of it.

    No vector is used: small encoders know one language. What has no such details cannot be seen.
    """
    index = _AnchorIndex(held)
    found: dict[str, Match] = {}
    for row in rows:
        for question in row.questions:
            mine = _details(question)
            hits = [
                (share, -place, agreed.shared)
                for place in index.candidates(mine)
                if (agreed := same_anchors(mine, _details(held[place].text))).same >= LEAST_ANCHORED
                and (share := translated(mine, _details(held[place].text), agreed)) >= ANCHORED_ALIKE
            ]
            if hits and row.id not in found:
                share, place, shared = max(hits)
                text = held[-place]
                found[row.id] = Match(row.id, text.id, "translation", round(share, 4), question, text.text, shared)
    return found


def translated(a: Details, b: Details, agreed: Agreement) -> float:
    """How surely two texts with these shared anchors are translations of each other, in 0..1; 0 with too many words shared."""
    if word_overlap(a, b) > MOST_SHARED_WORDS:
        return 0.0
    return agreed.same / (agreed.same + agreed.different) * in_order(a, b)


class _AnchorIndex:
    """Held-out texts by their anchors of two places and more: a number of one place leads to everything."""

    def __init__(self, held: Sequence[HeldText]) -> None:
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(held):
            for anchor in _telling(_details(text.text)):
                self._places[anchor].append(place)

    def candidates(self, details: Details) -> list[int]:
        """The places of the texts that share such an anchor, ascending; one that very many share leads nowhere."""
        lists = (self._places.get(anchor, []) for anchor in _telling(details))
        return sorted({place for places in lists if len(places) <= _CROWDED for place in places})


def _telling(details: Details) -> list[str]:
    return [anchor for anchor in details.anchor_counts if anchor_weight(anchor) >= NAME_WEIGHT]


def _nearest(
    questions: NDArray[np.float32], held: NDArray[np.float32], *, floor: float
) -> Iterator[tuple[int, int, float]]:
    """(question, held, cosine) of the few nearest held-out texts of each question, those below `floor` left out."""
    most = min(_NEAREST, len(held))
    for start in range(0, len(questions), _BLOCK):
        cosines = questions[start : start + _BLOCK] @ held.T
        for offset in np.flatnonzero(cosines.max(axis=1) >= floor).tolist():
            line = cosines[offset]
            places = np.argpartition(-line, most - 1)[:most] if most < len(line) else np.arange(len(line))
            for place in sorted(places.tolist()):
                if line[place] >= floor:
                    yield start + offset, place, float(line[place])
