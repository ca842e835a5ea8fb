"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

from pathlib import Path

from curator.config import Config
from curator.state.generations import DEFAULT_STORE


def _vectors_path(config: Config) -> Path:
    return _store_path(config).with_name("vectors.sqlite")


def _store_path(config: Config) -> Path:
    return Path(config.store) if config.store else DEFAULT_STORE


def _categories_path(config: Config) -> Path:
    return _store_path(config).with_name(f"categories.{config.name}.json")
