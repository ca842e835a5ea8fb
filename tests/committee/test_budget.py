"""The budget: reserve, settle, release, keep; no limit is ever broken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.committee.budget import Budget, Ledger
from curator.config import BudgetConfig
from curator.records.spend import Spend


def test_without_limits_everything_fits() -> None:
    budget = Budget(BudgetConfig())
    assert all(budget.reserve(Spend.of(tokens=10**9, usd=1e6)) for _ in range(3))
    assert budget.ledger.requests == 3


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (BudgetConfig(max_requests=2), "max_requests: 2"),
        (BudgetConfig(max_tokens=20), "max_tokens: 20"),
        (BudgetConfig(max_usd=0.2), "max_usd: 0.2"),
    ],
)
def test_a_limit_may_be_reached_but_not_passed(limits: BudgetConfig, named: str) -> None:
    budget, bound = Budget(limits), Spend.of(tokens=10, usd=0.1)
    for _ in range(2):
        assert budget.reserve(bound)
        budget.settle(bound, bound)
    assert not budget.reserve(bound)
    assert named in (budget.exhausted(bound) or "")
    assert budget.ledger == Ledger(requests=2, tokens=20, usd=0.2, unconfirmed_tokens=0, unconfirmed_usd=0.0)


def test_what_is_reserved_makes_later_requests_wait_but_exhausts_nothing() -> None:
    budget, bound = Budget(BudgetConfig(max_usd=1.0)), Spend.of(tokens=10, usd=0.6)
    assert budget.reserve(bound)
    assert not budget.reserve(bound)
    assert budget.exhausted(bound) is None
    budget.settle(bound, Spend.of(tokens=1, usd=0.1))
    assert budget.reserve(bound)


def test_what_an_earlier_run_sent_is_set_aside_whatever_the_limits_say() -> None:
    budget, bound = Budget(BudgetConfig(max_usd=1.0, max_requests=1)), Spend.of(tokens=10, usd=0.6)
    budget.adopt(Spend(2 * bound.tokens, 2 * bound.picodollars))
    assert not budget.reserve(bound)
    assert budget.exhausted(bound) is None
    for _ in range(2):
        budget.settle(bound, Spend.of(tokens=5, usd=0.1))
    assert budget.reserve(bound)  # the earlier run's requests are not counted in this one
    assert budget.ledger.usd == 0.2


def test_a_refused_request_costs_nothing_and_an_ambiguous_one_its_bound() -> None:
    budget, bound = Budget(BudgetConfig(max_tokens=15)), Spend.of(tokens=10, usd=0.5)
    assert budget.reserve(bound)
    budget.release(bound)
    assert budget.reserve(bound)
    budget.keep(bound)
    assert budget.ledger == Ledger(requests=2, tokens=0, usd=0.0, unconfirmed_tokens=10, unconfirmed_usd=0.5)
    assert not budget.reserve(bound)
    assert budget.exhausted(bound)


def test_dollars_add_up_exactly() -> None:
    budget, bound = Budget(BudgetConfig(max_usd=1.0)), Spend.of(tokens=1, usd=0.1)
    for _ in range(10):
        assert budget.reserve(bound)
        budget.settle(bound, bound)
    assert budget.ledger.usd == 1.0


@given(
    max_usd=st.floats(0, 2),
    max_tokens=st.integers(0, 200),
    steps=st.lists(
        st.tuples(
            st.integers(0, 50), st.floats(0, 0.5), st.floats(0, 1), st.sampled_from(["settle", "release", "keep", ""])
        ),
        max_size=60,
    ),
)
def test_what_may_have_been_billed_never_passes_a_limit(
    max_usd: float, max_tokens: int, steps: Sequence[tuple[int, float, float, str]]
) -> None:
    budget = Budget(BudgetConfig(max_usd=max_usd, max_tokens=max_tokens))
    billed_usd = billed_tokens = 0.0
    for tokens, usd, share, end in steps:
        bound = Spend.of(tokens=tokens, usd=usd)
        if not budget.reserve(bound):
            continue
        actual = Spend(int(bound.tokens * share), int(bound.picodollars * share))
        if end == "settle":
            budget.settle(bound, actual)
        elif end == "release":
            budget.release(bound)
        elif end == "keep":
            budget.keep(bound)
        if end != "release":  # the worst case: all that is kept or still in flight is billed in full
            worst = actual if end == "settle" else bound
            billed_usd += worst.picodollars / 1e12
            billed_tokens += worst.tokens
        assert billed_usd <= max_usd + 1e-9
        assert billed_tokens <= max_tokens
