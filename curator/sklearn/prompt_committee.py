"""`PromptCommittee`: a committee of prompts or models as a classifier over labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from curator.answers.read import read_answer
from curator.records import Kind
from curator.records.recorded import Recorded
from curator.sklearn.cases import ReadAs, read_cases


class PromptCommittee(ClassifierMixin, BaseEstimator):
    """Classify by the votes of a committee's recorded answers.

    Each answer is read as one of the classes, as `curator` reads labels: "The answer is: Refund." is a vote for `refund`. An
    answer that names no class is not a vote. X is as in `CommitteeDisagreement`; `AskCommittee` makes it of texts.

    `fit` learns the classes and their shares in y, and nothing else: no weight of a member, and no calibration.

    In modAL, a `Committee` has one `ActiveLearner` for each member, with `members` naming it. modAL's own votes are numbers, so
    that labels must be encoded as such.

    Args:
        members: the members that vote, by prompt identity (`MODEL/VARIANT` of a record, or the name or number of a
            table's column); None for all.

    Attributes:
        classes_: the classes, sorted, (C,).
        class_prior_: the share of each class in y, (C,).
        n_features_in_: the number of columns; only if X is a table.
        feature_names_in_: their names; only if X is a data frame whose columns have names.
    """

    def __init__(self, members: Sequence[str | int] | None = None) -> None:
        self.members = members

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Take the classes from y, (n,), and check that X can be read.

        Raises:
            ValueError: y is missing, does not fit X or holds no classes, a case cannot be read, or no case has an answer of a
                member.
        """
        if y is None:
            raise ValueError("PromptCommittee requires y to be passed, but the target y is None")
        records = read_cases(self, X, ReadAs(None, ()), reset=True)
        labels = column_or_1d(y, warn=True)
        if labels.dtype.kind == "f":
            check_array(labels, ensure_2d=False)
        check_classification_targets(labels)
        check_consistent_length(records, labels)
        self._check_members(records)
        self.classes_, counts = np.unique(labels, return_counts=True)
        self.class_prior_ = counts / counts.sum()
        self._reading()
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the most votes of each case, (n,).

        Of several, the first in the order of `classes_`. Without a vote, the most frequent class of y.
        """
        shares = self.predict_proba(X)
        predicted: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return predicted

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the share of the votes for each class, (n, C); without a vote, the shares in y.

        Shares are not calibrated: five answers of one model that agree may all be wrong. `CalibratedClassifierCV` around the
        committee learns from labels how far they can be trusted.
        """
        check_is_fitted(self)
        votes = self._votes(read_cases(self, X, ReadAs(None, ()), reset=False))
        counts = votes.sum(axis=1, keepdims=True)
        return np.asarray(np.where(counts > 0, votes / np.maximum(counts, 1), self.class_prior_), dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.poor_score = True  # numbers drawn at random are no votes for a class
        return tags

    def _reading(self) -> tuple[Kind, tuple[str, ...], dict[str, int]]:
        """Return the kind and labels to read answers with, and the place of each class by its key.

        Raises:
            ValueError: two classes are read alike, or a class cannot be read.
        """
        numeric = self.classes_.dtype.kind in "iuf"
        kind: Kind = "number" if numeric else "label"
        names = tuple(str(label) for label in self.classes_.tolist())
        labels = () if numeric else names
        place: dict[str, int] = {}
        for number, name in enumerate(names):
            key = read_answer(name, kind, labels=labels).key
            if not key or key in place:
                other = f"is read as {names[place[key]]!r}, another class" if key else "cannot be read as a label"
                raise ValueError(f"the class {name!r} {other}; give the classes of y names that differ in their words")
            place[key] = number
        return kind, labels, place

    def _votes(self, records: Sequence[Recorded]) -> NDArray[np.float64]:
        """Count the answers that name each class, (n, C)."""
        kind, labels, place = self._reading()
        members = None if self.members is None else set(map(str, self.members))
        votes = np.zeros((len(records), len(place)))
        for row, record in zip(votes, records, strict=True):
            for answer in record.answers:
                if members is None or answer.prompt_id in members:
                    key = read_answer(answer.text, kind, labels=labels, input=record.input).key
                    if key in place:
                        row[place[key]] += 1
        return votes

    def _check_members(self, records: Sequence[Recorded]) -> None:
        if self.members is None:
            return
        there = {answer.prompt_id for record in records for answer in record.answers}
        for member in map(str, self.members):
            if member not in there:
                raise ValueError(f"no answer of X is of the member {member!r}; there are {sorted(there)}")
