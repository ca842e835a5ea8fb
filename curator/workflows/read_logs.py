"""Read production logs, one record at a time."""

from __future__ import annotations

from curator.config import LogsConfig
from curator.readers.read import LogReading, read
from curator.workflows.inputs import Paths, path_list


def read_logs(paths: Paths, *, config: LogsConfig | None = None) -> LogReading:
    """Iterate over the records of logs: cases, rejected records, and other ones.

    The `account` of the result says what was understood, and which keys were not used.

    Args:
        paths: files, folders or globs.
        config: the `logs:` section of a job, for its format and mapping; its paths are not used.

    Raises:
        LogsError: a path matches nothing.
        ConfigError: the format is `mapped` without a mapping.
    """
    return read(config or LogsConfig(), paths=path_list(paths))
