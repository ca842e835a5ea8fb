"""`curator calibrate`: fits the score to the user's own failures, and says whether that ranks better than the default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum
from pathlib import Path

import orjson

from curator.disagreement import calibration as fit
from curator.disagreement.calibration import LEAST_OF_EACH, Calibration
from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.disagreement.ground_truth import HALF, failure_of_record
from curator.disagreement.members.health import group_weights
from curator.disagreement.recorded import default_scorer, measure_record, recorded_health
from curator.disagreement.signals import Signals
from curator.errors import ExitCode, LogsError, RecordError
from curator.io.lines import MAX_LINE_BYTES, physical_lines
from curator.labels.archive import kept_labels
from curator.labels.merge import LabelSet, corrected
from curator.labels.queue import LABEL_QUEUES
from curator.labels.read import read_labels
from curator.records import JsonValue, Label, RejectedRecord, Source, too_many_rejected
from curator.records.recorded import Recorded
from curator.records.result import Result, renamed
from curator.run_folder.calibration import Verdict, save_calibration, verdict
from curator.run_folder.layout import RECORDED
from curator.run_folder.recorded import read_record
from curator.text.display import plural
from curator.workflows.pool import refuse_repeated
from curator.workflows.recorded_lines import read_records, sample_items, sample_records
from curator.workflows.score import DEFAULT_SCORING, Scoring

RANDOM_ONLY = "only labels of the random slice may be used, as others were given for what the committee or a user said"
UNKNOWN_ID = "no such case among the records"
FREE_TEXT = "free text in other words than the answer, which may say the same; write `wrong` (true or false) beside it"
UNREADABLE_LABEL = "the label, or every answer, is not of the record's kind"
TOO_FEW_ANSWERS = "fewer than two answers"


@dataclass(frozen=True, slots=True)
class CalibrationResult(Result):
    """What calibrating came to.

    Attributes:
        calibration: the fit; None where there were too few failures or passes.
        labels: the labels that were used.
        failures: how many of them say that the answer is wrong.
        left_out: labels that were not used, by reason.
        rejected: rows and records that could not be used, with their places.
        records: records that could be read.
        too_many_bad_rows: more than a fifth of the rows of labels could not be read.
        out: where the file was written; None where none was asked for.
    """

    calibration: Calibration | None
    labels: int
    failures: int
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...] = field()
    records: int
    too_many_bad_rows: bool = False
    out: Path | None = None

    problems = renamed("problems", "rejected")

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the rows of labels could not be read, else 0: too few labels are not an error."""
        return ExitCode.UNREADABLE if self.too_many_bad_rows else ExitCode.DONE

    @property
    def verdict(self) -> Verdict:
        """Whether the fitted score is used, and why not."""
        return verdict(self.calibration)

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        found: JsonValue = None if self.calibration is None else orjson.loads(orjson.dumps(self.calibration))
        return {
            "verdict": self.verdict,
            "records": self.records,
            "labels": self.labels,
            "failures": self.failures,
            "needed_of_each": LEAST_OF_EACH,
            "left_out": dict(self.left_out),
            "problems": [f"{p.source}: {p.reason} -> {p.remedy}" for p in self.rejected],
            "rejected": self.rejected_rows(),
            "fit": found,
            "weights": [
                {"signal": name, "share": share, "odds": odds} for name, share, odds in _in_order(self.calibration)
            ],
            "out": str(self.out) if self.out else None,
        }

    def to_text(self) -> str:
        """The figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        passes = self.labels - self.failures
        yield (
            f"labels         {self.labels:,} used, of {plural(self.records, 'record')}:"
            f" {plural(self.failures, 'failure')}, {plural(passes, 'pass', 'passes')}"
        )
        for reason, number in self.left_out.items():
            yield f"  not used     {number:,}: {reason}"
        found = self.calibration
        if found is None:
            yield (
                f"\nnot enough data: {plural(self.failures, 'failure')} and {plural(passes, 'pass', 'passes')}, {LEAST_OF_EACH} of each are needed;"
                " the default score stays"
            )
        else:
            yield from _measured(found)
            yield "\nused: the fitted score ranks" if found.better else "\nno gain: the default score stays"
        if self.out is not None:
            yield f"{self.out}  (for `curator score --calibration`, or `calibration:` in a config)"
        elif found is not None and found.better:
            yield "nothing was written: name a file with --out to use it"


def _measured(found: Calibration) -> Iterator[str]:
    yield f"AUROC default  {found.default_auroc:.3f}  ({found.scorer})"
    yield f"AUROC fitted   {found.fitted_auroc:.3f}  (cross-fitted: each case by fits that did not see it)"
    yield f"AUROC length   {found.length_auroc:.3f}  (the mean length of the answers alone)"
    yield f"gain           {found.gain:+.4f}  (95% interval {found.low:+.4f} to {found.high:+.4f})"
    yield "\nwhat the fitted score goes by: share of all weights, and what one standard deviation does to the odds of failure"
    for name, share, odds in _in_order(found):
        yield f"  {share:4.0%}  x {odds:.2f}  {name}"


def _in_order(found: Calibration | None) -> list[tuple[str, float, float]]:
    """Each signal in words, the heaviest first: its share of all weights, and its standard deviation's factor on the odds."""
    terms = sorted(found.terms if found else (), key=lambda term: (-abs(term.weight), term.signal))
    total = fsum(abs(term.weight) for term in terms) or 1.0
    return [(in_words(term.signal), abs(term.weight) / total, exp(term.weight)) for term in terms]


