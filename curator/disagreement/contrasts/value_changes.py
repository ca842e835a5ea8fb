"""Changes of a value that have a name, such as a scaled number or a swapped day and month."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d{1,2})?")
_DATE = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})|(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{2,4})")
_WORD = re.compile(r"\w+")
_MOST_DIGITS = 30


def change_between(given: frozenset[str], expected: frozenset[str]) -> str:
    """Return the name of the change from the expected values to the given ones; "" for others.

    `missing` and `added` where one side has none; `fewer` and `more` where one is a part of the other. Where all values that
    differ do so in one way: `scaled` (by a power of ten), `sign`, `leading zeros`, `day and month swapped`, `another year`,
    `shortened`, `longer`.
    """
    if not given or not expected:
        return "missing" if expected else "added" if given else ""
    if given < expected or given > expected:
        return "fewer" if given < expected else "more"
    left, right = given - expected, expected - given
    if len(left) != len(right):
        return ""
    changes = {_of_pair(a, b) for a, b in zip(sorted(left, key=_by_size), sorted(right, key=_by_size), strict=True)}
    return changes.pop() if len(changes) == 1 else ""


def _of_pair(left: str, right: str) -> str:
    return _of_numbers(left, right) or _of_digits(left, right) or _of_dates(left, right) or _of_words(left, right)


def _by_size(value: str) -> tuple[float, str]:
    """Return the order in which the values of both sides correspond."""
    number = _NUMBER.fullmatch(value)
    return float(value) if number and len(value) <= _MOST_DIGITS else math.inf, value


def _of_digits(left: str, right: str) -> str:
    same = left.lstrip("0") == right.lstrip("0") and right.isdigit()
    return "leading zeros" if same and left != right else ""


def _of_numbers(left: str, right: str) -> str:
    if not (_NUMBER.fullmatch(left) and _NUMBER.fullmatch(right)) or max(len(left), len(right)) > _MOST_DIGITS:
        return ""
    a, b = Fraction(left), Fraction(right)
    if a and a == -b:
        return "sign"
    if not a or not b or (a < 0) != (b < 0):
        return ""
    power = math.log10(a / b)
    return "scaled" if round(power) and abs(power - round(power)) < 1e-9 else ""


def _of_dates(left: str, right: str) -> str:
    a, b = _DATE.fullmatch(left), _DATE.fullmatch(right)
    if a is None or b is None:
        return ""
    left_date, right_date = _date_parts(a), _date_parts(b)
    if left_date[0] == right_date[0] and left_date[1:] == right_date[:0:-1]:
        return "day and month swapped"
    return "another year" if left_date[1:] == right_date[1:] else ""


def _date_parts(match: re.Match[str]) -> tuple[int, int, int]:
    """Return year and two numbers of a date, in the order in which they are written."""
    groups = [int(group) for group in match.groups() if group]
    return (groups[0], groups[1], groups[2]) if match[1] else (groups[2], groups[1], groups[0])


def _of_words(left: str, right: str) -> str:
    a, b = set(_WORD.findall(left)), set(_WORD.findall(right))
    if not a or not b or a == b:
        return ""
    return "shortened" if a < b else "longer" if a > b else ""
