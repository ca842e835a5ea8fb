"""A committee's answers to one case, put together by what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One answer: its text, the key it is compared by, its member, and whether it could be read."""

    text: str
    key: str
    by: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Answers with the same meaning: the commonest wording, their number, and their members."""

    text: str
    count: int
    by: tuple[str, ...]
    is_target: bool = False
    readable: bool = True


def group_answers(given: Iterable[GivenAnswer], *, target_key: str | None) -> tuple[AnswerGroup, ...]:
    """Group answers by key, the largest group first, then in the order of their first answers.

    `target_key` is the key of production's answer, None if there is none to compare with.
    """
    groups: dict[str, list[GivenAnswer]] = {}
    for answer in given:
        groups.setdefault(answer.key, []).append(answer)
    unsorted = [
        AnswerGroup(
            text=Counter(a.text for a in answers).most_common(1)[0][0],
            count=len(answers),
            by=tuple(dict.fromkeys(a.by for a in answers)),
            is_target=key == target_key,
            readable=answers[0].readable,
        )
        for key, answers in groups.items()
    ]
    return tuple(sorted(unsorted, key=lambda group: -group.count))
