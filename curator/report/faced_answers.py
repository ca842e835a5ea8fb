"""The two answers to a case that face each other, chosen and marked for a page."""

from __future__ import annotations

from collections.abc import Sequence

from curator.records import Basis, Case, Contrast
from curator.report.answer_groups import AnswerGroup
from curator.report.summary_cases import ShownContrast
from curator.report.word_diff import word_diff

SIDES: dict[Basis, tuple[str, str]] = {
    "production": ("production", "the committee"),
    "label": ("production", "the label"),
    "committee": ("a smaller group", "the largest group"),
}
"""The names of the two sides of a contrast."""
_LIMIT = 400
"""Characters of each side, a few lines: equal stretches are shortened before it counts."""


def shown_contrast(
    case: Case, groups: Sequence[AnswerGroup], contrast: Contrast | None, *, limit: int = _LIMIT
) -> ShownContrast | None:
    """Mark the words in which the two sides of a case differ.

    A case without a contrast shows production's answer against the label, or else against the largest group of other
    answers; without production's answer the two largest groups. None where nothing differs.
    """
    chosen = (contrast.basis, contrast.given, contrast.expected) if contrast else _sides(case, groups)
    if chosen is None:
        return None
    basis, given, expected = chosen
    if basis == "label" and case.reference is None:  # a thumb down, or a verdict alone: the committee's answer is shown
        basis = "production"
    left, right = word_diff(given, expected, limit=limit)
    return ShownContrast(basis, left, right)


def _sides(case: Case, groups: Sequence[AnswerGroup]) -> tuple[Basis, str, str] | None:
    others = [group.text for group in groups if not group.is_target]
    if case.target is None:
        return ("committee", others[1], others[0]) if len(others) > 1 else None
    if case.reference and case.reference.text.strip() != case.target.strip():
        return "label", case.target, case.reference.text
    return ("production", case.target, others[0]) if others else None
