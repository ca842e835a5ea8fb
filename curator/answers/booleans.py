"""Yes and no in answers, in several languages; true and false count as yes and no."""

from __future__ import annotations

import re

from curator.answers.conclusions import conclusions
from curator.answers.normalization import answer_part, is_refusal

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
_EMPHATIC = re.compile(
    r"""(?P<no>(?:(?:most|almost)\ )?(?:absolutely|certainly|definitely|of\ course|unfortunately|probably|surely|obviously|apparently)\ not
      | not\ (?:at\ all|really|necessarily|that\ i\ know)|never|by\ no\ means|i\ (?:don't|do\ not)\ (?:think|believe)\ so|i\ doubt\ it
      | (?:it|that|this|he|she|they)\ (?:(?:is|was|does|did|do|has|can|will|could|would)(?:\ not|n't)|can't|cannot|won't))
    | (?P<yes>(?:absolutely|certainly|definitely|of\ course|sure|surely|indeed|obviously|i\ (?:think|believe)\ so
      | (?:it|that|this|he|she|they)\ (?:is|was|does|did|do|has|can|will|could|would))|y)
    | (?P<short_no>n)""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIAL = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)(?:\s+not\b|n't\b)|\b(?:cannot|can't|won't)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\bnot\b|n['’]t\b|\bcannot\b", re.IGNORECASE)  # noqa: RUF001
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)\b", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_PRONOUNS = frozenset({"it", "that", "this", "they", "he", "she", "you", "i", "we", "not", "the", "a", "an", "no"})
_LONGEST_ECHO = 12
"""Words of a sentence that repeats the question."""
_LOOKED_AT = 400
"""Characters at the end of an input that are searched for its question."""


def read_boolean(text: str, *, asked: str = "") -> tuple[str, str] | None:
    """Read the yes or no of a text, as key and wording; None without one.

    The key is `yes` or `no`.     These are tried in order: its conclusions, the last first; its first word; a last line or sentence that is such a word,
    or calls a statement true or false; an answer of emphasis only (`Certainly not.`, `Of course.`); a sentence that repeats
    the question `asked`, with or without a `not` (`It is not allowed.`).
    """
    text = answer_part(text)
    for stated in conclusions(text):
        if reading := leading_boolean(stated) or _stated(stated):
            return reading
    if reading := leading_boolean(text):
        return reading
    if is_refusal(text):
        return None
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")[-400:]
    return (
        leading_boolean(last)
        or leading_boolean(last.partition(":")[2])
        or _concluding(last)
        or _stated(last)
        or emphatic_boolean(text)
        or _echoed(text, asked)
    )


def emphatic_boolean(text: str) -> tuple[str, str] | None:
    """Read an answer that is only an emphatic yes or no, or the letter y or n; None otherwise."""
    wording = text.replace("’", "'").strip(_LEADING + ".!,;*)]}")  # noqa: RUF001
    match = _EMPHATIC.fullmatch(wording)
    if match is None:
        return None
    return ("yes" if match["yes"] else "no"), wording.lower()


def _echoed(text: str, asked: str) -> tuple[str, str] | None:
    """Read a short sentence whose words all come from the question, except a pronoun and `not`."""
    text = text.replace("’", "'").strip(_LEADING + ".!*)]}")  # noqa: RUF001
    words = text.lower().split()
    if not asked.rstrip().endswith("?") or not 2 < len(words) <= _LONGEST_ECHO or re.search(r"[.!?\n]", text):
        return None
    denied = _DENIAL.search(text)
    words_of_answer = set(_WORDS.findall(_DENIAL.sub(" ", text).lower())) - _PRONOUNS - {"be"}
    question = set(_WORDS.findall(asked[-_LOOKED_AT:].replace("’", "'").lower()))  # noqa: RUF001
    if (
        not words_of_answer
        or not words_of_answer <= question
        or not (denied or _VERB.search(text))
        or _NOT.search(asked[-_LOOKED_AT:])
    ):
        return None
    return ("no" if denied else "yes"), text


def leading_boolean(text: str) -> tuple[str, str] | None:
    """Read the yes or no that a text begins with, before punctuation, a reason or the end."""
    match = _WORD.match(text.lstrip(_LEADING))
    if match is None:
        return None
    return ("yes" if match["yes"] else "no"), match[0].lower()


def _concluding(text: str) -> tuple[str, str] | None:
    words = _CONCLUDING.findall(text)
    return _keyed(words[-1]) if words else None


def _stated(text: str) -> tuple[str, str] | None:
    words = _STATED.findall(text)
    return _keyed(words[-1]) if words else None


def _keyed(word: str) -> tuple[str, str]:
    return ("yes" if word.lower() in {"yes", "true", "correct"} else "no"), word.lower()
