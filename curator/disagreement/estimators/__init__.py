"""`ESTIMATORS`: every estimator of one case's disagreement, by name.

`curator score --estimator NAME` computes them. To add one, write its function in a file of this folder and add an entry here. The documentation, the benchmarks and the
contract test read the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from curator.disagreement.estimators import likelihood, partition, spectral, unseen_meanings
from curator.disagreement.estimators.base import Estimator, EstimatorInput, Floats, Need, Similarity
from curator.disagreement.estimators.json_fields import mean_field_disagreement
from curator.plugins import Registry

__all__ = ["ESTIMATORS", "Estimator", "EstimatorInput", "require_estimators"]

_FARQUHAR = "Farquhar et al., Nature 630, 2024"
_LIN = "Lin 1991"
_RAO = "Rao 1982"
_LIN_TRIVEDI_SUN = "Lin, Trivedi and Sun, TMLR 2024"
_MCCABE = "McCabe et al., ICLR 2026"

_PARTITION: Mapping[str, Estimator] = {
    "semantic_entropy": Estimator(
        lambda case: partition.semantic_entropy(case.classes, case.groups).total,
        1, ("classes",), "entropy of the meaning classes, over its largest value ln n", _FARQUHAR,
    ),
    "semantic_entropy_within": Estimator(
        lambda case: partition.semantic_entropy(case.classes, case.groups).within,
        1, ("classes",), "the part of `semantic_entropy` within a prompt identity: sampling noise", _LIN,
    ),
    "semantic_entropy_between": Estimator(
        lambda case: partition.semantic_entropy(case.classes, case.groups).between,
        1, ("classes",), "the part of `semantic_entropy` between prompt identities: sensitivity to model and prompt", _LIN,
    ),
    "variation_ratio": Estimator(
        lambda case: partition.variation_ratio(case.classes),
        1, ("classes",), "share of the answers outside the largest class", "Freeman 1965",
    ),
    "vote_margin": Estimator(
        lambda case: partition.vote_margin(case.classes),
        1, ("classes",), "1 minus the lead of the largest class over the second",
    ),
    "number_of_meanings": Estimator(
        lambda case: float(unseen_meanings.number_of_meanings(case.classes)),
        1, ("classes",), "number of meaning classes k", f"NumSemSets, {_LIN_TRIVEDI_SUN}",
        lowest=1.0, highest=None, on_agreement=1.0,
    ),
    "share_of_meanings": Estimator(
        lambda case: unseen_meanings.share_of_meanings(case.classes),
        1, ("classes",), "number of meaning classes on a scale of 0 to 1: (k - 1) / (n - 1)",
    ),
    "missing_mass": Estimator(
        lambda case: unseen_meanings.missing_mass(case.classes),
        1, ("classes",), "probability that one more answer has a new meaning", "Good 1953",
    ),
    "alphabet_size": Estimator(
        lambda case: unseen_meanings.alphabet_size(case.classes),
        1, ("classes",), "number of meanings, those not seen yet included", _MCCABE,
        lowest=1.0, highest=None, on_agreement=1.0,
    ),
    "alphabet_entropy": Estimator(
        lambda case: unseen_meanings.alphabet_entropy(case.classes),
        1, ("classes",), "semantic entropy in nats, corrected for unseen meanings by `alphabet_size`", _MCCABE,
        highest=None,
    ),
    "chao_shen_entropy": Estimator(
        lambda case: unseen_meanings.chao_shen_entropy(case.classes),
        1, ("classes",), "semantic entropy in nats, corrected for unseen meanings by Good's coverage",
        "Chao and Shen 2003", highest=None,
    ),
    "share_against": Estimator(
        lambda case: partition.share_against(case.classes, case.target_class),
        1, ("classes", "target"), "share of the answers that contradict production's answer",
    ),
    "smoothed_share_against": Estimator(
        lambda case: partition.smoothed_share_against(
            case.classes, case.target_class,
            prior=partition.semantic_entropy(case.classes, case.groups).total, strength=0.5,
        ),
        1, ("classes", "target"), "`share_against` shrunk to `semantic_entropy`, which counts as half an answer",
        "Beta posterior mean",
    ),
}  # fmt: skip

_DISTANCES: Mapping[str, Estimator] = {
    "rao_entropy": Estimator(
        lambda case: partition.rao_entropy(case.distances, case.groups).total,
        1, ("distances",), "mean distance of two different answers", _RAO,
    ),
    "rao_entropy_within": Estimator(
        lambda case: partition.rao_entropy(case.distances, case.groups).within,
        1, ("distances",), "the part of `rao_entropy` within a prompt identity: sampling noise", _RAO,
    ),
    "rao_entropy_between": Estimator(
        lambda case: partition.rao_entropy(case.distances, case.groups).between,
        1, ("distances",), "the part of `rao_entropy` between prompt identities: sensitivity to model and prompt", _RAO,
    ),
    "target_distance": Estimator(
        lambda case: partition.mean_distance(case.target_distances),
        1, ("distances", "target"), "mean distance of the answers to production's answer",
    ),
}  # fmt: skip

_SIMILARITIES: Sequence[tuple[Similarity, Need]] = (
    ("words", "texts"), ("rouge_l", "texts"), ("jaccard", "texts"), ("cosine", "vectors"),
)  # fmt: skip
_SPECTRAL: Mapping[str, tuple[Callable[[Floats], float], str, str]] = {
    "deg": (spectral.deg, "1 minus the mean similarity of two different answers", f"U_Deg, {_LIN_TRIVEDI_SUN}"),
    "eigv": (
        spectral.eigv, "continuous number of meanings, on a scale of 0 to 1: sum of max(0, 1 - eigenvalue of the Laplacian)",
        f"U_EigV, {_LIN_TRIVEDI_SUN}",
    ),
    "eccentricity": (
        spectral.eccentricity, "spread of the answers around their centre in the space of the Laplacian's eigenvectors",
        f"U_Ecc without its threshold, {_LIN_TRIVEDI_SUN}",
    ),
    "eccentricity_published": (
        lambda w: spectral.eccentricity(w, threshold=0.9), "`eccentricity` with the published threshold of 0.9; many cases tie",
        f"U_Ecc, {_LIN_TRIVEDI_SUN}",
    ),
    "snne": (spectral.snne, "semantic nearest neighbour entropy", "Nguyen et al., ACL Findings 2025"),
    "snne_nearest": (
        lambda w: spectral.snne(w, temperature=0.1), "`snne` at temperature 0.1: mostly the nearest neighbour counts",
        "Nguyen et al., ACL Findings 2025",
    ),
    "kernel_language_entropy": (
        spectral.kernel_language_entropy, "von Neumann entropy of the heat kernel", "KLE-heat, Nikitin et al., NeurIPS 2024",
    ),
}  # fmt: skip


def _spectral(measure: Callable[[Floats], float], by: Similarity) -> Callable[[EstimatorInput], float]:
    return lambda case: measure(case.similarities(by))


def _target_distance(by: Similarity) -> Callable[[EstimatorInput], float]:
    return lambda case: partition.mean_distance(1 - case.target_similarities(by))


def _over_similarities() -> Mapping[str, Estimator]:
    """The estimators over a similarity matrix, one for each way to compare texts (`deg_words`)."""
    entries = {
        f"{name}_{by}": Estimator(_spectral(measure, by), 1, (need,), meaning, source)
        for name, (measure, meaning, source) in _SPECTRAL.items()
        for by, need in _SIMILARITIES
    }
    to_target = {
        f"target_distance_{by}": Estimator(
            _target_distance(by),
            1,
            (need, "target"),
            "1 minus the mean similarity of the answers to production's answer",
        )
        for by, need in _SIMILARITIES
    }
    return {**entries, **to_target}


_VECTORS: Mapping[str, Estimator] = {
    "eigen_score": Estimator(
        lambda case: spectral.eigen_score(case.vectors_of(case.texts)),
        1, ("vectors",), "mean log eigenvalue of the embeddings' covariance; compare within one encoder and one n",
        "INSIDE, Chen et al., ICLR 2024", lowest=None, highest=None, on_agreement=None,
    ),
}  # fmt: skip

_LIKELIHOOD: Mapping[str, Estimator] = {
    "predictive_entropy": Estimator(
        lambda case: likelihood.predictive_entropy([logprobs or () for logprobs in case.logprobs]),
        1, ("logprobs",), "mean negative log-likelihood per token of the answers; blind to meaning",
        "Malinin and Gales, ICLR 2021", highest=None, on_agreement=None,
    ),
    "sequence_predictive_entropy": Estimator(
        lambda case: likelihood.predictive_entropy([logprobs or () for logprobs in case.logprobs], per_token=False),
        1, ("logprobs",), "mean negative log-likelihood of the whole answers; grows with their length",
        "Malinin and Gales, ICLR 2021", highest=None, on_agreement=None,
    ),
    "likelihood_semantic_entropy": Estimator(
        lambda case: likelihood.likelihood_semantic_entropy(case.classes, case.loglikelihoods),
        1, ("classes", "logprobs"), "semantic entropy with class probabilities from the likelihoods per token",
        f"Kuhn et al., ICLR 2023; {_FARQUHAR}",
    ),
    "likelihood_margin": Estimator(
        lambda case: likelihood.likelihood_margin(case.classes, case.loglikelihoods),
        1, ("classes", "logprobs"), "1 minus the lead of the most probable class over the second",
    ),
}  # fmt: skip

_JSON: Mapping[str, Estimator] = {
    "mean_field_disagreement": Estimator(
        lambda case: mean_field_disagreement(case.answers),
        1, ("json",), "share of the answer pairs that differ in a field, averaged over the fields", "Simpson 1949",
    ),
}  # fmt: skip

ESTIMATORS = Registry(
    "estimator",
    Estimator,
    {**_PARTITION, **_DISTANCES, **_over_similarities(), **_VECTORS, **_LIKELIHOOD, **_JSON},
)
"""Every estimator by its name. None calls a model; the order of the answers changes no value."""


def require_estimators(names: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Return the names, each once, in their order.

    Raises:
        ConfigError: a name is unknown; the message lists all names.
    """
    for name in names:
        ESTIMATORS.require(name, where=where)
    return tuple(dict.fromkeys(names))
