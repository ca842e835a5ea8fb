"""Checks of found texts: checksums, randomness, placeholders."""

from __future__ import annotations

import re

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# The lengths of IBANs by country, from the IBAN registry of SWIFT (ISO 13616).
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18,
    "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
    "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_SEPARATORS = re.compile(r"[-_.~/+=:]")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CHANGES = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_CASE_CHANGES = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[A-Z]?[a-z])")
_PLACEHOLDER = re.compile(
    r"""(?ix) \s* (?: \[secret:.* | \[?redacted.* | <[^>]*> | \$?\{.* | \$[A-Z_]+ | %\w | [*x.\u2022#_-]+ | null | none | nil | true | false
    | undefined | n/?a | string | str | text | required | optional | invalid | incorrect | wrong | missing | unknown | empty
    | hidden | reset | expired | changed | forgotten | secret | (?:your|my|the|new|old|user|current|some|a)?[ _-]?(?:pass[ _-]?(?:word|wd|phrase|code)?|pwd|token|key|secret)s?
    | (?:your|my|insert|enter|put)[ _-].* | (?:os|process|self|config|settings|env|req|request|args|params|this|user|data|form)[.\[(].* | getenv.* | not\b.* ) \s*"""
)


def passes_luhn(digits: str) -> bool:
    """Return whether digits pass the check of card numbers (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _LUHN_DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Return whether a text without separators, in capitals, is an IBAN.

    The country, its length and the checksum are checked (ISO 7064, 97-10).
    """
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not text[2:4].isdigit() or text[2:4] in ("00", "01", "99"):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def iban_length(country: str) -> int:
    """Return the length of a country's IBANs; 0 for a country without them."""
    return _IBAN_LENGTHS.get(country, 0)


def is_placeholder(value: str) -> bool:
    """Return whether a value only takes the place of a secret, or is code that reads it."""
    return not value.strip() or _PLACEHOLDER.fullmatch(value) is not None


_CAMEL_CASE = re.compile(r"(?:[a-z]{2,}|[A-Z][a-z]{2,})(?:[A-Z][a-z]{2,})+(?:Id|ID|Ids|URL|Url)?")


def looks_random(value: str) -> bool:
    """Return whether a value of 12 characters or more was drawn at random, as keys are.

    Words, dates, versions and names of models are not: their longest part without separators changes little between letters
    and digits. Nor are names of code such as `outputContentType`: of 100,000 random values of 16 letters and digits 16 are
    written so.
    """
    if len(value) < 12 or _CAMEL_CASE.fullmatch(value):
        return False
    part = max(_SEPARATORS.split(value), key=len)
    if len(part) < 12:  # base64 with separators by chance, or words
        return len(value) >= 24 and len(_CHANGES.findall(value)) >= 6 and len(_CASE_CHANGES.findall(value)) >= 2
    if _HEX.fullmatch(part):
        return len(part) >= 16 and not part.isdigit() and not part.isalpha()
    if len(_CHANGES.findall(part)) >= 3:
        return True
    return len(_CASE_CHANGES.findall(part)) >= max(4, len(part) // 5)


def is_uuid(value: str) -> bool:
    """Return whether a value is a UUID, which names most records and few secrets."""
    return _UUID.fullmatch(value) is not None


def is_strong(value: str) -> bool:
    """Return whether a short value is written as passwords are.

    It has letters with digits or signs, or four digits and more.
    """
    if not 4 <= len(value) <= 200 or " " in value.strip():
        return False
    digits = any(c.isdigit() for c in value)
    letters = any(c.isalpha() for c in value)
    signs = re.search(r"[!@#$%^&*?+=~|]", value) is not None
    capitals = re.search(r"[a-z][A-Z]", value) is not None
    return (letters and (digits or signs or capitals)) or (digits and (signs or value.isdigit()))
