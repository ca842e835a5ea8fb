r"""Find the conclusions of a text: after `the answer is`, `Label:`, `####`, in `\boxed{}`.

Several languages are covered. Each form is searched from a word that it always has, with `str.find`: most texts have few of these words, and a single
pattern for all forms would cost ten times as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from curator.answers.normalization import is_short

MOST = 16
"""Conclusions of one text that are tried, from the last one."""
LONGEST = 2000
"""Characters of a conclusion that are searched."""

_MARK = r"[*_`\"'”]*"
_BE = r"(?:\b(?:is|are|was|equals|(?:would|should|must|will|comes\ out\ to)(?:\ be)?)\b|[:=≈：]|\s[-–—](?=\s))"  # noqa: RUF001
_AFTER = rf"{_MARK}[ \t]*(?:(?:therefore|thus|then|simply|just|definitely|clearly|probably|(?:most\ )?likely|actually|indeed|still)\ )?[ \t]*[:：]?{_MARK}\s*"  # noqa: RUF001
_ENGLISH = re.compile(
    rf"""(?<!\w)answers?(?:\ (?:choice|option|key|letter))?{_MARK}
    (?:\s*\([^()\n]{{1,40}}\)|\s+(?:to|for|of|in|i|we|that|among|from|here)\b[^.:\n]{{0,60}}?)?\s*{_BE}{_AFTER}""",
    re.VERBOSE,
)
_NAMES = (
    "answer|label|category|classification|class|intent|sentiment|topic|type|tag|route|queue|department|priority|"
    "choice|option|result|output|verdict|prediction|conclusion|solution"
)
_QUALIFIED = re.compile(
    rf"(?<!\w)(?:final|correct|best|right|predicted)\s+(?:{_NAMES}|one)"
    rf"{_MARK}\s+(?:is|would\ be|should\ be|must\ be)\b{_AFTER}"
)
_FOREIGN = re.compile(
    rf"""(?<!\w)(?:(?:antwort|lösung|ergebnis)(?:\ (?:ist|lautet|wäre))(?:\ (?:also|daher|somit))?
    | respuesta(?:\ (?:correcta|final))?\ (?:es|sería) | réponse(?:\ (?:correcte|finale|exacte))?\ (?:est|serait)
    | risposta(?:\ (?:corretta|finale|esatta|giusta))?\ è | resposta(?:\ (?:correta|final|certa))?\ (?:é|seria)
    | antwoord(?:\ is|\ luidt) | ответ(?:\ это|\s*[—–-])
    | (?:antwort|lösung|ergebnis|respuesta|réponse|risposta|resposta|antwoord|ответ)
      (?:\ (?:correcta|correcte|corretta|correta|final|finale))?{_MARK}\s?[:：]){_AFTER}""",  # noqa: RUF001
    re.VERBOSE,
)
_NAMED = re.compile(
    rf"(?<!\w)(?:sentiment|label|category|class|intent|topic|verdict)(?:\s+(?:of|for|expressed in)\s[^.:\n]{{1,40}}?)?{_MARK}\s+"
    rf"(?:is|would\ be|should\ be)\b{_AFTER}"
)
_EAST_ASIAN = re.compile(
    r"(?:答案(?:应该|應該|就)?(?:是|为|為|选|選|[:\uff1a])|(?:答え|正解)は|(?:정답|답)(?:은|:))[:\uff1a]?\s*"
)
_ASKED = re.compile(
    r"(?:choose|pick|select|say|go with|going with|opt for)\s+(?=[*(\[]*(?:option |choice |answer )?[*(\[]*[a-j][)\]*.,]*(?:\s|$))"
)
_HASHES = re.compile(r"\#{4}(?!\#)\s*(?!\w*\s*answer)")
_BOXED = re.compile(r"\\f?boxed\s*\{")
_ANCHORED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("answer", _ENGLISH),
    ("####", _HASHES),
    *((word, _QUALIFIED) for word in ("final ", "correct ", "best ", "right ", "predicted ")),
    *((word, _ASKED) for word in ("choose ", "pick ", "select ", "say ", "go with ", "going with ", "opt for ")),
    *((word, _NAMED) for word in ("sentiment", "label", "category", "class", "intent", "topic", "verdict")),
    *((word, _FOREIGN) for word in ("antwort", "ergebnis", "respuesta", "risposta", "resposta", "antwoord")),
)
_ANCHORED_BEYOND_ASCII = (
    *((word, _FOREIGN) for word in ("lösung", "réponse", "ответ")),
    *((word, _EAST_ASIAN) for word in ("答案", "答え", "正解", "정답", "답은")),
)
_LINE = re.compile(
    rf"""^[ \t]*(?:\#+[ \t]*|[-•>][ \t]+)?{_MARK}(?:(?:my|the)\ )?(?:final\ |correct\ |predicted\ )?
    (?:(?P<weak>result|output|conclusion|solution)|{_NAMES})(?:\ \([^()\n]{{1,40}}\))?{_MARK}[ \t]*[:：]{_MARK}\s*
    | ^[ \t]*(?:\#+[ \t]*{_MARK}|\*\*)(?:final\ |correct\ )?answer{_MARK}[ \t]*\n\s*
    | (?<=\n)[ \t]*{_MARK}a{_MARK}:{_MARK}\s*""",  # noqa: RUF001
    re.MULTILINE | re.VERBOSE,
)
_IS_RIGHT = re.compile(r"\ is\ (?:the\ |therefore\ |thus\ |clearly\ )?(?:\w+\ )?(?:correct|right|best|answer)\b")
_OPTION_BEFORE = re.compile(
    rf"(?:[Oo]ption |[Cc]hoice |[Aa]nswer |[Ss]tatement )?(\([A-Za-z]\)|(?:(?<=[Oo]ption )|(?<=[Cc]hoice )|(?<=[Aa]nswer )|"
    rf"(?<![\w'’ -])|(?<=[.,;:*] )|(?<=so )|(?<=that ))[A-Z])[).]?{_MARK}$"  # noqa: RUF001
)
_TAGGED = re.compile(r"<(?:final_)?answer>")
# The end of a value in `{"answer": "B", "reason": ...}`
_VALUE_END = re.compile(r"[\"']?\s*(?:,\s*[\"']|\}\s*$)")
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit)\s*\{([^{}]*)\}")
_POLITE_ENDING = re.compile(r"\s*(?:です|だ|입니다|이다|である)?[。.]?$")


def conclusion(text: str) -> str | None:
    r"""Return the last conclusion of a text; None without one.

    The rest of the line is kept; the reader of the kind decides how much of it counts.
    """
    stated = conclusions(text)
    return stated[0] if stated else None


@lru_cache(maxsize=256)
def conclusions(text: str) -> tuple[str, ...]:
    """Return all conclusions of a text, the last one first; a later one may be only a remark."""
    lower = text.lower()
    if len(lower) != len(text):  # The lower case of a few letters is longer, so that positions would differ.
        lower = text
    places = sorted(_places(text, lower), reverse=True)[:MOST]
    stated: Iterable[str] = (named or _line_at(text, start) for start, named in places)
    if text.startswith("{"):
        stated = (_VALUE_END.split(part, maxsplit=1)[0] for part in stated)
    return tuple(part for part in stated if part and not part.lower().startswith("not "))


def _places(text: str, lower: str) -> Iterator[tuple[int, str]]:
    """Yield the start of each conclusion, and its text where that is not the rest of the line."""
    for word, pattern in _ANCHORED if text.isascii() else _ANCHORED + _ANCHORED_BEYOND_ASCII:
        position = lower.find(word)
        while position >= 0:
            if match := pattern.match(lower, position):
                yield match.end(), ""
            position = lower.find(word, position + len(word))
    if ":" in text or "：" in text or "#" in text or "**" in text:  # noqa: RUF001
        yield from _labelled_lines(text, lower)
    yield from _enclosed(text, lower)
    position = lower.find(" is ")
    while position >= 0:
        if (match := _IS_RIGHT.match(lower, position)) and (
            option := _OPTION_BEFORE.search(text[max(0, position - 24) : position])
        ):
            yield match.end(), option[1]
        position = lower.find(" is ", position + 4)


def _enclosed(text: str, lower: str) -> Iterator[tuple[int, str]]:
    r"""Yield the contents of `\boxed{}` and of `<answer></answer>`, with their starts."""
    if "boxed" in lower:
        for match in list(_BOXED.finditer(text))[-MOST:]:
            yield match.end(), _in_braces(text, match.end())
    if "answer>" in lower:
        for match in list(_TAGGED.finditer(lower))[-MOST:]:
            yield match.end(), text[match.end() : match.end() + LONGEST].partition("</")[0].strip()


def _labelled_lines(text: str, lower: str) -> Iterator[tuple[int, str]]:
    for match in _LINE.finditer(lower):
        # A solution is often several lines of reasoning: its first line is not an answer.
        if not match["weak"] or is_short(_line_at(text, match.end())):
            yield match.end(), ""


def _line_at(text: str, start: int) -> str:
    end = text.find("\n", start)
    line = text[start : min(end if end >= 0 else len(text), start + LONGEST)].strip()
    if not line.isascii():
        line = _POLITE_ENDING.sub("", line)
    return _LATEX_TEXT.sub(r"\1", line) if "\\" in line else line


def _in_braces(text: str, start: int) -> str:
    """Return the text up to the brace that closes the one before `start`; "" without it."""
    depth = 1
    for end in range(start, min(len(text), start + LONGEST)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if not depth:
            return _LATEX_TEXT.sub(r"\1", text[start:end].strip())
    return ""
