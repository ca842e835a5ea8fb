"""The explanation of each number of the report, for its last section."""

from __future__ import annotations

from curator.report.format import count
from curator.report.summary import CalibrationSummary, Summary
from curator.stats import MIN_FOR_CORRELATION, MIN_FOR_MEAN

POOLED = (
    "The failure rate of all cases of a category, from the labels of drawn cases, shrunk to the mean of all categories: the more"
    " so the fewer labels it has, from 3 on. It uses the draw, where `failure rate` is that of the labelled cases only. A case"
    " counts in the category that people put it in."
)


def reading(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Return each term of the report with its meaning."""
    return (
        ("disagreement", _disagreement(summary)),
        *([("fitted score", fitted_sentence(summary.calibration))] if summary.calibration else []),
        (
            "between prompts",
            "The part of the members' spread that depends on the prompt variant or the model: sensitivity to wording.",
        ),
        ("within one prompt", _within(summary)),
        (
            "diagnosis",
            (
                "The cause that the measured evidence speaks for: refusals and unreadable answers of each side, contradiction of"
                " production beyond what the members do to each other, labels, and the shares of the spread that the prompt"
                " variant, the model and the temperature explain beyond chance. `Possibly` marks a cause whose interval over the"
                " cases does not prove it. `Cannot tell` means that the evidence fits several causes; its advice names the step"
                " that would decide. `Stable` is never said where production is contradicted or fails by a label."
            ),
        ),
        (
            "agreement and kappa",
            (
                "Agreement is the share of cases on which a member's answers mean the same as most answers of the other"
                " members. Kappa is the agreement corrected for chance: a member that always gives the same answer gets 0."
            ),
        ),
        (
            "weight",
            "How much a member's answers count: 1, or less if its health is poor. The reason is given beside it.",
        ),
        (
            "contradicts production",
            (
                "The share of answers that differ in meaning from production's answer; of a category, in what the category is"
                " about. It can be high without any spread."
            ),
        ),
        (
            "expected failures",
            (
                "Log records of a category x the failure rate of its labelled cases, drawn towards the share that contradicts"
                " production while the labels are few. It orders the categories. How often production fails is estimated from"
                " the random slice only."
            ),
        ),
        *([("pooled rate", POOLED)] if any(c.labels.pooled for c in summary.categories) else []),
        (
            "share of traffic",
            "The share of the log records behind the asked cases. A part of a category is counted in the category, too.",
        ),
        (
            "n",
            (
                f"The number of cases behind a figure. A mean of fewer than {MIN_FOR_MEAN} cases and a correlation of fewer"
                f" than {MIN_FOR_CORRELATION} are not shown."
            ),
        ),
    )


def _disagreement(summary: Summary) -> str:
    scorers = ", ".join(summary.disagreement.scorers) or "none"
    ranked, posterior = ", what cases are ranked by", ""
    if summary.adaptive:
        ranked = ""
        posterior = (
            " Cases have different numbers of answers here. They are therefore ranked by the posterior mean of the share of"
            " answers that differ, which trusts few answers less than many."
        )
    return (
        f"0 to 1{ranked}. If production's answer is in the logs, it is the smoothed share of answers that differ from it: few"
        " answers prove little, so the share is moved towards the committee's spread, which is how far the answers"
        " differ from each other. So it can be below 1 although all answers differ from production's. Without production's answer"
        f" it is the committee's spread. Scorer: {scorers}.{posterior}"
    )


def _within(summary: Summary) -> str:
    once = " A case whose prompts were asked once each shows none: all of its spread counts as between prompts."
    return (
        "The part of the spread that remains when the same prompt is asked again: sampling noise."
        f"{once if summary.adaptive else ''}"
    )


def fitted_sentence(calibration: CalibrationSummary) -> str:
    """Return the meaning and the gain of a score fitted to labels, or why it is not used."""
    fit = calibration.fit
    if fit is None:
        return "The calibration had too few labels for a fit. Cases are ranked by the default score."
    measured = (
        f"AUROC {fit.fitted_auroc:.3f} against {fit.default_auroc:.3f} of the default score, a gain of {fit.gain:+.3f}"
        f" (95% interval {fit.low:+.3f} to {fit.high:+.3f}; cross-fitted on n={count(fit.cases)} labelled cases, of which"
        f" {count(fit.failures)} fail)"
    )
    if not calibration.used:
        return f"The calibration showed no gain. Cases are ranked by the default score: {measured}."
    return (
        "In this report, disagreement is a fitted probability that the answer fails, learned from labels of these"
        f" logs: {measured}. It is not 0 where all answers are the same."
    )
