"""The inputs that every verb takes: a config or its path, one path or several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from curator.config import Config, load_config
from curator.errors import ConfigError

PathLike: TypeAlias = str | Path
Paths: TypeAlias = str | Path | Iterable[str | Path]


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


def path_list(paths: Paths) -> list[str]:
    """Return one path or several as a list of strings."""
    return [str(paths)] if isinstance(paths, str | Path) else [str(path) for path in paths]
