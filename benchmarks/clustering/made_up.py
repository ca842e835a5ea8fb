"""Made-up logs with planted failure modes: the records that a domain returns.

A domain is a function `(cases: int, seed: int, without: Collection[str] = ()) -> MadeUpLog`. `without` names the modes that
are not planted: their inputs still occur, and production is right there as often as anywhere else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from curator.records import Message
from curator.records.recorded import Answered


@dataclass(frozen=True, slots=True)
class Mode:
    """One planted way to fail.

    `words` are stems that tell it from the others: a name or sentence that describes the mode has at least one of them.
    """

    id: str
    description: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeUpCase:
    """One logged request.

    `target` is production's answer, `answers` are the committee's; `mode` is the id of the planted mode that it shows, None
    for an ordinary case and for a random error. `label` is the right answer where an annotator gave it.
    """

    messages: tuple[Message, ...]
    task: str | None
    target: str
    answers: tuple[Answered, ...]
    mode: str | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class MadeUpLog:
    """The cases of a log in the order of their arrival, and the modes that were planted in it."""

    name: str
    cases: tuple[MadeUpCase, ...]
    modes: tuple[Mode, ...]


class Domain(Protocol):
    """A maker of logs; the same arguments give the same log."""

    def __call__(self, cases: int, seed: int, without: Collection[str] = ()) -> MadeUpLog:
        """Return a log of so many cases; the first n cases of a longer log with the same seed are the shorter one."""
        ...
