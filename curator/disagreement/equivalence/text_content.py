"""The content of a text: its sentences with their words, facts and polarity."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from curator.disagreement.equivalence.quantities import (
    CJK_NUMERALS,
    NUMBER_WORDS,
    Quantity,
    read_cjk,
    read_digits,
    read_words,
)
from curator.disagreement.equivalence.word_lists import (
    AUXILIARIES,
    CALENDAR,
    COPULAS,
    FUNCTION_WORDS,
    LIMITS,
    NEGATIONS,
    NO,
    NOUNS_IN_CAPITALS,
    OPPOSITES,
    YES,
)

PREFIX = 5
"""The letters of a word that count, a stemmer for many languages: `refunds` and `refunded` are one word.

McNamee and Mayfield 2004 find 4 to 5 best for European languages. Between 4 and 7 little changes here."""
MOST_SENTENCES = 64
"""The sentences of a text that are kept apart; in longer texts neighbours are joined."""
_CACHED_LENGTH = 20_000
"""Characters up to which the content of a text is cached."""
_CJK = "\u3040-\u30ff\u3400-\u9fff"  # written without blanks: each character is a word
_TOKEN = re.compile(
    rf"[^\W\d_{_CJK}][^\W_{_CJK}]*(?:[.,]\d+)*(?:'[^\W\d_]+)?"
    r"|[,，]|(?<!\b[A-Z])\.(?=[\s\"'”)*\]]|$)|[!?。！？;；:\n]"  # noqa: RUF001 - full-width marks are meant
    r"|(?<![\w])[-−]?(?:\d+(?:[.,:]\d+)*(?:/\d+)?|(?<![\d.])[.,]\d+)[a-zA-Zµ]*"  # noqa: RUF001 - the typographic minus
    rf"|[£$€¥%]|[{CJK_NUMERALS}]+|[{_CJK}]"
)
_BREAKS = frozenset(".!?。！？;；:\n")  # noqa: RUF001 - full-width marks are meant
_PAUSES = frozenset(",，")  # noqa: RUF001 - the full-width comma is meant
_NUMERALS = frozenset(CJK_NUMERALS)
_CONTRACTED = frozenset(("s", "m", "re", "ve", "ll", "d"))
_DIGITS = re.compile(r"[-−.,]?\d|.*\d$")  # noqa: RUF001 - the typographic minus is meant
_NONE: frozenset[str] = frozenset()
_ROMAN = re.compile(r"[IVX]{2,5}|[VX]")
_Kind = Literal[
    "word", "", "break", "opposite", "capital", "negation", "verdict", "digits", "numeral", "cjk", "currency"
]


class Sentence(NamedTuple):
    """One sentence; a tuple, because many are made.

    Attributes:
        words: the keys of its content words, numbers included; never empty.
        facts: those of the words that are numbers, names or words with an opposite.
        quantities: its numbers.
        names: its names in small letters.
        capitals: all its capitalised words in small letters, the first one included.
        negated: it has a negation.
        sides: the bits of `word_lists.OPPOSITES` of its words.
    """

    words: frozenset[str]
    facts: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    names: frozenset[str] = frozenset()
    capitals: frozenset[str] = frozenset()
    negated: bool = False
    sides: int = 0


@dataclass(frozen=True, slots=True)
class TextContent:
    """The content of a text.

    Attributes:
        sentences: its sentences, at least one.
        words: the keys of all its words.
        gives: the keys of all its numbers (`Quantity.gives`).
        capitals: all its capitalised words and names, in small letters.
        verdict: 1 if it says yes or true, -1 if it says no or false, at the beginning of a sentence or after `is`; 0 for
            neither, and if the first and the last verdict differ.
    """

    sentences: tuple[Sentence, ...]
    words: frozenset[str]
    gives: frozenset[str]
    capitals: frozenset[str]
    verdict: int


def text_content(text: str) -> TextContent:
    """Return the content of a text. It is cached unless the text is very long."""
    return _cached(text) if len(text) <= _CACHED_LENGTH else _read(text)


def _read(text: str) -> TextContent:
    tokens = _TOKEN.findall(text.replace("’", "'"))  # noqa: RUF001 - the typographic apostrophe is meant
    reader = _Reader(tokens, nouns_in_capitals=len(NOUNS_IN_CAPITALS.intersection(tokens)) > 1)
    sentences = reader.read() or [Sentence(frozenset(text.casefold().split()) or frozenset((text.strip(),)))]
    if len(sentences) > MOST_SENTENCES:
        sentences = _joined(sentences)
    gives = [quantity.gives for sentence in sentences for quantity in sentence.quantities]
    return TextContent(
        tuple(sentences),
        words=frozenset().union(*[sentence.words for sentence in sentences]),
        gives=frozenset().union(*gives),
        capitals=frozenset().union(*[sentence.capitals for sentence in sentences if sentence.capitals]),
        verdict=reader.verdict(),
    )


_cached = lru_cache(maxsize=2**10)(_read)


def _joined(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Join neighbours, so that at most `MOST_SENTENCES` are left."""
    size = -(-len(sentences) // MOST_SENTENCES)
    parts = [sentences[start : start + size] for start in range(0, len(sentences), size)]
    return [
        Sentence(
            words=frozenset().union(*[s.words for s in part]),
            facts=frozenset().union(*[s.facts for s in part]),
            quantities=tuple(quantity for s in part for quantity in s.quantities),
            names=frozenset().union(*[s.names for s in part]),
            capitals=frozenset().union(*[s.capitals for s in part]),
            negated=any(s.negated for s in part),
        )
        for part in parts
    ]


@lru_cache(maxsize=2**15)
def _classified(token: str) -> tuple[_Kind, str]:
    """Return the kind of a token, and its key: a word in small letters, or its prefix."""
    word = token.casefold()
    kind: _Kind = _SPECIAL.get(word, "")
    head, _, tail = word.partition("'")
    if kind or word in _NOTHING:
        pass
    elif tail == "t" or head == "n":  # isn't, n'est
        kind = "negation"
    elif _DIGITS.match(token):
        kind = "digits"
    elif token[0] in _NUMERALS:
        kind = "cjk"
    elif tail and (tail in _CONTRACTED or len(tail) < len(head)):
        return _classified(token[: len(head)])
    elif tail:  # l'eau
        return _classified(token[-len(tail) :])
    elif token[0].isupper() or word in CALENDAR:
        kind = "capital"
    else:
        return "word", word[:PREFIX]
    return kind, word


_NOTHING = FUNCTION_WORDS | _PAUSES
_SPECIAL: Mapping[str, _Kind] = {
    **dict.fromkeys(OPPOSITES, "opposite"),
    **dict.fromkeys(NUMBER_WORDS, "numeral"),
    **dict.fromkeys(("£", "$", "€", "¥", "gbp", "usd", "eur", "jpy", "cny"), "currency"),
    **dict.fromkeys(NEGATIONS, "negation"),
    **dict.fromkeys(YES | NO, "verdict"),
    **dict.fromkeys(_BREAKS, "break"),
    "一": "word",
}


class _Reader:
    """Reads the tokens of one text in order, sentence by sentence."""

    def __init__(self, tokens: Sequence[str], *, nouns_in_capitals: bool) -> None:
        self._tokens = tokens
        self._nouns_in_capitals = nouns_in_capitals
        self._sentences: list[Sentence] = []
        self._verdicts: list[int] = []
        self._next = 0  # tokens before this one were read as part of a number
        self._begin(0)

    def read(self) -> list[Sentence]:
        """Return the sentences that have content."""
        add = self._words.add
        for place, (kind, key) in enumerate(map(_classified, self._tokens)):
            if kind == "word":
                if place >= self._next:
                    add(key)
            elif kind == "break":
                self._end()
                self._begin(place + 1)
                add = self._words.add
            elif kind and place >= self._next:
                _HANDLERS[kind](self, place, key)
        self._end()
        return self._sentences

    def verdict(self) -> int:
        """Return the verdict of the text; 0 if the first and the last one differ."""
        verdicts = self._verdicts
        return verdicts[0] if verdicts and verdicts[0] == verdicts[-1] else 0

    def _begin(self, place: int) -> None:
        self._first = place
        self._words: set[str] = set()
        self._facts: set[str] = set()
        self._quantities: list[Quantity] = []
        self._names: set[str] = set()
        self._capitals: set[str] = set()
        self._negated = False
        self._sides = 0
        self._currency = ""

    def _end(self) -> None:
        if self._words:
            self._sentences.append(
                Sentence(
                    frozenset(self._words),
                    frozenset(self._facts) if self._facts else _NONE,
                    tuple(self._quantities),
                    frozenset(self._names) if self._names else _NONE,
                    frozenset(self._capitals) if self._capitals else _NONE,
                    self._negated,
                    self._sides,
                )
            )

    def _token(self, place: int) -> str:
        return self._tokens[place] if 0 <= place < len(self._tokens) else ""

    def _following(self, place: int) -> list[str]:
        return [token.casefold() for token in self._tokens[place + 1 : place + 4]]

    def _opposite(self, _: int, word: str) -> None:
        self._words.add(word[:PREFIX])
        self._facts.add(word[:PREFIX])
        self._sides |= OPPOSITES[word]

    def _negation(self, place: int, word: str) -> None:
        following = self._token(place + 1).casefold()
        if word in NO and place == self._first and self._is_pause(following):
            self._say(-1)
        self._negated = self._negated or following not in LIMITS

    def _verdict(self, place: int, word: str) -> None:
        before = self._token(place - 1).casefold()
        opening = place == self._first and self._is_pause(self._token(place + 1))
        denied = before in NEGATIONS or before.endswith("n't")
        closing = place > self._first and (before in COPULAS or denied) and self._closes(place)
        if opening or closing:
            sign = 1 if word in YES else -1
            self._say(-sign if denied and not opening else sign)
        elif word in NEGATIONS:
            self._negation(place, word)
        else:
            self._words.add(word[:PREFIX])
            self._sides |= OPPOSITES.get(word, 0)

    def _say(self, sign: int) -> None:
        self._verdicts.append(sign)
        self._words.add("yes" if sign > 0 else "no")

    @staticmethod
    def _is_pause(token: str) -> bool:
        return not token or token in _BREAKS or token in _PAUSES

    def _closes(self, place: int) -> bool:
        following = self._token(place + 1)
        return self._is_pause(following) or following.casefold() == "that"

    def _capital(self, place: int, word: str) -> None:
        self._capitals.add(word)
        if self._is_name(place, word):
            self._names.add(word)
            self._facts.add(word[:PREFIX])
        self._words.add(word[:PREFIX])
        if _ROMAN.fullmatch(self._tokens[place]) and self._token(place - 1)[:1].isupper():
            self._count(Quantity.of(Fraction(_roman(self._tokens[place])), ""))  # Henry VIII

    def _is_name(self, place: int, word: str) -> bool:
        """Return True if a word is written like a name.

        The first word of a sentence is capitalised anyway, so there the next word must show that it is a name.
        """
        if word in CALENDAR:
            return True
        if self._nouns_in_capitals:
            return False
        if place > self._first:
            return True
        following = self._token(place + 1)
        alone = place == 0 and not self._token(place + 2) and self._is_pause(following)
        return alone or following[:1].isupper() or following in AUXILIARIES

    def _count(self, quantity: Quantity) -> None:
        self._quantities.append(quantity)
        self._words.update(quantity.words)
        self._facts.update(quantity.words)

    def _digits(self, place: int, word: str) -> None:
        result = read_digits(self._tokens[place], self._following(place), self._currency)
        self._currency = ""
        if result is None:  # a version or a code counts as a name
            self._names.add(word)
            self._capitals.add(word)
            self._words.add(word)
            self._facts.add(word)
        else:
            self._count(result[0])
            self._next = place + 1 + result[1]

    def _numeral(self, place: int, word: str) -> None:
        result = read_words([word, *self._following(place)])
        if result is not None:
            self._count(result[0])
            self._next = place + result[1]

    def _cjk(self, place: int, numerals: str) -> None:
        self._count(read_cjk(numerals, self._token(place + 1)))

    def _before_number(self, place: int, currency: str) -> None:
        if self._token(place + 1)[:1].isdecimal():
            self._currency = currency


_HANDLERS: Mapping[_Kind, Callable[[_Reader, int, str], None]] = {
    "opposite": _Reader._opposite,
    "capital": _Reader._capital,
    "negation": _Reader._negation,
    "verdict": _Reader._verdict,
    "digits": _Reader._digits,
    "numeral": _Reader._numeral,
    "cjk": _Reader._cjk,
    "currency": _Reader._before_number,
}


def _roman(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in numeral]
    return sum(-value if value < max(values[i:]) else value for i, value in enumerate(values))
