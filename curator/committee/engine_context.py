"""Context of a run, which its dispatchers share, and the groups of calls they send."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Protocol

from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.empty_answers import EmptyAnswers
from curator.committee.requests import ModelRequest, PlannedCall
from curator.records.spend import Spend
from curator.state.generations import GenerationStore
from curator.state.refusals import Refusals
from curator.state.store_schema import StoredReply


class TemperatureRefused(Exception):
    """The model accepts no temperature but 1, so that the plan has to change."""

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model!r} accepts no temperature but 1")
        self.model = model


@dataclass(slots=True)
class Tally:
    """Counts of a run so far.

    `sent` counts requests, every try of one included; `errors` counts the tries that failed, by `CallFailed.label`;
    `not_asked` counts the calls that failed without a request: refused before, or too long.
    """

    sent: int = 0
    from_store: int = 0
    failed: int = 0
    not_asked: int = 0
    estimated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class EngineContext(Protocol):
    """The run, as its dispatchers see it."""

    store: GenerationStore
    refusals: Refusals
    empties: EmptyAnswers
    budget: Budget
    clock: Clock
    tally: Tally
    halted: bool

    def afford(self, bound: Spend) -> bool:
        """Reserve the most that a request can cost.

        It returns False if the request has to wait, or if the run ends here.
        """

    def fill(self, key: str, answer: StoredReply | str) -> None:
        """Deliver the answer to a key, or the reason why there is none."""

    def halt(self, error: BaseException) -> None:
        """End the run with this error once everything in flight is stored."""

    def moved(self) -> None:
        """Send everything that may be sent now."""


@dataclass(slots=True, eq=False)
class RequestGroup:
    """Calls that one request answers: samples of one prompt.

    `unsure` is True when an earlier try may have been billed. `proves` is True when the request was sent while the
    endpoint still had to prove something.
    """

    calls: list[PlannedCall]
    tries: int = 0
    unsure: bool = False
    proves: bool = False

    def request(self) -> ModelRequest:
        """Return the request for all of its answers."""
        first = self.calls[0].request
        return first if len(self.calls) == 1 else replace(first, n=len(self.calls))

    def alone(self) -> list[RequestGroup]:
        """Return a group for each of its answers."""
        return [RequestGroup([call], self.tries, self.unsure) for call in self.calls]


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request in flight: its bound, its tokens, and the time it was sent."""

    request: ModelRequest
    bound: Spend
    most_tokens: int
    expected_tokens: float
    at: float
