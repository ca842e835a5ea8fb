"""Differences between the answers to one case: the aspect, its subject, and the two sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Aspect = Literal["refusal", "format", "tool", "argument", "field", "label", "value", "content", "complaint"]
"""The respects in which two answers can differ.

`refusal`: one side refuses. `format`: one side has no answer of the form. `tool`: another tool, or none. `argument`: an
argument of the same tool. `field`: a field of a record. `label`: one of a fixed set of answers, yes and no among them.
`value`: another number, date, option, short answer, query or program. `content`: free text that says something else.
`complaint`: a user's thumb down where no other difference shows.
"""
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
OPTION = "option"
"""The subject of options that each input lists."""
ANY = "*"
"""Represents every subject in the key of an aspect."""
Basis = Literal["label", "production", "committee"]
"""The two sides of a contrast: production's answer against a label, or against the committee's majority; or the two largest
groups of the committee's own answers."""
Side = Literal["production", "committee", "label"]
"""Who gives an answer."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One respect in which one side differs from the other.

    Attributes:
        aspect: the respect.
        subject: what differs: the path of a field, `tool.argument`, the unit of a number; "" where the aspect says it all.
        given: the short value of the first side (production's, or the smaller group's); "" for nothing.
        expected: the short value of the other side; "" for nothing.
        change: how the values differ, such as `missing`, `added`, `scaled` or `day and month swapped`; "" for any other value.
    """

    aspect: Aspect
    subject: str = ""
    given: str = ""
    expected: str = ""
    change: str = ""

    @property
    def part(self) -> str:
        """The key of the part that differs, whatever its values."""
        return f"{self.aspect}:{self.subject.replace(':', '.')}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of what differs, from the most specific one to the whole aspect.

        Values are a part of the key where they are words: a number, an id or the letter of an option of one case says nothing
        of others.
        """
        general, values = self.part, f"{self.given}>{self.expected}"
        if self.aspect in ("tool", "label", "refusal", "format", "complaint"):
            return (f"{general}:{values}", f"{self.aspect}:{ANY}")
        tells = self.given and self.expected and self.subject != OPTION and not any(map(str.isdigit, values))
        worded = [f"{general}:{values}", f"{general}:{self.given}>", f"{general}:>{self.expected}"] if tells else []
        return (*worded, *([f"{general}:{self.change}"] if self.change else []), general, f"{self.aspect}:{ANY}")


WORDING = Difference("content", "wording")
"""Free text in other words; by itself it says nothing, see `CaseContrasts.excess`."""
SAYS, OMITS = "says:", "omits:"
"""The beginnings of the keys of words that an answer alone has, and of words that it alone lacks."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The two sides that face each other in the answers to one case.

    Attributes:
        case_id: the case.
        basis: the sides that are compared.
        differences: the respects in which they differ, without an order.
        strength: how strongly the answers oppose the first side, 0..1: the share of the answers that contradict
            production, 1 for a label, or the share of the committee's answers outside its largest group.
        given: the first side's answer, as it was written; "" without one.
        expected: the other side's answer.
    """

    case_id: str
    basis: Basis
    differences: tuple[Difference, ...]
    strength: float
    given: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class CaseContrasts:
    """The contrasts of one case.

    Attributes:
        case_id: the case.
        production: production's answer against a label, else against the committee; None where it has nothing otherwise.
        committee: the committee's two largest groups against each other; None without a split.
        keys: the keys of production's differences, and of the words of free text that it alone says or omits.
        placebo_keys: the number of members that have each key, every one against the other members.
        dissenter: the prompt (model/variant) that gave all answers of the second group of a split; "" where several did.
        spread: the share of the members outside the largest group, by the key of each part (aspect and subject).
        members: the number of members.
        excess: of free text: the mean distance of production's answer to the committee's, less the mean distance among
            these; None for other answers.
        placebo_excess: the same of each member.
        words: the spelling of the words, by stem.
    """

    case_id: str
    production: Contrast | None
    committee: Contrast | None
    keys: frozenset[str]
    placebo_keys: Mapping[str, int]
    members: int
    dissenter: str = ""
    spread: Mapping[str, float] = field(default_factory=dict)
    excess: float | None = None
    placebo_excess: tuple[float, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerSide:
    """A group of answers that faces others in a category.

    Attributes:
        text: what this side says, in a few words, such as `create_refund` or `no answer of the form`.
        by: who says so.
        share: of the answers of `by` in the category, 0..1.
    """

    text: str
    by: Side
    share: float
