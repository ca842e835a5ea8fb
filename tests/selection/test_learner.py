"""The learner says nothing that a user cannot act on."""

from __future__ import annotations

import warnings

import numpy as np

from curator.selection.learner import fit_classes


def test_many_classes_with_one_label_each_are_no_warning() -> None:
    vectors = np.eye(30, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit_classes(vectors, list(range(30))) is not None
