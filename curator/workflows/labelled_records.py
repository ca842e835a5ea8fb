"""Recorded answers with known failures: labels joined with the records that they judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.disagreement.ground_truth import failure_of_record
from curator.disagreement.scoring_model import ScoringModel
from curator.errors import LogsError, RecordError
from curator.labels.archive import labels_in
from curator.labels.merge import LabelSet
from curator.labels.read import read_labels
from curator.records import Label, MemberHealth, RejectedRecord, Source, answer_mark, too_many_rejected
from curator.records.labels import HALF
from curator.records.recorded import Recorded
from curator.run_folder.layout import RECORDED
from curator.run_folder.recorded import read_record
from curator.text.display import plural
from curator.workflows.inputs import Paths, path_list, source_of
from curator.workflows.label_inputs import labels_in_memory, no_label_error
from curator.workflows.pool import refuse_repeated
from curator.workflows.recorded_lines import read_records, record_lines, sample_items, sample_records
from curator.workflows.score import Recordings, Scoring

RANDOM_ONLY = "only labels of the random slice may be used, as others were given for what the committee or a user said"
OTHER_ANSWER = "the verdict is about another answer than the record's; judge the answer that is there now"
UNKNOWN_ID = "no such case among the records"
FREE_TEXT = "free text in other words than the answer, which may say the same; write `wrong` (true or false) beside it"
UNREADABLE_LABEL = "the label, or every answer, is not of the record's kind"
HALF_RIGHT = (
    "neither a pass nor a failure: a verdict of 0.5, or as many people for pass as for fail; agree on pass or fail"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record with a known failure; `weight` is 1 over its inclusion probability."""

    record: Recorded
    wrong: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LabelledRecords:
    """The labelled ones of recorded answers.

    Attributes:
        labelled: the records with a known failure, in the order of the labels.
        left_out: labels that cannot be used, by reason.
        rejected: rows and records that cannot be used, with their places.
        records: records that could be read.
        too_many_bad_rows: more than a fifth of the rows of labels could not be read.
        path: the file of the records; `records` where they are in memory.
        sample: a sample of all readable records, labelled or not.
        model: the fit to the sample.
        health: the health of the members in the sample.
    """

    labelled: tuple[Labelled, ...]
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...]
    records: int
    too_many_bad_rows: bool
    path: Path
    sample: tuple[Recorded, ...] = field(repr=False)
    model: ScoringModel = field(repr=False)
    health: tuple[MemberHealth, ...] = field(repr=False)


def read_labelled(
    recorded: Recordings,
    labels: Paths | Mapping[str, bool],
    scoring: Scoring,
    *,
    required: bool = True,
) -> LabelledRecords:
    """Read recorded answers, and keep those with a known failure.

    Args:
        recorded: a file of recorded answers, a run folder, the result of a run, or records in memory.
        labels: files of labels; or by case id whether the answer in question is wrong. By default the records' own
            references, and the labels in a run folder's queues.
        scoring: the way to score; its comparer decides whether an answer means the same as a reference.
        required: refuse records without a label.

    Raises:
        LogsError: a file is not there, too many records cannot be read, an id is used twice, or no label is `required`.
    """
    source = source_of(recorded)
    path = source if isinstance(source, Path) else Path("records")
    if path.is_dir():
        path = RECORDED.of(path)
    records = None if isinstance(source, Path) else read_records(source)
    sample = sample_items(records) if records is not None else list(sample_records(path)) if path.is_file() else []
    in_memory, files = isinstance(labels, Mapping), [] if isinstance(labels, Mapping) else path_list(labels)
    named = in_memory or bool(files)
    if isinstance(labels, Mapping):
        label_set = labels_in_memory(labels)
    elif files:
        label_set = read_labels(files, answers=_answers_in(sample))
    else:
        label_set = labels_in(source) if isinstance(source, Path) else LabelSet({})
    judged = {case_id: label for case_id, label in label_set.labels.items() if not label.unsure}
    left_out: Counter[str] = Counter()
    reading = _Reading(path, records, judged, left_out, references=not named)
    all_labels = {**reading.references, **judged}
    unknown = tuple(_unknown(all_labels, reading.kept))
    if not all_labels and not left_out and (required or named):
        raise no_label_error(source, label_set.rejected, named=named, in_memory=in_memory)
    if unknown and (in_memory or len(unknown) == len(all_labels)):
        raise LogsError(f"no record for a label, in {str(path)!r}: {unknown[0].reason}", remedy=unknown[0].remedy)
    model, health = scoring.fit(sample)
    labelled = _labelled(reading.kept, all_labels, model, scoring.comparer, left_out, random_only=not named)
    return LabelledRecords(
        labelled=tuple(labelled),
        left_out=dict(+left_out),
        rejected=(*reading.problems, *label_set.rejected, *unknown),
        records=reading.ids.total(),
        too_many_bad_rows=too_many_rejected(len(label_set.rejected), len(judged) + len(label_set.rejected)),
        path=path,
        sample=tuple(sample),
        model=model,
        health=health,
    )


