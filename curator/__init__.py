"""Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.

The names below are the whole public API; they are loaded when they are first used, so that `import curator` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.config import Config, load_config
    from curator.disagreement.calibration import Calibration
    from curator.errors import CuratorError, UserError
    from curator.estimation.comparison.case_weights import CaseDesign
    from curator.records import Case, Generation, Score
    from curator.run_folder.calibration import load_calibration, save_calibration
    from curator.selection.training_batch import next_batch
    from curator.stages.plan import PlanResult
    from curator.workflows.calibrate import calibrate
    from curator.workflows.compare import CompareOptions, compare
    from curator.workflows.comparison_result import Comparison
    from curator.workflows.distill import Distilled, distil
    from curator.workflows.estimate import EstimateResult, estimate, estimate_sample
    from curator.workflows.leaks import LeakResult, leaks
    from curator.workflows.plan import plan
    from curator.workflows.run import RunResult, run, run_async
    from curator.workflows.score import score
    from curator.workflows.selection import Selected, SelectOptions, select, select_file


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

from curator._version import __version__

_HOME = {
    "Calibration": "disagreement.calibration",
    "Case": "records",
    "CaseDesign": "estimation.comparison.case_weights",
    "CompareOptions": "workflows.compare",
    "Comparison": "workflows.comparison_result",
    "Config": "config",
    "CuratorError": "errors",
    "Distilled": "workflows.distill",
    "EstimateResult": "workflows.estimate",
    "Generation": "records",
    "LeakResult": "workflows.leaks",
    "PlanResult": "stages.plan",
    "RunResult": "workflows.run",
    "Score": "records",
    "SelectOptions": "workflows.selection",
    "Selected": "workflows.selection",
    "UserError": "errors",
    "calibrate": "workflows.calibrate",
    "compare": "workflows.compare",
    "distil": "workflows.distill",
    "estimate": "workflows.estimate",
    "estimate_sample": "workflows.estimate",
    "leaks": "workflows.leaks",
    "load_calibration": "run_folder.calibration",
    "load_config": "config",
    "next_batch": "selection.training_batch",
    "plan": "workflows.plan",
    "run": "workflows.run",
    "run_async": "workflows.run",
    "save_calibration": "run_folder.calibration",
    "score": "workflows.score",
    "select": "workflows.selection",
    "select_file": "workflows.selection",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'curator' has no attribute {name!r}")
    value: object = getattr(import_module(f"curator.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
