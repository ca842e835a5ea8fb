"""The details of a text that a paraphrase or a translation keeps: numbers, names, code."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

NAME_WEIGHT = 2.0
"""The weight of a name as a detail: that of a number with two digits."""

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
_MAX_WEIGHT = 6  # a longer number or code does not identify a text better


@dataclass(frozen=True)
class Details:
    """The details of a text.

    Attributes:
        numbers: each number with its count, spelled-out English ones too: `3` for "three".
        names: words with a capital inside a sentence, casefolded.
        words: every word, casefolded; another text's names are looked up in them.
        plain: the words of more than one letter that are neither numbers nor in code or addresses.
        anchors: numbers in digits, addresses and code, in order: these are the same in any language.
    """

    numbers: Counter[str]
    names: frozenset[str]
    words: frozenset[str]
    plain: frozenset[str]
    anchors: tuple[str, ...]

    @cached_property
    def anchor_counts(self) -> Counter[str]:
        """The anchors with their counts."""
        return Counter(self.anchors)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of two texts' details: the counts of same and different ones, and examples."""

    same: float
    different: float
    shared: tuple[str, ...]


def details_of(text: str) -> Details:
    """Extract the details of a text as it was written: capitals matter."""
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
    """Count the numbers and names that two texts share and in which they differ; symmetric.

    A number counts as often as both have it, a name if the other text has the word. A detail of only one text is half a
    difference: a differing pair is one half in either text.
    """
    numbers = a.numbers & b.numbers
    names = sorted((a.names & b.words) | (b.names & a.words))
    same = numbers.total() + (len(a.names & b.words) + len(b.names & a.words)) / 2
    everything = (a.numbers.total() + b.numbers.total() + len(a.names) + len(b.names)) / 2
    return Agreement(same, everything - same, _shown([*sorted(numbers), *names]))


def share_any(a: Details, b: Details) -> bool:
    """True where any number or name agrees; much faster than `agreement`."""
    return not (a.numbers.keys().isdisjoint(b.numbers) and a.names.isdisjoint(b.words) and b.names.isdisjoint(a.words))


def same_anchors(a: Details, b: Details) -> Agreement:
    """Weigh the details that a translation keeps and that two texts share or not; symmetric.

    The weight of a number is its digits without trailing zeros, of code and addresses their characters, of a name 2; the
    maximum is 6. Names count only beside an agreeing number or code, as two texts on one subject share names. A name
    counts only where both texts have the word, as some languages write every noun with a capital.
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
    """The share of the common anchors that have the same order in both texts, 0..1; 1 for none."""
    shared = a.anchor_counts & b.anchor_counts
    if not shared:
        return 1.0
    return _longest_common(_only(a.anchors, shared), _only(b.anchors, shared)) / shared.total()


def anchor_weight(anchor: str) -> float:
    """The weight of a number, a piece of code or an address, 1..6."""
    return float(min(len(anchor.rstrip("0")) or 1, _MAX_WEIGHT))


def word_overlap(a: Details, b: Details) -> float:
    """The share of the smaller text's plain words, without names, that the other has, 0..1."""
    named = a.names | b.names
    mine, others = a.plain - named, b.plain - named
    return len(mine & others) / max(1, min(len(mine), len(others)))


def _value(number: str) -> str:
    """A number without thousands separators and trailing zeros: 80,000 is 80000, 1.50 is 1.5."""
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
    """True where the place follows the end of a sentence or line, a quote or a bullet."""
    before = text[max(0, at - 4) : at].rstrip(" \t")
    return not before or before[-1] in _SENTENCE_STARTS


def _anchors(text: str) -> Iterable[str]:
    """Addresses, code and numbers, in order; of numbers only the digits: 1.5 and 1,5 are equal."""
    at = 0
    for match in _CODE.finditer(text):
        yield from map(_digits, _NUMBER.findall(text[at : match.start()]))
        yield match.group().casefold().rstrip("(.,;:!?")
        at = match.end()
    yield from map(_digits, _NUMBER.findall(text[at:]))


def _digits(number: str) -> str:
    """The number's digits in ASCII, from any script."""
    return "".join(str(unicodedata.decimal(sign)) for sign in number if sign.isdecimal()) or number


def _only(anchors: Iterable[str], shared: Counter[str]) -> list[str]:
    """The shared anchors, each as often as it is shared, in order."""
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
