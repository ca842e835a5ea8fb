"""Known answers of all kinds: for a case, the right one and plausible wrong ones."""

# ruff: noqa: SIM905
from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

_FIRST = (
    "Ada Bela Chidi Dana Emre Farah Goran Hana Imre Jana Kofi Lena Mirko Nadia Omar Petra Ravi Sina Tariq Uma".split()
)
_LAST = "Adler Brandt Castro Duarte Engel Fisk Grau Holm Ibsen Jonas Keller Lund Moreau Novak Olsen Price Quist Rossi".split()
_PLACES = "Lisbon|New York City|Porto Alegre|Kyoto|Cape Town|Graz|Salt Lake City|Oslo|Buenos Aires|Tartu|Rio de Janeiro|Ghent".split(
    "|"
)
_THINGS = (
    "red|blue|large|small|wooden|steel|round|flat|old|new".split("|"),
    "valve|lamp|chair|filter|engine|cable|box|wheel".split("|"),
)
_LABELS = "billing question|delivery|damaged goods|praise|account access|spam|cancellation|other".split("|")
_COLUMNS, _TABLES = (
    "name price city age total status country".split(),
    "orders users flights staff invoices shops".split(),
)
_TOOLS = "find_flight book_table set_alarm convert_money send_note".split()
Alternatives = tuple[str, ...]


def options(draw: random.Random) -> Alternatives:
    """Return the letters of a question with four or five options."""
    return tuple(draw.sample("ABCDE"[: draw.choice((4, 5))], 4))


def option_texts(draw: random.Random) -> Alternatives:
    """Return wordings of options: an adjective and a thing."""
    return tuple(f"{draw.choice(_THINGS[0])} {thing}" for thing in draw.sample(_THINGS[1], 4))


def polar(draw: random.Random) -> Alternatives:
    """Return yes and no."""
    return tuple(draw.sample(("yes", "no"), 2))


def numbers(draw: random.Random) -> Alternatives:
    """Return whole numbers, decimals or negative numbers."""
    digits = draw.choice((0, 0, 0, 1, 2))
    values = {round(draw.uniform(-40, 900), digits) for _ in range(9)}
    return tuple(f"{value:.{digits}f}" for value in draw.sample(sorted(values), 4))


def amounts(draw: random.Random) -> Alternatives:
    """Return amounts of money in one currency."""
    form = draw.choice(("${}", "€{}", "{} EUR", "£{}", "{} kr"))
    return tuple(form.format(f"{value / 100:,.2f}") for value in draw.sample(range(300, 400_000), 4))


def dates(draw: random.Random) -> Alternatives:
    """Return dates in one form."""
    months = "January March April June August October December".split()
    form = draw.choice(("{d} {m} {y}", "{m} {d}, {y}", "{y}-{n:02}-{d:02}"))
    parts = [(draw.randint(1, 28), draw.randrange(7), draw.randint(1950, 2025)) for _ in range(4)]
    return tuple(dict.fromkeys(form.format(d=d, m=months[m], n=m + 1, y=y) for d, m, y in parts))


def names(draw: random.Random) -> Alternatives:
    """Return names of persons."""
    return tuple(f"{first} {draw.choice(_LAST)}" for first in draw.sample(_FIRST, 4))


def facts(draw: random.Random) -> Alternatives:
    """Return places of one to three words."""
    return tuple(draw.sample(_PLACES, 4))


def labels(draw: random.Random) -> Alternatives:
    """Return labels of one set."""
    return tuple(draw.sample(_LABELS, 4))


def objects(draw: random.Random) -> Alternatives:
    """Return JSON objects with the same fields."""
    return tuple(
        json.dumps({"customer": draw.choice(_LAST), "quantity": draw.randint(1, 40), "express": draw.random() < 0.5})
        for _ in range(4)
    )


def lists(draw: random.Random) -> Alternatives:
    """Return lists of words or numbers."""
    if draw.random() < 0.5:
        return tuple(json.dumps(draw.sample(range(50), 4)) for _ in range(4))
    return tuple(", ".join(draw.sample(_FIRST, 3)) for _ in range(4))


def literals(draw: random.Random) -> Alternatives:
    """Return literals of a programming language."""
    return tuple(repr(("".join(draw.choices("abcxyz", k=4)), draw.randint(0, 99))) for _ in range(4))


def calls(draw: random.Random) -> Alternatives:
    """Return calls of tools."""
    return tuple(f'{draw.choice(_TOOLS)}(city="{draw.choice(_PLACES)}", count={draw.randint(1, 9)})' for _ in range(4))


def queries(draw: random.Random) -> Alternatives:
    """Return SQL queries on one table."""
    table = draw.choice(_TABLES)
    return tuple(
        f"SELECT {draw.choice(_COLUMNS)} FROM {table} WHERE {draw.choice(_COLUMNS)} > {draw.randint(1, 99)}"
        for _ in range(4)
    )


KINDS: Mapping[str, Callable[[random.Random], Alternatives]] = {
    maker.__name__: maker
    for maker in (
        options,
        option_texts,
        polar,
        numbers,
        amounts,
        dates,
        names,
        facts,
        labels,
        objects,
        lists,
        literals,
        calls,
        queries,
    )
}
"""Makers of the answers to a case by kind; the first answer is right."""
