"""Which of several numbers a sentence asserts, and where it leaves the number open: `3 or 4`, `between 3 and 5`, `√2`."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

_WORD = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_NUMBER = rf"(?:[$€£]?[-−]?\d[\d,]*(?:\.\d+)?(?:/\d+)?|\b(?:{_WORD})\b)"  # noqa: RUF001
_UNIT = r"(?:\s?%|\s?[^\W\d_]+)"
_EITHER = re.compile(
    rf"(?<![\w.,/^])(?P<one>{_NUMBER})(?:(?P<unit>{_UNIT})(?=\s+or\s+{_NUMBER}(?P=unit)\b))?\s+or\s+(?P<other>{_NUMBER})",
    re.IGNORECASE,
)
_BETWEEN = re.compile(rf"\bbetween\s+{_NUMBER}{_UNIT}?\s+and\s+{_NUMBER}", re.IGNORECASE)
_RANGE = re.compile(
    rf"\W*(?:(?:about|approximately|around|roughly|it is|it takes)\s+){{0,2}}(?<![\d.])"
    rf"(?:(?:from\s+)?{_NUMBER}{_UNIT}?\s?\b(?:to|through)\s?{_NUMBER}|{_NUMBER}{_UNIT}?\s?(?:[-–—]|\.\.)\s?{_NUMBER})"  # noqa: RUF001
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
_DIGIT = re.compile(r"\d")
Found = tuple[int, int, str]
"""Where a number begins and ends in a text, and its canonical form."""


def open_numbers(text: str, *, first: bool) -> tuple[str, str] | None:
    """The two numbers of an alternative, or two empty ones of a range or a root, that a text has in its answer's place.

    That place is the first number of a stated conclusion (`first`), else the last number of a line. None: one number.
    """
    text = _MARKUP.sub("", text)
    if _RANGE.fullmatch(text) or (("√" in text or "\\sqrt" in text) and _ROOT.search(text)):
        return "", ""
    for pattern in (_BETWEEN, _EITHER):
        for match in pattern.finditer(text):
            if not _DIGIT.search(text[: match.start()] if first else text[match.end() :]):
                return (match["one"], match["other"]) if pattern is _EITHER else ("", "")
    return None


def asserted(text: str, numbers: Sequence[Found], known: Set[str]) -> int:
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
