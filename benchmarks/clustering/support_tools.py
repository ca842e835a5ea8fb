"""Calls of tools by the assistant of a made-up shop, and three ways in which they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.clustering.company_logs import Draft, Write, chat
from benchmarks.clustering.people import CITIES, STREETS, day, full_name, spoken
from benchmarks.clustering.wording import letter, phrase, tool_call

TASK = "agent"
LIMIT = 100
_SYSTEM = """You are the service agent of Fernhill Outdoor. Today is {today} 2026. You act for the customer with tools; call \
one tool, or answer in words where no tool is needed.

Tools:
- get_order_status(order_id)
- create_refund(order_id, amount, reason): only up to {limit} EUR. Higher refunds need a person: use handover.
- cancel_order(order_id, reason): only if the order has not been sent.
- update_address(order_id, street, city)
- handover(team, summary): team is refunds, complaints or warehouse.

Never say that something was done without calling the tool for it.

Customer: {name}, customer number {customer}. Latest order: {order} ({item}, {price} EUR, {state})."""
_ITEMS = ("tent", "sleeping bag", "rain jacket", "hiking boots", "backpack", "stove", "headlamp", "water filter")
_FAULTS = (
    "[arrived damaged|was damaged on arrival|came broken]", "[is faulty|does not work|stopped working]",
    "[is not as described|looks different from the picture]", "[never arrived|was not delivered]",
    "[is too small|does not fit]",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the customer who writes, as the system prompt shows it."""

    name: str
    customer: str
    order: str
    item: str
    price: float
    today: str
    state: str

    def chat(self, *turns: str) -> tuple[str, ...]:
        """Return the system prompt and the turns."""
        system = _SYSTEM.format(
            today=self.today, limit=LIMIT, name=self.name, customer=self.customer, order=self.order, item=self.item,
            price=f"{self.price:.2f}", state=self.state,
        )  # fmt: skip
        return (system, *turns)


def _account(rng: Random, low: float = 8, high: float = 400) -> Account:
    return Account(
        name=full_name(rng),
        customer=f"C-{rng.randint(10000, 99999)}",
        order=f"F-{rng.randint(100000, 999999)}",
        item=rng.choice(_ITEMS),
        price=round(rng.uniform(low, high), 2),
        today=spoken(day(rng)),
        state=rng.choice(("sent", "delivered", "being packed")),
    )


def _draft(account: Account, right: Write, failing: Write | None, *turns: str) -> Draft:
    return Draft(TASK, chat(*account.chat(*turns)), right, lambda rng, _: _slipped(rng, account), failing or right)


def _slipped(rng: Random, account: Account) -> str:
    """Return the wrong tool, a wrong argument or words, at random."""
    order = account.order if rng.random() < 0.5 else f"F-{rng.randint(100000, 999999)}"
    return rng.choice((
        tool_call("get_order_status", order_id=f"F-{rng.randint(100000, 999999)}"),
        tool_call("handover", team=rng.choice(("warehouse", "complaints")), summary="The customer needs help."),
        tool_call("create_refund", order_id=order, amount=round(account.price / 2, 2), reason="customer request"),
        tool_call("cancel_order", order_id=order, reason="customer request"),
        phrase(rng, "[Could you|Please] [give me|tell me] [your order number|some more details|the reason]?"),
        phrase(rng, "[I am sorry|Sorry], [something went wrong|I cannot do that] [right now|at the moment]."),
    ))  # fmt: skip


def _refund_reason(rng: Random, fault: str) -> str:
    return phrase(rng, rng.choice((fault, f"item {fault}", f"[customer says|reported that] it {fault}")))


def _ask_refund(rng: Random, account: Account, fault: str) -> str:
    return phrase(
        rng,
        "[Hi|Hello|Hey][,|] [my|the] {item} [from {order}|] {fault}. [I want my money back|Please refund me|Can I have a refund]"
        "[, it was {price} EUR|, {price} EUR please|].",
        item=account.item, order=account.order, fault=phrase(rng, fault), price=f"{account.price:.2f}",
    )  # fmt: skip


def _refund(account: Account, fault: str) -> Write:
    return lambda rng, _: tool_call(
        "create_refund", order_id=account.order, amount=account.price, reason=_refund_reason(rng, fault)
    )


def small_refund(rng: Random) -> Draft:
    account, fault = _account(rng, 8, 99), rng.choice(_FAULTS)
    return _draft(account, _refund(account, fault), None, _ask_refund(rng, account, fault))


def large_refund(rng: Random) -> Draft:
    account, fault = _account(rng, 105, 780), rng.choice(_FAULTS)

    def handover(rng: Random, _: str) -> str:
        summary = phrase(
            rng,
            "[Refund of {price} EUR|A refund above the limit] [requested|is needed] for {order}[: the {item} {fault}|].",
            price=f"{account.price:.2f}", order=account.order, item=account.item, fault=phrase(rng, fault),
        )  # fmt: skip
        return tool_call("handover", team="refunds", summary=summary)

    return _draft(account, handover, _refund(account, fault), _ask_refund(rng, account, fault))


