"""The noise of differences, from the members of the committee."""

from __future__ import annotations

import pytest

from curator.clustering.noise import NoiseModel, is_claim, is_concentrated, unit_of
from curator.records.differences import CaseContrasts


def case(number: int, *, spread: float = 0.0, excess: float | None = None, placebos: tuple[float, ...] = (), **keys: int) -> CaseContrasts:  # fmt: skip
    named = {f"field:{key}": count for key, count in keys.items()}
    return CaseContrasts(
        f"c{number}", None, None, frozenset(), named, 5, spread={"field:a": spread, "label:": spread}, excess=excess,
        placebo_excess=placebos,
    )  # fmt: skip


def test_the_rate_of_a_difference_is_that_of_the_members() -> None:
    noise = NoiseModel.of([case(i, a=i % 2) for i in range(100)])
    assert (noise.cases, noise.trials, noise.members) == (100, 500, 5)
    assert noise.rate("field:a") == pytest.approx(50.5 / 501)
    assert noise.by_production("field:a", 100) == pytest.approx(100 * 50.5 / 501)
    assert 0 < noise.rate("field:b") < 0.01, "what no member shows is rare, not impossible"


def test_splits_of_independent_members_are_expected_by_the_cases_with_the_part() -> None:
    noise = NoiseModel.of([case(i, a=1) for i in range(100)])
    rate = noise.rate("field:a")
    two_or_more = 1 - (1 - rate) ** 5 - 5 * rate * (1 - rate) ** 4
    assert noise.by_committee("field:a:x>y") < noise.by_committee("field:a") == pytest.approx(100 * two_or_more)


def test_a_field_in_which_members_usually_differ_is_free_and_a_label_never_is() -> None:
    assert NoiseModel.of([case(i, spread=0.6) for i in range(9)]).free == {"field:a"}
    assert NoiseModel.of([case(i, spread=0.1) for i in range(9)]).free == frozenset()


def test_no_cases_have_no_noise() -> None:
    noise = NoiseModel.of([])
    assert (noise.cases, noise.members, noise.excess, noise.suspicion) == (0, 0, None, None)
    assert noise.by_production("field:a", 0) == 0


def test_the_style_of_production_is_not_an_excess() -> None:
    placebos = tuple(i / 100 for i in range(-5, 6))
    like = NoiseModel.of([case(i, excess=0.0, placebos=placebos) for i in range(20)])
    apart = NoiseModel.of([case(i, excess=0.3, placebos=placebos) for i in range(20)])
    assert like.excess == pytest.approx(0.05)
    assert like.suspicion == pytest.approx(0.02)
    assert apart.excess == pytest.approx(0.35)
    assert NoiseModel.of([case(1, placebos=placebos)]).excess is None


def test_dispersion_of_a_unit_is_that_of_the_others() -> None:
    """A fault in one unit does not hide itself, and members that err together in all others raise the bar."""
    noise = NoiseModel.of([case(i, a=i % 2, b=i % 2) for i in range(200)])
    expected = noise.by_committee("field:a")
    many = round(10 * expected)
    alone = noise.dispersion({"field:a": many})
    assert alone["field:a"] == 1
    assert alone["field:b"] > 5
    assert noise.dispersion({"field:a": many, "field:b": many})["field:a"] > 5


def test_a_claim_needs_cases_an_excess_and_little_chance() -> None:
    assert is_claim(10, 1.0, tests=10)
    assert not is_claim(2, 0.0001, tests=1)
    assert not is_claim(150, 100, tests=1), "certain, but too near to noise"
    assert not is_claim(5, 1.0, tests=10)
    assert is_claim(7, 1.0, tests=1)
    assert not is_claim(7, 1.0, tests=10_000), "of many tests one is likely to be so large"
    assert not is_claim(10, 1.0, tests=1, least=11)


def test_a_word_is_concentrated_where_the_rate_elsewhere_does_not_explain_it() -> None:
    assert is_concentrated(8, 10, 5, 100)
    assert not is_concentrated(8, 10, 70, 100)
    assert not is_concentrated(1, 10, 5, 100)


def test_splits_are_counted_by_part_or_by_pair() -> None:
    assert unit_of("field:status:a>b") == "field:status"
    assert unit_of("label::a>b") == "label::a>b"
