"""Multiple choice: the options that an input lists, and which of them an answer gives, by letter or by wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from curator.answers.conclusions import conclusion, conclusions
from curator.answers.normalization import SHORT_WORDS, answer_part, first_sentence, is_refusal, is_short, normal_form

DECORATION = "*_`\"' \t“”$"
LOOKED_AT = 20_000
"""Characters of an input that are looked at, from its end: there the options stand."""
_LISTS = 8
"""Rows of options that are looked at, the last ones."""
LONGEST_OPTION = 300
"""Characters of an option's wording; what is longer is no option but a document with lettered parts."""

_LETTERED = re.compile(r"(?<![\w.])(?:\(([A-Za-z]|\d{1,2})\)|\b([A-Z])[).:](?=\s))[ \t]*")
_LINE_LETTERED = re.compile(
    r"^[ \t]*(?:[-*•][ \t]+)?[*_]*[(\[]?([A-Za-z]|\d{1,2})[)\].:]+[*_]*[ \t]+(?=\S)", re.MULTILINE
)
_LISTED = re.compile(
    r"[\s*_`\"'(\[]*(?:(?:it is|it's|that is|that's|option|choice|number) )?[(\[]?(\d{1,2}|[a-z])(?:[)\].:]+[*_`]*(?:\s|$)|[*_`\s]*$)",
    re.IGNORECASE,
)
_CUE = re.compile(r"^A:\s*(?=[(\[]?[A-Z][)\].]*\s*$)")
_BULLETS = re.compile(
    r"(?:options|choices|answer choices|possible answers|labels|categories)\s*+(?:are\s*+)?:\s*((?:\n[ \t]*[-*•][ \t]+[^\n]+)+)",
    re.IGNORECASE,
)
_ENUMERATION = re.compile(
    r"\b(?:one of|options|choices|labels|categories|classes|intents|(?:classify|label|categori[sz]e)\b[^.\n:]{0,60}?\b(?:as|into)|"
    r"(?:answer|respond|reply)(?: only| just)? with|(?:choose|choosing|select|pick) (?:between|from|among)|either|is (?:it|this|that))\b"
    r"(?: only| exactly| just)?(?: one of| either)?(?: the)?(?: following)?(?: (?:labels|options|categories|words|letters|answers|teams))?\s*+[:(]?\s*+([^.\n?!:;)]{3,600})",
    re.IGNORECASE,
)
_OR = re.compile(r"\s*(?:,\s*(?:or|and)\b|,|\||/|\bor\b|\band\b)\s*")
_NAME_WORDS = 5
_ANSWER_CUE = re.compile(r"\s*\b(?:answer|a|q|output)\s*:.*$", re.IGNORECASE | re.DOTALL)
_OPTION = re.compile(
    r"""
    (?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)[ ]*(?:[:][ ]*)?)?[*_`"']*
    (?:
        [(\[](?P<bracketed>[A-Za-z]|\d{1,2})[)\]](?!\w)
      | (?P<alone>[A-Za-z])[).:,]*[*_`"']*$
      | (?P<listed>[A-Z])(?:[*_`]*[).:][*_`]*\s|[*_`]*\s+[-–—]\s|[,]?\s+(?:because|since|as)\b|\s*\(|,\s)
    )
    """,  # noqa: RUF001 - the dashes are meant
    re.VERBOSE,
)
_ENDED = re.compile(r"[.!?)\]*_`\"'”。]\s*$|^[^.]{1,80}$")
_BRACKETED = re.compile(r"[(\[]([A-Z])[)\]]|\b[Oo]ption ([A-Z])\b|\b[Cc]hoice ([A-Z])\b")
_YES_NO = re.compile(r"(yes|no|true|false)\b(?=\s*(?:[,.;:!–—*-]|$|because\b|since\b))", re.IGNORECASE)  # noqa: RUF001

_LETTER_SET = re.compile(
    r"\W*(?i:(?:both|options?|choices?|answers?)\s+)*[(\[]?[A-Z][)\].]?(?:(?:\s*[,;/&+]\s*(?:and\s+)?|\s+and\s+)[(\[]?[A-Z][)\].]?)+"
    r"(?:\s+(?:are|is)\s+(?:both\s+)?(?:correct|right|true))?\W*"
)
_CAPITAL = re.compile(r"\b[A-Z]\b")
_LONGEST_SET = 120


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of an input, in order. `keys`: what each is compared by (its letter, else its normal form).

    `known` leads from the normal form of a letter or wording to the option's index; `pattern` finds the first and
    longest wording in a normal form.
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    known: Mapping[str, int]
    pattern: re.Pattern[str]


