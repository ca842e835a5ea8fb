"""Drafts of made-up cases, and the committee that answers them.

A domain draws the input of each case, and says how its right answer, its wrong one and a random error are written. This
module decides who gives which: production fails where a mode is planted, and the committee is mostly right there, split, or
wrong as production is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeVar

from benchmarks.clustering.made_up import MadeUpCase, MadeUpLog, Mode
from curator.records import Message
from curator.records.recorded import Answered, prompt_id_of

Stance = Literal["right", "split", "variant", "temperature", "wrong"]
"""The committee's answers where a mode is planted: mostly right; split at random; split because the last prompt variant fails,
or the warm answers do; wrong as production's answer is."""
Write = Callable[[Random, str], str]
"""A writer of one answer in the style of a prompt variant."""

FAILS = 0.9
"""Share of the inputs of a mode on which production fails: a real fault does not show every time."""
FAILS_WHERE_SPLIT = 0.6
HARD = 0.04
HARD_ERRS = 0.3
"""Share of hard inputs, and the chance of a random error of each answer there: members err together on real logs."""
LABELLED = 0.12
LABELLED_WHERE_WRONG = 0.65
"""Shares of the cases with a label. Where the committee fails as production does, only a label shows the failure: most have one."""
PRODUCTION = "production"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """One answer of the committee: its model, prompt variant and temperature."""

    model: str
    variant: str
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The input of a case, and the writers of its answers."""

    task: str | None
    messages: tuple[Message, ...]
    right: Write
    slip: Write
    failing: Write


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted mode, the share of the traffic that has its inputs, and the committee's stance there."""

    mode: Mode
    share: float
    stance: Stance = "right"


@dataclass(frozen=True, slots=True)
class Maker:
    """A domain: its name, modes, committee, and the function that draws the input of a mode or of an ordinary case."""

    name: str
    planted: Sequence[Planted]
    seats: Sequence[Seat]
    draw: Callable[[Random, str | None], Draft]

    def __call__(self, cases: int, seed: int, without: Collection[str] = ()) -> MadeUpLog:
        """Return a log; each case depends on the seed and its place only, and its input not on `without`."""
        slips = Random(f"{self.name}/{seed}").uniform(0.02, 0.06)
        return MadeUpLog(
            self.name,
            tuple(self._case(f"{self.name}/{seed}/{place}", slips, without) for place in range(cases)),
            tuple(planted.mode for planted in self.planted if planted.mode.id not in without),
        )

    def _case(self, key: str, slips: float, without: Collection[str]) -> MadeUpCase:
        rng = Random(key)
        planted = self._planted(rng.random())
        draft = self.draw(rng, planted.mode.id if planted else None)
        return _answered(draft, planted if planted and planted.mode.id not in without else None, self.seats, slips, rng)

    def _planted(self, point: float) -> Planted | None:
        for planted in self.planted:
            if point < planted.share:
                return planted
            point -= planted.share
        return None


def _answered(draft: Draft, planted: Planted | None, seats: Sequence[Seat], slips: float, rng: Random) -> MadeUpCase:
    slips = HARD_ERRS if rng.random() < HARD else slips
    stance = planted.stance if planted else "right"
    fails = bool(planted) and (stance == "split" or rng.random() < FAILS)
    errs = _failing(stance, seats, rng) if fails else [0.0] * len(seats)

    def answer(style: str, chance: float) -> str:
        point = rng.random()
        write = draft.slip if point < slips else draft.failing if rng.random() < chance else draft.right
        return write(rng, style)

    if fails:  # a random error would hide the mode, and the case would be counted as one of it
        failed = stance != "split" or rng.random() < FAILS_WHERE_SPLIT
        target = (draft.failing if failed else draft.right)(rng, PRODUCTION)
    else:
        target = answer(PRODUCTION, 0.0)
    answers = tuple(
        Answered(answer(seat.variant, err), prompt_id_of(seat.model, seat.variant), seat.temperature, model=seat.model)
        for seat, err in zip(seats, errs, strict=True)
    )
    labelled = rng.random() < (LABELLED_WHERE_WRONG if fails and stance == "wrong" else LABELLED)
    mode = planted.mode.id if planted and fails else None
    label = draft.right(rng, PRODUCTION) if labelled else None
    return MadeUpCase(draft.messages, draft.task, target, answers, mode, label)


def _failing(stance: Stance, seats: Sequence[Seat], rng: Random) -> list[float]:
    """Return the chance of each seat to fail in the way of the mode."""
    match stance:
        case "variant":
            return [0.9 if seat.variant == seats[-1].variant else 0.05 for seat in seats]
        case "temperature":
            warmest = max(seat.temperature or 0.0 for seat in seats)
            return [0.65 if seat.temperature == warmest else 0.1 for seat in seats]
        case "right":
            chance = rng.uniform(0, 0.3)
        case "split":
            chance = rng.uniform(0.35, 0.65)
        case "wrong":
            chance = 0.97
    return [chance] * len(seats)


def chat(system: str, *turns: str) -> tuple[Message, ...]:
    """Return the messages of a conversation; the turns are the user's and the assistant's in turn."""
    said = (Message(role="assistant" if place % 2 else "user", content=turn) for place, turn in enumerate(turns))
    return (Message(role="system", content=system), *said)


def skewed(rng: Random, options: Sequence[T], power: float = 0.8) -> T:
    """Draw an option; the weights fall as a power of the rank."""
    return rng.choices(options, [(rank + 1) ** -power for rank in range(len(options))])[0]
