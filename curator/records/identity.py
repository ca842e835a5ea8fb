"""Values that are equal on every machine, in every run: fingerprints, orders, JSON lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import orjson

CUT_NOTE = " more characters: see the JSONL file]"  # ends a cell of the label queue that holds a part of its text
# A spreadsheet takes a cell that begins so for a formula: the label queue is written with a `'` before it, and read without.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def normalise_space(text: str) -> str:
    """Return the text with each run of white space as one blank, and none at its ends."""
    return " ".join(text.split())


def fingerprint(case_id: str, text: str, answer: str | None = None) -> str:
    """Return the fingerprint of a row of the label queue: `t`, then 8 + 8 + 8 hex digits.

    The first 8 digits depend on the words of the text, the next also on the case, the last on the answer that is judged. A returned row shows by them whether its
    text was edited, and whether it belongs to another case. White space and
    punctuation do not count, as programs change them. It starts with a letter: a spreadsheet would round sixteen digits.
    """
    words = _digest(*re.findall(r"\w+", text))
    return f"t{words}{_digest(case_id, words)}{answer_mark(answer)}"


def answer_mark(answer: str | None) -> str:
    """Return 8 hex digits that depend on an answer; None is a missing answer.

    White space does not count.
    """
    return _digest("no answer") if answer is None else _digest("answer", normalise_space(answer))


def marked_answer(mark: str) -> str:
    """Return the `answer_mark` in a `fingerprint`; "" for those of earlier versions."""
    return mark[17:] if re.fullmatch("t[0-9a-f]{24}", mark) else ""


def fingerprint_fits(mark: str, case_id: str, text: str | None) -> tuple[bool, bool]:
    """Return whether a `fingerprint` fits the case, and whether it fits the text.

    Both are True for the fingerprints of earlier versions, which have another form, and for a text that is None.
    """
    if not re.fullmatch("t[0-9a-f]{16}([0-9a-f]{8})?", mark):
        return True, True
    words = mark[1:9]
    return mark[9:17] == _digest(case_id, words), text is None or words == _digest(*re.findall(r"\w+", text))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def hashed_id(text: str) -> str:
    """Return the name of a user or a session: `h` and 64 bits of the SHA-256 of its id, in hex.

    A guessed id can be confirmed by it: runs store it hashed once more, with a key (`Redaction.hashed_id`).
    """
    return "h" + hashlib.sha256(text.encode()).hexdigest()[:16]


def stable_unit(*parts: str) -> float:
    """Return a number in [0, 1) that depends only on the texts."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def random_order(ids: Iterable[str], seed: int) -> list[str]:
    """Return the ids in a random order that depends only on the ids and the seed."""
    return sorted(ids, key=lambda id_: (stable_unit("random-slice", str(seed), id_), id_))


def task_name(task: str | None, system: str) -> str:
    """Return the task of a case: the given one, else one of its system prompt, else ""."""
    return task or (f"system prompt {_digest(normalise_space(system))}" if system.strip() else "")


def dump_line(value: object) -> bytes:
    """Return one JSON line with sorted keys: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
