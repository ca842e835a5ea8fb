"""A pool to select from: recorded answers, which are scored, or existing scores.

One JSON object a line, as `curator score` reads or writes them. What a selection and an estimate can use besides is taken
where it is there: `task`, `category`, `metadata`, `weight`, `group`, `feedback`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import orjson

from curator.answers.read import Answer, read_answer
from curator.disagreement.calibration import formula_for
from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.disagreement.recorded import score_record
from curator.disagreement.scoring_model import ScoringModel, kind_of
from curator.errors import LogsError, RecordError
from curator.io.lines import Line
from curator.records import (
    Case,
    RejectedRecord,
    Score,
    Source,
    too_many_rejected,
)
from curator.records.recorded import Recorded
from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.run_folder.case_context import CaseContext
from curator.run_folder.cases import CaseRow, read_case_rows
from curator.run_folder.layout import CASES, RECORDED
from curator.run_folder.peer_records import contract_record, has_answers
from curator.run_folder.recorded import read_record
from curator.run_folder.scores import ScoreRow
from curator.text.display import plural
from curator.workflows.inputs import HasFolder, HasSource
from curator.workflows.recorded_lines import json_line, map_lines, record_lines, sample_items, sample_records
from curator.workflows.score import Scoring

PoolInput: TypeAlias = str | Path | HasSource | HasFolder | Iterable[Mapping[str, object] | Score]
"""A pool to select from: a file, a run folder, records or scores in memory, or the result of scoring or of a run."""


@dataclass(frozen=True, slots=True)
class PoolCase:
    """A case of the pool with its score, the labels that its answer can be, and its category.

    `length` is the mean length of the committee's answers in characters; None where they are not there.
    """

    case: Case
    score: Score
    labels: tuple[str, ...] = ()
    category: str | None = None
    length: float | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The cases with unique ids, in the order of the file, and the rejected lines."""

    cases: tuple[PoolCase, ...]
    problems: tuple[RejectedRecord, ...]


def read_pool(path: Path, *, scoring: Scoring, on_case: Callable[[], None] = lambda: None) -> Pool:
    """Read a file of recorded answers or scores, or a run folder, and score what has answers.

    Raises:
        LogsError: the file does not exist, more than a fifth of its lines are rejected, or an id is used twice.
    """
    file = RECORDED.of(path) if path.is_dir() else path
    if not file.is_file():
        raise LogsError(
            f"{str(file)!r}: no such file",
            remedy="name a file that `curator score` reads or wrote, or a run folder",
        )
    model, _ = scoring.fit(sample_records(file))
    cases: list[PoolCase] = []
    problems: list[RejectedRecord] = []
    for row in map_lines(
        file, partial(pool_lines, file=str(file), scoring=scoring, model=model), processes=scoring.workers
    ):
        if isinstance(row, RejectedRecord):
            problems.append(row)
        else:
            cases.append(row)
            on_case()
    _check(file, cases, problems)
    if path.is_dir() and CASES.of(path).is_file():
        cases = _with_run(cases, path)
    return Pool(tuple(cases), tuple(problems))


def pool_of(records: Iterable[Mapping[str, object]], *, scoring: Scoring) -> Pool:
    """Read a pool from records in memory, and score those with answers.

    Raises:
        LogsError: a record does not fit, or an id is used twice.
    """
    given = list(records)
    lines = [Line(number, json_line(record, number)) for number, record in enumerate(given, 1)]
    answered = [record for record in given if has_answers(record)]
    model, _ = scoring.fit(_sample_readable(answered))
    rows = pool_lines(lines, file="record", scoring=scoring, model=model)
    first = next((row for row in rows if isinstance(row, RejectedRecord)), None)
    if first is not None:
        raise LogsError(f"record {first.source.line}: {first.reason}", remedy=first.remedy)
    cases = [row for row in rows if isinstance(row, PoolCase)]
    refuse_repeated([c.case.id for c in cases])
    return Pool(tuple(cases), ())


def _sample_readable(records: Iterable[Mapping[str, object]]) -> Iterator[Recorded]:
    """Yield an even sample of the records, those that can be read."""
    for record in sample_items(records):
        with contextlib.suppress(RecordError):
            yield read_record(orjson.dumps(record))


def recorded_answers(
    source: Path | Sequence[Mapping[str, object]], ids: frozenset[str], *, comparer: ComparerFactory
) -> dict[str, tuple[AnswerGroup, ...]]:
    """Read the answers of some cases again: those of a whole pool do not fit into memory."""
    groups: dict[str, tuple[AnswerGroup, ...]] = {}
    for line in _raw_records(source):
        with contextlib.suppress(RecordError):
            record = read_record(line)
            if record.id in ids:
                groups[record.id] = _groups(record, comparer)
    return groups


