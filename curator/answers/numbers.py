"""Numbers in answers: `$1,000`, `-5`, `1/2`, `50%`, `3.5 million`, and which number a text concludes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from curator.answers.asserted_numbers import asserted, open_numbers
from curator.answers.conclusions import conclusion, conclusions
from curator.answers.dates import CLOCK, QUARTER, without_dates
from curator.answers.normalization import answer_part, is_refusal, is_short
from curator.answers.number_words import last_number_word, leading_number_word

_NUMBER = re.compile(
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
_APPROXIMATELY = r"(?:about|approximately|around|roughly|exactly|only|~|≈|=|[a-z]\s*=)?"
_UNIT = r"\s*%?(?:\s*[^\W\d_][^\s\d]*){0,3}"
_CALCULATION = re.compile(r"(?<![\d.,])\d[\d.,]*%?\s*[-+*/×÷x]\s*[$€£]?\d[\d.,]*%?\s*=\s*[$€£]?\s*-?\d")  # noqa: RUF001
_DIGIT = re.compile(r"\d")
_BEFORE_A_DIGIT = 4
"""Characters that a number may have before its first digit: a sign, a currency, a blank and a point."""
_MARKS = re.compile(r"<<[^<>]*>>")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_ASIDE = re.compile(r"\([^()]*\)")
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_REASON = re.compile(r"\bbecause\b|\bsince\b|(?<=[\d%)])[.;]\s+(?=[A-Z])")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_LIST = re.compile(r"(?:(?:,|;|,?\sand)?\s+-?\d+(?:\.\d+)?){1,200}\W*$")
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
_ASKS = re.compile(
    r"how (?:many|much|old|long|far|tall|big|deep|heavy|fast)\b|what(?:'s| is| was| are| were) (?:the|his|her|its|their) (?:\w+ )?"
    r"(?:total|sum|number|average|mean|difference|product|quotient|price|cost|value|probability|percentage|area|volume)\b|"
    r"\b(?:calculate|compute|evaluate)\b|arabic numerals"
)
_DECADE = re.compile(r"(?:\b[12]\d|(?<!\w)['’])\d0['’]?s\b")  # noqa: RUF001
_NEGATED = re.compile(r"\b(?:not|rather than|instead of)\s+[$€£]?-?\d[\d.,]*\b")
_POWER = re.compile(r"(?<![\w.,^])(\d{1,6})\s?\^\s?(?:\{(-?\d{1,2})\}|(-?\d{1,2}))(?![\d^{]|\.\d)")
_SCIENTIFIC = re.compile(r"(?:[×x*]|\\times|\\cdot)\s?$")  # noqa: RUF001
_TEN_TO_THE = re.compile(r"(?<![\w.,])10([⁰¹²³⁴-⁹]{1,2})")
_VULGAR = re.compile("[¼½¾⅐-⅞]")
_SEPARATORS = re.compile(r"[,'\s]")
_OUT_OF = re.compile(r"(?<![\d.,])(\d{1,4}) out of (\d{1,4})(?![\d.,]*\d)")
_OF_A_SCALE = re.compile(r"(?<![\d.,/])(\d{1,3}(?:\.\d)?)\s?/\s?(?:3|4|5|7|10|100)(?![\d/])")
_SCALE = re.compile(r"\b(?:rate|rating|scale|score|grade)\b", re.IGNORECASE)
_MAX_DIGITS = 200
_LOOKED_AT = 2000
"""Characters of a line that are looked at, from its end: the last number counts."""


@lru_cache(maxsize=256)
def read_number(text: str, *, rating: bool = False, known: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """The number a text concludes: its canonical form and the number as it stands there.

    It is the number of a stated conclusion, the last one first, else the last one of the last line that has any: there,
    a bold one goes first, then the one after the last `=`; one that is part of a date, follows `not`, or that the input
    holds (`known`, of `numbers_of`) and a preposition leads, gives way to another. `3 or 4`, a range and a root are no
    number. Units are not converted: `50%` is 50, `$3` is 3. A comma
    with three digits behind it separates thousands, with one or two it is a decimal comma. None: there is none, or the
    text refuses. With `rating`, `4/5` and `4 out of 5` are 4; else both are four fifths.
    """
    text = _plain(answer_part(text))
    if "out of" in text:
        text = _OUT_OF.sub(r"\1" if rating else r"\1/\2", text)
    if rating:
        text = _OF_A_SCALE.sub(r"\1", text)
    for said in conclusions(text)[:3]:
        if _is_open(_REASON.split(said[:_LOOKED_AT], maxsplit=1)[0], first=True):
            return None
        if found := _stated(said):
            return found
    return None if is_refusal(text) else _concluded(_without_others(text), known)


def _concluded(text: str, known: frozenset[str]) -> tuple[str, str] | None:
    """The number of a text that states no conclusion."""
    line = next((cut for line in reversed(text.splitlines()) if _last(cut := line[-_LOOKED_AT:])), "")
    if not line:
        return None if _is_open(text[-_LOOKED_AT:], first=False) else last_number_word(text)
    if _is_open(line, first=False):
        return None
    for bold in reversed(_BOLD.findall(line)):
        if found := _last(bold):
            return found
    if "=" in line and (found := _after_equals(line)):
        return found
    return _last(_ASIDE.sub(" ", line), known) or _last(line, known)


def _is_open(text: str, *, first: bool) -> bool:
    """Whether there is a range, a root, or a choice of two values in the answer's place; `0.5 or 50%` is one value."""
    found = open_numbers(text, first=first) if text else None
    if found is None:
        return False
    one, other = (next(_numbers(part), None) for part in found)
    if one is None or other is None:
        return True
    value, second = Fraction(one[0]), Fraction(other[0])
    return second not in {value, 100 * value, value / 100}


