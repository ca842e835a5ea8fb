"""Options and labels: those that an input lists, and the one that an answer gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from curator.answers.conclusions import conclusion, conclusions
from curator.answers.normalization import SHORT_WORDS, answer_part, first_sentence, is_refusal, is_short, normal_form

DECORATION = "*_`\"' \t“”$"
LOOKED_AT = 20_000
"""Characters at the end of an input that are searched: the options stand there."""
_LISTS = 8
"""Lists of options that are tried, from the last one."""
LONGEST_OPTION = 300
"""Characters of an option's wording; longer parts belong to a document with lettered sections."""

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
    """The options of an input, in order.

    Attributes:
        keys: the key of each option: its letter, else the normal form of its wording.
        texts: the wording of each option.
        index_of: the index of the option by the normal form of its letter or wording.
        pattern: finds the first and longest wording in a normal form.
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    index_of: Mapping[str, int]
    pattern: re.Pattern[str]


@lru_cache(maxsize=256)
def find_choices(text: str) -> Choices | None:
    """Find the options that an input lists; None without a list.

    A list is a row of `(A) ...`, `A. ...` or `A) ...`, else bullets below `Options:`, else an enumeration after words such
    as `one of` or `answer with`. Of several lists the last one counts: the others are examples before the question.
    """
    if len(text) > LOOKED_AT:
        text = text[-LOOKED_AT:]
    for pattern in (_LINE_LETTERED, _LETTERED):
        if options := _last_run(text, pattern):
            return _choices_of(options)
    if lists := _BULLETS.findall(text):
        return _choices_of([("", _name(line)) for line in lists[-1].strip().splitlines()])
    return _choices_of([("", option) for option in _enumerated(text)])


def _name(line: str) -> str:
    """Return the option of a bullet: the part before the colon in `- billing: about money`."""
    text = line.strip().lstrip("-*• \t")
    name, colon, _ = text.partition(": ")
    return name.strip(DECORATION) if colon and len(name.split()) <= _NAME_WORDS else text


def _enumerated(text: str) -> list[str]:
    """Return the options of a sentence such as `Classify it as positive, negative or neutral`."""
    for match in list(_ENUMERATION.finditer(text))[::-1][:_LISTS]:
        options = [option.strip(DECORATION) for option in _OR.split(match[1])]
        options = [option for option in options if option]
        if len(options) > 1 and all(len(option.split()) <= _NAME_WORDS for option in options):
            return options
    return []


def read_choice(text: str, choices: Choices) -> tuple[str, str] | None:
    """Read the option that a text gives, as key and wording; None if it names none, or several.

    These are tried in order: the whole text; its conclusions, the last first; its last and its first line; the only option
    named in its last sentence, then in its last line, then in all of it. A text that was cut off gives no option by naming
    one.
    """
    text = answer_part(text)
    if (index := stated_choice(text, choices)) is not None:
        return _answered(choices, index)
    if is_refusal(text) or not _ENDED.search(text):
        return None
    last_line = text.rpartition("\n")[2]
    for part in dict.fromkeys((re.split(r"(?<=[.!?])\s+", last_line.strip())[-1], last_line, text)):
        named = _named(part, choices)
        if len(named) == 1:
            return _answered(choices, named.pop())
    return None


def stated_choice(text: str, choices: Choices) -> int | None:
    """Return the index of the option that a text states; None if it states none.

    The whole text, a conclusion, its last or its first line must be the option.
    """
    text = _CUE.sub("", answer_part(text))
    if (index := _exact(text, choices)) is not None:
        return index
    for stated in conclusions(text):
        if (index := _concluded(stated, choices)) is not None:
            return index
    lines = text.splitlines()
    for line in (lines[-1], lines[0]) if len(lines) > 1 else ():
        if (index := _exact(line, choices)) is not None:
            return index
    return None


def option_letter(text: str) -> str | None:
    """Return the option letter, in upper case, that a text begins with; None without one."""
    match = _OPTION.match(text.strip(DECORATION))
    return next(group for group in match.groups() if group).upper() if match else None


def last_letter(text: str) -> str | None:
    """Return the last letter in brackets, or after `option`, of a text; None without one."""
    letters = _BRACKETED.findall(text)
    return next(filter(None, letters[-1])) if letters else None


def _exact(text: str, choices: Choices) -> int | None:
    """Return the index of the option whose letter, wording, or both, are the whole text."""
    if len(text) > 2 * LONGEST_OPTION:
        return None
    mark = _LISTED.match(text)
    letter = mark[1] if mark else option_letter(text)
    if letter is not None and (index := choices.index_of.get(letter.casefold())) is not None:
        return index
    return choices.index_of.get(normal_form(text))


def _concluded(stated: str, choices: Choices) -> int | None:
    """Return the index of the option that a conclusion names by letter or by wording."""
    for part in (stated, first_sentence(stated).rstrip(".!")):
        if (index := _exact(part, choices)) is not None:
            return index
    part = first_sentence(stated)
    if letter := last_letter(part):
        return choices.index_of.get(letter.casefold())
    match = choices.pattern.search(normal_form(part))
    return choices.index_of[match[0]] if match else None


def _named(text: str, choices: Choices) -> set[int]:
    """Return the indices of the options named by a letter in brackets, else by their wording."""
    text = text[-LOOKED_AT:]
    letters = {next(filter(None, groups)).casefold() for groups in _BRACKETED.findall(text)}
    if by_letter := {choices.index_of[letter] for letter in letters if letter in choices.index_of}:
        return by_letter
    return {choices.index_of[wording] for wording in choices.pattern.findall(normal_form(text))}


def _answered(choices: Choices, index: int) -> tuple[str, str]:
    letter = choices.keys[index]
    return (
        (letter, letter.upper())
        if len(letter) <= 2 and letter != normal_form(choices.texts[index])
        else (letter, choices.texts[index])
    )


def _last_run(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return the last row of options lettered A, B, C ..., a, b, c ... or 1, 2, 3 ..."""
    matches = list(pattern.finditer(text))
    runs: list[list[re.Match[str]]] = []
    for match in matches:
        mark = _mark(match)
        if mark in ("A", "a", "1"):
            runs.append([match])
        elif runs and mark == _next(_mark(runs[-1][-1])):
            runs[-1].append(match)
    for run in runs[: -_LISTS - 1 : -1]:
        # Numbered lines are mostly steps or facts, so that a word such as `options` must precede them.
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
    """Return the first line of an option, without the `Answer:` that may follow the last option."""
    line = text[: 2 * LONGEST_OPTION].strip().partition("\n")[0]
    return _ANSWER_CUE.sub("", line).strip().strip(",;*_").strip()


