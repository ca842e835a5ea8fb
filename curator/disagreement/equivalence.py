"""When answers mean the same: a partition for typed answers."""

from __future__ import annotations

from collections.abc import Sequence

from curator.disagreement.answers import Answer
from curator.disagreement.wording import is_refusal, short_form


def meaning(answer: Answer) -> str:
    """What the answer's class is named by: answers of one kind mean the same when this is equal.

    A readable answer is named by its key, a refusal by its being one, and any other unreadable answer by its own
    wording; no two of these ever meet.
    """
    if answer.key:
        return f"={answer.key}"
    return "!" if is_refusal(answer.text) else f"?{short_form(answer.text)}"


def classes(answers: Sequence[Answer]) -> list[int]:
    """The class of each answer, numbered from 0 in order of first appearance: a partition."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(meaning(answer), len(numbers)) for answer in answers]
