"""Numbers in texts, with their units: digits, words and Chinese numerals in one form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

CJK_NUMERALS = "〇零一二两三四五六七八九十百千万亿"
_MAX_DIGITS = 40
_DIGITS = re.compile(r"([-−]?)(\d[\d.,]*|[.,]\d+)(?:/(\d+))?([^\W\d_]*)")  # noqa: RUF001 - the typographic minus is meant
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")
_HALF_DAYS = ("am", "pm")
_HOURS = range(1, 13)
_ORDINAL_ENDINGS = frozenset(("st", "nd", "rd", "th", "er", "e", "te", "ten", "º"))
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_DIGIT_WORDS = frozenset(_ONES.split()[1:10])
_WORDED: Mapping[str, Fraction] = {
    **{word: Fraction(value) for value, word in enumerate(f"{_ONES} eighteen nineteen".split())},
    **{word: Fraction(10 * value) for value, word in enumerate(_TENS.split(), start=2)},
    "twice": Fraction(2),
    "thrice": Fraction(3),
    "half": Fraction(1, 2),
    "dozen": Fraction(12),
}
NUMBER_WORDS = frozenset(_WORDED) - {"one"}
"""Words in small letters that are numbers. `one` is left out: it is mostly a pronoun."""
_SCALES: Mapping[str, int] = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "k": 10**3,
    "mn": 10**6,
    "mln": 10**6,
    "bn": 10**9,
}
_CJK_DIGITS = {**{digit: value for value, digit in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}  # noqa: RUF001 - the Chinese zero is meant
_CJK_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
# Each dimension: the names of a unit and its size in the smallest unit.
_DIMENSIONS: Mapping[str, Mapping[str, int]] = {
    "time": {
        "s sec secs second seconds": 1,
        "min mins minute minutes": 60,
        "h hr hrs hour hours": 3600,
        "day days": 86400,
        "week weeks": 604800,
    },
    "months": {"month months": 1, "year years yr yrs": 12, "decade decades": 120, "century centuries": 1200},
    "length": {
        "mm millimetre millimetres millimeter millimeters": 1,
        "cm centimetre centimetres centimeter centimeters": 10,
        "m metre metres meter meters": 1000,
        "km kilometre kilometres kilometer kilometers": 10**6,
    },
    "weight": {"mg milligram milligrams": 1, "g gram grams": 1000, "kg kilo kilos kilogram kilograms": 10**6},
    "volume": {"ml millilitre millilitres milliliter milliliters": 1, "l litre litres liter liters": 1000},
    "£": {"£ gbp pound pounds quid": 1},
    "$": {"$ usd dollar dollars": 1},
    "€": {"€ eur euro euros": 1},
    "¥": {"¥ jpy yen cny yuan 元": 1},
    "%": {"% percent pct": 1},
    "miles": {"mile miles mi": 1},
    "degrees": {"degree degrees °": 1},
    "o'clock": {"o'clock": 1},
}
_UNITS: Mapping[str, tuple[str, int]] = {
    name: (dimension, size)
    for dimension, units in _DIMENSIONS.items()
    for names, size in units.items()
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text.

    Attributes:
        words: the keys that count as words: the value, and its size in the smallest unit.
        gives: the keys under which another number finds it.
        seeks: it equals a number that gives one of these keys: the same value in the same dimension, whatever the unit, or
            the same value where one of the two has no unit.
    """

    words: tuple[str, ...]
    gives: frozenset[str]
    seeks: frozenset[str]

    @classmethod
    def of(cls, value: Fraction, unit: str) -> Quantity:
        """Make the quantity of a value and a unit in small letters; `unit` may be any word."""
        plain = f"={value}"
        measure = _UNITS.get(unit)
        if measure is None:
            return cls((plain,), frozenset((plain, f"?{value}")), frozenset((plain,)))
        of_unit = f"{value * measure[1]} {measure[0]}"
        return cls((plain, of_unit), frozenset((plain, of_unit)), frozenset((f"?{value}", of_unit)))


