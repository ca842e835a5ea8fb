"""`selection.jsonl`: one row per selected case: its place in the design, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from curator.errors import ConfigError, RecordError
from curator.io.json_rows import Fields, rows_of
from curator.records import KINDS, Case, JsonValue, Kind, Pick, ReferenceSource, Score, Slice, Split
from curator.run_folder.layout import SELECTION


@dataclass(frozen=True, slots=True)
class SelectionRow:
    """A selected case: the pick, and what an estimate needs to read a label.

    Attributes:
        pick: how the case was selected.
        weight: the log records that it represents.
        group: its near-duplicate group.
        category: the name of its top-level category; None where it is in none.
        seed: of the draw.
        pool_hash: fingerprint of the pool it was drawn from.
        kind: of the answers; None where it is not known.
        labels: the labels that an answer can be; () where they are not fixed.
        question: the last user message.
        answer: production's, or without one the committee's most frequent one; None without both.
        reference: the trusted answer, if there is one.
        reference_source: where `reference` is from.
        failure: 0 (right) to 1 (wrong), as a person judged production's answer; None without a verdict.
    """

    pick: Pick
    weight: int
    group: str
    category: str | None
    seed: int
    pool_hash: str
    kind: Kind | None
    labels: tuple[str, ...]
    question: str
    answer: str | None
    reference: str | None
    reference_source: ReferenceSource | None
    failure: float | None

    @classmethod
    def of(
        cls,
        pick: Pick,
        case: Case,
        score: Score | None,
        *,
        category: str | None,
        labels: Sequence[str],
        seed: int,
        pool_hash: str,
    ) -> SelectionRow:
        """Make the row of a pick. `labels` are those that an answer to the case can be."""
        return cls(
            pick=pick,
            weight=case.weight,
            group=case.group,
            category=category,
            seed=seed,
            pool_hash=pool_hash,
            kind=case.kind or (score.kind if score else None),
            labels=tuple(labels),
            question=case.user,
            answer=case.target if case.target is not None else score.majority if score else None,
            reference=case.reference.text if case.reference else None,
            reference_source=case.reference.source if case.reference else None,
            failure=case.verdict.failure if case.verdict else None,
        )

    @property
    def corrected(self) -> bool:
        """Return whether a user's correction is all that says production failed."""
        return self.failure is None and self.reference_source == "correction"

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file."""
        pick = self.pick
        return {
            "id": pick.case_id,
            "rank": pick.rank,
            "slice": pick.slice,
            "stage": pick.stage,
            "stratum": pick.stratum,
            "inclusion_probability": pick.inclusion_probability,
            "draw": pick.draw,
            "gain": pick.gain,
            "reason": pick.reason,
            "split": pick.split,
            "category": self.category,
            "weight": self.weight,
            "group": self.group,
            "seed": self.seed,
            "pool_hash": self.pool_hash,
            "kind": self.kind,
            "labels": list(self.labels),
            "question": self.question,
            "answer": self.answer,
            "reference": self.reference,
            "reference_source": self.reference_source,
            "failure": self.failure,
        }

    @classmethod
    def from_json(cls, row: object) -> SelectionRow:
        """Read a line of the file; unknown fields are ignored.

        Raises:
            RecordError: a field is missing, or of another type.
        """
        values = Fields.of(row)
        return cls(
            pick=Pick(
                case_id=values.text("id"),
                rank=values.whole("rank"),
                slice=cast("Slice", values.one_of("slice", get_args(Slice))),
                inclusion_probability=values.number("inclusion_probability"),
                split=cast("Split", values.one_of("split", get_args(Split))),
                gain=values.optional_number("gain"),
                stage=values.whole("stage", 1),
                stratum=values.optional_whole("stratum"),
                draw=values.optional_whole("draw"),
                reason=values.optional_text("reason"),
            ),
            weight=values.whole("weight", 1),
            group=values.optional_text("group") or "",
            category=values.optional_text("category"),
            seed=values.whole("seed", 0),
            pool_hash=values.optional_text("pool_hash") or "",
            kind=cast("Kind | None", values.optional_one_of("kind", KINDS)),
            labels=values.texts("labels"),
            question=values.optional_text("question") or "",
            answer=values.optional_text("answer"),
            reference=values.optional_text("reference"),
            reference_source=cast(
                "ReferenceSource | None", values.optional_one_of("reference_source", get_args(ReferenceSource))
            ),
            failure=values.optional_number("failure"),
        )


def read_selection(folder: Path) -> dict[str, SelectionRow]:
    """Read the rows of `selection.jsonl` by case id, in the order of the file.

    Raises:
        ConfigError: the file is not there, or damaged.
    """
    path = SELECTION.of(folder)
    if not path.is_file():
        raise ConfigError(
            f"{str(path)!r} is not there",
            remedy="name the folder of the selection as curator wrote it, with --selection",
        )
    try:
        return {row.pick.case_id: row for row in rows_of(path, SelectionRow.from_json)}
    except RecordError as error:
        raise ConfigError(error.reason, remedy=error.remedy) from error
