"""Marks for secrets, values of the same form for personal data and cards.

Each is made from the original by HMAC-SHA-256 under a key, so that equal values have equal replacements in every process and
every night, and so that only the holder of the key can test a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping

from curator.redaction.checks import passes_luhn

SECRET_MARK = re.compile(r"\[secret:[a-z-]+:[0-9a-f]{4}\]")
_VOWELS, _CONSONANTS = "aeiou", "bdfghjklmnprstvz"
_TWO_DIGIT_CODES = re.compile("2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""The country codes of two digits (ITU-T E.164); 1 and 7 have one digit, all others three."""
_KEPT_WORDS = re.compile(
    r"(?i)(?:.*(?:stra(?:\u00df|ss)e|str\.|platz|gasse|allee|weg|damm|ufer|ring|straat|laan|plein|gracht|kade)|street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct"
    r"|boulevard|blvd|way|place|pl|terrace|square|highway|parkway|circle|crescent|close|gardens|grove|north|south|east|west|[nsew]{1,2}|apt|apartment"
    r"|suite|ste|unit|flat|floor|box|p|o|rue|chemin|impasse|quai|route|calle|avenida|plaza|paseo|via|viale|piazza|corso|rua|de|du|des|la|le|les|del|di|bis)"
)

_NAME_PARTICLES = re.compile(
    r"(?i)mr|mrs|ms|miss|dr|prof|sir|jr|sr|von|van|vom|zu|zur|de|del|della|der|den|di|da|do|dos|du|la|le|el|al|bin|ibn|ter|ten|herr|frau|mme"
)
_SHORTEST_NAME = 6
"""Letters of a pseudonym: half a million words, so that two names hardly share one."""


def secret_mark(kind: str, value: str, key: bytes) -> str:
    """Return the mark of a secret: its kind, and four digits by which equal ones are equal."""
    return f"[secret:{kind}:{_digest(key, 'secret', value).hex()[:4]}]"


def pseudonym(kind: str, value: str, key: bytes) -> str:
    """Return a value of the same form: mail, phone, card, iban, ip, address, birth_date or name."""
    return _MAKERS[kind](value, key)


def keyed_hash(hashed: str, key: bytes) -> str:
    """Return a hash as `records.hashed_id` gives, that cannot be confirmed without the key."""
    return "h" + _digest(key, "id", hashed).hex()[:16]


