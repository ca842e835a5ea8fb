"""Names of categories that a model wrote: the refused ones, and the choice among samples.

The model has read logs, and a text in them may have steered it. A name is only taken if it is short, plain text, says
nothing that a single case says, and has a word of the evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curator.text.words import content_words, names_in

NAME_LIMIT = 60
"""Characters of a name: the report shows it as a title on one line of a phone."""
SENTENCE_LIMIT = 160
"""Characters of a sentence: two lines of the report."""
Refusal = Literal[
    "no reply",
    "not a reply of the form",
    "too long",
    "figures or mark-up",
    "a word that only one case has, or a name",
    "no word of the evidence",
    "the name of another category",
]

_SIGNS = frozenset(" _'\u2019\u2010\u2011\u2012\u2013\u2014.,;:!?()/\"\u201c\u201d\u201e&+=-")
_ADDRESS = re.compile(r"www\.|://|\w\.\w{2,}/", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_TEMPLATE_WORDS = frozenset(
    content_words(
        "another other answer answers call calls give gives value expected instead production committee label"
    )
)
"""Stems of words in the names of templates, which tell no category from others."""
_QUOTES = "\"'`\u201c\u201d\u201e "


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A name and a sentence that a model wrote for a category."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that a category's name may and must have.

    Attributes:
        telling: the stems of the words of its facts that tell it from most others; name and sentence need one of them.
        private: words of the cases that a name must not have, in lower case.
    """

    telling: frozenset[str]
    private: frozenset[str]


def gather_evidence(
    facts: Mapping[str, Iterable[str]], texts: Sequence[str], vocabulary: Iterable[str]
) -> dict[str, Evidence]:
    """Return the evidence on each category, by its id.

    A word of the facts does not tell a category if most categories have it in their facts. A word of the cases is private
    if only one case has it, or if it is written with a capital inside of sentences and never without one, as names are;
    words of the facts and of the vocabulary are never private.

    Args:
        facts: the texts that were counted for a category: what differs, its two sides, the words of its topic.
        texts: of all cases.
        vocabulary: texts whose words any name may have, such as the prompt.
    """
    words = {category: _stems(" ".join(of_one)) for category, of_one in facts.items()}
    shared = Counter(stem for of_one in words.values() for stem in of_one)
    common = {stem for stem, count in shared.items() if len(words) > 2 and count > len(words) / 2}
    private = _private_words(texts) - _words(" ".join(vocabulary))
    return {
        category: Evidence(
            frozenset(of_one - common - _TEMPLATE_WORDS),
            frozenset(word for word in private if not _stems(word) <= of_one),
        )
        for category, of_one in words.items()
    }


def clamp(name: str, sentence: str, evidence: Evidence) -> WrittenName | Refusal:
    """Return the name on one line without quotes and a full stop, or why it is refused."""
    name = " ".join(name.split()).strip(_QUOTES).rstrip(".").strip(_QUOTES)
    sentence = " ".join(sentence.split()).strip(_QUOTES)
    if not name or not sentence:
        return "not a reply of the form"
    if len(name) > NAME_LIMIT or len(sentence) > SENTENCE_LIMIT:
        return "too long"
    both = f"{name}\n{sentence}"
    if not all(_is_plain(character) for character in name + sentence) or _ADDRESS.search(both):
        return "figures or mark-up"
    if evidence.private & _words(both):
        return "a word that only one case has, or a name"
    if not all(evidence.telling & _stems(text) for text in (name, sentence)):
        return "no word of the evidence"
    return WrittenName(name[0].upper() + name[1:], sentence[0].upper() + sentence[1:])


def choose(samples: Sequence[WrittenName | Refusal]) -> WrittenName | Refusal:
    """Return the usable sample that is nearest to the others by its words; the first of equals.

    More than half of the samples must be usable: a text that steers a model rarely steers it every time.
    """
    usable = [sample for sample in samples if isinstance(sample, WrittenName)]
    if 2 * len(usable) <= len(samples):
        refusals = Counter(sample for sample in samples if not isinstance(sample, WrittenName))
        return min(refusals, key=lambda reason: (-refusals[reason], reason))
    words = [_stems(f"{sample.name} {sample.sentence}") for sample in usable]
    nearness = [sum(_jaccard(left, right) for right in words) for left in words]
    return usable[nearness.index(max(nearness))]


def distinct(chosen: Mapping[str, WrittenName | Refusal], names: Mapping[str, str]) -> dict[str, WrittenName | Refusal]:
    """Refuse names that do not tell categories apart.

    Args:
        chosen: by the id of the category.
        names: those that the categories have now, of all categories.
    """
    written = {i: result.name.casefold() for i, result in chosen.items() if isinstance(result, WrittenName)}
    others = {i: name.casefold() for i, name in names.items()}
    counts = Counter(written.values())

    def is_taken(category: str, name: str) -> bool:
        return counts[name] > 1 or any(other == name for i, other in others.items() if i != category)

    return {
        i: "the name of another category" if i in written and is_taken(i, written[i]) else result
        for i, result in chosen.items()
    }


def _private_words(texts: Sequence[str]) -> set[str]:
    counts = Counter(word for text in texts for word in _words(text))
    names = {name for text in texts for name in names_in(text)}
    lower = {word for text in texts for word in _WORD.findall(text) if word.islower()}
    return (names - lower) | {word for word, count in counts.items() if count == 1 and len(texts) > 1}


def _is_plain(character: str) -> bool:
    """Return whether a character is a letter with its marks, or a sign of plain text."""
    return character.isalpha() or character in _SIGNS or unicodedata.category(character).startswith("M")


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _stems(text: str) -> set[str]:
    return set(content_words(text))


def _jaccard(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right) if left | right else 1.0
