"""Give a label queue to a label tool, and read the labels that come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from curator.errors import ConfigError, ExitCode, LogsError, RecordError
from curator.io.atomic import write_atomic
from curator.io.json_rows import rows_of
from curator.io.lines import expand
from curator.labels import JSONL, LABEL_TOOLS, QUEUE_STEM, queues_in, tool_of
from curator.labels.adjudication import ADJUDICATION, adjudication_rows, disputed_cases
from curator.labels.agreement import Agreement
from curator.labels.archive import archive_file, archive_labels, labels_in
from curator.labels.current_answers import CurrentAnswers
from curator.labels.queue import QueueRow
from curator.labels.queue_files import current_queue, free_place
from curator.labels.queue_hashes import remember_as_written
from curator.labels.read import read_labels
from curator.records import JsonValue, Label, RejectedRecord, too_many_rejected
from curator.records.result import TableResult
from curator.text.display import plural
from curator.workflows.export import ExportedFile
from curator.workflows.inputs import HasFolder, Paths, folder_of, path_list


@dataclass(frozen=True, slots=True)
class ImportedLabels(TableResult):
    """The labels that came back.

    Attributes:
        labels: by case id; those of several people are merged.
        rejected: rows that were filled in and cannot be used.
        agreement: of people who labelled the same cases; None where no case was labelled by two.
        notes: sentences on the form of the files.
        kept: the copies of the files in a run folder; none of a file that it has already.
    """

    labels: Mapping[str, Label]
    rejected: tuple[RejectedRecord, ...] = field()
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()

    @property
    def failures(self) -> dict[str, float]:
        """The verdicts by case id, 0 (good) to 1 (failed), as `curator.estimate` takes them."""
        return {case_id: label.failure for case_id, label in self.labels.items() if label.failure is not None}

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the rows cannot be used, else 0."""
        unreadable = too_many_rejected(len(self.rejected), len(self.labels) + len(self.rejected))
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the labels for machines."""
        return {
            "labels": [*self._rows()],
            "agreement": asdict(self.agreement) if self.agreement else None,
            "kept": [str(path) for path in self.kept],
            "rejected": self.rejected_rows(),
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a label."""
        return [{**row} for row in self._rows()]

    def _rows(self) -> Iterator[dict[str, JsonValue]]:
        for label in self.labels.values():
            yield {"case_id": label.case_id, "failure": label.failure, "label": label.text, "labelled_by": label.by}

    def to_text(self) -> str:
        """Return the figures for people."""
        lines = [f"{plural(len(self.labels), 'label')}, {plural(len(self.rejected), 'row')} rejected"]
        lines += [*self.notes, *([self.agreement.to_text()] if self.agreement else [])]
        return "\n".join([*lines, *(f"kept as {path}" for path in self.kept)])


def export_labels(
    selection: str | Path | HasFolder, tool: str, out: str | Path, *, disputed: bool = False
) -> ExportedFile:
    """Write the label queue of a selection or a run for a label tool.

    Args:
        selection: the folder of a selection or a run, or the result of `curator.select` or `curator.run`.
        tool: the name of an entry of `LABEL_TOOLS`.
        out: the file to write, or a folder, in which the file has the tool's own name. A filled-in label queue that is
            there is first archived in `labels/` beside it, as `curator.run` does.
        disputed: only the cases that people disagree on, for the person who decides them. A folder then gets a file that is
            named `label_queue.adjudication`, with the end of the tool's name.

    Raises:
        ConfigError: no tool has this name, the folder holds no label queue, or `out` is a file of labels that has not the
            name of a label queue.
        LogsError: the label queue is damaged, or `out` is a file that is not a label queue.
        StorageError: `out` cannot be written.
    """
    entry = LABEL_TOOLS.require(tool, where="tool")
    rows = queue_of(selection, disputed=disputed)
    path = Path(out)
    if path.is_dir() or str(out).endswith("/"):
        path /= f"{QUEUE_STEM}.{ADJUDICATION}{entry.suffix}" if disputed else entry.queue_name
    keep_labels(path)
    if path.name == entry.queue_name:
        path = free_place(path.parent, entry)
    write_atomic(path, entry.write(rows))
    remember_as_written(path)
    for ending, content in (entry.settings(rows) if entry.settings else {}).items():
        write_atomic(path.with_name(path.name.removesuffix(entry.suffix) + ending), [content])
    return ExportedFile(path, entry.name, len(rows), {})


def queue_of(selection: str | Path | HasFolder, *, disputed: bool = False) -> list[QueueRow]:
    """Read the label queue of a selection or a run, or only the cases that people disagree on.

    Raises:
        ConfigError: the folder holds no label queue, or none of its cases is disputed.
        LogsError: the label queue is damaged.
    """
    folder = folder_of(selection)
    queue = current_queue(folder, JSONL)
    if not queue.is_file():
        raise ConfigError(
            f"no label queue in {str(folder)!r}", remedy="name the folder that `curator select` or `curator run` wrote"
        )
    try:
        rows = list(rows_of(queue, QueueRow.from_json))
    except RecordError as error:
        raise LogsError(error.reason, remedy=error.remedy) from error
    return _disputed(rows, folder) if disputed else rows


def _disputed(rows: Sequence[QueueRow], folder: Path) -> list[QueueRow]:
    """Return the rows on whose answers people disagree.

    Raises:
        ConfigError: there are none.
    """
    cases = disputed_cases(labels_in(folder, current=CurrentAnswers.of_queue(rows)))
    disputed = adjudication_rows(rows, cases)
    if disputed:
        return disputed
    if cases:
        raise ConfigError(
            f"the cases that people disagree on are not in the label queue any more: {', '.join(cases[:5])}",
            remedy=f"write the decision into a file with `case_id`, `verdict` and `labelled_by: {ADJUDICATION}`",
        )
    raise ConfigError(
        f"people disagree on no case of {str(folder)!r}",
        remedy="bring the labels of two people for the same cases into the folder first",
    )


def keep_labels(path: Path) -> None:
    """Archive the labels in a file that is written next; refuse one that cannot be archived."""
    if path in queues_in(path.parent):
        archive_labels(path.parent)
    elif path.is_file() and read_labels([str(path)]).touched:
        raise ConfigError(
            f"{str(path)!r} holds labels, which would be lost",
            remedy="name another file, or move this one away",
        )


def import_labels(
    paths: Paths, tool: str | None = None, *, run: str | Path | HasFolder | None = None
) -> ImportedLabels:
    """Read the labels in files that came back.

    Args:
        paths: the files.
        tool: the name of the entry of `LABEL_TOOLS` that reads them; by default the one with the suffix of each file.
        run: the run folder that keeps the files in `labels/`, where the next `curator.run` reads them; by default no folder
            keeps them.

    Raises:
        LogsError: a path matches nothing, or a file lacks the columns.
        ConfigError: no tool has this name, or the run folder is not there.
        StorageError: the folder cannot be written.
    """
    entry = LABEL_TOOLS.require(tool, where="tool") if tool else None
    label_set = read_labels(path_list(paths), tool=entry)
    kept: list[Path] = []
    if run is not None:
        folder = folder_of(run)
        for path in map(Path, expand(path_list(paths)) if label_set.touched else ()):
            suffix = entry.suffix if entry and tool_of(path) is not entry else ""
            if archived := archive_file(path, folder, suffix=suffix):
                kept.append(archived)
    return ImportedLabels(label_set.labels, label_set.rejected, label_set.agreement, label_set.notes, tuple(kept))
