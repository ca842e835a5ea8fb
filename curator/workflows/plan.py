"""`curator plan`: the calls, tokens, dollars and time of a run, before any model is asked."""

from __future__ import annotations

from dataclasses import replace

from curator.committee.plan import Plan
from curator.config import Config
from curator.labels.batches import workload
from curator.progress import Progress, Silent
from curator.stages.ingest import ingest
from curator.stages.plan import PlanResult, estimate_plan, with_model_limits
from curator.stages.prepare import RunInputs
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths
from curator.workflows.inputs import PathLike, Paths, config_from, path_list


def plan(
    config: Config | PathLike, *, logs: Paths = (), labels: Paths = (), progress: Progress | None = None
) -> PlanResult:
    """Estimate what a run would ask and cost, without asking any model.

    Answers in the store are counted as stored.

    Args:
        config: The job, or the path of its file.
        logs: Files, folders or globs to read instead of `config.logs.paths`.
        labels: Label files to use beside `config.labels`.
        progress: Receives the progress of the work; silent by default.

    Raises:
        UserError: as `run`.
    """
    config = config_from(config)
    paths = StatePaths.of(config)
    inputs = RunInputs(config, paths)  # a damaged calibration file ends the plan, as it would end the run
    intake = ingest(config, path_list(logs), path_list(labels), progress or Silent(), folder=None)
    intake = replace(intake, warnings=(*paths.notices, *intake.warnings))
    committee_plan = Plan(intake.asked, config.committee, inputs.variants, config.seed, inputs.prices)
    work = workload(min(config.selection.k, len(intake.asked)), config.labelling)
    if not paths.store.exists():
        return replace(estimate_plan(config, intake, committee_plan, None), workload=work)
    with GenerationStore(paths.store) as store:
        return replace(estimate_plan(config, intake, with_model_limits(committee_plan, store), store), workload=work)
