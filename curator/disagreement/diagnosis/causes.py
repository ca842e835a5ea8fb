"""The rules that find the cause of a group's differences in its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from curator.disagreement.diagnosis import wording
from curator.disagreement.diagnosis.advice import (
    ADVICE,
    DECIDED_BY,
    LABELLED_AGAINST_PRODUCTION,
    NO_LABELS_FOR_MODELS,
    PRODUCTION_IS_RIGHT,
    REFUSING,
    UNREADABLE,
    MissingEvidence,
    RefusalSide,
)
from curator.disagreement.diagnosis.evidence import Evidence, Explained
from curator.disagreement.diagnosis.limits import LEAST_LABELS, Limits
from curator.disagreement.diagnosis.sides import Side
from curator.records import DiagnosisName


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its evidence in words, and advice that follows from it."""

    name: DiagnosisName
    evidence: str
    advice: str
    certain: bool = False


def find_cause(evidence: Evidence, limits: Limits) -> Finding:
    """Return the cause that the evidence speaks for, `stable`, or `cannot-tell`."""
    return next(finding for check in _CHECKS if (finding := check(evidence, limits)))


def _refusing(e: Evidence, limits: Limits) -> Finding | None:
    return _of_side(e, e.refusals, limits, "refusing", REFUSING)


def _format_broken(e: Evidence, limits: Limits) -> Finding | None:
    return _of_side(e, e.unreadable, limits, "format-broken", UNREADABLE)


def _of_side(
    e: Evidence, sides: tuple[Side, ...], limits: Limits, name: DiagnosisName, advice: Mapping[RefusalSide, str]
) -> Finding | None:
    """Find refusals or unreadable answers that weigh more than all other differences."""
    largest = sides[0] if sides else None
    spread = e.spread.value * e.compared / e.cases if e.spread else 0.0
    content = max(spread, e.excess)
    if largest is None or largest.share.value < max(limits.side, content):
        return None
    return Finding(
        name,
        wording.sides(sides, "refusals" if name == "refusing" else "answers that cannot be read as the kind", e),
        advice[_affected(sides, limits)],
        certain=e.cases > 1 and largest.share.low >= limits.sure * limits.side,
    )


def _affected(sides: tuple[Side, ...], limits: Limits) -> RefusalSide:
    """Return the side that is affected: the narrowest that stands out from the others."""
    shares = {side.kind: side.share for side in reversed(sides)}  # of each kind the largest
    production, committee = shares.get("production"), shares["committee"]
    narrow = max((s for s in sides if s.kind in ("variant", "model")), key=lambda s: s.share.value, default=None)
    if production and production.value >= limits.side:
        return "both" if committee.value >= limits.side else "production"
    if narrow and narrow.share.value >= 1.5 * committee.value:
        return "variant" if narrow.kind == "variant" else "model"
    return "both" if production is None else "committee"


def _disputed(e: Evidence, limits: Limits) -> Finding | None:
    """Find people who do not agree on production's answers."""
    labels = e.labels
    if labels.between < LEAST_LABELS or labels.between < limits.explained * labels.judged:
        return None
    return Finding("ambiguous", wording.between(labels), ADVICE["ambiguous"])


def _against(e: Evidence, limits: Limits) -> Finding | None:
    """Find production against a committee that agrees."""
    if e.against is None or e.prompts is None or e.excess < limits.excess:
        return None
    united = e.prompts.value < limits.united
    if not united and not e.by_words and e.excess < 2 * e.prompts.value:
        return None  # production may be one more draw of what the members scatter over
    wrong = e.labels.wrong if e.labels.compared >= LEAST_LABELS else None
    if wrong is not None and wrong.value >= limits.labelled_wrong:
        return None  # the labels do not support the committee
    certain = united and e.signal and not e.by_words and e.excess_low >= limits.sure * limits.excess
    tools = e.tools
    if tools is not None and tools.excess >= limits.explained * e.excess:
        return Finding("wrong-tool", wording.wrong_tool(e, tools), ADVICE["wrong-tool"], certain=certain)
    advice = LABELLED_AGAINST_PRODUCTION if wrong is not None else ADVICE["against-production"]
    return Finding("against-production", wording.against(e), advice, certain=certain)


def _labelled_wrong(e: Evidence, limits: Limits) -> Finding | None:
    """Find a committee that agrees on an answer that labels contradict."""
    labels, needed = e.labels, min(LEAST_LABELS, e.cases)
    if e.prompts is None or e.prompts.value >= limits.united:
        return None
    wrong = labels.wrong if labels.compared >= needed else None
    if (
        wrong is None
        and labels.judged >= needed
        and e.against is not None
        and e.excess < limits.excess
        and not e.by_words
    ):
        wrong = labels.failed  # the committee gives production's answers, which were judged
    if wrong is None or wrong.value < limits.labelled_wrong or wrong.value * wrong.n < needed - 1:
        return None
    right = labels.failed is not None and labels.judged >= needed and labels.failed.value < limits.labelled_wrong / 2
    return Finding(
        "consistently-wrong",
        wording.labelled_wrong(e),
        PRODUCTION_IS_RIGHT if right else ADVICE["consistently-wrong"],
        certain=e.signal and wrong.n >= LEAST_LABELS and wrong.low >= limits.sure * limits.labelled_wrong,
    )


