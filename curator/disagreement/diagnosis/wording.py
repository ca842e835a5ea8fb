"""The evidence of a diagnosis in words: figures with their intervals and numbers of cases."""

from __future__ import annotations

from collections.abc import Sequence

from curator.disagreement.diagnosis.evidence import (
    Evidence,
    Explained,
    LabelEvidence,
    Odd,
    Temperatures,
    ToolEvidence,
)
from curator.disagreement.diagnosis.shares import Share
from curator.disagreement.diagnosis.sides import Best, Side
from curator.text.display import one_line

NAME_LIMIT = 60
"""Characters of a name of a variant, model or tool."""
_SHOWN_SIDES = 3
_SHOWN_NAMES = 3


def cases(number: float) -> str:
    """Return a number of cases."""
    return f"{number:,.0f} case" + ("" if round(number) == 1 else "s")


def interval(share: Share) -> str:
    """Return a share with its 95% interval."""
    return f"{share.value:.0%} (95% interval {share.low:.0%} to {share.high:.0%})"


def compared_part(e: Evidence) -> str:
    """Return the sentence on the part of the answers that is compared; "" for all parts."""
    if e.part is None:
        return ""
    aspect, _, subject = e.part.partition(":")
    if aspect == "content":
        return f"Compared by the {name(subject)} that the texts give. "
    return f"Compared by {aspect}{f' {name(subject)}' if subject else ''}. "


def spread(e: Evidence) -> str:
    """Return the committee's spread; "" where one part of the answers is compared."""
    split = e.split
    if split is None or e.part is not None:
        return ""
    return (
        f"The committee's spread is {split.total:.2f}: {split.models:.2f} between models + {split.variants:.2f} between"
        f" prompt variants + {split.within:.2f} within one prompt (n={cases(e.scored)}, {e.answers:,} answers)."
    )


def sides(of_sides: Sequence[Side], form: str, e: Evidence) -> str:
    """Return the share of refusals, or of unreadable answers, of the sides that have most."""
    wide = [side for side in of_sides if side.kind in ("production", "committee")]
    narrow = [side for side in of_sides if side.kind not in ("production", "committee")]
    shown = sorted([*wide, *narrow[: _SHOWN_SIDES - len(wide)]], key=lambda side: -side.share.value)
    parts = [f"{interval(side.share)} of {_side(side)}" for side in shown]
    return f"{form[0].upper()}{form[1:]}: {', '.join(parts)} (n={cases(e.cases)}, {e.answers:,} answers)."


def _side(side: Side) -> str:
    if side.kind == "production":
        return "production's answers"
    return "the committee's answers" if side.kind == "committee" else f"the answers of {side.kind} {name(side.name)}"


def name(text: str) -> str:
    """Return a name of the logs or the config on one line."""
    return one_line(text, NAME_LIMIT) or "(unnamed)"


def differ(e: Evidence, value: float) -> str:
    """Return the mean difference of pairs of answers: a share of pairs, or a distance of texts."""
    return f"by {value:.2f}" if e.by_words else f"in {value:.0%} of pairs"


def united(e: Evidence) -> str:
    """Return how far two answers of the committee differ."""
    return f"Two answers of the committee differ {differ(e, e.prompts.value)}." if e.prompts else ""


def contradiction(e: Evidence) -> str:
    """Return how far the committee contradicts production."""
    if e.against is None:
        return ""
    if e.by_words:
        return f"The committee's answers differ from production's by {e.against.value:.2f} (n={cases(e.against.n)})."
    return f"{interval(e.against)} of the committee's answers contradict production's (n={cases(e.against.n)})."


def against(e: Evidence) -> str:
    """Return the evidence against production."""
    return _joined(contradiction(e), united(e), _labels(e))


def wrong_tool(e: Evidence, tools: ToolEvidence) -> str:
    """Return the evidence for a wrong tool, with both tools."""
    called = (
        f"Production calls {name(tools.production)} where the committee calls {name(tools.committee)} on"
        f" {tools.pair_cases:,} of the {cases(tools.differing)} in which the tools differ (n={cases(tools.cases)})."
    )
    return _joined(called, contradiction(e), united(e), _labels(e))


def labelled_wrong(e: Evidence) -> str:
    """Return the evidence for a shared mistake."""
    return _joined(united(e), _labels(e), contradiction(e))


