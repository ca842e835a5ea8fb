"""The transformer: the same figures as `curator score`, for records, lists and tables."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import curator
from curator.sklearn import CommitteeDisagreement

RECORDS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "examples" / "recorded.jsonl").read_text(encoding="utf-8").splitlines()
][:60]


def test_scikit_learns_checks() -> None:
    results = check_estimator(CommitteeDisagreement(), on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


def test_the_signals_are_those_of_curator_score() -> None:
    scores = curator.score(RECORDS)
    transformer = CommitteeDisagreement().fit(RECORDS)
    names = transformer.get_feature_names_out()
    assert names.tolist() == ["disagreement", "within", "between", "against_target", "agreement"]
    expected = np.array([[getattr(score, name) for name in names] for score in scores], dtype=float)
    np.testing.assert_array_equal(transformer.transform(RECORDS), expected)


def test_estimators_and_likelihood_are_columns_by_name() -> None:
    records = [
        {"id": "a", "generations": [{"text": "yes", "logprobs": [-0.5]}, {"text": "no", "logprobs": [-1.5]}]},
        {"id": "b", "generations": ["yes", "yes"]},
    ]
    rows = CommitteeDisagreement(["variation_ratio", "token_nll", "against_target"]).fit_transform(records)
    np.testing.assert_allclose(rows, [[0.5, 1.0, np.nan], [0.0, np.nan, np.nan]])


def test_a_transformer_of_one_set_reads_the_next_by_its_fit() -> None:
    scores = curator.score(RECORDS)
    alone = CommitteeDisagreement().fit(RECORDS).transform(RECORDS[:3])
    assert alone[:, 0].tolist() == [score.disagreement for score in scores[:3]]


def test_without_a_target_there_is_no_column_for_it_and_a_single_answer_has_no_signal() -> None:
    transformer = CommitteeDisagreement().fit([["refund", "delivery"], ["refund", "refund"]])
    assert "against_target" not in transformer.get_feature_names_out()
    assert np.isnan(transformer.transform([["refund"], [None, "refund"]])).all()


def test_the_columns_of_a_data_frame_are_the_prompt_identities() -> None:
    frame = pd.DataFrame({"terse": ["a", "a", "b"], "polite": ["a", "b", "b"]}).sort_index(axis=1)
    named = CommitteeDisagreement(kind="label").set_output(transform="pandas").fit_transform(frame)
    numbered = CommitteeDisagreement(kind="label").fit_transform(frame.to_numpy())
    listed = CommitteeDisagreement(kind="label").fit_transform(frame.to_numpy().tolist())
    assert named["between"].tolist() == [0, 1, 0]
    assert named["within"].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(numbered, named)
    np.testing.assert_array_equal(listed[:, 1], [0, 1, 0], "the members of a list are not known")
    np.testing.assert_array_equal(listed[:, 2], 0)


def test_kind_and_labels_are_for_answers_without_their_own() -> None:
    cases = [["12", "12.0"], ["3", "4"]]
    assert CommitteeDisagreement(["variation_ratio"], kind="number").fit_transform(cases).tolist() == [[0], [0.5]]
    assert CommitteeDisagreement(["variation_ratio"], kind="label", labels=["12", "12.0"]).fit_transform(
        cases
    ).tolist() == [[0.5], [0.5]]


def test_it_works_in_a_pipeline_and_pickled() -> None:
    wrong = [i % 2 for i in range(len(RECORDS))]
    pipeline = make_pipeline(CommitteeDisagreement(), SimpleImputer(), LogisticRegression()).fit(RECORDS, wrong)
    again = pickle.loads(pickle.dumps(pipeline))  # noqa: S301  our own bytes
    np.testing.assert_array_equal(again.predict_proba(RECORDS), pipeline.predict_proba(RECORDS))


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "0 sample"),
        ([["a", "b"], "a"], "case 1 of X is a str"),
        ([{"id": "a", "generations": [3, 4]}], "case 0 of X: a generation is int"),
        ([{"id": "a", "generations": ["a", "b"], "input": {1, 2}}], "case 0 of X cannot be written as JSON"),
        ([["a"], ["b"]], "no case of X has two answers"),
        (np.array([["a"], ["b"]]), r"no case of X has two answers \(the table has 1 feature"),
    ],
)
def test_cases_that_cannot_be_read_are_named(cases: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CommitteeDisagreement().fit(cases)


def test_x_must_be_a_sequence() -> None:
    with pytest.raises(TypeError, match="X is a str; give a list of cases"):
        CommitteeDisagreement().fit("yes")


def test_unknown_names_are_refused_with_the_choice() -> None:
    with pytest.raises(ValueError, match="unknown signal 'entropy'; choose from: disagreement, within"):
        CommitteeDisagreement(["entropy"]).fit(RECORDS)
    with pytest.raises(ValueError, match="kind is 'words'; give None or one of label"):
        CommitteeDisagreement(kind="words").fit(RECORDS)


def test_before_fit_there_is_no_column() -> None:
    with pytest.raises(NotFittedError):
        CommitteeDisagreement().transform(RECORDS)
    with pytest.raises(NotFittedError):
        CommitteeDisagreement().get_feature_names_out()


def test_many_cases_are_sampled_as_curator_score_samples_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.workflows.recorded_lines.SAMPLED_RECORDS", 10)
    expected = [score.disagreement for score in curator.score(RECORDS)]
    assert CommitteeDisagreement(["disagreement"]).fit_transform(RECORDS)[:, 0].tolist() == expected
