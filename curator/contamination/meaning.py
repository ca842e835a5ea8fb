"""Match held-out questions by meaning: paraphrases by vectors, translations by details."""

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
from curator.contamination.records import HeldText, Match, TrainingRow

GAIN = 0.25
"""The bonus in cosine if all details agree. Over rephrased and unrelated school mathematics, a logistic regression gives
.17 for agreement against disagreement at four details; here that is GAIN + LOSS, damped by UNSURE."""
LOSS = 0.15
"""The penalty in cosine if all details differ: less than GAIN, as a paraphrase may drop details or spell them out."""
UNSURE = 2.0
"""Pseudo-details without a vote: one agreeing detail, perhaps by chance, counts a third, and four count two thirds."""
MIN_COSINE = 0.6
"""Below this cosine two questions have different topics, whatever their details."""
MIN_SHARED_WEIGHT = 6.0
"""The weight of details that a translation must share: for example three numbers of two digits, or one and two names."""
MIN_SHARED_DETAILS = 0.75
"""The share of the details, by weight and in order, that a translation must share."""
MAX_SHARED_WORDS = 0.1
"""A translation shares few words with its original; a text that shares more is compared as a paraphrase."""

_BLOCK = 1024
_NEAREST = 64  # held-out texts whose details are compared, for each question
_CROWDED = 256  # an anchor in more texts than this does not identify one
_LONGEST = 1200
_CACHED = 65_536

_details = lru_cache(maxsize=_CACHED)(details_of)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors: of the held-out texts, (h, d), and of all rows' questions, (q, d)."""

    held: NDArray[np.float32]
    questions: NDArray[np.float32]


def embedded_text(question: str) -> str:
    """The embedded part of a question: its beginning and end, as small models read ~250 words."""
    text = " ".join(question.split())
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2].rsplit(' ', 1)[0]} … {text[-_LONGEST // 2 :].split(' ', 1)[-1]}"


def paraphrases(
    rows: Sequence[TrainingRow], held: Sequence[HeldText], vectors: Vectors, *, threshold: float
) -> dict[str, Match]:
    """The rows that ask a held-out question in other words, with the best match of each.

    Two questions match if cosine + (GAIN * same - LOSS * different) / (same + different + UNSURE) reaches the threshold.
    `same` and `different` count the numbers and names that agree and differ (`details.agreement`); for questions without
    any, the threshold is the required cosine. The rule depends only on the two texts, so a larger registry never releases
    a row that a smaller one held back.

    Args:
        rows: that might be trained on.
        held: the held-out texts.
        vectors: of both, in the same order.
        threshold: 0..1.
    """
    asked = [(row, question) for row in rows for question in row.questions]
    if not asked or not held:
        return {}
    best: dict[str, tuple[float, Match]] = {}
    floor = max(MIN_COSINE, threshold - GAIN)
    for at, place, cosine in _nearest(vectors.questions, vectors.held, floor=floor):
        row, question = asked[at]
        mine, others = _details(question), _details(held[place].text)
        if cosine < threshold and not share_any(mine, others):
            continue  # without an agreeing detail there is a penalty only
        agreed = agreement(mine, others)
        likeness = cosine + detail_bonus(agreed)
        if likeness >= threshold and likeness > best.get(row.id, (0.0,))[0]:
            text = held[place]
            match = Match(row.id, text.id, "paraphrase", round(cosine, 4), question, text.text, agreed.shared)
            best[row.id] = likeness, match
    return {row: match for row, (_, match) in best.items()}


def detail_bonus(agreed: Agreement) -> float:
    """The change of two questions' cosine by their details, -LOSS..GAIN; 0 without details."""
    return (GAIN * agreed.same - LOSS * agreed.different) / (agreed.same + agreed.different + UNSURE)


def translations(rows: Sequence[TrainingRow], held: Sequence[HeldText]) -> dict[str, Match]:
    """The rows with a held-out question's numbers, names and code in order, but not its words.

    Vectors are not used, since small encoders know one language only. Questions without such details cannot be matched.
    """
    index = _AnchorIndex(held)
    matches: dict[str, Match] = {}
    for row in rows:
        for question in row.questions:
            mine = _details(question)
            hits = [
                (share, -place, agreed.shared)
                for place in index.candidates(mine)
                if (agreed := same_anchors(mine, _details(held[place].text))).same >= MIN_SHARED_WEIGHT
                and (share := translation_likelihood(mine, _details(held[place].text), agreed)) >= MIN_SHARED_DETAILS
            ]
            if hits and row.id not in matches:
                share, place, shared = max(hits)
                text = held[-place]
                matches[row.id] = Match(row.id, text.id, "translation", round(share, 4), question, text.text, shared)
    return matches


def translation_likelihood(a: Details, b: Details, agreed: Agreement) -> float:
    """The evidence, in 0..1, that two texts are translations; 0 if they share too many words."""
    if word_overlap(a, b) > MAX_SHARED_WORDS:
        return 0.0
    return agreed.same / (agreed.same + agreed.different) * in_order(a, b)


class _AnchorIndex:
    """An index of held-out texts by anchors; anchors of one digit are too common to index."""

    def __init__(self, held: Sequence[HeldText]) -> None:
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(held):
            for anchor in _indexed_anchors(_details(text.text)):
                self._places[anchor].append(place)

    def candidates(self, details: Details) -> list[int]:
        """The places of the texts with a common indexed anchor, ascending; crowded ones are skipped."""
        lists = (self._places.get(anchor, []) for anchor in _indexed_anchors(details))
        return sorted({place for places in lists if len(places) <= _CROWDED for place in places})


def _indexed_anchors(details: Details) -> list[str]:
    return [anchor for anchor in details.anchor_counts if anchor_weight(anchor) >= NAME_WEIGHT]


def _nearest(
    questions: NDArray[np.float32], held: NDArray[np.float32], *, floor: float
) -> Iterator[tuple[int, int, float]]:
    """Yield (question, held text, cosine) of each question's nearest held texts from `floor` on."""
    most = min(_NEAREST, len(held))
    for start in range(0, len(questions), _BLOCK):
        cosines = questions[start : start + _BLOCK] @ held.T
        for offset in np.flatnonzero(cosines.max(axis=1) >= floor).tolist():
            line = cosines[offset]
            places = np.argpartition(-line, most - 1)[:most] if most < len(line) else np.arange(len(line))
            for place in sorted(places.tolist()):
                if line[place] >= floor:
                    yield start + offset, place, float(line[place])
