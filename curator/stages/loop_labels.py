"""Labels that came back to a loop, as one right answer for each case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.answers.read import read_answer
from curator.config import Config, TaskConfig
from curator.config.logs import kind_of
from curator.labels.archive import archived_labels, changed_queues, unreadable_queues
from curator.labels.merge import LabelSet
from curator.labels.read import read_imports
from curator.records import Case, Label, Pick
from curator.records.loop import LoopLabel
from curator.stages.redact import Redaction
from curator.text.display import one_line, plural
from curator.text.problems import problems_by_kind

_SHOWN, _LONGEST = 5, 60
NO_RIGHT_ANSWER = "judged wrong, without the right answer: write it in `label`"
UNSURE = "marked as unsure"
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class LoopLabels:
    """The labels of a loop so far.

    Attributes:
        labels: by case id; `answer` is None where people were unsure.
        incomplete: the cases of the loop that were judged wrong without the right answer.
        unusable: labels that their cases cannot have, as sentences.
        notes: what else to say of the files.
    """

    labels: Mapping[str, LoopLabel]
    incomplete: frozenset[str] = frozenset()
    unusable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def answers(self) -> dict[str, str]:
        """The right answers by case id."""
        return {i: label.answer for i, label in self.labels.items() if label.answer is not None}

    def missing(self, picks: Iterable[Pick]) -> list[str]:
        """Return the picked cases that have not come back."""
        return [pick.case_id for pick in picks if pick.case_id not in self.labels]


def read_loop_labels(
    folders: Sequence[Path], files: Sequence[str], cases: Mapping[str, Case], config: Config, redaction: Redaction
) -> LoopLabels:
    """Read the labels in the folders of the rounds, and in other files.

    A case has come back when its right answer is there: as a label, or as a verdict that production's answer is right. A verdict
    that it is wrong decides nothing by itself, since the model's answer has to be compared with the right one.

    Args:
        folders: of the rounds, the first one first.
        files: further files of labels; the last word.
        cases: the pool by case id; labels of other cases are left out, and counted.
        config: the tasks, with their kinds and labels.
        redaction: of what people write.

    Raises:
        LogsError: one of `files` cannot be read at all; such a queue in a folder is named in the notes.
    """
    groups: list[Sequence[str]] = []
    for folder in folders:
        groups += [[path] for path in archived_labels(folder)]
        groups.append([str(path) for path in changed_queues(folder)])  # the others are as curator wrote them
    allowed = [text for task in config.tasks.values() for text in task.labels]
    answers = [*(case.target for case in cases.values()), *allowed]
    label_set = read_imports([*groups, *([list(files)] if files else [])], answers=answers)
    labels: dict[str, LoopLabel] = {}
    incomplete, wrong_kind, foreign = set(), list[str](), 0
    for case_id, label in label_set.labels.items():
        if case_id not in cases:
            foreign += 1
            continue
        answer = _right_answer(redaction.label(label), cases[case_id])
        if answer is None and not label.unsure:
            incomplete.add(case_id)
        elif answer is not None and not _can_be(answer, cases[case_id], config):
            wrong_kind.append(f"{one_line(answer, _LONGEST)!r} for {case_id}")
        else:
            labels[case_id] = _loop_label(label, answer)
    return LoopLabels(labels, frozenset(incomplete), _unusable(wrong_kind), _notes(label_set, folders, foreign))


def with_references(labels: LoopLabels, cases: Mapping[str, Case], picks: Iterable[Pick]) -> LoopLabels:
    """Add the trusted answers that the logs hold for picked cases; a label counts before them."""
    from_logs = {
        pick.case_id: LoopLabel(pick.case_id, reference.text, by=(reference.by,) if reference.by else (), seconds=0.0)
        for pick in picks
        if pick.case_id not in labels.labels and (reference := cases[pick.case_id].reference)
    }
    return LoopLabels(
        {**from_logs, **labels.labels}, labels.incomplete - from_logs.keys(), labels.unusable, labels.notes
    )


def label_seconds(labels: Iterable[LoopLabel], minutes_per_label: float) -> float:
    """Return the time of labels in seconds: as measured, else `minutes_per_label`."""
    return sum(minutes_per_label * _SECONDS if label.seconds is None else label.seconds for label in labels)


def undecided(labels: LoopLabels, case_ids: Collection[str]) -> int:
    """Return the number of these cases whose right answer people were unsure of."""
    return sum(i in labels.labels and labels.labels[i].answer is None for i in case_ids)


def _right_answer(label: Label, case: Case) -> str | None:
    if label.text is not None:
        return label.text
    return case.target if label.failure == 0 else None


def _can_be(answer: str, case: Case, config: Config) -> bool:
    task = config.tasks.get(case.task or "", TaskConfig())
    kind = case.kind or kind_of(task)
    return not kind or bool(read_answer(answer, kind, labels=task.labels).key)


def _loop_label(label: Label, answer: str | None) -> LoopLabel:
    by = label.people or ((label.by,) if label.by else ())
    failure = label.failure
    return LoopLabel(label.case_id, answer, failure, by, label.at, label.seconds, label.category, label.note)


def _unusable(wrong_kind: Sequence[str]) -> tuple[str, ...]:
    if not wrong_kind:
        return ()
    more = ", ..." if len(wrong_kind) > _SHOWN else ""
    sentence = (
        f"{plural(len(wrong_kind), 'label')} cannot be an answer to the task: {', '.join(wrong_kind[:_SHOWN])}{more};"
        " correct them, or the kind or the labels in `tasks`"
    )
    return (sentence,)


def _notes(label_set: LabelSet, folders: Sequence[Path], foreign: int) -> tuple[str, ...]:
    notes = [*label_set.notes, *(f"{problem} -> {remedy}" for problem, remedy in problems_by_kind(label_set.rejected))]
    unreadable = [bad for folder in folders for bad in unreadable_queues(folder)]
    notes += [f"{bad.source.file}: {bad.reason} -> {bad.remedy}" for bad in unreadable]
    if label_set.agreement:
        notes.append(label_set.agreement.to_text())
    if foreign:
        notes.append(f"{plural(foreign, 'label')} of cases that the loop does not have: not used")
    return tuple(notes)
