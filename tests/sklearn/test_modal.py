"""Our strategy inside modAL's `ActiveLearner` and `Committee`.

modAL 0.4.2 passes an argument to scikit-learn that 1.8 removed: `pip install modAL-python 'scikit-learn<1.8'`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from curator.sklearn import PromptCommittee, UncertaintyCoverage, uncertainty_coverage_sampling

pytest.importorskip("modAL", reason="needs `pip install modAL-python 'scikit-learn<1.8'`")
if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8):
    pytest.skip("modAL 0.4.2 needs scikit-learn<1.8", allow_module_level=True)
from modAL.disagreement import vote_entropy_sampling
from modAL.models import ActiveLearner, Committee

pytestmark = pytest.mark.filterwarnings("ignore:'force_all_finite' was renamed:FutureWarning")
IRIS = load_iris()
X: Any = StandardScaler().fit_transform(IRIS.data)
Y: Any = IRIS.target
START = np.array([0, 60, 120])
POOL = np.setdiff1d(np.arange(150), START)
strategy = partial(uncertainty_coverage_sampling, random_state=0)


def learner_of(estimator: Any, start: Any = START) -> Any:
    return ActiveLearner(estimator, query_strategy=strategy, X_training=X[start], y_training=Y[start])


def test_an_active_learner_chooses_as_the_other_signature_does() -> None:
    learner = learner_of(LogisticRegression())
    places, rows = learner.query(X[POOL], n_instances=6)
    np.testing.assert_array_equal(rows, X[POOL][places])
    y = np.full(150, np.nan)
    y[START] = Y[START]
    expected = UncertaintyCoverage(LogisticRegression(), random_state=0).query(X, y, batch_size=6)
    assert sorted(POOL[places]) == sorted(expected)


def test_a_loop_learns() -> None:
    learner, pool = learner_of(LogisticRegression()), POOL
    before = learner.score(X, Y)
    for _ in range(4):
        places, rows = learner.query(X[pool], n_instances=5)
        learner.teach(rows, Y[pool[places]])
        pool = np.delete(pool, places)
    assert len(learner.X_training) == 23
    assert learner.score(X, Y) > max(before, 0.9)


def test_the_metrics_are_the_gains_in_falling_order() -> None:
    _, rows, gains = learner_of(LogisticRegression()).query(X[POOL], n_instances=4, return_metrics=True)
    assert rows.shape == (4, 4)
    assert gains.shape == (4,)
    assert (np.diff(gains) <= 1e-9).all()
    assert gains.min() > 0


def test_disagreement_of_prompts_replaces_the_learner() -> None:
    learner = learner_of(LogisticRegression())
    disagreement = np.where(Y[POOL] == 2, 1.0, 0.0)
    plain, _ = learner.query(X[POOL], n_instances=10)
    places, _ = learner.query(X[POOL], n_instances=10, disagreement=disagreement)
    assert sum(Y[POOL[places]] == 2) > sum(Y[POOL[plain]] == 2)


def test_learners_without_training_or_probabilities_get_coverage() -> None:
    unfitted = ActiveLearner(LogisticRegression(), query_strategy=strategy)
    first, _ = unfitted.query(X, n_instances=3)
    assert sorted(first) == sorted(UncertaintyCoverage(random_state=0).query(X, np.full(150, np.nan), batch_size=3))
    without, _ = learner_of(LinearSVC()).query(X[POOL], n_instances=6)
    y = np.full(150, np.nan)
    y[START] = Y[START]
    assert sorted(POOL[without]) == sorted(UncertaintyCoverage(random_state=0).query(X, y, batch_size=6))


def test_a_committee_counts_shared_training_rows_once() -> None:
    forests = [learner_of(RandomForestClassifier(5, random_state=seed)) for seed in range(2)]
    committee = Committee(forests, query_strategy=strategy)
    places, rows = committee.query(X[POOL], n_instances=5)
    assert len(set(places.tolist())) == 5
    alone = learner_of(RandomForestClassifier(5, random_state=0))
    alone.predict_proba = committee.predict_proba
    assert alone.query(X[POOL], n_instances=5)[0].tolist() == places.tolist()
    committee.teach(rows, Y[POOL[places]])
    assert len(committee.learner_list[1].X_training) == 8


def test_members_may_have_training_rows_of_their_own() -> None:
    starts = (np.array([0, 60, 120]), np.array([1, 61, 121]))
    committee = Committee([learner_of(LogisticRegression(), start) for start in starts], query_strategy=strategy)
    pool = np.setdiff1d(np.arange(150), np.concatenate(starts))
    assert len(committee.query(X[pool], n_instances=3)[0]) == 3


def test_transformed_rows_are_compared_where_the_learner_says_so() -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    learner = ActiveLearner(
        pipeline, query_strategy=strategy, X_training=IRIS.data[START], y_training=Y[START], on_transformed=True
    )
    spread = learner.transform_without_estimating(IRIS.data[POOL])
    equal = ActiveLearner(LogisticRegression(), query_strategy=strategy)
    equal.X_training, equal.y_training = learner.transform_without_estimating(IRIS.data[START]), Y[START]
    equal.estimator = pipeline.steps[-1][1]
    assert learner.query(IRIS.data[POOL], n_instances=5)[0].tolist() == equal.query(spread, n_instances=5)[0].tolist()


def test_a_small_pool_is_chosen_whole_with_a_warning() -> None:
    learner = learner_of(LogisticRegression())
    with pytest.warns(UserWarning, match="n_instances is 9, and the pool has only 2 rows"):
        places, _ = learner.query(X[POOL[:2]], n_instances=9)
    assert sorted(places) == [0, 1]


def recorded(answers: dict[str, str]) -> dict[str, Any]:
    return {"generations": [{"text": text, "variant": variant} for variant, text in answers.items()]}


def test_a_committee_of_prompts_asks_where_the_prompts_disagree() -> None:
    agreed = [recorded({"terse": text, "polite": text, "strict": text}) for text in ("0", "1")]
    split = recorded({"terse": "0", "polite": "the answer is 1", "strict": "1"})
    cases = np.array([*agreed, split, *agreed], dtype=object)
    members = [
        ActiveLearner(PromptCommittee([variant]), X_training=cases[:2], y_training=np.array([0, 1]))
        for variant in ("terse", "polite", "strict")
    ]
    committee = Committee(members, query_strategy=vote_entropy_sampling)
    places, _ = committee.query(cases[2:], n_instances=1)
    assert places.tolist() == [0]
    assert committee.vote(cases).tolist() == [[0, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, 0], [1, 1, 1]]
    assert committee.predict(cases).tolist() == [0, 1, 1, 0, 1]
    committee.teach(cases[2:3], np.array([1]))
    assert len(committee.learner_list[0].X_training) == 3
