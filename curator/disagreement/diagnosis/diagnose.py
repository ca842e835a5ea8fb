"""Diagnose the cause of a disagreement from the answer patterns, and advise what to do.

The votes on a case become an `AnswerPattern`, which holds numbers only. `diagnose` pools the patterns of one case, or of a
group of cases, and names the cause that the evidence speaks for. A diagnosis is certain only where the interval over the
cases supports it, so that one case alone never is.
"""

from __future__ import annotations

from collections.abc import Sequence

from curator.disagreement.diagnosis.advice import ADVICE
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern
from curator.disagreement.diagnosis.causes import Finding, find_cause
from curator.disagreement.diagnosis.evidence import Evidence, pool_evidence
from curator.disagreement.diagnosis.limits import LIMITS, Limits
from curator.records import Diagnosis
from curator.stats import rounded

LEAST_GROUP = 3
"""A group of fewer cases gets no diagnosis."""


def diagnose(patterns: Sequence[AnswerPattern], *, least: int = 1, limits: Limits = LIMITS) -> Diagnosis:
    """Diagnose one case, or a group of cases.

    The result is `not-enough-data` if fewer than `least` cases have two answers.
    """
    evidence = pool_evidence(patterns)
    finding = _too_few(evidence, least) or find_cause(evidence, limits)
    split = evidence.split
    return Diagnosis(
        name=finding.name,
        advice=finding.advice,
        evidence=finding.evidence,
        cases=evidence.cases,
        answers=evidence.answers,
        between_models=None if split is None else rounded(split.models),
        between_variants=None if split is None else rounded(split.variants),
        within=None if split is None else rounded(split.within),
        certain=finding.certain,
    )


def _too_few(e: Evidence, least: int) -> Finding | None:
    if e.scored >= max(least, 1):
        return None
    if least == 1:
        evidence = f"Not enough answers: {e.answers} of the 2 that are needed."
    else:
        evidence = f"Not enough cases with two answers: {e.scored} of the {least} that are needed."
    return Finding("not-enough-data", evidence, ADVICE["not-enough-data"], certain=True)
