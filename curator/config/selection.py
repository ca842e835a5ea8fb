"""What is done with the scores: vectors, categories, the labelling budget, and what is trusted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curator.config.section import Positive, Section, Share
from curator.records import StrategyName


class EmbeddingConfig(Section):
    """The model that turns inputs into vectors."""

    model: str = "local"
    """`local`: the bundled all-MiniLM-L6-v2; else a sentence-transformers model name, or a folder (`./...`)."""
    batch_size: Positive = 32
    """Texts per batch."""


class ClusteringConfig(Section):
    """How unstable cases are grouped into categories."""

    min_cluster_size: Annotated[int, Field(ge=2)] = 4
    """The smallest group that counts as a category."""
    two_stage_above: Positive = 3000
    """Above this many points, k-means centres are clustered instead of the points."""


class SelectionConfig(Section):
    """How the labelling budget is spent."""

    k: Annotated[int, Field(ge=0)] = 100
    """Cases to select."""
    random_share: Share = 0.5
    """The share of k that is drawn at random from what discovery leaves: it tells the failure rate, and finds what the
    committee cannot see. With half of k the rate has about 1.1 times the error of k plain random labels, and all k still hold
    nearly twice as many failures (`docs/selection.md`). What discovery cannot use is drawn at random as well, unless this
    is 0."""
    held_out_share: Share = 0.5
    """The share of near-duplicate groups that are held out: they may be evaluated on, never trained on."""
    candidates_per_pick: Positive = 5
    """How many of the most disagreeing cases are embedded for each pick."""
    disagreement_power: Annotated[float, Field(ge=0)] = 2.0
    """The exponent of disagreement in the objective."""
    score_weight: Annotated[float, Field(ge=0)] = 0.1
    """The weight of a pick's own disagreement beside the coverage it brings."""
    strategy: StrategyName = "coverage"
    """How discovery chooses: `coverage` of the disagreement, or one of the others to compare with."""
    nearest: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """No two discovery picks have vectors with a cosine of this or more, nor share a near-duplicate group."""
    outlier_share: Share = 0.1
    """The share of discovery picks that goes to disagreeing cases far from all others, as far as there are any."""
    least_per_category: Annotated[int, Field(ge=0)] = 0
    """The fewest discovery picks of each category, as far as it has candidates and k allows."""
    most_per_category: Positive | None = None
    """The most discovery picks of a category."""


class HeldOutConfig(Section):
    """How what is held out is kept out of training, for ever. Its share is `selection.held_out_share`."""

    registry: str | None = None
    """The file that remembers over nights what is held out and what was trained on; `held_out.sqlite` beside the store by
    default. It knows no more than the logs do, and must not be lost."""
    paraphrases: bool = True
    """Also keep out of training what asks a held-out question in other words; the vectors take time."""
    paraphrase_similarity: Annotated[float, Field(ge=0.7, le=1)] = 0.88
    """The cosine from which on two questions are the same in other words, if they have no numbers and names; those that
    agree ask for up to .25 less, those that differ for up to .15 more (`docs/held_out.md`)."""
    translations: bool = True
    """Also keep out of training what has a held-out question's numbers, names and code in the same order, in other words."""


class OutputsConfig(Section):
    """What is written for evaluation and training."""

    trusted_models: tuple[str, ...] = ()
    """Models whose logged answers may become fine-tune targets, by the name in the log."""
    exports: tuple[str, ...] = ()
    """Further formats to write the eval set or the fine-tune data in, beside `eval_set.jsonl` and `finetune.jsonl`: names of
    exporters (`docs/files.md`), such as those of installed plugins."""
