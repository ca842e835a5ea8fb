"""People's feedback on a logged answer, and the one table of the words for it.

`WORDS` says what each word means of an answer: right or wrong. A plain yes or no depends on the question, so that it has a
table of its own: `true` in a column `passed` is a pass, in a column `wrong` it is a failure. `case_id_of` is the one rule for
the key that names a row's case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal

from curator.errors import RecordError
from curator.readers.hints import listed
from curator.readers.json_text import as_text, decoded
from curator.records import Feedback, JsonValue, Reference, Scalar, Thumb

_UP = ("up", "thumbs up", "thumb up", "thumbsup", "good", "positive", "like", "liked", "👍")
_DOWN = ("down", "thumbs down", "thumb down", "thumbsdown", "bad", "negative", "dislike", "disliked", "👎")
_PASS = ("pass", "passed", "passes", "ok", "okay", "correct", "right", "\u2713", "\u2714", "\u2705")
_FAIL = ("fail", "failed", "fails", "not ok", "incorrect", "wrong", "\u2717", "\u2718", "\u274c")
_YES, _NO = ("true", "yes", "y"), ("false", "no", "n")

WORDS: Mapping[str, bool] = {**dict.fromkeys((*_PASS, *_UP), True), **dict.fromkeys((*_FAIL, *_DOWN), False)}
"""Words for an answer, and whether they call it right. They mean the same in every column."""
YES_OR_NO: Mapping[str, bool] = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
"""Words that agree or disagree with what the column asks."""
CASE_ID_KEYS = ("case_id", "id")
"""The keys that may name a row's case, the first one first: results and logs often have an `id` of their own."""

_MORE_UP = (
    "great", "excellent", "perfect", "very good", "helpful", "useful", "satisfied", "very satisfied", "happy", "upvote", "upvoted",
    "gut", "sehr gut", "positiv", "hilfreich", "ja", "bien", "bueno", "buena", "bon", "bonne", "oui", "positivo", "positiva",
    "positif", "utile", "\u00fatil", "s\u00ed", "si", "buono", "bom", "boa", "sim", "goed", "dobry", "dobre", "tak",
    "\u597d", "\u8d5e", "\u6ee1\u610f", "\u826f\u3044", "\u3044\u3044", "\u306f\u3044", "\uc88b\uc544\uc694",
    "\u0445\u043e\u0440\u043e\u0448\u043e", "\u0434\u0430", "\u2764", "\U0001f600", "\U0001f603", "\U0001f604", "\U0001f60a",
    "\U0001f642", "\U0001f60d", "\U0001f389", "\U0001f44c", "\U0001f64f", "\U0001f44f",
)  # fmt: skip
_MORE_DOWN = (
    "terrible", "awful", "poor", "very bad", "very poor", "unhelpful", "not helpful", "useless", "dissatisfied",
    "very dissatisfied", "unsatisfied", "unhappy", "sad", "downvote", "downvoted", "schlecht", "sehr schlecht", "negativ",
    "nicht hilfreich", "nein", "mal", "malo", "mala", "mauvais", "mauvaise", "non", "negativo", "negativa", "n\u00e9gatif",
    "inutile", "cattivo", "ruim", "n\u00e3o", "nao", "slecht", "nee", "nie", "\u5dee", "\u8e29", "\u4e0d\u597d",
    "\u4e0d\u6ee1\u610f", "\u60aa\u3044", "\u3044\u3044\u3048", "\uc2eb\uc5b4\uc694", "\u043f\u043b\u043e\u0445\u043e",
    "\u043d\u0435\u0442", "\U0001f61e", "\U0001f641", "\u2639", "\U0001f620", "\U0001f621", "\U0001f622", "\U0001f494",
)  # fmt: skip
_THUMBS: Mapping[str, Thumb] = {
    **dict.fromkeys((*_UP, *_PASS, *_YES, *_MORE_UP), "up"),
    **dict.fromkeys((*_DOWN, *_FAIL, *_NO, *_MORE_DOWN), "down"),
}
_THUMB_NUMBERS: Mapping[str, Thumb] = {
    **dict.fromkeys(("1", "1.0"), "up"),
    **dict.fromkeys(("0", "0.0", "-1", "-1.0"), "down"),
}
_OPINIONS = frozenset(
    ("thumbs up", "thumb up", "thumbsup", "thumbs down", "thumb down", "thumbsdown", "like", "liked", "dislike", "disliked",
     "upvote", "upvoted", "downvote", "downvoted", "helpful", "not helpful", "unhelpful", "hilfreich", "nicht hilfreich",
     "\u00fatil", "no \u00fatil", "utile", "pas utile", "inutile")
)  # fmt: skip
"""Words that only an opinion of an answer has: `good` may be a mood, `down` a status."""
_OPPOSITES = (("like", "dislike"), ("up", "down"), ("positive", "negative"), ("helpful", "unhelpful"), ("good", "bad"))
_NEGATED = re.compile(r"(?:not|no|nicht|pas|n\u00e3o|nao|non|niet) ")
_UNSURE = frozenset(("unsure", "not sure", "don't know", "dont know", "skip", "skipped", "?", "n/a", "na"))
_NUMBER = re.compile(r"([+-]?(?:\d+[.,]?\d*|[.,]\d+))\s*(%?)")
_EMOJI_VARIANTS = dict.fromkeys((0xFE0F, *range(0x1F3FB, 0x1F400)))  # skin tones and the request to draw in colour
_PLAIN_THUMBS = ("thumb", "thumbs")
_THUMB_KEYS = (
    *_PLAIN_THUMBS,
    "score",
    "rating",
    "stars",
    "feedback_rating",
    "user_rating",
    "user_feedback",
    "feedback_score",
)
_VALUES = ("value", "vote", "sentiment", "label", "reaction", "type")
_COMMENTS = ("text", "reason", "message", "remark", "explanation", "note", "details", "feedbackContent")
_FEEDBACK_KEYS = frozenset(("feedback", "annotation", "correction", "comment", *_THUMB_KEYS))


