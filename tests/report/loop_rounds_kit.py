"""Rounds of a loop for the tests of its page."""

from __future__ import annotations

from collections.abc import Sequence

from curator.records.loop import LoopRound, SliceErrors
from curator.stats import wilson

HELD_OUT = 300
GO_ON = "Go on. The next 75 labels would bring +0.4% (-0.3% to +1.1%) in mean score."


def slices(tasks: Sequence[str], *, random: tuple[int, int], chosen: tuple[int, int]) -> tuple[SliceErrors, ...]:
    """The errors of each task, and of all; the chosen cases are of two slices."""
    rows = [
        SliceErrors(kind, task, errors * (1 if task else len(tasks)), cases * (1 if task else len(tasks)))
        for task in ("", *tasks)
        for kind, (errors, cases) in (("random", random), ("disagreement", chosen), ("diversity", (1, 2)))
    ]  # fmt: skip
    return tuple(row for row in rows if row.cases)  # type: ignore[arg-type]


def rounds(
    count: int, *, top: float = 0.9, tasks: Sequence[str] = ("route",), random: tuple[int, int] = (2, 8)
) -> list[LoopRound]:
    """Rounds of 75 labels after a seed of 100, whose scores rise towards `top`."""
    made_rounds: list[LoopRound] = []
    for number in range(count):
        score = round(HELD_OUT * (top - 0.3 / (number + 1))) / HELD_OUT
        low, high = wilson(score, HELD_OUT)
        gain = score - made_rounds[-1].score if made_rounds else None
        made_rounds.append(
            LoopRound(
                number, 100 + 75 * number, 400 + 75 * number, score, low, high, HELD_OUT,
                label_s=24000.0 if number == 0 else 4500.0, training_s=200.0, usd=1.25,
                slices=slices(tasks, random=random, chosen=(4, 7)) if number else (), view=GO_ON,
                gain=gain, gain_low=None if gain is None else gain - 0.03, gain_high=None if gain is None else gain + 0.03,
            )
        )  # fmt: skip
    return made_rounds
