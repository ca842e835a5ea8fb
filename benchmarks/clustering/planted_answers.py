"""Raw answers of six kinds for planted causes: the wordings of an answer, an answer that cannot be read, and a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from curator.records import Kind

LABELS = ("billing", "delivery", "account", "returns", "complaint", "other")
REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with this.",
    "Sorry, I'm not able to help with that.",
)


@dataclass(frozen=True, slots=True)
class Wordings:
    """The answers to one made-up input.

    Attributes:
        meanings: the wordings of each meaning: the right one first, then wrong ones.
        unreadable: answers in which no answer of the kind can be read; () for kinds of which every text is an answer.
        other_tool: the wordings of a call of another tool; () for other kinds than tool calls.
    """

    meanings: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]
    other_tool: tuple[str, ...] = ()


def wordings(kind: Kind, rng: Random) -> Wordings:
    """Make up the answers to one input of a kind."""
    return _MAKERS[kind](rng)


def _label(rng: Random) -> Wordings:
    chosen = rng.sample(LABELS, 4)
    return Wordings(
        tuple((name, f"{name.capitalize()}.", f"Category: {name}", f"**{name}**") for name in chosen),
        (
            "There are several things to consider in this message before one can file it.",
            "The customer writes about more than one matter, and both seem urgent.",
        ),
    )


def _number(rng: Random) -> Wordings:
    chosen = rng.sample(range(11, 900), 4)
    return Wordings(
        tuple((f"{n}", f"{n}.", f"The total is {n}.", f"Answer: {n}") for n in chosen),
        ("It depends on the order and on the customer.", "The amount cannot be read off the invoice as it stands."),
    )


def _json(rng: Random) -> Wordings:
    record = {"customer": rng.choice(("Berg", "Okafor", "Tanaka")), "amount": rng.randrange(20, 400), "paid": True}
    changes: Sequence[Mapping[str, object]] = (
        {},
        {"amount": record["amount"] + rng.randrange(1, 90)},  # type: ignore[operator]
        {"customer": "Lindgren"},
        {"paid": False},
    )
    records = [{**record, **change} for change in changes]
    return Wordings(
        tuple(
            (json.dumps(r), f"```json\n{json.dumps(r, indent=1)}\n```", json.dumps(dict(reversed(r.items()))))
            for r in records
        ),
        ('{"customer": "Berg", "amount": ', "The customer is named in the second line, and the invoice was paid."),
    )


def _tool_call(rng: Random) -> Wordings:
    order = f"A{rng.randrange(1000, 9999)}"
    calls = [("create_refund", {"order": order, "amount": amount}) for amount in rng.sample(range(10, 200), 4)]
    other = ("hand_over", {"order": order})
    return Wordings(
        tuple(_call(*call) for call in calls),
        (
            '{"name": "create_refund", "arguments": {"amount": 1e999}}',
            '[{"name": "create_refund", "arguments": {"a": 1e999}}]',
        ),
        _call(*other),
    )


def _call(name: str, arguments: Mapping[str, object]) -> tuple[str, ...]:
    inside = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return (
        json.dumps({"name": name, "arguments": arguments}),
        f"{name}({inside})",
        f"I will do that now.\n<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>",
    )


def _short(rng: Random) -> Wordings:
    chosen = rng.sample(("Paris", "Oslo", "Lisbon", "Vienna", "Dublin", "Prague"), 4)
    return Wordings(tuple((name, f"{name}.", f"The answer is {name}.", name.upper()) for name in chosen), ())


def _text(rng: Random) -> Wordings:
    item, days = rng.choice(("lamp", "kettle", "jacket", "bicycle")), rng.randrange(10, 60)
    return Wordings(
        (
            (
                f"You can return the {item} within {days} days of delivery.",
                f"The {item} may be sent back up to {days} days after it was delivered.",
                f"Returns of the {item} are accepted for {days} days from the delivery.",
            ),
            (
                f"You can return the {item} within {days + 30} days of delivery.",
                f"The {item} may be sent back up to {days + 30} days after it was delivered.",
            ),
            (
                f"Sadly the {item} was reduced and is excluded from any return.",
                f"No returns are possible: this {item} was sold in the sale.",
            ),
            (
                "Please ask our service team by phone, they decide on each parcel.",
                "Only the service team can decide that, call them about your parcel.",
            ),
        ),
        (),
    )


_MAKERS: Mapping[Kind, Callable[[Random], Wordings]] = {
    "label": _label,
    "number": _number,
    "json": _json,
    "tool_call": _tool_call,
    "short": _short,
    "text": _text,
}
KINDS: tuple[Kind, ...] = tuple(_MAKERS)
