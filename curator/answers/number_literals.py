"""Numbers as they are written (`$1,000`, `1/2`, `3.5 million`) and their exact values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

from curator.answers.dates import CLOCK, QUARTER

NUMBER = re.compile(
    r"""
    (?:(?<![^\s(=:$€£¥*"'{\[,|~≈])(?P<minus>[-−](?=[$€£¥]?\s?[\d.])))?
    (?:(?P<currency>[$€£¥])\s?(?P<inner_minus>[-−])?)?
    (?:
        (?<![A-Za-z_\d.])(?:(?P<whole>\d+)\s+)?(?P<numerator>\d+)/(?P<denominator>\d+)(?![\d/])
      | (?<![A-Za-z_\d.])(?P<european>\d{1,3}(?:\.\d{3})+,\d+(?![\d.])|(?<!\d,)\d+,\d{1,2}(?![\d,]|\.\d))
      | (?<![A-Za-z_\d.])(?P<decimal>\d{1,3}(?:[,'\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)
        (?:[eE](?P<exponent>[+-]?\d{1,3})(?!\w)|\s?(?:[×x*]|\\times|\\cdot)\s?10\s?\^\s?\{?(?P<power>[-−+]?\d{1,3})\}?)?
        (?:\s?(?P<magnitude>(?i:hundred|thousand|million|billion|trillion)|bn|mn)\b|(?P<letter>[kKMB])\b)?
    )
    """,  # noqa: RUF001 - the typographic signs are meant
    re.VERBOSE,
)
DIGIT = re.compile(r"\d")
_BEFORE_A_DIGIT = 4
"""Characters that may precede the first digit of a number: a sign, a currency, a blank and a point."""
_MARKS = re.compile(r"<<[^<>]*>>")
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_MAGNITUDES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "mn": 10**6,
    "m": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "b": 10**9,
    "trillion": 10**12,
}
_DECADE = re.compile(r"(?:\b[12]\d|(?<!\w)['’])\d0['’]?s\b")  # noqa: RUF001
_POWER = re.compile(r"(?<![\w.,^])(\d{1,6})\s?\^\s?(?:\{(-?\d{1,2})\}|(-?\d{1,2}))(?![\d^{]|\.\d)")
_SCIENTIFIC = re.compile(r"(?:[×x*]|\\times|\\cdot)\s?$")  # noqa: RUF001
_TEN_TO_THE = re.compile(r"(?<![\w.,])10([⁰¹²³⁴-⁹]{1,2})")
_VULGAR = re.compile("[¼½¾⅐-⅞]")
_SEPARATORS = re.compile(r"[,'\s]")
_MAX_DIGITS = 200


def plain_numbers(text: str) -> str:
    """Remove calculator marks and codes with digits, and write out LaTeX numbers and powers."""
    if not text.isascii():
        text = _VULGAR.sub(lambda match: f" {unicodedata.normalize('NFKC', match[0])} ".replace("\u2044", "/"), text)
        text = _TEN_TO_THE.sub(lambda match: f"10^{unicodedata.normalize('NFKC', match[1])}", text)
    if "^" in text:
        text = _POWER.sub(_power, text)
    if "<<" in text:
        text = _MARKS.sub("", text)
    text = _without_codes(text)
    if "\\" not in text and "{" not in text:
        return text
    text = _FRACTION.sub(r"\1/\2", text)
    return text.replace("\\$", "$").replace("\\%", "%").replace("{,}", ",").replace("\\,", "").replace("\\!", "")


def _power(match: re.Match[str]) -> str:
    """Write out a power such as `10^3`.

    A power of ten after another number is kept, because it is part of that number, and so is a negative power of another base.
    """
    base, exponent = int(match[1]), int(match[2] or match[3])
    if base == 10 and _SCIENTIFIC.search(match.string[max(0, match.start() - 8) : match.start()]):
        return match[0]
    if exponent >= 0:
        return str(base**exponent)
    return f"{10.0**exponent:.{-exponent}f}" if base == 10 else match[0]


def _without_codes(text: str) -> str:
    """Remove times of day, decades and quarters, which have digits but are not numbers."""
    if not DIGIT.search(text):
        return text
    return _DECADE.sub(" ", QUARTER.sub(" ", CLOCK.sub(" ", text)))


def numbers_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield every number of the text in order, as canonical form and wording."""
    for match in number_matches(text):
        if (value := number_value(match)) is not None:
            yield str(value), match[0].strip()


def number_matches(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of `NUMBER`.

    Each search starts near the next digit, because the pattern is slow to reject words.
    """
    position = 0
    while digit := DIGIT.search(text, position):
        match = NUMBER.search(text, max(position, digit.start() - _BEFORE_A_DIGIT))
        if match is None:
            return
        yield match
        position = match.end()


def number_value(match: re.Match[str]) -> Fraction | int | None:
    """Return the exact value of a match; None for a division by zero or too many characters."""
    if len(match[0]) > _MAX_DIGITS:
        return None
    if match["denominator"]:
        if not int(match["denominator"]):
            return None
        value: Fraction | int = int(match["whole"] or 0) + Fraction(int(match["numerator"]), int(match["denominator"]))
    elif match["european"]:
        value = Fraction(match["european"].replace(".", "").replace(",", "."))
    else:
        digits = _SEPARATORS.sub("", match["decimal"])
        value = (Fraction(digits) if "." in digits else int(digits)) * _magnitude(match)
        if exponent := _exponent(match):
            value *= Fraction(10) ** exponent
    return -value if match["minus"] or match["inner_minus"] else value


def _exponent(match: re.Match[str]) -> int:
    return int((match["exponent"] or match["power"] or "0").replace("−", "-"))  # noqa: RUF001


def _magnitude(match: re.Match[str]) -> int:
    """Return the factor of a number; without a currency `M` and `B` are units."""
    letter = match["letter"] or ""
    if letter in {"M", "B"} and not match["currency"]:
        return 1
    return _MAGNITUDES.get((match["magnitude"] or letter).lower(), 1)
