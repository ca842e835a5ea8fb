"""Members of the committee, their answers, and the score of the answers to one case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curator.records.values import JsonValue, Kind


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the committee: model, prompt variant, temperature.

    `options` are further fields of the request body.
    """

    id: str
    model: str
    variant: str
    temperature: float
    max_tokens: int
    options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request as the provider reported them, or estimated."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer to one case. A call that failed for good has `error` set and an empty `text`.

    `logprobs` are those of its tokens, whose texts are `tokens`, as far as the endpoint gave them.
    """

    case_id: str
    text: str
    model: str | None = None
    variant: str | None = None
    temperature: float | None = None
    sample_index: int = 0
    finish_reason: str | None = None
    usage: Usage | None = None
    cost_usd: float = 0.0
    latency_s: float = 0.0
    logprobs: tuple[float, ...] | None = None
    error: str | None = None
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one case; contract 4 of `docs/architecture.md` describes each field.

    `n` counts the answers compared. With n < 2 no score exists: the numbers are None, and `reason` says why.
    For structured answers, `fields` maps a dotted path to the share of answer pairs that differ there, the largest first;
    None for other kinds.
    `estimators` holds the values of further estimators by name, null where one has no value; None where none was requested.
    `signals` holds the likelihood of the answers and the confidence that they state; None where they have neither.
    """

    id: str
    disagreement: float | None
    within: float | None
    between: float | None
    against_target: float | None
    kind: Kind
    scorer: str
    majority: str | None
    agreement: float | None
    n: int
    reason: str | None = None
    fields: Mapping[str, float] | None = None
    estimators: Mapping[str, float | None] | None = None
    signals: Mapping[str, float] | None = None

    @property
    def spread(self) -> float | None:
        """The mean difference between the committee's own answers, 0..1; None without a score."""
        return None if self.within is None or self.between is None else self.within + self.between