def _without_others(text: str) -> str:
    """The text without what its numbers are told apart from (`not 5`), and without its days where numbers are left."""
    text = _NEGATED.sub(" ", text)
    left = without_dates(text)
    return left if left != text and _last(left) else text


@lru_cache(maxsize=16)
def numbers_of(text: str) -> frozenset[str]:
    """The numbers that the end of an input holds, in canonical form."""
    return frozenset(value for value, _ in _numbers(_plain(text[-_LOOKED_AT:])))


@lru_cache(maxsize=16)
def asks_rating(text: str) -> bool:
    """Whether an input asks for a rating on a scale."""
    return _SCALE.search(text[-_LOOKED_AT:]) is not None


def asks_number(text: str) -> bool:
    """Whether an input asks for a number: `How many ...?`, `Calculate ...`."""
    return _ASKS.search(text[-_LOOKED_AT:].lower()) is not None


def is_bare_number(text: str) -> bool:
    """Whether the text is a number, in digits or words, with at most a unit of three words, and no date, time or code."""
    candidate = _plain(text).strip().strip("*`\"'").rstrip(".")
    if len(candidate) > 80 or _MONTH.search(candidate):
        return False
    match = re.match(rf"{_APPROXIMATELY}\s*", candidate, re.IGNORECASE)
    start = match.end() if match else 0
    number = _NUMBER.match(candidate, start)
    if number is None:
        return leading_number_word(candidate[start:]) is not None
    return re.fullmatch(_UNIT, candidate[number.end() :]) is not None


def has_number(text: str) -> bool:
    """Whether a number can be read from the text at all; in prose a number word is none, as it often counts nothing."""
    return (_DIGIT.search(text) is not None and read_number(text) is not None) or leading_number_word(text) is not None


def leaves_open(text: str) -> bool:
    """Whether a short text is a range, a root or a choice of numbers: an answer among numbers, and none itself."""
    return is_short(text) and _is_open(_plain(text), first=False)


def concludes_in_number(text: str) -> bool:
    """Whether the text is a bare number, states one as its conclusion, or calculates one."""
    text = answer_part(text)
    said = conclusion(text)
    if said is not None:
        return _begins_with_number(said)
    if is_bare_number(text):
        return True
    return "=" in text and _CALCULATION.search(_plain(text)) is not None and has_number(text)


