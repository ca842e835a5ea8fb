"""Three nights of the same made-up traffic: one failure begins in the third, another one ends after the second."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.clustering.made_up import Domain, MadeUpLog


@dataclass(frozen=True, slots=True)
class ThreeNights:
    """The logs of three nights, and the ids of the mode that begins in the third and of the one that ends before it."""

    nights: tuple[MadeUpLog, MadeUpLog, MadeUpLog]
    begins: str
    ends: str


def three_nights(domain: Domain, cases: int, seed: int, *, begins: str, ends: str) -> ThreeNights:
    """Return three nights of so many cases each.

    The nights are parts of one long log: they share no case, and the modes have the same shares of the traffic in each. The
    inputs of both modes occur in every night, and production is right there while a mode does not show.
    """
    first, second, third = (
        _part(domain(3 * cases, seed, without=(begins,) if night < 2 else (ends,)), night, cases) for night in range(3)
    )
    return ThreeNights((first, second, third), begins, ends)


def _part(log: MadeUpLog, number: int, cases: int) -> MadeUpLog:
    return replace(log, cases=log.cases[number * cases : (number + 1) * cases])
