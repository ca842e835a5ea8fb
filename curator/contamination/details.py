"""What a text says exactly, and what rephrasing or translating it leaves as it is: numbers, names, code, addresses."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

NAME_WEIGHT = 2.0
"""What a name says of a text, in decimal places: as much as a number of two."""

_SHOWN = 8
_SPELLED = {
    word: str(value)
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    )
} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "dozen": "12", "once": "1", "twice": "2", "double": "2",
    "doubled": "2", "doubles": "2", "thrice": "3", "triple": "3", "tripled": "3", "triples": "3", "half": "1/2",
    "halves": "1/2", "third": "3", "quarter": "1/4",
}  # fmt: skip

_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")
_WORD = re.compile(r"\w+")
_CODE = re.compile(
    r"https?://[^\s<>\"')]+|[\w.+-]+@[\w-]+\.[\w.]+|\b\w+(?:\.\w+)*\(|\b[A-Za-z]\w*_\w+|\b(?=\w*\d)(?=\w*[A-Za-z])\w{3,}"
)
_SENTENCE_STARTS = frozenset('.!?:;"\u201c\u201e\u00ab([{-\u2022*#>|\n')
_DIGITS_MOST = 6  # what a long number, or a code, says more than one of six places does not matter


@dataclass(frozen=True)
class Details:
    """What a text says exactly.

    Attributes:
        numbers: each number as often as it stands there, those spelled out in English too: `3` for "three".
        names: words with a capital inside a sentence, casefolded.
        words: every word, casefolded: where a name of another text is looked for, however it is spelled here.
        plain: the words of more than one letter that stand outside of code and addresses and are no number.
        anchors: numbers in digits, addresses and code in their order, as they stand in any language.
    """

    numbers: Counter[str]
    names: frozenset[str]
    words: frozenset[str]
    plain: frozenset[str]
    anchors: tuple[str, ...]

    @cached_property
    def anchor_counts(self) -> Counter[str]:
        """The anchors, each as often as it stands there."""
        return Counter(self.anchors)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the details of two texts agree: `same` and `different` count details, `shared` names some in words."""

    same: float
    different: float
    shared: tuple[str, ...]


def details_of(text: str) -> Details:
    """The details of a text as it was written: capitals matter."""
    text = unicodedata.normalize("NFKC", text)
    words = [word.casefold() for word in _WORD.findall(text)]
    numbers = [_value(number) for number in _NUMBER.findall(text)]
    numbers += [_SPELLED[word] for word in words if word in _SPELLED]
    return Details(
        numbers=Counter(numbers),
        names=frozenset(_names(text)),
        words=frozenset(words),
        plain=frozenset(_plain(text)),
        anchors=tuple(_anchors(text)),
    )


def agreement(a: Details, b: Details) -> Agreement:
    """How far two texts agree in numbers and names; it is symmetric.

    A number is the same as often as both have it; a name where the other text has the word. What only one of them has is
    half a difference, as the two halves of a pair that differs are counted in either text.
    """
    numbers = a.numbers & b.numbers
    names = sorted((a.names & b.words) | (b.names & a.words))
    found = numbers.total() + (len(a.names & b.words) + len(b.names & a.words)) / 2
    everything = (a.numbers.total() + b.numbers.total() + len(a.names) + len(b.names)) / 2
    return Agreement(found, everything - found, _shown([*sorted(numbers), *names]))


def share_any(a: Details, b: Details) -> bool:
    """Whether any number or name agrees; much quicker than `agreement`."""
    return not (a.numbers.keys().isdisjoint(b.numbers) and a.names.isdisjoint(b.words) and b.names.isdisjoint(a.words))


