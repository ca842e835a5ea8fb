"""`curator estimate`: production's failure rate from labels, by how the labelled cases were drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.disagreement.label_truth import fails
from curator.errors import LogsError
from curator.labels.agreement import Agreement
from curator.labels.read import LabelFile, read_labels
from curator.records import RejectedRecord, dump_line
from curator.records.recorded import Recorded
from curator.run_folder.layout import EARLIER_LABELS
from curator.run_folder.selection import SelectionRow, read_selection
from curator.stages.pick import representative_failures

NOT_SELECTED = "not a case of the selection: how it came to be labelled is not known"
FREE_TEXT = "free text: a label in other words may say the same; write a verdict beside it"
UNREADABLE_LABEL = "the label, or the answer, is none of the case's kind"
NO_ANSWER = "there is no answer that the label could be compared with"
CORRECTED = "users correct what failed: a correction counts once most other drawn cases are labelled"
UNSURE = "somebody looked and could not judge"


@dataclass(frozen=True, slots=True)
class Known:
    """What labels say: failures in 0..1 by case id, labels that were not used by reason, bad rows, people's agreement."""

    failures: Mapping[str, float]
    left_out: Mapping[str, int]
    problems: tuple[RejectedRecord, ...]
    agreement: Agreement | None = None


def known_failures(labels: Sequence[str], selection: Path, comparer: ComparerFactory) -> Known:
    """How far production failed in the cases that these files label, and in those that were labelled in an earlier round.

    A verdict says so itself; a label is compared with production's answer, and so is the case's own reference where nobody
    labelled it anew.

    Raises:
        LogsError: a file is not there, or no label can be used.
    """
    before = EARLIER_LABELS.of(selection)
    file, selected = read_labels(labels), read_selection(selection)
    if before.is_file():
        # What these files say of a case replaces what was known of it: the same label is not another person's.
        earlier = {i: v for i, v in read_labels([str(before)]).verdicts.items() if i not in file.labels}
        file = replace(file, verdicts={**earlier, **file.verdicts})
    left_out: Counter[str] = Counter()
    found = dict(_failures(file, selected, comparer, left_out))
    drawn = [i for i, row in selected.items() if row.pick.slice == "random"]
    corrected = {i for i, row in selected.items() if row.corrected} - file.labels.keys() - file.verdicts.keys()
    failures = representative_failures(drawn, found, corrected)
    left_out[CORRECTED] += len(found) - len(failures)
    left_out[UNSURE] += len(set(file.unsure) & selected.keys() - failures.keys())
    if not failures:
        raise _no_label(file.problems, +left_out if file.touched else {})
    return Known(failures, +left_out, file.problems, file.agreement)


def earlier_labels(failures: Mapping[str, float]) -> Iterator[bytes]:
    """What was known before a round, as a file of labels that `known_failures` finds in the selection's folder."""
    return (dump_line({"case_id": i, "verdict": 1 - failure}) for i, failure in sorted(failures.items()))


def _failures(
    file: LabelFile, selected: Mapping[str, SelectionRow], comparer: ComparerFactory, left_out: Counter[str]
) -> Iterator[tuple[str, float]]:
    left_out[NOT_SELECTED] += len((file.labels.keys() | file.verdicts.keys()) - selected.keys())
    for case_id, row in selected.items():
        label = file.labels[case_id].text if case_id in file.labels else row.reference
        failure = file.verdicts.get(case_id, row.failure if case_id not in file.labels else None)
        if failure is not None:
            yield case_id, failure
        elif label is not None and (found := _by_label(row, label, comparer, left_out)) is not None:
            yield case_id, found


def _by_label(row: SelectionRow, label: str, comparer: ComparerFactory, left_out: Counter[str]) -> float | None:
    if row.answer is None or row.kind is None:
        left_out[NO_ANSWER] += 1
        return None
    record = Recorded(
        id=row.pick.case_id, answers=(), target=row.answer, kind=row.kind, labels=row.labels, input=row.question,
        question=row.question,
    )  # fmt: skip
    wrong = fails(record, label, comparer(row.question))
    if wrong is None:
        left_out[FREE_TEXT if row.kind == "text" else UNREADABLE_LABEL] += 1
        return None
    return float(wrong)


def _no_label(problems: Sequence[RejectedRecord], left_out: Mapping[str, int]) -> LogsError:
    if problems:
        return LogsError(
            f"no label can be used; the first row that is wrong is {problems[0].source}: {problems[0].reason}",
            remedy=problems[0].remedy,
        )
    if any(left_out.values()):
        reason, number = max(left_out.items(), key=lambda item: item[1])
        return LogsError(
            f"none of the labels can be used; {number:,} are left out: {reason}",
            remedy="fill in `verdict` (pass or fail) in the label queue of this selection",
        )
    return LogsError("the files hold no label yet", remedy="fill in their column `verdict` (pass or fail) or `label`")