def _raw_records(source: Path | Sequence[Mapping[str, object]]) -> Iterator[bytes]:
    if not isinstance(source, Path):
        yield from (json_line(record, number) for number, record in enumerate(source, 1))
        return
    file = RECORDED.of(source) if source.is_dir() else source
    for line in record_lines(file):
        if line.data and line.data.strip():
            yield line.data


def _groups(record: Recorded, comparer: ComparerFactory) -> tuple[AnswerGroup, ...]:
    kind = kind_of(record)

    def read(text: str) -> Answer:
        return read_answer(text, kind, labels=record.labels, input=record.input)

    answers = [read(recorded.text) for recorded in record.answers]
    target = None if record.target is None else read(record.target)
    classes = comparer(record.question).classes(answers, target)
    given = [
        GivenAnswer(recorded.text, str(number), recorded.prompt_id, readable=bool(answer.key))
        for recorded, answer, number in zip(record.answers, answers, classes, strict=False)
    ]
    return group_answers(given, target_key=None if target is None else str(classes[-1]))


def pool_lines(
    lines: Sequence[Line], *, file: str, scoring: Scoring, model: ScoringModel
) -> list[PoolCase | RejectedRecord]:
    """Read or reject each line of a file that is not blank; runs in a worker process."""
    rows: list[PoolCase | RejectedRecord] = []
    for line in lines:
        if line.data is None:
            remedy = "fix or remove the line; the others are used"
            rows.append(RejectedRecord(Source(file, line.number), line.problem or "", remedy))
        elif line.data.strip():
            try:
                rows.append(_pool_case(line.data, line.number, scoring, model))
            except RecordError as error:
                rows.append(error.at(file, line.number))
    return rows


def _check(file: Path, cases: Sequence[PoolCase], problems: Sequence[RejectedRecord]) -> None:
    lines = len(cases) + len(problems)
    if not cases or too_many_rejected(len(problems), lines):
        first = problems[0] if problems else None
        raise LogsError(
            f"{str(file)!r}: {len(problems):,} of {plural(lines, 'line')} cannot be read as cases"
            + (f"; the first is {first.source}: {first.reason}" if first else ""),
            remedy=first.remedy if first else "name a file that holds records",
        )
    refuse_repeated([c.case.id for c in cases])


def refuse_repeated(ids: Iterable[str]) -> None:
    """Check that each id is used once.

    Raises:
        LogsError: an id is used twice.
    """
    repeated = sorted(i for i, count in Counter(ids).items() if count > 1)
    if repeated:
        raise LogsError(
            f"{plural(len(repeated), 'id')} used more than once, such as {repeated[0]!r}:"
            " labels could not be matched to cases",
            remedy="give each record an `id` of its own",
        )


def _pool_case(data: bytes, number: int, scoring: Scoring, model: ScoringModel) -> PoolCase:
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not valid JSON ({error})", "write one JSON object a line, in UTF-8") from error
    if not isinstance(record, dict):
        raise RecordError(f"expected an object, found {type(record).__name__}", "write one JSON object a line")
    length = None
    if has_answers(record):
        record, _ = contract_record(record)
        recorded = read_record(data)
        formula = formula_for(scoring.formula, recorded.task)
        score = score_record(recorded, model=model, comparer=scoring.comparer, formula=formula)
        length = recorded.mean_length
    else:
        # A pool of scores holds only what ranks its cases: the explanations stay in the file of the scores.
        score = replace(ScoreRow.from_json(record).score, reason=None, fields=None, estimators=None)
    context = CaseContext.from_json(record)
    return PoolCase(context.case(score.id, number), score, context.labels, context.category, length)


def _with_run(cases: Sequence[PoolCase], folder: Path) -> list[PoolCase]:
    """Add the weight, group, task and category that the run gave to its cases."""
    rows = {row.id: row for row in read_case_rows(folder)}
    return [_with_row(pool_case, rows.get(pool_case.case.id)) for pool_case in cases]


def _with_row(pool_case: PoolCase, row: CaseRow | None) -> PoolCase:
    if row is None:
        return pool_case
    case = pool_case.case
    case = replace(case, task=row.task or case.task, group=row.group or case.group, weight=row.weight)
    return replace(pool_case, case=case, category=row.category or pool_case.category)