def same_anchors(a: Details, b: Details) -> Agreement:
    """How far two texts agree in what no translation changes, by weight; it is symmetric.

    A number weighs as many as it has digits without the zeros at its end, code and addresses as many as they have
    characters, and a name 2; none weighs more than 6. Names count only beside a number or code that agrees, as two texts
    on one subject share names, and only where both have the word: a language that writes every noun with a capital has
    some that the other lacks.
    """
    shared = a.anchor_counts & b.anchor_counts
    only = (a.anchor_counts - shared) + (b.anchor_counts - shared)
    same = sum(anchor_weight(anchor) * count for anchor, count in shared.items())
    different = sum(anchor_weight(anchor) * count for anchor, count in only.items()) / 2
    names = sorted(name for name in (a.names & b.words) | (b.names & a.words) if name not in shared)
    if same >= NAME_WEIGHT:
        same += NAME_WEIGHT * len(names)
    return Agreement(same, different, _shown([*sorted(shared), *names]))


def in_order(a: Details, b: Details) -> float:
    """The share of the shared anchors that stand in the same order in both texts, in 0..1; 1 for none."""
    shared = a.anchor_counts & b.anchor_counts
    if not shared:
        return 1.0
    return _longest_common(_only(a.anchors, shared), _only(b.anchors, shared)) / shared.total()


def anchor_weight(anchor: str) -> float:
    """What a number, a piece of code or an address says of a text, in decimal places."""
    return float(min(len(anchor.rstrip("0")) or 1, _DIGITS_MOST))


def word_overlap(a: Details, b: Details) -> float:
    """The share of the plain words of the text that has fewer, names aside, that the other one has, in 0..1."""
    named = a.names | b.names
    mine, others = a.plain - named, b.plain - named
    return len(mine & others) / max(1, min(len(mine), len(others)))


def _value(number: str) -> str:
    """A number without what separates thousands: 80,000 and 80000 are one; `1.50` is `1.5`."""
    plain = re.sub(r"[,\u00a0\u202f](?=\d{3}(?!\d))", "", number)
    if plain.count(".") == 1:
        plain = plain.rstrip("0").rstrip(".")
    whole = plain.lstrip("0") or "0"
    return f"0{whole}" if whole.startswith(".") else whole


def _plain(text: str) -> Iterable[str]:
    words = (word.casefold() for word in _WORD.findall(_CODE.sub(" ", text)))
    return (word for word in words if len(word) > 1 and not word[0].isdigit())


def _names(text: str) -> Iterable[str]:
    for match in _WORD.finditer(text):
        word = match.group()
        if len(word) > 1 and word[0].isupper() and not _starts_sentence(text, match.start()):
            yield word.casefold()


def _starts_sentence(text: str, at: int) -> bool:
    """Whether nothing but an end of a sentence, a line's end, a quote or a bullet stands before."""
    before = text[max(0, at - 4) : at].rstrip(" \t")
    return not before or before[-1] in _SENTENCE_STARTS


def _anchors(text: str) -> Iterable[str]:
    """Addresses, code and numbers in digits, in order; in numbers nothing but digits: 1.5 and 1,5 are one."""
    at = 0
    for match in _CODE.finditer(text):
        yield from map(_digits, _NUMBER.findall(text[at : match.start()]))
        yield match.group().casefold().rstrip("(.,;:!?")
        at = match.end()
    yield from map(_digits, _NUMBER.findall(text[at:]))


def _digits(number: str) -> str:
    """The number's digits in ASCII, whatever script they are in."""
    return "".join(str(unicodedata.decimal(sign)) for sign in number if sign.isdecimal()) or number


def _only(anchors: Iterable[str], shared: Counter[str]) -> list[str]:
    """The anchors that are shared, each as often as it is."""
    left = Counter(shared)
    kept = []
    for anchor in anchors:
        if left[anchor] > 0:
            left[anchor] -= 1
            kept.append(anchor)
    return kept


def _longest_common(a: list[str], b: list[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for place, y in enumerate(b, 1):
            before, row[place] = row[place], before + 1 if x == y else max(row[place], row[place - 1])
    return row[-1]


def _shown(details: list[str]) -> tuple[str, ...]:
    return tuple(details[:_SHOWN])
