"""Query strategies as modAL takes them: functions of a learner and a pool."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, column_or_1d

from curator.sklearn.pool import SEEDS, LabelledPool, RandomState, Rows


def uncertainty_coverage_sampling(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    disagreement: ArrayLike | None = None,
    random_state: RandomState = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose the rows of the pool to label next, as `UncertaintyCoverage` does.

        learner = ActiveLearner(estimator, query_strategy=uncertainty_coverage_sampling, X_training=X, y_training=y)
        places, rows = learner.query(X_pool, n_instances=50)

    Args:
        learner: an `ActiveLearner`, whose training rows are covered already, or a `Committee`, with the training rows of all its
            members and the mean of their probabilities. Without a fitted estimator that has `predict_proba`, a logistic
            regression is fitted to the labels.
        X_pool: rows without a label, (n, d). With the learner's `on_transformed` they are its transformed rows.
        n_instances: the number of rows to choose; of a smaller pool all are chosen, with a warning.
        disagreement: of a committee of prompts, (n,), in 0..1; it replaces the uncertainty of the learner.
        random_state: see `UncertaintyCoverage`.

    Returns:
        The places of the rows, (n_instances,), the most informative first, and the gain of each. From both, the learner's
        `query` returns the places with their rows, and with `return_metrics` the gains.

    Raises:
        ValueError: the rows are not finite numbers, or the lengths do not fit.
        ConfigError: `disagreement` is not finite.
    """
    pool = _pool(learner, X_pool, disagreement)
    size = len(pool.candidates)
    if n_instances > size:
        warnings.warn(f"n_instances is {n_instances}, and the pool has only {size} rows", stacklevel=2)
    seed = int(check_random_state(random_state).randint(SEEDS))
    batch = pool.batch(min(n_instances, size), seed)
    indices = np.array([query.index for query in batch.queries], dtype=np.int64) - len(pool.labels)
    return indices, np.array([query.gain for query in batch.queries])


def _pool(learner: Any, pool: Any, disagreement: ArrayLike | None) -> LabelledPool:
    """Return the training rows of the learner, each once, and after them the rows of the pool."""
    members = [member for member in getattr(learner, "learner_list", [learner]) if member.X_training is not None]
    parts = [*(member.X_training for member in members), pool]
    rows = [_rows(learner, part) for part in parts]
    every = np.vstack(rows)
    trained = len(every) - len(rows[-1])
    first = np.sort(np.unique(every[:trained], axis=0, return_index=True)[1])  # members share training rows
    kept = np.concatenate([first, np.arange(trained, len(every))])
    labels = np.concatenate([np.ravel(member.y_training) for member in members])[first].tolist() if members else []
    spread = None if disagreement is None else np.concatenate([np.zeros(len(labels)), column_or_1d(disagreement)])
    probabilities = _probabilities(learner, parts) if spread is None else None
    return LabelledPool(
        every[kept],
        dict(enumerate(labels)),
        np.arange(len(labels), len(kept)),
        spread,
        None if probabilities is None else probabilities[kept],
    )


def _rows(learner: Any, rows: Any) -> Rows:
    checked: Rows = check_array(learner.transform_without_estimating(rows) if learner.on_transformed else rows)
    return checked


def _probabilities(learner: Any, parts: Iterable[Any]) -> NDArray[np.float64] | None:
    """Return the class probabilities of the learner, (n, C); None where it has none."""
    try:
        return np.vstack([learner.predict_proba(part) for part in parts])
    except (NotFittedError, AttributeError):
        return None
