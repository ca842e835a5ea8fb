"""Krippendorff's alpha on the examples that its author published, and its interval."""

from __future__ import annotations

import random

import pytest

from curator.labels.krippendorff import krippendorff_alpha

TWO_BINARY = ("0100000010", "1110010000")
TWO_NOMINAL = ("aabbdcccedda", "babbbccceddd")
FOUR_WITH_GAPS = ("123321412...", "1233224125.3", ".333234225 1.".replace(" ", ""), "12332441251.")


def by_case(*observers: str) -> list[list[str]]:
    """The values of each case; a point is a case that an observer did not judge."""
    return [[value for value in values if value != "."] for values in zip(*observers, strict=True)]


@pytest.mark.parametrize(
    ("observers", "published"), [(TWO_BINARY, 0.095), (TWO_NOMINAL, 0.692), (FOUR_WITH_GAPS, 0.743)]
)
def test_the_examples_of_krippendorff_2011(observers: tuple[str, ...], published: float) -> None:
    alpha = krippendorff_alpha(by_case(*observers))
    assert alpha is not None
    assert alpha.value == pytest.approx(published, abs=5e-4)
    assert alpha.low < alpha.value < alpha.high <= 1


def test_it_is_1_for_full_agreement_and_not_defined_for_one_value() -> None:
    alpha = krippendorff_alpha([["a", "a"], ["b", "b", "b"]] * 10)
    assert alpha is not None
    assert (alpha.value, alpha.high) == (1, 1)
    assert alpha.low < 0.8  # twenty cases without a disagreement do not exclude one in six
    assert krippendorff_alpha([["a", "a"]] * 20) is None
    assert krippendorff_alpha([["a"], ["b"]]) is None
    assert krippendorff_alpha([]) is None


def test_the_interval_covers_the_agreement_that_the_values_were_drawn_with() -> None:
    draw, covered = random.Random(4), 0
    for _ in range(100):
        truth = [draw.random() < 0.4 for _ in range(30)]
        alpha = krippendorff_alpha([[t ^ (draw.random() > 0.95) for _ in range(2)] for t in truth])
        assert alpha is not None
        share = 0.4 * 0.95 + 0.6 * 0.05
        covered += alpha.low <= 1 - 0.095 / (2 * share * (1 - share)) <= alpha.high
    assert covered >= 90
