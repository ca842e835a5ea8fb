"""THE reader of labels: files of any label tool to one label a case, for every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from curator.errors import RecordError
from curator.io.lines import expand
from curator.labels import JSONL, LabelTool, tool_of
from curator.labels.current_answers import CurrentAnswers, about_another_answer
from curator.labels.doubts import certain_answers, doubted
from curator.labels.history import in_order, lineage, standing
from curator.labels.merge import LabelSet, merge_rows
from curator.labels.rows import LabelFile, read_label_file, read_label_rows
from curator.records import Label, RejectedRecord


def read_labels(
    paths: Sequence[str],
    kept_cases: Mapping[str, str] | None = None,
    *,
    answers: Iterable[str | None] = (),
    tool: LabelTool | None = None,
    current: CurrentAnswers | None = None,
) -> LabelSet:
    """Read the labels of files that came back together, one label a case.

    Copies in an archive came back one after another, before the others.

    Rows are merged as `merge_rows` says, with the `kept_cases`. A row that is not filled in is still to do. A label that cannot be an
    answer is rejected (`doubts`), unless it is among the `answers` of production, or the labels of a task, or those that the files
    show. Each file is read by `tool`, else by the label tool with its suffix.

    Raises:
        LogsError: a path matches nothing, or a file lacks the columns.
    """
    return read_imports(in_order(map(str, expand(paths))), kept_cases, answers=answers, tool=tool, current=current)


def read_imports(
    imports: Iterable[Sequence[str]],
    kept_cases: Mapping[str, str] | None = None,
    *,
    answers: Iterable[str | None] = (),
    tool: LabelTool | None = None,
    current: CurrentAnswers | None = None,
) -> LabelSet:
    """Read the labels of files that came back one after another (`history`).

    Args:
        imports: the paths of the files of each time, the first ones first.
        kept_cases: the kept case by the id of a near-duplicate that was merged into it.
        answers: what is an answer even where it reads like a placeholder.
        tool: reads all files; None for the label tool with the suffix of each.
        current: the answers to judge. Verdicts on other answers are not used; they are rejected where their case has no other.
    """
    groups = [[str(path) for path in expand(paths)] for paths in imports]
    files = {path: _read_file(Path(path), tool) for path in dict.fromkeys(path for group in groups for path in group)}
    certain = certain_answers(answers).union(*(file.answers for file in files.values()))
    labels: dict[str, list[Label]] = {}
    rejected: list[RejectedRecord] = []
    others: list[Label] = []
    for path, file in files.items():
        labels[path], no_answers = doubted([row for row in file.rows if isinstance(row, Label)], certain)
        rejected += [*(row for row in file.rows if isinstance(row, RejectedRecord)), *no_answers]
        if current is not None:
            labels[path], of_other_answers = current.assign(labels[path], kept_cases or {})
            others += of_other_answers
    rows = standing(([row for path in group for row in labels[path]] for group in groups), kept_cases)
    merged = merge_rows(rows, kept_cases)
    rejected += [about_another_answer(row) for row in others if _is_open(row, merged, kept_cases or {})]
    places = {path: place for place, path in enumerate(files)}
    last = len(places)  # of a row for which a tool of another package names a file of its own
    newest = {lineage(path): path for path in places}.values()
    of_older = places.keys() - newest
    rejected = [*(row for row in rejected if row.source.file not in of_older), *merged.rejected]
    rejected.sort(key=lambda r: (places.get(r.source.file, last), r.source.line))
    return replace(merged, rejected=tuple(rejected), notes=tuple(note for path in newest for note in files[path].notes))


def _is_open(row: Label, merged: LabelSet, kept_cases: Mapping[str, str]) -> bool:
    """Return whether a judgement was one, and its case has no other verdict."""
    label = merged.labels.get(kept_cases.get(row.case_id, row.case_id))
    return row.failure is not None and (label is None or label.failure is None)


def _read_file(path: Path, named: LabelTool | None) -> LabelFile:
    """Read one file by its label tool, or by the reader of tables and JSON."""
    tool = named or tool_of(path) or JSONL
    try:
        if tool.read is read_label_rows:
            return read_label_file(path)
        return LabelFile(list(tool.read(path)))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:  # a tool of another package, on a file it cannot read
        reason = f"the label tool {tool.name!r} cannot read the file ({type(error).__name__}: {error})"
        remedy = "name a file that the tool exported, or give it another ending"
        return LabelFile([RecordError(reason, remedy).at(str(path), 1)])
