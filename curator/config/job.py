"""One curation job: all sections together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from curator.config.categories import CategoriesConfig
from curator.config.committee import BudgetConfig, CommitteeConfig, EquivalenceConfig, ModelConfig
from curator.config.judge import AnswerJudgeConfig
from curator.config.labelling import LabellingConfig
from curator.config.logs import DedupeConfig, LogsConfig, TaskConfig
from curator.config.loop import LoopConfig
from curator.config.redaction import RedactionConfig
from curator.config.section import Section
from curator.config.selection import ClusteringConfig, EmbeddingConfig, HeldOutConfig, OutputsConfig, SelectionConfig


class Config(Section):
    """One curation job."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "curator"
    """Names the run folder, `runs/<name>`."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """The seed of every random choice."""
    logs: LogsConfig = LogsConfig()
    """The production logs."""
    redaction: RedactionConfig = RedactionConfig()
    """What is replaced before anything is sent or stored."""
    dedupe: DedupeConfig = DedupeConfig()
    """Deduplication of the inputs."""
    tasks: dict[str, TaskConfig] = Field(default={})
    """The answers of each task, by the name of the task in the log."""
    committee: CommitteeConfig
    """The models, prompt variants and temperatures that are asked."""
    equivalence: EquivalenceConfig = EquivalenceConfig()
    """The comparison of answers."""
    budget: BudgetConfig = BudgetConfig()
    """Spending limits."""
    embedding: EmbeddingConfig = EmbeddingConfig()
    """The embedding model of the inputs."""
    clustering: ClusteringConfig = ClusteringConfig()
    """The grouping of unstable cases into categories."""
    categories: CategoriesConfig = CategoriesConfig()
    """A model that writes the names of categories, and questions about every case."""
    judge: AnswerJudgeConfig | None = None
    """A judge of production's answers. Its verdicts narrow the estimated failure rate as far as labels show that they are right
    (`docs/judge.md`)."""
    selection: SelectionConfig = SelectionConfig()
    """The selection of cases to label."""
    labelling: LabellingConfig = LabellingConfig()
    """The annotators, their pace and their price."""
    held_out: HeldOutConfig = HeldOutConfig()
    """The separation of held-out cases from training data."""
    outputs: OutputsConfig = OutputsConfig()
    """The files for evaluation and training."""
    loop: LoopConfig = LoopConfig()
    """Rounds of select, label, retrain and evaluate (`docs/loop.md`)."""
    calibration: str | None = None
    """A file of `curator calibrate --out`. Cases are ranked by its fitted score, if that has shown a gain
    (`docs/calibration.md`). It cannot be used with `committee.adaptive`."""
    labels: tuple[str, ...] = ()
    """Returned label files: `label_queue.csv` or `.jsonl` with the `label` column filled in."""
    out: str | None = None
    """The run folder; `runs/<name>` beside the config file by default. `--out` replaces it."""
    store: str | None = None
    """The file that keeps paid-for answers; `.curator/store.sqlite` beside the config file by default. Vectors, the held-out
    registry and the categories of earlier nights are kept next to it."""

    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder of the config file; the working directory for a config that was made in memory."""
        return self._folder

    @property
    def models_beside(self) -> tuple[ModelConfig, ...]:
        """The models that a run asks beside the committee: the judges, and the model of categories."""
        same, categories = self.equivalence.asks, self.categories
        writer = categories.model if categories.attributes or categories.namer else None
        return tuple(model for model in (same and same.model, writer, self.judge_model) if model)

    @property
    def judge_model(self) -> ModelConfig | None:
        """The model that judges production's answers; None where no model does."""
        if self.judge is None or self.judge.recorded:
            return None
        return self.judge.model or self.committee.models[0]

    def in_folder(self, folder: Path) -> Self:
        """Return the same config as if its file were in this folder; the paths in it do not change."""
        copy = self.model_copy()
        copy._folder = folder
        return copy

    @model_validator(mode="after")
    def _one_ranking(self) -> Self:
        if self.calibration and self.committee.adaptive:
            raise ValueError(
                "calibration: a fitted score needs the answers of the whole committee; remove it, or "
                "`committee.adaptive`"
            )
        return self
