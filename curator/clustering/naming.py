"""Topics of inputs: clusters, named by the words that distinguish each from the others.

Names come from class-based TF-IDF as in BERTopic (Grootendorst 2022, https://arxiv.org/abs/2203.05794): the weight of
term t in class c is tf(t, c) / |c| * log(1 + A / f_t), with A the mean number of terms per class and f_t the term's
count over all classes. Here the counts are cases that contain the term, so that one long case cannot name a category.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from curator.records import Category
from curator.text.words import STOP_WORDS, words_of

KEYWORDS = 8
NAME_TERMS = 2
NOISE = -1
_LONGEST_WORD = 30
_COMMON = 0.5  # a term in more than this share of all cases does not distinguish a category
_LEAST = 0.08  # a term in less than this share of a category's cases does not describe it
_PHRASE = 0.6  # a two-word term replaces its word where it covers this share of the word's cases

# Words that do not say what a text is about, beside the function words: the courtesies of a support chat.
_COURTESIES = """
able actually ago already always anyone anything asap bit come dear every find good guys happen happened happening hello
help hey hi hope kindly know look looking maybe need needed needs ok okay please possible question right said say
says see seem seems sorry sure tell thank thanks thx think tried try trying understand want wanted wants way
today yesterday tomorrow morning
"""

_STOP_WORDS = STOP_WORDS | frozenset(_COURTESIES.split())
_ENDING = re.compile("(?<=[a-z]{4})(?:ions?|ings?|ed|ies|es|s|e|y)$")
_NUMERIC = re.compile(r"\d")


def build_topics(
    case_ids: Sequence[str],
    texts: Sequence[str],
    labels: NDArray[np.int64],
    typicality: NDArray[np.float32],
) -> tuple[Category, ...]:
    """Build a category of each cluster of inputs, in order of its label.

    Label -1 is noise: it has no category, but its texts are background for the names.

    Args:
        case_ids: of n cases.
        texts: theirs, in the same order.
        labels: the cluster of each, (n,).
        typicality: of each in its cluster, (n,); the `case_ids` of a category start with the most typical one.
    """
    cluster_labels = sorted({int(label) for label in labels} - {NOISE})
    terms = _terms_by_class(texts, labels)
    overall: Counter[str] = Counter()
    for counts in terms.values():
        overall.update(counts)
    taken: set[str] = set()
    categories = []
    for number, label in enumerate(cluster_labels, start=1):
        members = [int(i) for i in np.flatnonzero(labels == label)]
        members.sort(key=lambda i: (-float(typicality[i]), case_ids[i]))
        keywords = _keywords(terms[label], overall, classes=len(terms), cases=len(members))
        name = _unique_name(keywords, taken, number)
        taken.add(name)
        categories.append(Category(f"topic-{number:02d}", name, keywords, tuple(case_ids[i] for i in members)))
    return tuple(categories)


def terms_of(text: str) -> set[str]:
    """The words of a text that carry meaning, and the pairs of neighbouring ones."""
    terms: set[str] = set()
    before: str | None = None
    for word in words_of(text):
        carries = word not in _STOP_WORDS and 1 < len(word) <= _LONGEST_WORD and not _NUMERIC.search(word)
        if carries:
            terms.add(word)
            if before and before != word:
                terms.add(f"{before} {word}")
        before = word if carries else None
    return terms


def _terms_by_class(texts: Sequence[str], labels: NDArray[np.int64]) -> dict[int, Counter[str]]:
    """The number of cases of each class with a term, without terms that most cases share."""
    classes: dict[int, Counter[str]] = {int(label): Counter() for label in labels}
    total: Counter[str] = Counter()
    for text, label in zip(texts, labels, strict=True):
        terms = terms_of(text)
        classes[int(label)].update(terms)
        total.update(terms)
    if len(classes) > 1:
        common = {term for term, count in total.items() if count > _COMMON * len(texts)}
        for counts in classes.values():
            for term in common & counts.keys():
                del counts[term]
    return classes


def _keywords(counts: Mapping[str, int], overall: Counter[str], *, classes: int, cases: int) -> tuple[str, ...]:
    """The terms with the largest weight; none repeats a word of a term before it."""
    mean_terms = overall.total() / classes
    size = sum(counts.values())
    least = max(2, _LEAST * cases)
    weight = {
        term: count / size * math.log1p(mean_terms / overall[term]) for term, count in counts.items() if count >= least
    }
    ranked = sorted(weight, key=lambda term: (-weight[term], term))
    chosen: list[str] = []
    used: set[str] = set()
    for term in ranked:
        if used & _stems(term):
            continue
        chosen.append(_phrase_for(term, ranked, counts, used))
        used |= _stems(chosen[-1])
        if len(chosen) == KEYWORDS:
            break
    return tuple(chosen)


def _phrase_for(word: str, ranked: Sequence[str], counts: Mapping[str, int], used: set[str]) -> str:
    """The two-word term that most cases with the word contain; else the word itself."""
    if " " in word:
        return word
    enough = _PHRASE * counts[word]
    phrases = (t for t in ranked if " " in t and word in t.split() and counts[t] >= enough and not used & _stems(t))
    return next(phrases, word)


def _stems(term: str) -> set[str]:
    """The term's words without English endings: `refund`, `refunds` and `refunded` are one."""
    return {_ENDING.sub("", word) for word in term.split()}


def _unique_name(keywords: Sequence[str], taken: set[str], number: int) -> str:
    if not keywords:
        return f"unnamed group {number}"
    least = min(NAME_TERMS, len(keywords))
    names = [" / ".join(keywords[:length]) for length in range(least, len(keywords) + 1)]
    return next((name for name in names if name not in taken), f"{names[0]} ({number})")
