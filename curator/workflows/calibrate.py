"""`curator calibrate`: fit the score to known failures, and test whether it ranks better."""

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
from curator.labels.archive import labels_in
from curator.labels.merge import LabelSet
from curator.labels.read import read_labels
from curator.records import JsonValue, Label, RejectedRecord, Source, too_many_rejected
from curator.records.recorded import Recorded
from curator.records.result import TableResult, renamed, warn_of_old_name
from curator.run_folder.calibration import Verdict, save_calibration, verdict
from curator.run_folder.layout import RECORDED
from curator.run_folder.recorded import read_record
from curator.text.display import plural
from curator.workflows.inputs import Paths, path_list, source_of
from curator.workflows.label_inputs import labels_in_memory, no_label_error
from curator.workflows.pool import refuse_repeated
from curator.workflows.recorded_lines import read_records, sample_items, sample_records
from curator.workflows.score import DEFAULT_SCORING, Recordings, Scoring

RANDOM_ONLY = "only labels of the random slice may be used, as others were given for what the committee or a user said"
UNKNOWN_ID = "no such case among the records"
FREE_TEXT = "free text in other words than the answer, which may say the same; write `wrong` (true or false) beside it"
UNREADABLE_LABEL = "the label, or every answer, is not of the record's kind"
HALF_RIGHT = (
    "neither a pass nor a failure: a verdict of 0.5, or as many people for pass as for fail; agree on pass or fail"
)
TOO_FEW_ANSWERS = "fewer than two answers"


