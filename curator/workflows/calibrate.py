"""`curator calibrate`: fit the score to known failures, and test whether it ranks better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, fsum
from pathlib import Path

import orjson

from curator.disagreement import calibration as fit
from curator.disagreement.calibration import LEAST_OF_EACH, Calibration
from curator.disagreement.recorded import default_scorer, measure_record
from curator.disagreement.scoring_model import ScoringModel
from curator.disagreement.signals import Signals
from curator.errors import ExitCode
from curator.records import JsonValue, RejectedRecord
from curator.records.result import TableResult, renamed, warn_of_old_name
from curator.run_folder.calibration import Verdict, save_calibration, verdict
from curator.text.display import one_line, plural
from curator.workflows.inputs import Paths
from curator.workflows.labelled_records import HALF_RIGHT, Labelled, read_labelled
from curator.workflows.score import DEFAULT_SCORING, Recordings, Scoring

MOST_TASKS, TASK_CHARACTERS = 20, 40
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
    if fitted.default_within is not None and fitted.fitted_within is not None:
        yield f"  within tasks {fitted.fitted_within:.3f}  (default {fitted.default_within:.3f}; pairs of two tasks left out)"
    yield f"AUROC length   {fitted.length_auroc:.3f}  (the mean length of the answers alone)"
    yield f"gain           {fitted.gain:+.4f}  (95% interval {fitted.low:+.4f} to {fitted.high:+.4f})"
    yield "\nsignals of the fitted score: share of all weights, and the factor on the odds of failure for one standard deviation"
    for name, share, odds in _in_order(fitted):
        yield f"  {share:4.0%}  x {odds:.2f}  {name}"
    yield from _tasks(fitted)


def _tasks(fitted: Calibration) -> Iterator[str]:
    if not fitted.tasks:
        return
    yield "\ntasks: the factor on the odds of failure, and the one for a standard deviation of the default score"
    score = fitted.terms[0].weight
    for effect in sorted(fitted.tasks, key=lambda effect: (-effect.labels, effect.task))[:MOST_TASKS]:
        name = one_line(effect.task or "(no task)", TASK_CHARACTERS)
        yield f"  x {exp(effect.intercept):5.2f}  x {exp(score + effect.slope):.2f}  {name} ({plural(effect.labels, 'label')})"
    if len(fitted.tasks) > MOST_TASKS:
        yield f"  {len(fitted.tasks) - MOST_TASKS:,} more, which --json lists"


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
        "token_nll": "how unlikely the tokens of the answers are",
        "least_token_probability": "the least likely token of the answers",
        "likelihood_entropy": "semantic entropy weighted by likelihood",
        "confidence": "the confidence that the answers state",
        "target_token_nll": "how unlikely the tokens of production's answer are",
        "target_least_token_probability": "the least likely token of production's answer",
        "target_confidence": "the confidence that production's answer states",
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
    read = read_labelled(recorded, labels, scoring)
    fitted, used = _fit(read.labelled, read.model, scoring)
    too_few = {TOO_FEW_ANSWERS: len(read.labelled) - len(used)} if len(read.labelled) > len(used) else {}
    target = Path(out) if out is not None else None
    if target is not None:
        save_calibration(fitted, target)
    return CalibrationResult(
        calibration=fitted,
        labels=len(used),
        failures=sum(used),
        left_out=dict(sorted({**read.left_out, **too_few}.items())),
        rejected=read.rejected,
        records=read.records,
        too_many_bad_rows=read.too_many_bad_rows,
        out=target,
    )


def _fit(labelled: Iterable[Labelled], model: ScoringModel, scoring: Scoring) -> tuple[Calibration | None, list[bool]]:
    """Return the fit, and the verdicts that it was made of: those of cases with enough answers."""
    signals: list[Signals] = []
    used: list[Labelled] = []
    for case in labelled:
        if measured := measure_record(case.record, model=model, comparer=scoring.comparer):
            signals.append(measured)
            used.append(case)
    wrong = [case.wrong for case in used]
    case_weights = [case.weight for case in used]
    tasks = [case.record.task for case in used]
    return (
        fit.calibrate(signals, wrong, tasks=tasks, weights=case_weights, scorer=default_scorer(scoring.comparer)),
        wrong,
    )