def in_words(signal: str) -> str:
    """A signal of the fit as a user knows it."""
    common = {
        fit.DEFAULT_SCORE: "the default score",
        fit.WORDING: "how differently the answers are worded",
        fit.WORDS: "the length of the answers",
    }
    return common.get(signal) or f"{signal.removeprefix(fit.BY) or 'the committee'} contradicts the answer in question"


def calibrate(
    records: Iterable[Mapping[str, object]], wrong: Mapping[str, bool], *, scoring: Scoring = DEFAULT_SCORING
) -> Calibration | None:
    """Fit the score to known failures: records of contract 4, and by `id` whether the answer in question is wrong.

    The cases in `wrong` should be a random sample of the records, all of which say how much each member counts, as in
    `curator.score`. Whether the fit ranks better than the default score is its `better`; None where there are too few
    failures or passes. `scoring.formula` makes no difference.

    Raises:
        LogsError: a record does not fit, an id stands there twice, or `wrong` names one that is not there.
    """
    found = read_records(records)
    refuse_repeated(record.id for record in found)
    if unknown := sorted(wrong.keys() - {record.id for record in found}):
        raise LogsError(
            f"`wrong` names {unknown[0]!r}, and no record has this id ({len(unknown):,} such)",
            remedy="give the verdicts by the `id` of the records",
        )
    labelled = [Labelled(record, wrong[record.id]) for record in found if record.id in wrong]
    weights = {} if scoring.equal_members else group_weights(recorded_health(sample_items(found), scoring.comparer))
    return _fitted(labelled, weights, scoring)[0]


def calibrate_file(
    recorded: Path, labels: Sequence[str] = (), *, out: Path | None = None, scoring: Scoring = DEFAULT_SCORING
) -> CalibrationResult:
    """Fit the score to a file of records, or to a run folder's, and to the labels in the files `labels`.

    Without `labels` the records' own references are the labels, and those filled in in a run folder's queues, of which a
    later one corrects an earlier one. What is
    fitted goes to `out`, also where it showed no gain or there were too few labels, so that a config may name it. Only
    the labelled records are held in memory.

    Raises:
        LogsError: a file is not there, too many records cannot be read, an id stands there twice, or no label is found.
        StorageError: `out` cannot be written.
    """
    path = RECORDED.of(recorded) if recorded.is_dir() else recorded
    label_set = read_labels(labels) if labels else _labels_of_run(recorded)
    given = {case_id: label for case_id, label in label_set.labels.items() if not label.unsure}
    rows = len(given) + len(label_set.rejected)
    left_out: Counter[str] = Counter()
    found = _Reading(path, given, left_out, references=not labels)
    given = {**found.references, **given}
    unknown = tuple(_unknown(given, found.kept))
    if not given and not left_out:
        raise _no_label(recorded, label_set.rejected, named=bool(labels))
    if unknown and len(unknown) == len(given):
        raise LogsError(f"no label is for a record of {str(path)!r}: {unknown[0].reason}", remedy=unknown[0].remedy)
    labelled = _labelled(found.kept, given, scoring.comparer, left_out, random_only=not labels)
    weights = {} if scoring.equal_members else group_weights(recorded_health(sample_records(path), scoring.comparer))
    fitted, used = _fitted(labelled, weights, scoring)
    left_out[TOO_FEW_ANSWERS] += len(labelled) - len(used)
    if out is not None:
        save_calibration(fitted, out)
    return CalibrationResult(
        calibration=fitted,
        labels=len(used),
        failures=sum(used),
        left_out={reason: left_out[reason] for reason in sorted(+left_out)},
        rejected=(*found.problems, *label_set.rejected, *unknown),
        records=found.ids.total(),
        too_many_bad_rows=too_many_rejected(len(label_set.rejected), rows),
        out=out,
    )


