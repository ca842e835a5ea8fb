"""The spend of a request, in units whose sums are exact."""

from __future__ import annotations

from typing import NamedTuple

PICODOLLARS = 10**12  # whole picodollars: their sums are exact in any order, those of floats are not


class Spend(NamedTuple):
    """Tokens (input and output together) and picodollars of one request."""

    tokens: int
    picodollars: int

    @classmethod
    def of(cls, *, tokens: int, usd: float) -> Spend:
        """Return the spend of a number of tokens and US dollars."""
        return cls(tokens, round(usd * PICODOLLARS))
