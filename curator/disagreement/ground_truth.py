"""THE rule whether production failed on a case: `failure_of`.

The run's report, `curator estimate`, `curator select --after` and `curator calibrate` all decide by it. A label in other words
may still say the same as a free-text answer, so that such a label decides nothing; it is counted as one that cannot be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import Comparer
from curator.disagreement.scoring_model import kind_of
from curator.records import Case, ReferenceSource, normalise_space
from curator.records.labels import HALF
from curator.records.recorded import Recorded

LEFT_OUT = "labelled for its disagreement"
"""The evidence of a failure whose case was labelled because the committee disagreed: it cannot show what that misses."""


def failure_of(
    *,
    verdict: float | None,
    text: str | None,
    answer: str | None,
    agrees: bool | None,
    source: ReferenceSource = "label",
) -> float | None:
    """The failure of production's answer, 0 (it is right) to 1; None where it cannot be decided.

    A verdict decides. Without one the right answer is compared with production's: by meaning where the kind of answer allows
    that, else by wording. Equal wording is a pass. Other wording is a failure only for a user's correction, which was written
    because the answer was wrong.

    Args:
        verdict: how far people say that it fails.
        text: the right answer: a label, a correction or a trusted model's answer.
        answer: production's answer.
        agrees: whether the two mean the same; None for free text, and where no meaning can be read in one of them.
        source: the source of `text`.
    """
    if verdict is not None:
        return verdict
    if text is None or answer is None:
        return None
    if agrees is not None:
        return 0.0 if agrees else 1.0
    if normalise_space(text) == normalise_space(answer):
        return 0.0
    return 1.0 if source == "correction" else None


def failure_of_case(case: Case, agrees: bool | None) -> float | None:  # noqa: FBT001  a finding, not a switch
    """Apply `failure_of` to a case; `agrees`: its logged answer means the same as its reference."""
    reference = case.reference
    return failure_of(
        verdict=case.verdict.failure if case.verdict else None,
        text=reference.text if reference else None,
        answer=case.target,
        agrees=agrees,
        source=reference.source if reference else "label",
    )


def failure_of_record(
    record: Recorded, label: str, compare: Comparer, *, source: ReferenceSource = "label"
) -> float | None:
    """Apply `failure_of` to a recorded case: to its target, or without one to the majority."""
    agrees = agrees_with_label(record, label, compare)
    answer = record.target if record.target is not None or agrees is None else ""
    return failure_of(verdict=None, text=label, answer=answer, agrees=agrees, source=source)


def agrees_with_label(record: Recorded, label: str, compare: Comparer) -> bool | None:
    """Return whether the target, or without one the majority, means the same as the label.

    None where that cannot be told: the kind is `text`, whose wording is not its meaning, no answer exists, or nothing of the
    record's kind can be read in the label.
    """
    kind = kind_of(record)

    def read(text: str) -> Answer:
        return read_answer(text, kind, labels=record.labels, input=record.input)

    label_answer = read(label)
    if kind == "text" or not label_answer.key:
        return None
    if record.target is not None:
        label_class, target_class = compare.classes([label_answer], read(record.target))
        return label_class == target_class
    ordered = sorted(record.answers, key=lambda answer: (answer.prompt_id, answer.text))
    return _agrees_with_majority([read(answer.text) for answer in ordered], label_answer, compare) if ordered else None


def failures_of_cases(cases: Iterable[Case], agrees: Callable[[Case], bool | None]) -> dict[str, float]:
    """The failure of production, 0..1, by case id, where it can be decided."""
    failures = ((case.id, failure_of_case(case, agrees(case))) for case in cases)
    return {case_id: failure for case_id, failure in failures if failure is not None}


def undecided_labels(cases: Iterable[Case], agrees: Callable[[Case], bool | None]) -> int:
    """Count the cases whose label decides nothing: free text in other words, without a verdict."""
    return sum(
        case.reference is not None
        and case.reference.source == "label"
        and case.target is not None
        and failure_of_case(case, agrees(case)) is None
        for case in cases
    )


def failure_evidence(cases: Iterable[Case], agrees: Callable[[Case], bool | None]) -> dict[str, str]:
    """The evidence that production failed, by case id, for the cases on which it did."""
    evidence = ((case.id, _evidence(case, failure_of_case(case, agrees(case)))) for case in cases)
    return {case_id: text for case_id, text in evidence if text}


def random_label_meanings(cases: Iterable[Case], meanings: Mapping[str, str]) -> dict[str, str]:
    """The meanings that are labels of the random slice: only these are fair to every member."""
    drawn = {c.id for c in cases if c.reference and c.reference.source == "label" and c.reference.slice == "random"}
    return {case_id: meaning for case_id, meaning in meanings.items() if case_id in drawn}


def _evidence(case: Case, failure: float | None) -> str | None:
    """The evidence of a failure; a thumb down counts only where no label says otherwise."""
    failed = None if failure is None else failure >= HALF
    if failed is not False and case.feedback and case.feedback.thumb == "down":
        return "thumb down"
    if not failed:
        return None
    if case.verdict is not None:
        return LEFT_OUT if case.verdict.slice == "disagreement" else "label"
    if case.reference is None:
        return None
    return LEFT_OUT if case.reference.slice == "disagreement" else case.reference.source


def _agrees_with_majority(answers: Sequence[Answer], label: Answer, compare: Comparer) -> bool:
    """Return whether the label is the most frequent answer; of two the first, as in `measure`."""
    largest = _largest_class(compare.classes(answers, None))
    *numbers, label_number = compare.classes([*answers, label], None)
    return label_number in {numbers[i] for i in largest}


def _largest_class(numbers: Sequence[int]) -> list[int]:
    """The places of the answers of the largest class."""
    counts = Counter(numbers)
    usual = max(counts, key=lambda c: (counts[c], -c))
    return [i for i, number in enumerate(numbers) if number == usual]
