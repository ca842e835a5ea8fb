"""The numbers and sentences that the HTML and the Markdown page have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curator.records import BlindShare, DiagnosisName, FailureRate, NoiseFloor, Rate
from curator.report.summary import (
    AdaptiveSummary,
    CalibrationSummary,
    FieldSummary,
    Leak,
    LengthBaseline,
    SelectionSummary,
    Summary,
)
from curator.stats import MIN_FOR_CORRELATION, MIN_FOR_MEAN, Figure, share
from curator.text.display import money, plural

NO_DATA = "not enough data"
MOST_NAMES = 6
_NEAR_FLOOR = 0.05  # a spread that is no further above its noise floor says little


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel: how many are left, and what was lost on the way to it, by reason."""

    label: str
    count: int
    lost: tuple[tuple[str, int], ...] = ()


def count(number: int) -> str:
    """1234 as 1,234."""
    return f"{number:,}"


def names(of: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = len(of) - MOST_NAMES
    return ", ".join(of[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def percent(value: float) -> str:
    """0.123 as 12%, small ones with a digit more; what is there never shows as 0%."""
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def score(value: float | None) -> str:
    """A value up to 1 with two digits."""
    return "-" if value is None else f"{value:z.2f}"


def with_n(figure: Figure) -> str:
    """A figure with the number of values behind it."""
    return f"{NO_DATA if figure.value is None else score(figure.value)} (n={count(figure.n)})"


def rate_with_n(figure: Figure) -> str:
    """A share with the number of values behind it."""
    return f"{NO_DATA if figure.value is None else percent(figure.value)} (n={count(figure.n)})"


def funnel(summary: Summary) -> tuple[Step, ...]:
    """The way from log records to selected cases; each step's count is the one before less what was lost."""
    c = summary.counts
    merged = (("exact duplicates", c.merged_exact), ("near-duplicates", c.merged_near))
    steps = (
        Step("log records read", c.read),
        Step("unique cases kept", c.kept, (("set aside as unreadable", c.set_aside), *merged)),
        Step("asked of the committee", c.asked, (("not asked (logs.sample)", c.kept - c.asked),)),
        Step("scored", c.scored, (("without two answers to compare", c.asked - c.scored),)),
        Step("selected for the labelling budget", c.selected, (("left in the pool", max(0, c.scored - c.selected)),)),
    )
    return tuple(Step(s.label, s.count, tuple(item for item in s.lost if item[1])) for s in steps)


def sample(selection: SelectionSummary) -> str:
    """How the random slice was drawn."""
    low, high = selection.probabilities or (0.0, 0.0)
    chance = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    return (
        f"in {plural(selection.strata, 'stratum', 'strata')} of predicted failure, each case with probability {chance}"
    )


def leak(found: Leak) -> str:
    """A case that was kept out of training, and the evidence."""
    shared = f"; both have {', '.join(found.shared)}" if found.shared else ""
    return f"{found.kind}, {found.similarity:.2f}{shared}"


def failure_rate(summary: Summary) -> tuple[str, ...]:
    """How often production fails, as far as the labels tell."""
    found, drawn, counts = summary.failure_rate, summary.selection.by_slice.get("random", 0), summary.counts
    if found is None:
        told = (
            f"No label has come back yet. Fill in the label queue and run again: the {plural(drawn, 'case')} of the random"
            " slice tell how often production fails, with an interval."
        )
        return (told,)
    if found.rate is None or found.low is None or found.high is None:
        return (f"{NO_DATA}: {found.reason}.",)
    worth = f" They are worth {found.worth:,.0f} labels of a plain random sample." if found.worth is not None else ""
    missing = (
        f" {plural(found.missing, 'selected case')} {'has' if found.missing == 1 else 'have'} no label yet and are taken to"
        " fail like the others of their stratum."
        if found.missing
        else ""
    )
    subset = f" behind the {plural(counts.asked, 'case')} that were asked" if counts.asked < counts.kept else ""
    told = (
        f"{percent(found.rate)} of the log records{subset} ({found.confidence:.0%} interval {percent(found.low)} to"
        f" {percent(found.high)}), from {plural(found.labels, 'label')}.{worth}{missing}"
    )
    return told, _silent(found)


def coverage(summary: Summary) -> tuple[str, ...]:
    """What the picks stand for, and where none of them is."""
    found = summary.coverage
    if found is None:
        return ()
    near = (
        f"{percent(found.represented)} of the {plural(found.embedded, 'embedded case')} are as near to a discovery pick as"
        " cases usually are to their neighbours."
    )
    lines = [near]
    if found.unseen:
        where = "; ".join(f"{plural(r.cases, 'case')} {r.name} ({r.example})" for r in found.unseen)
        lines.append(
            f"No pick is in {count(found.unseen_regions)} of {plural(found.regions, 'region')} of these cases. The largest:"
            f" {where}."
        )
    if found.outliers:
        lines.append(
            f"Out of the ordinary: {plural(found.outliers.cases, 'case')} far from all others"
            f" ({found.outliers.evidence}), {count(found.outliers.picks)} of them picked. The farthest:"
            f" {found.outliers.example}"
        )
    return tuple(lines)


def _silent(found: FailureRate) -> str:
    """What is expected of the failures that no disagreement points at."""
    part, records = found.silent, plural(found.silent_records, "record")
    if part.value is None or part.low is None or part.high is None:
        return (
            f"Silent failures, where the committee agrees with production ({records}): {NO_DATA} ({plural(part.n, 'label')}"
            " there)."
        )
    low, high = part.low * found.silent_records, part.high * found.silent_records
    return (
        f"Silent failures, where the committee agrees with production ({records}): about"
        f" {part.value * found.silent_records:,.0f} are to be expected ({low:,.0f} to {high:,.0f}), and only the random slice"
        " finds them."
    )


def blind_spots(summary: Summary) -> tuple[str, ...]:
    """What disagreement cannot see, with this run's own numbers."""
    spread, counts, selection = summary.disagreement, summary.counts, summary.selection
    unanimous = percent(share(spread.unanimous, counts.scored))
    fewer = ", each by the answers that it got, be they few or many" if summary.adaptive else ""
    drawn = selection.by_slice.get("random", 0)
    looks = (
        f"Only the random slice looks there: {count(drawn)} of {plural(selection.total, 'selected case')} came by it."
        " Label these too, even where they look easy: without them no failure rate can be estimated."
        if drawn
        else "Only a random slice would look there, and this selection has none: raise `selection.random_share`."
    )
    return (
        (
            "A committee that makes the same mistake every time looks unanimous. Here it was unanimous on "
            f"{count(spread.unanimous)} of {plural(counts.scored, 'scored case')} ({unanimous}){fewer}; what is wrong among"
            " them, where production says the same, has a score near 0 and makes no category."
        ),
        looks,
        known_failures(summary.blind),
        noise_sentence(summary.noise),
        "The score says where a label teaches most. It is not the probability that production's answer is wrong.",
    )


def known_failures(blind: BlindShare) -> str:
    """The share of the known failures that disagreement could not have seen."""
    n = count(blind.unseen.n)
    left_out = (
        f" {plural(blind.left_out, 'failure')} that only came to light because the committee disagreed"
        f" {'is' if blind.left_out == 1 else 'are'} not counted."
        if blind.left_out
        else ""
    )
    if blind.unseen.value is None:
        return (
            f"Known failures of production that disagreement could not have seen: {NO_DATA} (n={n}; labels of the random"
            f" slice, corrections and thumbs down tell of them, and it takes 10).{left_out}"
        )
    sources = ", ".join(f"{count(number)} by {_known_by(source)}" for source, number in blind.by_source.items())
    told = (
        f"Of the {n} known failures of production ({sources}), {interval(blind.unseen)} have a score of at most"
        f" {blind.threshold:g}"
    )
    if blind.unseen.value == 0:
        return f"{told}: there was some disagreement on each of them.{left_out}"
    return f"{told}: disagreement could not have seen them.{left_out}"


def says_nothing(noise: NoiseFloor) -> bool:
    """Whether all answers are repeats of one prompt at temperature 0, so that their agreement says nothing."""
    return noise.deterministic and noise.one_prompt


def unanimous_at_0(noise: NoiseFloor) -> str:
    """What stands behind the share of unanimous cases where it says nothing."""
    return ": repeats at temperature 0, no certainty" if says_nothing(noise) else ""


def noise_sentence(noise: NoiseFloor) -> str:
    """What repeats at temperature 0 say, and what they do not."""
    if says_nothing(noise):
        floor = (
            ""
            if noise.floor is None
            else f" Two of them differ by {noise.floor:.3f} on average, and not all are the same on"
            f" {interval(noise.differing)} of {plural(noise.differing.n, 'case')}: that is the noise floor, and what"
            " they differ by among themselves says no more."
        )
        return (
            "All answers were given by one prompt at temperature 0. Such repeats carry no signal, so that their agreement is"
            f" no certainty: ask at a higher temperature, or with more prompt variants.{floor}"
        )
    if noise.floor is None or noise.spread is None:
        return (
            f"The noise floor, which is how far repeats of one prompt at temperature 0 differ: {NO_DATA}"
            f" (n={count(noise.differing.n)} cases with such repeats, it takes 10)."
        )
    near = (
        "is near that floor, and says little" if noise.spread - noise.floor < _NEAR_FLOOR else "stands above that floor"
    )
    return (
        f"Repeats of one prompt at temperature 0 were not all the same on {interval(noise.differing)} of"
        f" {plural(noise.differing.n, 'case')}; two of them differ by {noise.floor:.2f} on average, which is the noise floor."
        f" That they agree is no certainty. What two answers of the whole committee differ by there, {noise.spread:.2f},"
        f" {near}."
    )


def interval(rate: Rate) -> str:
    """A share with its 95% interval."""
    if rate.value is None or rate.low is None or rate.high is None:
        return NO_DATA
    return f"{percent(rate.value)} (95% interval {percent(rate.low)} to {percent(rate.high)})"


def rate_cell(rate: Rate) -> str:
    """A share in a table: with its interval, as its column says."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "-"
    return f"{percent(rate.value)} ({percent(rate.low)}-{percent(rate.high)})"


def rate_with_cases(rate: Rate) -> str:
    """A share in a table with its interval and the cases behind it, for columns whose cases differ."""
    return f"{NO_DATA if rate.value is None else rate_cell(rate)}, n={count(rate.n)}" if rate.n else "-"


def diagnosis_name(name: str, *, certain: bool = True) -> str:
    """The name of a diagnosis as it is shown."""
    return name.replace("-", " ") if certain else f"possibly {name.replace('-', ' ')}"


def diagnosis_mix(diagnoses: Mapping[DiagnosisName, int]) -> str:
    """How many cases have which diagnosis, in one line."""
    return ", ".join(f"{count(number)} {diagnosis_name(name)}" for name, number in diagnoses.items())


def fields_sentence(fields: Sequence[FieldSummary]) -> str:
    """Where structured answers differ, the most differing field first."""
    if not fields:
        return ""
    named = ", ".join(f"{f.path} {score(f.disagreement.value)}" for f in fields)
    return f"Fields that differ most (share of answer pairs, n={count(fields[0].disagreement.n)}): {named}."


def unwell(summary: Summary) -> tuple[tuple[str, str], ...]:
    """The members that do not count in full: who, and what became of them with the reason."""
    return tuple(
        (
            m.id,
            (
                f"left out of every score, category and diagnosis: {m.health.reason}"
                if m.health.weight == 0
                else f"weight {m.health.weight:g}: {m.health.reason}"
            ),
        )
        for m in summary.committee.members
        if m.health is not None and m.health.weight < 1
    )


def _known_by(source: str) -> str:
    return {"label": "a label", "correction": "a correction", "thumb down": "a thumb down"}.get(source, source)


def reading(summary: Summary) -> tuple[tuple[str, str], ...]:
    """How each number is to be read, as pairs of term and meaning."""
    scorers = ", ".join(summary.disagreement.scorers) or "none"
    ranked, posterior, once = ", what cases are ranked by", "", ""
    if summary.adaptive:
        ranked = ""
        posterior = (
            " Cases have different numbers of answers here, so that they are ranked by the posterior mean of the share of"
            " answers that differ, which trusts few answers less than many."
        )
        once = " A case whose prompts were asked once each shows none: all of its spread counts as between prompts."
    return (
        (
            "disagreement",
            (
                f"0 to 1{ranked}. Where production's answer is known it asks how many of the answers differ from it; else"
                f" how far they differ among themselves. Scorer: {scorers}.{posterior}"
            ),
        ),
        *([("fitted score", fitted_sentence(summary.calibration))] if summary.calibration else []),
        (
            "between prompts",
            "The part of the members' own spread that goes with the prompt variant or model: sensitivity to wording.",
        ),
        ("within one prompt", f"The part that is left when the same prompt is asked again: sampling noise.{once}"),
        (
            "diagnosis",
            (
                "What the pattern of the answers suggests, tried in this order: refusals, answers that cannot be read, labels"
                " that differ, a spread that goes with the model or the prompt variant, one that is left when the same prompt"
                " is asked again, an agreement against the label or against production. Possibly: the pattern suggests it,"
                " and cannot show it."
            ),
        ),
        (
            "agreement and kappa",
            (
                "How often a member's answers mean what most of the other members' do, on the cases of both; kappa takes away"
                " what chance would give, so that a constant answer gets 0."
            ),
        ),
        (
            "weight",
            "What a member's answers count for: 1, or less where its health is poor, for the reason given beside it.",
        ),
        (
            "contradicts production",
            "The share of answers that say something else than production did. It needs no spread among them.",
        ),
        (
            "share of traffic",
            (
                "The share of the log records behind the asked cases. Only the most disagreeing cases and the random slice"
                " are clustered, so that it is a lower bound."
            ),
        ),
        (
            "n",
            (
                f"How many cases stand behind a number. A mean of fewer than {MIN_FOR_MEAN}, or a correlation over fewer"
                f" than {MIN_FOR_CORRELATION}, is not shown."
            ),
        ),
    )


def fitted_sentence(found: CalibrationSummary) -> str:
    """What the score is where it was fitted to labels, and what that was worth; else why it was not."""
    fit = found.fit
    if fit is None:
        return "The calibration had too few labels for a fit, so that cases are ranked by the default score."
    measured = (
        f"AUROC {fit.fitted_auroc:.3f} against {fit.default_auroc:.3f} of the default score, a gain of {fit.gain:+.3f}"
        f" (95% interval {fit.low:+.3f} to {fit.high:+.3f}; cross-fitted on n={count(fit.cases)} labelled cases, of which"
        f" {count(fit.failures)} fail)"
    )
    if not found.used:
        return f"The calibration showed no gain, so that cases are ranked by the default score: {measured}."
    return (
        "What is called disagreement here is a fitted probability that the answer fails, learned from labels of these"
        f" logs: {measured}. It is not 0 where all answers are the same."
    )


def length_sentence(baseline: LengthBaseline) -> str:
    """The correlation of disagreement with a length, as a sentence."""
    n = count(baseline.spearman.n)
    if baseline.spearman.value is None or baseline.pearson.value is None:
        return f"With the length of {baseline.of}: {NO_DATA} (n={n})."
    return (
        f"With the length of {baseline.of}: Spearman {baseline.spearman.value:+.2f},"
        f" Pearson {baseline.pearson.value:+.2f} (n={n})."
    )


def cost_sentence(summary: Summary) -> str:
    """What the answers cost, whenever they were paid for."""
    c = summary.committee
    tokens = f"{count(c.input_tokens)} input and {count(c.output_tokens)} output tokens"
    estimated = f" (for {plural(c.estimated_usage, 'answer')} by estimate)" if c.estimated_usage else ""
    return (
        f"{plural(c.generations, 'answer')}, {money(c.cost_usd)}, {tokens}{estimated}."
        f" {plural(c.failed, 'call')} failed for good, {plural(c.cut_off, 'answer')} stopped at the token limit."
        " Answers that an earlier run had stored are counted with what they cost then."
    )


def adaptive_paragraph(adaptive: AdaptiveSummary) -> str:
    """What an adaptive committee saved, and what stopping early cost, as far as the random share can tell."""
    saved = percent(share(adaptive.calls_full - adaptive.calls, adaptive.calls_full))
    calls = (
        f"The committee was adaptive: {count(adaptive.calls)} calls were asked of the {count(adaptive.calls_full)} that the"
        f" whole committee would have taken ({saved} saved)."
    )
    if not adaptive.cases:
        return (
            f"{calls} What stopping early missed: {NO_DATA} (n=0), as no random share of the cases got the whole"
            " committee; raise `committee.adaptive.full_share`."
        )
    return (
        f"{calls} A random share of {plural(adaptive.cases, 'case')} got the whole committee all the same."
        f" {_missed(adaptive)} {_correlation(adaptive)} This tells what stopping early cost, not how many wrong answers"
        " were missed: the early answers are among the whole committee's, which has noise of its own and, asked anew,"
        " would not pick the same top either."
    )


def _missed(adaptive: AdaptiveSummary) -> str:
    if adaptive.missed is None or adaptive.low is None or adaptive.high is None:
        return (
            f"What stopping early ranked out of their top: {NO_DATA} (n={count(adaptive.in_top)} in the top by the whole"
            f" committee, {count(adaptive.least_in_top)} are needed: more cases, or a larger"
            " `committee.adaptive.full_share`)."
        )
    return (
        f"Of those that the whole committee ranks into their top, stopping early ranked out {percent(adaptive.missed)}"
        f" (95% interval {percent(adaptive.low)} to {percent(adaptive.high)}, n={count(adaptive.in_top)})."
    )


def _correlation(adaptive: AdaptiveSummary) -> str:
    if adaptive.rank_correlation is not None:
        return (
            f"Rank correlation of both rankings: Spearman {adaptive.rank_correlation:+.2f} (n={count(adaptive.cases)})."
        )
    n, least = adaptive.cases, adaptive.least_cases
    why = f"n={count(n)}, {count(least)} are needed" if n < least else f"n={count(n)}, all of them stand alike in one"
    return f"Rank correlation of both rankings: {NO_DATA} ({why})."
