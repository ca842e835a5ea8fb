"""Paths of the state files and of the run folder, which lie beside the config file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from curator.config import Config

DEFAULT_STORE = Path(".curator") / "store.sqlite"
DEFAULT_VECTORS = DEFAULT_STORE.with_name("vectors.sqlite")
REGISTRY_NAME = "held_out.sqlite"
RUNS = Path("runs")


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files of one config.

    They lie beside the store, unless the config names another registry.

    The store and the run folder lie beside the config file, so that a command finds them from every directory. Earlier
    versions kept them in the working directory. What is there is used as long as there is none beside the config, so that
    no answer is paid for twice; `notices` says so.

    Attributes:
        store: answers that were paid for (`store:` in the config).
        vectors: embeddings of texts.
        registry: held-out and exported cases (`held_out.registry` in the config).
        categories: the categories of earlier nights of the config's `name`.
        run_folder: the outputs of a run (`out:` in the config).
        notices: one sentence for each of store and run folder that lies in the working directory instead.
    """

    store: Path
    vectors: Path
    registry: Path
    categories: Path
    run_folder: Path
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config, *, out: str | Path | None = None) -> Self:
        """Return the paths of a config; `out` is a run folder that the caller names."""
        notices: list[str] = []

        def locate(configured: str | Path | None, default: Path, content: str) -> Path:
            if configured:
                return Path(configured)
            beside = config.folder / default
            if beside.exists() or not default.exists():
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
            categories=store.with_name(f"categories.{config.name}.json"),
            run_folder=run_folder,
            notices=tuple(notices),
        )


def _top(path: Path) -> Path:
    """Return the folder to move: all of `.curator`, but only the config's own run folder."""
    return path.parent if path == DEFAULT_STORE else path
