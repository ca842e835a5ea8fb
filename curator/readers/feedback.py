"""What people said of a logged answer: thumbs, corrections, labels, verdicts."""

from __future__ import annotations

import math
import re
from typing import Literal

from curator.errors import RecordError
from curator.readers.json_text import as_text, decoded
from curator.records import Feedback, JsonValue, Reference, Thumb

_UP = ("up", "thumbs up", "thumb up", "thumbsup", "true", "good", "positive", "like", "liked", "yes", "👍")
_DOWN = (
    "down",
    "thumbs down",
    "thumb down",
    "thumbsdown",
    "false",
    "bad",
    "negative",
    "dislike",
    "disliked",
    "no",
    "👎",
)
_WORDS: dict[str, Thumb] = {**dict.fromkeys(_UP, "up"), **dict.fromkeys(_DOWN, "down")}
_NUMBERS: dict[str, Thumb] = {
    **dict.fromkeys(("1", "1.0"), "up"),
    **dict.fromkeys(("0", "0.0", "-1", "-1.0"), "down"),
}
_PASS = ("pass", "passed", "passes", "ok", "okay", "correct", "right", "\u2713", "\u2714", "\u2705", "y", *_UP)
_FAIL = ("fail", "failed", "fails", "not ok", "incorrect", "wrong", "\u2717", "\u2718", "\u274c", "n", *_DOWN)
_GOOD = {**dict.fromkeys(_PASS, 1.0), **dict.fromkeys(_FAIL, 0.0)}
_WRONG = {
    **dict.fromkeys(("true", "yes", "1", "wrong"), True),
    **dict.fromkeys(("false", "no", "0", "right"), False),
}
_UNSURE = frozenset(("unsure", "not sure", "don't know", "dont know", "skip", "skipped", "?", "n/a", "na"))
_NUMBER = re.compile(r"([+-]?(?:\d+[.,]?\d*|[.,]\d+))\s*(%?)")
_EMOJI_VARIANTS = dict.fromkeys((0xFE0F, *range(0x1F3FB, 0x1F400)))
_THUMB_KEYS = ("thumb", "thumbs", "score", "rating")
_FEEDBACK_KEYS = frozenset(("feedback", "correction", "comment", *_THUMB_KEYS))


def read_thumb(value: JsonValue) -> Thumb | None:
    """The user's verdict, None where it is no thumb: a number other than 1, 0 and -1 may be stars or a share."""
    if isinstance(value, str):
        word = value.strip().lower().translate(_EMOJI_VARIANTS)
        return _WORDS.get(word.replace("_", " ").replace("-", " "), _NUMBERS.get(word.removeprefix("+")))
    if isinstance(value, (int, float)) and value in (1, 0, -1):
        return "up" if value == 1 else "down"
    return None


def read_verdict(value: JsonValue) -> float | Literal["unsure"] | None:
    """How good somebody calls production's answer, 0 (it failed) to 1 (it passes); None where nothing was said.

    Words, or a number from 0 to 1, with a decimal point or comma, or as a percentage: 1 passes.

    Raises:
        RecordError: it is none of them.
    """
    text = said(value)
    if text is None:
        return None
    word = " ".join(text.translate(_EMOJI_VARIANTS).lower().replace("_", " ").replace("-", " ").split()).rstrip(".!")
    if word in _UNSURE:
        return "unsure"
    if word in _GOOD:
        return _GOOD[word]
    number = verdict_number(value)
    if number is None or not 0 <= number <= 1:
        raise RecordError(
            f"the verdict {text!r} is not clear",
            "write pass or fail, unsure, or a number from 0 (production's answer failed) to 1 (it is right)",
        )
    return number


def read_wrong(value: JsonValue) -> bool | None:
    """Whether somebody calls production's answer wrong; None where the cell is missing or blank.

    Raises:
        RecordError: it is neither true nor false.
    """
    text = said(value)
    if text is None:
        return None
    if text.strip().lower() not in _WRONG:
        raise RecordError(f"`wrong` is {text!r}", "write true where the answer is wrong, false where it is right")
    return _WRONG[text.strip().lower()]


def verdict_number(value: JsonValue) -> float | None:
    """The number that a verdict is given as, whatever its range; None where it is given in words."""
    found = _NUMBER.fullmatch((said(value) or "").strip())
    if found is None:
        return None
    number = float(found[1].replace(",", ".")) / (100 if found[2] else 1)
    return number if math.isfinite(number) else None


def read_feedback(record: dict[str, JsonValue]) -> Feedback | None:
    """The feedback of a chat record: under `feedback`, or the same keys flat in the record.

    A `rating` counts only in words: 1 may be a thumb up as well as one star of five.
    """
    if _FEEDBACK_KEYS.isdisjoint(record):
        return None
    value = decoded(record.get("feedback"))
    if value is not None and not isinstance(value, (dict, list)):
        value = {"thumb": value}
    found: dict[str, JsonValue] = {**record, **value} if isinstance(value, dict) else record
    thumbs = (read_thumb(found.get(key)) for key in _THUMB_KEYS if key != "rating" or not _is_number(found.get(key)))
    return feedback(
        next((thumb for thumb in thumbs if thumb is not None), None), found.get("correction"), found.get("comment")
    )


def feedback(thumb: Thumb | None, correction: JsonValue, comment: JsonValue = None) -> Feedback | None:
    """The feedback, None where nothing was said."""
    corrected, commented = said(correction), said(comment)
    return Feedback(thumb, corrected, commented) if thumb or corrected or commented else None


def reference(label: JsonValue, correction: JsonValue, *, by: JsonValue = None) -> Reference | None:
    """The trusted answer: a label before a user's correction, None where there is neither."""
    if (text := said(label)) is not None:
        return Reference(text, "label", said(by))
    if (text := said(correction)) is not None:
        return Reference(text, "correction")
    return None


def said(value: JsonValue) -> str | None:
    """A value as text, None where it is null or blank."""
    text = as_text(value)
    return text if text and not text.isspace() else None


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, str):
        return value.strip().lstrip("+-").replace(".", "", 1).isdigit()
    return isinstance(value, (int, float)) and not isinstance(value, bool)