def case_id_of(row: Mapping[str, JsonValue]) -> str:
    """The id of the case that a row is about: its `case_id`, or without one its `id`.

    Raises:
        RecordError: the row has neither.
    """
    for key in CASE_ID_KEYS:
        if (text := nonblank(row.get(key))) is not None:
            return text.strip()
    blank = [key for key in CASE_ID_KEYS if key in row]
    raise RecordError(
        f"the `{blank[0]}` is empty" if blank else f"no `case_id` (or `id`) among the keys {listed(list(row))}",
        "name in each row the case that it is about, by the id that curator wrote or that the file of records has",
    )


def right_or_wrong(value: JsonValue, *, yes_means_right: bool = True) -> bool | None:
    """Return whether a word calls the answer right; None for a blank or any other text.

    Args:
        value: a word of `WORDS` or `YES_OR_NO`, in any case; true and false count as words.
        yes_means_right: False where the column asks for a failure (`wrong`, `failed`).
    """
    word = _plain_word(nonblank(value) or "")
    if word in YES_OR_NO:
        return YES_OR_NO[word] is yes_means_right
    return WORDS.get(word)


def read_thumb(value: JsonValue) -> Thumb | None:
    """Read a thumb; None for anything else.

    A number other than 1, 0 and -1 may be stars or a share.
    """
    if isinstance(value, str):
        word = _plain_word(value)
        negated = _NEGATED.match(word)
        if negated and word not in _THUMBS and _THUMBS.get(word[negated.end() :]) == "up":
            return "down"
        return _THUMBS.get(word) or _THUMB_NUMBERS.get(value.strip().removeprefix("+"))
    if isinstance(value, (int, float)) and value in (1, 0, -1):
        return "up" if value == 1 else "down"
    return None


def is_opinion(value: JsonValue) -> bool:
    """Return whether a value can only be an opinion of an answer: a sign, or words for one."""
    if not isinstance(value, str) or read_thumb(value) is None:
        return False
    word = _plain_word(value)
    return word in _OPINIONS or not (word in (*_PASS, *_FAIL) or word.isascii() or any(map(str.isalnum, word)))


def opposite_key(keys: Collection[str], key: str) -> str | None:
    """The key of the other thumb, such as `disliked` beside `liked`; None without one."""
    flat = key.lower()
    others = [flat.replace(up, down) for up, down in _OPPOSITES if up in flat and down not in flat]
    return next((other for other in keys if other != key and other.lower() in others), None)


def thumb_of_flag(record: Mapping[str, JsonValue], key: str, value: JsonValue) -> Thumb | None:
    """The thumb in a value; where each thumb has a flag, a no is not the other one."""
    thumb = read_thumb(value)
    other = opposite_key(record.keys(), key) if thumb == "down" else None
    return thumb if other is None or read_thumb(record[other]) == "up" else None


