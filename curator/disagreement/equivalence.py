"""When answers mean the same: a partition for typed answers, a similarity in 0..1 for free text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.answers import Answer
from curator.disagreement.wording import is_refusal, short_form

# Chinese and Japanese are written without blanks: each character is taken as a word.
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W぀-ヿ㐀-鿿]+(?:[.,]\d+)*")
# Words that say how, not what. Negations and numbers are not among them.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by with from as and or is are was were be been being it its this that these those "
        "which who whom he she they his her their i we you my your our has have had do does did will would can could "
        "may there here so then",
    )
)


def meaning(answer: Answer) -> str:
    """What the answer's class is named by: answers of one kind mean the same when this is equal.

    A readable answer is named by its key, a refusal by its being one, and any other unreadable answer by its own
    wording; no two of these ever meet.
    """
    if answer.key:
        return f"={answer.key}"
    return "!" if is_refusal(answer.text) else f"?{short_form(answer.text)}"


def classes(answers: Sequence[Answer]) -> list[int]:
    """The class of each answer, numbered from 0 in order of first appearance: a partition."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(meaning(answer), len(numbers)) for answer in answers]


@lru_cache(maxsize=2**14)
def word_list(text: str) -> tuple[str, ...]:
    """The words of a text in small letters and in their order, without function words; all of them if none is left."""
    words = _WORD.findall(text.casefold())
    return tuple(word for word in words if word not in _FUNCTION_WORDS) or tuple(words)


def content_words(text: str) -> frozenset[str]:
    """The words of a text in small letters without function words; all of them, or the text itself, if none is left."""
    return frozenset(word_list(text)) or frozenset((text,))


def distances(texts: Sequence[str]) -> NDArray[np.float64]:
    """The matrix (n, n) of Jaccard distances 1 - |A & B| / |A | B| between the texts' content words.

    Symmetric, in 0..1, with zeros on the diagonal and between identical texts. The Jaccard index of sets is a positive
    definite kernel (Gower 1971; Bouchard, Jousselme and Dore 2013), which is what makes the split of Rao's quadratic
    entropy non-negative.
    """
    bits: dict[str, int] = {}
    masks = [sum(1 << bits.setdefault(word, len(bits)) for word in content_words(text)) for text in texts]
    matrix = np.zeros((len(texts), len(texts)))
    for i, left in enumerate(masks):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = 1 - (left & masks[j]).bit_count() / (left | masks[j]).bit_count()
    return matrix
