"""Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.

The public API: the functions and types below, and the other types of their signatures in `curator.types`. Each is loaded when
it is first used, so that `import curator` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from curator._version import __version__ as __version__

if TYPE_CHECKING:  # for type checkers and editors; a test holds it equal to `_EXPORTS`
    from curator.config import Config as Config
    from curator.config import load_config as load_config
    from curator.disagreement.calibration import Calibration as Calibration
    from curator.errors import CuratorError as CuratorError
    from curator.errors import ExitCode as ExitCode
    from curator.errors import UserError as UserError
    from curator.estimation.comparison.case_weights import CaseDesign as CaseDesign
    from curator.readers.trial import MappingTrial as MappingTrial
    from curator.records import Case as Case
    from curator.records import Generation as Generation
    from curator.records import RejectedRecord as RejectedRecord
    from curator.records import Score as Score
    from curator.run_folder.calibration import load_calibration as load_calibration
    from curator.run_folder.calibration import save_calibration as save_calibration
    from curator.selection.training_batch import next_batch as next_batch
    from curator.stages.plan import PlanResult as PlanResult
    from curator.workflows.calibrate import CalibrationResult as CalibrationResult
    from curator.workflows.calibrate import calibrate as calibrate
    from curator.workflows.categories import read_categories as read_categories
    from curator.workflows.check import check as check
    from curator.workflows.check_result import CheckResult as CheckResult
    from curator.workflows.check_result import SetAsideReason as SetAsideReason
    from curator.workflows.check_result import TaskAnswers as TaskAnswers
    from curator.workflows.committee import CommitteeResult as CommitteeResult
    from curator.workflows.committee import committee_advice as committee_advice
    from curator.workflows.compare import CompareOptions as CompareOptions
    from curator.workflows.compare import compare as compare
    from curator.workflows.comparison_result import Comparison as Comparison
    from curator.workflows.distil import Distilled as Distilled
    from curator.workflows.distil import distil as distil
    from curator.workflows.estimate import estimate as estimate
    from curator.workflows.estimate_result import EstimateResult as EstimateResult
    from curator.workflows.export import export as export
    from curator.workflows.label_exchange import export_labels as export_labels
    from curator.workflows.label_exchange import import_labels as import_labels
    from curator.workflows.label_page import LabelPage as LabelPage
    from curator.workflows.label_page import label_page as label_page
    from curator.workflows.label_sync import PulledLabels as PulledLabels
    from curator.workflows.label_sync import PushedQueue as PushedQueue
    from curator.workflows.label_sync import pull_labels as pull_labels
    from curator.workflows.label_sync import push_labels as push_labels
    from curator.workflows.leaks import LeakResult as LeakResult
    from curator.workflows.leaks import find_leaks as find_leaks
    from curator.workflows.loop import loop as loop
    from curator.workflows.loop import loop_status as loop_status
    from curator.workflows.loop_result import LoopResult as LoopResult
    from curator.workflows.plan import plan as plan
    from curator.workflows.purge import PurgeResult as PurgeResult
    from curator.workflows.purge import purge as purge
    from curator.workflows.read_logs import read_logs as read_logs
    from curator.workflows.run import run as run
    from curator.workflows.run import run_async as run_async
    from curator.workflows.run_result import RunResult as RunResult
    from curator.workflows.score import ScoreResult as ScoreResult
    from curator.workflows.score import Scoring as Scoring
    from curator.workflows.score import score as score
    from curator.workflows.selection import Selected as Selected
    from curator.workflows.selection import SelectOptions as SelectOptions
    from curator.workflows.selection import select as select

_EXPORTS = {
    "Calibration": "disagreement.calibration",
    "CalibrationResult": "workflows.calibrate",
    "Case": "records",
    "CaseDesign": "estimation.comparison.case_weights",
    "CommitteeResult": "workflows.committee",
    "CompareOptions": "workflows.compare",
    "Comparison": "workflows.comparison_result",
    "Config": "config",
    "CuratorError": "errors",
    "Distilled": "workflows.distil",
    "EstimateResult": "workflows.estimate_result",
    "ExitCode": "errors",
    "Generation": "records",
    "LabelPage": "workflows.label_page",
    "LeakResult": "workflows.leaks",
    "LoopResult": "workflows.loop_result",
    "PlanResult": "stages.plan",
    "CheckResult": "workflows.check_result",
    "MappingTrial": "readers.trial",
    "SetAsideReason": "workflows.check_result",
    "TaskAnswers": "workflows.check_result",
    "PulledLabels": "workflows.label_sync",
    "PurgeResult": "workflows.purge",
    "PushedQueue": "workflows.label_sync",
    "RejectedRecord": "records",
    "RunResult": "workflows.run_result",
    "Score": "records",
    "ScoreResult": "workflows.score",
    "Scoring": "workflows.score",
    "SelectOptions": "workflows.selection",
    "Selected": "workflows.selection",
    "UserError": "errors",
    "calibrate": "workflows.calibrate",
    "committee_advice": "workflows.committee",
    "compare": "workflows.compare",
    "distil": "workflows.distil",
    "estimate": "workflows.estimate",
    "export": "workflows.export",
    "export_labels": "workflows.label_exchange",
    "find_leaks": "workflows.leaks",
    "import_labels": "workflows.label_exchange",
    "label_page": "workflows.label_page",
    "load_calibration": "run_folder.calibration",
    "load_config": "config",
    "loop": "workflows.loop",
    "loop_status": "workflows.loop",
    "next_batch": "selection.training_batch",
    "plan": "workflows.plan",
    "check": "workflows.check",
    "pull_labels": "workflows.label_sync",
    "purge": "workflows.purge",
    "push_labels": "workflows.label_sync",
    "read_categories": "workflows.categories",
    "read_logs": "workflows.read_logs",
    "run": "workflows.run",
    "run_async": "workflows.run",
    "save_calibration": "run_folder.calibration",
    "score": "workflows.score",
    "select": "workflows.selection",
}
"""Every public name, and the module that defines it."""

_OLD_NAMES = {
    "estimate_sample": "workflows.estimate",
    "leaks": "workflows.leaks",
    "select_file": "workflows.selection",
}
"""Old names, kept for one release: each function warns of its new name when it is called."""

__all__ = ["__version__", *_EXPORTS]  # noqa: PLE0604  the keys are strings


def __getattr__(name: str) -> object:
    module = _EXPORTS.get(name) or _OLD_NAMES.get(name)
    if module is None:
        raise AttributeError(f"module 'curator' has no attribute {name!r}")
    value: object = getattr(import_module(f"curator.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
