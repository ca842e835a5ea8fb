"""Topic clusters of the failing inputs, named by the words of the inputs: the usual way to report failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.clustering.finding import FIRST, Named
from benchmarks.common.lexical import LexicalEncoder

_WORD = r"(?u)\b[^\W\d]{3,}\b"
_WORDS = 3
_LEAST = 4  # cases of a cluster, as `clustering.min_cluster_size`


def topic_clusters(texts: Mapping[str, str]) -> dict[str, list[Named]]:
    """Cluster inputs, by case id, by their TF-IDF vectors: by k-means in 15 clusters, and by HDBSCAN; the largest first."""
    if len(texts) < FIRST:
        return {"k-means topics": [], "HDBSCAN topics": []}
    ids, inputs = list(texts), list(texts.values())
    vectors = LexicalEncoder(inputs, dimensions=50, least_texts=2).encode(inputs)
    means = KMeans(FIRST, n_init=3, random_state=0).fit_predict(vectors)
    dense = HDBSCAN(min_cluster_size=_LEAST, copy=True).fit_predict(vectors)
    return {"k-means topics": _named(ids, inputs, means), "HDBSCAN topics": _named(ids, inputs, dense)}


def _named(ids: Sequence[str], texts: Sequence[str], labels: NDArray[Any]) -> list[Named]:
    """Return the clusters by size; each has the words as its name whose class TF-IDF is highest."""
    numbers = [n for n in np.unique(labels).tolist() if n >= 0]
    if not numbers:
        return []
    joined = [" ".join(t for t, n in zip(texts, labels, strict=True) if n == number) for number in numbers]
    counter = CountVectorizer(stop_words="english", token_pattern=_WORD)
    counts = counter.fit_transform(joined).toarray().astype(float)
    weights = counts / counts.sum(axis=1, keepdims=True) * np.log1p(counts.sum() / len(numbers) / counts.sum(axis=0))
    words = counter.get_feature_names_out()
    clusters = [
        Named(
            id=f"topic {number}",
            name=" / ".join(words[np.argsort(-row, kind="stable")[:_WORDS]]),
            sentence="",
            case_ids=frozenset(i for i, n in zip(ids, labels, strict=True) if n == number),
        )
        for number, row in zip(numbers, weights, strict=True)
    ]
    return sorted(clusters, key=lambda cluster: (-len(cluster.case_ids), cluster.name))
