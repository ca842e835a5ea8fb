"""`curator.read_categories`: the categories of failures that a run wrote."""

from __future__ import annotations

from pathlib import Path

from curator.run_folder.categories import CategoryRow, read_category_rows
from curator.workflows.inputs import HasFolder, PathLike


def read_categories(run: PathLike | HasFolder) -> tuple[CategoryRow, ...]:
    """Read the categories of failures of a run, those with most expected failures first.

    Those at the top come first, then their parts, which have the id of one as `parent`.

    Args:
        run: The result of a run, or its folder.

    Raises:
        LogsError: the folder holds no `categories.jsonl`, or the file is damaged.
    """
    return read_category_rows(run.folder if isinstance(run, HasFolder) else Path(run))
