"""NLI model: a local cross-encoder that decides whether two answers entail each other.

The method is bidirectional entailment under the question, as in Farquhar et al., "Detecting hallucinations in large
language models using semantic entropy" (Nature 630, 2024). No such model ships with curator: the config names one on the
disk or at the model hub.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.equivalence.leader_clustering import Pair
from curator.errors import MissingDependency

_BATCH = 32
_MAX_VERDICTS = 100_000
"""Verdicts in memory at most. Then all are dropped, and pairs that come again are decided again."""
_REMEDY = (
    "name a cross-encoder for NLI under `equivalence: nli_model:`, by its folder or by its hub name where the hub can be"
    " reached; or choose another `method`"
)


class _Scores(Protocol):
    """The part of `CrossEncoder` that is used."""

    def predict(
        self, sentences: list[tuple[str, str]], *, batch_size: int, show_progress_bar: bool
    ) -> NDArray[np.float32]: ...


class NliModel:
    """A cross-encoder, loaded for the first pair. Its verdicts are kept in memory.

    Args:
        model: a folder, or a name at the model hub. With HF_HUB_OFFLINE, only the local cache is used.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self._verdicts: dict[Pair, bool | None] = {}

    def load(self) -> None:
        """Load the model now, so that a missing one is reported early.

        Raises:
            MissingDependency: as `decide`.
        """
        _ = self._model

    def decide(self, pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
        """Decide for each pair whether both answers mean the same.

        They do when entailment is the likeliest relation in both directions.

        Each side is the question and one answer, which is how the paper conditions on the question.

        Raises:
            MissingDependency: the model or its package is missing, or it is not an NLI model.
        """
        if len(self._verdicts) > _MAX_VERDICTS:  # a stream of records may be endless
            self._verdicts.clear()
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._verdicts]
        if new:
            model, entailment = self._model
            sides = [(f"{p.question} {p.left}".strip(), f"{p.question} {p.right}".strip()) for p in new]
            both = [direction for left, right in sides for direction in ((left, right), (right, left))]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scores = np.asarray(model.predict(both, batch_size=_BATCH, show_progress_bar=False))
            entails = scores.argmax(axis=1) == entailment
            self._verdicts |= {p: bool(a and b) for p, a, b in zip(new, entails[::2], entails[1::2], strict=True)}
        return {pair: self._verdicts[pair] for pair in pairs}

    @cached_property
    def _model(self) -> tuple[_Scores, int]:
        """Return the model and the index of entailment among its labels."""
        try:
            from sentence_transformers import CrossEncoder
            from transformers.utils import logging as bars
        except ImportError as error:
            raise MissingDependency(
                f"the package for NLI models cannot be imported ({error})",
                remedy="install it with `pip install sentence-transformers`",
            ) from error
        folder = Path(self.name).expanduser()
        offline = folder.is_dir() or os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
        shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model: Any = CrossEncoder(str(folder) if folder.is_dir() else self.name, local_files_only=offline)
        except (OSError, ValueError, RuntimeError) as error:
            raise MissingDependency(
                f"the NLI model {self.name!r} is neither a folder with a model nor available from the model hub"
                f" ({type(error).__name__})",
                remedy=_REMEDY,
            ) from error
        finally:
            if shown:
                bars.enable_progress_bar()  # type: ignore[no-untyped-call]
        labels = {int(place): str(label).casefold() for place, label in model.config.id2label.items()}
        places = [place for place, label in labels.items() if label.startswith("entail")]
        if len(places) != 1 or len(labels) < 2:
            raise MissingDependency(
                f"{self.name!r} is not an NLI model: none of its labels ({', '.join(labels.values())}) is `entailment`",
                remedy=_REMEDY,
            )
        return model, places[0]
