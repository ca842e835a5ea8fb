"""The model by which records are scored: kind and readings of each task, weights of members.

It is fitted once, to a sample of the records, without labels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.answers.confidence import without_confidence
from curator.answers.kind_detection import detect_kind, detect_task_kind
from curator.answers.read import read_answer
from curator.disagreement.readings.fit import WEIGHTING, Weighting, fit_mixture
from curator.disagreement.readings.mixture import PRODUCTION, CaseTexts, Mixture
from curator.records import Kind, TaskReadings
from curator.records.recorded import Recorded

LEAST_TASK = 50
"""A task with fewer sampled cases is not fitted by itself: its cases join those of all other small tasks."""
REST = ""
"""The name of the task of all cases that belong to no large one."""


@dataclass(frozen=True, slots=True)
class TaskModel:
    """The fit of one task.

    Attributes:
        kind: of its answers, where a record does not give one; None before any case was seen.
        mixture: its readings with their weights.
    """

    kind: Kind | None = None
    mixture: Mixture = field(default_factory=Mixture)

    def readings(self, task: str) -> TaskReadings:
        """Return how the answers of this task are read, for people."""
        return TaskReadings(task, self.kind, self.mixture.cases, self.mixture.evidence)


UNFITTED = TaskModel()


@dataclass(frozen=True, slots=True)
class ScoringModel:
    """The fit of a file of records.

    Attributes:
        tasks: the fit of each large task, and of `REST`.
        member_weights: the weight of each prompt identity; 1 where it is missing.
    """

    tasks: Mapping[str, TaskModel] = field(default_factory=dict)
    member_weights: Mapping[str, float] = field(default_factory=dict)

    def of(self, task: str) -> TaskModel:
        """Return the fit of a task."""
        return self.tasks.get(task) or self.tasks.get(REST, UNFITTED)

    @property
    def readings(self) -> tuple[TaskReadings, ...]:
        """The kind and the readings of each task, by the name of the task."""
        return tuple(model.readings(task) for task, model in sorted(self.tasks.items()))

    def with_kind(self, record: Recorded) -> Recorded:
        """Return the record with the kind of its task, where it gives none itself."""
        return record if record.kind else replace(record, kind=self.of(record.task).kind or kind_of(record))


UNFITTED_MODEL = ScoringModel()
"""Every reading and every member counts the same."""


def kind_of(record: Recorded) -> Kind:
    """Return the kind that a record gives, else the one detected from its own answers and input."""
    return record.kind or detect_kind(_given(record), input=record.input)


def fit_tasks(records: Iterable[Recorded], weighting: Weighting = WEIGHTING) -> dict[str, TaskModel]:
    """Fit the kind and the mixture of each task to sampled records; their order does not matter."""
    by_task: defaultdict[str, list[Recorded]] = defaultdict(list)
    for record in records:
        by_task[record.task].append(record)
    small = [task for task, of_task in by_task.items() if task != REST and len(of_task) < LEAST_TASK]
    for task in small:
        by_task[REST].extend(by_task.pop(task))
    return {task: _fit_task(of_task, weighting) for task, of_task in by_task.items() if of_task}


def _fit_task(records: Sequence[Recorded], weighting: Weighting) -> TaskModel:
    ordered = sorted(records, key=lambda record: record.id)
    open_kind = [(_given(record), record.input) for record in ordered if record.kind is None]
    kind = detect_task_kind(open_kind) if open_kind else Counter(record.kind for record in ordered).most_common(1)[0][0]
    cases = [case_texts(record, record.kind or kind or "text") for record in ordered]
    return TaskModel(kind, fit_mixture(cases, weighting))


def case_texts(record: Recorded, kind: Kind) -> CaseTexts:
    """Return the answers of a record as the mixture reads them."""
    texts = [answer.text for answer in record.answers]
    members = [answer.prompt_id for answer in record.answers]
    if record.target is not None:
        texts.append(record.target)
        members.append(PRODUCTION)
    of_text = {text: _value(text, record, kind) for text in dict.fromkeys(texts)}
    compared = [without_confidence(text) for text in texts]
    return CaseTexts(compared, members, [of_text[text] for text in texts], record.question)


def _value(text: str, record: Recorded, kind: Kind) -> str | None:
    if kind == "text":
        return None
    return read_answer(text, kind, labels=record.labels, input=record.input).key or None


def _given(record: Recorded) -> list[str]:
    return [*(answer.text for answer in record.answers), *([] if record.target is None else [record.target])]