def gives_one_number(text: str) -> bool:
    """Whether a text concludes in a number, or holds just one, in digits or words."""
    if concludes_in_number(text):
        return True
    values = {value for value, _ in _numbers(_plain(answer_part(text))[-_LOOKED_AT:])}
    return len(values) == 1 or (not values and read_number(text) is not None)


def _begins_with_number(text: str) -> bool:
    head = _plain(text[:_LOOKED_AT]).strip().lstrip("*`\"'([")
    match = re.match(rf"{_APPROXIMATELY}\s*", head, re.IGNORECASE)
    number = _NUMBER.match(head, match.end() if match else 0)
    if number is None:
        return _CALCULATION.search(head) is not None or leading_number_word(head) is not None
    rest = head[number.end() :]
    return not (re.match(r"[-/:]\d", rest) or _MONTH.search(head[: number.end() + 12]) or _LIST.match(rest))


def _plain(text: str) -> str:
    """The text without calculator marks and with LaTeX numbers written out."""
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
    """The value of `10^3`; as it stands where it multiplies another number, or is no whole number of a base but ten."""
    base, exponent = int(match[1]), int(match[2] or match[3])
    if base == 10 and _SCIENTIFIC.search(match.string[max(0, match.start() - 8) : match.start()]):
        return match[0]
    if exponent >= 0:
        return str(base**exponent)
    return f"{10.0**exponent:.{-exponent}f}" if base == 10 else match[0]


def _without_codes(text: str) -> str:
    """The text without what has digits and is no number: times of day, decades, quarters of a year."""
    if not _DIGIT.search(text):
        return text
    return _DECADE.sub(" ", QUARTER.sub(" ", CLOCK.sub(" ", text)))


def _stated(said: str) -> tuple[str, str] | None:
    """The number of a stated conclusion, without its reason and asides: after its last `=`, else the first one."""
    said = _REASON.split(said[:_LOOKED_AT], maxsplit=1)[0]
    for part in (_ASIDE.sub(" ", said), said) if "(" in said else (said,):
        if "=" in part and (found := _after_equals(part)):
            return found
        if found := next(_numbers(part), None):
            return found
    return leading_number_word(said) or last_number_word(said)


def _after_equals(line: str) -> tuple[str, str] | None:
    for part in reversed(line.split("=")[1:]):
        if found := next(_numbers(part), None):
            return found
    return None


def _last(text: str, known: frozenset[str] | None = None) -> tuple[str, str] | None:
    """The last number of a text; with `known`, the one that its last sentence asserts."""
    found = [(match, str(value)) for match in _matches(text) if (value := _value(match)) is not None]
    if not found:
        return None
    place = -1
    if known is not None and len(found) > 1:
        place = asserted(text, [(match.start(), match.end(), value) for match, value in found], known)
    chosen, canonical = found[place]
    return canonical, chosen[0].strip()


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """Every number in the text, in order, as canonical form and wording."""
    for match in _matches(text):
        if (value := _value(match)) is not None:
            yield str(value), match[0].strip()


def _matches(text: str) -> Iterator[re.Match[str]]:
    """What is written like a number, tried from the next digit on: the pattern is slow to find out that a word is none."""
    position = 0
    while digit := _DIGIT.search(text, position):
        match = _NUMBER.search(text, max(position, digit.start() - _BEFORE_A_DIGIT))
        if match is None:
            return
        yield match
        position = match.end()


def _value(match: re.Match[str]) -> Fraction | int | None:
    """The exact value of a match; None for a division by zero and for absurdly long digits."""
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
    """What the number is multiplied by. `3M` and `3B` are millions and billions of money; else M and B are units."""
    letter = match["letter"] or ""
    if letter in {"M", "B"} and not match["currency"]:
        return 1
    return _MAGNITUDES.get((match["magnitude"] or letter).lower(), 1)
