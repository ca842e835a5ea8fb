"""Times as logs write them -> seconds since 1970."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from curator.records import JsonValue

_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""A number from the first on is in this many parts of a second: 1e11 seconds would be the year 5138, 1e11 ms is in 1973."""

_LONGEST = 60
_FORMS = (
    (re.compile(r"[\d.]{8,10}[ ,]+[\d:]{7,8}"), "%d.%m.%Y %H:%M:%S"),
    (re.compile(r"[\d.]{8,10}[ ,]+[\d:]{4,5}"), "%d.%m.%Y %H:%M"),
    (re.compile(r"[\d.]{8,10}"), "%d.%m.%Y"),
    (re.compile(r"[\d/]{8,10}[ ,]+[\d:]{7,8} ?[AP]M"), "%m/%d/%Y %I:%M:%S %p"),
    (re.compile(r"[\d/]{8,10}[ ,]+[\d:]{4,5} ?[AP]M"), "%m/%d/%Y %I:%M %p"),
)
"""Dates with dots begin with the day. Dates with slashes are read only beside AM or PM, where the month comes first."""
_SECONDS = re.compile(r"\d{9,10}\.\d{1,9}", re.ASCII)
"""Seconds with their parts, as chat products write them; of other sizes a number with a point may be anything."""
_LAST = 253402300800.0
"""The year 10000, which no date can have."""


def seconds_of(value: JsonValue) -> float | None:
    """A time in seconds since 1970 (UTC); None where the value is none.

    An ISO text (without a zone it is UTC), a date of mail headers, `31.12.2026 23:59`, `12/31/2026 11:59 PM`, or a number in seconds, milli-, micro- or nanoseconds, which their size tells
    apart, also as text, or the pair of seconds and nanoseconds that JavaScript writes.
    """
    if isinstance(value, list):
        whole, parts = (value[0], value[1]) if len(value) == 2 else (None, None)
        if not isinstance(whole, int) or not isinstance(parts, int):
            return None
        return whole + parts / 1e9 if whole > 0 else None
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _scaled(value)
    return None


def elapsed(start: float | None, end: float | None) -> float | None:
    """The seconds between two times; None where one is missing or they are in the wrong order."""
    return round(end - start, 6) if start is not None and end is not None and end >= start else None


def _scaled(number: float) -> float | None:
    if not math.isfinite(number) or number <= 0:
        return None
    seconds = number / next((unit for least, unit in _UNITS if number >= least), 1)
    return seconds if seconds < _LAST else None


def _of_text(text: str) -> float | None:
    if text.isdecimal():
        return _scaled(int(text[:20]))
    if _SECONDS.fullmatch(text):
        return float(text)
    if not len("1.1.2026") <= len(text) <= _LONGEST:
        return None
    return _of_iso(text) if text[:4].isdecimal() and len(text) >= len("2026-01-01") else _of_words(text)


def _of_words(text: str) -> float | None:
    form = next((form for pattern, form in _FORMS if pattern.fullmatch(text.upper())), None)
    try:
        if form is None:
            moment = parsedate_to_datetime(text)
        else:
            spaced = re.sub(r"[ ,]+|(?=[AP]M$)", " ", text.upper())
            moment = datetime.strptime(" ".join(spaced.split()), form)  # noqa: DTZ007  (the zone is set below)
    except (ValueError, TypeError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _of_iso(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            time = datetime.fromisoformat(f"{text[:10]}T{text[11:19]}+00:00")  # more digits of the second than six
        except ValueError:
            return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
