"""The labels that a verb takes: in memory by case id, files, or a folder with label queues."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from math import nan
from pathlib import Path

from curator.errors import ConfigError, LogsError
from curator.labels import queues_in
from curator.labels.archive import archived_labels
from curator.labels.merge import LabelSet
from curator.records import Label, RejectedRecord, Source
from curator.run_folder.layout import DESIGN, EARLIER_LABELS
from curator.stages.label_truth import NOT_SELECTED, LabelledFailures
from curator.workflows.inputs import HasFolder, Paths, path_list


def failures_by_case(labels: Mapping[str, float]) -> dict[str, float]:
    """Return labels in memory as failures, 0 (good) to 1 (failed).

    Raises:
        ConfigError: a label is not a number in 0..1.
    """
    failures: dict[str, float] = {}
    for case_id, label in labels.items():
        try:
            failure = nan if isinstance(label, str) else float(label)
        except (TypeError, ValueError):
            failure = nan
        if not 0 <= failure <= 1:
            raise ConfigError(
                f"the label of case {case_id!r} is {label!r}",
                remedy="give False or 0 (good) to True or 1 (failed), and leave cases without a label out",
            )
        failures[case_id] = failure
    return failures


def label_paths(labels: Paths | HasFolder) -> list[str]:
    """Return the paths of files of labels, or the folder of a result.

    Raises:
        ConfigError: the result is a selection that was not written to a folder.
    """
    if not isinstance(labels, HasFolder):
        return path_list(labels)
    folder: Path | None = labels.folder  # None of a selection in memory
    if folder is not None:
        return [str(folder)]
    raise ConfigError("the selection was not written to a folder", remedy="give its labels by case id")


def selection_of(path: Path) -> Path:
    """Return the selection that a file of labels belongs to: its folder, or the folder itself."""
    return path if path.is_dir() else path.parent


def label_files(paths: Sequence[str]) -> list[str]:
    """Return the paths, with all label queues of a run or selection folder in its place.

    Raises:
        LogsError: such a folder holds no label queue.
    """
    files: list[str] = []
    for path in paths:
        if not DESIGN.of(Path(path)).is_file():
            files.append(path)
            continue
        folder = Path(path)
        archived = [file for file in archived_labels(folder) if Path(file) != EARLIER_LABELS.of(folder)]
        queues = [*archived, *map(str, queues_in(folder))]
        if not queues:
            raise LogsError(f"{path!r} holds no label queue", remedy="name the files of labels")
        files.extend(queues)
    return files


def failures_in_memory(labels: Mapping[str, float], *, selected: Container[str] | None = None) -> LabelledFailures:
    """Return the failures by case id; count those of cases outside the selection as left out.

    Raises:
        ConfigError: a label is not in 0..1.
        LogsError: no label is given, or none is of a selected case.
    """
    failures = failures_by_case(labels)
    if not failures:
        raise LogsError("no label was given", remedy="give failures by case id: 0 (good) to 1 (failed)")
    used = [case_id for case_id in failures if selected is None or case_id in selected]
    if not used:
        raise LogsError(
            f"none of the labels can be used; {len(failures):,} are left out: {NOT_SELECTED}",
            remedy="give the labels by the ids of the selection's cases",
        )
    left_out = len(failures) - len(used)
    return LabelledFailures(failures, {NOT_SELECTED: left_out} if left_out else {}, ())


def labels_in_memory(wrong: Mapping[str, bool]) -> LabelSet:
    """Return labels in memory, True where the answer is wrong.

    Raises:
        ConfigError: a label is not in 0..1.
    """
    source = Source("labels", 0)
    failures = failures_by_case(wrong)
    return LabelSet({case_id: Label(case_id, source, failure=failure) for case_id, failure in failures.items()})


def no_label_error(
    source: Path | tuple[Mapping[str, object], ...],
    problems: tuple[RejectedRecord, ...],
    *,
    named: bool,
    in_memory: bool,
) -> LogsError:
    """Return the error for a calibration without a label."""
    if problems:
        first = problems[0]
        return LogsError(f"no label can be used; the first is {first.source}: {first.reason}", remedy=first.remedy)
    if named and in_memory:
        return LogsError(
            "no label was given", remedy="give `labels` by case id: True where the answer is wrong, else False"
        )
    if named:
        return LogsError(
            "the label files hold no label yet", remedy="fill in their column `wrong`, `verdict` or `label`"
        )
    is_run = isinstance(source, Path) and source.is_dir()
    how = "fill in its label_queue.csv, or name" if is_run else "give records a `reference`, or name"
    return LogsError(
        f"{str(source) if isinstance(source, Path) else 'records'!r}: no label to calibrate with",
        remedy=f"{how} a file of `id` and `wrong` (true or false) with --labels",
    )
