"""The inputs that every verb takes: a config or its path, one path or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from curator.config import Config, load_config
from curator.errors import ConfigError
from curator.records import Score

PathLike: TypeAlias = str | Path
Paths: TypeAlias = str | Path | Iterable[str | Path]


@runtime_checkable
class HasSource(Protocol):
    """A result of scoring, which knows its recorded answers."""

    @property
    def source(self) -> Path | tuple[Mapping[str, object], ...] | None:
        """The file, or the records themselves."""


@runtime_checkable
class HasFolder(Protocol):
    """A result of a run, which knows its folder."""

    @property
    def folder(self) -> Path:
        """The run folder."""


def config_from(config: Config | PathLike) -> Config:
    """Return the config itself, or load it from its path.

    Raises:
        ConfigError: as `load_config`, or it is neither.
    """
    if not isinstance(config, Config | str | Path):
        raise ConfigError(
            f"the config is a {type(config).__name__}, not a path or a `Config`",
            remedy="name the config file, or make a `Config` of a dict: `curator.Config.model_validate({...})`",
        )
    return config if isinstance(config, Config) else load_config(config)


def source_of(
    data: str | Path | HasSource | HasFolder | Iterable[Mapping[str, object] | Score],
) -> Path | tuple[Mapping[str, object], ...]:
    """Return the file or folder of an input, or its records.

    Raises:
        ConfigError: it is neither a path, nor records, nor a result that knows its records.
    """
    if isinstance(data, str | Path):
        return Path(data)
    if isinstance(data, HasSource) and data.source is not None:
        return data.source
    if isinstance(data, HasFolder) and isinstance(data.folder, Path):
        return data.folder
    if isinstance(data, Iterable) and not isinstance(data, Mapping | HasFolder):
        return tuple(asdict(record) if isinstance(record, Score) else record for record in data)
    raise ConfigError(
        f"records are needed, but a {type(data).__name__} was given",
        remedy="give a file, a run folder, the result of a run, or a list of records",
    )


def folder_of(result: PathLike | HasFolder) -> Path:
    """Return the folder of a run or a selection.

    Raises:
        ConfigError: the folder does not exist, or the selection was not written to one.
    """
    folder: Path | None = (
        Path(result) if isinstance(result, str | Path) else result.folder
    )  # None of a selection in memory
    if folder is None:
        raise ConfigError(
            "the selection was not written to a folder", remedy="give `curator.select` a folder to write to"
        )
    if not folder.is_dir():
        raise ConfigError(
            f"no folder {str(folder)!r}", remedy="name the folder that `curator run` or `curator select` wrote"
        )
    return folder


def path_list(paths: Paths) -> list[str]:
    """Return one path or several as a list of strings."""
    return [str(paths)] if isinstance(paths, str | Path) else [str(path) for path in paths]