@dataclass(frozen=True, slots=True)
class CalibrationResult(TableResult):
    """A fit of the score to labels, with its gain over the default score.

    Attributes:
        calibration: the fit; None where there were too few failures or passes.
        labels: the labels that were used.
        failures: how many of them say that the answer is wrong.
        left_out: labels that were not used, by reason.
        rejected: rows and records that could not be used, with their places.
        records: records that could be read.
        too_many_bad_rows: more than a fifth of the rows of labels could not be read.
        out: the file that was written; None for none.
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
    def warnings(self) -> tuple[str, ...]:
        """The number of labels that are neither a pass nor a failure."""
        ties = self.left_out.get(HALF_RIGHT, 0)
        return (f"{plural(ties, 'label')} not used: {HALF_RIGHT}",) if ties else ()

    @property
    def better(self) -> bool:
        """The old name of `verdict == "used"`, kept for one release."""
        warn_of_old_name("better", 'verdict == "used"')
        return self.verdict == "used"

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the label rows could not be read, else 0."""
        return ExitCode.UNREADABLE if self.too_many_bad_rows else ExitCode.DONE

    @property
    def verdict(self) -> Verdict:
        """The use of the fitted score, or the reason why it is not used."""
        return verdict(self.calibration)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        fit_json: JsonValue = None if self.calibration is None else orjson.loads(orjson.dumps(self.calibration))
        return {
            "verdict": self.verdict,
            "records": self.records,
            "labels": self.labels,
            "failures": self.failures,
            "needed_of_each": LEAST_OF_EACH,
            "left_out": dict(self.left_out),
            "problems": [f"{p.source}: {p.reason} -> {p.remedy}" for p in self.rejected],
            "rejected": self.rejected_rows(),
            "fit": fit_json,
            "weights": [
                {"signal": name, "share": share, "odds": odds} for name, share, odds in _in_order(self.calibration)
            ],
            "out": str(self.out) if self.out else None,
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a signal of the fit."""
        return [{"signal": name, "share": share, "odds": odds} for name, share, odds in _in_order(self.calibration)]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        passes = self.labels - self.failures
        yield (
            f"labels         {self.labels:,} used, of {plural(self.records, 'record')}:"
            f" {plural(self.failures, 'failure')}, {plural(passes, 'pass', 'passes')}"
        )
        for reason, number in self.left_out.items():
            yield f"  not used     {number:,}: {reason}"
        fitted = self.calibration
        if fitted is None:
            yield (
                f"\nnot enough data: {plural(self.failures, 'failure')} and {plural(passes, 'pass', 'passes')}, {LEAST_OF_EACH} of each are needed;"
                " the default score stays"
            )
        else:
            yield from _measured(fitted)
            yield "\nused: the fitted score ranks" if fitted.better else "\nno gain: the default score stays"
        if self.out is not None:
            yield f"{self.out}  (for `curator score --calibration`, or `calibration:` in a config)"
        elif fitted is not None and fitted.better:
            yield "nothing was written: name a file with --out to use the fitted score"


def _measured(fitted: Calibration) -> Iterator[str]:
    yield f"AUROC default  {fitted.default_auroc:.3f}  ({fitted.scorer})"
    yield f"AUROC fitted   {fitted.fitted_auroc:.3f}  (cross-fitted: each case by fits that did not see it)"
    yield f"AUROC length   {fitted.length_auroc:.3f}  (the mean length of the answers alone)"
    yield f"gain           {fitted.gain:+.4f}  (95% interval {fitted.low:+.4f} to {fitted.high:+.4f})"
    yield "\nsignals of the fitted score: share of all weights, and the factor on the odds of failure for one standard deviation"
    for name, share, odds in _in_order(fitted):
        yield f"  {share:4.0%}  x {odds:.2f}  {name}"


def _in_order(fitted: Calibration | None) -> list[tuple[str, float, float]]:
    """Return each signal with its share of all weights and its factor, the heaviest first.

    The factor is that of one standard deviation of the signal on the odds of failure.
    """
    terms = sorted(fitted.terms if fitted else (), key=lambda term: (-abs(term.weight), term.signal))
    total = fsum(abs(term.weight) for term in terms) or 1.0
    return [(in_words(term.signal), abs(term.weight) / total, exp(term.weight)) for term in terms]


def in_words(signal: str) -> str:
    """Return the description of a signal."""
    common = {
        fit.DEFAULT_SCORE: "the default score",
        fit.WORDING: "how differently the answers are worded",
        fit.WORDS: "the length of the answers",
    }
    return common.get(signal) or f"{signal.removeprefix(fit.BY) or 'the committee'} contradicts the answer in question"


def calibrate(
    recorded: Recordings,
    labels: Paths | Mapping[str, bool] = (),
    *,
    out: str | Path | None = None,
    scoring: Scoring = DEFAULT_SCORING,
) -> CalibrationResult:
    """Fit the score to known failures, and test whether it ranks better than the default.

    The labelled cases should be a random sample of the records; the health of the members is measured on all records.

    Args:
        recorded: a file of recorded answers, a run folder, the result of a run, or records in memory. Of a file only the
            labelled records are held in memory.
        labels: files of labels; or by case id whether the answer in question is wrong. By default the records' own
            references, and the labels in a run folder's queues, of which a later one corrects an earlier one.
        out: the file to write the fit to, so that a config or `curator.score` can use it; it is also written where the fit
            shows no gain or there are too few labels.
        scoring: the way to score; its formula is not used.

    Raises:
        LogsError: a file is not there, too many records cannot be read, an id is used twice, or no label is found.
        StorageError: `out` cannot be written.
    """
    source = source_of(recorded)
    target = Path(out) if out is not None else None
    if isinstance(labels, Mapping):
        return _calibrate(source, labels_in_memory(labels), out=target, scoring=scoring, named=True, in_memory=True)
    files = path_list(labels)
    in_folder = labels_in(source) if isinstance(source, Path) and not files else LabelSet({})
    label_set = read_labels(files) if files else in_folder
    return _calibrate(source, label_set, out=target, scoring=scoring, named=bool(files))


def _calibrate(
    source: Path | tuple[Mapping[str, object], ...],
    label_set: LabelSet,
    *,
    out: Path | None,
    scoring: Scoring,
    named: bool,
    in_memory: bool = False,
) -> CalibrationResult:
    """Fit the score to labels; without `named` ones the records' references count as well."""
    path = source if isinstance(source, Path) else Path("records")
    if path.is_dir():
        path = RECORDED.of(path)
    records = None if isinstance(source, Path) else read_records(source)
    labels = {case_id: label for case_id, label in label_set.labels.items() if not label.unsure}
    label_rows = len(labels) + len(label_set.rejected)
    left_out: Counter[str] = Counter()
    reading = _Reading(path, records, labels, left_out, references=not named)
    labels = {**reading.references, **labels}
    unknown = tuple(_unknown(labels, reading.kept))
    if not labels and not left_out:
        raise no_label_error(source, label_set.rejected, named=named, in_memory=in_memory)
    if unknown and (in_memory or len(unknown) == len(labels)):
        raise LogsError(f"no record for a label, in {str(path)!r}: {unknown[0].reason}", remedy=unknown[0].remedy)
    labelled = _labelled(reading.kept, labels, scoring.comparer, left_out, random_only=not named)
    sample = sample_records(path) if records is None else sample_items(records)
    weights = {} if scoring.equal_members else group_weights(recorded_health(sample, scoring.comparer))
    fitted, used = _fit(labelled, weights, scoring)
    left_out[TOO_FEW_ANSWERS] += len(labelled) - len(used)
    if out is not None:
        save_calibration(fitted, out)
    return CalibrationResult(
        calibration=fitted,
        labels=len(used),
        failures=sum(used),
        left_out={reason: left_out[reason] for reason in sorted(+left_out)},
        rejected=(*reading.problems, *label_set.rejected, *unknown),
        records=reading.ids.total(),
        too_many_bad_rows=too_many_rejected(len(label_set.rejected), label_rows),
        out=out,
    )


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record with a known failure; `weight` is 1 over its inclusion probability."""

    record: Recorded
    wrong: bool
    weight: float = 1.0


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
        for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
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
    """Return the reference of a record; of a run only if it is a label of the random slice."""
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
    records: Mapping[str, Recorded],
    labels: Mapping[str, Label],
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
        elif label.slice == "disagreement" or (random_only and label.slice != "random"):
            left_out[RANDOM_ONLY] += 1
        else:
            failure = label.failure
            if failure is None and label.text is not None:
                failure = failure_of_record(record, label.text, comparer(record.question))
            if failure is None:
                left_out[FREE_TEXT if record.kind == "text" else UNREADABLE_LABEL] += 1
            elif failure == HALF:
                left_out[HALF_RIGHT] += 1
            else:
                labelled.append(Labelled(record, failure > HALF, 1 / label.probability))
    return labelled


def _fit(
    labelled: Iterable[Labelled], weights: Mapping[str, float], scoring: Scoring
) -> tuple[Calibration | None, list[bool]]:
    """Return the fit, and the verdicts that it was made of: those of cases with enough answers."""
    signals: list[Signals] = []
    used: list[Labelled] = []
    for case in labelled:
        if measured := measure_record(case.record, comparer=scoring.comparer, weights=weights):
            signals.append(measured)
            used.append(case)
    wrong = [case.wrong for case in used]
    case_weights = [case.weight for case in used]
    return fit.calibrate(signals, wrong, weights=case_weights, scorer=default_scorer(scoring.comparer)), wrong