def _spread(e: Evidence, limits: Limits) -> Finding | None:
    """Find the cause of a spread: the variant, the model, sampling noise or an unclear input."""
    if e.spread is None or e.spread.value < limits.differ:
        return None
    return _systematic(e, limits) or _odd_side(e, limits) or (None if e.by_words else _noise(e, limits))


def _systematic(e: Evidence, limits: Limits) -> Finding | None:
    """Find a variant or a model that explains the differences beyond those of repeats."""
    needed = limits.explained_by_words if e.by_words else limits.explained
    parts = [part for part in (e.model, e.variant) if part is not None and part.share.value >= needed]
    if not parts:
        return None
    largest = max(parts, key=lambda part: part.gain)
    certain = not e.by_words and largest.share.low >= limits.sure_explained
    if largest is e.model:
        return _split_by_model(e, wording.explained(e, largest, "model"), certain=certain)
    return Finding(
        "prompt-sensitive", wording.explained(e, largest, "variant"), ADVICE["prompt-sensitive"], certain=certain
    )


def _split_by_model(e: Evidence, evidence: str, *, certain: bool) -> Finding:
    labelled = e.labels.compared >= LEAST_LABELS
    advice = ADVICE["split-by-model"] if labelled else NO_LABELS_FOR_MODELS
    return Finding("split-by-model", evidence, advice, certain=certain)


def _odd_side(e: Evidence, limits: Limits) -> Finding | None:
    """Find a variant or model that is the odd one on most cases, where there are no repeats."""
    for odd, part, name in ((e.odd_model, e.model, "model"), (e.odd_variant, e.variant, "variant")):
        if odd is None or part is not None or odd.share.value < limits.explained or odd.share.n < LEAST_LABELS:
            continue
        certain = not e.by_words and odd.share.low >= limits.sure_explained
        evidence = wording.odd(e, odd, name)
        if name == "model":
            return _split_by_model(e, evidence, certain=certain)
        return Finding("prompt-sensitive", evidence, ADVICE["prompt-sensitive"], certain=certain)
    return None


def _noise(e: Evidence, limits: Limits) -> Finding:
    """Tell sampling noise from an unclear input by the spread at a low temperature."""
    at = e.temperatures
    if _open(e.variant, limits) or _open(e.model, limits) or not _asked_again(e):
        return cannot_tell(wording.prompts_asked_once(e), "repeats")
    if at is None:
        missing: MissingEvidence = "second prompt" if e.low else "cold"
        return cannot_tell(wording.one_temperature(e), missing)
    if at.fall.value >= limits.explained:
        certain = at.fall.low >= limits.sure_explained
        return Finding("sampling-unstable", wording.falls(e, at), ADVICE["sampling-unstable"], certain=certain)
    if not e.low:
        return cannot_tell(wording.falls(e, at), "cold")
    if e.excess >= limits.excess:
        return cannot_tell(wording.falls(e, at), "labels")  # an unclear input, or a fault of production
    certain = at.fall.high < limits.sure_explained
    return Finding("ambiguous", wording.falls(e, at), ADVICE["ambiguous"], certain=certain)


def _open(part: Explained | None, limits: Limits) -> bool:
    """Return whether the part may well explain the differences, though it is not shown to."""
    return part is not None and part.share.low >= limits.explained / 2


def _asked_again(e: Evidence) -> bool:
    return e.variant is not None or e.model is not None or e.repeated


def _quiet(e: Evidence, limits: Limits) -> Finding:
    """Return `stable` where nothing differs, is contradicted or fails, else `cannot-tell`."""
    reason = _doubt(e, limits)
    if reason is not None:
        return cannot_tell(*reason)
    shares = [share for share in (e.spread, e.against) if share is not None]
    certain = e.against is not None and not e.by_words and all(share.high <= limits.united for share in shares)
    return Finding("stable", wording.stable(e), ADVICE["stable"], certain=certain)


def _doubt(e: Evidence, limits: Limits) -> tuple[str, MissingEvidence] | None:
    """Return the reason why a group is not called stable, with the missing evidence."""
    contradicted = e.against is not None and e.against.value >= limits.differ
    differing = e.spread is not None and e.spread.value >= limits.differ
    if e.by_words and (contradicted or differing):
        return wording.by_words(e), "judge"
    if e.labels.failing >= 0.5:
        return wording.failing(e), "labels"
    if contradicted or differing:
        return wording.little_differs(e), "labels" if contradicted else "cases"
    if any(sides and sides[0].share.value >= limits.differ for sides in (e.refusals, e.unreadable)):
        return wording.some_unread(e), "cases"
    return None if e.signal else (wording.no_signal(e), "second prompt")


def cannot_tell(reason: str, missing: MissingEvidence) -> Finding:
    """Return the finding that the cause cannot be told, with the step that would decide it."""
    return Finding("cannot-tell", reason, DECIDED_BY[missing], certain=True)


_CHECKS: tuple[Callable[[Evidence, Limits], Finding | None], ...] = (
    _refusing,
    _format_broken,
    _disputed,
    _against,
    _labelled_wrong,
    _spread,
    _quiet,
)
