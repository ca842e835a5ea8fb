"""THE reader of labels: files of any label tool to one label a case, for every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from curator.errors import RecordError
from curator.io.lines import expand
from curator.labels import JSONL, tool_of
from curator.labels.doubts import certain_answers, doubted
from curator.labels.merge import LabelSet, merge_rows
from curator.labels.rows import LabelFile, read_label_file, read_label_rows
from curator.records import Label, RejectedRecord


def read_labels(
    paths: Sequence[str], kept_cases: Mapping[str, str] | None = None, *, answers: Iterable[str | None] = ()
) -> LabelSet:
    """Read the labels of all files, merged with the `kept_cases` as `merge_rows` says.

    A row that is not filled in is still to do. A label that cannot be an answer is rejected (`doubts`), unless it is among the `answers`
    of production, or the labels of a task, or those that the files show.

    Raises:
        LogsError: a path matches nothing, or a file lacks the columns.
    """
    places = {str(path): place for place, path in enumerate(expand(paths))}
    files = [_read_file(Path(path)) for path in places]
    rows = [row for file in files for row in file.rows]
    certain = certain_answers(answers).union(*(file.answers for file in files))
    labels, no_answers = doubted([row for row in rows if isinstance(row, Label)], certain)
    merged = merge_rows(labels, kept_cases)
    rejected = [*(row for row in rows if isinstance(row, RejectedRecord)), *no_answers, *merged.rejected]
    last = len(places)  # of a row for which a tool of another package names a file of its own
    rejected.sort(key=lambda r: (places.get(r.source.file, last), r.source.line))
    return replace(merged, rejected=tuple(rejected), notes=tuple(note for file in files for note in file.notes))


def _read_file(path: Path) -> LabelFile:
    """Read one file by its label tool, or by the reader of tables and JSON."""
    tool = tool_of(path) or JSONL
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
