"""The columns of a label file by their role: people rename, reorder and respell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal, get_args

from curator.readers.feedback import nonblank
from curator.records import JsonValue

Role = Literal[
    "case_id", "content_hash", "slice", "inclusion_probability", "kind", "question", "input", "target", "committee_majority",
    "alternatives", "verdict", "wrong", "label", "note", "corrected_category", "labelled_by", "seconds", "labelled_at",
]  # fmt: skip
"""The columns of the label queue that are read, by their own names."""
LABEL_ROLES: tuple[Role, ...] = ("verdict", "wrong", "label")
"""The columns that say something of production's answer."""
REMARK_ROLES: tuple[Role, ...] = ("note", "corrected_category")
"""The columns that a person may fill in beside them."""

_USUAL_NAMES: Mapping[Role, Sequence[str]] = {
    "case_id": ("id", "case"),
    "input": ("conversation",),
    "target": ("answer",),
    "verdict": ("judgement", "judgment", "assessment", "evaluation", "decision", "pass_fail", "correct", "is_correct", "passed"),
    "wrong": ("is_wrong", "incorrect", "is_incorrect", "failed", "failure", "is_failure"),
    "label": (
        "labels", "right_answer", "right_label", "correct_answer", "correct_label", "corrected_answer", "corrected_label",
        "correction", "human_label", "gold_label", "final_label", "reference", "reference_answer",
    ),
    "note": ("notes", "comment", "comments", "remark", "remarks", "rationale"),
    "corrected_category": ("category_correction", "correct_category", "right_category", "new_category"),
    "seconds": ("lead_time", "duration_s", "time_spent"),
    "labelled_at": ("labeled_at", "annotated_at", "reviewed_at", "judged_at", "completed_at"),
    "labelled_by": ("user", "username", "user_id", "worker", "worker_id", "by", "initials", "expert"),
}  # fmt: skip
_PERSON = re.compile(
    r"(?:(?:human_)?(?:annotator|labell?er|reviewer|rater|judge|grader|evaluator|assessor|tagger|coder|checker)"
    r"(?:_(?:id|name|email|user|username))?"
    r"|(?:annotated|labell?ed|reviewed|rated|judged|graded|evaluated|assessed|tagged|coded|checked|completed|marked|scored)_by)"
)
"""The person in a column's name, as the noun or as the verb with `by`."""
_RESPELT: Sequence[Role] = ("case_id", *LABEL_ROLES, "labelled_by")
_MARK_AS_TEXT = "\u00ef\u00bb\u00bf"
"""The byte-order mark of UTF-8 in a file that was opened as Windows-1252."""
_NAMED: Sequence[Role] = (*_RESPELT, *REMARK_ROLES)
_ALIKE = 0.8
"""`lable` and `label` are that similar, `table` and `label` are not (.6)."""


@lru_cache(maxsize=1024)
def columns_by_role(columns: tuple[str, ...]) -> Mapping[Role, tuple[str, ...]]:
    """Return the columns of each role, the one with its own name first.

    The others follow in the order of the usual names. A column counts for one role. A misspelt name counts where no column has the name of the role.
    """
    names = {column: plain_name(column) for column in columns}
    by_role: dict[Role, list[str]] = {}
    for role in _roles():
        wanted = (role, *_USUAL_NAMES.get(role, ()))
        matching = [column for name in wanted for column in columns if names[column] == name]
        if role == "labelled_by":
            matching[1:1] = [
                column for column in columns if _PERSON.fullmatch(names[column]) and column not in matching
            ]
        if matching:
            by_role[role] = matching
    taken = {column for matching in by_role.values() for column in matching}
    for role in _RESPELT:
        free = {names[column]: column for column in columns if column not in taken}
        if role not in by_role and (near := get_close_matches(role, free, n=1, cutoff=_ALIKE)):
            by_role[role] = [free[near[0]]]
            taken.add(free[near[0]])
    return {role: tuple(matching) for role, matching in by_role.items()}


def by_role(row: Mapping[str, JsonValue]) -> dict[Role, JsonValue]:
    """Return the cells of a row by role: of several columns the first that is not blank."""
    cells: dict[Role, JsonValue] = {}
    for role, columns in columns_by_role(tuple(row)).items():
        filled = (row[column] for column in columns if nonblank(row[column]) is not None)
        cells[role] = next(filled, row[columns[0]])
    return cells


def renamed(columns: Iterable[str]) -> Iterator[str]:
    """Yield `role from 'column'` for each column of a label that is read under another name."""
    for role, (first, *_) in columns_by_role(tuple(columns)).items():
        if role in _NAMED and first != role and (role, first) != ("case_id", "id"):
            yield f"`{role}` from {first!r}"


def plain_name(column: str) -> str:
    """Return a column's name as the tables have it: `Labelled by (name)` becomes `labelled_by`."""
    bare = re.sub(r"\([^)]*\)", " ", column.removeprefix("\ufeff").removeprefix(_MARK_AS_TEXT))
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare)
    return re.sub(r"[\W_]+", "_", snake).strip("_").casefold()


def _roles() -> tuple[Role, ...]:
    return get_args(Role)
