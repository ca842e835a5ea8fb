"""Text for people: log text made safe to show, counts with nouns, amounts of money.

Text from logs is written by strangers. It may be long, and it may contain characters that hide or reorder what is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

_LEAST_SHOWN_USD = 0.0001
_NEWLINES = re.compile("\r\n?|[\u2028\u2029\x85]")
# Control characters, the marks that turn the direction of text around, and halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and how many characters of it are left out."""

    text: str
    omitted: int = 0


def clean(text: str) -> str:
    """The text with plain newlines, and U+FFFD for characters that hide or reorder text."""
    return _UNSAFE.sub("\ufffd", _NEWLINES.sub("\n", text))


def cut(text: str, limit: int) -> Excerpt:
    """The first `limit` characters of a text."""
    return Excerpt(text[:limit], max(0, len(text) - limit))


def excerpt(text: str, limit: int) -> Excerpt:
    """The beginning of a text, made safe to show."""
    return cut(clean(text).strip(), limit)


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, safe to show; an ellipsis marks a cut."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "\u2026"


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """A count with its noun: `1 file`, `1,234 files`; `plural_noun` is an irregular plural."""
    return f"{count:,} {noun if count == 1 else plural_noun or noun + 's'}"


def money(usd: float, *, at_most: bool = False) -> str:
    """Return an amount of US dollars for people: `$1,250`, `$3.20`, `$0.0042`, `<$0.0001`.

    Cents are shown below a thousand dollars; below a cent, two significant digits. `at_most` rounds up, so that a limit
    is never shown lower than it is.
    """
    if usd == 0:
        return "$0"
    if 0 < usd < _LEAST_SHOWN_USD:
        return f"<${_LEAST_SHOWN_USD}"
    amount = Decimal(str(usd))
    step = Decimal(1) if usd >= 1000 else Decimal("0.01") if usd >= 0.01 else Decimal(1).scaleb(amount.adjusted() - 1)
    rounded = amount.quantize(step, rounding=ROUND_CEILING if at_most else ROUND_HALF_EVEN)
    return f"${rounded if usd < 0.01 else f'{rounded:,}'}"
