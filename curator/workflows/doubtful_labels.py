"""Labels in doubt by the results of several systems, and the queue to judge them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from curator.errors import ConfigError, RecordError
from curator.estimation.comparison.doubtful_labels import doubtful_cases
from curator.exporters.eval_set import EvalRow
from curator.io.atomic import write_atomic
from curator.labels import LABEL_TOOLS, tool_of
from curator.labels.adjudication import ADJUDICATION
from curator.labels.queue import QueueRow, readable
from curator.readers.eval_results import read_rows
from curator.records import JsonValue, fingerprint
from curator.records.identity import normalise_space
from curator.report.answer_groups import AnswerGroup
from curator.text.display import one_line, plural
from curator.workflows.export import ExportedFile
from curator.workflows.label_exchange import keep_labels

_SHOWN, _LONGEST, _NAMES = 10, 80, 6
NOT_A_ROW = "not a row of an eval set of curator"


@dataclass(frozen=True, slots=True)
class DoubtfulLabel:
    """A case that better systems fail and worse ones pass.

    Attributes:
        case_id: the case.
        correlation: of the scores with the systems' means over the other cases, -1..0.
        p: the share of orders of the systems with such a correlation or a lower one.
        passed: the systems with a score above one half, the worst one first.
        failed: the others.
        question: the last user message; "" without the row of the eval set, as below.
        target: production's answer.
        reference: the trusted answer.
        label_by: the people who labelled the case, or the author of the reference.
        verdict: on production's answer: `pass`, `fail`, ...
        answers: of the systems, by system, where the results hold them.
    """

    case_id: str
    correlation: float
    p: float
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    question: str = ""
    target: str | None = None
    reference: str | None = None
    label_by: tuple[str, ...] = ()
    verdict: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the case for machines."""
        return {
            **asdict(self), "passed": list(self.passed), "failed": list(self.failed), "label_by": list(self.label_by),
            "answers": dict(self.answers),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class DoubtfulLabels:
    """The labels in doubt.

    Attributes:
        labels: the most doubtful ones first.
        by_chance: about so many of them at most would be listed by chance.
        systems: the number of systems, near-copies counted once.
        reason: the reason why no label was looked at; "" where they were.
    """

    labels: tuple[DoubtfulLabel, ...] = ()
    by_chance: float = 0.0
    systems: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Return the labels for machines."""
        return {
            "labels": [label.to_json() for label in self.labels], "by_chance": self.by_chance, "systems": self.systems,
            "reason": self.reason,
        }  # fmt: skip

    def lines(self, systems: int) -> Iterator[str]:
        """Yield the lines for people; of fewer than three `systems` no label can be in doubt."""
        if self.reason:
            yield from [f"labels in doubt: {self.reason}"] if systems > 2 else []
            return
        if not self.labels:
            yield "no label in doubt: no case that better systems fail and worse ones pass, beyond chance"
            return
        chance = f"at most about {self.by_chance:.0f} by chance" if self.by_chance >= 1 else "hardly one by chance"
        yield f"{plural(len(self.labels), 'label')} in doubt, as better systems fail and worse ones pass ({chance}):"
        for label in self.labels[:_SHOWN]:
            yield from _label_lines(label)
        if len(self.labels) > _SHOWN:
            yield f"  {len(self.labels) - _SHOWN:,} more, which --json and --relabel list"


def labels_in_doubt(scores: Mapping[str, Mapping[str, float]]) -> DoubtfulLabels:
    """Find the labels in doubt among the cases that every system has a score for."""
    names = sorted(scores)
    ids = sorted(set.intersection(*(set(scores[name]) for name in names)))
    table = np.array([[scores[name][case_id] for name in names] for case_id in ids], dtype=float)
    doubts = doubtful_cases(table.reshape(len(ids), len(names)))
    order = sorted(range(len(names)), key=lambda i: (table[:, i].mean(), names[i])) if ids else []
    labels = []
    for case in doubts.cases:
        passed = tuple(names[i] for i in order if table[case.place, i] > 0.5)
        failed = tuple(names[i] for i in order if table[case.place, i] <= 0.5)
        labels.append(DoubtfulLabel(ids[case.place], case.correlation, case.p, passed, failed))
    return DoubtfulLabels(tuple(labels), doubts.by_chance, doubts.systems, doubts.reason)


def with_details(
    doubts: DoubtfulLabels, eval_set: str | None, answers: Mapping[str, Mapping[str, str]]
) -> DoubtfulLabels:
    """Add the row of the eval set and the systems' answers to each label."""
    rows = _eval_rows(eval_set, {label.case_id for label in doubts.labels}) if eval_set else {}
    return replace(doubts, labels=tuple(_detailed(label, rows.get(label.case_id), answers) for label in doubts.labels))


def relabel_queue(doubts: DoubtfulLabels, eval_set: str | None, out: str | Path) -> ExportedFile:
    """Write a label queue of the labels in doubt alone; what comes back decides each case.

    The queue does not show the label in doubt, so that the second judgement is independent of it.

    Raises:
        ConfigError: no `eval_set` is named, no label tool has the suffix of `out`, or `out` holds labels.
        StorageError: `out` cannot be written.
    """
    if eval_set is None:
        raise ConfigError("a label queue needs the rows of the eval set", remedy="name the file with --eval")
    path = Path(out)
    tool = tool_of(path)
    if tool is None:
        suffixes = ", ".join(sorted(entry.suffix for entry in LABEL_TOOLS.values()))
        raise ConfigError(f"no label tool writes {path.name!r}", remedy=f"give the file one of the endings {suffixes}")
    rows = _eval_rows(eval_set, {label.case_id for label in doubts.labels})
    queue = [_queue_row(rows[label.case_id], label) for label in doubts.labels if label.case_id in rows]
    missing = len(doubts.labels) - len(queue)
    keep_labels(path)
    write_atomic(path, tool.write(queue))
    return ExportedFile(path, tool.name, len(queue), {NOT_A_ROW: missing} if missing else {})


def _eval_rows(eval_set: str, wanted: set[str]) -> dict[str, EvalRow]:
    rows: dict[str, EvalRow] = {}
    for case_id, _, cells in read_rows([eval_set]) if wanted else ():
        if case_id in wanted:
            try:
                rows[case_id] = EvalRow.from_json({"slice": "random", "inclusion_probability": 1.0, **cells})
            except RecordError:
                continue
    return rows


def _detailed(label: DoubtfulLabel, row: EvalRow | None, answers: Mapping[str, Mapping[str, str]]) -> DoubtfulLabel:
    given = {name: texts[label.case_id] for name, texts in sorted(answers.items()) if label.case_id in texts}
    if row is None:
        return replace(label, answers=given)
    return replace(
        label, question=row.question, target=row.target, reference=row.reference, verdict=row.verdict, answers=given,
        label_by=row.labelled_by or ((row.reference_by,) if row.reference_by else ()),
    )  # fmt: skip


def _queue_row(row: EvalRow, label: DoubtfulLabel) -> QueueRow:
    shown = readable(row.messages)
    counts = Counter(map(normalise_space, label.answers.values()))
    answers = [AnswerGroup(text, count, (), is_target=text == row.target) for text, count in counts.most_common()]
    return QueueRow(
        batch=1, case_id=row.id, content_hash=fingerprint(row.id, shown, row.target), split="eval", slice=row.slice,
        inclusion_probability=row.inclusion_probability, task=row.task, kind=row.kind, input=shown, target=row.target,
        committee_majority=None, agreement=None, disagreement=row.disagreement, alternatives=tuple(answers),
        category=row.category, annotator=ADJUDICATION, messages=row.messages,
    )  # fmt: skip


def _label_lines(label: DoubtfulLabel) -> Iterator[str]:
    yield (
        f"  {label.case_id}: correlation {label.correlation:.2f}, p = {label.p:.3f}; passed by {_named(label.passed)},"
        f" failed by {_named(label.failed)}"
    )
    parts = [f"question {one_line(label.question, _LONGEST)!r}"] if label.question else []
    if label.reference is not None:
        parts.append(f"reference {one_line(label.reference, _LONGEST)!r}")
    if label.verdict:
        parts.append(f"verdict {label.verdict}")
    if label.label_by:
        parts.append(f"by {_named(label.label_by)}")
    if parts:
        yield f"    {', '.join(parts)}"
    for text, count in Counter(map(normalise_space, label.answers.values())).most_common(3):
        yield f"    {plural(count, 'system')} answered {one_line(text, _LONGEST)!r}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, _LONGEST) for name in names[:_NAMES])
    return (shown + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")) or "none"
