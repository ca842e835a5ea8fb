"""EXPORTERS: the formats that an eval set or training data can be written in, by name.

Another package adds a format with an entry point in the group `curator.exporters` that names an `Exporter`. The config key
`outputs.exports` chooses further files of a run; `eval-set` and `openai-chat` are always written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from curator.errors import ConfigError, LogsError, RecordError
from curator.exporters.eval_set import EVAL_SET, EvalRow
from curator.exporters.exporter import Export, Exporter, export_rows
from curator.exporters.openai_chat import OPENAI_CHAT, example_from_chat_row
from curator.exporters.trusted_targets import TrainingExample
from curator.io.json_rows import rows_of
from curator.plugins import Registry

R = TypeVar("R")

EXPORTERS: Registry[Exporter[Any]] = Registry(
    "exporter", Exporter, {entry.name: entry for entry in (EVAL_SET, OPENAI_CHAT)}, group="curator.exporters"
)

_FILES: dict[type, tuple[Exporter[Any], Callable[[object], object]]] = {
    EvalRow: (EVAL_SET, EvalRow.from_json),
    TrainingExample: (OPENAI_CHAT, example_from_chat_row),
}


def read_run_rows(folder: Path, exporter: Exporter[R]) -> Iterator[R]:
    """Read the rows for an exporter from `eval_set.jsonl` or `finetune.jsonl` of a run folder.

    Raises:
        ConfigError: the folder does not have the file, or the exporter needs rows that a run does not write.
        LogsError: the file is damaged.
    """
    if exporter.row_type not in _FILES:
        raise ConfigError(
            f"the exporter {exporter.name!r} needs {exporter.row_type.__name__} rows, which a run does not write",
            remedy=f"choose one of: {', '.join(name for name in EXPORTERS if EXPORTERS[name].row_type in _FILES)}",
        )
    source, from_json = _FILES[exporter.row_type]
    path = folder / source.file_name
    if not path.is_file():
        raise ConfigError(
            f"{str(folder)!r} holds no {source.file_name}", remedy="name the folder that `curator run` wrote"
        )
    try:
        yield from rows_of(path, cast("Callable[[object], R]", from_json))
    except RecordError as error:
        raise LogsError(error.reason, remedy=error.remedy) from error


__all__ = [
    "EVAL_SET",
    "EXPORTERS",
    "OPENAI_CHAT",
    "EvalRow",
    "Export",
    "Exporter",
    "TrainingExample",
    "export_rows",
    "read_run_rows",
]
