"""Recorded answers of a committee: contract 4 of `docs/architecture.md`, one record a case."""

from __future__ import annotations

from dataclasses import dataclass

from curator.records.token_logprobs import TokenLogprobs
from curator.records.values import Kind


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record of contract 4: `input` is the whole prompt, `question` the last user message.

    `kind` is None where the record does not give one. `task` is its name, see `records.task_name`. `reference` is the trusted
    answer, with its source (a `records.ReferenceSource`), the slice of the selection that it was given for (a
    `records.Slice`) and the inclusion probability of the case. `failure` is how far the answer in question fails, 0 (it is
    right) to 1; None without a verdict.
    """

    id: str
    answers: tuple[Answered, ...]
    target: str | None
    kind: Kind | None
    labels: tuple[str, ...]
    input: str
    question: str
    reference: str | None = None
    reference_source: str | None = None
    reference_slice: str | None = None
    reference_probability: float = 1.0
    target_logprobs: TokenLogprobs | None = None
    task: str = ""
    failure: float | None = None

    @property
    def mean_length(self) -> float | None:
        """The mean length of the answers in characters; None without an answer."""
        return sum(len(answer.text) for answer in self.answers) / len(self.answers) if self.answers else None


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of the committee; `prompt_id` names its model and prompt variant."""

    text: str
    prompt_id: str
    temperature: float | None = None
    logprobs: tuple[float, ...] | None = None
    model: str = ""
    tokens: tuple[str, ...] = ()


def prompt_id_of(model: str | None, variant: str | None) -> str:
    """Return a prompt identity, `MODEL/VARIANT`; an unknown part is left out."""
    return "/".join(part for part in (model, variant) if part)
