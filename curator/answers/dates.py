"""Read the date or time that a text concludes in, such as `March 3, 2021` or `03/04/2021`."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from curator.answers.conclusions import conclusions
from curator.answers.normalization import answer_part, is_refusal

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_ORDINAL = r"(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"""(?<![\w/.-])(?:
    (?P<iso_year>\d{{4}})-(?P<iso_month>\d{{1,2}})(?:-(?P<iso_day>\d{{1,2}})(?!\d))?
    | (?P<big_year>\d{{4}})[/.](?P<big_month>\d{{1,2}})[/.](?P<big_day>\d{{1,2}})
    | (?P<first>\d{{1,2}})(?P<sign>[/.-])(?P<second>\d{{1,2}})(?P=sign)(?P<third>\d{{4}}|\d{{2}})(?!\d)
    | {_NAME.format("name")}\s+(?P<day>\d{{1,2}}){_ORDINAL}(?![\d:])(?:,?\s+(?P<year>\d{{4}})(?!\d))?
    | (?:the\s+)?(?P<day_before>\d{{1,2}}){_ORDINAL}\s+(?:of\s+)?{_NAME.format("name_after")}(?:,?\s+(?P<year_after>\d{{4}})(?!\d))?
    | {_NAME.format("month_alone")},?\s+(?:of\s+)?(?P<month_year>\d{{4}})(?!\d)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_DIGIT = re.compile(r"\d")
_TIME = re.compile(
    r"(?:T|,?\s+(?:at\s+)?)(?:(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?(?:\s*([ap])\.?m\b\.?)?|(\d{1,2})\s*([ap])\.?m\b\.?)",
    re.IGNORECASE,
)
CLOCK = re.compile(
    r"(?<![\w:.,/$€£-])(\d{1,2})(?:(?::([0-5]\d)(?::([0-5]\d))?)?\s?(?:([ap])\.?m\b\.?|(o['’]clock)\b)|:([0-5]\d)(?::([0-5]\d))?(?![\w:]|\.\d))",  # noqa: RUF001
    re.IGNORECASE,
)
"""A time of day on its own: `5 pm`, `9:00`, `17:30:05`, `9 o'clock`."""
QUARTER = re.compile(r"\bQ([1-4])(?:\s|\s?[/,-]\s?|\sof\s)?([12]\d{3})\b|\b([12]\d{3})[\s-]?Q([1-4])\b")
"""A quarter of a year: `Q3 2021`, `2021-Q3`."""
_YEAR = re.compile(r"(?<![\w.,-])[12]\d{3}(?![\w,-]|\.\d)")
_WEEKDAY = re.compile(r"\b(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?\b,?", re.IGNORECASE)
_AROUND = re.compile(r"[\s*_`\"'().,!]*(?:on|in|the|it is|it was|it's)?[\s*_`\"'().,!]*", re.IGNORECASE)
_DAY_FIRST = re.compile(r"dd[/.-]mm", re.IGNORECASE)
_LOOKED_AT = 2000
_SHORT_SENTENCE = 200
"""Characters of a sentence that may hold a date besides other words."""
_WORDS_AFTER = 6
"""Words that may follow the date of a stated conclusion."""


def read_date(text: str, *, day_first: bool = False) -> tuple[str, str] | None:
    """Read the date that a text concludes in, as canonical form and wording; None without one.

    The canonical form is `2021-03-03`, `2021-03`, `2021`, `--03-03` (without a year) or `2021-Q3`. A time of day follows
    after a `T`; in a text without a date it is `T17:00`. The date is the first one of a stated conclusion, else the last
    one of the text, else a year. `03/04/2021` is March 4, or April 3 with `day_first`; in `13/04/2021` and `3.4.2021` the
    day is always first. Dates that do not exist are not read.
    """
    text = answer_part(text)
    for stated in conclusions(text)[:3]:
        if dates := _dates(stated, day_first=day_first):
            return dates[0]
    if is_refusal(text):
        return None
    dates = _dates(text[-_LOOKED_AT:], day_first=day_first)
    return dates[-1] if dates else None


@lru_cache(maxsize=16)
def asks_day_first(text: str) -> bool:
    """Return True if an input asks for `DD/MM/YYYY`."""
    return _DAY_FIRST.search(text) is not None


def concludes_in_date(text: str) -> bool:
    """Return True if the text is only a date, or states one; a lone year is a number."""
    text = answer_part(text)
    stated = conclusions(text)
    candidate = (stated[0] if stated else text)[:200]
    if not _DIGIT.search(candidate):
        return False
    candidate = _WEEKDAY.sub("", candidate).strip()
    start = _AROUND.match(candidate)
    position = start.end() if start else 0
    if match := _DATE.match(candidate, position):
        if _value(match, day_first=False) is None:
            return False
    elif not (match := QUARTER.match(candidate, position) or _clock(candidate, position)):
        return False
    rest = _TIME.sub("", candidate[match.end() :], count=1)
    return len(rest.split()) <= (_WORDS_AFTER if stated else 0) or not re.search(r"\w", rest)


def gives_one_date(text: str) -> bool:
    """Return True if the text is a date, a time or a year, or a sentence with exactly one."""
    text = answer_part(text)
    if concludes_in_date(text):
        return True
    if len(text) > _SHORT_SENTENCE or "\n" in text or not _DIGIT.search(text):
        return False
    values = {value for value, _ in _dates(text, day_first=False)}
    return len(values) == 1 and not _DIGIT.search(_YEAR.sub("", CLOCK.sub("", QUARTER.sub("", _DATE.sub("", text)))))


def without_dates(text: str) -> str:
    """Remove dates that exist and have a month's name or a year of four digits."""
    return _DATE.sub(lambda match: " " if _is_plain_date(match) else match[0], text) if _DIGIT.search(text) else text


def _is_plain_date(match: re.Match[str]) -> bool:
    # In `12 may` the second word is mostly the verb.
    name = match["name"] or match["name_after"] or match["month_alone"]
    written = name[0].isupper() if name else len(match["third"] or match[0]) >= 4
    return written and _value(match, day_first=False) is not None


def _dates(text: str, *, day_first: bool) -> list[tuple[str, str]]:
    """Return the dates of a text in order, as canonical form and wording.

    Without dates: its quarters; without these its times, else its years.
    """
    dates = []
    for match in _DATE.finditer(text):
        value = _value(match, day_first=day_first)
        if value is not None:
            time = _time(text, match.end()) if value.count("-") >= 2 else ""
            dates.append((value + time, match[0].strip()))
    if dates or _DATE.search(text):
        return dates
    if quarters := [(f"{q[2] or q[3]}-Q{q[1] or q[4]}", q[0]) for q in QUARTER.finditer(text)]:
        return quarters
    if times := [(time, clock[0]) for clock in CLOCK.finditer(text) if (time := _clock_time(clock))]:
        return times
    return [(year, year) for year in _YEAR.findall(text)]


def _clock(text: str, start: int) -> re.Match[str] | None:
    match = CLOCK.match(text, start)
    return match if match and _clock_time(match) else None


def _clock_time(match: re.Match[str]) -> str:
    return _time_of_day(match[1], match[2] or match[6], match[3] or match[7], match[4])


def _time(text: str, start: int) -> str:
    """Return the time of day right after a date, as `T14:30`, or ""; midnight does not count."""
    match = _TIME.match(text, start)
    if match is None:
        return ""
    time = _time_of_day(match[1] or match[5], match[2], match[3], match[4] or match[6])
    return "" if time == "T00:00" else time


def _time_of_day(hours: str, minutes: str | None, seconds: str | None, half: str | None) -> str:
    """Format a time as `T14:30`, or "" if it does not exist.

    Without am or pm the hours run to 24. Seconds of 0 are left out.
    """
    hour, minute, second = int(hours), int(minutes or 0), int(seconds or 0)
    if half:
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return ""
    return f"T{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _value(match: re.Match[str], *, day_first: bool) -> str | None:
    """Return the canonical form of a match; None if that day does not exist."""
    part = match.groupdict()
    if part["iso_year"]:
        return _checked(part["iso_year"], int(part["iso_month"]), part["iso_day"])
    if part["big_year"]:
        return _checked(part["big_year"], int(part["big_month"]), part["big_day"])
    if part["month_year"]:
        return _checked(part["month_year"], _month(part["month_alone"]), None)
    if part["name"]:
        return _checked(part["year"], _month(part["name"]), part["day"])
    if part["name_after"]:
        return _checked(part["year_after"], _month(part["name_after"]), part["day_before"])
    first, second, year = int(part["first"]), int(part["second"]), part["third"]
    year = year if len(year) == 4 else ("19" if int(year) >= 70 else "20") + year
    day_leads = first > 12 or (second <= 12 and (day_first or part["sign"] == "."))
    return _checked(year, second if day_leads else first, str(first if day_leads else second))


def _checked(year: str | None, month: int, day: str | None) -> str | None:
    try:
        # 2000 is a leap year: without a year, February 29 exists.
        date(int(year or 2000), month, int(day or 1))
    except ValueError:
        return None
    return (year or "-") + f"-{month:02}" + (f"-{int(day):02}" if day else "")


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1
