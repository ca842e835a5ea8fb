"""What people said of a logged answer: thumbs, corrections, labels."""

from __future__ import annotations

from curator.logs.jsontext import as_text, decoded
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
