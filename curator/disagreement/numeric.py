"""Numbers in answers: `$1,000`, `-5`, `1/2`, `50%`, `3.5 million`, and which number a text concludes."""

from __future__ import annotations

import re
from fractions import Fraction

from curator.disagreement.wording import SHORT_WORDS, answer_part, conclusion, is_refusal

_NUMBER = re.compile(
    r"""
    (?:(?<![^\s(=:$€£¥*"'{\[,|~≈])(?P<minus>[-−](?=[$€£¥]?\s?[\d.])))?
    (?:[$€£¥]\s?(?P<inner_minus>[-−])?)?
    (?:
        (?<![A-Za-z_\d.])(?:(?P<whole>\d+)\s+)?(?P<numerator>\d+)/(?P<denominator>\d+)(?![\d/])
      | (?<![A-Za-z_\d.])(?P<decimal>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)
        (?:[eE](?P<exponent>[+-]?\d{1,3})(?!\w))?
        (?:\s?(?P<magnitude>thousand|million|billion|trillion)\b)?
    )
    """,  # noqa: RUF001 - the typographic minus is meant
    re.VERBOSE,
)
_APPROXIMATELY = r"(?:about|approximately|around|roughly|exactly|only|~|≈|=|[a-z]\s*=)?"
_UNIT = r"\s*%?(?:\s*[^\W\d_][^\s\d]*){0,3}"
_CALCULATION = re.compile(r"(?<![\d.,])\d[\d.,]*%?\s*[-+*/×÷x]\s*[$€£]?\d[\d.,]*%?\s*=\s*[$€£]?\s*-?\d")  # noqa: RUF001
_MARKS = re.compile(r"<<[^<>]*>>")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_ASIDE = re.compile(r"\([^()]*\)")
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_MAGNITUDES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORDED = {
    word: str(value)
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty",
        )
    )
}
_MAX_DIGITS = 200


def read_number(text: str) -> tuple[str, str] | None:
    """The number a text concludes: its canonical form and the number as it stands there.

    It is the number of a stated conclusion, else the last one of the last line that has any: there, a bold one goes
    first, then the one after the last `=`. Units are not converted: `50%` is 50, `$3` is 3. None: there is none, or
    the text refuses.
    """
    text = _plain(answer_part(text))
    said = conclusion(text)
    if said is not None and (found := _stated(said)):
        return found
    if is_refusal(text):
        return None
    line = next((line for line in reversed(text.splitlines()) if _numbers(line)), "")
    for bold in reversed(_BOLD.findall(line)):
        if found := _last(bold):
            return found
    if "=" in line and (found := _after_equals(line)):
        return found
    return _last(_ASIDE.sub(" ", line)) or _last(line) or _worded(said or text)


def is_bare_number(text: str) -> bool:
    """Whether the text is a number with at most a unit of three words, and no date, time or code."""
    candidate = _plain(text).strip().strip("*`\"'").rstrip(".")
    if len(candidate) > 80 or _MONTH.search(candidate):
        return False
    match = re.match(rf"{_APPROXIMATELY}\s*", candidate, re.IGNORECASE)
    start = match.end() if match else 0
    number = _NUMBER.match(candidate, start)
    return number is not None and re.fullmatch(_UNIT, candidate[number.end() :]) is not None


def has_number(text: str) -> bool:
    """Whether a number can be read from the text at all."""
    return read_number(text) is not None


def concludes_in_number(text: str) -> bool:
    """Whether the text is a bare number, states one as its conclusion, or calculates one."""
    text = answer_part(text)
    said = conclusion(text)
    if said is not None:
        return _begins_with_number(said)
    return is_bare_number(text) or (_CALCULATION.search(_plain(text)) is not None and has_number(text))


def _begins_with_number(text: str) -> bool:
    head = _plain(text).strip().lstrip("*`\"'([")
    match = re.match(rf"{_APPROXIMATELY}\s*", head, re.IGNORECASE)
    number = _NUMBER.match(head, match.end() if match else 0)
    if number is None:
        return _CALCULATION.search(head) is not None
    rest = head[number.end() :]
    return not re.match(r"[-/:]\d", rest) and not _MONTH.search(head[: number.end() + 12])


def _plain(text: str) -> str:
    """The text without calculator marks and with LaTeX numbers written out."""
    text = _FRACTION.sub(r"\1/\2", _MARKS.sub("", text))
    return text.replace("\\$", "$").replace("{,}", ",").replace("\\,", "").replace("\\!", "")


def _stated(said: str) -> tuple[str, str] | None:
    """The number of a stated conclusion: after its last `=`, else the first one."""
    if "=" in said and (found := _after_equals(said)):
        return found
    numbers = _numbers(said)
    return numbers[0] if numbers else _worded(said)


def _after_equals(line: str) -> tuple[str, str] | None:
    for part in reversed(line.split("=")[1:]):
        if numbers := _numbers(part):
            return numbers[0]
    return None


def _last(text: str) -> tuple[str, str] | None:
    numbers = _numbers(text)
    return numbers[-1] if numbers else None


def _worded(text: str) -> tuple[str, str] | None:
    """A number up to twenty that is written as a word, where the answer is hardly more than that."""
    words = re.findall(r"[a-z]+", text.casefold()) if len(text) < 80 else []
    value = _WORDED.get(words[0]) if words and len(words) <= SHORT_WORDS // 2 else None
    return (value, words[0]) if value else None


def _numbers(text: str) -> list[tuple[str, str]]:
    """Every number in the text, in order, as canonical form and wording."""
    found = []
    for match in _NUMBER.finditer(text):
        value = _value(match)
        if value is not None:
            found.append((str(value), match[0].strip()))
    return found


def _value(match: re.Match[str]) -> Fraction | None:
    """The exact value of a match; None for a division by zero and for absurdly long digits."""
    if len(match[0]) > _MAX_DIGITS:
        return None
    if match["denominator"]:
        if not int(match["denominator"]):
            return None
        value = int(match["whole"] or 0) + Fraction(int(match["numerator"]), int(match["denominator"]))
    else:
        value = Fraction(match["decimal"].replace(",", "")) * Fraction(10) ** int(match["exponent"] or 0)
        value *= _MAGNITUDES.get(match["magnitude"] or "", 1)
    return -value if match["minus"] or match["inner_minus"] else value
