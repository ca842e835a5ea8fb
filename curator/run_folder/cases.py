"""`cases.jsonl`: one row per case with its score, split and category.

`curator estimate` reads it as the sampling frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast, get_args

from curator.errors import LogsError, RecordError
from curator.io.json_rows import Fields, rows_of
from curator.records import KINDS, Case, Diagnosis, JsonValue, Kind, LoggedAnswer, Scalar, Score, Slice, Split, Thumb
from curator.run_folder.layout import CASES
from curator.run_folder.scores import read_score, score_fields


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A kept case of a run or a selection.

    Attributes:
        id: of the case.
        weight: the log records that the case represents.
        group: its near-duplicate group; "" where it has none.
        split: `eval` (held out) or `train`; None in a file of another tool.
        log_id: the id that the log gave the record.
        user_id: the hash of the user's id, for `curator purge --user`; None where the log names none.
        source: the file and line of the record.
        task: as logged.
        category: the name of its top-level category; None where it is in none.
        slice: how it was selected; None where it was not.
        characters: the length of production's answer; None without one.
        thumb: the user's verdict.
        metadata: as logged.
        score: None where the committee was not asked.
        diagnosis: written by a run, not read back.
        question: the id of the case that asks the same and got another answer; "" where the committee was asked this one.
        answers: all that production answered to the question, not read back; () where it was asked once.
        judged_wrong: the probability that production's answer is wrong, as a judge says; None without a verdict.
    """

    id: str
    weight: int = 1
    group: str = ""
    split: Split | None = None
    log_id: str | None = None
    user_id: str | None = None
    source: str = ""
    task: str | None = None
    category: str | None = None
    slice: Slice | None = None
    characters: int | None = None
    thumb: Thumb | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    score: Score | None = None
    diagnosis: Diagnosis | None = None
    question: str = ""
    answers: tuple[LoggedAnswer, ...] = ()
    judged_wrong: float | None = None

    @classmethod
    def of(
        cls,
        case: Case,
        score: Score | None,
        *,
        split: Split,
        category: str | None = None,
        slice: Slice | None = None,
        diagnosis: Diagnosis | None = None,
    ) -> CaseRow:
        """Make the row of a case."""
        return cls(
            id=case.id,
            weight=case.weight,
            group=case.group,
            split=split,
            log_id=case.log_id,
            user_id=case.user_id,
            source=str(case.source),
            task=case.task,
            category=category,
            slice=slice,
            characters=None if case.target is None else len(case.target),
            thumb=case.feedback.thumb if case.feedback else None,
            metadata=case.metadata,
            score=score,
            diagnosis=diagnosis,
            question=case.question,
            answers=case.answers,
            judged_wrong=case.judged_wrong,
        )

    @property
    def kind(self) -> Kind | None:
        """The kind of the answers; None where the committee was not asked."""
        return self.score.kind if self.score else None

    @property
    def disagreement(self) -> float | None:
        """The score that ranks; None where there is none."""
        return self.score.disagreement if self.score else None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file; the fields of a score only where there is one."""
        row: dict[str, JsonValue] = {
            "id": self.id,
            "log_id": self.log_id,
            **({} if self.user_id is None else {"user_id": self.user_id}),
            "source": self.source,
            "task": self.task,
            "weight": self.weight,
            "group": self.group,
            "split": self.split,
            "category": self.category,
            "slice": self.slice,
            "characters": self.characters,
            "thumb": self.thumb,
            "metadata": dict(self.metadata),
            **({"question": self.question} if self.question else {}),
            **({"answers": [asdict(answer) for answer in self.answers]} if self.answers else {}),
            **({} if self.judged_wrong is None else {"judged_wrong": self.judged_wrong}),
            **score_fields(self.score),
        }
        return row if self.diagnosis is None else {**row, "diagnosis": asdict(self.diagnosis)}

    @classmethod
    def from_json(cls, row: object) -> CaseRow:
        """Read a line of the file. Absent fields get their defaults; unknown ones are ignored.

        Raises:
            RecordError: the row has no `id`, or a field of another type.
        """
        values = Fields.of(row)
        case_id = values.text("id")
        scored = "disagreement" in values.values
        return cls(
            id=case_id,
            weight=values.whole("weight", 1),
            group=values.optional_text("group") or "",
            split=cast("Split | None", values.optional_one_of("split", get_args(Split))),
            log_id=values.optional_text("log_id"),
            user_id=values.optional_text("user_id"),
            source=values.optional_text("source") or "",
            task=values.optional_text("task"),
            question=values.optional_text("question") or "",
            category=values.optional_text("category"),
            slice=cast("Slice | None", values.optional_one_of("slice", get_args(Slice))),
            characters=values.optional_whole("characters"),
            thumb=cast("Thumb | None", values.optional_one_of("thumb", get_args(Thumb))),
            metadata=values.scalars("metadata"),
            judged_wrong=values.optional_number("judged_wrong"),
            score=read_score(values, case_id, kind=cast("Kind", values.one_of("kind", KINDS))) if scored else None,
        )


def read_case_rows(folder: Path) -> list[CaseRow]:
    """Read `cases.jsonl` of a run or selection folder.

    Raises:
        LogsError: the file is not there, or damaged.
    """
    path = CASES.of(folder)
    if not path.is_file():
        raise LogsError(
            f"{str(folder)!r} holds no {CASES}", remedy="name the folder that `curator select` or `curator run` wrote"
        )
    try:
        return list(rows_of(path, CaseRow.from_json))
    except RecordError as error:
        raise LogsError(error.reason, remedy=error.remedy) from error
