"""Budget of a run: reserve a bound for each request, and settle it by the usage."""

from __future__ import annotations

from dataclasses import dataclass

from curator.config import BudgetConfig
from curator.errors import BudgetReached
from curator.records.spend import PICODOLLARS, Spend
from curator.text.display import money, plural


@dataclass(frozen=True, slots=True)
class Ledger:
    """Spending of a run so far.

    `unconfirmed_*` is the upper bound of the requests that may have been billed without an answer. It counts against the
    limits. `requests` counts every try.
    """

    requests: int
    tokens: int
    usd: float
    unconfirmed_tokens: int
    unconfirmed_usd: float


class Budget:
    """The limits of one run and its ledger."""

    def __init__(self, limits: BudgetConfig) -> None:
        self._limits = limits
        self._max_picodollars = None if limits.max_usd is None else round(limits.max_usd * PICODOLLARS)
        self._requests = 0
        self._held = [0, 0]
        self._spent = [0, 0]
        self._unconfirmed = [0, 0]

    def reserve(self, bound: Spend) -> bool:
        """Reserve the most that a request can cost.

        It returns False, and reserves nothing, if a limit has no room.
        """
        if self._exceeded(bound, held=True):
            return False
        self._requests += 1
        _add(self._held, bound, 1)
        return True

    def adopt(self, bound: Spend) -> None:
        """Reserve the cost of an earlier run's open requests, even beyond the limits.

        These requests are sent already.
        """
        _add(self._held, bound, 1)

    def exhausted(self, bound: Spend) -> str | None:
        """Return the limit without room even if requests in flight cost nothing, or None."""
        return self._exceeded(bound, held=False)

    def settle(self, bound: Spend, actual: Spend) -> None:
        """Book a reserved request that was answered for `actual`."""
        _add(self._held, bound, -1)
        _add(self._spent, actual, 1)

    def release(self, bound: Spend) -> None:
        """Free the bound of a reserved request that was refused: nothing was billed."""
        _add(self._held, bound, -1)

    def keep(self, bound: Spend) -> None:
        """Count the bound of a reserved request as spent for good: it may have been billed."""
        _add(self._held, bound, -1)
        _add(self._unconfirmed, bound, 1)

    @property
    def ledger(self) -> Ledger:
        """Spending so far."""
        return Ledger(
            requests=self._requests,
            tokens=self._spent[0],
            usd=self._spent[1] / PICODOLLARS,
            unconfirmed_tokens=self._unconfirmed[0],
            unconfirmed_usd=self._unconfirmed[1] / PICODOLLARS,
        )

    @property
    def usd_left(self) -> float | None:
        """US dollars that are neither spent nor possibly billed; None without a limit.

        Reserved ones are not spent yet.
        """
        if self._max_picodollars is None:
            return None
        return (self._max_picodollars - self._spent[1] - self._unconfirmed[1]) / PICODOLLARS

    def reached(self, limit: str) -> BudgetReached:
        """Return the error of a limit, named in words, that has no room for the next request."""
        ledger = self.ledger
        spent = f"{plural(ledger.requests, 'request')}, {plural(ledger.tokens, 'token')}, {money(ledger.usd)}"
        return BudgetReached(
            f"{limit} has no room for the next request (spent: {spent}); the answers are stored",
            remedy="raise the limit and run again: it goes on from there, and stored answers cost nothing",
        )

    def _exceeded(self, bound: Spend, *, held: bool) -> str | None:
        """Return the limit that `bound` would break; `held` counts reserved amounts as well."""
        tokens, picodollars = (
            self._spent[i] + self._unconfirmed[i] + (self._held[i] if held else 0) + bound[i] for i in (0, 1)
        )
        limits = self._limits
        if limits.max_requests is not None and self._requests >= limits.max_requests:
            return f"`budget.max_requests: {limits.max_requests}`"
        if limits.max_tokens is not None and tokens > limits.max_tokens:
            return f"`budget.max_tokens: {limits.max_tokens}`"
        if self._max_picodollars is not None and picodollars > self._max_picodollars:
            return f"`budget.max_usd: {limits.max_usd}`"
        return None


def _add(account: list[int], spend: Spend, sign: int) -> None:
    account[0] += sign * spend.tokens
    account[1] += sign * spend.picodollars
