from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.estimation.comparison.case_weights import CaseDesign, Sample, sample_of, scope_of, with_known_design
from curator.estimation.comparison.multiple import compare_many, holm, rank_systems
from curator.estimation.comparison.paired import effective_cases, labels_needed, paired_difference
from curator.estimation.comparison.sign_flip import sign_flip_p

PLAIN = CaseDesign()


def plain(n: int) -> Sample:
    return sample_of([PLAIN] * n)


def lean_sample(certain: int, by_chance: int, chance: float) -> Sample:
    return sample_of([CaseDesign(1, 1.0, "disagreement")] * certain + [CaseDesign(1, chance, "random")] * by_chance)


def trinomial(above: int, below: int, equal: int) -> np.ndarray:
    return np.concatenate((np.ones(above), -np.ones(below), np.zeros(equal)))


def mid_p(above: int, below: int) -> float:
    n, k = above + below, min(above, below)
    terms = [math.comb(n, i) / 2**n for i in range(k + 1)]
    return min(1.0, 2 * (sum(terms) - terms[-1] / 2))


@pytest.mark.parametrize(("above", "below"), [(4, 0), (5, 1), (9, 6), (20, 8), (30, 12), (100, 60), (3, 3), (40, 0)])
def test_the_test_of_pass_and_fail_is_mcnemars_mid_p(above: int, below: int) -> None:
    assert sign_flip_p(trinomial(above, below, 30)) == pytest.approx(mid_p(above, below), rel=1e-9)


@pytest.mark.parametrize(("above", "below", "equal"), [(12, 2, 36), (7, 7, 16), (3, 0, 27), (1, 9, 90)])
def test_the_interval_ends_where_the_constrained_likelihood_is_a_normal_quantile_away(
    above: int, below: int, equal: int
) -> None:
    """Tango's score test, with the likelihood maximised by brute force instead of by his formula."""
    n = above + below + equal
    found = paired_difference(trinomial(above, below, equal), plain(n))
    stretched = found.p >= 0.05
    for end in (found.low, found.high):
        if stretched and end == 0:
            continue
        grid = np.linspace(
            max(0, -end) + 1e-9, (1 - end) / 2 - 1e-9, 400_001
        )  # the share of "below" at this difference
        likelihood = above * np.log(grid + end) + below * np.log(grid) + equal * np.log1p(-2 * grid - end)
        share = float(grid[np.argmax(likelihood)])
        variance = (2 * share + end - end**2) / n
        assert abs((above - below) / n - end) / math.sqrt(variance) == pytest.approx(1.96, abs=5e-3)


def test_without_a_differing_case_the_interval_is_that_of_a_rare_event() -> None:
    found = paired_difference(np.zeros(100), plain(100))
    assert (found.difference, found.p, found.differing) == (0, 1, 0)
    assert found.high == pytest.approx(1.96**2 / (100 + 1.96**2), abs=1e-3)
    assert found.low == -found.high


def test_two_weights_are_gone_through_exactly() -> None:
    """Thirty light cases and ten heavy ones, against every pattern of signs drawn many times."""
    random = np.random.default_rng(0)
    values = np.concatenate((np.ones(30), np.full(10, 7.5))) * np.where(np.arange(40) % 3 == 0, -1, 1)
    flips = random.choice((-1.0, 1.0), (200_000, 40)) @ np.abs(values)
    seen = abs(values.sum())
    drawn = (np.abs(flips) > seen + 1e-9).mean() + (np.abs(np.abs(flips) - seen) < 1e-9).mean() / 2
    assert sign_flip_p(values) == pytest.approx(drawn, abs=3e-3)


def test_the_saddlepoint_is_near_the_enumeration() -> None:
    from curator.estimation.comparison import sign_flip as signs

    random = np.random.default_rng(3)
    for _ in range(20):
        values = random.gamma(1.0, size=16)
        sizes = values / values.sum()
        seen = float(abs(sizes @ random.choice((-1, 1), 16)))
        assert signs._saddlepoint(sizes, seen) == pytest.approx(
            signs._enumerated(sizes, np.ones(16, dtype=int), seen), rel=0.15, abs=0.01
        )


def test_effective_cases_are_the_cases_where_all_weigh_the_same() -> None:
    assert effective_cases(trinomial(10, 4, 36), plain(50)) == pytest.approx(50, rel=0.01)


def test_uneven_weights_count_for_fewer_cases() -> None:
    differences = np.tile([1.0, -1.0, 0.0, 0.0, 1.0], 20)
    assert effective_cases(differences, lean_sample(50, 50, 0.02)) < 70


def test_strata_that_explain_the_differences_count_for_more_cases() -> None:
    differences = np.concatenate((np.ones(50), np.zeros(50)))
    split = [CaseDesign(1, 0.01, "random", stratum="a")] * 50 + [CaseDesign(1, 0.01, "random", stratum="b")] * 50
    mixed = [CaseDesign(1, 0.01, "random")] * 100
    assert effective_cases(differences, sample_of(split)) > 3 * effective_cases(differences, sample_of(mixed))


def test_certain_picks_weigh_one_and_drawn_ones_many() -> None:
    sample = lean_sample(2, 2, 0.1)
    assert sample.weights.tolist() == [1, 1, 10, 10]
    found = paired_difference(np.array([1.0, 1.0, 0.0, 0.0]), sample)
    assert found.difference == pytest.approx(2 / 22)


