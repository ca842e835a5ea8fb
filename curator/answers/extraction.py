"""Extract the answer from a prompt variant's output, where the variant says that it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from curator.answers.json_values import parse_json
from curator.answers.normalization import answer_part
from curator.answers.numbers import read_number
from curator.records import JsonValue

Reading = Literal["whole", "last_line", "after", "tag", "regex", "json", "last_number"]
LOOKED_AT = 10_000
"""Characters at the end of an output that a pattern of the user is tried on."""

_PATH = re.compile(r"(?:[\w-]+|\[\d+\])(?:\.[\w-]+|\[\d+\])*")
_STEP = re.compile(r"\[(\d+)\]|([\w-]+)")


@dataclass(frozen=True, slots=True)
class ReadRule:
    """The place of the answer in a prompt variant's output.

    `read` is one of `whole`: everything; `last_line`: the last line that is not blank; `after`: the text after the last
    `marker`; `tag`: the contents of the last `<marker>...</marker>`; `regex`: the first group (else all) of the last match
    of `pattern`; `json`: the value at `path` (`answer.label`, `results[0].value`) in the output's JSON; `last_number`: the
    number that the output concludes in. The case of a marker does not matter.
    """

    read: Reading
    marker: str = ""
    pattern: str = ""
    path: str = ""


def extract(text: str, rule: ReadRule) -> str:
    """Return the part of an output with the answer; the whole output if the part is absent."""
    text = text.strip()
    return _READERS[rule.read](text, rule).strip() or text


def path_problem(path: str) -> str:
    """Return what is wrong with a path into JSON; "" if it is valid."""
    return "" if _PATH.fullmatch(path) else f"{path!r} is not a path such as `answer.label` or `results[0].value`"


def _whole(text: str, _rule: ReadRule) -> str:
    return text


def _last_line(text: str, _rule: ReadRule) -> str:
    return text.rpartition("\n")[2]


def _after(text: str, rule: ReadRule) -> str:
    return re.split(re.escape(rule.marker), text, flags=re.IGNORECASE)[-1] if rule.marker else ""


def _tag(text: str, rule: ReadRule) -> str:
    if not rule.marker:
        return ""
    # The closing tag is missing where the output was cut off.
    tag = re.escape(rule.marker)
    inside = re.split(rf"<{tag}>", text, flags=re.IGNORECASE)[-1]
    return re.split(rf"</{tag}>", inside, flags=re.IGNORECASE)[0]


def _regex(text: str, rule: ReadRule) -> str:
    last = None
    for match in _compiled(rule.pattern).finditer(text[-LOOKED_AT:]):
        last = match
    if last is None:
        return ""
    return (last[1] or "") if last.re.groups else last[0]


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _json(text: str, rule: ReadRule) -> str:
    parsed = parse_json(answer_part(text))
    value: JsonValue = parsed[0] if parsed else None
    for index, name in _STEP.findall(rule.path):
        value = _inside(value, int(index) if index else name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _inside(value: JsonValue, step: int | str) -> JsonValue:
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else None
    return value.get(step) if isinstance(value, dict) and isinstance(step, str) else None


def _last_number(text: str, _rule: ReadRule) -> str:
    reading = read_number(text)
    return reading[1] if reading else ""


_READERS: Mapping[Reading, Callable[[str, ReadRule], str]] = {
    "whole": _whole,
    "last_line": _last_line,
    "after": _after,
    "tag": _tag,
    "regex": _regex,
    "json": _json,
    "last_number": _last_number,
}
