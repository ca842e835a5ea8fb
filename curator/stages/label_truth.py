"""Labels of a selection to failures, by the rule of `disagreement.ground_truth`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.disagreement.ground_truth import failure_of_record
from curator.errors import LogsError
from curator.labels.agreement import Agreement
from curator.labels.current_answers import CurrentAnswers
from curator.labels.doubts import yes_and_no
from curator.labels.merge import decided
from curator.labels.read import read_labels
from curator.records import Label, ReferenceSource, RejectedRecord, dump_line
from curator.records.recorded import Recorded
from curator.run_folder.layout import EARLIER_LABELS
from curator.run_folder.selection import SelectionRow, read_selection
from curator.stages.pick import representative_failures

NOT_SELECTED = "not a case of the selection, so that the chance of its being labelled is unknown"
FREE_TEXT = "free text in other words than the answer, which may say the same; write a verdict beside it"
UNREADABLE_LABEL = "the label, or the answer, is not of the case's kind"
NO_ANSWER = "the case has no answer to compare the label with"
CORRECTED = "users correct what failed: a correction counts once most other drawn cases are labelled"
DEFAULT_SOURCE: ReferenceSource = "label"
UNSURE = "the annotator marked the case as unsure"


@dataclass(frozen=True, slots=True)
class LabelledFailures:
    """The failures that labels show.

    Attributes:
        failures: how far production's answer failed, 0 (it is right) to 1, by case id.
        left_out: labels that are not used, counted by reason.
        rejected: rows that cannot be read.
        agreement: of people who labelled the same cases; None where no case has two labels.
        same_wording: the cases that pass because a label of free text has the answer's words. Labels in other words decide
            nothing, so that such labels can only be passes.
        notes: sentences on the form of the label files.
        categories: what people wrote as the category of a case, by case id.
    """

    failures: Mapping[str, float]
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...]
    agreement: Agreement | None = None
    same_wording: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    categories: Mapping[str, str] = field(default_factory=dict)

    @property
    def unselected_failures(self) -> dict[str, float]:
        """The failures without `same_wording`: for a comparison of failures with passes."""
        return {i: failure for i, failure in self.failures.items() if i not in self.same_wording}


def read_failures(paths: Sequence[str], selection: Path, comparer: ComparerFactory) -> LabelledFailures:
    """Read how far production failed in the cases of these label files and of earlier rounds.

    The case's own reference counts where the files have no label for it. A label replaces what an earlier round knew of its
    case.

    Raises:
        LogsError: a file is not there, or no label can be used.
    """
    selected = read_selection(selection)
    current = CurrentAnswers.of(((i, i, row.answer) for i, row in selected.items()), any_without=True)
    label_set = read_labels(paths, answers=_answers_in(selected.values()), current=current)
    labels = dict(label_set.labels)
    before = EARLIER_LABELS.of(selection)
    if before.is_file():
        for case_id, label in read_labels([str(before)]).labels.items():
            if case_id not in labels or labels[case_id].unsure:
                labels[case_id] = label
    left_out: Counter[str] = Counter()
    every = dict(_failures(labels, selected, comparer, left_out))
    same_wording = frozenset(i for i in every if selected[i].kind == "text" and _without_verdict(i, labels, selected))
    drawn = [i for i, row in selected.items() if row.pick.slice == "random"]
    corrected = {i for i, row in selected.items() if row.corrected} - decided(labels)
    failures = representative_failures(drawn, every, corrected)
    left_out[CORRECTED] += len(every) - len(failures)
    left_out[UNSURE] += len(set(label_set.unsure) & selected.keys() - failures.keys())
    if not failures:
        raise no_label(label_set.rejected, +left_out if label_set.touched else {})
    return LabelledFailures(
        failures,
        +left_out,
        label_set.rejected,
        label_set.agreement,
        same_wording,
        label_set.notes,
        {i: label.category for i, label in labels.items() if label.category and i in selected},
    )


def _answers_in(selected: Iterable[SelectionRow]) -> Iterator[str | None]:
    """Yield the answers of production, and the labels that an answer can be."""
    for row in selected:
        yield row.answer
        yield from row.labels
        if row.kind == "boolean":
            yield from yes_and_no()


def _without_verdict(case_id: str, labels: Mapping[str, Label], selected: Mapping[str, SelectionRow]) -> bool:
    label = labels.get(case_id)
    return (selected[case_id].failure if label is None or label.unsure else label.failure) is None


def earlier_labels(failures: Mapping[str, float], categories: Mapping[str, str]) -> Iterator[bytes]:
    """Return the labels of earlier rounds as the lines of a label file."""
    for i, failure in sorted(failures.items()):
        category = {"corrected_category": categories[i]} if i in categories else {}
        yield dump_line({"case_id": i, "verdict": 1 - failure, **category})


def no_label(rejected: Sequence[RejectedRecord], left_out: Mapping[str, int]) -> LogsError:
    """The error for files of which no label can be used."""
    if rejected:
        return LogsError(
            f"no label can be used; the first row that is wrong is {rejected[0].source}: {rejected[0].reason}",
            remedy=rejected[0].remedy,
        )
    if any(left_out.values()):
        reason, number = max(left_out.items(), key=lambda item: item[1])
        return LogsError(
            f"none of the labels can be used; {number:,} are left out: {reason}",
            remedy="fill in `verdict` (pass or fail) in the label queue of this selection",
        )
    return LogsError("the files hold no label yet", remedy="fill in their column `verdict` (pass or fail) or `label`")


def _failures(
    labels: Mapping[str, Label], selected: Mapping[str, SelectionRow], comparer: ComparerFactory, left_out: Counter[str]
) -> Iterator[tuple[str, float]]:
    left_out[NOT_SELECTED] += len(decided(labels) - selected.keys())
    for case_id, row in selected.items():
        label = labels.get(case_id)
        if label is not None and not label.unsure:
            verdict, text, source = label.failure, label.text, DEFAULT_SOURCE
        else:
            verdict, text, source = row.failure, row.reference, row.reference_source or DEFAULT_SOURCE
        if verdict is not None:
            yield case_id, verdict
        elif text is not None and (failure := _by_text(row, text, source, comparer, left_out)) is not None:
            yield case_id, failure


def _by_text(
    row: SelectionRow, text: str, source: ReferenceSource, comparer: ComparerFactory, left_out: Counter[str]
) -> float | None:
    """Return the failure that a right answer shows; None, counted in `left_out`, if undecided."""
    if row.answer is None or row.kind is None:
        left_out[NO_ANSWER] += 1
        return None
    record = Recorded(
        id=row.pick.case_id, answers=(), target=row.answer, kind=row.kind, labels=row.labels, input=row.question,
        question=row.question,
    )  # fmt: skip
    failure = failure_of_record(record, text, comparer(row.question), source=source)
    if failure is None:
        left_out[FREE_TEXT if row.kind == "text" else UNREADABLE_LABEL] += 1
    return failure
