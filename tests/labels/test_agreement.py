"""How far people agree who labelled the same cases."""

from __future__ import annotations

import pytest

from curator.labels.agreement import Agreement, agreement


def of(*pairs: tuple[float, float]) -> Agreement:
    found = agreement({f"c{i:02}": {"ana": a, "ben": b} for i, (a, b) in enumerate(pairs)}, {})
    assert found is not None
    return found


def test_agreement_corrected_for_chance() -> None:
    """15 of 20 agree; of 40 verdicts 19 are passes: two of them differ by chance with 2 x 19 x 21 / (40 x 39)."""
    measured = of(*[(0, 0)] * 7, *[(1, 1)] * 8, *[(0, 1)] * 5)
    assert measured.agreed.value == 0.75
    assert measured.alpha is not None
    assert measured.alpha.value == pytest.approx(1 - 0.25 / (2 * 19 * 21 / (40 * 39)), abs=1e-6)
    assert measured.disputed == ("c15", "c16", "c17", "c18", "c19")
    assert measured.to_text() == (
        "20 cases with labels of more than one person: they differ on 5 of them, and agree to 75% (53%-89%), alpha 0.51"
        " (0.08 to 0.81); look at c15, c16, c17, c18, c19"
    )


def test_a_grade_counts_as_failed_from_a_half_on() -> None:
    assert of((0.5, 1.0), (0.4, 0.0)).disputed == ()
    assert of((0.5, 0.4)).disputed == ("c00",)


def test_few_cases_say_nothing_of_a_rate() -> None:
    found = of(*[(0, 1)] * 9)
    assert (found.agreed.value, found.alpha) == (None, None)
    assert "fewer than 10 say nothing of a rate" in found.to_text()
    assert "c04, ..." in found.to_text()


def test_where_everybody_says_one_thing_there_is_no_alpha() -> None:
    assert of(*[(0, 0)] * 12).alpha is None


def test_labels_are_compared_where_there_are_no_verdicts() -> None:
    found = agreement({"c1": {"ana": 0.0}}, {"c1": {"ana": "x"}, "c2": {"ana": "a  b", "ben": "a b", "eve": "c"}})
    assert found is not None
    assert (found.of, found.cases, found.disputed) == ("label", 1, ("c2",))


def test_one_person_agrees_with_nobody() -> None:
    assert agreement({"c1": {"ana": 0.0}}, {}) is None
