"""A confidence sequence: intervals that cover the rate after every label together.

An interval holds for one look at a number of labels that was fixed beforehand. Each further look is another chance to miss. A confidence
sequence covers at all looks at once, so that people may stop as soon as it is narrow enough.

With information I, the inverse variance of the estimate, I (estimate - rate) moves like a Brownian motion in I while labels come. Robbins'
(1970) normal mixture bounds it at all times: |estimate - rate| <= c / sqrt(I) with c^2 = (1 + 1/r) (log(1 + r) + 2 log(1 / alpha)) and
r = I / I_0. That the estimate is not exactly normal makes it an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy &
Ramdas 2024, Annals of Statistics 52). For small numbers of labels c is replaced by the quantile of Student's t with the same tail.
Sequences without any approximation exist for simple random draws (Waudby-Smith & Ramdas 2024, JRSS B 86). For strata of two labels they
would be as wide as the worst case: a label says nothing about the other strata.
"""

from __future__ import annotations

import math

MIXTURE_LABELS = 4.0
"""I_0 in random labels. Between 12 and 100 labels c is then 3.04 to 3.14 standard errors at 95%, 1.6 times the 1.96 of one look."""


def sequence_factor(confidence: float, labels: float) -> float:
    """Return c, in standard errors, for an information of so many random labels.

    Args:
        confidence: that all intervals cover, 0..1.
        labels: the effective number of random labels, above 0.
    """
    ratio = labels / MIXTURE_LABELS
    return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) - 2 * math.log(1 - confidence)))


def sequence_quantile(confidence: float, labels: float, degrees_of_freedom: float) -> float:
    """Return the quantile of Student's t whose tail is that of `sequence_factor`."""
    from scipy.special import ndtr, stdtrit

    factor = sequence_factor(confidence, labels)
    if math.isinf(degrees_of_freedom):
        return factor
    return float(-stdtrit(max(degrees_of_freedom, 1.0), float(ndtr(-factor))))
