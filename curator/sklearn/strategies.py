"""Query strategies with the `query` of scikit-activeml; they work without it."""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_consistent_length, check_random_state, check_scalar
from sklearn.utils.validation import check_array, column_or_1d

from curator.sklearn.pool import SEEDS, LabelledPool, RandomState, Rows


class UncertaintyCoverage(BaseEstimator):
    """Query the rows that represent most of what the learner still doubts.

    It chooses as `curator.next_batch` does: with no label it covers the pool; with more labels it moves to the rows that the
    learner doubts. A batch is chosen together, so that two rows that say the same are not both in it.

    Where scikit-activeml is installed, this is a `SingleAnnotatorPoolQueryStrategy` to it.

    Args:
        estimator: a classifier with `predict_proba`; a clone of it is fitted to the labelled rows. None for logistic regression
            on the rows at unit length.
        missing_label: the value of y where a row has no label: nan, None, a number or a text.
        random_state: fixes the order among equals, and the rows that represent a pool larger than
            `training_batch.MAX_POOL`.
    """

    def __init__(
        self, estimator: Any = None, *, missing_label: float | str | None = np.nan, random_state: RandomState = None
    ) -> None:
        self.estimator = estimator
        self.missing_label = missing_label
        self.random_state = random_state

    def query(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        disagreement: ArrayLike | None = None,
        candidates: ArrayLike | None = None,
        batch_size: int = 1,
        return_utilities: bool = False,
    ) -> NDArray[np.int64] | tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Choose the rows to label next, the most informative first.

        Args:
            X: the pool, (n, d): finite numbers whose direction counts, such as sentence vectors; standardise others.
            y: the labels, (n,), `missing_label` where a row has none.
            disagreement: of a committee, (n,), in 0..1, such as the first column of `CommitteeDisagreement`; it replaces the
                uncertainty of the learner.
            candidates: the places in X that may be chosen; None for all rows without a label. Or rows, (m, d): then they are
                the pool, with the labelled rows of X.
            batch_size: the number of rows to choose; with fewer candidates all are chosen, with a warning.
            return_utilities: return the utilities too.

        Returns:
            The places of the chosen rows in X (in `candidates` if these are rows), (batch_size,). With `return_utilities` also
            the gains of all rows before each choice, (batch_size, n or m), nan for rows that could not be chosen.

        Raises:
            ValueError: the arguments do not fit each other, a candidate has a label, or `random_state` is not one.
            TypeError: an argument has the wrong type, or y cannot hold `missing_label`.
        """
        check_scalar(batch_size, "batch_size", (int, np.integer), min_val=1)
        check_scalar(return_utilities, "return_utilities", (bool, np.bool_))
        seed = int(check_random_state(deepcopy(self.random_state)).randint(SEEDS))
        rows, labels, labelled = self._check_pool(X, y)
        pool, first = _pool(rows, labels, labelled, candidates, disagreement)
        if len(pool.candidates) < batch_size:
            warnings.warn(
                f"batch_size is {batch_size}, and only {len(pool.candidates)} rows can be chosen", stacklevel=2
            )
        size = min(batch_size, len(pool.candidates))
        pool = replace(pool, probabilities=self._probabilities(rows[labelled], labels[labelled], pool))
        batch = pool.batch(size, seed, with_gains=return_utilities)
        indices = np.array([query.index for query in batch.queries], dtype=np.int64) - first
        return indices if batch.gains is None else (indices, batch.gains[:, first:])

    def _check_pool(self, X: ArrayLike, y: ArrayLike) -> tuple[Rows, Rows, NDArray[np.bool_]]:
        """Return the rows, their labels, and which of them have one."""
        rows: Rows = check_array(X)
        check_consistent_length(rows, y)
        labels: Rows = column_or_1d(y)
        return rows, labels, ~missing(labels, self.missing_label)

    def _probabilities(self, rows: Rows, labels: Rows, pool: LabelledPool) -> NDArray[np.float64] | None:
        """Return the class probabilities of the pool.

        None without an estimator, with disagreement, or with fewer than two classes.
        """
        if self.estimator is None or pool.disagreement is not None or len(set(labels.tolist())) < 2:
            return None
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(f"the estimator {self.estimator!r} has no predict_proba; choose a classifier that has")
        return np.asarray(clone(self.estimator).fit(rows, labels).predict_proba(pool.rows), dtype=np.float64)


def missing(labels: Rows, missing_label: float | str | None) -> NDArray[np.bool_]:
    """Return which labels are missing, (n,).

    Raises:
        TypeError: the missing label is not nan, None, a number or a text, or an array of this type cannot hold it.
    """
    if not isinstance(missing_label, None | str | int | float | np.number):
        raise TypeError(f"missing_label is {missing_label!r}; give nan, None, a number or a text")
    kinds = {type(None): "O", str: "OUS"}.get(type(missing_label), "Obiuf")
    if labels.dtype.kind not in kinds:
        raise TypeError(f"labels of the type {labels.dtype} cannot hold the missing label {missing_label!r}")
    return np.array([_same(label, missing_label) for label in labels.tolist()], dtype=bool)


def _same(label: object, missing_label: float | str | None) -> bool:
    if missing_label is None or label is None:
        return label is missing_label
    return label == missing_label or (label != label and missing_label != missing_label)  # noqa: PLR0124  nan


def _pool(
    rows: Rows, labels: Rows, labelled: NDArray[np.bool_], candidates: ArrayLike | None, disagreement: ArrayLike | None
) -> tuple[LabelledPool, int]:
    """Return the pool, and the place in it of the first row that places count from."""
    spread = None if disagreement is None else _spread(disagreement, rows)
    places = np.flatnonzero(labelled)
    if candidates is None:
        chosen = np.flatnonzero(~labelled)
    else:
        given = np.asarray(candidates)
        if given.ndim == 2:
            return _pool_of_rows(rows[places], labels[places].tolist(), given, spread)
        chosen = _checked_places(given, labelled)
    return LabelledPool(rows, dict(zip(places.tolist(), labels[places].tolist(), strict=True)), chosen, spread), 0


def _pool_of_rows(
    labelled: Rows, labels: list[Any], candidates: Rows, spread: NDArray[np.float64] | None
) -> tuple[LabelledPool, int]:
    if spread is not None:
        raise ValueError("with disagreement, give candidates as places in X, not as rows")
    new: Rows = check_array(candidates)
    if new.shape[1] != labelled.shape[1]:
        raise ValueError(f"the candidates have {new.shape[1]} features, and X has {labelled.shape[1]}")
    first = len(labelled)
    chosen = np.arange(first, first + len(new))
    return LabelledPool(np.vstack([labelled, new]), dict(enumerate(labels)), chosen), first


def _checked_places(candidates: Rows, labelled: NDArray[np.bool_]) -> NDArray[np.int64]:
    if candidates.dtype.kind == "O":
        raise TypeError("candidates are neither places in X nor rows of numbers")
    if candidates.ndim != 1 or candidates.dtype.kind not in "iu":
        raise ValueError(f"candidates are {candidates!r}; give a list of places in X, or rows")
    if len(candidates) and not (candidates.min() >= 0 and candidates.max() < len(labelled)):
        raise ValueError(f"the places of the candidates are not in 0..{len(labelled) - 1}")
    places = np.unique(candidates).astype(np.int64)
    if labelled[places].any():
        raise ValueError(f"candidate {places[labelled[places]][0]} has a label; give only rows without one")
    return places


def _spread(disagreement: ArrayLike, rows: Rows) -> NDArray[np.float64]:
    spread: NDArray[np.float64] = check_array(disagreement, ensure_2d=False, dtype=np.float64)
    check_consistent_length(rows, spread)
    return np.asarray(column_or_1d(spread), dtype=np.float64)


def _register() -> None:
    """Make the strategy a virtual subclass of scikit-activeml's base.

    Its wrappers and plots accept nothing else.
    """
    if find_spec("skactiveml") is None:
        return
    try:
        from skactiveml.base import SingleAnnotatorPoolQueryStrategy
    except ImportError:  # one that does not fit the scikit-learn that is installed; the strategies need none
        return
    SingleAnnotatorPoolQueryStrategy.register(UncertaintyCoverage)


_register()
