"""The redactor: finds what is sensitive in a text, a JSON value or a case, and replaces it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Generic, TypeVar

from curator.config.redaction import PersonalKind, RedactionConfig
from curator.records import Case, JsonValue
from curator.redaction.case_texts import redacted_case, texts_of
from curator.redaction.change import Change
from curator.redaction.contact import birth_dates, mails, postal_addresses
from curator.redaction.decoded import decoded, encoded_like, may_hold_escapes
from curator.redaction.json_values import dumped, is_json, redacted_json_text, redacted_value
from curator.redaction.keys import keys
from curator.redaction.named import named_secrets
from curator.redaction.names import load_recogniser, names
from curator.redaction.nested import encoded_texts
from curator.redaction.numbers import addresses_of_machines, cards, ibans, phones
from curator.redaction.pseudonyms import SECRET_MARK, pseudonym, secret_mark
from curator.redaction.scan import Scan
from curator.redaction.spans import Span, without_overlaps

T = TypeVar("T")
_Rule = Callable[[Scan], Iterator[Span]]
_SECRETS: tuple[_Rule, ...] = (keys, named_secrets, cards)
_PERSONAL: Mapping[PersonalKind, _Rule] = {
    "mail": mails, "phone": phones, "iban": ibans, "address": postal_addresses, "ip": addresses_of_machines,
    "birth_date": birth_dates,
}  # fmt: skip
_DEPTH = 3
"""So many times a text may be encoded in base64 or hex within another."""


@dataclass(frozen=True, slots=True)
class Redacted(Generic[T]):
    """A value without what is sensitive.

    Attributes:
        value: of the same type and form.
        counts: the number of replacements by kind.
        originals: the personal data by its pseudonym; never a secret or a card.
    """

    value: T
    counts: Mapping[str, int]
    originals: Mapping[str, str]


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    originals: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces secrets, and the kinds of personal data that the config names; it can be pickled.

    Attributes:
        config: the section `redaction` of the config.
        key: the secret that pseudonyms are made with.
        pseudonyms: pseudonyms of earlier calls, which stay as they are. Texts that people wrote after they saw redacted cases
            hold them.
    """

    config: RedactionConfig
    key: bytes = field(repr=False)
    pseudonyms: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        """Load what finds names of people.

        Raises:
            ConfigError: it cannot be loaded.
            MissingDependency: it is not installed.
        """
        if self.config.names is not None:
            load_recogniser(self.config.names)

    def secrets_only(self) -> Redactor:
        """Return a redactor that leaves personal data."""
        return replace(self, config=self.config.model_copy(update={"personal": (), "names": None}))

    def text(self, text: str) -> str:
        """Return the text without what is sensitive."""
        return self._text(text, _Tally())

    def redacted_text(self, text: str) -> Redacted[str]:
        """Return the same with counts and originals."""
        tally = _Tally()
        return _result(self._text(text, tally), tally)

    def value(self, value: JsonValue) -> Redacted[JsonValue]:
        """Redact a JSON value with its keys; the name of a key says of its value what it may be."""
        if not self._finds(dumped(value)):
            return Redacted(value, {}, {})
        tally = _Tally()
        return _result(redacted_value(value, self._change(tally)), tally)

    def case(self, case: Case) -> Redacted[Case]:
        """Redact every text of a case; its id is made anew if its messages change."""
        if not self._finds(texts_of(case)):
            return Redacted(case, {}, {})
        tally = _Tally()
        return _result(redacted_case(case, self._change(tally)), tally)

    def _change(self, tally: _Tally) -> Change:
        return Change(
            text=lambda text: self._text(text, tally), named=lambda name, text: self._named(name, text, tally)
        )

    def _finds(self, text: str) -> bool:
        """Return whether a text may hold something; names are looked for in each text alone."""
        return self.config.names is not None or bool(self._spans(text, 0))

    def _text(self, text: str, tally: _Tally, depth: int = 0) -> str:
        spans = self._spans(text, depth)
        if not spans:
            return text
        attempt = _Tally()
        changed = self._replaced(text, spans, attempt, depth)
        if text.lstrip()[:1] in ("{", "[") and not is_json(changed) and is_json(text):
            attempt = _Tally()
            changed = redacted_json_text(text, self._change(attempt))
        tally.counts.update(attempt.counts)
        tally.originals.update(attempt.originals)
        return changed

    def _named(self, name: str, text: str, tally: _Tally) -> str:
        """The text of a JSON value, whose key is a word before it."""
        quote = next((q for q in "\"'`" if q not in text), '"')
        before = f"{quote}{name}{quote}: {quote}"
        end = len(before) + len(text)
        spans = [
            span._replace(start=span.start - len(before), end=min(span.end, end) - len(before))
            for span in self._spans(f"{before}{text}{quote}", 0)
            if len(before) <= span.start < end
        ]
        spans = without_overlaps([*spans, *self._spans(text, 0)])
        return self._replaced(text, spans, tally, 0) if spans else text

    def _replaced(self, text: str, spans: list[Span], tally: _Tally, depth: int) -> str:
        parts: list[str] = []
        last = 0
        for span in spans:
            original = text[span.start : span.end]
            parts += (text[last : span.start], self._replacement(span, original, tally, depth))
            last = span.end
        return "".join([*parts, text[last:]])

    def _replacement(self, span: Span, original: str, tally: _Tally, depth: int) -> str:
        if span.replacement is not None:
            encoded = next(encoded_texts(original))
            return encoded.with_text(self._text(encoded.text, tally, depth + 1))
        view = decoded(original)
        plain = original if view is None else view.text
        tally.counts[span.kind] += 1
        if span.kind == "card":
            return encoded_like(pseudonym("card", plain, self.key), original)
        if span.secret:
            return secret_mark(span.kind, plain, self.key)
        name = pseudonym(span.kind, plain, self.key)
        tally.originals[name] = plain
        if span.kind == "name":  # people write of the first or of the last name alone
            words = zip(name.split(), plain.split(), strict=True)
            tally.originals.update((other, word) for other, word in words if other != word)
        replacement = encoded_like(name, original)
        if replacement != name:
            tally.originals[replacement] = encoded_like(plain, original)
        return replacement

    def _spans(self, text: str, depth: int) -> list[Span]:
        """The sensitive spans of a text, in order and without overlaps."""
        scan = Scan(text)
        spans = [*self._found(scan)]
        if depth < _DEPTH:
            spans += self._encoded(scan, depth)
        if may_hold_escapes(text) and (view := decoded(text)) is not None:
            inner = Scan(view.text)
            found_inside = [*self._found(inner), *(self._encoded(inner, depth) if depth < _DEPTH else ())]
            spans += [
                span._replace(start=start, end=end)
                for span in found_inside
                for start, end in (view.original_span(span.start, span.end),)
                if span.replacement is None or text[start:end] == view.text[span.start : span.end]
            ]
        if spans:
            marks = [mark.span() for mark in SECRET_MARK.finditer(text)]
            spans = [s for s in spans if not self._stays(text[s.start : s.end]) and not _overlaps(s, marks)]
        return without_overlaps(spans) if len(spans) > 1 else spans

    def _found(self, scan: Scan) -> Iterator[Span]:
        for rule in _SECRETS:
            yield from rule(scan)
        for kind in self.config.personal:
            yield from _PERSONAL[kind](scan)
        if self.config.names is not None:
            yield from names(scan.text, self.config.names)

    def _encoded(self, scan: Scan, depth: int) -> Iterator[Span]:
        for start, end in scan.long_words:
            for encoded in encoded_texts(scan.text[start:end]):
                if self._spans(encoded.text, depth + 1):
                    begin = start + encoded.start
                    yield Span(begin, begin + len(encoded.original), "encoded", replacement="")

    def _stays(self, text: str) -> bool:
        return text in self.pseudonyms or any(pattern.fullmatch(text) for pattern in _patterns(self.config.allow))


def _overlaps(span: Span, places: list[tuple[int, int]]) -> bool:
    return any(start < span.end and span.start < end for start, end in places)


@lru_cache(maxsize=8)
def _patterns(allow: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, allow))


def _result(value: T, tally: _Tally) -> Redacted[T]:
    return Redacted(value, dict(tally.counts), dict(tally.originals))
