"""The model by which records are scored: kind and readings of each task, weights of members.

It is fitted once, to a sample of the records, without labels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from curator.answers.confidence import without_confidence
from curator.answers.frames.frame import ReadingChain
from curator.answers.frames.induction import induce_reading_chain
from curator.answers.kind_detection import detect_kind, detect_task_kind
from curator.answers.read import read_answer
from curator.disagreement.readings.fit import WEIGHTING, Weighting, fit_mixture
from curator.disagreement.readings.kernels import form_of
from curator.disagreement.readings.mixture import PRODUCTION, CaseTexts, Mixture
from curator.records import Kind, TaskReadings
from curator.records.recorded import Recorded

LEAST_TASK = 20
"""A task with fewer sampled cases is not fitted by itself: its cases join those of all other small tasks."""
CHECKED_CASES = 200
"""Cases in which it is checked that a frame holds the answer."""
LEAST_KAPPA = 0.3
"""Agreement beyond chance in what frames read, below which they are not used.

On questions of yes or no, frames that read names of the question reached .24, and the AUROC fell from .80 to .75.
"""
MOST_BEHIND = 0.5
"""The share of the text behind a frame in the middle from which it does not hold the answer."""
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
        frames = tuple(frame.name for frame in self.mixture.chain.frames)
        return TaskReadings(task, self.kind, self.mixture.cases, frames, self.mixture.evidence)


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

    def read_out(self, record: Recorded) -> Recorded:
        """Return the record with its kind, and its answers as the part inside their frames."""
        task = self.of(record.task)
        return replace(
            record,
            kind=record.kind or task.kind or kind_of(record),
            answers=tuple(replace(answer, text=task.mixture.chain.read(answer.text)) for answer in record.answers),
            target=None if record.target is None else task.mixture.chain.read(record.target),
        )


UNFITTED_MODEL = ScoringModel()
"""Every reading and every member counts the same."""


def kind_of(record: Recorded) -> Kind:
    """Return the kind that a record gives, else the one detected from its own answers and input."""
    return record.kind or detect_kind(_given(record), input=record.input)


Chains = Mapping[str, ReadingChain]
"""The frames around the answers of each large task, and of `REST`."""


def fit_chains(records: Iterable[Recorded]) -> dict[str, ReadingChain]:
    """Induce the frames around the answers of each task from sampled records."""
    by_task: defaultdict[str, list[Recorded]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.id):
        by_task[record.task].append(record)
    small = [task for task, of_task in by_task.items() if task != REST and len(of_task) < LEAST_TASK]
    for task in small:
        by_task[REST].extend(by_task.pop(task))
    return {task: _frames_of([_given(record) for record in of_task]) for task, of_task in by_task.items() if of_task}


def _frames_of(cases: Sequence[Sequence[str]]) -> ReadingChain:
    """Induce the frames of a task, and keep them only where what they read can be the answer.

    Calls, SQL and code have parsers of their own. Elsewhere an answer comes first or last: what stands in the middle with
    more text behind it than before and in it, such as the first of several steps, says which question was asked, and agrees
    for that reason.
    """
    if form_of(cases) not in (None, "json"):
        return ReadingChain()
    chain = induce_reading_chain(cases)
    if chain.agreement - chain.chance < LEAST_KAPPA * (1 - chain.chance):
        return ReadingChain()
    if any(frame.kind == "field" for frame in chain.frames):
        return chain
    behind = [
        share for case in cases[:CHECKED_CASES] for text in case if (share := _share_behind(chain, text)) is not None
    ]
    return chain if not behind or median(behind) <= MOST_BEHIND else ReadingChain()


def _share_behind(chain: ReadingChain, text: str) -> float | None:
    """Return the share of a text behind what the frames read in it.

    None where they read all, or its start.
    """
    inside = chain.read(text)
    start = text.rfind(inside)
    return (len(text) - start - len(inside)) / len(text) if inside and start > 0 else None


def fit_tasks(
    records: Iterable[Recorded], weighting: Weighting = WEIGHTING, *, chains: Chains | None = None
) -> dict[str, TaskModel]:
    """Fit the frames, the kind and the mixture of each task to sampled records, in any order.

    `chains` are frames that were induced before; by default they are induced from the records.
    """
    everything = list(records)
    chains = fit_chains(everything) if chains is None else chains
    by_task: defaultdict[str, list[Recorded]] = defaultdict(list)
    for record in everything:
        by_task[record.task if record.task in chains else REST].append(record)
    return {task: _fit_task(of_task, chains.get(task, ReadingChain()), weighting) for task, of_task in by_task.items()}


def _fit_task(records: Sequence[Recorded], chain: ReadingChain, weighting: Weighting) -> TaskModel:
    ordered = sorted(records, key=lambda record: record.id)
    open_kind = [
        ([chain.read(text) for text in _given(record)], record.input) for record in ordered if record.kind is None
    ]
    kind = detect_task_kind(open_kind) if open_kind else Counter(record.kind for record in ordered).most_common(1)[0][0]
    cases = [_case_texts(record, record.kind or kind or "text", chain) for record in ordered]
    return TaskModel(kind, fit_mixture(cases, weighting, chain=chain))


def _case_texts(record: Recorded, kind: Kind, chain: ReadingChain) -> CaseTexts:
    """Return the answers of a record as the mixture reads them."""
    texts = [answer.text for answer in record.answers]
    members = [answer.prompt_id for answer in record.answers]
    if record.target is not None:
        texts.append(record.target)
        members.append(PRODUCTION)
    of_text = {text: _value(chain.read(text), record, kind) for text in dict.fromkeys(texts)}
    compared = [without_confidence(text) for text in texts]
    return CaseTexts(compared, members, [of_text[text] for text in texts], record.question)


def _value(text: str, record: Recorded, kind: Kind) -> str | None:
    if kind == "text":
        return None
    return read_answer(text, kind, labels=record.labels, input=record.input).key or None


def _given(record: Recorded) -> list[str]:
    return [*(answer.text for answer in record.answers), *([] if record.target is None else [record.target])]
