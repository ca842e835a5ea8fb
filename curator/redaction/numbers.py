"""Numbers of cards, accounts and telephones, and addresses of machines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from curator.redaction.checks import iban_length, is_iban, passes_luhn
from curator.redaction.scan import Scan
from curator.redaction.spans import Span

_SPACE = " \u00a0\u2007\u2009\u202f"
_CARD = re.compile(rf"(?<![\w.+])(?<!\d[-,/])[2-6]\d{{2,5}}(?:[{_SPACE}.\-]?\d{{1,7}}){{1,6}}(?![\w]|[.,]\d|-\d)")
# Prefixes and lengths of the brands, from ISO/IEC 7812 and the brands' own pages.
_BRAND = re.compile(
    r"4\d{15}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|3(?:0[0-5]|[689]\d)\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
)
_CARD_WORDS = re.compile(r"(?i)card|karte|carte|tarjeta|visa|master|amex|maestro|credit|debit|payment|\bpan\b|\bcc\b")
_IBAN_START = re.compile(rf"(?<![A-Za-z0-9])([A-Za-z]{{2}})\d{{2}}(?=[{_SPACE}-]?[A-Za-z0-9])")
_IBAN_TAIL = re.compile(rf"[{_SPACE}-]?[A-Za-z0-9]")
_GAP = rf"[{_SPACE}.\-/()\u2010-\u2013]"
_INTERNATIONAL = re.compile(
    rf"(?<![\w+.])(?:\+|00)[1-9]\d{{0,2}}{_GAP}{{0,3}}(?:\(0\){_GAP}?)?\d(?:{_GAP}{{0,2}}\d){{5,12}}(?!\w|[.,]\d)"
)
_AMERICAN = re.compile(r"(?<![\w.+$-])(?:1[ .-])?(?:\([2-9]\d{2}\)[ -]?|[2-9]\d{2}[.-])\d{3}[ .-]\d{4}(?!\w|[.,-]\d)")
_NATIONAL = re.compile(
    rf"(?<![\w.,:/+$-])\(?0\d{{1,4}}\)?{_GAP}{{1,3}}\d{{2,8}}(?:{_GAP}?\d{{2,6}}){{0,4}}(?!\w|[.,:/-]\d)"
)
_ANY_PHONE = re.compile(rf"(?<![\w.,+$-])\+?\(?\d(?:{_GAP}{{0,2}}\d){{6,14}}(?!\w|[.,:]\d|\s?[=*+])")
_PHONE_WORDS = re.compile(
    r"(?i)phone|(?<![a-z])(?:tel|telefon|fon|cell|call|handy|fax|whatsapp|sms|dial|ring|rufnummer|text|reach|contact|signal|callback|t\u00e9l|movil)(?![a-z])"
    r"|mobil|t\u00e9l\u00e9phone|tel\u00e9fono|telefoon|m\u00f3vil"
)
# The words between the one for a telephone and its number.
_PHONE_NAMED = re.compile(
    rf"""(?i)(?:{_PHONE_WORDS.pattern[4:]})\w{{0,3}}(?:[^\w\n]{{1,5}}(?:number|no|nr|nummer|num[e\u00e9]ro|is|ist|est|es|was|on|at|me|us|him|her|them|my|back|under|unter|via|or|und|and|the|new|old|mobile|home|work|cell|phone)){{0,5}}[^\w\n]{{1,5}}$"""
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])")
_VERSION = re.compile(r"(?i)(?:version|release|build|\bv|==|>=|~=)[ :=]*$")
_LOOK_BACK = 40


def cards(scan: Scan) -> Iterator[Span]:
    """Yield card numbers: prefix and length of a brand, and a valid check digit.

    Rare lengths also need a word for a card shortly before them.
    """
    text = scan.text
    for match in _in_windows(_CARD, scan, 12):
        digits = re.sub(r"\D", "", match[0])
        if not 12 <= len(digits) <= 19 or not passes_luhn(digits):
            continue
        named = _CARD_WORDS.search(text, max(0, match.start() - _LOOK_BACK), match.start())
        if _BRAND.fullmatch(digits) or (named and len(set(digits)) > 2):
            yield Span(*match.span(), "card")


def ibans(scan: Scan) -> Iterator[Span]:
    """Yield IBANs: a country, its length, and a valid checksum."""
    text = scan.text
    for match in _in_windows(_IBAN_START, scan, 9):
        length, at = iban_length(match[1].upper()), match.start()
        characters: list[str] = []
        end = at
        while len(characters) < length and (more := _IBAN_TAIL.match(text, end)):
            characters.append(more[0][-1])
            end = more.end()
        if len(characters) == length and not text[end : end + 1].isalnum() and is_iban("".join(characters).upper()):
            yield Span(at, end, "iban", secret=False)


def phones(scan: Scan) -> Iterator[Span]:
    """Yield telephone numbers.

    They have an international form or a national layout, or a word for a telephone names them.
    """
    text = scan.text
    for pattern, least in ((_INTERNATIONAL, 8), (_AMERICAN, 10), (_NATIONAL, 9)):
        for match in _in_windows(pattern, scan, least):
            if least <= _digits(match[0]) <= 15 and not _is_other_number(match[0]) and _varies(match[0]):
                yield Span(*match.span(), "phone", secret=False)
    for match in _in_windows(_ANY_PHONE, scan, 7):
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        if not _PHONE_WORDS.search(before) or not _PHONE_NAMED.search(before):
            continue
        if 7 <= _digits(match[0]) <= 15 and not _is_other_number(match[0]):
            yield Span(*match.span(), "phone", secret=False)


def addresses_of_machines(scan: Scan) -> Iterator[Span]:
    """Yield IP addresses, but not those of this machine, masks and the numbers of versions."""
    text = scan.text
    if b"0.0" in scan.digits and text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            octets = [int(part) for part in match[0].split(".")]
            before = text[max(0, match.start() - 12) : match.start()]
            if max(octets) <= 255 and octets[0] not in (0, 127) and octets[0] < 240 and not _VERSION.search(before):
                yield Span(*match.span(), "ip", secret=False)
    if "::" in text or text.count(":") >= 7:
        for match in _IPV6.finditer(text):
            if _is_ipv6(match[0]):
                yield Span(*match.span(), "ip", secret=False)


def _in_windows(pattern: re.Pattern[str], scan: Scan, least: int) -> Iterator[re.Match[str]]:
    """The matches near long numbers; a search of the whole text takes several times as long."""
    last = 0
    for start, end, size in scan.number_windows:
        if size < least:
            continue
        for match in pattern.finditer(scan.text, max(start, last), end):
            last = match.end()
            yield match


def _is_ipv6(text: str) -> bool:
    if sum(c.isalnum() for c in text) < 6:  # `::1`, times
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _is_other_number(text: str) -> bool:
    return _DATE.search(text) is not None or _IPV4.search(text) is not None


def _varies(text: str) -> bool:
    """Return whether the digits vary, other than those of `0 000 000`."""
    return len(set(re.sub(r"\D", "", text))) > 2
