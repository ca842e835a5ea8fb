"""The sentences of the report, the same in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curator.records import BlindShare, NoiseFloor
from curator.report.format import NO_DATA, count, interval, percent, score
from curator.report.summary import (
    AdaptiveSummary,
    Counts,
    Leak,
    LengthBaseline,
    SelectionSummary,
    StoppedSummary,
    Summary,
)
from curator.report.summary_cases import CoverageSummary, FieldSummary
from curator.stats import share
from curator.text.display import money, plural

_NEAR_FLOOR = 0.05  # a spread that is above its noise floor by less than this is not evidence of disagreement
_SOURCES = {"label": "a label", "correction": "a correction", "thumb down": "a thumb down"}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel: the number left after it, and the losses before it by reason."""

    label: str
    count: int
    lost: tuple[tuple[str, int], ...] = ()


def funnel(summary: Summary) -> tuple[Step, ...]:
    """Return the stages from log records to selected cases, with the losses of each."""
    c, intake = summary.counts, summary.counts.intake
    others = (("without a case of their own", intake.other_records),)
    begin = Step("log records read", records_read(c))
    turns = f", {intake.earlier_turns:,} of them earlier turns of conversations" if intake.earlier_turns else ""
    logged = (
        (Step(f"logged exchanges{turns}", c.read, others),) if c.read != begin.count or intake.other_records else ()
    )
    merged = (("exact duplicates", c.merged_exact), ("near-duplicates", c.merged_near))
    steps = (
        begin,
        *logged,
        Step("unique cases kept", c.kept, (("set aside as unreadable", c.set_aside), *merged)),
        Step("asked of the committee", c.asked, (("not asked (logs.sample)", c.kept - c.asked),)),
        Step("scored", c.scored, (("without two answers to compare", c.asked - c.scored),)),
        Step("selected for the labelling budget", c.selected, (("left in the pool", max(0, c.scored - c.selected)),)),
    )
    return tuple(Step(s.label, s.count, tuple(item for item in s.lost if item[1])) for s in steps)


def records_read(counts: Counts) -> int:
    """Return the number of log records: those of spans and scores too, a conversation once."""
    return counts.read + counts.intake.other_records - counts.intake.earlier_turns


def sample(selection: SelectionSummary) -> str:
    """Describe the strata and the probabilities of the random slice."""
    low, high = selection.probabilities or (0.0, 0.0)
    chance = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    return (
        f"in {plural(selection.strata, 'stratum', 'strata')} of predicted failure, each case with probability {chance}"
    )


def leak(match: Leak) -> str:
    """Return the evidence that a training case asks a held-out question."""
    shared = f"; both have {', '.join(match.shared)}" if match.shared else ""
    return f"{match.kind}, {match.similarity:.2f}{shared}"


def coverage(summary: Summary) -> tuple[str, ...]:
    """Describe the cases that the discovery picks represent, and regions without a pick."""
    picked = summary.coverage
    if picked is None:
        return ()
    represented = (
        f"{percent(picked.represented)} of the {plural(picked.embedded, 'embedded case')} are as near to a discovery pick as"
        " cases usually are to their neighbours."
    )
    return represented, *_unseen_regions(picked), *_outliers(picked)


def _unseen_regions(picked: CoverageSummary) -> tuple[str, ...]:
    if not picked.unseen:
        return ()
    largest = "; ".join(f"{plural(r.cases, 'case')} {r.name} ({r.example})" for r in picked.unseen)
    return (
        (
            f"{count(picked.unseen_regions)} of {plural(picked.regions, 'region')} of these cases have no pick. The largest:"
            f" {largest}."
        ),
    )


def _outliers(picked: CoverageSummary) -> tuple[str, ...]:
    far = picked.outliers
    if not far:
        return ()
    return (
        (
            f"Outliers: {plural(far.cases, 'case')} far from all others ({far.evidence}), {count(far.picks)} of them picked."
            f" The farthest: {far.example}"
        ),
    )


