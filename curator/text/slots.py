"""Templates with slots: sentences that many texts share but for a value, as a date or name.

Requests that one program fills in ("the mean total of all sales on 2025-01-01") differ in nothing but their values. By their wording
they would all be near-duplicates, though each asks something else. Here the wording that they share is found, so that the
values alone are compared.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

SLOT = "\u27e8\u27e9"
"""The place of values in a template: numbers, dates, quoted texts and names."""
OPEN_SLOT = "\u27e8*\u27e9"
"""The place of any other words; a template has at most one."""
WITH_IDENTIFIERS = "\u27e8#\u27e9"
"""The end of a template in which identifiers are values as well."""

_VALUE_PART = re.compile(r"[\"\u201c\u00ab][^\"\u201d\u00bb]{1,80}[\"\u201d\u00bb]|\S+")
_NO_NAMES = frozenset(("I", "I'm", "I'd", "I've", "I'll", "I\u2019m", "I\u2019d", "I\u2019ve", "I\u2019ll"))
_PUNCTUATION = ".,;:!?()[]\"'\u201c\u201d\u00ab\u00bb-"
_TOKEN = re.compile(r"\w+")
_IDENTIFIER = re.compile(r"\b(?!(?:19|20)\d{2}(?:\d{4})?\b)\d{4,}\b")
"""A number of four digits or more that is neither a year nor a date: it names an order or a ticket."""
_LEAST_WORDS, _OPEN_WORDS = 4, 7
"""Words of a template beside its slots; words of a sentence with an open slot, since the wording of shorter ones does not make
near-duplicates."""
_LONGEST_OPEN, _LONGEST_SENTENCE = 3, 40
_EDGE = 4
_NEAR, _MOST_NEAR = 0.8, 64
"""The share of words from which on a sentence counts as one of a template; the templates that are compared."""
_SEARCHED_TEXTS = 5_000
"""Texts in which open slots are searched for, evenly spread: a template that 5% have is in 250 of them."""
_DOMINANT, _FEWEST = 0.5, 8
"""The share and the number of texts from which on a template is one even in a small log, and also where it differs in
identifiers only: they are all that such traffic asks about, and without them it would be one group, with nothing left to train
on or to evaluate by."""
_MARKED = re.compile("\u27e6[^\u27e7]*\u27e7")
_DIGEST = re.compile(r" [a-z]{24}\u27e7")


@dataclass(frozen=True, slots=True)
class Filled:
    """A sentence as a template and its values; `key` is the form in which they are compared."""

    template: str
    values: str
    key: str


def filled(sentence: str) -> Filled | None:
    """Return the sentence with its values as slots; None without values or without other words."""
    words, values = _skeleton(sentence)
    if not values or sum(word != SLOT for word in words) < _LEAST_WORDS:
        return None
    text = " ".join(values)
    return Filled(" ".join(words), text, _compared(text))


def slot_templates(texts: Sequence[Sequence[str]], *, least: float) -> frozenset[str]:
    """Return the templates with slots that at least so many texts have, each with other values.

    Args:
        texts: the sentences of each text.
        least: the number of texts, and of different values; fewer will do if they are half of the texts.
    """
    values: dict[str, set[str]] = {}
    keys: dict[str, set[str]] = {}
    for sentences in texts:
        for sentence in sentences:
            if (parts := filled(sentence)) is not None:
                values.setdefault(parts.template, set()).add(parts.values)
                keys.setdefault(parts.template, set()).add(parts.key)
    dominant = max(_FEWEST, _DOMINANT * len(texts))
    templates = {template for template, different in keys.items() if len(different) >= min(least, dominant)}
    by_identifiers = {t for t, different in values.items() if t not in templates and len(different) >= dominant}
    open_ones = _open_templates(texts, templates | by_identifiers, least=least)
    return open_ones.union(templates, (template + WITH_IDENTIFIERS for template in by_identifiers))


class SlotTemplates:
    """Takes sentences apart by the templates with slots among some shared sentences."""

    def __init__(self, shared: Collection[str]) -> None:
        slots = (SLOT, OPEN_SLOT)
        self._templates = frozenset(sentence for sentence in shared if any(slot in sentence for slot in slots))
        self._has_open = any(OPEN_SLOT in template for template in self._templates)
        closed = sorted(t for t in self._templates if OPEN_SLOT not in t)[:_MOST_NEAR]
        self._words = [(t, frozenset(t.removesuffix(WITH_IDENTIFIERS).split())) for t in closed]

    def __bool__(self) -> bool:
        return bool(self._templates)

    def match(self, sentence: str) -> Filled | None:
        """Return the sentence as its template and values; None without a template.

        A sentence that has nearly the words of a template counts as one of it, so that it stays with its near-duplicates.
        """
        parts = filled(sentence)
        if parts is not None and (template := self._template_of(parts.template)) is not None:
            exact = template.endswith(WITH_IDENTIFIERS)
            return replace(
                parts, template=template, key=" ".join(parts.values.casefold().split()) if exact else parts.key
            )
        if self._has_open:
            words, _ = _skeleton(sentence)
            for template, values in _with_open_slot(words, sentence):
                if template in self._templates:
                    return Filled(template, values, _compared(values))
        return None

    def _template_of(self, template: str) -> str | None:
        for name in (template, template + WITH_IDENTIFIERS):
            if name in self._templates:
                return name
        words = frozenset(template.split())
        near = (name for name, others in self._words if len(words & others) >= _NEAR * max(len(words), len(others)))
        return next(near, None)


def marked(parts: Filled) -> str:
    """Return the values as a text that is near-duplicate to the same values only, however short."""
    digest = hashlib.blake2b(parts.key.encode(errors="replace"), digest_size=12).hexdigest()
    letters = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    return f"\u27e6{parts.values} {letters}\u27e7"


def has_own_words(text: str) -> bool:
    """Return whether a text has words beside the values of a template."""
    return any(map(str.isalnum, _MARKED.sub("", text)))


def readable_values(text: str) -> str:
    """Return a text with the values of templates as they were written."""
    return _DIGEST.sub("", text).replace("\u27e6", "")


def _skeleton(sentence: str) -> tuple[list[str], list[str]]:
    """The folded words of a sentence with each run of values as one slot, and the values."""
    words: list[str] = []
    values: list[str] = []
    for place, word in enumerate(_VALUE_PART.findall(sentence)):
        if not _is_value(word, first=place == 0):
            if folded := word.casefold().strip(_PUNCTUATION):
                words.append(folded)
            continue
        values.append(word)
        if not words or words[-1] != SLOT:
            words.append(SLOT)
    return words, values


def _is_value(word: str, *, first: bool) -> bool:
    """Return whether a word is a number, quoted, an address or, inside a sentence, a name."""
    if any(map(str.isdigit, word)) or "@" in word or "://" in word or (len(word) > 2 and word[0] in '"\u201c\u00ab'):
        return True
    bare = word.lstrip("([")
    return not first and bare[:1].isupper() and bare.rstrip(".,;:!?)]") not in _NO_NAMES


def _compared(values: str) -> str:
    """The form in which values are compared: folded, with one number for all identifiers."""
    folded = unicodedata.normalize("NFKC", values).casefold()
    return " ".join(_TOKEN.findall(_IDENTIFIER.sub("0", folded)))


def _open_templates(texts: Sequence[Sequence[str]], closed: Collection[str], *, least: float) -> frozenset[str]:
    """The templates with an open slot among a spread of the texts, each with the smallest slot."""
    step = max(1, len(texts) // _SEARCHED_TEXTS)
    searched = texts[::step]
    least /= step
    sentences = [_skeleton(sentence)[0] for sentences in searched for sentence in set(sentences)]
    candidates = [
        words for words in sentences if _OPEN_WORDS <= len(words) <= _LONGEST_SENTENCE and " ".join(words) not in closed
    ]
    edges: Counter[tuple[bool, tuple[str, ...]]] = Counter(edge for words in candidates for edge in _edges(words))
    values: dict[int, set[int]] = {}
    common = [words for words in candidates if any(edges[edge] >= least for edge in _edges(words))]
    for words in common:
        for template, filling in _with_open_slot(words, ""):
            values.setdefault(hash(template), set()).add(hash(filling.casefold()))
    templates = set()
    for words in common:
        for template, _ in _with_open_slot(words, ""):
            if len(values[hash(template)]) >= max(least, 2):
                templates.add(template)
                break
    return frozenset(templates)


def _edges(words: Sequence[str]) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """The beginning and the end of a sentence, of which a slot leaves one whole."""
    size = min(_EDGE, (len(words) - _LONGEST_OPEN) // 2)
    yield True, tuple(words[:size])
    yield False, tuple(words[-size:])


def _with_open_slot(words: Sequence[str], sentence: str) -> Iterator[tuple[str, str]]:
    """Yield the sentence with each few words as the open slot, the fewest first; and its values."""
    if not _OPEN_WORDS <= len(words) <= _LONGEST_SENTENCE:
        return
    values = " ".join(_skeleton(sentence)[1])
    for size in range(1, _LONGEST_OPEN + 1):
        for start in range(len(words) - size + 1):
            rest = [*words[:start], OPEN_SLOT, *words[start + size :]]
            yield " ".join(rest), f"{' '.join(words[start : start + size])} {values}".strip()