def _labels_of_run(folder: Path) -> LabelSet:
    """The labels in the queues of a run folder: a later one corrects an earlier one, and those in place correct the archived."""
    queues = [str(folder / name) for name in LABEL_QUEUES if (folder / name).is_file()]
    label_sets = [read_labels(paths) for paths in (*([path] for path in kept_labels(folder)), queues) if paths]
    return LabelSet(corrected(label_sets), tuple(row for label_set in label_sets for row in label_set.rejected))


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record, whether its answer in question is wrong, and how many cases it stands for by how it was drawn."""

    record: Recorded
    wrong: bool
    weight: float = 1.0


class _Reading:
    """Reads a file of records once: keeps those with a label or a usable reference, and counts the ids of all.

    Raises:
        LogsError: as `calibrate_file`.
    """

    def __init__(self, path: Path, labels: Mapping[str, Label], left_out: Counter[str], *, references: bool) -> None:
        self.ids: Counter[str] = Counter()
        self.kept: dict[str, Recorded] = {}
        self.references: dict[str, Label] = {}
        self.problems: list[RejectedRecord] = []
        if not path.is_file():
            raise LogsError(
                f"{str(path)!r}: there is no such file",
                remedy="name a file of recorded answers (as `curator score` reads it), or a run folder",
            )
        for record, source in self._records(path):
            self.ids[record.id] += 1
            own = _reference(record, source, left_out) if references and record.id not in labels else None
            if own is not None:
                self.references[record.id] = own
            if own is not None or record.id in labels:
                self.kept[record.id] = record
        self._check(path)

    def _records(self, path: Path) -> Iterator[tuple[Recorded, Source]]:
        for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
            source = Source(str(path), line.number)
            if line.data is None:
                self.problems.append(RejectedRecord(source, line.problem or "", line.remedy))
            elif line.data.strip():
                try:
                    yield read_record(line.data), source
                except RecordError as unfit:
                    self.problems.append(RejectedRecord(source, unfit.reason, unfit.remedy))

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
    """The record's reference where it may be used: a run says where each one is from, elsewhere all of them may be."""
    if record.reference is None or not record.reference.strip():
        return None
    if record.reference_source and (record.reference_source, record.reference_slice) != ("label", "random"):
        left_out[RANDOM_ONLY] += 1
        return None
    return Label(record.id, source, text=record.reference, slice="random", probability=record.reference_probability)


def _unknown(labels: Mapping[str, Label], records: Mapping[str, Recorded]) -> Iterator[RejectedRecord]:
    for case_id, label in labels.items():
        if case_id not in records:
            yield RejectedRecord(label.source, f"{UNKNOWN_ID}: {case_id!r}", "use the `id` of the recorded file")


def _labelled(
    known: Mapping[str, Recorded],
    labels: Mapping[str, Label],
    comparer: ComparerFactory,
    left_out: Counter[str],
    *,
    random_only: bool,
) -> list[Labelled]:
    """The records whose failure can be told, in the order of the labels; counts the others by reason.

    With `random_only` a label has to say that it is one of the random slice, else it must not say another.
    """
    labelled: list[Labelled] = []
    for case_id, label in labels.items():
        record = known.get(case_id)
        if record is None:
            left_out[UNKNOWN_ID] += 1
        elif label.slice == "disagreement" or (random_only and label.slice != "random"):
            left_out[RANDOM_ONLY] += 1
        else:
            failure = label.failure
            if failure is None and label.text is not None:
                failure = failure_of_record(record, label.text, comparer(record.question))
            if failure is None:
                left_out[FREE_TEXT if record.kind == "text" else UNREADABLE_LABEL] += 1
            else:
                labelled.append(Labelled(record, failure >= HALF, 1 / label.probability))
    return labelled


def _fitted(
    labelled: Iterable[Labelled], weights: Mapping[str, float], scoring: Scoring
) -> tuple[Calibration | None, list[bool]]:
    """The fit, and the verdicts that it was made of: those of cases with enough answers."""
    signals: list[Signals] = []
    used: list[Labelled] = []
    for one in labelled:
        if measured := measure_record(one.record, comparer=scoring.comparer, weights=weights):
            signals.append(measured)
            used.append(one)
    wrong = [one.wrong for one in used]
    stands_for = [one.weight for one in used]
    return fit.calibrate(signals, wrong, weights=stands_for, scorer=default_scorer(scoring.comparer)), wrong


def _no_label(recorded: Path, problems: tuple[RejectedRecord, ...], *, named: bool) -> LogsError:
    if problems:
        first = problems[0]
        return LogsError(f"no label can be used; the first is {first.source}: {first.reason}", remedy=first.remedy)
    if named:
        return LogsError(
            "the label files hold no label yet", remedy="fill in their column `wrong`, `verdict` or `label`"
        )
    how = "fill in its label_queue.csv, or name" if recorded.is_dir() else "give records a `reference`, or name"
    return LogsError(
        f"{str(recorded)!r}: there is no label to calibrate by",
        remedy=f"{how} a file of `id` and `wrong` (true or false) with --labels",
    )
