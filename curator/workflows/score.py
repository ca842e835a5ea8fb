"""`curator score`: score recorded answers, as a stream or in memory; no model is called."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias, overload

import orjson

from curator.disagreement.calibration import Calibration, formula_for
from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.disagreement.estimators import require_estimators
from curator.disagreement.members.health import group_weights, health_warnings
from curator.disagreement.recorded import default_scorer, estimator_values, fit_scoring, score_record
from curator.disagreement.score import DEFAULT, Formula
from curator.disagreement.scoring_model import UNFITTED_MODEL, ScoringModel
from curator.errors import ConfigError, ExitCode, LogsError, RecordError, StorageError
from curator.io.atomic import write_atomic
from curator.io.lines import Line, expand
from curator.records import JsonValue, MemberHealth, RejectedRecord, Score, Source, TaskReadings, too_many_rejected
from curator.records.recorded import Recorded, prompt_id_of
from curator.records.result import TableResult
from curator.report.readings import readings_sentence
from curator.run_folder.calibration import CalibrationFile, FittedResult, read_calibration
from curator.run_folder.layout import RECORDED
from curator.run_folder.peer_records import KeyUse
from curator.run_folder.recorded import read_keyed
from curator.run_folder.scores import ScoreRow
from curator.text.display import plural
from curator.workflows.inputs import HasFolder, HasSource, source_of
from curator.workflows.recorded_lines import KeyTally, map_lines, readable_records, sample_items, sample_records
from curator.workflows.score_report import ScoreFigures, Seen, Watch, see

KEPT_REJECTED = 1000
"""Of more rejected records only the number is kept: a file is scored with constant memory."""

Recordings: TypeAlias = str | Path | HasSource | HasFolder | Iterable[Mapping[str, object]]
"""Recorded answers: a file, a run folder, the result of a run or of scoring, or records in memory, as dicts with the keys of a line."""


@dataclass(frozen=True, slots=True)
class ScoreResult(TableResult, Sequence[Score]):
    """The scores of recorded answers, in the order of the records; a sequence of `Score`.

    Attributes:
        scored: records with a score.
        set_aside: records that could not be read.
        out: the file that the scores were written to; None for none.
        health: the health of the members, over a sample of the records; empty where all members have the same weight.
        notes: what else the user should know.
        figures: the scores as a whole.
        tasks: the kind and the readings of each task, fitted to a sample of the records.
        rejected: the first `KEPT_REJECTED` records that were set aside.
        scores: the scores; empty where they were written to `out`.
        source: the recorded answers: a file, or the records themselves.
    """

    scored: int
    set_aside: int
    out: Path | None
    health: tuple[MemberHealth, ...] = ()
    notes: tuple[str, ...] = ()
    figures: ScoreFigures = field(default_factory=ScoreFigures)
    tasks: tuple[TaskReadings, ...] = field(default=(), repr=False)
    rejected: tuple[RejectedRecord, ...] = ()
    scores: tuple[Score, ...] = field(default=(), repr=False)
    source: Path | tuple[Mapping[str, object], ...] | None = field(default=None, repr=False, compare=False)

    @overload
    def __getitem__(self, place: int) -> Score: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Score, ...]: ...
    def __getitem__(self, place: int | slice) -> Score | tuple[Score, ...]:
        """Return the score at a place."""
        return self.scores[place]

    def __len__(self) -> int:
        """Return the number of scores that are held in memory."""
        return len(self.scores)

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the records could not be read, or none; else 0."""
        unreadable = not self.scored or too_many_rejected(self.set_aside, self.scored + self.set_aside)
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on members with less than full weight, on doubtful scores, and the notes."""
        return (*self._unread(), *health_warnings(self.health), *self.figures.warnings, *self.notes)

    def _unread(self) -> Iterator[str]:
        total = self.scored + self.set_aside
        if not total:
            yield "the file holds no record"
        elif self.exit_code:
            yield f"{self.set_aside:,} of {plural(total, 'record')} cannot be read, which is too many to trust the rest"

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines; the scores themselves are in `out` or in `scores`."""
        return {
            "scored": self.scored,
            "set_aside": self.set_aside,
            "out": str(self.out) if self.out else None,
            **self.figures.to_dict(),
            "weights": dict(group_weights(self.health)),
            "tasks": orjson.loads(orjson.dumps(self.tasks)),
            "warnings": list(self.warnings),
            "rejected": self.rejected_rows(),
        }

    def to_text(self) -> str:
        """Return the figures for people."""
        where = f": {self.out}" if self.out else ""
        tasks = "".join(f"\n{readings_sentence(task)}" for task in self.tasks)
        counts = f"{plural(self.scored, 'record')} scored, {self.set_aside:,} set aside{where}"
        return f"{counts}\n{self.figures.to_text()}{tasks}"

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a score."""
        return [asdict(score) for score in self.scores]


@dataclass(frozen=True, slots=True)
class Scoring:
    """The way to score records.

    Attributes:
        comparer: decides which answers mean the same. Any other than the default works in one process, which holds its
            model.
        equal_members: give every member the same weight; else a member's weight depends on its health, see
            `health.group_weights`.
        formula: makes the score of the signals; a `Calibration` is one.
        processes: processors to use; None for all.
        estimators: names of `ESTIMATORS` whose values are added to every score.
    """

    comparer: ComparerFactory = WordComparer
    equal_members: bool = False
    formula: Formula = DEFAULT
    processes: int | None = None
    estimators: tuple[str, ...] = ()

    @property
    def workers(self) -> int | None:
        """The processes that can work on records at once; None for one a core."""
        return self.processes if self.comparer is WordComparer else 1

    def fit(self, records: Iterable[Recorded]) -> tuple[ScoringModel, tuple[MemberHealth, ...]]:
        """Fit the model of a file to a sample of its records, and assess the members."""
        return fit_scoring(list(records), self.comparer, equal_members=self.equal_members)


DEFAULT_SCORING = Scoring()


def score(
    records: Recordings,
    *,
    out: str | Path | None = None,
    scoring: Scoring = DEFAULT_SCORING,
    calibration: Calibration | FittedResult | str | Path | None = None,
    estimators: Sequence[str] = (),
) -> ScoreResult:
    """Score generations you already have.

    Args:
        records: a file of recorded answers, a run folder, the result of a run, or records in memory.
        out: the file to write the scores to, as JSON lines; the result does not hold them then.
        scoring: the way to score.
        calibration: a fit of `curator.calibrate`, or the file of one. It makes the scores instead of `scoring.formula` if it
            ranked better than the default score; `Score.scorer` says which did.
        estimators: further estimators, by their names in `docs/estimators.md`; `Score.estimators` holds their values.

    Raises:
        ConfigError: an estimator or calibration is not there, or `out` is the recorded file itself.
        LogsError: the file does not exist.
        StorageError: `out` cannot be written.
    """
    if estimators:
        scoring = replace(scoring, estimators=require_estimators(estimators, where="estimators"))
    fitted = read_calibration(calibration) if isinstance(calibration, str | Path) else None
    if isinstance(calibration, FittedResult):
        calibration = calibration.calibration
    if isinstance(calibration, Calibration) and calibration.better:
        scoring = replace(scoring, formula=calibration)
    target = Path(out) if out is not None else None
    source = source_of(records)
    if isinstance(source, Path):
        if target is not None:
            return score_file(source, target, scoring=scoring, calibration=fitted)
        lines = io.BytesIO()
        result = score_file(source, None, stdout=lines, scoring=scoring, calibration=fitted)
        scores = tuple(ScoreRow.from_json(orjson.loads(line)).score for line in lines.getvalue().splitlines())
        return replace(result, scores=scores)
    return _score_in_memory(source, target, scoring, fitted)


def _score_in_memory(
    records: tuple[Mapping[str, object], ...], out: Path | None, scoring: Scoring, fitted: CalibrationFile | None
) -> ScoreResult:
    if fitted is not None:
        scoring = replace(scoring, formula=fitted.formula)
    read, rejected = readable_records(records)
    model, health = scoring.fit(sample_items(record for record, _ in read))
    scores = tuple(_score_one(record, scoring, model) for record, _ in read)
    watch, tally = Watch(), KeyTally()
    for (record, keys), score in zip(read, scores, strict=True):
        watch.add(see(record, score, scoring.comparer))
        tally.add(keys)
    if out is not None:
        write_atomic(out, map(_score_line, scores))
    result = ScoreResult(
        len(scores), len(rejected), out, health, figures=watch.figures(), tasks=model.readings,
        rejected=rejected[:KEPT_REJECTED],
        scores=() if out is not None else scores, source=records, notes=tally.notes(),
    )  # fmt: skip
    return _with_notes(result, scoring, fitted)


def score_file(
    recorded: str | Path,
    out: Path | None,
    *,
    stdout: BinaryIO | None = None,
    scoring: Scoring = DEFAULT_SCORING,
    calibration: CalibrationFile | None = None,
) -> ScoreResult:
    """Score a file of records (plain, gzip or zstd), or a run folder's, with constant memory.

    The scores go to `out`, whole or not at all, or else to `stdout`, one by one, in the order of the file. The file is read
    twice, first for the health of the members; a pipe is read once, and its members all have the same weight.

    Raises:
        LogsError: the file does not exist, or holds no record.
        ConfigError: `out` is the recorded file itself.
        StorageError: `out` cannot be written.
    """
    if Path(recorded).is_dir() and RECORDED.of(Path(recorded)).is_file():
        recorded = RECORDED.of(Path(recorded))
    path, *others = expand([str(recorded)])
    if others:
        raise LogsError(f"{str(recorded)!r} is {plural(len(others) + 1, 'file')}", remedy="score them one by one")
    if out is not None and out.exists() and out.samefile(path):
        raise ConfigError(
            f"the scores would replace the recorded answers in {str(out)!r}", remedy="give --out another name"
        )
    if calibration is not None:
        scoring = replace(scoring, formula=calibration.formula)
    model, health = scoring.fit(sample_records(path)) if path.is_file() else (UNFITTED_MODEL, ())
    tally = _Tally(path)
    lines = tally.score_lines(scoring, model)
    if out is not None:
        write_atomic(out, lines)
    else:
        _write_to(stdout or io.BytesIO(), lines)
    return _with_notes(replace(tally.result(out, health), tasks=model.readings), scoring, calibration)


def _write_to(stdout: BinaryIO, lines: Iterable[bytes]) -> None:
    try:
        stdout.writelines(lines)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"stdout cannot be written ({error.strerror})", remedy="free some space") from error


def _with_notes(result: ScoreResult, scoring: Scoring, fitted: CalibrationFile | None) -> ScoreResult:
    """Add the warnings of a calibration file that is not used or fits another committee."""
    if fitted is None:
        return result
    groups = {prompt_id_of(member.model, member.variant) for member in result.health} or None
    warnings = fitted.warnings(scorer=default_scorer(scoring.comparer), groups=groups)
    return replace(result, notes=(*result.notes, *warnings))


class _Tally:
    """Counts the scored and the rejected records of a file while the scores stream by."""

    def __init__(self, path: Path) -> None:
        self.scored = self.set_aside = 0
        self._rejected: list[RejectedRecord] = []
        self._watch = Watch()
        self._keys = KeyTally()
        self._path = path

    def score_lines(self, scoring: Scoring, model: ScoringModel) -> Iterator[bytes]:
        """Yield the scores of the file, a JSON line each."""
        work = partial(score_lines, file=str(self._path), scoring=scoring, model=model)
        for item in map_lines(self._path, work, processes=scoring.workers):
            if isinstance(item, RejectedRecord):
                self.set_aside += 1
                if len(self._rejected) < KEPT_REJECTED:
                    self._rejected.append(item)
            else:
                self.scored += 1
                line, seen, keys = item
                self._watch.add(seen)
                self._keys.add(keys)
                yield line

    def result(self, out: Path | None, health: tuple[MemberHealth, ...]) -> ScoreResult:
        """Return the counts once the scores are through."""
        return ScoreResult(
            self.scored, self.set_aside, out, health, figures=self._watch.figures(), rejected=tuple(self._rejected),
            source=self._path, notes=self._keys.notes(),
        )  # fmt: skip


ScoredLine = tuple[bytes, Seen, KeyUse]
"""A score as a JSON line, what is kept of its record, and the keys that were used."""


def score_lines(
    lines: Sequence[Line], *, file: str, scoring: Scoring, model: ScoringModel
) -> list[ScoredLine | RejectedRecord]:
    """Score or reject each line of a file that is not blank; runs in a worker process."""
    results: list[ScoredLine | RejectedRecord] = []
    for line in lines:
        if line.data is None:
            remedy = "fix or remove the line; the others are scored"
            results.append(RejectedRecord(Source(file, line.number), line.problem or "", remedy))
        elif line.data.strip():
            try:
                record, keys = read_keyed(line.data)
                score = _score_one(record, scoring, model)
                results.append((_score_line(score), see(record, score, scoring.comparer), keys))
            except RecordError as error:
                results.append(error.at(file, line.number))
    return results


def _score_one(record: Recorded, scoring: Scoring, model: ScoringModel) -> Score:
    formula = formula_for(scoring.formula, record.task)
    score = score_record(record, model=model, comparer=scoring.comparer, formula=formula)
    if not scoring.estimators:
        return score
    return replace(
        score, estimators=estimator_values(record, scoring.estimators, model=model, comparer=scoring.comparer)
    )


def _score_line(score: Score) -> bytes:
    return orjson.dumps(ScoreRow(score).to_json(), option=orjson.OPT_APPEND_NEWLINE)
