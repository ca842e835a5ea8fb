"""What every reader of answers needs: normal forms of words, the part of a text that answers, and refusals."""

from __future__ import annotations

import re
import unicodedata

SHORT_WORDS = 8
"""An answer of more words than this is prose."""

_NAMES = (
    "answer|label|category|classification|class|intent|sentiment|topic|type|tag|route|queue|department|priority|"
    "choice|option|result|output|verdict|prediction|conclusion|solution"
)
_MARK = r"[*_`\"']*"
_CONCLUSION = re.compile(
    rf"""
    \\boxed\s*\{{(?P<boxed>(?:[^{{}}]|\{{[^{{}}]*\}})*)\}}
    | (?P<named>\([A-Z]\)|\boption\ \(?[A-Z]\)?){_MARK}\ is\ (?:the\ )?(?:\w+\ )?(?:correct|right|best|answer)\b
    | \#\#\#\#\s*
    | (?<=\n)[ \t]*{_MARK}A{_MARK}:\s*
    | ^[ \t]*{_MARK}(?:final\ |correct\ |predicted\ )?(?:{_NAMES}){_MARK}[ \t]*:{_MARK}\s*
    | \banswer{_MARK}(?:\s+(?:to|for)\s[^.:\n]{{1,60}}?)?\s*(?:\b(?:is|(?:would|should|must|will)\ be)\b|[:=]){_MARK}[ \t]*:?\s*
    | \b(?:final|correct|best|right|predicted)\s+(?:{_NAMES})\s+is\b[ \t]*:?\s*
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# One of these stands in every conclusion: looking for them first makes prose ten times faster to read.
_HINTS = (":", "answer", "####", "boxed", "correct", "right", "best", "final", "predicted")
_LATEX_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_RUN_ON = re.compile(r"\n[ \t]*(?:Q|Question|Human|User)\s*:")
_SENTENCE_END = re.compile(r"(?<=\w{4})[.!?]\s+(?=[A-Z])|,?\sbecause\b")
_REFUSAL = re.compile(
    r"""\W*(?:
    (?:i'm|i\ am|we\ are|we're)\ (?:\w+\ )?(?:unable|not\ able)\b
    | (?:(?:i'm|i\ am)\ )?(?:\w+\ )?(?:sorry|afraid|unfortunately|apologi[sz]e|apologies)\b
        .{0,80}?\b(?:can't|cannot|can\ not|unable|not\ able|won't|don't|do\ not)\b
    | i\ (?:can't|cannot|can\ not|couldn't|won't|will\ not|don't\ know|do\ not\ know|don't\ have|do\ not\ have|must\ decline)\b
    | as\ an?\ (?:ai|(?:large\ )?language\ model)\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DROPPED = re.compile(r"['’`]|\.(?!\d)")  # noqa: RUF001 - the typographic apostrophe is meant
_SPACED = re.compile(r"(?!(?<!\w)-\d)[^\w\s+#%&$€£°.]|_")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_HEADING = re.compile(r"^[ \t]*#+\s", re.MULTILINE)


def normal_form(text: str) -> str:
    """The text in small letters, without punctuation and markdown; `_` and `-` join words like a blank.

    Decimal points, minus signs and the signs that make a different word (`C++`, `50%`, `$3`) stay. A text that is
    nothing but punctuation is its own normal form.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = _SPACED.sub(" ", _DROPPED.sub("", _THOUSANDS.sub("", _HEADING.sub("", folded))))
    return " ".join(plain.split()) or " ".join(folded.split())


def short_form(text: str) -> str:
    """The normal form without articles, after the answer normalisation of SQuAD (Rajpurkar et al. 2016)."""
    normal = normal_form(text)
    return " ".join(_ARTICLE.sub(" ", normal).split()) or normal


def answer_part(text: str) -> str:
    """The text without a reasoning block before it, and without the next question that a base model ran on to."""
    answer = text.rpartition("</think>")[2].strip()
    run_on = _RUN_ON.search(answer)
    return answer[: run_on.start()] if run_on and run_on.start() else answer


def conclusion(text: str) -> str | None:
    r"""What the text says is its answer: after the last `answer is`, `Label:`, `####`, or inside `\boxed{}`.

    None where it says so nowhere. What follows on the same line is kept: the kind decides how much of it counts.
    """
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return None
    for match in reversed(list(_CONCLUSION.finditer(text))):
        said = match["boxed"] or match["named"] or text[match.end() :].partition("\n")[0]
        if said.strip():
            return _LATEX_TEXT.sub(r"\1", said.strip())
    return None


def first_sentence(text: str) -> str:
    """The text up to its first full stop, or up to `because`."""
    return _SENTENCE_END.split(text, maxsplit=1)[0].strip()


def is_short(text: str) -> bool:
    """Whether the text is at most `SHORT_WORDS` words on one line, and no sentence of five words or more."""
    words = len(text.split())
    return "\n" not in text and words <= (4 if text.endswith((".", "!", "?")) else SHORT_WORDS)


def is_refusal(text: str) -> bool:
    """Whether the text begins by saying that it gives no answer."""
    return _REFUSAL.match(text.replace("’", "'")) is not None  # noqa: RUF001 - the typographic apostrophe is meant
