"""Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.

The names below are the whole public API; they are loaded when they are first used, so that `import curator` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.calibrating import calibrate
    from curator.compared import CompareOptions, Comparison, compare
    from curator.config import Config, load_config
    from curator.disagreement.calibration import Calibration
    from curator.distilling import Distilled, distil
    from curator.errors import CuratorError, UserError
    from curator.estimating import EstimateResult, estimate, estimate_sample
    from curator.estimation.weighting import CaseDesign
    from curator.leak_check import LeakResult, leaks
    from curator.outputs.calibration_file import load_calibration, save_calibration
    from curator.pipeline import plan, run, run_async
    from curator.records import Case, Generation, Score
    from curator.results import PlanResult, RunResult
    from curator.scoring import score
    from curator.selecting import Selected, SelectOptions, select, select_file
    from curator.selection.teaching import next_batch

__all__ = [
    "Calibration",
    "Case",
    "CaseDesign",
    "CompareOptions",
    "Comparison",
    "Config",
    "CuratorError",
    "Distilled",
    "EstimateResult",
    "Generation",
    "LeakResult",
    "PlanResult",
    "RunResult",
    "Score",
    "SelectOptions",
    "Selected",
    "UserError",
    "__version__",
    "calibrate",
    "compare",
    "distil",
    "estimate",
    "estimate_sample",
    "leaks",
    "load_calibration",
    "load_config",
    "next_batch",
    "plan",
    "run",
    "run_async",
    "save_calibration",
    "score",
    "select",
    "select_file",
]

__version__ = "0.1.0"

_HOME = {
    "Calibration": "disagreement.calibration",
    "Case": "records",
    "CaseDesign": "estimation.weighting",
    "CompareOptions": "compared",
    "Comparison": "compared",
    "Config": "config",
    "CuratorError": "errors",
    "Distilled": "distilling",
    "EstimateResult": "estimating",
    "Generation": "records",
    "LeakResult": "leak_check",
    "PlanResult": "results",
    "RunResult": "results",
    "Score": "records",
    "SelectOptions": "selecting",
    "Selected": "selecting",
    "UserError": "errors",
    "calibrate": "calibrating",
    "compare": "compared",
    "distil": "distilling",
    "estimate": "estimating",
    "estimate_sample": "estimating",
    "leaks": "leak_check",
    "load_calibration": "outputs.calibration_file",
    "load_config": "config",
    "next_batch": "selection.teaching",
    "plan": "pipeline",
    "run": "pipeline",
    "run_async": "pipeline",
    "save_calibration": "outputs.calibration_file",
    "score": "scoring",
    "select": "selecting",
    "select_file": "selecting",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'curator' has no attribute {name!r}")
    value: object = getattr(import_module(f"curator.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
