"""Made-up statements in several wordings, for `text_pairs.py`.

A statement is written in several wordings that mean the same, and in wordings that deny it. `{slot}` is a value that one
pair keeps and another changes; each kind of slot has several spellings of one value. `extra` is a sentence that may follow
any wording without contradicting it. The wordings differ by synonyms, active and passive, order and fillers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """One statement: its domain, wordings that mean the same, wordings that deny it, and a sentence that may follow."""

    domain: str
    same: tuple[str, ...]
    denied: tuple[str, ...]
    extra: str


def _statement(domain: str, same: Sequence[str], denied: Sequence[str], extra: str) -> Statement:
    return Statement(domain, tuple(same), tuple(denied), extra)


TUNED = (
    _statement(
        "support",
        (
            "Your refund of {pounds} was sent on {date}.",
            "On {date} we sent you a refund of {pounds}.",
            "We issued the refund on {date}; the amount is {pounds}.",
            "I have checked: a refund of {pounds} was sent to you on {date}.",
        ),
        ("Your refund of {pounds} was not sent on {date}.", "We have not issued a refund of {pounds} to you."),
        "Banks can take a few days to show it on your statement.",
    ),
    _statement(
        "support",
        (
            "You can return the item within {count} days, and return shipping is free.",
            "Returns are possible within {count} days; we pay for return shipping.",
            "The item may be returned for {count} days, with free return shipping.",
            "Sure! You have {count} days to return the item. Return shipping is free.",
        ),
        ("You cannot return the item, even within {count} days.", "Returns within {count} days are not possible."),
        "Please keep the original packaging.",
    ),
    _statement(
        "facts",
        (
            "The bridge was designed by {name} and opened in {year}.",
            "{name} designed the bridge, which opened in {year}.",
            "The bridge, a design by {name}, was opened to the public in {year}.",
            "Opened in {year}, the bridge was designed by {name}.",
        ),
        ("The bridge was not designed by {name}; it opened in {year}.", "{name} never designed that bridge."),
        "It is still in use and carries road traffic and a footpath.",
    ),
    _statement(
        "facts",
        (
            "The museum is in {city} and has about {count} paintings.",
            "About {count} paintings are kept in the museum, which is located in {city}.",
            "You will find the museum in {city}. It has some {count} paintings.",
            "Located in {city}, the museum holds about {count} paintings.",
        ),
        ("The museum is not in {city} and has about {count} paintings.", "There is no such museum in {city}."),
        "Guided tours are offered in the afternoon.",
    ),
    _statement(
        "medical",
        (
            "Yes, adults can take {mg} of the medicine every {count} hours with food.",
            "Yes. The medicine can be taken by adults with food, {mg} every {count} hours.",
            "Adults may take it with food: {mg} of the medicine each {count} hours. So yes.",
            "Yes, with food it is safe for adults to take {mg} of the medicine every {count} hours.",
        ),
        (
            "No, adults should not take {mg} of the medicine every {count} hours with food.",
            "Adults must not take {mg} of the medicine every {count} hours. So the answer is no.",
        ),
        "Talk to a pharmacist if you use other drugs as well.",
    ),
    _statement(
        "finance",
        (
            "Revenue increased by {percent} to {dollars} in the third quarter.",
            "In the third quarter, revenue rose by {percent} and reached {dollars}.",
            "Third quarter revenue was {dollars}, an increase of {percent}.",
            "Revenue for the third quarter went up {percent} to {dollars}.",
        ),
        (
            "Revenue decreased by {percent} to {dollars} in the third quarter.",
            "In the third quarter, revenue fell by {percent} and reached {dollars}.",
        ),
        "The board will publish the full report next month.",
    ),
    _statement(
        "how-to",
        (
            "Open the settings, enable the backup option and restart the device after {count} minutes.",
            "First open the settings and enable the backup option. Then restart the device after {count} minutes.",
            "In the settings, the backup option has to be enabled; after {count} minutes the device is restarted.",
            "Enable the backup option in the settings. Wait {count} minutes and restart your device.",
        ),
        (
            "Open the settings, disable the backup option and restart the device after {count} minutes.",
            "Open the settings, but do not enable the backup option and do not restart the device.",
        ),
        "The lamp on the front shows the progress.",
    ),
    _statement(
        "policy",
        (
            "Employees are allowed to work from home on {weekday}.",
            "Working from home is allowed for employees on {weekday}.",
            "On {weekday}, all employees are permitted to work from home.",
            "Our policy says that employees are allowed to work at home on {weekday}.",
        ),
        (
            "Employees are not allowed to work from home on {weekday}.",
            "Working from home is forbidden for employees on {weekday}.",
        ),
        "Ask your manager about exceptions.",
    ),
)
HELD_OUT = (
    _statement(
        "support",
        (
            "Your order was charged {pounds} and will arrive on {date}.",
            "We charged {pounds} for the order. It should arrive on {date}.",
            "The order arrives on {date}, and {pounds} was charged for it.",
            "Thank you for waiting. {pounds} has been charged for your order, which will arrive on {date}.",
        ),
        ("Your order was not charged {pounds} and will not arrive on {date}.", "Your order will never arrive."),
        "You can follow the parcel with the link in the mail.",
    ),
    _statement(
        "support",
        (
            "The subscription can be cancelled at any time; the notice period is {count} days.",
            "You may cancel your subscription at any time, with a notice period of {count} days.",
            "Cancelling the subscription is always possible. The notice period is {count} days.",
            "Yes, you can cancel the subscription whenever you like, with {count} days of notice period.",
        ),
        (
            "The subscription cannot be cancelled; the notice period is {count} days.",
            "No, it is impossible to cancel the subscription.",
        ),
        "Your data stays available until the end of the period.",
    ),
    _statement(
        "facts",
        (
            "The novel was written by {name} and first published in {year}.",
            "{name} wrote the novel, which was first published in {year}.",
            "First published in {year}, the novel is a work by the author {name}.",
            "The author of the novel, published first in {year}, is {name}.",
        ),
        ("The novel was not written by {name}; it was published in {year}.", "{name} did not write the novel."),
        "Critics praised its language and its humour.",
    ),
    _statement(
        "facts",
        (
            "The lake lies near {city} and is {metres} deep.",
            "Near {city} lies the lake, with a depth of {metres}.",
            "The lake is {metres} deep. It is situated near {city}.",
            "Situated near {city}, the lake has a depth of {metres}.",
        ),
        ("The lake does not lie near {city}, and it is not {metres} deep.", "There is no lake near {city}."),
        "Swimming is popular there in summer.",
    ),
    _statement(
        "medical",
        (
            "The vaccine is recommended for children from the age of {count}, and two doses are needed.",
            "For children aged {count} or more the vaccine is recommended; they need two doses.",
            "Doctors recommend the vaccine, in two doses, for children who are at least {count}.",
            "From the age of {count}, children are recommended to get the vaccine in two doses.",
        ),
        (
            "The vaccine is not recommended for children from the age of {count}.",
            "For children aged {count} or more the vaccine is not recommended.",
        ),
        "Mild fever on the following day is common.",
    ),
    _statement(
        "finance",
        (
            "The loan of {dollars} was approved at an interest rate of {percent}.",
            "We approved the loan of {dollars}; its interest rate is {percent}.",
            "At an interest rate of {percent}, the bank has approved a loan of {dollars}.",
            "Good news: the bank approved your loan. You get {dollars} at an interest rate of {percent}.",
        ),
        (
            "The loan of {dollars} was rejected at an interest rate of {percent}.",
            "We did not approve the loan of {dollars}.",
        ),
        "The papers will be sent by mail.",
    ),
    _statement(
        "how-to",
        (
            "Heat the oven to {count} degrees before you put the bread in.",
            "Before the bread is put in, the oven should be heated to {count} degrees.",
            "The oven has to be heated to {count} degrees first; put the bread in before it cools.",
            "Make sure to heat your oven to {count} degrees, then put in the bread.",
        ),
        (
            "Do not heat the oven to {count} degrees before you put the bread in.",
            "The oven should not be heated before the bread is put in.",
        ),
        "A steel or a stone helps the crust.",
    ),
    _statement(
        "policy",
        (
            "True: visitors are required to sign in at the desk, and the office closes at {count}.",
            "True. Visitors have to sign in at the desk. The office is closed from {count}.",
            "It is true that visitors are required to sign in at the desk; the office closes at {count}.",
            "That statement is true. At the desk, visitors must sign in, and the office closes at {count}.",
        ),
        (
            "False: visitors are not required to sign in at the desk, and the office closes at {count}.",
            "That statement is false. Visitors do not have to sign in at the desk.",
        ),
        "Badges are collected when they leave.",
    ),
)
FILLERS = (
    "{}",
    "{}",
    "Thanks for your question. {}",
    "As far as I know: {}",
    "{} I hope this helps.",
    "Here is what I could find. {}",
)
LONG = (
    "Background matters here. Several teams looked at the request, and the notes were collected over some weeks.",
    "The summary below follows the usual structure, and it leaves out what the reader knows already.",
    "Some of these points were discussed earlier, and the reasons behind them have been explained at length.",
)
"""Sentences that two long texts may share; one text may lack one of them."""

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
_NAMES = ["Maria Lopez", "John Whitfield", "Ingrid Holm", "Pavel Novak", "Aisha Rahman", "Thomas Keller"]
_CITIES = ["Lisbon", "Krakow", "Toronto", "Osaka", "Bergen", "Valencia"]
_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_Spell = Callable[[random.Random, int], str]


def _money(symbol: str, words: str, code: str) -> _Spell:
    def spell(drawn: random.Random, value: int) -> str:
        whole, part = divmod(value, 100)
        amount = f"{whole:,}.{part:02d}" if part else f"{whole:,}"
        return drawn.choice((f"{symbol}{amount}", f"{amount} {words}", f"{code} {amount}"))

    return spell


def _date(drawn: random.Random, value: int) -> str:
    month, day = _MONTHS[value % 12], value % 27 + 1
    return drawn.choice((f"{month} {day}", f"{day} {month}", f"{month} {day}{_ending(day)}"))


def _ending(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _count(drawn: random.Random, value: int) -> str:
    return drawn.choice((str(value), _SMALL[value])) if 1 < value < len(_SMALL) else str(value)


def _percent(drawn: random.Random, value: int) -> str:
    return drawn.choice((f"{value}%", f"{value} percent", f"{value} %"))


def _measure(unit: str, word: str, scale: int, large: str) -> _Spell:
    def spell(drawn: random.Random, value: int) -> str:
        spellings = [f"{value} {unit}", f"{value} {word}"]
        if value % scale == 0:
            spellings.append(f"{value // scale} {large}")
        return drawn.choice(spellings)

    return spell


def _of(names: Sequence[str]) -> _Spell:
    return lambda _, value: names[value % len(names)]


_SLOTS: dict[str, tuple[_Spell, Sequence[int]]] = {
    "pounds": (_money("£", "pounds", "GBP"), (1250, 4250, 3120, 5700, 9900, 120000)),
    "dollars": (_money("$", "dollars", "USD"), (250000, 420000, 1250000, 9900000, 1850, 77000)),
    "date": (_date, (3, 17, 40, 101, 222, 305)),
    "year": (lambda _, value: str(value), (1874, 1902, 1936, 1987, 2004, 2019)),
    "count": (_count, (3, 7, 12, 14, 30, 45)),
    "percent": (_percent, (3, 8, 12, 25, 40)),
    "mg": (_measure("mg", "milligrams", 1000, "g"), (200, 400, 500, 1000, 2000)),
    "metres": (_measure("m", "metres", 1000, "km"), (40, 85, 120, 1000)),
    "name": (_of(_NAMES), range(len(_NAMES))),
    "city": (_of(_CITIES), range(len(_CITIES))),
    "weekday": (_of(_WEEKDAYS), range(len(_WEEKDAYS))),
}


def values_of(statement: Statement, drawn: random.Random) -> dict[str, int]:
    """Draw a value for each slot of the statement."""
    return {
        slot: drawn.choice(list(values)) for slot, (_, values) in _SLOTS.items() if f"{{{slot}}}" in statement.same[0]
    }


def changed(values: dict[str, int], drawn: random.Random) -> dict[str, int]:
    """Change one of the values."""
    slot = drawn.choice(sorted(values))
    others = [value for value in _SLOTS[slot][1] if value != values[slot]]
    return {**values, slot: drawn.choice(others)}


def written(wording: str, values: dict[str, int], drawn: random.Random) -> str:
    """Write a wording with its values, each in one of its spellings."""
    return wording.format(**{slot: _SLOTS[slot][0](drawn, value) for slot, value in values.items()})