def _digest(key: bytes, *parts: str) -> bytes:
    return hmac.new(key, "\x1f".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _numbers(key: bytes, *parts: str) -> Iterator[int]:
    """Endless numbers from 0 to 255 that depend only on the key and the parts."""
    block = 0
    while True:
        yield from _digest(key, *parts, str(block))
        block += 1


def _same_letters(text: str, numbers: Iterator[int]) -> str:
    """Other letters and digits in the same places, which can be pronounced."""
    letters: list[str] = []
    vowel = False
    for character in text:
        number = next(numbers)
        if character.isdecimal():
            letters.append(str(number % 10))
        elif character.isalpha():
            letter = (_VOWELS if vowel else _CONSONANTS)[number % (5 if vowel else 16)]
            letters.append(letter.upper() if character.isupper() else letter)
            vowel = not vowel
        else:
            letters.append(character)
            vowel = False
    return "".join(letters)


def _mail(value: str, key: bytes) -> str:
    """A mail address with a local part of the same layout.

    Equal domains stay equal and keep their last part.
    """
    local, sign, domain = re.split(r"(\s?[\[({](?:at|AT|\u00e4t)[\])}]\s?|@|\uff20)", value, maxsplit=1)
    folded = domain.lower()
    *names, last = domain.split(".")
    numbers = _numbers(key, "mail", local.lower(), folded)
    label = "".join(
        (_VOWELS if i % 2 else _CONSONANTS)[n % (5 if i % 2 else 16)]
        for i, n in zip(range(9), _numbers(key, "domain", folded), strict=False)
    )
    label = label.upper() if domain.isupper() else label
    ending = f"{names[-1]}.{last}" if len(names) > 1 and len(last) == 2 and len(names[-1]) <= 3 else last
    return (
        f"{_same_letters(local if len(local) >= 5 else local + 'x' * (5 - len(local)), numbers)}{sign}{label}.{ending}"
    )


def _phone(value: str, key: bytes) -> str:
    """A number of the same length and layout, with its country code or trunk zero.

    The digits depend on the last eight ones and are counted from the end, so that one number is one pseudonym with and without
    the country code.
    """
    places = [i for i, character in enumerate(value) if character.isdecimal()]
    digits = "".join(value[i] for i in places)
    kept = 0
    if value.lstrip("( ").startswith("+") or digits.startswith("00"):
        kept = 0 if "+" in value else 2
        kept += 1 if digits[kept] in "17" else 2 if _TWO_DIGIT_CODES.match(digits, kept) else 3
        kept += "(0)" in value
    elif digits.startswith("0") or (digits.startswith("1") and len(digits) == 11):
        kept = 1
    replaced = list(value)
    for place, number in zip(reversed(places[kept:]), _numbers(key, "phone", digits[-8:]), strict=False):
        replaced[place] = str(number % 10)
    if kept < len(places) and replaced[places[kept]] == "0":
        replaced[places[kept]] = "8"  # a number in JSON does not begin with zero
    return "".join(replaced)


def _card(value: str, key: bytes) -> str:
    """A number of the same layout that no card has.

    It has the first digit of its brand, and a wrong check digit.
    """
    digits = re.sub(r"\D", "", value)
    numbers = _numbers(key, "card", digits)
    chosen = digits[0] + "".join(str(next(numbers) % 10) for _ in digits[1:])
    if passes_luhn(chosen):
        chosen = chosen[:-1] + str((int(chosen[-1]) + 1) % 10)
    rest = iter(chosen)
    return "".join(next(rest) if character.isdecimal() else character for character in value)


def _iban(value: str, key: bytes) -> str:
    """An account of the same country and layout, with the check digits 00 of no IBAN."""
    compact = re.sub(r"[^A-Za-z0-9]", "", value).upper()
    numbers = _numbers(key, "iban", compact)
    body = "".join(str(next(numbers) % 10) if c.isdecimal() else chr(65 + next(numbers) % 26) for c in compact[4:])
    rest = iter(compact[:2] + "00" + body)
    return "".join(next(rest) if character.isalnum() else character for character in value)


def _ip(value: str, key: bytes) -> str:
    """An address in the reserved range 240.0.0.0/4, or of the same groups in version 6."""
    numbers = _numbers(key, "ip", value.lower())
    if ":" in value:
        return "".join("0123456789abcdef"[next(numbers) % 16] if c.isalnum() else c for c in value)
    return ".".join(str(240 + next(numbers) % 14 if i == 0 else next(numbers) % 254 + 1) for i in range(4))


def _address(value: str, key: bytes) -> str:
    """An address of the same layout.

    Words for streets stay, numbers keep their length, names become others.
    """
    numbers = _numbers(key, "address", re.sub(r"\W+", " ", value).lower())

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if word.isdecimal():
            return str(1 + next(numbers) % 9) + "".join(str(next(numbers) % 10) for _ in word[1:])
        ending = _KEPT_WORDS.fullmatch(word)
        if ending is None:
            return _same_letters(word, numbers)
        tail = re.search(
            r"(?i)(?:stra(?:\u00df|ss)e|str\.?|platz|gasse|allee|weg|damm|ufer|ring|straat|laan|plein|gracht|kade)$",
            word,
        )
        return _same_letters(word[: tail.start()], numbers) + word[tail.start() :] if tail else word

    return re.sub(r"[^\W_]+", other, value)


def _name(value: str, key: bytes) -> str:
    """A name of the same layout; each of its words has one pseudonym, also alone.

    Titles and particles stay. Short words become longer ones, because few words have three letters.
    """

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) == 1 or _NAME_PARTICLES.fullmatch(word):
            return word
        filled = word + ("X" if word.isupper() else "x") * (_SHORTEST_NAME - len(word))
        return _same_letters(filled, _numbers(key, "name", word.lower()))

    return re.sub(r"[^\W_]+", other, value)


def _birth_date(value: str, key: bytes) -> str:
    """A date of the same layout: another day and month, and a year at most five years away."""
    numbers = _numbers(key, "birth_date", re.sub(r"\W+", " ", value).lower())

    def other(match: re.Match[str]) -> str:
        number = match[0]
        if len(number) == 4:
            return str(int(number) - 5 + next(numbers) % 11)
        changed = str(1 + next(numbers) % (12 if int(number) <= 12 else 28))
        return changed.zfill(len(number)) if number.startswith("0") or len(number) == 2 else changed

    return re.sub(r"\d+", other, value)


_MAKERS: Mapping[str, Callable[[str, bytes], str]] = {
    "mail": _mail, "phone": _phone, "card": _card, "iban": _iban, "ip": _ip, "address": _address, "birth_date": _birth_date,
    "name": _name,
}  # fmt: skip
