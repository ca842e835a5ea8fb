"""What is known of the cases from outside the committee: what their labels mean, and where production is known to have failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from curator.disagreement.answers import Answer
from curator.disagreement.equivalence import meaning
from curator.records import Case, Kind, normalise_space

LEFT_OUT = "labelled for its disagreement"
"""Of a failure known by a label that was only given because the committee disagreed: it cannot tell what that misses."""

Reader = Callable[[Case, str], Answer]


def label_meanings(cases: Iterable[Case], kinds: Mapping[str, Kind], read: Reader) -> dict[str, str]:
    """The meaning of each case's reference, by case id; free text, where wording is no meaning, is left out."""
    typed = (case for case in cases if kinds[case.id] != "text")
    found = ((case.id, read(case, case.reference.text)) for case in typed if case.reference)
    return {case_id: meaning(answer) for case_id, answer in found if answer.key}


def random_truth(cases: Iterable[Case], meanings: Mapping[str, str]) -> dict[str, str]:
    """Those of the meanings that are labels of the random slice, which alone are fair to every member."""
    drawn = {c.id for c in cases if c.reference and c.reference.source == "label" and c.reference.slice == "random"}
    return {case_id: found for case_id, found in meanings.items() if case_id in drawn}


def known_failures(cases: Iterable[Case], meanings: Mapping[str, str], read: Reader) -> dict[str, str]:
    """The cases on which production is known to have failed, and how that is known."""
    found = ((case.id, _known_by(case, wrong=_wrong(case, meanings.get(case.id), read))) for case in cases)
    return {case_id: known_by for case_id, known_by in found if known_by}


def _known_by(case: Case, *, wrong: bool | None) -> str | None:
    if wrong is not False and case.feedback and case.feedback.thumb == "down":
        return "thumb down"
    if not wrong or case.reference is None:
        return None
    return LEFT_OUT if case.reference.slice == "disagreement" else case.reference.source


def _wrong(case: Case, trusted: str | None, read: Reader) -> bool | None:
    """Whether the logged answer means something else than the reference; None where that cannot be told."""
    if case.reference is None or case.target is None:
        return None
    if trusted is not None:
        return meaning(read(case, case.target)) != trusted
    if normalise_space(case.reference.text) == normalise_space(case.target):
        return False
    return True if case.reference.source == "correction" else None  # a label in other words may say the same
