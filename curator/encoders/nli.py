"""An NLI model by name: whether two answers entail each other, told by a cross-encoder on this machine.

Bidirectional entailment under the question, as in Farquhar et al., "Detecting hallucinations in large language models
using semantic entropy" (Nature 630, 2024). None ships with curator: name one that is on the disk or at the hub.
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
_KEPT = 100_000
"""Verdicts that are remembered; what more pairs there are is decided again where it comes again."""
_REMEDY = (
    "name a cross-encoder for NLI under `equivalence: nli_model:`, by its folder or by its hub name where the hub can be"
    " reached; or take another `method`"
)


class _Scores(Protocol):
    """As much of `CrossEncoder` as is used."""

    def predict(
        self, sentences: list[tuple[str, str]], *, batch_size: int, show_progress_bar: bool
    ) -> NDArray[np.float32]: ...


class NliModel:
    """A cross-encoder, loaded for the first pair; what it said of a pair is kept in memory.

    Args:
        model: a folder, or a name at the model hub. HF_HUB_OFFLINE is honoured.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self._known: dict[Pair, bool | None] = {}

    def load(self) -> None:
        """Load the model now, so that a missing one is told early.

        Raises:
            MissingDependency: as `decide`.
        """
        _ = self._model

    def decide(self, pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
        """Whether both answers mean the same: entailment is the likeliest relation in both directions.

        Each side is the question and one answer, which is how the paper conditions on the question.

        Raises:
            MissingDependency: the model or its package is not there, or it is no NLI model.
        """
        if len(self._known) > _KEPT:  # a stream of records has no end
            self._known.clear()
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        if new:
            model, entailment = self._model
            sides = [(f"{p.question} {p.left}".strip(), f"{p.question} {p.right}".strip()) for p in new]
            both = [direction for one, other in sides for direction in ((one, other), (other, one))]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scores = np.asarray(model.predict(both, batch_size=_BATCH, show_progress_bar=False))
            entails = scores.argmax(axis=1) == entailment
            self._known |= {p: bool(a and b) for p, a, b in zip(new, entails[::2], entails[1::2], strict=True)}
        return {pair: self._known[pair] for pair in pairs}

    @cached_property
    def _model(self) -> tuple[_Scores, int]:
        """The model and the place of entailment among its labels."""
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
                f"the NLI model {self.name!r} is neither a folder with a model nor to be had from the model hub"
                f" ({type(error).__name__})",
                remedy=_REMEDY,
            ) from error
        finally:
            if shown:
                bars.enable_progress_bar()  # type: ignore[no-untyped-call]
        labels = {int(place): str(label).casefold() for place, label in model.config.id2label.items()}
        places = [place for place, label in labels.items() if label.startswith("entail")]
        if len(places) != 1 or len(labels) < 2:
            known = ", ".join(labels.values())
            raise MissingDependency(
                f"{self.name!r} is no NLI model: none of its labels ({known}) is `entailment`", remedy=_REMEDY
            )
        return model, places[0]
