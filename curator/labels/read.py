"""THE reader of labels: files of any label tool to one label a case, for run, select, estimate and calibrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from curator.io.lines import expand
from curator.labels.merge import LabelSet, merge_rows
from curator.labels.rows import read_label_rows
from curator.records import Label, RejectedRecord


def read_labels(paths: Sequence[str]) -> LabelSet:
    """Read the labels of all files, merged as `merge_rows` says. A row that is not filled in is still to do.

    Raises:
        LogsError: a path matches nothing, or a CSV file lacks the columns.
    """
    rows: list[Label] = []
    rejected: list[RejectedRecord] = []
    places: dict[str, int] = {}
    for place, path in enumerate(expand(paths)):
        places[str(path)] = place
        for row in read_label_rows(path):
            if isinstance(row, Label):
                rows.append(row)
            else:
                rejected.append(row)
    merged = merge_rows(rows)
    ordered = sorted((*rejected, *merged.rejected), key=lambda r: (places[r.source.file], r.source.line))
    return replace(merged, rejected=tuple(ordered))
