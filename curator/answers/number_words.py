"""Numbers in words: `forty-two`, `three hundred and five`, `two and a half`, `a dozen`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

_ONES = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_UNITS = {word: value for value, word in enumerate(_ONES)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)}
_POWERS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_GROUPS: Mapping[str, int] = {"dozen": 12, "score": 20, "hundred": 100}
_PARTS: Mapping[str, Fraction] = {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}
_ANY = "|".join([*_UNITS, *_POWERS, *_GROUPS, *_PARTS])
_PHRASE = re.compile(
    rf"(?<![\w-])(?:minus |negative )?(?:an? (?=(?:dozen|score|hundred|half|quarter|{'|'.join(_POWERS)})\b))?"
    rf"(?:{_ANY})(?:(?:[ -]|,? and (?:an? )?)(?:{_ANY}))*(?![\w-])",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:about |approximately |exactly |around |there (?:are|is|were|was) )?", re.IGNORECASE)
_LONGEST = 400
"""Characters at the end of a text that are searched."""
_UNIT_WORDS = 3


def leading_number_word(text: str) -> tuple[str, str] | None:
    """Read a number in words at the start of a text; at most a unit of three words may follow."""
    text = text[:_LONGEST].strip().strip("*`\"'.!")
    start = _LEAD.match(text)
    match = _PHRASE.match(text, start.end() if start else 0)
    if match is None or len(text[match.end() :].split()) > _UNIT_WORDS:
        return None
    return _reading(match[0])


def last_number_word(text: str) -> tuple[str, str] | None:
    """Read the last number in words of a text; a lone `one` or `a half` does not count."""
    phrases = [match[0] for match in _PHRASE.finditer(text[-_LONGEST:])]
    phrases = [
        phrase for phrase in phrases if phrase.lower() not in {"one", "half", "a half", "quarter", "a quarter", "score"}
    ]
    return _reading(phrases[-1]) if phrases else None


def _reading(phrase: str) -> tuple[str, str]:
    return str(number_in_words(phrase)), phrase


def number_in_words(phrase: str) -> Fraction:
    """Return the value of a phrase of number words, such as `three hundred and five`."""
    total, group = Fraction(0), Fraction(0)
    words = [word for word in re.findall(r"[a-z]+", phrase.lower()) if word not in {"and", "a", "an"}]
    negative = bool(words) and words[0] in {"minus", "negative"}
    for word in words[negative:]:
        if word in _UNITS:
            group += _UNITS[word]
        elif word in _GROUPS:
            group = (group or Fraction(1)) * _GROUPS[word]
        elif word in _POWERS:
            total, group = total + (group or 1) * _POWERS[word], Fraction(0)
        else:
            group += _PARTS[word]
    value = total + group
    return -value if negative else value