@lru_cache(maxsize=256)
def find_choices(text: str) -> Choices | None:
    """The options an input lists; None where it lists none.

    `(A) ...`, `A. ...`, `A) ...` in a row, else bullets below `Options:`, else an enumeration after words such as
    `one of` or `answer with`.

    Of several lists (examples before the question) the last one counts.
    """
    if len(text) > LOOKED_AT:
        text = text[-LOOKED_AT:]
    for pattern in (_LINE_LETTERED, _LETTERED):
        if found := _last_run(text, pattern):
            return _made(found)
    if lists := _BULLETS.findall(text):
        return _made([("", _name(line)) for line in lists[-1].strip().splitlines()])
    return _made([("", option) for option in _enumerated(text)])


def _name(line: str) -> str:
    """A bullet's option: what stands before the colon of `- billing: whatever is about money`."""
    text = line.strip().lstrip("-*• \t")
    name, colon, _ = text.partition(": ")
    return name.strip(DECORATION) if colon and len(name.split()) <= _NAME_WORDS else text


def _enumerated(text: str) -> list[str]:
    """The options in a sentence such as `Classify it as positive, negative or neutral`."""
    for match in list(_ENUMERATION.finditer(text))[::-1][:_LISTS]:
        options = [option.strip(DECORATION) for option in _OR.split(match[1])]
        options = [option for option in options if option]
        if len(options) > 1 and all(len(option.split()) <= _NAME_WORDS for option in options):
            return options
    return []


def read_choice(text: str, choices: Choices) -> tuple[str, str] | None:
    """The option a text gives, as its key and wording; None where it gives none, or names several.

    In this order: the whole text; its conclusions, the last first; its last and its first line; the only option that
    its last sentence names, then its last line, then all of it. A text that breaks off names none.
    """
    text = answer_part(text)
    if (found := stated_choice(text, choices)) is not None:
        return _answered(choices, found)
    if is_refusal(text) or not _ENDED.search(text):
        return None
    last_line = text.rpartition("\n")[2]
    for part in dict.fromkeys((re.split(r"(?<=[.!?])\s+", last_line.strip())[-1], last_line, text)):
        named = _named(part, choices)
        if len(named) == 1:
            return _answered(choices, named.pop())
    return None


def stated_choice(text: str, choices: Choices) -> int | None:
    """The index of the option that the whole text, a conclusion of it or its last line is; None where none is stated."""
    text = _CUE.sub("", answer_part(text))
    if (found := _exact(text, choices)) is not None:
        return found
    for said in conclusions(text):
        if (found := _said(said, choices)) is not None:
            return found
    lines = text.splitlines()
    for line in (lines[-1], lines[0]) if len(lines) > 1 else ():
        if (found := _exact(line, choices)) is not None:
            return found
    return None


def option_letter(text: str) -> str | None:
    """The option letter (upper case) that a text begins with."""
    match = _OPTION.match(text.strip(DECORATION))
    return next(group for group in match.groups() if group).upper() if match else None


def last_letter(text: str) -> str | None:
    """The last letter in brackets, or after `option`, of a text."""
    found = _BRACKETED.findall(text)
    return next(filter(None, found[-1])) if found else None


def _exact(text: str, choices: Choices) -> int | None:
    """The option that a text is: its letter, its wording, or its letter with its wording."""
    if len(text) > 2 * LONGEST_OPTION:
        return None
    mark = _LISTED.match(text)
    letter = mark[1] if mark else option_letter(text)
    if letter is not None and (found := choices.known.get(letter.casefold())) is not None:
        return found
    return choices.known.get(normal_form(text))


def _said(said: str, choices: Choices) -> int | None:
    """The option that a conclusion names, at its beginning, in brackets, or by its wording."""
    for part in (said, first_sentence(said).rstrip(".!")):
        if (found := _exact(part, choices)) is not None:
            return found
    part = first_sentence(said)
    if letter := last_letter(part):
        return choices.known.get(letter.casefold())
    match = choices.pattern.search(normal_form(part))
    return choices.known[match[0]] if match else None


def _named(text: str, choices: Choices) -> set[int]:
    """The options that a text names, by a letter in brackets, else by their wording."""
    text = text[-LOOKED_AT:]
    letters = {next(filter(None, groups)).casefold() for groups in _BRACKETED.findall(text)}
    if found := {choices.known[letter] for letter in letters if letter in choices.known}:
        return found
    return {choices.known[wording] for wording in choices.pattern.findall(normal_form(text))}


