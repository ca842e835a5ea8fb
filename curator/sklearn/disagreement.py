"""`CommitteeDisagreement`: from the answers of a committee to the signals of each case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from curator.disagreement.estimators import ESTIMATORS
from curator.disagreement.recorded import estimator_values, fit_scoring, score_record
from curator.disagreement.side_signals import SIDE_SIGNALS
from curator.records import Score
from curator.records.recorded import Recorded
from curator.sklearn.cases import ReadAs, read_cases
from curator.workflows.recorded_lines import sample_items

SCORE_SIGNALS = ("disagreement", "within", "between", "against_target", "agreement")
"""The fields of a score that are signals, each in 0..1."""


class CommitteeDisagreement(TransformerMixin, BaseEstimator):
    """Transform the answers of a committee to one row of signals a case.

    The signals are those of `curator score`. `fit` learns the kind and the readings of each task and the weight of each member,
    without labels, from all cases or an even sample of many. It needs no y.

    X is a list of cases, each a list of answers or a record as `curator score` reads it (a dict with `generations`, and where
    there are any `input`, `target`, `task`). Or it is a table with two dimensions, a row a case and a column a member: the
    names of a data frame's columns (else their numbers) are the prompt identities, and a missing value is not an answer.

    Args:
        signals: the columns of the output, by name: fields of a score (`SCORE_SIGNALS`), the likelihood and stated confidence
            (`SIDE_SIGNALS`), or estimators of `docs/estimators.md`. None for each field of a score that at least one case of
            `fit` has: `against_target` needs a target.
        kind: the kind of the answers, one of `records.KINDS`; None to detect it. A record's own kind comes first.
        labels: the labels that an answer can be; None where they are not fixed. A record's own labels come first.
        equal_members: give every member the same weight, instead of one by its health.

    Attributes:
        model_: the fit, a `ScoringModel`.
        health_: the health of the members; empty with `equal_members`.
        signals_: the names of the columns.
        n_features_in_: the number of members; only if X is a table.
        feature_names_in_: their names; only if X is a data frame whose columns have names.
    """

    def __init__(
        self,
        signals: Sequence[str] | None = None,
        *,
        kind: str | None = None,
        labels: Sequence[str] | None = None,
        equal_members: bool = False,
    ) -> None:
        self.signals = signals
        self.kind = kind
        self.labels = labels
        self.equal_members = equal_members

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: ARG002  scikit-learn passes one
        """Fit the readings of each task and the weights of the members.

        Raises:
            ValueError: a case cannot be read, no case has two answers, or a signal or kind is unknown.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: object = None, **fit_params: object) -> NDArray[np.float64]:  # noqa: ARG002
        """Fit to X and transform it, reading it once."""
        return self._signals_of(self._fit(X))

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the signals, (n, d): a row a case, a column a name of `get_feature_names_out`.

        A signal is nan where the case has fewer than two answers, or lacks what the signal needs.

        Raises:
            ValueError: a case cannot be read, or a table has other columns than that of `fit`.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        return self._signals_of(read_cases(self, X, self._read_as(), reset=False))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the columns."""
        check_is_fitted(self)
        return np.array(self.signals_, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags

    def _read_as(self) -> ReadAs:
        return ReadAs.of(self.kind, self.labels)

    def _fit(self, cases: Any) -> list[Recorded]:
        wanted = None if self.signals is None else tuple(self.signals)
        for name in wanted or ():
            if name not in (*SCORE_SIGNALS, *SIDE_SIGNALS) and name not in ESTIMATORS:
                choice = ", ".join((*SCORE_SIGNALS, *SIDE_SIGNALS, *ESTIMATORS))
                raise ValueError(f"unknown signal {name!r}; choose from: {choice}")
        records = read_cases(self, cases, self._read_as(), reset=True)
        if not any(len(record.answers) > 1 for record in records):
            raise ValueError(
                f"no case of X has two answers{_members_of(self)}; disagreement needs at least two members"
            )
        self.model_, self.health_ = fit_scoring(sample_items(records), equal_members=self.equal_members)
        self.signals_ = wanted or _present(records)
        return records

    def _signals_of(self, records: Sequence[Recorded]) -> NDArray[np.float64]:
        estimators = [name for name in self.signals_ if name in ESTIMATORS]
        rows = np.full((len(records), len(self.signals_)), np.nan)
        for row, record in zip(rows, records, strict=True):
            values = _values(score_record(record, model=self.model_))
            values |= estimator_values(record, estimators, model=self.model_) if estimators else {}
            for column, name in enumerate(self.signals_):
                value = values.get(name)
                row[column] = np.nan if value is None else value
        return rows


def _present(records: Sequence[Recorded]) -> tuple[str, ...]:
    """Return the fields of a score that some record has."""
    has_target = any(record.target is not None and len(record.answers) > 1 for record in records)
    return tuple(name for name in SCORE_SIGNALS if has_target or name != "against_target")


def _values(score: Score) -> dict[str, float | None]:
    return {**{name: getattr(score, name) for name in SCORE_SIGNALS}, **(score.signals or {})}


def _members_of(estimator: CommitteeDisagreement) -> str:
    members = getattr(estimator, "n_features_in_", None)
    return "" if members is None else f" (the table has {members} feature(s))"
