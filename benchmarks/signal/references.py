"""The estimators again, directly from the formulas: slow, obvious, no code of `curator`.

Tests compare `curator.disagreement` with these. `BASELINES` is what a user of public libraries gets from raw texts, for
`disagreement.py` to set beside our scores: each takes the texts of the answers and the target's, if there is one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm, logm
from scipy.stats import entropy as scipy_entropy

Floats = NDArray[np.float64]
Classes = Sequence[Hashable]
Weights = Sequence[float] | None
Words = tuple[str, ...]


# --- partitions -------------------------------------------------------------------------------------------------------


def shares(classes: Classes, weights: Weights = None) -> Floats:
    """The weight of each class over the weight of all."""
    w = np.ones(len(classes)) if weights is None else np.array(weights, dtype=float)
    of = np.array([w[[c == other for other in classes]].sum() for c in dict.fromkeys(classes)])
    return of / of.sum()


def semantic_entropy(classes: Classes, weights: Weights = None) -> float:
    """In nats: -sum p ln p."""
    return float(scipy_entropy(shares(classes, weights)))


def semantic_split(classes: Classes, groups: Sequence[str], weights: Weights = None) -> tuple[float, float]:
    """Return the mean entropy of the groups, and their mean Kullback-Leibler divergence.

    Both over the entropy of the weights themselves, for answers that all differ.
    """
    w = np.ones(len(classes)) if weights is None else np.array(weights, dtype=float)
    names = sorted({str(c) for c, x in zip(classes, w, strict=True) if x > 0})
    among = np.array([[str(c) == name for name in names] for c in classes], dtype=float)
    everyone = w @ among / w.sum()
    within = between = 0.0
    for group in set(groups):
        of_group = np.array([g == group for g in groups]) * w
        if of_group.sum() > 0:
            p = of_group @ among / of_group.sum()
            within += of_group.sum() / w.sum() * scipy_entropy(p)
            between += of_group.sum() / w.sum() * scipy_entropy(p, everyone)
    largest = scipy_entropy(w)
    return float(within / largest), float(between / largest)


def variation_ratio(classes: Classes, weights: Weights = None) -> float:
    return float(1 - shares(classes, weights).max())


def vote_margin(classes: Classes, weights: Weights = None) -> float:
    top = np.sort(np.append(shares(classes, weights), 0))[::-1]
    return float(1 - top[0] + top[1])


def share_against(classes: Classes, target: Hashable, weights: Weights = None) -> float:
    w = np.ones(len(classes)) if weights is None else np.array(weights, dtype=float)
    return float(sum(x for x, c in zip(w, classes, strict=True) if c != target) / w.sum())


def good_turing(classes: Classes) -> float:
    """|S| = k n / (n - f1), infinite where all differ."""
    n, singletons = len(classes), singles(classes)
    return math.inf if singletons == n else len(set(classes)) * n / (n - singletons)


def alphabet_entropy(classes: Classes, spectral: float | None = None) -> float:
    """McCabe et al., with U_EigV where Good and Turing have no value."""
    k, n = len(set(classes)), len(classes)
    spectral = k if spectral is None else spectral
    size = spectral if singles(classes) == n else max(good_turing(classes), spectral)
    return horvitz_thompson(k / max(size, k) * shares(classes), n)


def chao_shen(classes: Classes) -> float:
    n, singletons = len(classes), singles(classes)
    coverage = 1 - (n - 1 if singletons == n else singletons) / n
    return horvitz_thompson(coverage * shares(classes), n)


def horvitz_thompson(q: Floats, n: int) -> float:
    return float(sum(-x * math.log(x) / (1 - (1 - x) ** n) for x in q))


def singles(classes: Classes) -> int:
    return sum(list(classes).count(c) == 1 for c in classes)


# --- similarities -----------------------------------------------------------------------------------------------------


def lcs(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by the textbook's table."""
    above = [0] * (len(right) + 1)
    for a in left:
        row = [0]
        for j, b in enumerate(right):
            row.append(above[j] + 1 if a == b else max(above[j + 1], row[j]))
        above = row
    return above[-1]


