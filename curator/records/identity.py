"""What is the same on every machine, in every run: numbers from texts, orders, fingerprints, lines of JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import orjson

CUT_NOTE = " more characters: see the JSONL file]"  # ends a cell of the label queue that holds a part of its text
# A spreadsheet takes a cell that begins so for a formula: the label queue is written with a `'` before it, and read without.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def normalise_space(text: str) -> str:
    """The text with each run of white space as one blank and none at its ends."""
    return " ".join(text.split())


def fingerprint(case_id: str, text: str) -> str:
    """What the label queue says of an input as shown: `t`, 8 hex digits of its words, and 8 of these and the case.

    A row that comes back tells by it whether its text was edited, and whether it is another case's. White space and
    punctuation do not count, as programs change them. It starts with a letter: a spreadsheet would round sixteen digits.
    """
    words = _digest(*re.findall(r"\w+", text))
    return f"t{words}{_digest(case_id, words)}"


def fingerprint_fits(mark: str, case_id: str, text: str | None) -> tuple[bool, bool]:
    """Whether a `fingerprint` is this case's, and whether it is this text's; True where that cannot be told.

    Queues of earlier versions have fingerprints of another kind, of which nothing is said.
    """
    if not re.fullmatch("t[0-9a-f]{16}", mark):
        return True, True
    words = mark[1:9]
    return mark[9:] == _digest(case_id, words), text is None or words == _digest(*re.findall(r"\w+", text))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]


def stable_unit(*parts: str) -> float:
    """A number in [0, 1) that depends on the texts alone: the same on every machine, in every run."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def random_order(ids: Iterable[str], seed: int) -> list[str]:
    """The ids in an order that hangs on them and the seed alone, not on the order they came in."""
    return sorted(ids, key=lambda id_: (stable_unit("random-slice", str(seed), id_), id_))


def dump_line(value: object) -> bytes:
    """One JSON line with sorted keys: the same value is the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
