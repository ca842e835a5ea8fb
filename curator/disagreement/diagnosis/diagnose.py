"""Diagnose the cause of a disagreement from the answer patterns, and advise what to do.

The votes on a case become an `AnswerPattern`, which holds numbers only. `diagnose` pools the patterns of one case, or of a
group of cases, and names the cause that the evidence speaks for. A diagnosis is certain only where the interval over the
cases supports it, so that one case alone never is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from curator.disagreement.contrasts.case_contrasts import ContrastInput
from curator.disagreement.diagnosis.advice import ADVICE
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern
from curator.disagreement.diagnosis.causes import Finding, find_cause
from curator.disagreement.diagnosis.evidence import Evidence, pool_evidence
from curator.disagreement.diagnosis.limits import LIMITS, Limits
from curator.disagreement.diagnosis.part_answers import common_part, part_pattern
from curator.disagreement.diagnosis.wording import compared_part
from curator.records import Contrast, Diagnosis
from curator.stats import rounded

LEAST_GROUP = 3
"""A group of fewer cases gets no diagnosis."""


def diagnose(
    patterns: Sequence[AnswerPattern], *, least: int = 1, part: str | None = None, limits: Limits = LIMITS
) -> Diagnosis:
    """Diagnose one case, or a group of cases.

    Args:
        patterns: of the cases, in any order.
        least: `not-enough-data` is the result if fewer cases have two answers.
        part: the part of the answers that the patterns compare (`part_pattern`), for the evidence; None for all parts.
        limits: the limits between the diagnoses.
    """
    evidence = pool_evidence(patterns, part)
    finding = _too_few(evidence, least) or find_cause(evidence, limits)
    split = evidence.split
    return Diagnosis(
        name=finding.name,
        advice=finding.advice,
        evidence=compared_part(evidence) + finding.evidence,
        cases=evidence.cases,
        answers=evidence.answers,
        between_models=None if split is None else rounded(split.models),
        between_variants=None if split is None else rounded(split.variants),
        within=None if split is None else rounded(split.within),
        certain=finding.certain,
    )


def diagnose_category(
    cases: Sequence[ContrastInput], patterns: Sequence[AnswerPattern], contrasts: Collection[Contrast]
) -> Diagnosis:
    """Diagnose a category by the part of the answers in which most of its cases differ.

    Without such a part, and where the values of the part show nothing, the answers are compared by all their parts.

    Args:
        cases: the cases.
        patterns: their patterns by all parts.
        contrasts: those that put the cases into the category.
    """
    part = common_part(contrasts)
    if part is not None:
        by_part = diagnose([part_pattern(case, part) for case in cases], least=LEAST_GROUP, part=part)
        if by_part.name not in ("stable", "not-enough-data"):
            return by_part
    return diagnose(patterns, least=LEAST_GROUP)


def _too_few(e: Evidence, least: int) -> Finding | None:
    if e.scored >= max(least, 1):
        return None
    if least == 1:
        evidence = f"Not enough answers: {e.answers} of the 2 that are needed."
    else:
        evidence = f"Not enough cases with two answers: {e.scored} of the {least} that are needed."
    return Finding("not-enough-data", evidence, ADVICE["not-enough-data"], certain=True)
