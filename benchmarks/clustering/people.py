"""Names, numbers, dates and places for made-up logs."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

FIRST = (
    "Aoife", "Bram", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hanna", "Ivo", "Jonas", "Katja", "Lars",
    "Mei", "Nadia", "Oskar", "Petra", "Quinn", "Rosa", "Sven", "Tomas", "Ulla", "Vera", "Wanda", "Xavier",
    "Yusuf", "Zoe", "Anil", "Beate", "Chidi", "Dagny", "Emre", "Fiona", "Gianni", "Heidi", "Imran", "Joana",
    "Kofi", "Leila", "Mikael", "Noor",
)  # fmt: skip
LAST = (
    "Adler", "Berg", "Costa", "Dahl", "Egger", "Fischer", "Garcia", "Hoffmann", "Ivanov", "Jansen", "Keller",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petersen", "Quist", "Rossi", "Schmidt", "Tanaka", "Ueda",
    "Vogel", "Wagner", "Yilmaz", "Zimmer", "Brandt", "Claes", "Dubois", "Eriksen", "Ferrari", "Gruber",
    "Horvat",
)  # fmt: skip
STREETS = ("Birch Lane", "Station Road", "Mill Street", "Harbour Way", "Oak Avenue", "Church Hill", "Market Square")
CITIES = ("Bremen", "Lyon", "Porto", "Ghent", "Turku", "Graz", "Cork", "Malmo", "Bologna", "Tartu", "Leeds", "Basel")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def full_name(rng: Random) -> str:
    """Return a person's name."""
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def day(rng: Random, year: int = 2026) -> date:
    """Return a day of the year."""
    return date(year, 1, 1) + timedelta(rng.randrange(365))


def ambiguous_day(rng: Random, year: int = 2026) -> date:
    """Return a day that is another valid day when day and month are swapped."""
    month = rng.randint(1, 12)
    return date(year, month, rng.choice([n for n in range(1, 13) if n != month]))


def spoken(when: date) -> str:
    """Return a date in words, as in `3 March`."""
    return f"{when.day} {MONTHS[when.month - 1]}"


def address(rng: Random) -> str:
    """Return a street and a city."""
    return f"{rng.choice(STREETS)} {rng.randint(1, 180)}, {rng.choice(CITIES)}"


def phone(rng: Random) -> str:
    """Return a phone number."""
    return f"+49 {rng.randint(151, 179)} {rng.randint(1_000_000, 9_999_999)}"