def order_status(rng: Random) -> Draft:
    account = _account(rng)
    text = phrase(
        rng,
        "[Where is|What about|Any news on|What is the status of] [order {order}|my order {order}]?[ I have been waiting for"
        " days.|]",
        order=account.order,
    )
    return _draft(account, fixed_call("get_order_status", order_id=account.order), None, text)


def latest_order(rng: Random) -> Draft:
    account = _account(rng)
    text = phrase(
        rng,
        "[Where is|When do I get|What happened to] [my latest order|my last order|the {item} I ordered|my stuff]?"
        "[ My customer number is {customer}.| I am {customer}.|]",
        item=account.item, customer=account.customer,
    )  # fmt: skip
    failing = fixed_call("get_order_status", order_id=account.customer)
    return _draft(account, fixed_call("get_order_status", order_id=account.order), failing, text)


def fixed_call(name: str, **arguments: object) -> Write:
    return lambda _rng, _style: tool_call(name, **arguments)


_WHY = (
    (
        "I found it cheaper [elsewhere|in another shop].",
        "[found it cheaper|cheaper elsewhere|customer found a lower price|better price in another shop|lower price elsewhere]",
    ),
    (
        "I ordered it by [mistake|accident].",
        "[ordered by mistake|the order was a mistake|customer ordered by accident|accidental order]",
    ),
    (
        "I don't need it [any more|after all].",
        "[no longer needed|customer does not need it any more|not needed after all|item not needed]",
    ),
    (
        "[It takes too long|I cannot wait so long].",
        "[takes too long|delivery too slow|customer does not want to wait|waiting time too long]",
    ),
)  # fmt: skip
"""The reasons of a cancellation as the mail and as the calls put them: each call in words of its own."""


def cancel(rng: Random) -> Draft:
    account = _account(rng)
    said, reason = rng.choice(_WHY)
    text = phrase(
        rng, f"Please cancel [order {{order}}|{{order}}|my order {{order}}][. Reason:|.] {said}", order=account.order
    )
    return _draft(
        account,
        lambda rng, _: tool_call("cancel_order", order_id=account.order, reason=phrase(rng, reason)),
        None,
        text,
    )


def _new_address(rng: Random, account: Account) -> tuple[str, str, tuple[str, ...]]:
    street, city = f"{rng.choice(STREETS)} {rng.randint(1, 180)}", rng.choice(CITIES)
    asked = phrase(
        rng,
        "[I moved|My address has changed|The address of {order} is wrong]. [Please send it to|The new address is|It should go to]"
        " {street}, {city}.",
        order=account.order, street=street, city=city,
    )  # fmt: skip
    return street, city, (asked,)


def address(rng: Random) -> Draft:
    account = _account(rng)
    street, city, turns = _new_address(rng, account)
    return _draft(account, fixed_call("update_address", order_id=account.order, street=street, city=city), None, *turns)


def address_in_words(rng: Random) -> Draft:
    account = _account(rng)
    street, city, turns = _new_address(rng, account)
    opening = (
        phrase(rng, "[I have a question about|It's about] [my order|{order}].", order=account.order),
        phrase(rng, "[Sure|Of course|Hello], [what is it about|how can I help]?"),
    )
    failing = letter(
        {
            "name": account.name,
            "first": account.name.split()[0],
            "order": account.order,
            "street": street,
            "city": city,
        },
        "[I have|I've] [updated|changed|corrected] the [delivery|] address [of {order}|] to {street}, {city}.",
        "[Done|All set]! [Your parcel|Order {order}] [goes|will be sent] to {street}, {city}.",
        "[The new address|{street} in {city}] [is saved now|has been entered for {order}].",
    )
    right = fixed_call("update_address", order_id=account.order, street=street, city=city)
    return _draft(account, right, failing, *opening, *turns)


def complaint(rng: Random) -> Draft:
    account = _account(rng)
    text = phrase(
        rng,
        "[I will call my lawyer|I want to speak to a manager|This is a disgrace|I will leave a bad review]. [The courier was"
        " rude|Third broken {item} in a row|You never call back].",
        item=account.item,
    )

    def handover(rng: Random, _: str) -> str:
        summary = phrase(rng, "[Angry|Upset] customer [asks for a manager|complains about the service][ ({order})|].", order=account.order)  # fmt: skip
        return tool_call("handover", team="complaints", summary=summary)

    return _draft(account, handover, None, text)


def words_only(rng: Random) -> Draft:
    account = _account(rng)
    values = {"name": account.name, "first": account.name.split()[0]}
    right = letter(
        values,
        "[Refunds|Money for returned items] [usually take|take] five working days[ after we received the item|].",
        "[It takes|Please allow] five working days [until the money is back|for a refund].",
    )
    text = phrase(rng, "[How long does a refund take|When do refunds arrive] [in general|normally|]? [Just curious.|]")
    return _draft(account, right, None, text)


ORDINARY: tuple[Callable[[Random], Draft], ...] = (order_status, small_refund, cancel, address, complaint, words_only)
PLANTED: dict[str, Callable[[Random], Draft]] = {
    "refund above the limit": large_refund,
    "customer number as order": latest_order,
    "no call": address_in_words,
}
