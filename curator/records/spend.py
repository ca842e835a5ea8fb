"""What a run may spend and what it has spent: reserve before sending, settle on usage, keep on ambiguity."""

from __future__ import annotations

from typing import NamedTuple

_PICO = 10**12  # dollars are counted in whole picodollars, so that sums are exact in any order


class Spend(NamedTuple):
    """Tokens (input and output together) and picodollars of one request."""

    tokens: int
    picodollars: int

    @classmethod
    def of(cls, *, tokens: int, usd: float) -> Spend:
        """The spend of that many tokens and US dollars."""
        return cls(tokens, round(usd * _PICO))
