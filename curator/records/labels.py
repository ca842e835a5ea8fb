"""A person's label of one case, as every label file gives it."""

from __future__ import annotations

from dataclasses import dataclass

from curator.records.cases import Source
from curator.records.values import Slice

HALF = 0.5
"""The failure of an answer that as many people call right as wrong; more is wrong, less is right."""


@dataclass(frozen=True, slots=True)
class Label:
    """The judgement of one or several people on production's answer to one case.

    Attributes:
        case_id: the case.
        source: the row that says so; of several rows the first that is used.
        failure: how far the answer fails, 0 (it is right) to 1; of several people the mean. None without a verdict.
        text: the right answer; None where it was not given.
        by: the person's name, "" where the row has none.
        slice: how the case came into the selection; None where the row does not say.
        probability: the inclusion probability, above 0 and up to 1.
        category: the category that the person put the case in; None where it was not changed.
        note: what the person wrote about the case, "" for nothing.
        seconds: the time that the person took; None where it was not measured.
        at: when the person gave it last, ISO 8601 in UTC; "" where the row does not say.
        people: the names of all who labelled the case, sorted; () in a row of one person.
        answer_mark: of the answer that was judged (`records.answer_mark`); "" where the row does not say.
    """

    case_id: str
    source: Source
    failure: float | None = None
    text: str | None = None
    by: str = ""
    slice: Slice | None = None
    probability: float = 1.0
    category: str | None = None
    note: str = ""
    seconds: float | None = None
    at: str = ""
    people: tuple[str, ...] = ()
    answer_mark: str = ""

    @property
    def unsure(self) -> bool:
        """The person looked at the case and gave neither a verdict nor the right answer."""
        return self.failure is None and self.text is None
