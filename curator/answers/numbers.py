"""Read the number that a text concludes in, such as `$1,000`, `1/2` or `forty-two`."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from fractions import Fraction
from functools import lru_cache

from curator.answers.conclusions import conclusion, conclusions
from curator.answers.dates import without_dates
from curator.answers.normalization import answer_part, is_refusal, is_short
from curator.answers.number_literals import DIGIT, NUMBER, number_matches, number_value, numbers_in, plain_numbers
from curator.answers.number_words import last_number_word, leading_number_word

_APPROXIMATELY = r"(?:about|approximately|around|roughly|exactly|only|~|≈|=|[a-z]\s*=)?"
_UNIT = r"\s*%?(?:\s*[^\W\d_][^\s\d]*){0,3}"
_CALCULATION = re.compile(r"(?<![\d.,])\d[\d.,]*%?\s*[-+*/×÷x]\s*[$€£]?\d[\d.,]*%?\s*=\s*[$€£]?\s*-?\d")  # noqa: RUF001
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_ASIDE = re.compile(r"\([^()]*\)")
_REASON = re.compile(r"\bbecause\b|\bsince\b|(?<=[\d%)])[.;]\s+(?=[A-Z])")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_LIST = re.compile(r"(?:(?:,|;|,?\sand)?\s+-?\d+(?:\.\d+)?){1,200}\W*$")
_ASKS = re.compile(
    r"how (?:many|much|old|long|far|tall|big|deep|heavy|fast)\b|what(?:'s| is| was| are| were) (?:the|his|her|its|their) (?:\w+ )?"
    r"(?:total|sum|number|average|mean|difference|product|quotient|price|cost|value|probability|percentage|area|volume)\b|"
    r"\b(?:calculate|compute|evaluate)\b|arabic numerals"
)
_NEGATED = re.compile(r"\b(?:not|rather than|instead of)\s+[$€£]?-?\d[\d.,]*\b")
_OUT_OF = re.compile(r"(?<![\d.,])(\d{1,4}) out of (\d{1,4})(?![\d.,]*\d)")
_OF_A_SCALE = re.compile(r"(?<![\d.,/])(\d{1,3}(?:\.\d)?)\s?/\s?(?:3|4|5|7|10|100)(?![\d/])")
_SCALE = re.compile(r"\b(?:rate|rating|scale|score|grade)\b", re.IGNORECASE)
_LOOKED_AT = 2000
"""Characters at the end of a line that are searched: the last number counts."""
_WORD = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_ONE_NUMBER = rf"(?:[$€£]?[-−]?\d[\d,]*(?:\.\d+)?(?:/\d+)?|\b(?:{_WORD})\b)"  # noqa: RUF001
_ONE_UNIT = r"(?:\s?%|\s?[^\W\d_]+)"
_EITHER = re.compile(
    rf"(?<![\w.,/^])(?P<one>{_ONE_NUMBER})(?:(?P<unit>{_ONE_UNIT})(?=\s+or\s+{_ONE_NUMBER}(?P=unit)\b))?\s+or\s+(?P<other>{_ONE_NUMBER})",
    re.IGNORECASE,
)
_BETWEEN = re.compile(rf"\bbetween\s+{_ONE_NUMBER}{_ONE_UNIT}?\s+and\s+{_ONE_NUMBER}", re.IGNORECASE)
_RANGE = re.compile(
    rf"\W*(?:(?:about|approximately|around|roughly|it is|it takes)\s+){{0,2}}(?<![\d.])"
    rf"(?:(?:from\s+)?{_ONE_NUMBER}{_ONE_UNIT}?\s?\b(?:to|through)\s?{_ONE_NUMBER}|{_ONE_NUMBER}{_ONE_UNIT}?\s?(?:[-–—]|\.\.)\s?{_ONE_NUMBER})"  # noqa: RUF001
    r"(?:\s?%)?(?:\s*[^\W\d_]+){0,3}\W*",
    re.IGNORECASE,
)
_ROOT = re.compile(r"(?:[√∛∜]|\\sqrt)[^A-Za-z=≈]*(?:\s[a-z]+){0,2}\W*$")
_MARKUP = re.compile(r"[*_`]|(?<=\d)\.(?=\s*$)")
_BEFORE = r"\s+(?:(?:a|an|the|its|each|every|all|only|about)\s+)?[*_`(]*[$€£]?[-−]?$"  # noqa: RUF001
_PREPOSITION = re.compile(rf"\b(?:of|after|from|in|by|per){_BEFORE}", re.IGNORECASE)
_AMOUNT_OF = re.compile(
    rf"\b(?:total|sum|average|mean|median|rest|remainder|result|count|number|amount|price|cost|value|profit|balance|score|"
    rf"probability|product|difference|maximum|minimum)\s+of{_BEFORE}",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"\b(?:is|are|was|were|costs?|equals?)\s+(?:(?:now|still|about|approximately|around|exactly|only)\s+)?[*_`]*[$€£]?[-−]?$",  # noqa: RUF001
    re.IGNORECASE,
)
_CONNECTED = re.compile(
    r"\b(?:so|thus|therefore|hence|then|which|leaving|leaves|making|plus|minus|times)\b|[=+*×÷]|\s[-−]\s",  # noqa: RUF001
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?]\s+(?=[A-Z*])")
NumberSpan = tuple[int, int, str]
"""The start and the end of a number in a text, and its canonical form."""


@lru_cache(maxsize=256)
def read_number(
    text: str, *, rating: bool = False, input_numbers: frozenset[str] = frozenset()
) -> tuple[str, str] | None:
    """Read the number that a text concludes in, as canonical form and wording.

    It is the number of a stated conclusion, the last conclusion first; else the last number of the last line with one. In
    that line a bold number has priority, then the number after the last `=`. A number yields to another one if it is part
    of a date, follows `not`, or follows a preposition and occurs in the input (see `asserted`). Units are not converted:
    `50%` is 50, and `$3` is 3. A comma before three digits separates thousands; before one or two it is a decimal comma.

    Args:
        text: the model's whole output.
        rating: read `4/5` and `4 out of 5` as 4, not as four fifths.
        input_numbers: the numbers of the prompt, of `numbers_of`.

    Returns:
        None where the text has no number, refuses, or leaves the number open: `3 or 4`, a range, a root.
    """
    text = plain_numbers(answer_part(text))
    if "out of" in text:
        text = _OUT_OF.sub(r"\1" if rating else r"\1/\2", text)
    if rating:
        text = _OF_A_SCALE.sub(r"\1", text)
    for stated in conclusions(text)[:3]:
        if _is_open(_REASON.split(stated[:_LOOKED_AT], maxsplit=1)[0], first=True):
            return None
        if reading := _stated(stated):
            return reading
    return None if is_refusal(text) else _concluded(_without_others(text), input_numbers)


def _concluded(text: str, input_numbers: frozenset[str]) -> tuple[str, str] | None:
    """Read the number of a text that states no conclusion."""
    line = next((cut for line in reversed(text.splitlines()) if _last(cut := line[-_LOOKED_AT:])), "")
    if not line:
        return None if _is_open(text[-_LOOKED_AT:], first=False) else last_number_word(text)
    if _is_open(line, first=False):
        return None
    for bold in reversed(_BOLD.findall(line)):
        if reading := _last(bold):
            return reading
    if "=" in line and (reading := _after_equals(line)):
        return reading
    return _last(_ASIDE.sub(" ", line), input_numbers) or _last(line, input_numbers)


def _is_open(text: str, *, first: bool) -> bool:
    """Return True for a range, a root, or two values as the answer; `0.5 or 50%` is one value."""
    alternatives = open_numbers(text, first=first) if text else None
    if alternatives is None:
        return False
    left, right = (next(numbers_in(part), None) for part in alternatives)
    if left is None or right is None:
        return True
    value, second = Fraction(left[0]), Fraction(right[0])
    return second not in {value, 100 * value, value / 100}


def _without_others(text: str) -> str:
    """Remove negated numbers (`not 5`), and dates if other numbers remain."""
    text = _NEGATED.sub(" ", text)
    left = without_dates(text)
    return left if left != text and _last(left) else text


@lru_cache(maxsize=16)
def numbers_of(text: str) -> frozenset[str]:
    """Return the numbers at the end of an input, in canonical form."""
    return frozenset(value for value, _ in numbers_in(plain_numbers(text[-_LOOKED_AT:])))


@lru_cache(maxsize=16)
def asks_rating(text: str) -> bool:
    """Return True if an input asks for a rating on a scale."""
    return _SCALE.search(text[-_LOOKED_AT:]) is not None


def asks_number(text: str) -> bool:
    """Return True if an input asks for a number: `How many ...?`, `Calculate ...`."""
    return _ASKS.search(text[-_LOOKED_AT:].lower()) is not None


def is_bare_number(text: str) -> bool:
    """Return True if the text is only a number, with a unit of up to three words."""
    candidate = plain_numbers(text).strip().strip("*`\"'").rstrip(".")
    if len(candidate) > 80 or _MONTH.search(candidate):
        return False
    match = re.match(rf"{_APPROXIMATELY}\s*", candidate, re.IGNORECASE)
    start = match.end() if match else 0
    number = NUMBER.match(candidate, start)
    if number is None:
        return leading_number_word(candidate[start:]) is not None
    return re.fullmatch(_UNIT, candidate[number.end() :]) is not None


def has_number(text: str) -> bool:
    """Return True if a number can be read; a number word counts only at the start of the text."""
    return (DIGIT.search(text) is not None and read_number(text) is not None) or leading_number_word(text) is not None


def leaves_open(text: str) -> bool:
    """Return True if a short text is a range, a root or several numbers."""
    return is_short(text) and _is_open(plain_numbers(text), first=False)


def concludes_in_number(text: str) -> bool:
    """Return True if the text is a bare number, states one as its conclusion, or calculates one."""
    text = answer_part(text)
    stated = conclusion(text)
    if stated is not None:
        return _begins_with_number(stated)
    if is_bare_number(text):
        return True
    return "=" in text and _CALCULATION.search(plain_numbers(text)) is not None and has_number(text)


def gives_one_number(text: str) -> bool:
    """Return True if a text concludes in a number, or has exactly one, in digits or words."""
    if concludes_in_number(text):
        return True
    values = {value for value, _ in numbers_in(plain_numbers(answer_part(text))[-_LOOKED_AT:])}
    return len(values) == 1 or (not values and read_number(text) is not None)


def _begins_with_number(text: str) -> bool:
    head = plain_numbers(text[:_LOOKED_AT]).strip().lstrip("*`\"'([")
    match = re.match(rf"{_APPROXIMATELY}\s*", head, re.IGNORECASE)
    number = NUMBER.match(head, match.end() if match else 0)
    if number is None:
        return _CALCULATION.search(head) is not None or leading_number_word(head) is not None
    rest = head[number.end() :]
    return not (re.match(r"[-/:]\d", rest) or _MONTH.search(head[: number.end() + 12]) or _LIST.match(rest))


def _stated(stated: str) -> tuple[str, str] | None:
    """Read the number of a stated conclusion: after its last `=`, else its first number.

    Its reason and its asides do not count.
    """
    stated = _REASON.split(stated[:_LOOKED_AT], maxsplit=1)[0]
    for part in (_ASIDE.sub(" ", stated), stated) if "(" in stated else (stated,):
        if "=" in part and (reading := _after_equals(part)):
            return reading
        if reading := next(numbers_in(part), None):
            return reading
    return leading_number_word(stated) or last_number_word(stated)


def _after_equals(line: str) -> tuple[str, str] | None:
    for part in reversed(line.split("=")[1:]):
        if reading := next(numbers_in(part), None):
            return reading
    return None


def _last(text: str, input_numbers: frozenset[str] | None = None) -> tuple[str, str] | None:
    """Return the last number of a text; with `input_numbers`, the one that it asserts."""
    numbers = [(match, str(value)) for match in number_matches(text) if (value := number_value(match)) is not None]
    if not numbers:
        return None
    place = -1
    if input_numbers is not None and len(numbers) > 1:
        spans = [(match.start(), match.end(), value) for match, value in numbers]
        place = asserted(text, spans, input_numbers)
    chosen, canonical = numbers[place]
    return canonical, chosen[0].strip()


def open_numbers(text: str, *, first: bool) -> tuple[str, str] | None:
    """Return the two numbers of an alternative (`3 or 4`), or ("", "") for a range or a root.

    It must be the answer of the text: the first number of a stated conclusion (`first`), else the last number of a line.
    None where the answer is one number.
    """
    text = _MARKUP.sub("", text)
    if _RANGE.fullmatch(text) or (("√" in text or "\\sqrt" in text) and _ROOT.search(text)):
        return "", ""
    for pattern in (_BETWEEN, _EITHER):
        for match in pattern.finditer(text):
            if not DIGIT.search(text[: match.start()] if first else text[match.end() :]):
                return (match["one"], match["other"]) if pattern is _EITHER else ("", "")
    return None


def asserted(text: str, numbers: Sequence[NumberSpan], input_numbers: Set[str]) -> int:
    """Return the index in `numbers` of the number that the last sentence asserts.

    It is the last number, with one exception: `150 minutes in 2.5 hours`. There the last number follows a preposition, no
    step of a calculation precedes it, and an earlier number of the sentence is new while the last one is in
    `input_numbers`, or follows `is`, `are`, `costs` or `equals`. Then it is the earlier number.
    """
    last = len(numbers) - 1
    begin = max((m.end() for m in _SENTENCE.finditer(text, 0, numbers[last][0])), default=0)
    before = text[begin : numbers[last][0]]
    if not _PREPOSITION.search(before) or _AMOUNT_OF.search(before):
        return last
    earlier = [place for place in range(last) if numbers[place][0] >= begin]
    if not earlier or _CONNECTED.search(text[numbers[earlier[0]][0] : numbers[last][0]]):
        return last
    if numbers[last][2] in input_numbers and (
        new := [place for place in earlier if numbers[place][2] not in input_numbers]
    ):
        return new[-1]
    called = [place for place in earlier if _COPULA.search(text[begin : numbers[place][0]])]
    return called[-1] if called else last