def read_verdict(value: JsonValue) -> float | Literal["unsure"] | None:
    """Read a verdict on production's answer, 0 (it failed) to 1 (it passes); None for a blank.

    Words, or a number from 0 to 1, with a decimal point or comma, or as a percentage: 1 passes.

    Raises:
        RecordError: the cell is none of them.
    """
    text = nonblank(value)
    if text is None:
        return None
    if _plain_word(text) in _UNSURE:
        return "unsure"
    right = right_or_wrong(value)
    number = verdict_number(value) if right is None else float(right)
    if number is None or not 0 <= number <= 1:
        raise RecordError(
            f"the verdict {text!r} is not clear",
            "write pass or fail, unsure, or a number from 0 (production's answer failed) to 1 (it is right)",
        )
    return number


def read_wrong(value: JsonValue) -> bool | None:
    """Return whether a cell of the column `wrong` calls the answer wrong; None for a blank.

    Raises:
        RecordError: the cell says neither.
    """
    text = nonblank(value)
    if text is None:
        return None
    right = right_or_wrong(value, yes_means_right=False)
    if right is None and text.strip() in ("0", "1"):
        right = text.strip() == "0"
    if right is None:
        raise RecordError(f"`wrong` is {text!r}", "write true where the answer is wrong, false where it is right")
    return not right


def verdict_number(value: JsonValue) -> float | None:
    """The number that a verdict is given as, in any range; None where it is given in words."""
    match = _NUMBER.fullmatch((nonblank(value) or "").strip())
    if match is None:
        return None
    number = float(match[1].replace(",", ".")) / (100 if match[2] else 1)
    return number if math.isfinite(number) else None


def read_feedback(record: dict[str, JsonValue]) -> Feedback | None:
    """The feedback of a record: under `feedback`, or the same keys flat in the record.

    A number under `score`, `rating` or `stars` is a rating whose scale is not known yet: 1 may be a thumb up as well as one
    star of five.
    """
    if _FEEDBACK_KEYS.isdisjoint(record):
        return None
    value, noted = decoded(record.get("feedback")), record.get("annotation")
    if value is None and isinstance(noted, dict):  # Open WebUI
        value = noted
    if isinstance(value, list):  # of several ones the last one counts
        value = next((item for item in reversed(value) if isinstance(item, dict)), None)
    if value is not None and not isinstance(value, dict):
        value = {"thumb": value}
    fields: dict[str, JsonValue] = {**record, **_plain_fields(value)} if isinstance(value, dict) else record
    given: dict[str, Scalar] = {}
    thumb = None
    for key in _THUMB_KEYS:
        value = fields.get(key)
        read = read_thumb(value) if key in _PLAIN_THUMBS or not _is_number(value) else None
        thumb = thumb or read
        if read is None and isinstance(value, (str, int, float)) and value != "":
            given[key] = value
    return feedback(thumb, fields.get("correction"), fields.get("comment"), given)


def _plain_fields(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields of an object of feedback, under the names of those that are flat in a record."""
    fields = dict(value)
    if not any(fields.get(key) is not None for key in _THUMB_KEYS):
        verdict = next((fields[key] for key in _VALUES if isinstance(fields.get(key), str | int | float)), None)
        word = read_thumb(verdict) if isinstance(verdict, str | bool) else None
        fields |= {"thumb": word} if word else {"feedback_score": verdict} if _is_number(verdict) else {}
    if fields.get("comment") is None:
        fields["comment"] = next((fields[key] for key in _COMMENTS if isinstance(fields.get(key), str)), None)
    return fields


def feedback(
    thumb: Thumb | None,
    correction: JsonValue,
    comment: JsonValue = None,
    given: Mapping[str, Scalar] = MappingProxyType({}),
) -> Feedback | None:
    """The feedback, None where there is none of the four."""
    corrected, commented = nonblank(correction), nonblank(comment)
    if not (thumb or corrected or commented or given):
        return None
    return Feedback(thumb, corrected, commented, given=dict(given))


def reference(label: JsonValue, correction: JsonValue, *, by: JsonValue = None) -> Reference | None:
    """The trusted answer: a label before a user's correction, None where there is neither."""
    if (text := nonblank(label)) is not None:
        return Reference(text, "label", nonblank(by))
    if (text := nonblank(correction)) is not None:
        return Reference(text, "correction")
    return None


def nonblank(value: JsonValue) -> str | None:
    """A value as text, None where it is null or blank."""
    text = as_text(value)
    return text if text and not text.isspace() else None


def _plain_word(text: str) -> str:
    """A word as in the tables: `Thumbs-Up!` becomes `thumbs up`, an emoji loses its skin tone."""
    plain = text.translate(_EMOJI_VARIANTS).lower().replace("_", " ").replace("-", " ")
    return " ".join(plain.split()).rstrip(".!")


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, str):
        return value.strip().lstrip("+-").replace(".", "", 1).isdigit()
    return isinstance(value, (int, float)) and not isinstance(value, bool)
