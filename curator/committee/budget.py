"""What a run may spend and what it has spent: reserve before sending, settle on usage, keep on ambiguity."""

from __future__ import annotations

from dataclasses import dataclass

from curator.config import BudgetConfig
from curator.records.spend import _PICO, Spend


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run has spent so far.

    `unconfirmed_*` is the upper bound of requests that may have been billed without an answer; it counts against the
    limits. `requests` counts every try.
    """

    requests: int
    tokens: int
    usd: float
    unconfirmed_tokens: int
    unconfirmed_usd: float


class Budget:
    """The limits of one run and its ledger. Nothing here waits or sends."""

    def __init__(self, limits: BudgetConfig) -> None:
        self._limits = limits
        self._max_picodollars = None if limits.max_usd is None else round(limits.max_usd * _PICO)
        self._requests = 0
        self._held = [0, 0]
        self._spent = [0, 0]
        self._unconfirmed = [0, 0]

    def reserve(self, bound: Spend) -> bool:
        """Set the most a request can cost aside; False, and nothing changed, if a limit has no room for it."""
        if self._exceeded(bound, held=True):
            return False
        self._requests += 1
        _add(self._held, bound, 1)
        return True

    def adopt(self, bound: Spend) -> None:
        """Set aside what an earlier run's open requests can still cost, whatever the limits say: they are sent."""
        _add(self._held, bound, 1)

    def exhausted(self, bound: Spend) -> str | None:
        """The limit that has no room for such a request whatever becomes of those in flight, in words, or None."""
        return self._exceeded(bound, held=False)

    def settle(self, bound: Spend, actual: Spend) -> None:
        """A reserved request was answered, for `actual`."""
        _add(self._held, bound, -1)
        _add(self._spent, actual, 1)

    def release(self, bound: Spend) -> None:
        """A reserved request was refused; nothing was billed."""
        _add(self._held, bound, -1)

    def keep(self, bound: Spend) -> None:
        """A reserved request may have been billed: its bound counts as spent for good."""
        _add(self._held, bound, -1)
        _add(self._unconfirmed, bound, 1)

    @property
    def ledger(self) -> Ledger:
        """What has been spent so far."""
        return Ledger(
            requests=self._requests,
            tokens=self._spent[0],
            usd=self._spent[1] / _PICO,
            unconfirmed_tokens=self._unconfirmed[0],
            unconfirmed_usd=self._unconfirmed[1] / _PICO,
        )

    @property
    def usd_left(self) -> float | None:
        """US dollars that are neither spent nor possibly billed, None without a limit; reserved ones count as left."""
        if self._max_picodollars is None:
            return None
        return (self._max_picodollars - self._spent[1] - self._unconfirmed[1]) / _PICO

    def _exceeded(self, bound: Spend, *, held: bool) -> str | None:
        """The limit that `bound` would break on top of what is spent and, if `held`, reserved."""
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
