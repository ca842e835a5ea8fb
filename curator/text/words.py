"""Words of a text that carry meaning, without numbers, ids and function words."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FUNCTION_WORDS = """
a about above after again against all also am an and any are aren't as at be because been before being below between
both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either else ever
few for from further get gets getting give given go going got had hadn't has hasn't have haven't having he he'd
he'll her here hers herself him himself his how however i i'd i'll i'm i've if in into is isn't it it'd it'll its
itself just let let's like ll made make makes many may me might mine more most much must mustn't my myself neither
no nor not now of off on once one only onto or other others ought our ours ourselves out over own per quite rather
re really same shall shan't she she'd she'll should shouldn't since so some someone something still such
than that the their theirs them themselves then there there're these they they'd they'll they're they've thing
things this those though through thus to too under until up upon us use used using ve very via was wasn't we we'd
we'll we're we've well were weren't what whatever when where whether which while who who'd who'll whom whose why
will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
"""

STOP_WORDS = frozenset(_FUNCTION_WORDS.split()) | {"some" + "body"}
"""English function words, which do not say what a text is about."""
STEM = 6
"""Letters of a word that count when words are compared: `refunds` and `refunded` are one word."""
_SHORTEST = 3
_LONGEST = 30
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<![^\s@])[^\s@]+@[^\s@]+\.\w+")
"""Linear in the length of the text, also without blanks."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
"""Has no blanks between words: it is split into pairs of characters."""
_NUMERIC = re.compile(r"\d")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters, without addresses and the possessive `'s`."""
    for match in _WORD.finditer(_ADDRESS.sub(" ", text).lower().replace("\u2019", "'")):
        word = match.group().removesuffix("'s")
        if _CJK.fullmatch(word):
            yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
        else:
            yield word


def carries_meaning(word: str) -> bool:
    """Return True unless a word is a function word, holds a digit, or is very short or long."""
    least = 2 if _CJK.match(word) else _SHORTEST
    return least <= len(word) <= _LONGEST and word not in STOP_WORDS and not _NUMERIC.search(word)


def stem(word: str) -> str:
    """Return the first letters of a word, in which its inflections agree."""
    return word[:STEM]


def content_words(text: str) -> dict[str, str]:
    """Return the words of a text that carry meaning, by stem: the shortest form of each."""
    words: dict[str, str] = {}
    for word in words_of(text):
        if carries_meaning(word):
            key = stem(word)
            words[key] = min(words.get(key, word), word, key=lambda w: (len(w), w))
    return words


_CAPITAL = re.compile(r"(?<=[a-z,;] )([A-Z][a-z\u00e0-\u024f]+)\b")


def names_in(text: str) -> set[str]:
    """Return the words, in small letters, that are written with a capital inside a sentence."""
    return {match[1].lower() for match in _CAPITAL.finditer(text)}
