"""Sensitivity and specificity of a judge, measured by labels."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from curator.records import JudgeQuality, Rate
from curator.records.labels import HALF
from curator.stats import rounded, wilson

LEAST = 3
"""With fewer labelled failures no sensitivity is reported, and with fewer right answers no specificity."""


def judge_quality(
    failures: Mapping[str, float], verdicts: Mapping[str, float], weights: Mapping[str, float]
) -> JudgeQuality | None:
    """Measure a judge; None without a verdict on a labelled case.

    The intervals are Wilson's (1927) for the number of equally weighted labels with the same variance (Kish 1965).

    Args:
        failures: by labels, 0 (right) to 1, by case id.
        verdicts: of the judge, the probability of a failure, by case id.
        weights: the cases that each labelled case represents, up to a common factor. Others do not count: give none to a case that
            is half a failure.
    """
    labelled = failures.keys() & weights.keys()
    judged = labelled & verdicts.keys()
    if not judged:
        return None
    failed = {i for i in judged if failures[i] > HALF}
    return JudgeQuality(
        sensitivity=_rate({i: verdicts[i] for i in failed}, weights),
        specificity=_rate({i: 1 - verdicts[i] for i in judged - failed}, weights),
        labels=len(judged),
        unjudged=len(labelled - judged),
    )


def _rate(hits: Mapping[str, float], weights: Mapping[str, float]) -> Rate:
    if len(hits) < LEAST:
        return Rate(None, None, None, len(hits))
    total = fsum(weights[i] for i in sorted(hits))
    share = fsum(weights[i] * hits[i] for i in sorted(hits)) / total
    effective = max(1, round(total**2 / fsum(weights[i] ** 2 for i in sorted(hits))))
    low, high = wilson(min(max(share, 0.0), 1.0), effective)
    return Rate(rounded(share), rounded(low), rounded(high), len(hits))
