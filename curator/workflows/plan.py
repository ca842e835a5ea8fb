"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from curator.committee.plan import Plan
from curator.committee.prices import prices_of
from curator.config import Config
from curator.labels.batches import workload
from curator.progress import Progress, Silent
from curator.stages.ingest import ingest
from curator.stages.plan import PlanResult, estimate_plan, with_model_limits
from curator.stages.prepare import _fitted, _variants
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths


def plan(
    config: Config, *, logs: Sequence[str] = (), labels: Sequence[str] = (), progress: Progress | None = None
) -> PlanResult:
    """Say what a run would ask and cost, without asking anything; stored answers are looked up.

    Raises:
        UserError: as `run_async`.
    """
    variants, prices = _variants(config), prices_of(config.committee.models)
    _fitted(config)  # a run would refuse it
    paths = StatePaths.of(config)
    intake = ingest(config, logs, labels, progress or Silent(), folder=None)
    intake = replace(intake, warnings=(*paths.notices, *intake.warnings))
    made = Plan(intake.asked, config.committee, variants, config.seed, prices)
    work = workload(min(config.selection.k, len(intake.asked)), config.labelling)
    if not paths.store.exists():
        return replace(estimate_plan(config, intake, made, None), workload=work)
    with GenerationStore(paths.store) as store:
        return replace(estimate_plan(config, intake, with_model_limits(made, store), store), workload=work)