def rouge_l(left: Sequence[str], right: Sequence[str]) -> float:
    """Return the F value of the longest common subsequence; 1 for equal texts."""
    if list(left) == list(right):
        return 1.0
    common = lcs(left, right)
    if common == 0:
        return 0.0
    precision, recall = common / len(left), common / len(right)
    return 2 * precision * recall / (precision + recall)


def jaccard(left: Sequence[str], right: Sequence[str]) -> float:
    both = set(left) | set(right)
    return len(set(left) & set(right)) / len(both) if both else 1.0


def matrix(items: Sequence[Any], similarity: Callable[[Any, Any], float]) -> Floats:
    return np.array([[1.0 if i == j else similarity(a, b) for j, b in enumerate(items)] for i, a in enumerate(items)])


def cosine(left: Floats, right: Floats) -> float:
    """(1 + cos) / 2; 1/2 where a vector is 0."""
    norms = np.linalg.norm(left) * np.linalg.norm(right)
    return float((1 + (left @ right / norms if norms else 0)) / 2)


# --- graphs: as published, and `unit` for the same on a scale of 0 (all one) to 1 (all different) ---------------------


def deg(w: Floats) -> float:
    """U_Deg = trace(n I - D) / n^2."""
    n = len(w)
    return float(np.trace(n * np.eye(n) - np.diag(w.sum(axis=1))) / n**2)


def laplacian(w: Floats) -> Floats:
    root = np.diag(1 / np.sqrt(w.sum(axis=1)))
    return np.eye(len(w)) - root @ w @ root


def eigv(w: Floats) -> float:
    """U_EigV = sum max(0, 1 - lambda)."""
    return float(sum(max(0.0, 1 - value) for value in np.linalg.eigvalsh(laplacian(w))))


def ecc(w: Floats, threshold: float = 0.9) -> float:
    """Return U_Ecc with the published threshold, from the rows of the eigenvectors."""
    values, vectors = np.linalg.eigh(laplacian(w))
    rows = vectors[:, values < threshold - 1e-12]
    return float(np.linalg.norm(rows - rows.mean(axis=0)))


def ecc_of_each(w: Floats, threshold: float = 0.9) -> Floats:
    values, vectors = np.linalg.eigh(laplacian(w))
    rows = vectors[:, values < threshold - 1e-12]
    centre = sum(rows) / len(rows)
    return np.array([math.dist(row, centre) for row in rows])


def smooth_ecc(w: Floats) -> float:
    """Return the square root of trace(C M+ C), C centring, M+ the positive part of I - L."""
    values, vectors = np.linalg.eigh(np.eye(len(w)) - laplacian(w))
    positive = vectors @ np.diag(np.where(values > 1e-12, values, 0)) @ vectors.T
    centre = np.eye(len(w)) - 1 / len(w)
    return float(np.sqrt(max(0.0, np.trace(centre @ positive @ centre))))


def snne(w: Floats, temperature: float = 1.0) -> float:
    """-(1/n) sum_i ln sum_j exp(w_ij / temperature)."""
    return float(-np.log(np.exp(w / temperature).sum(axis=1)).mean())


def heat_entropy(w: Floats, time: float) -> float:
    """-trace(K ln K) of the heat kernel with a diagonal of 1/n."""
    kernel = expm(-time * (np.diag(w.sum(axis=1)) - w))
    root = np.diag(1 / np.sqrt(np.diag(kernel)))
    unit_trace = root @ kernel @ root / len(w)
    return float(-np.trace(unit_trace @ logm(unit_trace)).real)


def unit(value: float, measure: Callable[[Floats], float], n: int) -> float:
    """Scale a value between that of n equal answers and that of n different ones."""
    low, high = measure(np.ones((n, n))), measure(np.eye(n))
    return (value - low) / (high - low)


