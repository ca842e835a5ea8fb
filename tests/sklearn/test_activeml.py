"""scikit-activeml's own test template over our strategies, and its wrappers around them.

Releases from 0.6.2 on have no template in their wheel. Where it is missing, put the folder `skactiveml/tests` of the wheel of
0.6.1 into the installed package, as `.ci/run` does.
"""

from __future__ import annotations

import unittest
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from curator.sklearn import UncertaintyCoverage

pytest.importorskip("skactiveml", reason="needs `pip install scikit-activeml`")
template = pytest.importorskip("skactiveml.tests.template_query_strategy", reason=str(__doc__).splitlines()[2])
from skactiveml.base import SingleAnnotatorPoolQueryStrategy  # noqa: E402
from skactiveml.pool import SubSamplingWrapper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")


class TestUncertaintyCoverage(template.TemplateSingleAnnotatorPoolQueryStrategy, unittest.TestCase):  # type: ignore[misc, name-defined]
    def setUp(self) -> None:
        rng = np.random.RandomState(0)
        self.classes = [0, 1]
        query = {
            "X": rng.normal(size=(20, 3)),
            "y": np.append([0.0, 1.0], np.full(18, np.nan)),
        }
        super().setUp(qs_class=UncertaintyCoverage, init_default_params={}, query_default_params_clf=query)

    def test_init_param_estimator(self) -> None:
        cases: list[tuple[Any, Any]] = [(None, None), (LogisticRegression(), None), (LinearSVC(), TypeError)]
        self._test_param("init", "estimator", cases)

    def test_query_param_disagreement(self) -> None:
        cases: list[tuple[Any, Any]] = [
            (None, None), (np.linspace(0, 1, 20), None), (np.ones(19), ValueError), ("high", ValueError),
        ]  # fmt: skip
        self._test_param("query", "disagreement", cases)

    def test_query(self) -> None:
        X = np.repeat(np.eye(3), [12, 6, 3], axis=0) + np.random.RandomState(1).normal(scale=0.03, size=(21, 3))
        y = np.full(21, np.nan)
        strategy = UncertaintyCoverage(random_state=0)
        first, gains = strategy.query(X, y, batch_size=3, return_utilities=True)
        assert [0 if i < 12 else 1 if i < 18 else 2 for i in first] == [0, 1, 2]  # the largest group first
        np.testing.assert_array_equal(np.nanargmax(gains, axis=1), first)
        y[first[0]] = 0
        second = strategy.query(X, y, batch_size=2)
        assert min(second) >= 12  # the first group is covered


def test_it_is_a_strategy_to_its_wrappers() -> None:
    assert issubclass(UncertaintyCoverage, SingleAnnotatorPoolQueryStrategy)
    X = np.random.RandomState(0).normal(size=(40, 4))
    y = np.append([0.0, 1.0], np.full(38, np.nan))
    wrapped = SubSamplingWrapper(UncertaintyCoverage(random_state=0), max_candidates=10, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        indices = wrapped.query(X, y, batch_size=3)
    assert len(set(indices.tolist())) == 3
    assert min(indices) >= 2
