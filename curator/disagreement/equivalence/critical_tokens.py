"""Critical tokens of an answer: numbers, names, yes or no, a negation, opposites.

Answers that differ in one of these do not mean the same, however similar the rest is. Similarity of words or vectors does
not see them: "on Monday" and "on Tuesday" have a cosine of 0.94 in the bundled encoder, and a published pipeline merges
32, 32.5 and 30 into one answer. The rules are for English and use spelling only. They only separate answers; they never
merge them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from curator.disagreement.equivalence.word_lists import AUXILIARIES, OPPOSITE_PAIRS

_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+)*(?:'t\b)?")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ROMAN = re.compile(r"[IVX]{2,5}|[VX]")
_MINUS = re.compile(r"(?:^|[\s(])[-−]$")  # noqa: RUF001 - the typographic minus is meant
_SENTENCE = re.compile(r"(?:^|[.!?:;\n])[\s\"'(*“]*$")
_YES_NO = re.compile(r"\W*(yes|no|true|false)\b(?=\s*(?:[,.;:!-]|$))", re.IGNORECASE)
_MAX_DIGITS = 40
_LOOK_BACK = 80
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


# `one` is left out: it is mostly a pronoun.
_CARDINALS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_WORDED = {
    "zero": 0,
    **{word: value for value, word in enumerate(re.findall(r"\w+", _CARDINALS), start=2)},
}
_NEGATIONS = _words("not no never none neither nor without cannot nothing nobody nowhere hardly unable")  # data
# March and May are left out: they are also other words.
_DATES = _words(
    "monday tuesday wednesday thursday friday saturday sunday january february april june july august september october "
    "november december"
)
_ORDINALS = _words("first second third fourth fifth sixth seventh eighth ninth tenth")
_NO_NAMES = _words(
    "the a an in on at it its this that these those he she they we i you and but or if as yes true false"
)
_RELATIONS = _words("to from for and or he she his her can may")
_SWITCHES = (_words("on"), _words("off"))


@dataclass(frozen=True, slots=True)
class CriticalTokens:
    """The critical tokens of one answer.

    Attributes:
        numbers: its numbers in canonical form.
        names: its names, weekdays, months and ordinals in small letters.
        words: all its words in small letters.
        negated: it has a negation.
        opening: the `yes` or `no` that it begins with, or "".
    """

    numbers: frozenset[str]
    names: frozenset[str]
    words: frozenset[str]
    negated: bool
    opening: str


@lru_cache(maxsize=2**10)
def critical_tokens(text: str) -> CriticalTokens:
    """Read the critical tokens of an answer.

    Numbers are digits (`1,000`, `-2.50`, `3 million`), words up to twenty, and `II` after a name. `1st` counts as 1.
    """
    text = text.replace("’", "'")  # noqa: RUF001 - the typographic apostrophe is meant
    tokens = list(_TOKEN.finditer(text))
    words = [token[0].casefold() for token in tokens]
    numbers = set()
    names = set()
    for place, token in enumerate(tokens):
        following = tokens[place + 1][0] if place + 1 < len(tokens) else ""
        value = _number(_before(text, tokens, place), token, following)
        if value is None and _ROMAN.fullmatch(token[0]) and _follows_name(text, tokens, place):
            value = _roman(token[0])
            names.add(words[place])  # James II is not James I
        if value is not None:
            numbers.add(str(value))
        elif words[place] in _DATES | _ORDINALS or _is_name(text, tokens, place, following):
            names.add(words[place])
    return CriticalTokens(
        numbers=frozenset(numbers),
        names=frozenset(names),
        words=frozenset(words),
        negated=any(word in _NEGATIONS or word.endswith("n't") for word in words),
        opening=yes_or_no(text),
    )


def yes_or_no(text: str) -> str:
    """Return `yes` (or true) or `no` (or false) if the text begins with it; else ""."""
    opening = _YES_NO.match(text)
    if opening is None:
        return ""
    word = opening[1].casefold()
    return {"true": "yes", "false": "no"}.get(word, word)


def contradict(answer: str, other: str) -> bool:
    """Return True if two answers cannot mean the same.

    Each has a number that the other lacks, or one says yes and the other no.
    """
    left, right = critical_tokens(answer), critical_tokens(other)
    opposite = {left.opening, right.opening} == {"yes", "no"}
    return opposite or bool(left.numbers - right.numbers and right.numbers - left.numbers)


def differ(answer: str, other: str) -> bool:
    """Return True if critical tokens differ, so that the similarity of the rest does not count.

    They differ where the answers contradict each other, where both have numbers, but not the same ones, where each has a
    name that the other does not mention, where one of the two is negated, or where they use opposite words.
    """
    left, right = critical_tokens(answer), critical_tokens(other)
    return (
        contradict(answer, other)
        or bool(left.numbers and right.numbers and left.numbers != right.numbers)
        or bool(left.names - right.words and right.names - left.words)
        or left.negated != right.negated
        or any(_opposed(left, right, *pair) for pair in (*OPPOSITE_PAIRS, _SWITCHES))
    )


def related_otherwise(answer: str, other: str) -> bool:
    """Return True if each answer has a relation word (from, to, or ...) that the other lacks."""
    left, right = critical_tokens(answer).words & _RELATIONS, critical_tokens(other).words & _RELATIONS
    return bool(left - right and right - left)


def _opposed(left: CriticalTokens, right: CriticalTokens, side: frozenset[str], opposite: frozenset[str]) -> bool:
    """Return True if one answer has words of `side` only, and the other of `opposite` only."""
    sides = [(bool(tokens.words & side), bool(tokens.words & opposite)) for tokens in (left, right)]
    return sorted(sides) == [(False, True), (True, False)]


def _number(before: str, token: re.Match[str], following: str) -> Fraction | None:
    """Read a token as a number, with its sign and a `million` after it; None if it is not one."""
    word = token[0].casefold()
    if word in _WORDED:
        return Fraction(_WORDED[word]) * _SCALES.get(following.casefold(), 1)
    digits = _DIGITS.match(word)
    if digits is None or len(digits[0]) > _MAX_DIGITS:
        return None
    plain = digits[0].replace(",", "") if _THOUSANDS.fullmatch(digits[0]) else digits[0].replace(",", ".")
    if plain.count(".") > 1:  # a date or a version counts as a name
        return None
    minus = _MINUS.search(before)
    return Fraction(plain) * _SCALES.get(following.casefold(), 1) * (-1 if minus else 1)


def _before(text: str, tokens: list[re.Match[str]], place: int) -> str:
    """Return the text before a token, from the last letter of the token before it.

    The patterns need no more than that letter.
    """
    start = tokens[place - 1].end() - 1 if place else 0
    end = tokens[place].start()
    return text[max(start, end - _LOOK_BACK) : end]


def _follows_name(text: str, tokens: list[re.Match[str]], place: int) -> bool:
    """Return True if exactly one blank separates the token from a capitalised word before it."""
    before = tokens[place - 1] if place else None
    return before is not None and before[0][0].isupper() and text[before.end() : tokens[place].start()] == " "


def _roman(numeral: str) -> Fraction:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in numeral]
    signs = [-1 if value < max(values[i:]) else 1 for i, value in enumerate(values)]
    return Fraction(sum(sign * value for sign, value in zip(signs, values, strict=True)))


def _is_name(text: str, tokens: list[re.Match[str]], place: int, following: str) -> bool:
    """Return True if a token is written like a name.

    The first word of a sentence is capitalised anyway, so there the next word must show that it is a name.
    """
    word = tokens[place][0]
    if word == "I" and _follows_name(text, tokens, place):
        return True  # James I
    if any(letter.isdigit() for letter in word):
        return True  # H2O, 1.2.3
    if (
        not word[0].isupper()
        or word.casefold() in _NO_NAMES
        or word.casefold() in _NEGATIONS | {"yes", "true", "false"}
    ):
        return False
    if not _SENTENCE.search(_before(text, tokens, place)):
        return True
    goes_on = place + 1 < len(tokens) and text[tokens[place].end() : tokens[place + 1].start()] == " "
    return not following or (goes_on and (following[0].isupper() or following in AUXILIARIES))
