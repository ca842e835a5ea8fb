"""Numbers in answers: `$1,000`, `-5`, `1/2`, `50%`, `3.5 million`, and which number a text concludes."""

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
"""Characters of a line that are looked at, from its end: the last number counts."""
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
def read_number(text: str, *, rating: bool = False, known: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """The number a text concludes: its canonical form and the number as it stands there.

    It is the number of a stated conclusion, the last one first, else the last one of the last line that has any: there,
    a bold one goes first, then the one after the last `=`; one that is part of a date, follows `not`, or that the input
    holds (`known`, of `numbers_of`) and a preposition leads, gives way to another. `3 or 4`, a range and a root are no
    number. Units are not converted: `50%` is 50, `$3` is 3. A comma
    with three digits behind it separates thousands, with one or two it is a decimal comma. None: there is none, or the
    text refuses. With `rating`, `4/5` and `4 out of 5` are 4; else both are four fifths.
    """
    text = plain_numbers(answer_part(text))
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
    one, other = (next(numbers_in(part), None) for part in found)
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
    return frozenset(value for value, _ in numbers_in(plain_numbers(text[-_LOOKED_AT:])))


@lru_cache(maxsize=16)
def asks_rating(text: str) -> bool:
    """Whether an input asks for a rating on a scale."""
    return _SCALE.search(text[-_LOOKED_AT:]) is not None


def asks_number(text: str) -> bool:
    """Whether an input asks for a number: `How many ...?`, `Calculate ...`."""
    return _ASKS.search(text[-_LOOKED_AT:].lower()) is not None


def is_bare_number(text: str) -> bool:
    """Whether the text is a number, in digits or words, with at most a unit of three words, and no date, time or code."""
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
    """Whether a number can be read from the text at all; in prose a number word is none, as it often counts nothing."""
    return (DIGIT.search(text) is not None and read_number(text) is not None) or leading_number_word(text) is not None


def leaves_open(text: str) -> bool:
    """Whether a short text is a range, a root or a choice of numbers: an answer among numbers, and none itself."""
    return is_short(text) and _is_open(plain_numbers(text), first=False)


def concludes_in_number(text: str) -> bool:
    """Whether the text is a bare number, states one as its conclusion, or calculates one."""
    text = answer_part(text)
    said = conclusion(text)
    if said is not None:
        return _begins_with_number(said)
    if is_bare_number(text):
        return True
    return "=" in text and _CALCULATION.search(plain_numbers(text)) is not None and has_number(text)


def gives_one_number(text: str) -> bool:
    """Whether a text concludes in a number, or holds just one, in digits or words."""
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


def _stated(said: str) -> tuple[str, str] | None:
    """The number of a stated conclusion, without its reason and asides: after its last `=`, else the first one."""
    said = _REASON.split(said[:_LOOKED_AT], maxsplit=1)[0]
    for part in (_ASIDE.sub(" ", said), said) if "(" in said else (said,):
        if "=" in part and (found := _after_equals(part)):
            return found
        if found := next(numbers_in(part), None):
            return found
    return leading_number_word(said) or last_number_word(said)


def _after_equals(line: str) -> tuple[str, str] | None:
    for part in reversed(line.split("=")[1:]):
        if found := next(numbers_in(part), None):
            return found
    return None


def _last(text: str, known: frozenset[str] | None = None) -> tuple[str, str] | None:
    """The last number of a text; with `known`, the one that its last sentence asserts."""
    found = [(match, str(value)) for match in number_matches(text) if (value := number_value(match)) is not None]
    if not found:
        return None
    place = -1
    if known is not None and len(found) > 1:
        place = asserted(text, [(match.start(), match.end(), value) for match, value in found], known)
    chosen, canonical = found[place]
    return canonical, chosen[0].strip()


def open_numbers(text: str, *, first: bool) -> tuple[str, str] | None:
    """The two numbers of an alternative, or two empty ones of a range or a root, that a text has in its answer's place.

    That place is the first number of a stated conclusion (`first`), else the last number of a line. None: one number.
    """
    text = _MARKUP.sub("", text)
    if _RANGE.fullmatch(text) or (("√" in text or "\\sqrt" in text) and _ROOT.search(text)):
        return "", ""
    for pattern in (_BETWEEN, _EITHER):
        for match in pattern.finditer(text):
            if not DIGIT.search(text[: match.start()] if first else text[match.end() :]):
                return (match["one"], match["other"]) if pattern is _EITHER else ("", "")
    return None


def asserted(text: str, numbers: Sequence[NumberSpan], known: Set[str]) -> int:
    """The place in `numbers` of the one that the last sentence asserts: the last one, with one exception.

    The last one follows a preposition (`150 minutes in 2.5 hours`), and before it in the sentence, with no step of a
    calculation between, stands one that the input does not hold while it holds the last (`known`), or one right after
    `is`, `are`, `costs` or `equals`.
    """
    last = len(numbers) - 1
    begin = max((m.end() for m in _SENTENCE.finditer(text, 0, numbers[last][0])), default=0)
    before = text[begin : numbers[last][0]]
    if not _PREPOSITION.search(before) or _AMOUNT_OF.search(before):
        return last
    earlier = [place for place in range(last) if numbers[place][0] >= begin]
    if not earlier or _CONNECTED.search(text[numbers[earlier[0]][0] : numbers[last][0]]):
        return last
    if numbers[last][2] in known and (new := [place for place in earlier if numbers[place][2] not in known]):
        return new[-1]
    called = [place for place in earlier if _COPULA.search(text[begin : numbers[place][0]])]
    return called[-1] if called else last