def _labels(e: Evidence) -> str:
    labels = e.labels
    parts = []
    if labels.wrong is not None:
        wrong = labels.wrong.value * labels.compared
        parts.append(f"the committee's majority is not the label on {wrong:.0f} of {cases(labels.compared)}")
    if labels.failed is not None:
        parts.append(f"production fails on {labels.failing:.3g} of {cases(labels.judged)}")
    return f"By labels, {' and '.join(parts)}." if parts else ""


def between(labels: LabelEvidence) -> str:
    """Return the evidence that people do not agree on production's answers."""
    return (
        f"On {labels.between:,} of {cases(labels.judged)} with a verdict, people judge production's answer as neither right nor"
        " wrong."
    )


def explained(e: Evidence, part: Explained, noun: str) -> str:
    """Return the evidence that variant or model explains the spread."""
    return _joined(
        f"Answers of two {noun}s differ {differ(e, part.between)}, two answers of one {noun} {differ(e, part.within)}: beyond"
        f" chance, the {noun} explains {interval(part.share)} of the differences (n={cases(part.cases)}).",
        _best(e, noun),
        spread(e),
    )


def odd(e: Evidence, side: Odd, noun: str) -> str:
    """Return the evidence that one variant or model is the odd one."""
    return _joined(
        f"The {noun} {name(side.name)} is farthest from the others in {interval(side.share)} of {cases(side.share.n)} that"
        " differ.",
        _best(e, noun),
        spread(e),
    )


def _best(e: Evidence, noun: str) -> str:
    """Name the variant or model that agrees most with the labels, else with the majority."""
    best: Best | None = e.best_model if noun == "model" else e.best_variant
    if best is None:
        return f"No {noun} agrees more with the majority than the others."
    production = (
        f" Production agrees most with {name(best.like_production)} ({best.production:.0%})."
        if best.like_production is not None
        else ""
    )
    names = ", ".join(map(name, best.names[:_SHOWN_NAMES]))
    agree = f"{noun} that agrees most" if len(best.names) == 1 else f"{noun}s that agree most"
    be = "is" if len(best.names) == 1 else "are"
    return (
        f"The {agree} with {best.reference} {be} {names}: {best.value:.0%}, the others {best.others:.0%}"
        f" (n={cases(best.cases)}).{production}"
    )


def falls(e: Evidence, at: Temperatures) -> str:
    """Return the evidence of two temperatures."""
    return _joined(
        f"Two answers differ {differ(e, at.warmest)} at the highest temperature and {differ(e, at.coldest)} at the lowest, which"
        f" removes {interval(at.fall)} of the differences (n={cases(at.cases)}).",
        contradiction(e),
        _labels(e),
        spread(e),
    )


def prompts_asked_once(e: Evidence) -> str:
    """Return the reason why chance and prompt cannot be told apart."""
    return _joined(
        "The prompt or chance may cause the differences: prompts were asked once each, or repeats are too few to show which.",
        contradiction(e),
        _labels(e),
        spread(e),
    )


def one_temperature(e: Evidence) -> str:
    """Return the reason why sampling noise and an unclear input cannot be told apart."""
    return _joined(
        "The same prompt gives different answers. Sampling noise and an unclear input look the same here: no two prompts were"
        " asked at a low temperature beside a higher one."
        if e.low
        else "The same prompt gives different answers. Sampling noise and an unclear input look the same at one temperature.",
        contradiction(e),
        _labels(e),
        spread(e),
    )


def by_words(e: Evidence) -> str:
    """Return the reason why texts that were compared by their words say nothing."""
    return _joined("Texts were compared by their words, and other words may say the same.", contradiction(e), spread(e))


def failing(e: Evidence) -> str:
    """Return the reason why answers that agree are not called stable."""
    return _joined("The answers agree, but some fail by labels.", _labels(e), contradiction(e))


def little_differs(e: Evidence) -> str:
    """Return the reason why a few differences have no cause."""
    return _joined("The answers differ too little to find a cause.", contradiction(e), _labels(e), spread(e))


def some_unread(e: Evidence) -> str:
    """Return the reason why a few refusals or unreadable answers have no cause."""
    return _joined(sides(e.refusals, "refusals", e), sides(e.unreadable, "answers that cannot be read as the kind", e))


def no_signal(e: Evidence) -> str:
    """Return the reason why repeats at temperature 0 say nothing."""
    return _joined("Repeats of one prompt at temperature 0 agree in any case, which is not evidence.", contradiction(e))


def stable(e: Evidence) -> str:
    """Return the evidence that nothing differs."""
    production = contradiction(e) or f"Production's answers are not known (n={cases(e.cases)})."
    return _joined(united(e), production, _labels(e))


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