def blind_spots(summary: Summary) -> tuple[str, ...]:
    """Say which failures disagreement cannot show, with the numbers of this run."""
    spread, counts, selection = summary.disagreement, summary.counts, summary.selection
    unanimous = percent(share(spread.unanimous, counts.scored))
    fewer = ", each by the answers that it got, be they few or many" if summary.adaptive else ""
    drawn = selection.by_slice.get("random", 0)
    random_slice = (
        f"Only the random slice can find such cases: {count(drawn)} of {plural(selection.total, 'selected case')} were drawn at"
        " random. Label these too, even where they look easy: without them the failure rate cannot be estimated."
        if drawn
        else "Only a random slice can find such cases, and this selection has none: raise `selection.random_share`."
    )
    return (
        (
            "A committee that makes the same mistake every time looks unanimous. Here it was unanimous on "
            f"{count(spread.unanimous)} of {plural(counts.scored, 'scored case')} ({unanimous}){fewer}. If production makes"
            " the same mistake, such a case has a score near 0 and is in no category."
        ),
        random_slice,
        known_failures(summary.blind),
        noise_sentence(summary.noise),
        "The score says where a label teaches most. It is not the probability that production's answer is wrong.",
    )


def known_failures(blind: BlindShare) -> str:
    """Return the share of the known failures that disagreement could not have shown."""
    n = count(blind.unseen.n)
    left_out = (
        f" {plural(blind.left_out, 'failure')} that only came to light because the committee disagreed"
        f" {'is' if blind.left_out == 1 else 'are'} not counted."
        if blind.left_out
        else ""
    )
    if blind.unseen.value is None:
        return (
            f"Known failures of production that disagreement could not have seen: {NO_DATA} (n={n}; at least 10 are needed,"
            f" from labels of the random slice, corrections or thumbs down).{left_out}"
        )
    sources = ", ".join(f"{count(number)} by {_SOURCES.get(name, name)}" for name, number in blind.by_source.items())
    conclusion = (
        "there was some disagreement on each of them"
        if blind.unseen.value == 0
        else "disagreement could not have seen them"
    )
    return (
        f"Of the {n} known failures of production ({sources}), {interval(blind.unseen)} have a score of at most"
        f" {blind.threshold:g}: {conclusion}.{left_out}"
    )


def agreement_means_nothing(noise: NoiseFloor) -> bool:
    """Return whether all answers are repeats of one prompt at temperature 0."""
    return noise.cold and noise.one_prompt


def unanimous_at_0(noise: NoiseFloor) -> str:
    """Return a remark on the share of unanimous cases if their agreement means nothing."""
    return ": repeats at temperature 0, no certainty" if agreement_means_nothing(noise) else ""


def noise_sentence(noise: NoiseFloor) -> str:
    """Say how far repeats at temperature 0 differ, and how the committee's spread compares."""
    if agreement_means_nothing(noise):
        return _repeats_only(noise)
    if noise.floor is None or noise.spread is None:
        return (
            f"The noise floor is how far repeats of one prompt at temperature 0 differ: {NO_DATA}"
            f" (n={plural(noise.differing.n, 'case')} with such repeats, 10 are needed)."
        )
    comparison = (
        "is near that floor, so it says little" if noise.spread - noise.floor < _NEAR_FLOOR else "is above that floor"
    )
    return (
        f"Repeats of one prompt at temperature 0 were not all the same on {interval(noise.differing)} of"
        f" {plural(noise.differing.n, 'case')}. Two of them differ by {noise.floor:.2f} on average, which is the noise floor."
        f" Their agreement is not certainty. On these cases, two answers of the whole committee differ by {noise.spread:.2f},"
        f" which {comparison}."
    )


def _repeats_only(noise: NoiseFloor) -> str:
    floor = (
        ""
        if noise.floor is None
        else f" Two of them differ by {noise.floor:.3f} on average, and not all are the same on"
        f" {interval(noise.differing)} of {plural(noise.differing.n, 'case')}: that is the noise floor, and all the"
        " disagreement here is noise."
    )
    return (
        "All answers were given by one prompt at temperature 0. Such repeats carry no signal, and their agreement is not"
        f" evidence: ask at a higher temperature, or with more prompt variants.{floor}"
    )


def fields_sentence(fields: Sequence[FieldSummary]) -> str:
    """Name the fields of structured answers that differ most; the empty text for none."""
    if not fields:
        return ""
    named = ", ".join(f"{f.path} {score(f.disagreement.value)}" for f in fields)
    return f"Fields that differ most (share of answer pairs, n={count(fields[0].disagreement.n)}): {named}."