def test_picks_that_differ_say_nothing_of_a_rest_that_may() -> None:
    """Twenty of the certain picks speak for one system, and no drawn case, each of which stands for 199, differs."""
    found = paired_difference(np.concatenate((trinomial(22, 2, 26), np.zeros(50))), lean_sample(50, 50, 50 / 9950))
    assert sign_flip_p(trinomial(22, 2, 26)) < 0.001
    assert found.difference == pytest.approx(0.002)
    assert found.low < -0.05
    assert found.p > 0.5


def test_labels_needed_are_the_textbooks() -> None:
    """Connor 1987: a fifth of the cases differ, and the true difference is .1; 80% power at .05."""
    found = paired_difference(trinomial(15, 5, 80), plain(100))
    assert labels_needed(found, 0.1) == pytest.approx(155, abs=2)
    assert labels_needed(found, 0.05) > 3.5 * labels_needed(found, 0.1)
    assert labels_needed(found, 0.0) is None
    assert labels_needed(paired_difference(np.zeros(9), plain(9)), 0.1) is None


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@pytest.mark.parametrize(
    ("designs", "scope"),
    [
        ([PLAIN] * 3, "sample"),
        ([CaseDesign(1, 1.0, "disagreement")] * 3, "these cases"),
        ([CaseDesign(1, None, "disagreement")] * 3, "these cases"),
        ([CaseDesign(1, 1.0, "disagreement"), CaseDesign(1, 0.1, "random")], "production"),
        ([CaseDesign(1, 1.0)] * 3, "sample"),
        ([CaseDesign(1, 1.0, "random"), CaseDesign(1, 1.0, "disagreement")], "sample"),
        ([CaseDesign(1, 0.5, distilled=True)] * 3, "these cases"),
    ],
)
def test_what_the_cases_speak_for(designs: list[CaseDesign], scope: str) -> None:
    assert scope_of(designs) == scope


def test_cases_without_a_probability_stay_out_where_others_have_one() -> None:
    assert with_known_design([CaseDesign(1, 0.5), PLAIN]) == [True, False]
    assert with_known_design([PLAIN, PLAIN]) == [True, True]


designs = st.builds(
    CaseDesign,
    weight=st.integers(1, 5).map(float),
    inclusion_probability=st.sampled_from((0.02, 0.1, 0.5, 1.0)),
    slice=st.sampled_from(("random", "disagreement")),
)
pairs_of_scores = st.lists(
    st.tuples(st.sampled_from((0.0, 0.25, 1.0)), st.sampled_from((0.0, 0.5, 1.0)), designs), min_size=2, max_size=40
)


@given(pairs_of_scores)
def test_swapping_negates_and_the_order_of_cases_does_not_matter(rows: list[tuple[float, float, CaseDesign]]) -> None:
    a, b = (np.array([row[i] for row in rows]) for i in (0, 1))
    sample = sample_of([row[2] for row in rows])
    one, other = paired_difference(b - a, sample), paired_difference(a - b, sample)
    assert (other.difference, other.low, other.high, other.p) == pytest.approx(
        (-one.difference, -one.high, -one.low, one.p), abs=1e-9
    )
    turned = paired_difference((b - a)[::-1], sample_of([row[2] for row in rows][::-1]))
    assert (turned.low, turned.high, turned.p) == pytest.approx((one.low, one.high, one.p), abs=1e-9)


@given(pairs_of_scores)
def test_the_interval_holds_the_difference_and_agrees_with_the_test(
    rows: list[tuple[float, float, CaseDesign]],
) -> None:
    a, b = (np.array([row[i] for row in rows]) for i in (0, 1))
    found = paired_difference(b - a, sample_of([row[2] for row in rows]))
    assert -1 <= found.low <= found.difference + 1e-12
    assert found.difference - 1e-12 <= found.high <= 1
    assert 0 <= found.p <= 1
    if found.p >= 0.05:
        assert found.low <= 0 <= found.high
    elif len({row[2].weight / (row[2].inclusion_probability or 1) for row in rows}) > 1:
        assert not found.low <= 0 <= found.high


@given(st.lists(st.sampled_from((0.0, 0.5, 1.0)), min_size=2, max_size=30), st.data())
def test_identical_systems_never_differ(scores: list[float], data: st.DataObject) -> None:
    sample = sample_of([data.draw(designs) for _ in scores])
    table = np.column_stack([scores, scores])
    (pair,) = compare_many(table, sample, [(0, 1)])
    assert (pair.single.difference, pair.adjusted_p) == (0, 1)
    assert [(one.best_rank, one.worst_rank) for one in rank_systems(table, sample, [pair])] == [(1, 2), (1, 2)]


@settings(max_examples=25)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_simultaneous_intervals_are_no_narrower_and_the_seed_fixes_them(systems: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, 2, (40, systems)).astype(float)
    wanted = [(i, j) for i in range(systems) for j in range(i)]
    made = compare_many(table, plain(40), wanted, seed=seed)
    assert made == compare_many(table, plain(40), wanted, seed=seed)
    for pair in made:
        assert pair.low <= pair.single.low
        assert pair.single.high <= pair.high
        assert pair.adjusted_p >= pair.single.p


def test_ranks_stay_open_where_nothing_is_certain() -> None:
    random = np.random.default_rng(0)
    table = np.column_stack([random.random(200) < share for share in (0.9, 0.5, 0.48)]).astype(float)
    pairs = compare_many(table, plain(200), [(0, 1), (0, 2), (1, 2)])
    found = rank_systems(table, plain(200), pairs)
    assert [(one.best_rank, one.worst_rank) for one in found] == [(1, 1), (2, 3), (2, 3)]