def _choices_of(options: Sequence[tuple[str, str]]) -> Choices | None:
    if len(options) < 2:
        return None
    texts = tuple(text for _, text in options)
    keys = tuple(mark.casefold() or normal_form(text) for mark, text in options)
    index_of: dict[str, int] = {}
    for index, text in enumerate(texts):
        index_of.setdefault(normal_form(text), index)
    wordings = _longest_first(index_of)
    index_of |= {key: index for index, key in enumerate(keys)}
    return Choices(
        keys, texts, index_of, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wordings)) or '(?!)'})(?!\w)")
    )


def _longest_first(wordings: Iterable[str]) -> list[str]:
    """Sort the wordings to search for; single letters are left out, as the article `a` is one."""
    return sorted((wording for wording in wordings if len(wording) > 1), key=lambda wording: (-len(wording), wording))


def read_letters(text: str) -> tuple[str, str] | None:
    """Read a set of option letters, as `a,c` and `A,C`; None for fewer than two letters."""
    for part in (text, conclusion(text) or ""):
        if len(part) <= _LONGEST_SET and _LETTER_SET.fullmatch(part):
            letters = sorted(set(_CAPITAL.findall(part)))
            if len(letters) > 1:
                return ",".join(letters).lower(), ",".join(letters)
    return None


def read_label(text: str, labels: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Read the label of a text, as canonical form and wording; None if it gives none.

    With `labels` the answer is one of them: the whole text or its conclusion, else the first label named in the conclusion,
    else the last line that is a label, else the first label named anywhere. Without `labels` it is an option letter, a
    leading yes or no, or the wording itself.
    """
    text = answer_part(text)
    stated = conclusion(text)
    if labels:
        return _known_label(text, stated, labels)
    if letters := read_letters(text):
        return letters
    if stated is None and (not text or is_refusal(text)):
        return None
    wording = first_sentence(stated or text).strip(DECORATION)
    choice = option_or_boolean(stated or text)
    if choice is None and stated is not None:
        choice = last_letter(wording)
    if choice is None and stated is None and not is_short(wording):
        last = text.splitlines()[-1].strip(DECORATION)
        choice = last_letter(last) or option_or_boolean(last)
        wording = last if choice is None and is_short(last) else wording
    wording = choice or wording
    return normal_form(wording), wording


def option_or_boolean(text: str) -> str | None:
    """Return the option letter (upper case) or the yes, no, true, false that a text begins with."""
    if letter := option_letter(text):
        return letter
    match = _YES_NO.match(text.strip(DECORATION))
    return match[1].lower() if match else None


def _known_label(text: str, stated: str | None, labels: tuple[str, ...]) -> tuple[str, str] | None:
    labels_by_form, pattern = _label_search(labels)
    for candidate in (text, stated or ""):
        if normal_form(candidate) in labels_by_form:
            return _keyed_label(normal_form(candidate), labels_by_form)
        option = option_or_boolean(candidate)
        if option is not None and normal_form(option) in labels_by_form:
            return _keyed_label(normal_form(option), labels_by_form)
    if stated is not None and (match := pattern.search(normal_form(stated))):
        return _keyed_label(match[0], labels_by_form)
    for line in reversed(text.splitlines()):
        if len(line.split()) <= SHORT_WORDS and normal_form(line) in labels_by_form:
            return _keyed_label(normal_form(line), labels_by_form)
    if not is_refusal(text) and (match := pattern.search(normal_form(text))):
        return _keyed_label(match[0], labels_by_form)
    return None


def _keyed_label(key: str, labels_by_form: Mapping[str, str]) -> tuple[str, str]:
    return key, labels_by_form[key]


@lru_cache(maxsize=64)
def _label_search(labels: tuple[str, ...]) -> tuple[Mapping[str, str], re.Pattern[str]]:
    """Return the labels by normal form, and a pattern for the first and longest of them.

    A label of one letter is left out of the pattern, because the article `a` would match it.
    """
    labels_by_form = {normal_form(label): label for label in reversed(labels) if label.strip()}
    named = sorted((key for key in labels_by_form if len(key) > 1), key=lambda key: (-len(key), key))
    choice = "|".join(map(re.escape, named)) or "(?!)"
    return labels_by_form, re.compile(rf"(?<!\w)(?:{choice})(?!\w)")
