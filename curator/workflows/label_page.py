"""`curator label`: the label page of a run or selection folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curator.io.atomic import write_atomic
from curator.labels.page import DONE_NAME, queue_identity
from curator.labels.page import label_page as render
from curator.records import JsonValue
from curator.records.result import Result
from curator.run_folder.categories import read_category_rows
from curator.run_folder.layout import CATEGORIES, LABEL_PAGE
from curator.text.display import plural
from curator.workflows.inputs import HasFolder, PathLike, folder_of
from curator.workflows.label_exchange import queue_of


@dataclass(frozen=True, slots=True)
class LabelPage(Result):
    """The label page of a folder.

    Attributes:
        path: the page.
        cases: the cases on it.
        batches: the batches that they are in.
        written: whether it was written now, because it was missing or of another label queue.
    """

    path: Path
    cases: int
    batches: int
    written: bool

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {"file": str(self.path), "cases": self.cases, "batches": self.batches, "written": self.written}

    def to_text(self) -> str:
        """Return the figures for people."""
        size = f"{plural(self.cases, 'case')} in {plural(self.batches, 'batch', 'batches')}"
        done = self.path.parent / DONE_NAME
        return f"{self.path}  {size}\nsave the labels as {done}: the next run finds them there, and `curator estimate` takes them"


def label_page(run: PathLike | HasFolder) -> LabelPage:
    """Return the label page of a run or a selection, written where it is missing or stale.

    It is stale where it shows another label queue than the folder holds.

    Args:
        run: the folder of a run or a selection, or the result of `curator.run` or `curator.select`.

    Raises:
        ConfigError: the folder holds no label queue.
        LogsError: the label queue or `categories.jsonl` is damaged.
        StorageError: the page cannot be written.
    """
    folder, rows = folder_of(run), queue_of(run)
    page = LABEL_PAGE.of(folder)
    stale = not page.is_file() or queue_identity(rows).encode() not in page.read_bytes()
    if stale:
        categories = read_category_rows(folder) if CATEGORIES.of(folder).is_file() else ()
        write_atomic(page, [render(rows, (category.name for category in categories)).encode()])
    return LabelPage(page, len({row.case_id for row in rows}), len({row.batch for row in rows}), stale)
