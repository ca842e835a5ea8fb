"""Paths of the state files and of the run folder, which lie beside the config file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from curator.config import Config
from curator.errors import RecordError
from curator.io.manifest import read_manifest

DEFAULT_STORE = Path(".curator") / "store.sqlite"
DEFAULT_VECTORS = DEFAULT_STORE.with_name("vectors.sqlite")
REGISTRY_NAME = "held_out.sqlite"
RUNS = Path("runs")
_CATEGORIES = "categories"
_DRAWS = "draws"


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files of one config.

    They lie beside the store, unless the config names another registry.

    The store and the run folder lie beside the config file, so that a command finds them from every directory. Earlier
    versions kept them in the working directory. What is there is used as long as there is none beside the config, so that
    no answer is paid for twice; `notices` says so. A run folder there is used only if this config made it.

    Attributes:
        store: answers that were paid for (`store:` in the config).
        vectors: embeddings of texts.
        registry: held-out and exported cases (`held_out.registry` in the config).
        categories: the categories of earlier nights of the config's `name`.
        run_folder: the outputs of a run (`out:` in the config).
        notices: one sentence for each of store and run folder that lies in the working directory, used or ignored.
    """

    store: Path
    vectors: Path
    registry: Path
    categories: Path
    run_folder: Path
    notices: tuple[str, ...] = ()

    @property
    def draws(self) -> Path:
        """The draws of earlier nights of the config's `name`."""
        return self.categories.with_name(self.categories.name.replace(_CATEGORIES, _DRAWS, 1))

    @property
    def redaction_key(self) -> Path:
        """The secret that pseudonyms are made with."""
        return self.store.with_name("redaction.key")

    @property
    def pseudonyms(self) -> Path:
        """The map from pseudonyms back to personal data."""
        return self.store.with_name("pseudonyms.sqlite")

    def every_categories(self) -> list[Path]:
        """The categories of all configs whose files lie beside this store."""
        return sorted(self.store.parent.glob(f"{_CATEGORIES}.*.json"))

    def every_draws(self) -> list[Path]:
        """The draws of all configs whose files lie beside this store."""
        return sorted(self.store.parent.glob(f"{_DRAWS}.*.json"))

    @classmethod
    def of(cls, config: Config, *, out: str | Path | None = None) -> Self:
        """Return the paths of a config; `out` is a run folder that the caller names."""
        notices: list[str] = []

        def locate(configured: str | Path | None, default: Path, content: str) -> Path:
            if configured:
                return Path(configured)
            beside = config.folder / default
            if beside.exists() or not default.exists():
                if default == DEFAULT_STORE and default.exists() and beside.resolve() != default.resolve():
                    notices.append(_ignored_store(default, beside))
                return beside
            if default != DEFAULT_STORE and not _made_by(config, default):
                notices.append(
                    f"ignored the run folder in the working directory ({str(default.absolute())!r}): another config made"
                    f" it; the run folder is {str(beside)!r}"
                )
                return beside
            folder, destination = _top(default), config.folder / _top(default)
            notices.append(
                f"{content} in the working directory ({str(default.absolute())!r}): there is none beside the config; "
                f"to find it from every directory, move {str(folder)!r} to {str(destination)!r}"
            )
            return default

        store = locate(config.store, DEFAULT_STORE, "used the stored answers")
        run_folder = locate(out or config.out, RUNS / config.name, "used the run folder")
        registry = config.held_out.registry
        return cls(
            store=store,
            vectors=store.with_name(DEFAULT_VECTORS.name),
            registry=Path(registry) if registry else store.with_name(REGISTRY_NAME),
            categories=store.with_name(f"{_CATEGORIES}.{config.name}.json"),
            run_folder=run_folder,
            notices=tuple(notices),
        )


def _ignored_store(ignored: Path, used: Path) -> str:
    """Return the notice of a store in the working directory that is not used."""
    registry = ignored.absolute().with_name(REGISTRY_NAME)
    held_out = f" and its held-out cases ({str(registry)!r})" if registry.exists() else ""
    return (
        f"used the stored answers beside the config ({str(used)!r}); those in the working directory"
        f" ({str(ignored.absolute())!r}){held_out} are ignored; they cannot be merged: to use them instead, name that file"
        f" in `store`{', or only the held-out cases in `held_out.registry`' if held_out else ''}; otherwise move"
        f" {str(ignored.parent)!r} away"
    )


def _made_by(config: Config, folder: Path) -> bool:
    """Return whether a run of this config wrote the folder; true if the folder has no manifest.

    The name and at least one path of the logs must be the same, so that a config may get further logs.
    """
    try:
        earlier = read_manifest(folder)
    except RecordError:
        return False
    if earlier is None:
        return True
    paths, earlier_paths = ({Path(path).resolve() for path in run} for run in (config.logs.paths, earlier.log_paths))
    return earlier.name == config.name and (paths == earlier_paths or not paths.isdisjoint(earlier_paths))


def _top(path: Path) -> Path:
    """Return the folder to move: all of `.curator`, but only the config's own run folder."""
    return path.parent if path == DEFAULT_STORE else path