def eigen_score(vectors: Floats, ridge: float = 1e-3) -> float:
    n, d = vectors.shape
    centre = np.eye(d) - np.ones((d, d)) / d
    return float(np.log(np.linalg.eigvalsh(vectors @ centre @ vectors.T + ridge * np.eye(n))).mean())


# --- likelihoods ------------------------------------------------------------------------------------------------------


def class_probabilities(classes: Classes, loglikelihoods: Sequence[float]) -> Floats:
    masses = [sum(math.exp(v) for v, d in zip(loglikelihoods, classes, strict=True) if d == c) for c in set(classes)]
    return np.array(masses) / sum(masses)


def likelihood_entropy(classes: Classes, loglikelihoods: Sequence[float]) -> float:
    """In nats."""
    return float(scipy_entropy(class_probabilities(classes, loglikelihoods)))


# --- what public libraries give for raw texts -------------------------------------------------------------------------


def _lower(text: str) -> tuple[str, ...]:
    return tuple(text.lower().split())


def _rouge_words(text: str) -> tuple[str, ...]:
    """The tokens of the usual ROUGE package, without its stemmer."""
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def _distinct(items: Sequence[Words], similarity: Callable[[Words, Words], float]) -> Floats:
    """The matrix, made of the distinct ones: hundreds of answers with the same label are common."""
    distinct = list(dict.fromkeys(items))
    places = [distinct.index(item) for item in items]
    return matrix(distinct, similarity)[np.ix_(places, places)]


# several baselines ask for the matrix of the same texts, one after the other
@lru_cache(maxsize=4)
def _rouge_of(texts: tuple[str, ...]) -> Floats:
    return _distinct([_rouge_words(text) for text in texts], rouge_l)


def _rouge_matrix(texts: Sequence[str]) -> Floats:
    return _rouge_of(tuple(texts))


def _jaccard_matrix(texts: Sequence[str]) -> Floats:
    return _distinct([_lower(text) for text in texts], jaccard)


def _tf_idf(texts: Sequence[str]) -> Floats:
    """Return the cosines of scikit-learn's TF-IDF vectors of these texts; 0 without any word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer().fit_transform(texts).toarray()
    except ValueError:
        return np.array([[float(a == b) for b in texts] for a in texts])
    return np.asarray(vectors @ vectors.T)


def _pairs(w: Floats) -> float:
    """One less the mean of what is off the diagonal."""
    n = len(w)
    return float(1 - (w.sum() - np.trace(w)) / (n * (n - 1)))


def _to_target(similarity: Callable[[Sequence[str]], Floats]) -> Callable[[Sequence[str], str | None], float | None]:
    """One less the mean similarity of the answers to the target; None without one."""
    return lambda texts, target: None if target is None else float(1 - similarity([*texts, target])[-1, :-1].mean())


Baseline = Callable[[Sequence[str], str | None], float | None]

BASELINES: Mapping[str, Baseline] = {
    "exact-match entropy": lambda texts, _: semantic_entropy([text.strip() for text in texts]),
    "exact-match sets": lambda texts, _: len({text.strip() for text in texts}),
    "exact match to target": lambda texts, target: (
        None if target is None else share_against([text.strip() for text in texts], target.strip())
    ),
    "ROUGE-L similarity": lambda texts, _: _pairs(_rouge_matrix(texts)),
    "ROUGE-L to target": _to_target(_rouge_matrix),
    "Jaccard Deg": lambda texts, _: deg(_jaccard_matrix(texts)),
    "Jaccard EigV": lambda texts, _: eigv(_jaccard_matrix(texts)),
    "Jaccard Ecc": lambda texts, _: ecc(_jaccard_matrix(texts)),
    "ROUGE-L SNNE": lambda texts, _: snne(_rouge_matrix(texts)),
    "TF-IDF cosine": lambda texts, _: _pairs(_tf_idf(texts)),
    "TF-IDF to target": _to_target(_tf_idf),
}
"""Name -> value of a case; higher means more disagreement. Two answers at least; None where a target is missing."""
