"""The questions of a case that the contamination check compares, without templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from curator.contamination.records import HeldText, TrainingRow
from curator.records import Case, Message
from curator.text.shingles import normalise, shared_sentences, split_templates, turns_text

SPECIFIC_WORDS = 4
"""A turn with fewer words, such as `yes, please`, does not identify a question."""

_EXAMPLE_CASES = 5
_EXAMPLE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class SourceQuestions:
    """The questions of one source, the last one first, and its whole text."""

    id: str
    questions: tuple[str, ...]
    whole: str


def questions_of(case: Case) -> SourceQuestions:
    """The questions of a case: its last user turn, then every other specific user turn.

    If the last turn is not specific, the whole conversation is the question. `whole` has every message with the system
    prompt, which may contain examples, and the logged answer.
    """
    users = [m.content for m in case.messages if m.role == "user" and m.content.strip()]
    last = case.user if is_specific(case.user) or len(users) < 2 else turns_text(case)
    others = [text for text in users[:-1] if is_specific(text)]
    answers = [text for text in (case.target, case.reference.text if case.reference else None) if text]
    whole = "\n".join([*(m.content for m in case.messages), *answers])
    return SourceQuestions(
        case.id, tuple(dict.fromkeys(text for text in [last or turns_text(case), *others] if text.strip())), whole
    )


def example_turns(cases: Sequence[Case], *, held: Collection[Case]) -> frozenset[Message]:
    """The examples: turns before the last user turn that many of the cases share.

    Many are at least 5 cases and a fifth of all: a conversation that was logged after each of its turns has no examples. A
    question of one of the `held` cases is never an example.
    """
    counts = Counter(turn for case in cases for turn in set(_earlier(case)))
    asked = {normalise(case.user) for case in held}
    least = max(_EXAMPLE_CASES, _EXAMPLE_SHARE * len(cases))
    return frozenset(turn for turn, n in counts.items() if n >= least and normalise(turn.content) not in asked)


def without_turns(case: Case, turns: Collection[Message]) -> Case:
    """The case without these turns before its last user turn."""
    drop = {place for place, turn in enumerate(_earlier(case)) if turn in turns}
    return (
        replace(case, messages=tuple(m for place, m in enumerate(case.messages) if place not in drop)) if drop else case
    )


def _earlier(case: Case) -> tuple[Message, ...]:
    """Everything before the last user turn."""
    last = max((place for place, m in enumerate(case.messages) if m.role == "user"), default=0)
    return case.messages[:last]


def is_specific(text: str) -> bool:
    """True where a turn has enough words or characters to identify a question."""
    return len(text.split()) >= SPECIFIC_WORDS or len(text) >= 4 * SPECIFIC_WORDS


def templates_of(asked: Sequence[SourceQuestions]) -> frozenset[str]:
    """The sentences that many questions share word for word."""
    return shared_sentences([question for source in asked for question in source.questions])


def held_texts(asked: Sequence[SourceQuestions], *, templates: Collection[str] = ()) -> list[HeldText]:
    """The held-out text of each source: its last question, without shared sentences."""
    split = split_templates([source.questions[0] if source.questions else "" for source in asked], templates=templates)
    return [HeldText(source.id, text.text) for source, text in zip(asked, split, strict=True)]


def rows_of(asked: Sequence[SourceQuestions], *, templates: Collection[str] = ()) -> list[TrainingRow]:
    """The training row of each source, with its questions without shared sentences."""
    places = [(at, question) for at, source in enumerate(asked) for question in source.questions]
    split = split_templates([question for _, question in places], templates=templates)
    questions: list[list[str]] = [[] for _ in asked]
    for (at, _), text in zip(places, split, strict=True):
        questions[at].append(text.text)
    return [TrainingRow(source.id, tuple(mine), source.whole) for source, mine in zip(asked, questions, strict=True)]
