"""What is compared of a case: the questions it asks, without the template around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from curator.contamination.records import HeldText, Row
from curator.records import Case, Message
from curator.text.shingles import normalise, own_texts, shared_sentences, turns_text

TELLING_WORDS = 4
"""Words from which on a turn says enough by itself to be the same question elsewhere; `yes, please` does not."""

_EXAMPLE_CASES = 5
_EXAMPLE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """What one text source asks: `questions` with the last one first, and `whole`, everything that is said."""

    id: str
    questions: tuple[str, ...]
    whole: str


def asked_by(case: Case) -> Asked:
    """The questions of a case: its last user turn, then every other one that says enough by itself.

    Where the last turn says little, the whole conversation is the question. `whole` is everything that is said, with the
    system prompt, where examples may stand, and the logged answer.
    """
    users = [m.content for m in case.messages if m.role == "user" and m.content.strip()]
    last = case.user if is_telling(case.user) or len(users) < 2 else turns_text(case)
    others = [text for text in users[:-1] if is_telling(text)]
    answers = [text for text in (case.target, case.reference.text if case.reference else None) if text]
    whole = "\n".join([*(m.content for m in case.messages), *answers])
    return Asked(
        case.id, tuple(dict.fromkeys(text for text in [last or turns_text(case), *others] if text.strip())), whole
    )


def example_turns(cases: Sequence[Case], *, held: Collection[Case]) -> frozenset[Message]:
    """The turns before the last user turn that many of the cases share: examples that an application puts before its question.

    At least 5 cases and a fifth of all, so that a conversation that was logged after each of its turns is none. What one of
    the `held` asks is no example, however often it stands there.
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


def is_telling(text: str) -> bool:
    """Whether a turn says enough by itself."""
    return len(text.split()) >= TELLING_WORDS or len(text) >= 4 * TELLING_WORDS


def templates_of(asked: Sequence[Asked]) -> frozenset[str]:
    """The sentences that many questions share word for word."""
    return shared_sentences([question for source in asked for question in source.questions])


def held_texts(asked: Sequence[Asked], *, templates: Collection[str] = ()) -> list[HeldText]:
    """What is held out of each source: its last question, without `templates` and the sentences that many of them share."""
    own = own_texts([source.questions[0] if source.questions else "" for source in asked], templates=templates)
    return [HeldText(source.id, text.text) for source, text in zip(asked, own, strict=True)]


def rows_of(asked: Sequence[Asked], *, templates: Collection[str] = ()) -> list[Row]:
    """What is checked of each source: all its questions, without `templates` and what many of them share, and the whole."""
    places = [(at, question) for at, source in enumerate(asked) for question in source.questions]
    own = own_texts([question for _, question in places], templates=templates)
    questions: list[list[str]] = [[] for _ in asked]
    for (at, _), text in zip(places, own, strict=True):
        questions[at].append(text.text)
    return [Row(source.id, tuple(mine), source.whole) for source, mine in zip(asked, questions, strict=True)]
