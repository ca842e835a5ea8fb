"""Yes and no in answers, in several languages; true and false count as yes and no."""

from __future__ import annotations

import re

from curator.disagreement.conclusions import conclusions
from curator.disagreement.wording import answer_part, is_refusal

_YES = "yes|yeah|yep|true|correct|ja|sí|si|oui|sim|да|はい|是的|是|对|예|네"
_NO = "no|nope|false|incorrect|nein|nee|non|não|нет|いいえ|不是|否|不|아니요|아니오"
_WORD = re.compile(
    rf"(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?:(?=\s*(?:[,.;:!()–—*。，\"'`”}}\]_-]|$|because\b|since\b|as\b))|(?<=[^\x00-\x7f]))",  # noqa: RUF001
    re.IGNORECASE,
)
_LEADING = "*_`\"' \t“”([{$\\"
_CONCLUDING = re.compile(
    r"(?:^|[.!?\n]\s*|,\s*)(?:so|thus|therefore|hence|in conclusion|overall|finally|then)?,?\s*(?:the claim is |the statement is |it is |that is |this is )?"
    r"(yes|no|true|false)\b(?=\s*[.!,;*]|\s*$|,)",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:statement|claim|sentence|expression|proposition|assertion|it|this|that|value|result|which)\s+(?:is|evaluates to|=)\s+"
    r"(?:therefore |thus |indeed |clearly |also )?[*_`]*(true|false|correct|incorrect)\b",
    re.IGNORECASE,
)


def read_boolean(text: str) -> tuple[str, str] | None:
    """The yes or no of a text: the key `yes` or `no`, and the word that stands there; None where there is none.

    In this order: its conclusions, the last first; the word it begins with; the last line or sentence that is such a
    word, or calls a statement true or false.
    """
    text = answer_part(text)
    for said in conclusions(text):
        if found := leading_boolean(said) or _stated(said):
            return found
    if found := leading_boolean(text):
        return found
    if is_refusal(text):
        return None
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")[-400:]
    return leading_boolean(last) or leading_boolean(last.partition(":")[2]) or _concluding(last) or _stated(last)


def leading_boolean(text: str) -> tuple[str, str] | None:
    """The yes or no that a text begins with, followed by punctuation, a reason or nothing."""
    match = _WORD.match(text.lstrip(_LEADING))
    if match is None:
        return None
    return ("yes" if match["yes"] else "no"), match[0].lower()


def _concluding(text: str) -> tuple[str, str] | None:
    found = _CONCLUDING.findall(text)
    return _keyed(found[-1]) if found else None


def _stated(text: str) -> tuple[str, str] | None:
    found = _STATED.findall(text)
    return _keyed(found[-1]) if found else None


def _keyed(word: str) -> tuple[str, str]:
    return ("yes" if word.lower() in {"yes", "true", "correct"} else "no"), word.lower()