def _answers_in(records: Iterable[Recorded]) -> Iterator[str | None]:
    """Yield the answers of production and the committee, and the labels that an answer can be."""
    for record in records:
        yield record.target
        yield from (answer.text for answer in record.answers)
        yield from record.labels


class _Reading:
    """Reads recorded answers once; keeps those with a label or reference, counts all ids.

    Raises:
        LogsError: as `calibrate`.
    """

    def __init__(
        self,
        path: Path,
        records: Sequence[Recorded] | None,
        labels: Mapping[str, Label],
        left_out: Counter[str],
        *,
        references: bool,
    ) -> None:
        self.ids: Counter[str] = Counter()
        self.kept: dict[str, Recorded] = {}
        self.references: dict[str, Label] = {}
        self.problems: list[RejectedRecord] = []
        if records is None and not path.is_file():
            raise LogsError(
                f"{str(path)!r}: no such file",
                remedy="name a file of recorded answers (as `curator score` reads it), or a run folder",
            )
        in_memory = ((record, Source(str(path), number)) for number, record in enumerate(records or (), 1))
        for record, source in self._from_file(path) if records is None else in_memory:
            self.ids[record.id] += 1
            reference = _reference(record, source, left_out) if references and record.id not in labels else None
            if reference is not None:
                self.references[record.id] = reference
            if reference is not None or record.id in labels:
                self.kept[record.id] = record
        self._check(path)

    def _from_file(self, path: Path) -> Iterator[tuple[Recorded, Source]]:
        for line in record_lines(path):
            source = Source(str(path), line.number)
            if line.data is None:
                self.problems.append(RejectedRecord(source, line.problem or "", line.remedy))
            elif line.data.strip():
                try:
                    yield read_record(line.data), source
                except RecordError as error:
                    self.problems.append(RejectedRecord(source, error.reason, error.remedy))

    def _check(self, path: Path) -> None:
        lines = self.ids.total() + len(self.problems)
        if not self.ids or too_many_rejected(len(self.problems), lines):
            first = self.problems[0] if self.problems else None
            raise LogsError(
                f"{str(path)!r}: {len(self.problems):,} of {plural(lines, 'line')} cannot be read as records"
                + (f"; the first is {first.source}: {first.reason}" if first else ""),
                remedy=first.remedy if first else "name a file that holds records",
            )
        refuse_repeated(self.ids.elements())


def _reference(record: Recorded, source: Source, left_out: Counter[str]) -> Label | None:
    """Return the label that a record holds; of a run only if it is one of the random slice."""
    text = record.reference if record.reference and record.reference.strip() else None
    if text is None and record.failure is None:
        return None
    if record.reference_source and (record.reference_source, record.reference_slice) != ("label", "random"):
        left_out[RANDOM_ONLY] += 1
        return None
    return Label(
        record.id, source, failure=record.failure, text=text, slice="random", probability=record.reference_probability
    )


def _unknown(labels: Mapping[str, Label], records: Mapping[str, Recorded]) -> Iterator[RejectedRecord]:
    for case_id, label in labels.items():
        if case_id not in records:
            yield RejectedRecord(label.source, f"{UNKNOWN_ID}: {case_id!r}", "use the `id` of the recorded file")


def _is_of(label: Label, record: Recorded) -> bool:
    """Return whether the answer that was judged is the record's, as far as the label says."""
    return not label.answer_mark or record.target is None or label.answer_mark == answer_mark(record.target)


def _labelled(
    records: Mapping[str, Recorded],
    labels: Mapping[str, Label],
    model: ScoringModel,
    comparer: ComparerFactory,
    left_out: Counter[str],
    *,
    random_only: bool,
) -> list[Labelled]:
    """Return the records with a known failure, in the order of the labels; count the others.

    With `random_only` a label must name the random slice; else it must not name another one.
    """
    labelled: list[Labelled] = []
    for case_id, label in labels.items():
        record = records.get(case_id)
        if record is None:
            left_out[UNKNOWN_ID] += 1
        elif label.slice not in (None, "random") or (random_only and label.slice != "random"):
            left_out[RANDOM_ONLY] += 1
        else:
            failure = label.failure if _is_of(label, record) else None
            if failure is None and label.failure is not None and label.text is None:
                left_out[OTHER_ANSWER] += 1
                continue
            if failure is None and label.text is not None:
                failure = failure_of_record(model.read_out(record), label.text, comparer(record.question))
            if failure is None:
                left_out[FREE_TEXT if model.read_out(record).kind == "text" else UNREADABLE_LABEL] += 1
            elif failure == HALF:
                left_out[HALF_RIGHT] += 1
            else:
                labelled.append(Labelled(record, failure > HALF, 1 / label.probability))
    return labelled
