"""`scores.jsonl`: one row per scored record, as `curator score` writes it.

A selection reads such rows as its pool. Other tools write them too: of the fields only the id and `disagreement` must be there.
"""

from __future__ import annotations

from dataclasses import dataclass

from curator.errors import RecordError
from curator.io.json_rows import Fields
from curator.readers.feedback import case_id_of
from curator.readers.json_text import as_text
from curator.records import KINDS, JsonValue, Kind, Score


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score as a line of its own."""

    score: Score

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file.

        It has no `reason`, `fields`, `estimators` and `signals` where they have no value.
        """
        row: dict[str, JsonValue] = {"id": self.score.id, **score_fields(self.score)}
        if self.score.reason is None:
            del row["reason"]
        return row

    @classmethod
    def from_json(cls, row: object) -> ScoreRow:
        """Read a line of the file. Absent fields get their defaults; unknown fields are ignored.

        Raises:
            RecordError: the row has no id or no `disagreement`, or a field of another type.
        """
        values = Fields.of(row)
        case_id = case_id_of(values.values)
        if "disagreement" not in values.values:
            raise RecordError(
                "neither `generations` nor `disagreement` is there",
                "give the answers, or what `curator score` made of them",
            )
        kind = values.value("kind")
        return cls(read_score(values, case_id, kind=kind if kind in KINDS else "text"))


def score_fields(score: Score | None) -> dict[str, JsonValue]:
    """Return the fields of a score without its id and without empty maps; {} without a score."""
    if score is None:
        return {}
    values: dict[str, JsonValue] = {
        "disagreement": score.disagreement,
        "within": score.within,
        "between": score.between,
        "against_target": score.against_target,
        "kind": score.kind,
        "scorer": score.scorer,
        "majority": score.majority,
        "agreement": score.agreement,
        "n": score.n,
        "reason": score.reason,
    }
    if score.fields is not None:
        values["fields"] = dict(score.fields)
    if score.estimators is not None:
        values["estimators"] = dict(score.estimators)
    if score.signals is not None:
        values["signals"] = dict(score.signals)
    return values


def read_score(values: Fields, case_id: str, *, kind: Kind) -> Score:
    """Read the fields that `score_fields` wrote.

    Raises:
        RecordError: a field has another type, or a number is not in 0..1.
    """
    return Score(
        id=case_id,
        disagreement=_unit(values, "disagreement"),
        within=_unit(values, "within"),
        between=_unit(values, "between"),
        against_target=_unit(values, "against_target"),
        kind=kind,
        scorer=values.optional_text("scorer") or "",
        majority=as_text(values.value("majority")),
        agreement=_unit(values, "agreement"),
        n=int(values.optional_number("n") or 0),
        reason=values.optional_text("reason"),
        fields=values.numbers("fields"),
        estimators=values.optional_numbers("estimators"),
        signals=values.numbers("signals"),
    )


def _unit(values: Fields, key: str) -> float | None:
    number = values.optional_number(key)
    if number is not None and not 0 <= number <= 1:
        raise RecordError(f"`{key}` is {number:g}", "a score lies in 0..1; take it as `curator score` wrote it")
    return number
