"""`curator init`: write a config and prompts, for a sample log or for given logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.config import FieldMapping, LogsConfig
from curator.errors import ConfigError, LogsError, StorageError
from curator.io.assets import asset
from curator.io.log_file import STANDARD_INPUT
from curator.workflows.check import check
from curator.workflows.check_result import CheckResult
from curator.workflows.init_config import config_for_logs


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files that were written; `found` is what was understood of the logs, None without any."""

    files: tuple[Path, ...]
    found: CheckResult | None = None


def scaffold(folder: Path, *, logs: Sequence[str] = ()) -> Scaffold:
    """Write `curator.yaml` and `prompts/` into a folder.

    With `logs` the config reads them: it names their format or a mapping that fits, and the kinds of answers of their tasks.
    Without, a sample log is written too.

    Raises:
        ConfigError: one of the files is there already; none is touched then.
        LogsError: a path matches nothing, or too much of the logs is not understood.
        StorageError: the folder cannot be written.
    """
    starter = asset("configs", "starter.yaml").read_bytes()
    files = {folder / "curator.yaml": starter}
    if not logs:
        files[folder / "logs" / "sample.jsonl"] = asset("configs", "sample.jsonl").read_bytes()
    for variant in sorted(asset("prompts", "committee").glob("*.md")):
        files[folder / "prompts" / variant.name] = variant.read_bytes()

    if there := [str(path) for path in files if path.exists()]:
        raise ConfigError(
            f"these files are there already: {', '.join(there)}",
            remedy="name another folder (`curator init DIR`), or move them away; nothing was written",
        )
    result = None
    if logs:
        result, mapping = _understood(logs)
        text = config_for_logs(starter.decode(), list(logs), result, folder=folder, mapping=mapping)
        files[folder / "curator.yaml"] = text.encode()
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise StorageError(
            f"{str(error.filename)!r} cannot be written ({error.strerror})", remedy="name a folder that can be written"
        ) from error
    return Scaffold(tuple(files), result)


def _understood(logs: Sequence[str]) -> tuple[CheckResult, Mapping[str, object]]:
    """Check logs; return the result and the fields of a mapping if one reads more of them.

    Raises:
        LogsError: a path matches nothing, or too much of the logs is not understood.
    """
    if STANDARD_INPUT in logs:
        raise LogsError("a config cannot name standard input", remedy="save the log as a file, and name the file")
    result = check(logs)
    if result.trial is not None:
        mapped = _mapped(logs, result, result.trial.fields)
        if mapped is not None:
            return replace(mapped, trial=None), result.trial.fields
        result = replace(result, trial=None)
    if result.too_many:
        example = result.reasons[0].first if result.reasons else None
        raise LogsError(
            f"{result.account.rejected:,} of {result.account.records:,} records are not understood"
            + (f", such as {example.source}: {example.reason}" if example else "; the logs hold no record"),
            remedy=(f"{example.remedy}; " if example else "")
            + "`curator check PATH` shows all reasons; nothing was written",
        )
    return result, {}


def _mapped(logs: Sequence[str], result: CheckResult, fields: Mapping[str, object]) -> CheckResult | None:
    """Check logs through a mapping; None where that reads no more, or files of another reader.

    A file alone is read through it as a whole. Of several files those are whose format is not recognised.
    """
    mapping = FieldMapping.model_validate(fields)
    several = len(result.account.files) > 1
    try:
        mapped = check(logs, config=LogsConfig(format="auto" if several else "mapped", mapping=mapping))
    except LogsError:  # a second table has other columns
        return None
    readers = {path: file.reader for path, file in mapped.account.files.items()}
    kept = all(
        readers[path] == file.reader for path, file in result.account.files.items() if several and file.recognised
    )
    return mapped if kept and mapped.account.cases > result.account.cases else None