def read_digits(token: str, following: Sequence[str], symbol: str = "") -> tuple[Quantity, int] | None:
    """Read a token of digits, and the words after it that belong to it.

    Args:
        token: digits with sign, separators, a fraction or a unit: `-2.50`, `1,000`, `3/4`, `5kg`, `17:30`, `2nd`.
        following: the next words in small letters: `million`, `pounds`.
        symbol: the currency before it.

    Returns:
        The quantity, and the number of following words that belong to it; None for other tokens, such as a version.
    """
    half = next(iter(following[:1]), "")
    clock = _CLOCK.fullmatch(token)
    if clock is not None:
        return Quantity.of(Fraction(_hour(int(clock[1]), half) * 60 + int(clock[2])), "o'clock"), half in _HALF_DAYS
    parts = _DIGITS.fullmatch(token)
    if parts is None or len(parts[2]) > _MAX_DIGITS:
        return None
    value = _plain(parts[2])
    if value is None or (parts[3] and not 0 < int(parts[3][:9]) < 10**4):
        return None
    value = value / int(parts[3]) if parts[3] else value
    ending = parts[4].casefold()
    if (ending or half) in _HALF_DAYS and value in _HOURS:
        return Quantity.of(Fraction(_hour(int(value), ending or half) * 60), "o'clock"), not ending
    if ending and not (ending in _ORDINAL_ENDINGS or ending in _SCALES or ending in _UNITS):
        return None
    glued = ending in _SCALES or ending in _UNITS
    quantity, used = _with_unit(-value if parts[1] else value, [ending, *following] if glued else following, symbol)
    return quantity, max(0, used - glued)


def read_words(words: Sequence[str]) -> tuple[Quantity, int] | None:
    """Read a number in words from the beginning of `words`, such as `forty two million pounds`.

    Returns:
        The quantity and the number of words that it takes; None if the first word is not a number.
    """
    if not words or words[0] not in NUMBER_WORDS:
        return None
    value, used = _WORDED[words[0]], 1
    if value >= 20 and words[1:2] and words[1] in _DIGIT_WORDS:
        value, used = value + _WORDED[words[1]], 2
    quantity, more = _with_unit(value, words[used:])
    return quantity, used + more


def read_cjk(numerals: str, following: str) -> Quantity:
    """Read Chinese numerals, such as `三百二十`; `following` is the unit."""
    total = section = digit = 0
    for numeral in numerals:
        if numeral in _CJK_DIGITS:
            digit = 10 * digit + _CJK_DIGITS[numeral] if digit else _CJK_DIGITS[numeral]
        elif _CJK_SCALES[numeral] < 10**4:
            section, digit = section + (digit or 1) * _CJK_SCALES[numeral], 0
        else:
            total, section, digit = total + (section + digit or 1) * _CJK_SCALES[numeral], 0, 0
    return Quantity.of(Fraction(total + section + digit), following)


def _hour(hour: int, half: str) -> int:
    """Return the hour of the day, 0..24, of an hour with am, pm or neither."""
    return hour % 12 + 12 * (half == "pm") if half in _HALF_DAYS else hour


def _with_unit(value: Fraction, following: Sequence[str], symbol: str = "") -> tuple[Quantity, int]:
    """Return the quantity of a value with the scales and unit that follow, and their number."""
    used = 0
    for word in following:
        if word not in _SCALES:
            break
        value, used = value * _SCALES[word], used + 1
    unit = next(iter(following[used : used + 1]), "")
    return Quantity.of(value, symbol or unit), used + (unit in _UNITS)


def _plain(digits: str) -> Fraction | None:
    """Read digits with separators; None for what is not one number, such as a date or a version."""
    digits = digits.rstrip(".,")
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _EUROPEAN.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    else:
        digits = digits.replace(",", ".")
    return Fraction(f"0{digits}") if digits.count(".") <= 1 else None
