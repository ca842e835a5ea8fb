"""Made-up log of a support desk: letters, intents, records of mails and an agent's tools, with twelve planted modes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random

from benchmarks.clustering import support_records as records
from benchmarks.clustering import support_replies as replies
from benchmarks.clustering import support_tools as tools
from benchmarks.clustering.company_logs import Draft, Maker, Planted, Seat, Stance, skewed
from benchmarks.clustering.made_up import MadeUpLog, Mode

NAME = "support desk"
MODES_OF_A_LOG = 12
SHARES = (0.014, 0.034)
"""The range of a mode's share of the traffic: twelve modes are about a quarter of it."""
SEATS = tuple(Seat("assistant", variant, temperature) for variant in ("plain", "careful", "restated")
              for temperature in (0.2, 0.8))  # fmt: skip
_MODES: tuple[tuple[Mode, Stance], ...] = (
    (Mode("promised date", "promises a day of arrival, where the reply may not name any",
          ("date", "arriv", "promis", "deliver")), "right"),
    (Mode("return period", "gives 14 days to return reduced items instead of 30",
          ("14", "30 days", "return", "period")), "right"),
    (Mode("language", "replies in English to a German mail", ("english", "german", "language")), "variant"),
    (Mode("refusal", "refuses to answer a harmless question", ("refus", "declin")), "right"),
    (Mode("second question", "leaves out the second question, on the invoice",
          ("invoice", "second", "leaves out", "omit", "missing", "incomplete")), "right"),
    (Mode("cancellation as billing", "labels the end of a subscription as billing", ("cancel", "subscription")), "right"),
    (Mode("always urgent", "sets the priority of angry mails to urgent", ("priority", "urgent")), "wrong"),
    (Mode("swapped date", "swaps day and month of the date of purchase", ("date", "swap", "month")), "right"),
    (Mode("amount in cents", "writes the amount in cents instead of euros", ("amount", "cent")), "right"),
    (Mode("missing phone", "leaves the phone number of the signature out", ("phone",)), "right"),
    (Mode("prose", "writes prose instead of JSON", ("json", "format", "prose", "form")), "temperature"),
    (Mode("refund above the limit", "creates a refund above the limit, where a handover is right",
          ("refund", "handover", "hand over")), "right"),
    (Mode("customer number as order", "looks up the order by the number of the customer",
          ("order_id", "order id", "status", "customer number")), "variant"),
    (Mode("no call", "says that the address is changed and does not call the tool",
          ("address", "no tool", "call")), "right"),
)  # fmt: skip
MODES = tuple(mode for mode, _ in _MODES)
_TOPICS = replies.PLANTED | records.PLANTED | tools.PLANTED
_ORDINARY: tuple[tuple[float, Callable[[Random], Draft]], ...] = (
    (0.4, lambda rng: skewed(rng, replies.ORDINARY)(rng)),
    (0.2, records.intent),
    (0.2, records.extraction),
    (0.2, lambda rng: skewed(rng, tools.ORDINARY)(rng)),
)


def support_desk(cases: int, seed: int, without: Collection[str] = ()) -> MadeUpLog:
    """Return a log with twelve of fourteen modes; the seed chooses them and their shares of the traffic."""
    rng = Random(f"{NAME} {seed}")
    left_out = {mode.id for mode in rng.sample(MODES, len(MODES) - MODES_OF_A_LOG)}
    planted = [Planted(mode, rng.uniform(*SHARES), stance) for mode, stance in _MODES]
    return Maker(NAME, planted, SEATS, _draw)(cases, seed, left_out | set(without))


def _draw(rng: Random, mode: str | None) -> Draft:
    if mode is not None:
        return _TOPICS[mode](rng)
    weights, topics = zip(*_ORDINARY, strict=True)
    topic: Callable[[Random], Draft] = rng.choices(topics, weights)[0]
    return topic(rng)
