"""Recorded generations (contract 4 of `docs/architecture.md`), one JSON record a line, scored as they stream by."""

from __future__ import annotations

from dataclasses import dataclass

from curator.records.values import Kind


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record of contract 4 as it was read: `input` is all that was asked, `question` the user's last message.

    `reference` is the trusted answer. A run also says where it is from (`reference_source`, of `records.ReferenceSource`),
    how its case came into the selection (`reference_slice`, of `records.Slice`) and with what chance it was drawn.
    """

    id: str
    answers: tuple[Answered, ...]
    target: str | None
    kind: Kind
    labels: tuple[str, ...]
    input: str
    question: str
    reference: str | None = None
    reference_source: str | None = None
    reference_slice: str | None = None
    reference_probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of the committee. `group` is its prompt identity: the model and the prompt variant."""

    text: str
    group: str
    temperature: float | None = None
    logprobs: tuple[float, ...] | None = None


def group_of(model: str | None, variant: str | None) -> str:
    """The name of a prompt identity, `MODEL/VARIANT`; what is not known is left out."""
    return "/".join(part for part in (model, variant) if part)
