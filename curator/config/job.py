"""One curation job: all sections together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from curator.config.committee import BudgetConfig, CommitteeConfig, EquivalenceConfig
from curator.config.labelling import LabellingConfig
from curator.config.logs import DedupeConfig, LogsConfig, TaskConfig
from curator.config.section import Section
from curator.config.selection import ClusteringConfig, EmbeddingConfig, HeldOutConfig, OutputsConfig, SelectionConfig


class Config(Section):
    """One curation job."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "curator"
    """Names the run folder, `runs/<name>`."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Fixes every random choice."""
    logs: LogsConfig = LogsConfig()
    """Where the production logs are and how they are read."""
    dedupe: DedupeConfig = DedupeConfig()
    """When two inputs count as the same."""
    tasks: dict[str, TaskConfig] = Field(default={})
    """What is known of each task's answers, by the task's name in the log."""
    committee: CommitteeConfig
    """Who is asked."""
    equivalence: EquivalenceConfig = EquivalenceConfig()
    """When answers mean the same."""
    budget: BudgetConfig = BudgetConfig()
    """What may be spent."""
    embedding: EmbeddingConfig = EmbeddingConfig()
    """The model that turns inputs into vectors."""
    clustering: ClusteringConfig = ClusteringConfig()
    """How unstable cases are grouped."""
    selection: SelectionConfig = SelectionConfig()
    """How the labelling budget is spent."""
    labelling: LabellingConfig = LabellingConfig()
    """Who labels, at what pace and price."""
    held_out: HeldOutConfig = HeldOutConfig()
    """How what is held out is kept out of training."""
    outputs: OutputsConfig = OutputsConfig()
    """What is trusted enough to be trained on."""
    calibration: str | None = None
    """A file that `curator calibrate --out` wrote: cases are ranked by its fitted score where that has shown a gain
    (`docs/calibration.md`). Not with `committee.adaptive`."""
    labels: tuple[str, ...] = ()
    """Label files that came back: `label_queue.csv` or `.jsonl` with the `label` column filled in."""
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

    def in_folder(self, folder: Path) -> Self:
        """Return the same config as if its file were in this folder; the paths in it do not change."""
        copy = self.model_copy()
        copy._folder = folder
        return copy

    @model_validator(mode="after")
    def _one_ranking(self) -> Self:
        if self.calibration and self.committee.adaptive:
            raise ValueError(
                "calibration: a fitted score ranks cases with the whole committee's answers only; take it out, or "
                "`committee.adaptive`"
            )
        return self
