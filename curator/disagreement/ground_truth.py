"""What is known of the cases from outside the committee: what their labels mean, and where production is known to have failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from curator.records import Case, normalise_space

LEFT_OUT = "labelled for its disagreement"
"""Of a failure known by a label that was only given because the committee disagreed: it cannot tell what that misses."""

_HALF = 0.5


def random_truth(cases: Iterable[Case], meanings: Mapping[str, str]) -> dict[str, str]:
    """Those of the meanings that are labels of the random slice, which alone are fair to every member."""
    drawn = {c.id for c in cases if c.reference and c.reference.source == "label" and c.reference.slice == "random"}
    return {case_id: found for case_id, found in meanings.items() if case_id in drawn}


def known_failures(cases: Iterable[Case], agrees: Callable[[Case], bool | None]) -> dict[str, str]:
    """The cases on which production is known to have failed, and how that is known.

    `agrees` says whether the logged answer means the same as the case's reference, None where the answers are free text.
    """
    found = ((case.id, _known_by(case, wrong=_wrong(case, agrees(case)))) for case in cases)
    return {case_id: known_by for case_id, known_by in found if known_by}


def judged(cases: Iterable[Case], agrees: Callable[[Case], bool | None]) -> Iterator[tuple[str, float]]:
    """How far production failed, 0..1, in each case where a person's judgement or the case's reference tells."""
    for case in cases:
        wrong = _wrong(case, agrees(case))
        if case.verdict is not None:
            yield case.id, case.verdict.failure
        elif wrong is not None:
            yield case.id, float(wrong)


def _known_by(case: Case, *, wrong: bool | None) -> str | None:
    if wrong is not False and case.feedback and case.feedback.thumb == "down":
        return "thumb down"
    if not wrong:
        return None
    if case.verdict is not None:
        return LEFT_OUT if case.verdict.slice == "disagreement" else "label"
    if case.reference is None:
        return None
    return LEFT_OUT if case.reference.slice == "disagreement" else case.reference.source


def _wrong(case: Case, agrees: bool | None) -> bool | None:  # noqa: FBT001  it is what was found out, no switch
    """Whether the logged answer means something else than the reference; None where that cannot be told."""
    if case.verdict is not None:
        return case.verdict.failure >= _HALF
    if case.reference is None or case.target is None:
        return None
    if agrees is not None:
        return not agrees
    if normalise_space(case.reference.text) == normalise_space(case.target):
        return False
    return True if case.reference.source == "correction" else None  # a label in other words may say the same
