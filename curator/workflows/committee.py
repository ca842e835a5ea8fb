"""`curator committee`: what more repeats, variants or models would add to the committee."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import orjson

from curator.disagreement.recorded import score_record
from curator.disagreement.scoring_model import ScoringModel
from curator.errors import ExitCode
from curator.records import JsonValue, RejectedRecord
from curator.records.committee_advice import CommitteeAdvice
from curator.records.recorded import Recorded
from curator.records.result import TableResult
from curator.report.committee_advice import addition_rows, advice_sentence, noise_sentence, size_rows
from curator.run_folder.layout import RECORDED, SUMMARY
from curator.stages.committee_advice import AdviceInput, advise_on_committee, mean_cost_by_model
from curator.text.display import plural
from curator.workflows.inputs import Paths
from curator.workflows.labelled_records import LabelledRecords, read_labelled
from curator.workflows.score import DEFAULT_SCORING, Recordings, Scoring


@dataclass(frozen=True, slots=True)
class CommitteeResult(TableResult):
    """The advice on a committee.

    Attributes:
        advice: the reliability of its scores, and the gain from each addition.
        records: records that could be read.
        left_out: labels that were not used, by reason.
        rejected: rows and records that could not be used, with their places.
        too_many_bad_rows: more than a fifth of the rows of labels could not be read.
    """

    advice: CommitteeAdvice
    records: int
    left_out: Mapping[str, int]
    rejected: tuple[RejectedRecord, ...] = field()
    too_many_bad_rows: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the label rows could not be read, else 0."""
        return ExitCode.UNREADABLE if self.too_many_bad_rows else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        figures: dict[str, JsonValue] = orjson.loads(orjson.dumps(self.advice))
        return {
            **figures,
            "records": self.records,
            "left_out": dict(self.left_out),
            "sentence": advice_sentence(self.advice),
            "rejected": self.rejected_rows(),
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row an addition."""
        return [asdict(addition) for addition in self.advice.additions]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        advice = self.advice
        if advice.additions:
            yield (
                f"{plural(self.records, 'record')}, {advice.answers:.3g} answers a case;"
                f" scores of {plural(advice.cases, 'case')} compared"
            )
            if advice.labels:
                yield f"{plural(advice.labels, 'label')}: {plural(advice.failures, 'failure')}"
            yield from noise_sentence(advice).split("; ")
            yield ""
            yield from _table(size_rows(advice))
            yield ""
            yield from _table(addition_rows(advice))
            yield ""
        yield advice_sentence(advice)


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Yield rows with the columns aligned, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def committee_advice(
    recorded: Recordings, labels: Paths | Mapping[str, bool] = (), *, scoring: Scoring = DEFAULT_SCORING
) -> CommitteeResult:
    """Estimate what more repeats, variants or models would add to the committee.

    No model is asked: answers are left out, and the scores of the parts compared.

    Args:
        recorded: a file of recorded answers, a run folder, the result of a run, or records in memory.
        labels: files of labels; or by case id whether the answer in question is wrong. By default the records' own
            references, and the labels of a run folder's random slice. Without labels no AUROC is predicted.
        scoring: the way to score; its formula is not used.

    Raises:
        LogsError: a file is not there, too many records cannot be read, or an id is used twice.
    """
    read = read_labelled(recorded, labels, scoring, required=False)
    weights = read.model.member_weights
    given = AdviceInput(
        sample=[_without_left_out(record, weights) for record in read.sample],
        cases=read.records,
        wrong={case.record.id: case.wrong for case in read.labelled},
        labelled=[_without_left_out(case.record, weights) for case in read.labelled],
        weights=[case.weight for case in read.labelled],
        usd_per_answer=_usd_per_answer(read),
    )
    advice = advise_on_committee(given, partial(_score, scoring=scoring, model=read.model))
    return CommitteeResult(advice, read.records, read.left_out, read.rejected, read.too_many_bad_rows)


def _score(record: Recorded, *, scoring: Scoring, model: ScoringModel) -> float | None:
    return score_record(record, model=model, comparer=scoring.comparer).disagreement


def _without_left_out(record: Recorded, weights: Mapping[str, float]) -> Recorded:
    """Leave the answers of members out that do not count in the score."""
    if all(weights.values()):
        return record
    return replace(record, answers=tuple(a for a in record.answers if weights.get(a.prompt_id, 1.0) > 0))


def _usd_per_answer(read: LabelledRecords) -> dict[str, float]:
    """Return the mean cost of an answer by model, from the run folder's summary; {} without."""
    path = SUMMARY.of(read.path.parent)
    if read.path.name != RECORDED.name or not path.is_file():
        return {}
    with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
        members = orjson.loads(path.read_bytes())["committee"]["members"]
        return mean_cost_by_model((m["model"], m["cost_usd"], m["generations"]) for m in members)
    return {}
