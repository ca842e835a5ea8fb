"""When answers mean the same: a partition for typed answers."""

from __future__ import annotations

from collections.abc import Sequence

from curator.answers.normalization import short_form
from curator.answers.read import Answer


def meaning(answer: Answer) -> str:
    """What the answer's class is named by: answers of one kind mean the same when this is equal.

    A refusal is named by its being one, and so is an answer that says nothing; a readable answer by its key, and an
    unreadable one by its own wording. No two of these ever meet.
    """
    if answer.kind == "refusal":
        return "!"
    if answer.kind == "empty":
        return "0"
    return f"={answer.key}" if answer.key else f"?{short_form(answer.text)}"


def classes(answers: Sequence[Answer]) -> list[int]:
    """The class of each answer, numbered from 0 in order of first appearance: a partition."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(meaning(answer), len(numbers)) for answer in answers]
