"""Labels in answers: option letters, yes and no, and the known labels a text names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from curator.answers.choices import DECORATION, last_letter, option_letter
from curator.answers.conclusions import conclusion
from curator.answers.normalization import SHORT_WORDS, answer_part, first_sentence, is_refusal, is_short, normal_form

_YES_NO = re.compile(r"(yes|no|true|false)\b(?=\s*(?:[,.;:!–—*-]|$|because\b|since\b))", re.IGNORECASE)  # noqa: RUF001

_LETTERS = re.compile(
    r"\W*(?i:(?:both|options?|choices?|answers?)\s+)*[(\[]?[A-Z][)\].]?(?:(?:\s*[,;/&+]\s*(?:and\s+)?|\s+and\s+)[(\[]?[A-Z][)\].]?)+"
    r"(?:\s+(?:are|is)\s+(?:both\s+)?(?:correct|right|true))?\W*"
)
_A_LETTER = re.compile(r"\b[A-Z]\b")
_LONGEST_SET = 120


def read_letters(text: str) -> tuple[str, str] | None:
    """The set of option letters that an answer gives, as `a,c` and `A,C`; None where it gives less than two."""
    for part in (text, conclusion(text) or ""):
        if len(part) <= _LONGEST_SET and _LETTERS.fullmatch(part):
            letters = sorted(set(_A_LETTER.findall(part)))
            if len(letters) > 1:
                return ",".join(letters).lower(), ",".join(letters)
    return None


def read_label(text: str, labels: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """The label a text gives: its canonical form and its wording; None where it gives none.

    With `labels` the answer is one of them: the one the whole text or its conclusion is, else the first one named in
    the conclusion, else the last line that is one, else the first one named anywhere. Without, it is an option letter,
    a leading yes or no, or the wording itself.
    """
    text = answer_part(text)
    said = conclusion(text)
    if labels:
        return _known_label(text, said, labels)
    if letters := read_letters(text):
        return letters
    if said is None and (not text or is_refusal(text)):
        return None
    wording = first_sentence(said or text).strip(DECORATION)
    choice = option_or_boolean(said or text)
    if choice is None and said is not None:
        choice = last_letter(wording)
    if choice is None and said is None and not is_short(wording):
        last = text.splitlines()[-1].strip(DECORATION)
        choice = last_letter(last) or option_or_boolean(last)
        wording = last if choice is None and is_short(last) else wording
    wording = choice or wording
    return normal_form(wording), wording


def option_or_boolean(text: str) -> str | None:
    """The option letter (upper case) or the yes, no, true, false that a text begins with."""
    if letter := option_letter(text):
        return letter
    match = _YES_NO.match(text.strip(DECORATION))
    return match[1].lower() if match else None


def _known_label(text: str, said: str | None, labels: tuple[str, ...]) -> tuple[str, str] | None:
    known, pattern = _search(labels)
    for candidate in (text, said or ""):
        if normal_form(candidate) in known:
            return _found(normal_form(candidate), known)
        option = option_or_boolean(candidate)
        if option is not None and normal_form(option) in known:
            return _found(normal_form(option), known)
    if said is not None and (match := pattern.search(normal_form(said))):
        return _found(match[0], known)
    for line in reversed(text.splitlines()):
        if len(line.split()) <= SHORT_WORDS and normal_form(line) in known:
            return _found(normal_form(line), known)
    if not is_refusal(text) and (match := pattern.search(normal_form(text))):
        return _found(match[0], known)
    return None


def _found(key: str, known: Mapping[str, str]) -> tuple[str, str]:
    return key, known[key]


@lru_cache(maxsize=64)
def _search(labels: tuple[str, ...]) -> tuple[Mapping[str, str], re.Pattern[str]]:
    """The labels by normal form, and a pattern for the first and longest one named in a normal form.

    A label of one letter is left out of the pattern: the article `a` would name it.
    """
    known = {normal_form(label): label for label in reversed(labels) if label.strip()}
    named = sorted((key for key in known if len(key) > 1), key=lambda key: (-len(key), key))
    choice = "|".join(map(re.escape, named)) or "(?!)"
    return known, re.compile(rf"(?<!\w)(?:{choice})(?!\w)")
