"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

from pathlib import Path

from curator.committee.prompts import Variant, load_variants
from curator.config import Config
from curator.encoders.nli import NliModel
from curator.run_folder.calibration import CalibrationFile, read_calibration


def _variants(config: Config) -> tuple[Variant, ...]:
    folder = config.committee.prompts
    return load_variants(config.committee.variants, Path(folder) if folder else None)


def _nli(config: Config) -> NliModel | None:
    """The NLI model, loaded before anything is paid for, where the config wants one."""
    if config.equivalence.method != "nli" or config.equivalence.nli_model is None:
        return None
    model = NliModel(config.equivalence.nli_model)
    model.load()
    return model


def _fitted(config: Config) -> CalibrationFile | None:
    """The calibration that the config names."""
    return read_calibration(config.calibration) if config.calibration else None
