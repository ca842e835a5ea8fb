"""Write the eval set or the training data of a run in another format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from curator.exporters import EXPORTERS, export_rows, read_run_rows
from curator.io.atomic import write_atomic
from curator.records import JsonValue
from curator.records.result import Result
from curator.text.display import plural
from curator.workflows.inputs import HasFolder


@dataclass(frozen=True, slots=True)
class ExportedFile(Result):
    """A file that was exported.

    Attributes:
        path: the file.
        exporter: the name of its format.
        rows: rows in the file.
        left_out: rows that the format cannot hold, counted by reason.
    """

    path: Path
    exporter: str
    rows: int
    left_out: Mapping[str, int]

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each reason that rows were left out for."""
        return tuple(f"{plural(count, 'row')} left out: {reason}" for reason, count in self.left_out.items())

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "file": str(self.path), "exporter": self.exporter, "rows": self.rows, "left_out": dict(self.left_out),
            "warnings": list(self.warnings),
        }  # fmt: skip

    def to_text(self) -> str:
        """Return the figures for people."""
        return f"{self.path}  {plural(self.rows, 'row')}"


def export(run: str | Path | HasFolder, exporter: str, out: str | Path) -> ExportedFile:
    """Write the eval set or the training data of a run in a format of `EXPORTERS`.

    Args:
        run: a run folder, or the result of `curator.run`.
        exporter: the name of the format.
        out: the file to write, or a folder, in which the file has the format's own name.

    Raises:
        ConfigError: no format has this name, or the folder is not a run folder.
        LogsError: a file of the run is damaged.
        StorageError: `out` cannot be written.
    """
    entry = EXPORTERS.require(exporter, where="exporter")
    folder = Path(run) if isinstance(run, str | Path) else run.folder
    exported = export_rows(entry, read_run_rows(folder, entry))
    path = Path(out)
    if path.is_dir() or str(out).endswith("/"):
        path /= entry.file_name
    write_atomic(path, exported.chunks())
    return ExportedFile(path, entry.name, len(exported.rows), exported.left_out)
