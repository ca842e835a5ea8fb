"""The annotators, their pace and their price."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from curator.config.section import Positive, Section, Share

_OVERLAP_CASES = 50
_MOST_OVERLAP = 0.25


class LabellingConfig(Section):
    """The batches of the label queue, and the effort of labelling."""

    tools: tuple[str, ...] = ()
    """The label tools to write the queue for, beside CSV, workbook and JSONL."""
    batch_size: Positive = 25
    """The most cases of a batch. The first batches are a valid smaller sample: an annotator may stop after each."""
    minutes_per_label: Annotated[float, Field(gt=0)] = 1.0
    """Minutes for one case. Measure it on a first batch, and set it."""
    cost_per_label: Annotated[float, Field(ge=0)] | None = None
    """The price of a label, in any currency; unknown by default."""
    annotators: tuple[str, ...] = ()
    """Names of the annotators. Batches are assigned to them in turn, with the name in `labelled_by`."""
    overlap: Share | Literal["auto"] = 0.0
    """The share of cases that a second annotator labels too, to measure how far people agree. `auto` takes about 50 cases, and at
    most a quarter of them."""

    unsure: Literal["last", "leave_out"] = "last"
    """Cases that an annotator marked as unsure: at the end of the next label queue, with mark and note, or not in it."""

    @model_validator(mode="after")
    def _two_for_an_overlap(self) -> Self:
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError("annotators: each one must be named once")
        if self.overlap not in (0, "auto") and len(self.annotators) < 2:
            raise ValueError("overlap: a second opinion needs at least two `annotators`")
        return self

    def overlap_of(self, cases: int) -> float:
        """Return the share of so many cases that two people label.

        `auto` shows the agreement of people to about 10 points: the 95% interval of 85% agreement of 50 cases is that wide to
        each side. With fewer than two annotators it is 0.
        """
        if self.overlap != "auto":
            return self.overlap
        return min(_MOST_OVERLAP, _OVERLAP_CASES / cases) if cases and len(self.annotators) > 1 else 0.0
