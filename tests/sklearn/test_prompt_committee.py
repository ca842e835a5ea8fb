"""A committee of prompts as a classifier: votes, shares, members."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from curator.sklearn import PromptCommittee

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "generations": [{"text": "The answer is: Refund.", "variant": "terse"}, {"text": "refund", "variant": "polite"}]},
    {"id": "b", "generations": [{"text": "Delivery!", "variant": "terse"}, {"text": "refund", "variant": "polite"}]},
    {"id": "c", "generations": [{"text": "I do not know.", "variant": "terse"}, {"text": "delivery", "variant": "polite"}]},
    {"id": "d", "generations": [{"text": "banana", "variant": "terse"}]},
]  # fmt: skip
LABELS = ["refund", "delivery", "delivery", "delivery"]


def test_scikit_learns_checks() -> None:
    results = check_estimator(PromptCommittee(), on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


def test_votes_are_read_as_labels_and_shares_sum_to_one() -> None:
    committee = PromptCommittee().fit(RECORDS, LABELS)
    assert committee.classes_.tolist() == ["delivery", "refund"]
    expected = [[0, 1], [0.5, 0.5], [1, 0], [0.75, 0.25]]  # without a vote: the shares in y
    np.testing.assert_allclose(committee.predict_proba(RECORDS), expected)
    assert committee.predict(RECORDS).tolist() == ["refund", "delivery", "delivery", "delivery"]
    assert committee.score(RECORDS, LABELS) == 1


def test_members_vote_alone() -> None:
    terse = PromptCommittee(["terse"]).fit(RECORDS, LABELS)
    assert terse.predict(RECORDS[:2]).tolist() == ["refund", "delivery"]
    polite = PromptCommittee(["polite"]).fit(RECORDS, LABELS)
    assert polite.predict(RECORDS[:2]).tolist() == ["refund", "refund"]


def test_the_columns_of_a_table_are_members_by_name_or_number() -> None:
    frame = pd.DataFrame({"terse": ["a", "b"], "polite": ["b", "b"]})
    assert PromptCommittee(["terse"]).fit(frame, ["a", "b"]).predict(frame).tolist() == ["a", "b"]
    assert PromptCommittee([1]).fit(frame.to_numpy(), ["a", "b"]).predict(frame.to_numpy()).tolist() == ["b", "b"]


def test_numbers_are_classes_by_their_value() -> None:
    committee = PromptCommittee().fit([["1", "1.0", "2"], ["the answer is 2"]], [1, 2])
    np.testing.assert_allclose(committee.predict_proba([["1.0", "1", "2"], ["2.0"]]), [[2 / 3, 1 / 3], [0, 1]])


def test_it_is_scored_and_calibrated_like_another_classifier() -> None:
    cases = np.array([[["yes", "yes"], ["no", "no"], ["yes", "no"]][i % 3] for i in range(60)])
    truth = np.array([["yes", "no", "no"][i % 3] for i in range(60)])
    assert cross_val_score(PromptCommittee(), cases, truth, cv=3).mean() == pytest.approx(1)
    calibrated = CalibratedClassifierCV(PromptCommittee(), cv=3).fit(cases, truth)
    np.testing.assert_allclose(calibrated.predict_proba(cases).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("committee", "labels", "message"),
    [
        (PromptCommittee(), None, "requires y to be passed"),
        (PromptCommittee(), LABELS[:3], "inconsistent numbers of samples"),
        (PromptCommittee(["kind"]), LABELS, r"no answer of X is of the member 'kind'; there are \['polite', 'terse'\]"),
        (PromptCommittee(), ["Refund", "refund", "b", "b"], "the class 'refund' is read as 'Refund', another class"),
        (PromptCommittee(), ["", "refund", "b", "b"], "the class '' cannot be read as a label"),
        (PromptCommittee(), [0.5, 0.25, 0.1, 0.7], "Unknown label type"),
    ],
)
def test_what_does_not_fit_is_refused(committee: PromptCommittee, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        committee.fit(RECORDS, labels)
