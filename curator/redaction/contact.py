"""Addresses of people: mail and post, and dates of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.redaction.scan import Scan
from curator.redaction.spans import Span

_LOCAL = re.compile(r"[\w.+%'&=!#$*~-]{1,64}$")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_AT = re.compile(r"@|\uff20|[ ]?[\[({](?:at|AT|\u00e4t)[\])}][ ]?")
_WORD = r"[A-Z\u00c0-\u00de][\w'\u2019.-]*"
_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Terrace|Ter|Square|Sq|Highway|Hwy|Parkway|Pkwy"
    r"|Circle|Cir|Crescent|Close|Gardens|Grove|Mews|Row|Trail|Alley|Walk|Hill)\b\.?"
)
_UNIT = r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|\#)\.?\s?[\w-]{1,6})?"
_CODE = r"[A-Z]{2}\s\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]{2,3}\s\d{4}|(?:[A-Z]{2}\s)?[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{5}(?:-\d{4})?"
_TOWN = rf"(?:,?\s{_WORD}(?:\s{_WORD}){{0,2}},?\s(?:{_CODE}))?"
_CODE_AND_TOWN = rf"(?:,?\s(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:\s[A-Z]{{2}})?\s{_WORD}(?:[ -]{_WORD}){{0,2}})?"
# Layouts that begin with the number of the house.
_NUMBER_FIRST = re.compile(
    rf"""(?x) \d{{1,5}}[A-Za-z]?(?:-\d{{1,5}})?\s (?:[NSEW]\.?\s|North\s|South\s|East\s|West\s)? (?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,3}}
      {_STREET} (?:\s[NSEW]{{1,2}}\b)? {_UNIT} {_TOWN}
    | \d{{1,4}}(?:\s(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|chemin|all\u00e9e|impasse|quai|route)\s (?:(?:de\sla|du|des|de|la|le|les)\s|l'|d')?
      {_WORD}(?:[ -](?:(?:de|du|des|la|le)[ -])?{_WORD}){{0,3}} {_CODE_AND_TOWN} """
)
# Layouts that end with it: what stands before the number, and what may follow.
_STREET_BEFORE = re.compile(
    rf"""(?x) (?: \bP\.?\s?O\.?\sBox\s
    | (?:\b{_WORD}[ -]){{0,3}} (?: \b[A-Z\u00c0-\u00de][\w\u00c0-\u024f.-]*(?:stra(?:\u00df|ss)e|str\.|platz|gasse|allee|weg|damm|ufer|straat|laan|plein|gracht|kade|gatan|v\u00e4gen|veien)
      | (?<=[ -])(?:Stra(?:\u00df|ss)e|Str\.|Platz|Gasse|Allee|Weg|Damm|Ufer|Ring) ) \s
    | \b(?:Calle|Avenida|Avda\.|Plaza|Paseo|Via|Viale|Piazza|Corso|Largo|Rua|Pra\u00e7a|Ulica|ul\.)\s (?:(?:de|del|la|las|los|di|della|dei|da|do|dos)\s){{0,2}}
      {_WORD}(?:\s(?:(?:de|del|di|da)\s)?{_WORD}){{0,3}},?\s(?:n[\u00ba\u00b0.]\s?)? ) $"""
)
_NUMBER_LAST = re.compile(
    rf"\d{{1,5}}(?:\s?[a-zA-Z](?!\w))?(?:\s?[-/]\s?\d{{1,4}}[a-zA-Z]?)?(?:{_CODE_AND_TOWN}|{_TOWN})(?!\w)"
)
_ENDINGS = (
    "stra\u00dfe", "strasse", "str.", "platz", "gasse", "allee", "weg", "damm", "ufer", "ring", "straat", "laan", "plein", "gracht", "kade",
    "gatan", "v\u00e4gen", "veien", "box",
)  # fmt: skip
_STREET_KINDS = re.compile(r"Calle|Avenida|Avda|Plaza|Paseo|Via|Piazza|Corso|Largo|Rua|Pra\u00e7a|Ulica|ul\.")
_GOES_ON = re.compile(r"[ ][A-Z][a-z]")
_HOUSE_NUMBER = re.compile(r"[0-9]+")
_BEFORE_NUMBER = 60
_BIRTH = re.compile(
    r"(?i)(?<![a-z])(?:born|birth(?:day|date)?|dob|geboren|geburtsdatum|geb\.|n\u00e9e?|naissance|nacimiento|nacid[oa]|nascita|nat[oa] il)(?![a-z])"
)
_DATE = re.compile(
    r"(?i)(?<![\d.])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?\s(?:of\s)?[^\W\d_]{3,10}\.?,?\s\d{4}|[^\W\d_]{3,10}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4})(?!\d)"
)
_BIRTH_BYTES = (b"born", b"birth", b"dob", b"geb", b"n\xe9", b"naiss", b"nac", b"nasc", b"nat")
_AFTER_BIRTH = 30


def mails(scan: Scan) -> Iterator[Span]:
    """Yield mail addresses, also with `[at]` for the sign."""
    text = scan.text
    if "@" not in text and b"at)" not in scan.lower and b"at]" not in scan.lower and text.isascii():
        return
    for match in _AT.finditer(text):
        local = _LOCAL.search(text, max(0, match.start() - 64), match.start())
        domain = _DOMAIN.match(text, match.end())
        if local and domain:
            start = local.start() + len(local[0]) - len(local[0].lstrip(".+%'&=!#$*~-"))
            start = max(start, text.rfind("=", start, match.start()) + 1)
            if start < match.start():
                yield Span(start, domain.end(), "mail", secret=False)


def postal_addresses(scan: Scan) -> Iterator[Span]:
    """Yield postal addresses of common European and American layouts.

    It is a street with a number, and the town after it.
    """
    text, after = scan.text, 0
    for number in _HOUSE_NUMBER.finditer(text):
        place = number.start()
        if place < after or len(number[0]) > 6:
            continue
        span = _address_at(text, place)
        if span:
            after = span.end
            yield span


def _address_at(text: str, place: int) -> Span | None:
    """The address whose house number, or number of a box, begins here."""
    before = text[place - 1 : place]
    if before.isspace() or before in ("", "(", '"', "'", ":", ">"):
        match = _NUMBER_FIRST.match(text, place)
        if match and not _GOES_ON.match(text, match.end()):  # `50 Wall Street Journal`
            return Span(*match.span(), "address", secret=False)
    if before not in (" ", "\u00a0", "."):
        return None
    word = text[max(0, place - _BEFORE_NUMBER) : place].rsplit(None, 1)[-1:]
    if not word or not (
        word[0].lower().endswith(_ENDINGS) or _STREET_KINDS.search(text, max(0, place - _BEFORE_NUMBER), place)
    ):
        return None
    street = _STREET_BEFORE.search(text, max(0, place - _BEFORE_NUMBER), place)
    end = _NUMBER_LAST.match(text, place) if street else None
    return Span(street.start(), end.end(), "address", secret=False) if street and end else None


def birth_dates(scan: Scan) -> Iterator[Span]:
    """Yield dates that a word for birth names."""
    text = scan.text
    if not scan.has_digits or not any(word in scan.lower for word in _BIRTH_BYTES):
        return
    for word in _BIRTH.finditer(text):
        date = _DATE.search(text, word.end(), min(len(text), word.end() + _AFTER_BIRTH))
        if date and "\n" not in text[word.end() : date.start()]:
            yield Span(*date.span(), "birth_date", secret=False)
