"""Intents and records of the mails to a made-up shop, and six ways in which their reading fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from benchmarks.clustering.company_logs import Draft, Write, chat, skewed
from benchmarks.clustering.people import ambiguous_day, day, full_name, phone, spoken
from benchmarks.clustering.wording import json_text, phrase

INTENT, EXTRACT = "intent", "extract"
INTENT_SYSTEM = """You sort the mails to Fernhill Outdoor. Answer with one label and nothing else.

billing: charges, invoices, refunds that have not arrived
cancellation: the customer wants to end a subscription or membership, or to cancel an order
delivery: parcels that are late, lost or damaged on the way
returns: sending something back or exchanging it
technical: problems with the website or the app
account: login, address, personal data
other: everything else"""
EXTRACT_SYSTEM = """Extract the facts of a customer's mail as one JSON object and write nothing else.

Fields: order_number (text), customer (text), phone (text, null if the mail has none), purchase_date (YYYY-MM-DD; our \
customers write the day first), amount (number, in euros), currency (ISO code), product (text), priority (low, normal or \
urgent; urgent only if there is a danger or a journey within three days, low if the customer says that there is no hurry), \
summary (one sentence)."""
_MAILS: Mapping[str, tuple[str, ...]] = {
    "delivery": (
        "[My parcel|Order {order}] [still has not arrived|is late again|seems to be lost]. [Where is it|What is going on]?",
        "The box [arrived crushed|was soaked|came half open] and [the carrier did not care|one item is missing].",
        "[Tracking|The tracking page] says delivered [on {when}|yesterday], but I [got nothing|have nothing here].",
    ),
    "returns": (
        "I [want|would like] to [send back|return|exchange] the {item}, it is too [small|big|heavy].",
        "[Where do I get a return label|How do I return this] for {order}?",
        "Can I [swap|exchange] the {item} for [another colour|a larger one]?",
    ),
    "billing": (
        "I was charged [twice|two times] for {order}. [Please check|What happened]?",
        "[The refund|My money] of {amount} EUR [has not arrived|is still missing] [since {when}|].",
        "[I need|Please send me] an invoice [with VAT|for my company] for {order}.",
    ),
    "technical": (
        "[The app|Your website] [crashes|freezes|shows a white page] [when I open the cart|at the checkout|on my phone].",
        "I get error {number} [when I pay|when I search for a {item}|whenever I upload a photo].",
    ),
    "account": (
        "I [cannot log in|forgot my password|do not get the reset mail].",
        "Please [change|update] my [mail address|name|birthday] [in my profile|]. [I married on {when}|].",
    ),
    "cancellation": (
        "Please cancel [order {order}|my order for the {item}][, I found it cheaper|, I ordered by mistake|].",
        "I [no longer want|do not need] the {item}. [Stop order {order}|Please cancel it] before it is sent.",
    ),
    "other": (
        "Do you [sponsor|support] [school trips|mountain rescue teams]?",
        "[Great service|Lovely shop], just wanted to say thanks!",
        "Are you [hiring|looking for staff] in {number}?",
    ),
}
_ENDED = (
    "I want to end my [Trail Club|] [membership|subscription][ before the next charge of {amount} EUR| on {when}|].",
    (
        "[Please stop|Stop] my [gear box|Trail Club] [subscription|plan][, it costs too much|, I don't want to pay {amount} EUR"
        " again|]."
    ),
    (
        "How do I [terminate|quit|get out of] [the monthly plan|the membership|my subscription]? [{amount} EUR a month is too"
        " much|The next payment is on {when}|]."
    ),
)
ITEMS = ("tent", "sleeping bag", "rain jacket", "hiking boots", "backpack", "camping stove", "headlamp", "water filter")


def intent(rng: Random, label: str | None = None) -> Draft:
    label = label or skewed(rng, tuple(_MAILS))
    return _intent(rng, rng.choice(_MAILS[label]), label)


def ended_subscription(rng: Random) -> Draft:
    return _intent(rng, rng.choice(_ENDED), "cancellation", "billing")


def _intent(rng: Random, mail: str, label: str, failing: str | None = None) -> Draft:
    amount = f"{rng.randint(5, 200)}{rng.choice(('.90', '.50', ''))}"
    values = {
        "order": f"F-{rng.randint(100000, 999999)}",
        "item": rng.choice(ITEMS),
        "when": spoken(day(rng)),
        "amount": amount,
        "number": rng.randint(400, 2100),
    }
    text = phrase(rng, f"[Hello|Hi|Dear team|][,|] {mail} [Thanks|Regards|Best|][,|] [{full_name(rng)}|]", **values)
    others = [other for other in _MAILS if other != label]
    return Draft(
        INTENT,
        chat(INTENT_SYSTEM, text),
        lambda rng, _: _labelled(rng, label),
        lambda rng, _: _labelled(rng, rng.choice(others)),
        lambda rng, _: _labelled(rng, failing or label),
    )


def _labelled(rng: Random, label: str) -> str:
    return rng.choices((label, label.capitalize(), f"{label}."), (0.94, 0.04, 0.02))[0]


@dataclass(frozen=True, slots=True)
class Mail:
    """The facts of a mail, and the way in which it writes them."""

    order: str
    customer: str
    phone: str | None
    bought: date
    written_date: str
    amount: float
    written_amount: str
    product: str
    priority: str
    trouble: str
    mood: str
    ending: str = ""


_TROUBLES = (
    "[the zip is stuck|a zip broke]", "[a seam came apart|the seam is open]", "[it leaks|water gets in]",
    "[the colour is not what I ordered|it is the wrong colour]", "[a part is missing|one piece was not in the box]",
    "[it arrived scratched|there are scratches on it]", "[it does not close any more|the buckle is broken]",
)  # fmt: skip
_MOODS = {
    "normal": ("[Please let me know what to do|How do we go on|I hope you can help].", ""),
    "low": (
        "[There is no hurry|No rush at all|It can wait].",
        "[Whenever you find the time|Take your time], [I have a spare one|the season is over].",
    ),
    "urgent": (
        "[We leave|Our trip starts] [tomorrow|in two days], [so it is urgent|please hurry].",
        "[It gets dangerously hot|Gas comes out], [this is a danger|somebody could get hurt].",  # data
    ),
}
_ANGRY = (
    "[This is the second time I write|I have written before]!!! [Unbelievable|I am really annoyed].",
    "[Answer me|Reply] [at last|for once]!! [I expect better|So disappointing].",
    "[I WANT AN ANSWER|PLEASE READ THIS]! [Never again|What a mess].",
)


def mail(rng: Random) -> Mail:
    priority = rng.choices(("normal", "low", "urgent"), (0.7, 0.18, 0.12))[0]
    bought, amount = day(rng), round(rng.uniform(9, 380), 2)
    return Mail(
        order=f"F-{rng.randint(100000, 999999)}",
        customer=full_name(rng),
        phone=None,
        bought=bought,
        written_date=rng.choice((f"{spoken(bought)} {bought.year}", bought.isoformat())),
        amount=amount,
        written_amount=rng.choice((f"{amount:.2f} EUR", f"€{amount:.2f}", f"{amount:.2f} euros")),
        product=rng.choice(ITEMS),
        priority=priority,
        trouble=phrase(rng, rng.choice(_TROUBLES)),
        mood=phrase(rng, rng.choice(_MOODS[priority])),
    )


def record(rng: Random, facts: Mail) -> dict[str, object]:
    """Return the record of a mail; the summary is in words of its own each time."""
    summary = phrase(
        rng,
        "[The customer|{customer}|A customer] [reports that|writes that|complains that|says] {trouble} [with the {product}|on"
        " the {product}|of order {order}][ and asks for help|].",
        customer=facts.customer, trouble=facts.trouble, product=facts.product, order=facts.order,
    )  # fmt: skip
    return {
        "order_number": facts.order,
        "customer": facts.customer,
        "phone": facts.phone,
        "purchase_date": facts.bought.isoformat(),
        "amount": facts.amount,
        "currency": "EUR",
        "product": facts.product if rng.random() < 0.9 else facts.product.capitalize(),
        "priority": facts.priority,
        "summary": summary,
    }


def _written(rng: Random, facts: Mail) -> str:
    template = rng.choice((
        "[Hi|Hello], on {date} I bought [a|your] {product} (order {order}, {amount}). Now {trouble}. {mood}",
        ("[Dear team|Good day], {trouble} [with|on] my {product}. [Order|The order number is] {order} [of|from] {date},"
        " [price|I paid] {amount}. {mood}"),
        "{mood} [The|My] {product} from order {order}: {trouble}. [I bought it|Bought] on {date} for {amount}.",
    ))  # fmt: skip
    text = phrase(
        rng, template, date=facts.written_date, product=facts.product, order=facts.order, amount=facts.written_amount,
        trouble=facts.trouble, mood=facts.mood,
    )  # fmt: skip
    sign = phrase(rng, "[Regards|Best|Thanks|Kind regards],")
    return f"{text}\n\n{sign}\n{facts.customer}{facts.ending}"


Change = Callable[[dict[str, object]], dict[str, object]]


def _extract(rng: Random, facts: Mail, failing: Change | Write | None = None, *, prose: bool = False) -> Draft:
    def right(rng: Random, _: str) -> str:
        return json_text(rng, record(rng, facts))

    def fails(rng: Random, style: str) -> str:
        if prose:
            return _prose(rng, facts)
        return json_text(rng, failing(record(rng, facts))) if failing else right(rng, style)  # type: ignore[call-arg, arg-type]

    return Draft(EXTRACT, chat(EXTRACT_SYSTEM, _written(rng, facts)), right, lambda rng, _: _slipped(rng, facts), fails)


def extraction(rng: Random) -> Draft:
    facts = mail(rng)
    if rng.random() < 0.3:
        number = phone(rng)
        facts = replace(facts, phone=number, mood=phrase(rng, f"{facts.mood} [You can call me|Call me] at {number}."))
    return _extract(rng, facts)


def _prose(rng: Random, facts: Mail) -> str:
    return phrase(
        rng,
        "[Here is what I found in the mail|The mail says the following|Sure! Here are the facts]: {name} [bought|ordered] a"
        " {product} (order {order}) on {date} for {amount}. [The problem is that|It seems that] {trouble}. The priority is {p}.",
        name=facts.customer, product=facts.product, order=facts.order, date=facts.written_date,
        amount=facts.written_amount, trouble=facts.trouble, p=facts.priority,
    )  # fmt: skip


def _slipped(rng: Random, facts: Mail) -> str:
    """Return a record with an error of any kind."""
    whole = record(rng, facts)
    match rng.randrange(8):
        case 0:
            whole.pop(rng.choice(("phone", "currency", "purchase_date", "product", "order_number")))
        case 1:
            whole["purchase_date"] = (facts.bought + timedelta(rng.choice((-365, -31, -1, 1, 30)))).isoformat()
        case 2:
            whole["amount"] = round(facts.amount + rng.choice((-10, -1, 1, 10, 100)), 2)
        case 3:
            whole["order_number"] = f"F-{rng.randint(100000, 999999)}"
        case 4:
            whole["priority"] = rng.choice([p for p in _MOODS if p != facts.priority])
        case 5:
            whole["product"] = rng.choice([item for item in ITEMS if item != facts.product])
        case 6:
            return json_text(rng, whole)[: rng.randint(60, 140)]
        case _:
            whole["customer"] = facts.customer.split()[0]
    return json_text(rng, whole)


def always_urgent(rng: Random) -> Draft:
    facts = mail(rng)
    priority = rng.choice(("normal", "normal", "normal", "low"))
    calm = phrase(rng, rng.choice(_MOODS[priority]))
    facts = replace(facts, priority=priority, mood=f"{phrase(rng, rng.choice(_ANGRY))} {calm}".strip())
    return _extract(rng, facts, lambda whole: {**whole, "priority": "urgent"})


def swapped_date(rng: Random) -> Draft:
    bought = ambiguous_day(rng)
    layout = rng.choice(("{d:02}/{m:02}/{y}", "{d}/{m}/{y}", "{d:02}-{m:02}-{y}"))
    facts = replace(mail(rng), bought=bought, written_date=layout.format(d=bought.day, m=bought.month, y=bought.year))
    other = bought.replace(month=bought.day, day=bought.month)
    return _extract(rng, facts, lambda whole: {**whole, "purchase_date": other.isoformat()})


def cents(rng: Random) -> Draft:
    amount = round(rng.uniform(12, 1900), 2)
    written = f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    facts = replace(mail(rng), amount=amount, written_amount=rng.choice((f"EUR {written}", f"{written} €")))
    return _extract(rng, facts, lambda whole: {**whole, "amount": round(amount * 100)})


def missing_phone(rng: Random) -> Draft:
    number, place = phone(rng), rng.choice(("Birch Lane 4, Cork", "Mill Street 17, Graz", "Oak Avenue 9, Leeds"))
    ending = rng.choice((f"\nTel. {number}", f"\n{place}\nMobile: {number}", f"\n{number}\n{place}"))
    facts = replace(mail(rng), phone=number, ending=ending)
    return _extract(rng, facts, lambda whole: {key: value for key, value in whole.items() if key != "phone"})


def prose(rng: Random) -> Draft:
    facts = mail(rng)
    question = phrase(
        rng,
        "[Also|And], [can you tell me|do you know] [whether I can|how to] [repair it myself|clean it properly|use it until"
        " then]? [What would you do|Thanks for your advice|].",
    )
    return _extract(rng, replace(facts, mood=f"{facts.mood} {question}".strip()), prose=True)


PLANTED: dict[str, Callable[[Random], Draft]] = {
    "cancellation as billing": ended_subscription,
    "always urgent": always_urgent,
    "swapped date": swapped_date,
    "amount in cents": cents,
    "missing phone": missing_phone,
    "prose": prose,
}
