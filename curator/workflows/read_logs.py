"""Read production logs, one record at a time."""

from __future__ import annotations

from collections.abc import Iterator

from curator.config import LogsConfig
from curator.readers.read import read
from curator.records import Case, RejectedRecord
from curator.workflows.inputs import Paths, path_list


def read_logs(paths: Paths, *, config: LogsConfig | None = None) -> Iterator[Case | RejectedRecord]:
    """Yield the records of logs, one at a time: cases, and rejected records.

    Args:
        paths: files, folders or globs.
        config: the `logs:` section of a job, for its format and mapping; its paths are not used.

    Raises:
        LogsError: a path matches nothing.
        ConfigError: the format is `mapped` without a mapping.
    """
    return read(config or LogsConfig(), paths=path_list(paths))
