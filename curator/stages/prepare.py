"""Config to the models and files of a run, opened before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.committee.prices import price_of, prices_of
from curator.committee.prompts import Variant, load_variants
from curator.config import Config
from curator.config.committee import Price
from curator.encoders.nli import NliModel
from curator.encoders.sentence import Encoder, embed, open_encoder
from curator.exporters import Exporter
from curator.progress import Progress
from curator.run_folder.calibration import CalibrationFile, read_calibration
from curator.stages.equivalence import by_embedding, by_nli
from curator.stages.export import chosen_exporters
from curator.stages.redact import Redaction
from curator.stages.score import Generations, Scorer
from curator.state.categories import CategoriesFile, read_categories
from curator.state.draws import DrawsFile, read_draws
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths
from curator.state.registry import HeldOutRegistry
from curator.state.vectors import VectorCache


class RunInputs:
    """The prompt variants, prices and calibration of a job, which `curator plan` needs as well.

    Attributes:
        config: the job.
        paths: of its state files.
        variants: the prompt variants of the committee.
        prices: by the config name of the model.
        calibration: the file that the config names; None without one.
    """

    def __init__(self, config: Config, paths: StatePaths) -> None:
        folder = config.committee.prompts
        self.config = config
        self.paths = paths
        self.variants: tuple[Variant, ...] = load_variants(config.committee.variants, Path(folder) if folder else None)
        self.prices: Mapping[str, Price] = prices_of(config.committee.models)
        self.calibration: CalibrationFile | None = read_calibration(config.calibration) if config.calibration else None


class RunContext(RunInputs):
    """Everything that a run works with beside its logs; `open_run` makes one.

    A missing model, price, exporter or calibration is found when it is made. The state files are opened at first use, so
    that a run whose logs cannot be read makes none of them.

    Attributes:
        encoder: turns texts into vectors.
        nli: compares answers, where the config asks for it; else None.
        exporters: the formats to write.
        history: the categories of the nights before.
        draws: the draws of the nights so far, with the labels of their cases.
    """

    def __init__(self, config: Config, paths: StatePaths, files: ExitStack, encoder: Encoder | None) -> None:
        super().__init__(config, paths)
        self._files = files
        self.encoder = encoder or open_encoder(config.embedding)
        self.nli = _load_nli(config)
        self.exporters: tuple[Exporter[Any], ...] = chosen_exporters(config)
        self.history: CategoriesFile = read_categories(paths.categories)
        self.draws: DrawsFile = read_draws(paths.draws)
        for model in config.models_beside:
            price_of(model)  # refuses a model without a price

    @cached_property
    def redaction(self) -> Redaction:
        """Takes secrets and personal data out of what the run reads."""
        return Redaction(self.config, self.paths)

    @cached_property
    def store(self) -> GenerationStore:
        """The answers that were paid for."""
        return self._files.enter_context(GenerationStore(self.paths.store, clean=self.redaction.answer))

    @cached_property
    def registry(self) -> HeldOutRegistry:
        """The held-out and the exported cases of all runs."""
        return self._files.enter_context(HeldOutRegistry(self.paths.registry))

    @cached_property
    def vectors(self) -> VectorCache:
        """The vectors of texts."""
        return self._files.enter_context(VectorCache(self.paths.vectors))

    def compare_answers(self, scorer: Scorer, generations: Generations, progress: Progress) -> None:
        """Let the scorer compare answers by a local model, where the config asks for one."""
        if self.nli is not None:
            scorer.compare_by(by_nli(self.nli))
        elif self.config.equivalence.method == "embedding":
            scorer.compare_by(by_embedding(scorer.compared(generations), self.encoder, self.vectors, progress=progress))

    def embed(self, texts: Sequence[str], *, progress: Progress) -> NDArray[np.float32]:
        """Return the vectors of texts, (n, d), from the cache where they are there."""
        return embed(texts, self.encoder, self.vectors, progress=progress)


@contextmanager
def open_run(config: Config, paths: StatePaths, *, encoder: Encoder | None = None) -> Iterator[RunContext]:
    """Open what a run works with, and close it at the end; `encoder` replaces the config's.

    Raises:
        ConfigError: a prompt variant, price, exporter or calibration does not fit.
        MissingDependency: a local model is not installed.
    """
    with ExitStack() as files:
        yield RunContext(config, paths, files, encoder)


def _load_nli(config: Config) -> NliModel | None:
    if config.equivalence.method != "nli" or config.equivalence.nli_model is None:
        return None
    model = NliModel(config.equivalence.nli_model)
    model.load()
    return model
