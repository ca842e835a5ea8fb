"""The comparison of two inputs for near-duplication: shingles, and decisive tokens."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from curator.records import Case
from curator.text.slots import SlotTemplates, marked, slot_templates

SIZE = 4
"""Characters per shingle."""

_SHARED_BY_CASES = 20
_SHARED_BY_PART = 0.05
_GREETING_WORDS = 3
_ADDED_WORDS = 2
_TYPO_RATIO = 0.75

_SENTENCE_END = re.compile(r"[\r\n]+|(?<=[.!?:])\s+")
_TOKEN = re.compile(r"\w+|[+*/=<>%^$€£¥]|(?<=\s)-(?=\s)")
_IDENTIFIER = re.compile(r"\d{4,}")
_COURTESY_BEFORE = re.compile(
    r"^(?:(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|all|team|everyone))?"
    r"|please) "
)
_COURTESY_AFTER = re.compile(
    r" (?:please|pls|cheers|(?:(?:kind|best|warm) )?regards"
    r"|(?:many )?(?:thanks|thx|thank you)(?: (?:in advance|a lot|so much|very much|again))?)$"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_OPERATOR = re.compile(r"[+*/=<>%^$€£¥]|(?<=\s)-(?=\s)|(?<![^\s(])-(?=\d)")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nor|without|cannot|(?:ai|ca|could|did|does|do|had|has|have|is|are|should|was|were|wo|would)"
    r"n['\u2019]?t)\b"
)


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text without its template, and the template: shared sentences of more than three words."""

    text: str
    template: str


def turns_text(case: Case) -> str:
    """All turns of the case with their tool calls, line by line, without the system prompt."""
    parts: list[str] = []
    for message in case.messages:
        if message.role != "system":
            parts.append(message.content)
            parts.extend(f"{call.name} {call.arguments}" for call in message.tool_calls)
    return "\n".join(parts)


def split_templates(texts: Sequence[str], *, templates: Collection[str] = ()) -> list[SplitText]:
    """Split each text from the sentences that many texts share word for word.

    Such sentences are instructions, examples and greetings. With them, all inputs with one long template would be
    near-duplicates. A sentence is shared if 20 texts and 5% of all have it, or if it is one of `templates`. A text that has
    only shared sentences stays whole. Of a sentence that is shared but for its values (`slots`) the values are left.
    """
    shared = shared_sentences(texts).union(templates)
    slots = _slot_templates(shared)
    return [_split_text(text, shared, slots) for text in texts]


def shared_sentences(texts: Sequence[str]) -> frozenset[str]:
    """The sentences that 20 texts and 5% of all have, word for word or but for their values."""
    sentences = [list(_sentences(text)) for text in texts]
    seen: Counter[int] = Counter()
    for of_text in sentences:
        seen.update({hash(sentence) for sentence in of_text})
    least = max(_SHARED_BY_CASES, _SHARED_BY_PART * len(texts))
    shared = {sentence for sentence, count in seen.items() if count >= least}
    others = [[sentence for sentence in of_text if hash(sentence) not in shared] for of_text in sentences]
    alike = frozenset(sentence for of_text in sentences for sentence in of_text if hash(sentence) in shared)
    return alike | slot_templates(others, least=least)


def without_sentences(text: str, sentences: frozenset[str]) -> str:
    """The text without these sentences; the whole text if it has no others."""
    return _split_text(text, sentences, _slot_templates(sentences)).text


@lru_cache(maxsize=8)
def _slot_templates(shared: frozenset[str]) -> SlotTemplates:
    return SlotTemplates(shared)


def _split_text(text: str, shared: Collection[str], slots: SlotTemplates) -> SplitText:
    if not shared:
        return SplitText(text, "")
    others: list[str] = []
    template: list[str] = []
    for sentence in _sentences(text):
        if sentence in shared:
            template.append(sentence)
        elif slots and (parts := slots.match(sentence)) is not None:
            template.append(parts.template)
            others.append(marked(parts))
        else:
            others.append(sentence)
    long_ones = (sentence for sentence in template if len(sentence.split()) > _GREETING_WORDS)
    return SplitText(" ".join(others) or text, " ".join(long_ones))


def _sentences(text: str) -> Iterator[str]:
    """The lines and sentences of a text, with single blanks; a colon ends one as well."""
    return (" ".join(part.split()) for part in _SENTENCE_END.split(text))


def normalise(text: str) -> str:
    """The compared form of a text: lower case, without punctuation, courtesies and long numbers.

    Numbers of four digits and more identify orders, tickets or accounts and do not change the question: they become 0.
    Operators and currency signs stay. A text of punctuation only stays as it is.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = " ".join(_TOKEN.findall(f" {folded} ")) or " ".join(folded.split())
    return _IDENTIFIER.sub("0", _without_courtesies(words))


def _without_courtesies(words: str) -> str:
    before = ""
    while before != words:
        before = words
        words = _COURTESY_AFTER.sub("", _COURTESY_BEFORE.sub("", words))
    return words


def shingles(normalised: str) -> frozenset[str]:
    """The text's character 4-grams, with a blank at each end; a shorter text is one shingle.

    4-grams were chosen on the 3,080 short questions of BANKING77, whose neighbours are reworded and must not be merged, and
    on variants of them. At the threshold that lets 20 reworded pairs pass, one typo is recognised in 45% of the questions
    (word 1-2-grams: 11%, 3-grams: 49%, 4-5-grams: 35%); at a Jaccard similarity of 0.7 in 94% (words: 53%). 3-grams do not
    separate the two better, and long texts share many of them by chance.
    """
    padded = f" {normalised} "
    return frozenset(padded[i : i + SIZE] for i in range(max(1, len(padded) - SIZE + 1)))


def same_but_for_typos(a: str, b: str) -> bool:
    """True where two normalised texts differ only in typos or in up to two added words.

    Only the words between their common beginning and end are compared. A long template makes any two texts similar; this
    test compares the part that differs.
    """
    x, y = a.split(), b.split()
    start = next((i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), min(len(x), len(y)))
    x, y = x[start:], y[start:]
    rest = zip(reversed(x), reversed(y), strict=False)
    end = next((i for i, (p, q) in enumerate(rest) if p != q), min(len(x), len(y)))
    x, y = x[: len(x) - end], y[: len(y) - end]
    if not x or not y:
        return max(len(x), len(y)) <= _ADDED_WORDS
    return SequenceMatcher(None, " ".join(x), " ".join(y), autojunk=False).ratio() >= _TYPO_RATIO


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """The Jaccard similarity of two sets of shingles, 0..1."""
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def decisive_tokens(text: str) -> tuple[str, ...]:
    """The tokens that change a text's meaning but few shingles: numbers, operators, negations.

    The result is a sorted multiset. Every negation counts as "not", as the different forms mean the same.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    negations = ["not"] * len(_NEGATION.findall(folded))
    return tuple(sorted([*_NUMBER.findall(folded), *_OPERATOR.findall(f" {folded} "), *negations]))