def unwell(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Return the members with a weight below 1, each with the consequence and the reason."""
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


def length_sentence(baseline: LengthBaseline) -> str:
    """Return the correlation of disagreement with a length."""
    n = count(baseline.spearman.n)
    if baseline.spearman.value is None or baseline.pearson.value is None:
        return f"With the length of {baseline.of}: {NO_DATA} (n={n})."
    return (
        f"With the length of {baseline.of}: Spearman {baseline.spearman.value:+.2f},"
        f" Pearson {baseline.pearson.value:+.2f} (n={n})."
    )


def cost_sentence(summary: Summary) -> str:
    """Return the number of answers and their cost, those of earlier runs included."""
    c = summary.committee
    tokens = f"{count(c.input_tokens)} input and {count(c.output_tokens)} output tokens"
    estimated = f" (estimated for {plural(c.estimated_usage, 'answer')})" if c.estimated_usage else ""
    return (
        f"{plural(c.generations, 'answer')}, {money(c.cost_usd)}, {tokens}{estimated}."
        f" {plural(c.failed, 'call')} failed for good, {plural(c.cut_off, 'answer')} stopped at the token limit."
        " This is the cost of all answers in this report, including those that earlier runs paid for; what this run itself"
        " paid is `spent_usd` in manifest.json."
    )


def incomplete(stopped: StoppedSummary) -> str:
    """Say that a run ended early, how much of it is missing, and how to complete it."""
    planned = f" of {count(stopped.planned)} planned" if stopped.planned is not None else ""
    without = (
        f" {plural(stopped.cases_without_answers, 'case')} {'has' if stopped.cases_without_answers == 1 else 'have'} no answer yet."
        if stopped.cases_without_answers
        else ""
    )
    reason, remedy = {
        "budget": ("a limit of `budget:` ended the run", "Raise the limit"),
        "no-answers": ("a model gave no answer that can be used", "Change what the errors of the calls name"),
    }[stopped.cause]
    return (
        f"This report is incomplete: {reason}. It is made from {count(stopped.answers)}{planned}"
        f" {'answer' if stopped.answers == 1 and not planned else 'answers'}.{without} {remedy} and run the same command again:"
        " it goes on from there."
    )


def adaptive_paragraph(adaptive: AdaptiveSummary) -> str:
    """Say how many calls an adaptive committee saved, and what stopping early missed."""
    saved = percent(share(adaptive.calls_full - adaptive.calls, adaptive.calls_full))
    calls = (
        f"The committee was adaptive: it made {count(adaptive.calls)} of the {count(adaptive.calls_full)} calls of the whole"
        f" committee ({saved} saved)."
    )
    if not adaptive.cases:
        return (
            f"{calls} What stopping early missed: {NO_DATA} (n=0), because no random share of the cases got the whole"
            " committee. Raise `committee.adaptive.full_share`."
        )
    return (
        f"{calls} A random share of {plural(adaptive.cases, 'case')} got the whole committee."
        f" {_missed_cases(adaptive)} {_rank_correlation(adaptive)} These figures show the cost of stopping early, not how many"
        " wrong answers were missed: the early answers are among those of the whole committee, whose ranking has noise of"
        " its own. Asked again, the whole committee would not rank the same cases into its top either."
    )


def _missed_cases(adaptive: AdaptiveSummary) -> str:
    if adaptive.missed is None or adaptive.low is None or adaptive.high is None:
        return (
            f"Cases that stopping early ranked out of the top: {NO_DATA} (n={count(adaptive.in_top)} in the top by the whole"
            f" committee, {count(adaptive.least_in_top)} are needed: more cases, or a larger"
            " `committee.adaptive.full_share`)."
        )
    return (
        f"Of the cases that the whole committee ranks into the top, stopping early ranked out {percent(adaptive.missed)}"
        f" (95% interval {percent(adaptive.low)} to {percent(adaptive.high)}, n={count(adaptive.in_top)})."
    )


def _rank_correlation(adaptive: AdaptiveSummary) -> str:
    if adaptive.rank_correlation is not None:
        return (
            f"Rank correlation of both rankings: Spearman {adaptive.rank_correlation:+.2f} (n={count(adaptive.cases)})."
        )
    n, least = adaptive.cases, adaptive.least_cases
    reason = f"n={count(n)}, {count(least)} are needed" if n < least else f"n={count(n)}, all equal in one of them"
    return f"Rank correlation of both rankings: {NO_DATA} ({reason})."


def redaction_sentence(redacted: Mapping[str, int]) -> str:
    """Return the numbers of what was replaced in the logs, by kind; "" without any."""
    if not redacted:
        return ""
    kinds = sorted(redacted.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{count(n)} {kind.replace('_', ' ')}" for kind, n in kinds)
    return f"Replaced in the logs before anything was sent or stored: {listed}."
