"""THE reader of labels: files of any label tool to one label a case, for every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from curator.errors import RecordError
from curator.io.lines import expand
from curator.labels import JSONL, tool_of
from curator.labels.merge import LabelSet, merge_rows
from curator.records import Label, RejectedRecord


def read_labels(paths: Sequence[str], kept_cases: Mapping[str, str] | None = None) -> LabelSet:
    """Read the labels of all files, merged with the `kept_cases` as `merge_rows` says.

    A row that is not filled in is still to do.

    Raises:
        LogsError: a path matches nothing, or a CSV file lacks the columns.
    """
    rows: list[Label] = []
    rejected: list[RejectedRecord] = []
    places: dict[str, int] = {}
    for place, path in enumerate(expand(paths)):
        places[str(path)] = place
        for row in _read_file(path):
            if isinstance(row, Label):
                rows.append(row)
            else:
                rejected.append(row)
    merged = merge_rows(rows, kept_cases)
    last = len(places)  # of a row for which a tool of another package names a file of its own
    ordered = sorted((*rejected, *merged.rejected), key=lambda r: (places.get(r.source.file, last), r.source.line))
    return replace(merged, rejected=tuple(ordered))


def _read_file(path: Path) -> Iterable[Label | RejectedRecord]:
    """Read one file by its label tool, or by the JSONL reader, which also recognises CSV."""
    tool = tool_of(path) or JSONL
    try:
        return list(tool.read(path))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:  # a tool of another package, on a file it cannot read
        reason = f"the label tool {tool.name!r} cannot read the file ({type(error).__name__}: {error})"
        return [RecordError(reason, "name a file that the tool exported, or give it another ending").at(str(path), 1)]
