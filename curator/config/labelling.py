"""Who labels, at what pace and price."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from curator.config.section import Positive, Section, Share


class LabellingConfig(Section):
    """How the label queue is divided into batches, and what labelling takes."""

    batch_size: Positive = 25
    """The most cases of a batch. Whoever stops at the end of one has labelled a valid smaller sample."""
    minutes_per_label: Annotated[float, Field(gt=0)] = 1.0
    """How long a case takes. Nobody knows it beforehand: time a first batch, and set it."""
    cost_per_label: Annotated[float, Field(ge=0)] | None = None
    """What a label costs, in any currency; unknown by default."""
    annotators: tuple[str, ...] = ()
    """Who labels: the batches go round, with the name in `labelled_by`. Nobody is named by default."""
    overlap: Share = 0.0
    """The share of the cases that a second annotator labels as well, for a measure of how far people agree."""

    @model_validator(mode="after")
    def _two_for_an_overlap(self) -> Self:
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError("annotators: each one is named once")
        if self.overlap and len(self.annotators) < 2:
            raise ValueError("overlap: a second opinion needs at least two `annotators`")
        return self
