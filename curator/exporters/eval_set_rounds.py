"""The eval set from round to round, and the file of its changes.

A round is a run that changes the set: cases stay, new ones are added, and each change is written down. `eval_set.changes.jsonl` is only ever appended to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from curator.errors import LogsError, RecordError
from curator.exporters.eval_set import EVAL_SET, EvalRow, with_label
from curator.io.json_rows import Fields, rows_of
from curator.io.manifest import read_manifest
from curator.records import Case, JsonValue, Label, Reference, Source, Verdict
from curator.text.display import plural

CHANGES_FILE = EVAL_SET.file_name.replace(".jsonl", ".changes.jsonl")
Change: TypeAlias = Literal["added", "label changed", "removed"]
BY_HAND = f"its line was taken out of {EVAL_SET.file_name}; it stays out until the line is back"
FILE_GONE = f"{EVAL_SET.file_name} was taken away, so that the set began anew"
TRAINED_ON = "an earlier run exported it for training"
REPEATED = "another line of the file has the same id"
FIRST = "drawn"
PUT_BACK = f"its line was put into {EVAL_SET.file_name}"
JUDGED = ("verdict", "failure", "reference", "reference_by", "corrected_category", "labelled_by")
"""The keys of a row that a change of its label shows."""


@dataclass(frozen=True, slots=True)
class EvalSetChange:
    """One change of the eval set.

    Attributes:
        round: the run that made it, from 1.
        date: of that run, as YYYY-MM-DD in UTC.
        change: the kind.
        id: the case.
        reason: for an addition or a removal.
        before: the keys of `JUDGED` before a change of the label.
        after: those keys after it.
        row: the whole line of a removed case, where it is still known; it can be put back.
    """

    round: int
    date: str
    change: Change
    id: str
    reason: str = ""
    before: Mapping[str, JsonValue] | None = None
    after: Mapping[str, JsonValue] | None = None
    row: Mapping[str, JsonValue] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file."""
        line: dict[str, JsonValue] = {"round": self.round, "date": self.date, "change": self.change, "id": self.id}
        line |= {"reason": self.reason} if self.reason else {}
        values = (("from", self.before), ("to", self.after), ("row", self.row))
        return line | {key: dict(value) for key, value in values if value is not None}

    @classmethod
    def from_json(cls, row: object) -> EvalSetChange:
        """Read a line of the file.

        Raises:
            RecordError: a field is missing, or of another type.
        """
        values = Fields.of(row)
        before, after, line = (
            values.object(key) if values.value(key) is not None else None for key in ("from", "to", "row")
        )
        return cls(
            values.whole("round"), values.optional_text("date") or "",
            cast("Change", values.one_of("change", get_args(Change))), values.text("id"),
            values.optional_text("reason") or "", before, after, line,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EarlierEvalSet:
    """The eval set that a run folder holds, and its changes so far.

    Attributes:
        rows: by case id, in the order of the file.
        repeated: further lines with the id of another one.
        changes: of all rounds, in their order.
        gone: the folder has the changes, and no eval set.
    """

    rows: Mapping[str, EvalRow] = field(default_factory=dict)
    repeated: tuple[EvalRow, ...] = ()
    changes: tuple[EvalSetChange, ...] = ()
    gone: bool = False

    @property
    def rounds(self) -> int:
        """The number of rounds so far."""
        return max((change.round for change in self.changes), default=0)

    @property
    def last_change(self) -> dict[str, EvalSetChange]:
        """The last addition or removal of each case."""
        return {change.id: change for change in self.changes if change.change != "label changed"}

    @property
    def cases(self) -> tuple[Case, ...]:
        """The rows as cases, for their labels and for the registry of held-out cases."""
        return tuple(map(_case_of, self.rows.values()))

    def redacted(self, redact: Callable[[Case], Case]) -> EarlierEvalSet:
        """Return the set without what is sensitive by the settings of this run; ids stay."""
        return replace(self, rows={case_id: _redacted(row, redact) for case_id, row in self.rows.items()})


NO_EARLIER_SET = EarlierEvalSet()


@dataclass(frozen=True, slots=True)
class EvalSetRound:
    """The eval set after a run, all its changes, and those that this run made."""

    rows: tuple[EvalRow, ...] = ()
    changes: tuple[EvalSetChange, ...] = ()
    new: tuple[EvalSetChange, ...] = ()

    def to_text(self) -> str:
        """Return the sentence on what this run changed; "" for nothing, and in the first round."""
        if not self.new or self.new[0].round < 2:
            return ""
        kinds = [change.change for change in self.new]
        counts = (
            f"{kinds.count('added'):,} added, {plural(kinds.count('label changed'), 'label')} changed, "
            f"{kinds.count('removed'):,} removed"
        )
        return (
            f"eval set, round {self.new[0].round}: {counts}; {plural(len(self.rows), 'case')} in all ({CHANGES_FILE})"
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on the cases that are no longer in the set, by reason."""
        reasons = [change.reason for change in self.new if change.change == "removed"]
        return tuple(
            f"{plural(reasons.count(reason), 'case')} no longer in {EVAL_SET.file_name}: {reason} (their lines are in {CHANGES_FILE}"
            " where they are known)"
            for reason in dict.fromkeys(reasons)
        )


def read_eval_set(folder: Path) -> EarlierEvalSet:
    """Read the eval set of a run folder with its changes; an empty one where there is none.

    Rows that only a run that ended early has drawn are left out, unless they are labelled: the complete run draws anew.

    Raises:
        LogsError: a file is damaged.
    """
    path, changes_path = folder / EVAL_SET.file_name, folder / CHANGES_FILE
    try:
        changes = tuple(rows_of(changes_path, EvalSetChange.from_json)) if changes_path.is_file() else ()
        lines = list(rows_of(path, EvalRow.from_json)) if path.is_file() else []
    except RecordError as error:
        raise LogsError(
            f"the eval set of earlier runs cannot be read: {error.reason}",
            remedy=f"{error.remedy}; or move {EVAL_SET.file_name} and {CHANGES_FILE} away together, to begin a new set",
        ) from error
    before = EarlierEvalSet(changes=changes, gone=not path.is_file())
    rows: dict[str, EvalRow] = {}
    repeated: list[EvalRow] = []
    early = _ended_early(folder)
    for row in lines:
        if row.id in rows:
            if row != rows[row.id]:
                repeated.append(row)
        elif row.labelled or not early or row.round <= before.rounds:
            rows[row.id] = row
    return replace(before, rows=rows, repeated=tuple(repeated))


def next_round(
    earlier: EarlierEvalSet,
    drawn: Iterable[EvalRow],
    *,
    cases: Mapping[str, Case],
    labels: Mapping[str, Label],
    trained_on: Collection[str] = (),
    date: str = "",
) -> EvalSetRound:
    """Return the set after a run: the earlier cases in their order, then the new ones.

    A case that is drawn again gets the design of the new draw. A case keeps its id, the round in which it came, and its verdict
    and reference as long as no new label says otherwise. The answer that people judged stays with their verdict.

    Args:
        earlier: the set before.
        drawn: the rows of this run's selection.
        cases: of this run, and of the set where the logs have no record of them.
        labels: that this run read, by case id.
        trained_on: ids of cases that were exported for training.
        date: of the run.
    """
    number = earlier.rounds + 1
    changes = _Changes(number, date)
    rows: dict[str, EvalRow] = {}
    by_id = {row.id: row for row in drawn}
    for row in earlier.rows.values():
        if row.id in trained_on:
            changes.add("removed", row.id, reason=TRAINED_ON, row=row.to_json())
            continue
        rows[row.id] = new = _updated(row, by_id.get(row.id), cases.get(row.id), labels.get(row.id))
        changes.compare(row, new)
    for row in earlier.repeated:
        changes.add("removed", row.id, reason=REPEATED, row=row.to_json())
    last = earlier.last_change
    for case_id, change in last.items():
        if change.change == "added" and case_id not in earlier.rows:
            changes.add("removed", case_id, reason=FILE_GONE if earlier.gone else BY_HAND)
    stay_out = {i for i, change in {**last, **changes.removed}.items() if change.reason == BY_HAND}
    for case_id, row in rows.items():
        if case_id not in last or last[case_id].change == "removed":
            changes.add("added", case_id, reason=FIRST if row.round == number else PUT_BACK)
    for case_id, row in by_id.items():
        if case_id not in rows and case_id not in stay_out and case_id not in trained_on:
            rows[case_id] = replace(row, round=number)
            changes.add("added", case_id, reason=FIRST)
    return EvalSetRound(tuple(rows.values()), (*earlier.changes, *changes.made), tuple(changes.made))


@dataclass(slots=True)
class _Changes:
    """The changes that one run makes."""

    round: int
    date: str
    made: list[EvalSetChange] = field(default_factory=list)

    def add(self, change: Change, case_id: str, *, reason: str, row: Mapping[str, JsonValue] | None = None) -> None:
        self.made.append(EvalSetChange(self.round, self.date, change, case_id, reason, row=row))

    def compare(self, before: EvalRow, after: EvalRow) -> None:
        """Write down what changed of a row's label."""
        old, new = before.to_json(), after.to_json()
        keys = [key for key in JUDGED if old[key] != new[key]]
        if keys:
            values = ({key: row[key] for key in keys} for row in (old, new))
            self.made.append(EvalSetChange(self.round, self.date, "label changed", before.id, "", *values))

    @property
    def removed(self) -> dict[str, EvalSetChange]:
        return {change.id: change for change in self.made if change.change == "removed"}


def _updated(row: EvalRow, drawn: EvalRow | None, case: Case | None, label: Label | None) -> EvalRow:
    """Return an earlier row with what this run knows of its case."""
    if drawn is not None:
        judged_now = label is not None and (label.at, label.failure) != (row.labelled_at, row.failure)
        if row.labelled and row.target != drawn.target and not judged_now:
            # The logs show another answer to the question now; people judged the one in the row.
            drawn, case, label = replace(drawn, **_judged_part(row)), None, None
        kept = _judged_part(row) if label is None and row.labelled else {}
        row = replace(drawn, round=row.round, further=row.further, **kept)
    elif case is not None and case.target != row.target and (row.labelled or label is None):
        return row
    return row if case is None else with_label(replace(row, target=case.target), case, label)


def _judged_part(row: EvalRow) -> dict[str, Any]:
    names = (
        "target", "reference", "reference_source", "reference_by", "reference_at", "failure", "unsure", "labelled_by",
        "labelled_at", "label_source", "note", "corrected_category",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _case_of(row: EvalRow) -> Case:
    reference = None
    if row.reference is not None:
        reference = Reference(
            row.reference, row.reference_source or "label", row.reference_by, row.slice, at=row.reference_at
        )
    return Case(
        id=row.id, messages=row.messages, source=Source.parse(row.source),
        target=row.target, task=row.task, kind=row.kind, options=row.options, reference=reference,
        metadata=row.metadata, weight=row.weight, group=row.group or row.id, user_id=row.user_id,
        verdict=None if row.failure is None else Verdict(row.failure, row.slice, row.inclusion_probability),
        question="" if row.question_id == row.id else row.question_id,
    )  # fmt: skip


def _redacted(row: EvalRow, redact: Callable[[Case], Case]) -> EvalRow:
    case = redact(_case_of(row))
    return replace(
        row, messages=case.messages, target=case.target, options=case.options, metadata=case.metadata,
        reference=case.reference.text if case.reference else row.reference,
    )  # fmt: skip


def _ended_early(folder: Path) -> bool:
    try:
        run = read_manifest(folder)
    except RecordError:
        return False
    return run is not None and run.stopped is not None
