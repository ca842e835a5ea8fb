"""The judgement of each person that stands after several files came back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from curator.labels.tool import QUEUE_STEM
from curator.records import Label

ARCHIVE = "labels"
"""The folder in a run folder that keeps the queues that were filled in."""
_NUMBER = re.compile(r"\d{4,}")
"""What the name of a copy there has in place of the stem of the queue's name."""
Judgement = tuple[float | None, str | None, str | None, str]
"""What a row says: failure, right answer, corrected category and note."""


def standing(imports: Iterable[Sequence[Label]], kept_cases: Mapping[str, str] | None = None) -> list[Label]:
    """Return the rows that stand after all imports, in the order of their cases.

    A later row of a person corrects the earlier one field by field, and never by `unsure`. The time of a row counts before the
    order of the imports. A row without a name corrects those of all people before, and one with a name takes the place of a
    row without one before. The judgements of different people stand side by side, and so do several of one person in one import.
    A row that an earlier version of its file had already says nothing new: a person who saves the same file again takes back no
    correction that came from elsewhere.

    Args:
        imports: the rows of the files that came back together, the first ones first.
        kept_cases: the kept case by the id of a near-duplicate that was merged into it.
    """
    kept_cases = kept_cases or {}
    people: dict[str, dict[str, tuple[Label, ...]]] = {}
    seen: dict[tuple[str, str, str], frozenset[Judgement]] = {}
    for rows in imports:
        by_person: dict[tuple[str, str], list[Label]] = {}
        for file_rows in _by_file(rows):
            for key, of_person in _by_person(file_rows, kept_cases).items():
                version = (lineage(of_person[0].source.file), *key)
                judgements = frozenset(map(_judgement, of_person))
                if seen.get(version) != judgements:
                    by_person.setdefault(key, []).extend(of_person)
                seen[version] = judgements
        before = {case: set(people.get(case, ())) for case, _ in by_person}
        for (case, person), new in by_person.items():
            _place(people.setdefault(case, {}), person, _in_time(new), before[case])
    return [row for of_case in people.values() for rows in of_case.values() for row in rows]


def _place(people: dict[str, tuple[Label, ...]], person: str, new: tuple[Label, ...], before: set[str]) -> None:
    """Put the rows of a person in their place among those of the people `before`."""
    if person == "" and before:
        for name in before:
            people[name] = _corrected(people[name], new)
    elif person in before:
        people[person] = _corrected(people[person], new)
    elif "" in before and "" in people:
        people[person] = _corrected(people.pop(""), new)
    else:
        people[person] = new


def _corrected(before: tuple[Label, ...], new: tuple[Label, ...]) -> tuple[Label, ...]:
    """Correct the rows of a person by new ones."""
    if len(before) > 1 and not all(row.unsure for row in new):
        before = before[:1] if len({(row.failure, row.text) for row in before}) == 1 else ()
    if not before:
        return new
    if len(before) > 1:
        return before
    return tuple(corrected_label(before[0], row) for row in new)


def corrected_label(before: Label, later: Label) -> Label:
    """Correct a label by a later one, field by field.

    The person is the author of the text if there is one. A row without a slice keeps that of the earlier one: a file of
    corrections may lack the column.
    """
    if before.at and later.at and later.at < before.at:
        before, later = later, before
    draw = later if later.slice is not None or before.slice is None else before
    author = before if later.text is None and before.text is not None else later
    shown = before if later.unsure and not before.unsure else later
    return replace(
        shown,
        failure=before.failure if later.failure is None else later.failure,
        text=author.text,
        by=author.by or later.by or before.by,
        slice=draw.slice,
        probability=draw.probability,
        category=later.category or before.category,
        note=later.note or before.note,
        seconds=before.seconds if later.seconds is None else later.seconds,
        at=max(before.at, later.at),
    )


def _in_time(rows: list[Label]) -> tuple[Label, ...]:
    """Return the rows of a person in one import; one of them where each has a time of its own."""
    if len(rows) == 1 or not all(row.at for row in rows) or len({row.at for row in rows}) < len(rows):
        return tuple(rows)
    first, *others = sorted(rows, key=lambda row: row.at)
    for row in others:
        first = corrected_label(first, row)
    return (first,)


def _by_file(rows: Iterable[Label]) -> Iterable[list[Label]]:
    files: dict[str, list[Label]] = {}
    for row in rows:
        files.setdefault(row.source.file, []).append(row)
    return files.values()


def _by_person(rows: Iterable[Label], kept_cases: Mapping[str, str]) -> dict[tuple[str, str], list[Label]]:
    people: dict[tuple[str, str], list[Label]] = {}
    for row in rows:
        people.setdefault((kept_cases.get(row.case_id, row.case_id), row.by), []).append(row)
    return people


def _judgement(row: Label) -> Judgement:
    return row.failure, row.text, row.category, row.note


def in_order(paths: Iterable[str]) -> list[list[str]]:
    """Return the imports that files are: archived copies one after another, then the others."""
    paths = list(paths)
    copies = {path: int(digits[0]) for path in paths if (digits := _NUMBER.match(Path(path).name)) and _is_copy(path)}
    others = [path for path in paths if path not in copies]
    return [*([path] for path in sorted(copies, key=lambda path: copies[path])), others]


def lineage(path: str) -> str:
    """Return what all versions of a queue's file share; the path of another file."""
    file = Path(path)
    if _is_copy(path):
        return str(file.parent.parent / _NUMBER.sub("", file.name, count=1))
    return str(file.parent / file.name.removeprefix(QUEUE_STEM))


def _is_copy(path: str) -> bool:
    return Path(path).parent.name == ARCHIVE and _NUMBER.match(Path(path).name) is not None
