"""Normal forms of texts, the part of a text that is the answer, and refusals."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from curator.answers.confidence import without_confidence

SHORT_WORDS = 8
"""A text of more words is prose, not a short answer."""

# A base model continued with the next question, or an end marker of a chat template leaked.
_RUN_ON = re.compile(
    r"\n[ \t]*(?:\#+[ \t]*|\*\*)?(?:Q|Question|Human|User|Input|Problem|Instruction)(?:[ \t]*\d+)?[ \t]*:"
    r"|<\|(?:im_end|eot_id|endoftext|end|eos)\|>|</s>|\[INST\]"
)
_REASONING = re.compile(r"\s*<(think|thinking|reasoning|scratchpad)>")
_STRUCTURED = ("{", "[", "`")
_SENTENCE_END = re.compile(r"(?<=\w{4})[.!?]\s+(?=[A-Z])|,?\sbecause\b|。")
_REFUSAL = re.compile(
    r"""\W*+(?:
    (?:i'm|i\ am|we\ are|we're)\ (?:\w+\ )?(?:unable|not\ able)\b
    | (?:(?:i'm|i\ am)\ )?(?:\w+\ )?(?:sorry|afraid|unfortunately|apologi[sz]e|apologies)\b
        .{0,80}?\b(?:can't|cannot|can\ not|unable|not\ able|won't|don't|do\ not)\b
    | i\ (?:can't|cannot|can\ not|couldn't|won't|will\ not|don't\ know|do\ not\ know|don't\ have|do\ not\ have|must\ decline)\b
    | as\ an?\ (?:ai|(?:large\ )?language\ model)\b
    | (?:lo\ siento|je\ suis\ d[ée]sol[ée]e?|d[ée]sol[ée]e?|es\ tut\ mir\ leid|mi\ dispiace|desculpe|sinto\ muito)\b
        .{0,80}?\b(?:no|ne|n'|nicht|kein\w*|non|não)\b
    | (?:抱歉|对不起|對不起|很抱歉).{0,40}?(?:无法|無法|不能)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# After a disclaimer these words introduce an answer; an offer of help or a pointer elsewhere is not an answer.
_GOES_ON = re.compile(
    r"""\b(?:however|nevertheless|nonetheless|that\ said|but|although)\b[\s,:]*+
    (?!(?:if\ )?(?:you|please|feel|it\ is\ (?:best|recommended|advisable)|there\ (?:is|are)\ no)\b
      | i\ (?:can't|cannot|don't|do\ not|(?:can|could|would)\ (?:help|assist|suggest|recommend|try)|suggest|recommend|would|am)\b
      | i'(?:d|m|ll)\b)
    (?:\S++\s++){4}""",
    re.IGNORECASE | re.VERBOSE,
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DROPPED = re.compile(r"['’`]|\.(?!\d)")  # noqa: RUF001 - the typographic apostrophe is meant
_SPACED = re.compile(r"(?!(?<!\w)-\d|(?<=\b[a-z])-(?!\w))[^\w\s+#%&$€£°√.]|_")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b(?!-)")
_LETTERS = re.compile(r"[^\W\d_]+")
_JOINING = frozenset(
    _LETTERS.findall(
        "the a an is are was were be been of to in on at for with that this it its he she they we you i not have has had "
        "which who will would can could do does did from by as so if but"
    )
)
_LEAD_IN = re.compile(
    r"^(?:I (?:think|believe|guess|would say)(?: that)? )?(?:it|that|this)(?:'s| is| was| would be| must be| has to be) (?!not\b|a\b|an\b)",
    re.IGNORECASE,
)
_BEING = re.compile(r"\s(?:is|was|are|were)\s+(?!not\b|no\b|never\b)")
_LONGEST_ECHO = 300
_LOOKED_AT = 2000
_HEADING = re.compile(r"^[ \t]*#+\s", re.MULTILINE)


@lru_cache(maxsize=512)
def normal_form(text: str) -> str:
    """Return the text in small letters, without punctuation and markdown.

    `_` and `-` between words count as blanks. Decimal points, minus signs and signs that make a different word (`C++`,
    `50%`, `$3`) stay. A text of punctuation only is its own normal form.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = _SPACED.sub(" ", _DROPPED.sub("", _THOUSANDS.sub("", _HEADING.sub("", folded))))
    return " ".join(plain.split()) or " ".join(folded.split())


def short_form(text: str) -> str:
    """Return the normal form without articles, as the answer normalisation of SQuAD.

    Rajpurkar et al. (2016). In an answer of signs only, such as brackets, blanks are removed too.
    """
    normal = normal_form(text)
    if not any(map(str.isalnum, normal)):  # brackets and signs: blanks between them do not matter
        return normal.replace(" ", "")
    return " ".join(_ARTICLE.sub(" ", normal).split()) or normal


@lru_cache(maxsize=256)
def answer_part(text: str) -> str:
    """Return the text without reasoning, a next question, and lines that state a confidence.

    The reasoning may lack its start tag, which some templates remove, unless the text begins like JSON or a code block. If
    the reasoning has no end, the output was cut off before the answer, and the result is "".
    """
    answer = text
    if "<" in text and (opened := _REASONING.match(text)):
        answer = text.rpartition(f"</{opened[1]}>")[2] if f"</{opened[1]}>" in text else ""
    if not answer.lstrip().startswith(_STRUCTURED):  # there the tag may be inside a string
        answer = answer.rpartition("</think>")[2]
    answer = answer.strip()
    run_on = _RUN_ON.search(answer)
    return without_confidence(answer[: run_on.start()].rstrip() if run_on and run_on.start() else answer)


def first_sentence(text: str) -> str:
    """Return the text up to its first full stop, or up to `because`."""
    return _SENTENCE_END.split(text, maxsplit=1)[0].strip()


def bare_wording(text: str) -> str:
    """Return the text without a lead-in such as `It is` or `I think it was`."""
    return _LEAD_IN.sub("", text, count=1) or text


def without_question(text: str, question: str) -> str:
    """Return the answer of a sentence that repeats the question.

    `The capital of France is Paris` gives `Paris`.
    """
    if not question or len(text) > _LONGEST_ECHO:
        return text
    for verb in reversed(list(_BEING.finditer(text))):
        words = _LETTERS.findall(text[: verb.start()].casefold())
        if len(words) > 1 and _letters(question).issuperset(words):
            return text[verb.end() :]
    return text


@lru_cache(maxsize=16)
def _letters(question: str) -> frozenset[str]:
    return frozenset(_LETTERS.findall(question[-_LOOKED_AT:].casefold()))


def is_short(text: str) -> bool:
    """Return True for one line of up to `SHORT_WORDS` words, or a sentence of up to four."""
    words = len(text.split())
    return "\n" not in text and words <= (4 if text.endswith((".", "!", "?")) else SHORT_WORDS)


def is_word_list(text: str) -> bool:
    """Return True if a line is an enumeration: at most a tenth of its words are function words."""
    if "\n" in text or _SENTENCE_END.search(text):
        return False
    words = _LETTERS.findall(text.casefold())
    return 3 <= len(words) <= 100 and 10 * sum(word in _JOINING for word in words) <= len(words)


def refuses(text: str) -> bool:
    """Return True if the text is a refusal, and no answer follows after a `however` or `but`."""
    return is_refusal(text) and _GOES_ON.search(text[:_LOOKED_AT].replace("’", "'")) is None  # noqa: RUF001


def is_refusal(text: str) -> bool:
    """Return True if the text begins with a refusal or a disclaimer."""
    return _REFUSAL.match(text.replace("’", "'")) is not None  # noqa: RUF001 - the typographic apostrophe is meant