def _answered(choices: Choices, index: int) -> tuple[str, str]:
    letter = choices.keys[index]
    return (
        (letter, letter.upper())
        if len(letter) <= 2 and letter != normal_form(choices.texts[index])
        else (letter, choices.texts[index])
    )


def _last_run(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """The last row of options lettered A, B, C ... (a, b, c; 1, 2, 3), each with its wording."""
    matches = list(pattern.finditer(text))
    runs: list[list[re.Match[str]]] = []
    for match in matches:
        mark = _mark(match)
        if mark in ("A", "a", "1"):
            runs.append([match])
        elif runs and mark == _next(_mark(runs[-1][-1])):
            runs[-1].append(match)
    for run in runs[: -_LISTS - 1 : -1]:
        # numbered lines are more often steps or facts than options
        if len(run) > 1 and (
            not _mark(run[0]).isdigit()
            or re.search(r"(?i)\b(?:options|choices|choose|which|select)\b", text[: run[0].start()])
        ):
            ends = [*(match.start() for match in run[1:]), len(text)]
            options = [(_mark(m), _wording(text[m.end() : end])) for m, end in zip(run, ends, strict=True)]
            if all(option and len(option) <= LONGEST_OPTION for _, option in options):
                return options
    return []


def _mark(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _next(mark: str) -> str:
    return str(int(mark) + 1) if mark.isdigit() else chr(ord(mark) + 1)


def _wording(text: str) -> str:
    """An option's text: its line, without the cue for the answer that may follow the last one."""
    line = text[: 2 * LONGEST_OPTION].strip().partition("\n")[0]
    return _ANSWER_CUE.sub("", line).strip().strip(",;*_").strip()


def _made(options: Sequence[tuple[str, str]]) -> Choices | None:
    if len(options) < 2:
        return None
    texts = tuple(text for _, text in options)
    keys = tuple(mark.casefold() or normal_form(text) for mark, text in options)
    known: dict[str, int] = {}
    for index, text in enumerate(texts):
        known.setdefault(normal_form(text), index)
    wordings = _longest_first(known)
    known |= {key: index for index, key in enumerate(keys)}
    return Choices(keys, texts, known, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wordings)) or '(?!)'})(?!\w)"))


def _longest_first(wordings: Iterable[str]) -> list[str]:
    """The wordings to look for in a text; one of a single letter is left out, as the article `a` would be it."""
    return sorted((wording for wording in wordings if len(wording) > 1), key=lambda wording: (-len(wording), wording))


def read_letters(text: str) -> tuple[str, str] | None:
    """The set of option letters that an answer gives, as `a,c` and `A,C`; None where it gives less than two."""
    for part in (text, conclusion(text) or ""):
        if len(part) <= _LONGEST_SET and _LETTER_SET.fullmatch(part):
            letters = sorted(set(_CAPITAL.findall(part)))
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
    known, pattern = _label_search(labels)
    for candidate in (text, said or ""):
        if normal_form(candidate) in known:
            return _keyed_label(normal_form(candidate), known)
        option = option_or_boolean(candidate)
        if option is not None and normal_form(option) in known:
            return _keyed_label(normal_form(option), known)
    if said is not None and (match := pattern.search(normal_form(said))):
        return _keyed_label(match[0], known)
    for line in reversed(text.splitlines()):
        if len(line.split()) <= SHORT_WORDS and normal_form(line) in known:
            return _keyed_label(normal_form(line), known)
    if not is_refusal(text) and (match := pattern.search(normal_form(text))):
        return _keyed_label(match[0], known)
    return None


def _keyed_label(key: str, known: Mapping[str, str]) -> tuple[str, str]:
    return key, known[key]


@lru_cache(maxsize=64)
def _label_search(labels: tuple[str, ...]) -> tuple[Mapping[str, str], re.Pattern[str]]:
    """The labels by normal form, and a pattern for the first and longest one named in a normal form.

    A label of one letter is left out of the pattern: the article `a` would name it.
    """
    known = {normal_form(label): label for label in reversed(labels) if label.strip()}
    named = sorted((key for key in known if len(key) > 1), key=lambda key: (-len(key), key))
    choice = "|".join(map(re.escape, named)) or "(?!)"
    return known, re.compile(rf"(?<!\w)(?:{choice})(?!\w)")
