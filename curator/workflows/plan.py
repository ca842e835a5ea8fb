"""`curator plan`: the calls, tokens, dollars and time of a run, before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from curator.committee.plan import Plan
from curator.config import Config, EmbeddingConfig
from curator.encoders.sentence import open_encoder
from curator.errors import MissingDependency
from curator.labels.batches import workload
from curator.progress import Progress, Silent
from curator.stages.ingest import ingest
from curator.stages.plan import PlanResult, estimate_plan, with_model_limits
from curator.stages.prepare import RunInputs
from curator.stages.redact import Redaction
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths
from curator.workflows.inputs import PathLike, Paths, config_from, path_list


def plan(
    config: Config | PathLike,
    *,
    logs: Paths = (),
    labels: Paths = (),
    progress: Progress | None = None,
    processes: int = 1,
) -> PlanResult:
    """Estimate what a run would ask and cost, without asking any model.

    Answers in the store are counted as stored.

    Args:
        config: The job, or the path of its file.
        logs: Files, folders or globs to read instead of `config.logs.paths`.
        labels: Label files to use beside `config.labels`.
        progress: Receives the progress of the work; silent by default.
        processes: Reads large logs in so many processes, as in `run`.

    Raises:
        UserError: as `run`.
    """
    config = config_from(config)
    paths = StatePaths.of(config)
    inputs = RunInputs(config, paths)  # a damaged calibration file ends the plan, as it would end the run
    intake = ingest(
        config,
        path_list(logs),
        path_list(labels),
        progress or Silent(),
        folder=None,
        redaction=Redaction(config, paths),
        processes=processes,
    )
    intake = replace(intake, warnings=(*paths.notices, *_missing_encoder(config.embedding), *intake.warnings))
    committee_plan = Plan(
        intake.questions, config.committee, inputs.variants, config.seed, inputs.prices,
        same_question=intake.same_question,
    )  # fmt: skip
    work = workload(min(config.selection.k, len(intake.asked)), config.labelling)
    if not paths.store.exists():
        return replace(estimate_plan(config, intake, committee_plan, None), workload=work)
    with GenerationStore(paths.store) as store:
        return replace(estimate_plan(config, intake, with_model_limits(committee_plan, store), store), workload=work)


def _missing_encoder(embedding: EmbeddingConfig) -> Iterator[str]:
    """Yield a warning if the default embedding model is not installed.

    Other models are not looked up, because that may download them.
    """
    if embedding.model != "local":
        return
    try:
        open_encoder(embedding)
    except MissingDependency as missing:
        yield f"a run would stop: {missing.what}; {missing.remedy}"
