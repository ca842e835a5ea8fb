"""Paths of the files that curator remembers between runs: answers, vectors, registry, categories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from curator.config import Config

DEFAULT_STORE = Path(".curator") / "store.sqlite"
DEFAULT_VECTORS = DEFAULT_STORE.with_name("vectors.sqlite")
REGISTRY_NAME = "held_out.sqlite"


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files of one config. They stand beside the store, unless the config names another registry.

    Attributes:
        store: answers that were paid for (`store:` in the config).
        vectors: embeddings of texts.
        registry: held-out and exported cases (`held_out.registry` in the config).
        categories: the categories of earlier nights of the config's `name`.
    """

    store: Path
    vectors: Path
    registry: Path
    categories: Path

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the paths of a config."""
        store = Path(config.store) if config.store else DEFAULT_STORE
        registry = config.held_out.registry
        return cls(
            store=store,
            vectors=store.with_name(DEFAULT_VECTORS.name),
            registry=Path(registry) if registry else store.with_name(REGISTRY_NAME),
            categories=store.with_name(f"categories.{config.name}.json"),
        )
