"""The parts of a case as label tools show them: texts that are safe to show."""

from __future__ import annotations

from collections.abc import Sequence

from curator.labels.queue import QueueRow, turn_text
from curator.records import JsonValue
from curator.text.display import clean

NO_ANSWER = "[production gave no answer]"


def turns(row: QueueRow) -> list[dict[str, JsonValue]]:
    """Return the conversation: role and text of each turn."""
    if not row.messages:
        return [{"role": "user", "content": clean(row.input)}]
    return [{"role": message.role, "content": clean(turn_text(message))} for message in row.messages]


def conversation(row: QueueRow) -> str:
    """Return the conversation as one text."""
    return clean(row.input)


def answer(row: QueueRow) -> str:
    """Return production's answer, or a sentence in its place."""
    return clean(row.target) if row.target else NO_ANSWER


def documents(row: QueueRow) -> list[dict[str, JsonValue]]:
    """Return name and text of each document."""
    return [
        {"id": clean(document.id or str(n)), "text": clean(document.text)}
        for n, document in enumerate(row.documents, 1)
    ]


def committee(row: QueueRow) -> list[dict[str, JsonValue]]:
    """Return the committee's answers, each with how many said so."""
    total = sum(group.count for group in row.alternatives)
    return [{"count": f"{group.count} of {total}", "text": clean(group.text)} for group in row.alternatives]


def category_names(rows: Sequence[QueueRow]) -> list[str]:
    """Return the categories of a queue by name."""
    return sorted({clean(row.category) for row in rows if row.category})


def by_case(rows: Sequence[QueueRow]) -> dict[str, list[QueueRow]]:
    """Return the rows of each case, several where several people label it, in their order."""
    cases: dict[str, list[QueueRow]] = {}
    for row in rows:
        cases.setdefault(row.case_id, []).append(row)
    return cases
