"""The words in which two answers differ, as runs of text that a page can mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from curator.text.display import clean

# A token takes the spaces after it along. Chinese, Japanese and Korean characters count as words of their own: those scripts
# put no space between words.
_TOKEN = re.compile(r"(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\d+(?:[.,:/-]\d+)*|\w+|.)\s*")
_MOST_TOKENS = 400
"""Tokens that are compared between the equal beginning and the equal end of two answers: the time grows with their square, and
two unlike answers of 400 take about 3 ms."""
_LEAST_SHARED = 0.2
"""Below this share of equal words two answers are marked as a whole: single equal words would be chance."""
_CONTEXT = 80
"""Characters that are shown before and after a difference; a longer equal run is cut in its middle."""
_GAP = " \u2026 "


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text of one answer; `differs` where the other answer does not have it."""

    text: str
    differs: bool


Runs = tuple[TextRun, ...]


def word_diff(given: str, expected: str, *, limit: int) -> tuple[Runs, Runs]:
    """Return both answers as runs, with the words that only one of them has marked.

    Equal stretches are shortened in the middle, so that a difference at the end of a long answer is shown, and each side
    is cut to about `limit` characters.
    """
    left, right = (_cut(shortened(runs, context=_CONTEXT), limit) for runs in marked_words(given, expected))
    return left, right


def marked_words(given: str, expected: str) -> tuple[Runs, Runs]:
    """Return both answers whole as runs, with the words that only one of them has marked."""
    first, second = (_TOKEN.findall(clean(text).strip()) for text in (given, expected))
    equal = _equal_blocks(first, second)
    left = _joined(_side(first, [(a, size) for a, _, size in equal]))
    return left, _joined(_side(second, [(b, size) for _, b, size in equal]))


def marked_in_all(versions: Sequence[Runs]) -> Runs:
    """Return a text as runs, marked only where each of its `versions` marks it.

    The versions are the same text compared with several others, so that a marked run is in none of these.
    """
    text = "".join(run.text for run in versions[0])
    counts = [0] * len(text)
    for version in versions:
        end = 0
        for run in version:
            start, end = end, end + len(run.text)
            if run.differs:
                counts[start:end] = [count + 1 for count in counts[start:end]]
    parts = groupby(zip(text, counts, strict=True), key=lambda pair: pair[1] == len(versions))
    return tuple(TextRun("".join(character for character, _ in part), differs) for differs, part in parts)


def _equal_blocks(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return the equal stretches: start in the first, start in the second, number of tokens."""
    a, b = ([token.rstrip() for token in side] for side in (first, second))
    head = _shared(a, b)
    tail = _shared(a[head:][::-1], b[head:][::-1])
    middle = [side[head : len(side) - tail][:_MOST_TOKENS] for side in (a, b)]
    matches = SequenceMatcher(None, middle[0], middle[1], autojunk=False).get_matching_blocks()
    # Equal punctuation between two changed words is part of the change.
    inner = [(head + m.a, head + m.b, m.size) for m in matches if any(map(_is_word, middle[0][m.a : m.a + m.size]))]
    blocks = [(0, 0, head), *inner, (len(a) - tail, len(b) - tail, tail)]
    shared = sum(_is_word(token) for start, _, size in blocks for token in a[start : start + size])
    most = max(sum(map(_is_word, side)) for side in (a, b))
    return blocks if shared >= _LEAST_SHARED * most else []


def _shared(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the number of tokens that both begin with."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_"


def _side(tokens: Sequence[str], equal: Iterable[tuple[int, int]]) -> Iterator[TextRun]:
    end = 0
    for start, size in equal:
        yield TextRun("".join(tokens[end:start]), differs=True)
        yield TextRun("".join(tokens[start : start + size]), differs=False)
        end = start + size
    yield TextRun("".join(tokens[end:]), differs=True)


def _joined(runs: Iterable[TextRun]) -> Runs:
    """Drop empty runs, and leave the spaces at the ends of a difference unmarked."""
    joined: list[TextRun] = []
    for run in runs:
        core = run.text.strip() if run.differs else run.text
        before, _, after = run.text.partition(core) if core else (run.text, "", "")
        for text, differs in ((before, False), (core, run.differs), (after, False)):
            if not text:
                continue
            if joined and joined[-1].differs == differs:
                joined[-1] = TextRun(joined[-1].text + text, differs)
            else:
                joined.append(TextRun(text, differs))
    return tuple(joined)


def shortened(runs: Runs, *, context: int, differing: int | None = None) -> Runs:
    """Cut equal runs to `context` characters beside each difference, to show what differs first.

    A run that differs is cut in its middle to `differing` characters, if that is given. A text without any difference
    stays as it is.
    """
    if not any(run.differs for run in runs):
        return runs
    last = len(runs) - 1

    def text_of(index: int, run: TextRun) -> str:
        if run.differs:
            return run.text if differing is None else _middle_cut(run.text, differing // 2, differing // 2)
        return _middle_cut(run.text, context if index else 0, context if index < last else 0)

    return tuple(TextRun(text_of(index, run), run.differs) for index, run in enumerate(runs))


def _middle_cut(text: str, head: int, tail: int) -> str:
    """Return the beginning and the end of a text; the whole one where a cut would save little."""
    if len(text) <= max(head, tail) * 2:
        return text
    return text[:head] + _GAP + (text[-tail:] if tail else "")


def _cut(runs: Runs, limit: int) -> Runs:
    kept: list[TextRun] = []
    for run in runs:
        if len(run.text) > limit:
            return (*kept, TextRun(run.text[:limit] + "\u2026", run.differs))
        kept.append(run)
        limit -= len(run.text)
    return tuple(kept)
