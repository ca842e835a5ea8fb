"""The report as Markdown, for a terminal, a pull request or a CI artifact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from curator.report.committee_advice import addition_rows, advice_sentence, noise_sentence
from curator.report.format import (
    count,
    diagnosis_mix,
    diagnosis_name,
    names,
    percent,
    rate_cell,
    rate_with_cases,
    rate_with_n,
    score,
    with_n,
)
from curator.report.how_to_read import reading
from curator.report.readings import readings_sentence
from curator.report.score_quality import (
    QUALITY_HEAD,
    quality_rows,
    quality_sentences,
    slice_counts,
    yields_sentence,
)
from curator.report.sentences import (
    adaptive_paragraph,
    blind_spots,
    cost_sentence,
    coverage,
    failure_rate,
    fields_sentence,
    funnel,
    incomplete,
    leak,
    length_sentence,
    sample,
    unanimous_at_0,
    unwell,
)
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary, TypicalCase
from curator.report.trends import gone, trend
from curator.stats import HISTOGRAM_BINS, share
from curator.text.display import Excerpt, clean, money, plural

MOST_CATEGORIES = 30
_BAR = 30
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~!&])")


def render_markdown(summary: Summary) -> str:
    """Return the whole page.

    Texts from the logs are put into code blocks and code spans, where nothing is markup.
    """
    sections = [
        _head(summary),
        _funnel(summary),
        _blind_spots(summary),
        _diagnoses(summary),
        _categories(summary),
        _spread(summary),
        _readings(summary),
        _failure_rate(summary),
        _score_quality(summary),
        _selection(summary),
        _committee(summary),
        _set_aside(summary),
        _reading(summary),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def code_span(text: str) -> str:
    """Return a text as inline code on one line; it fits into a table cell."""
    flat = " ".join(clean(text).split()).replace("|", "\\|") or " "
    fence = "`" * (_longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def code_block(shown: Excerpt) -> str:
    """Return a text as a fenced block that its content cannot end."""
    fence = "`" * max(3, _longest_run(shown.text) + 1)
    note = f"\n\n({count(shown.omitted)} more characters)" if shown.omitted else ""
    return f"{fence}text\n{shown.text}\n{fence}{note}"


def plain(text: str) -> str:
    """Return a text on one line, with every character that is markup escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(clean(text).split()))


def _longest_run(text: str) -> int:
    return max((len(list(run)) for character, run in groupby(text) if character == "`"), default=0)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _head(summary: Summary) -> str:
    c, spread = summary.counts, summary.disagreement
    figures = [
        ("log records read", count(c.read)),
        ("unique cases", count(c.kept)),
        ("asked of the committee", count(c.asked)),
        ("mean disagreement", with_n(spread.mean)),
        (
            "unanimous",
            f"{percent(share(spread.unanimous, c.scored))} of {count(c.scored)} scored{unanimous_at_0(summary.noise)}",
        ),
        ("selected", count(c.selected)),
        ("cost", money(summary.committee.cost_usd)),
    ]
    logs = ", ".join(code_span(path) for path in summary.logs) or "none named"
    warnings = "".join(f"\n- {code_span(member)}: {plain(what)}" for member, what in unwell(summary))
    table = _table(["", ""], [[name, value] for name, value in figures])
    stopped = f"**{incomplete(summary.stopped)}**\n\n" if summary.stopped else ""
    return f"# {plain(summary.name)}: where the committee disagrees\n\n{stopped}Logs: {logs}\n\n{table}" + (
        f"\n\nMembers that do not count in full:\n{warnings}" if warnings else ""
    )


def _funnel(summary: Summary) -> str:
    rows = [
        [step.label, count(step.count), "; ".join(f"{count(n)} {reason}" for reason, n in step.lost)]
        for step in funnel(summary)
    ]
    kinds = ", ".join(f"{plain(kind)} {count(n)}" for kind, n in summary.by_kind.items())
    tasks = ", ".join(f"{plain(task)} {count(n)}" for task, n in summary.by_task.items())
    table = _table(["stage", "left", "lost on the way"], rows)
    return (
        f"## From log records to labels\n\n{table}\n\nKept cases by kind of answer: {kinds or 'none'}."
        f" By task: {tasks or 'none'}. Near-duplicate groups: {count(summary.counts.groups)}."
    )


def _blind_spots(summary: Summary) -> str:
    return "## What disagreement cannot see\n\n" + "\n".join(f"- {line}" for line in blind_spots(summary))


def _diagnoses(summary: Summary) -> str:
    if not summary.diagnoses:
        return ""
    rows = [
        [
            diagnosis_name(d.name),
            count(d.cases) + (f" ({count(d.possible)} possibly)" if d.possible else ""),
            percent(d.share),
            count(d.records),
            d.advice,
        ]
        for d in summary.diagnoses
    ]
    return "## What to do about it\n\n" + _table(
        ["diagnosis", "cases", "share of cases", "log records", "advice"], rows
    )


def _categories(summary: Summary) -> str:
    if not summary.categories and summary.unclustered is None and not summary.gone:
        return "## Categories\n\nNo case was clustered, so there are none."
    shown, rest = summary.categories[:MOST_CATEGORIES], summary.categories[MOST_CATEGORIES:]
    every = [*shown, *([summary.unclustered] if summary.unclustered else [])]
    table = _table(
        ["category", "cases", "share of traffic", "disagreement", "between", "within", "contradicts production"],
        [
            [
                plain(c.name),
                count(c.cases),
                percent(c.traffic_share),
                with_n(c.disagreement),
                score(c.between.value),
                score(c.within.value),
                rate_with_n(c.against_target),
            ]
            for c in every
        ],
    )
    note = (
        f"\n\n{count(len(rest))} smaller categories with {count(sum(c.cases for c in rest))} cases are in summary.json."
    )
    missing = [plain(gone(summary.gone))] if summary.gone else []
    return "\n\n".join(["## Categories", table + (note if rest else ""), *missing, *(_category(c) for c in every)])


def _category(category: CategorySummary) -> str:
    words = ", ".join(plain(word) for word in category.keywords)
    facts = f"Thumbs down: {rate_with_n(category.thumbs_down)}. Selected: {count(category.selected)}."
    main = category.diagnosis
    diagnosis = (
        f"**{diagnosis_name(main.name, certain=main.certain)}**: {main.advice} {plain(main.evidence)}"
        f" By case: {diagnosis_mix(category.diagnoses) or 'none'}."
    )
    fields = plain(fields_sentence(category.fields))
    change = f"Since the night before: {trend(category.change)}." if category.change else ""
    parts = [
        f"### {plain(category.name)}",
        change,
        diagnosis,
        fields,
        f"Keywords: {words}. {facts}" if words else facts,
    ]
    return "\n\n".join([*filter(None, parts), *(_case(case) for case in category.typical)])


def _case(case: TypicalCase) -> str:
    facts = [
        f"represents {plural(case.weight, 'log record')}" if case.weight > 1 else "",
        f"disagreement {score(case.disagreement)}",
        plural(case.earlier_turns, "earlier turn") if case.earlier_turns else "",
        f"thumb {case.thumb}" if case.thumb else "",
        plural(case.failed, "failed call") if case.failed else "",
    ]
    head = f"**Case {code_span(case.case_id)}** from {code_span(case.source)}: {', '.join(f for f in facts if f)}"
    rows = [
        [
            str(a.count),
            code_span(a.text.text) + (" ..." if a.text.omitted else "") + ("" if a.readable else " (no answer read)"),
            code_span(names(a.by)) if a.by else "",
            "production" if a.is_target else "",
        ]
        for a in case.answers
    ]
    if case.target is not None and not any(a.is_target for a in case.answers):
        rows.append(["0", code_span(case.target.text) + (" ..." if case.target.omitted else ""), "", "production"])
    if case.reference is not None:
        rows.append(["", code_span(case.reference.text), "", f"trusted ({case.reference_source})"])
    if case.more_answers:
        rows.append([str(case.more_votes), plural(case.more_answers, "other answer"), "", ""])
    return "\n\n".join([head, code_block(case.input), _table(["votes", "answer", "by", ""], rows)])


def _spread(summary: Summary) -> str:
    spread, most = summary.disagreement, max(summary.disagreement.histogram) or 1
    bars = "\n".join(
        f"{i / HISTOGRAM_BINS:.1f} {'#' * -(-n * _BAR // most):<{_BAR}} {count(n)}"
        for i, n in enumerate(spread.histogram)
    )
    unscored = "; ".join(f"{count(n)} {plain(reason)}" for reason, n in spread.unscored.items())
    lines = [
        (
            f"Mean {with_n(spread.mean)}; between prompts {with_n(spread.between)}; within one prompt"
            f" {with_n(spread.within)}; contradicts production {rate_with_n(spread.against_target)}."
        ),
        f"Unanimous against production: {plural(spread.unanimous_against_target, 'case')}.",
        *(length_sentence(baseline) for baseline in summary.length),
        *([f"Not scored: {unscored}."] if unscored else []),
    ]
    return f"## How disagreement is spread\n\n```text\n{bars}\n```\n\n" + "\n".join(f"- {line}" for line in lines)


def _readings(summary: Summary) -> str:
    lines = [f"- {plain(readings_sentence(task))}." for task in summary.readings]
    return "## How answers were compared\n\n" + "\n".join(lines) if lines else ""


def _failure_rate(summary: Summary) -> str:
    return "## How often production fails\n\n" + "\n".join(f"- {line}" for line in failure_rate(summary))


def _score_quality(summary: Summary) -> str:
    lines = [*quality_sentences(summary.score_quality), *filter(None, [yields_sentence(summary.yields)])]
    text = "## How well the score ranks\n\n" + "\n".join(f"- {plain(line)}" for line in lines)
    if summary.score_quality is None:
        return text
    rows = [[plain(cell) for cell in row] for row in quality_rows(summary.score_quality)]
    return f"{text}\n\n{_table(QUALITY_HEAD, rows)}"


def _selection(summary: Summary) -> str:
    s, tune = summary.selection, summary.finetune
    drawn = f" ({sample(s)})" if s.probabilities else ""
    lines = [
        (f"{plural(s.total, 'case')} selected: {slice_counts(s.by_slice)}{drawn}."),
        (
            f"{count(s.by_split.get('eval', 0))} held out for the eval set, {count(s.by_split.get('train', 0))} may be"
            f" trained on; {count(s.to_label)} wait for a label."
        ),
        *map(plain, coverage(summary)),
        f"Fine-tune rows: {count(tune.rows)}"
        + "".join(f"; {count(n)} from a {plain(source)}" for source, n in tune.by_source.items())
        + ".",
    ]
    excluded = [[plain(reason), count(n)] for reason, n in tune.excluded.items()]
    outputs = [[code_span(name), count(n)] for name, n in summary.outputs.items()]
    leaks = [[plain(f.question), plain(f.held_out_question), plain(leak(f))] for f in tune.leaks]
    return "\n\n".join(
        [
            "## Selection and outputs",
            "\n".join(f"- {line}" for line in lines),
            *([_table(["file", "rows"], outputs)] if outputs else []),
            *([_table(["not in the fine-tune data", "cases"], excluded)] if excluded else []),
            *([_table(["kept out of training", "as it asks what is held out", "known by"], leaks)] if leaks else []),
        ]
    )


def _committee(summary: Summary) -> str:
    c = summary.committee
    table = _table(
        ["member", "model", "variant", "temperature", "answers", "failed", "cut off", "mean output tokens", "cost"],
        [
            [
                code_span(m.id),
                code_span(m.model),
                code_span(m.variant),
                f"{m.temperature:g}",
                count(m.generations),
                count(m.failed),
                count(m.cut_off),
                "-" if m.output_tokens.value is None else f"{m.output_tokens.value:.0f}",
                money(m.cost_usd),
            ]
            for m in c.members
        ],
    )
    health = _table(
        [
            "member",
            "cases",
            "not read",
            "refused",
            "empty",
            "agrees with the rest",
            "kappa",
            "accuracy",
            "weight",
            "why",
        ],
        [
            [
                code_span(m.id),
                count(m.health.unreadable.n),
                rate_cell(m.health.unreadable),
                rate_cell(m.health.refused),
                rate_cell(m.health.empty),
                rate_cell(m.health.agreement),
                score(m.health.kappa),
                rate_with_cases(m.health.accuracy),
                f"{m.health.weight:g}",
                plain(m.health.reason),
            ]
            for m in c.members
            if m.health is not None
        ],
    )
    failures = "".join(f"\n- {count(n)} x {code_span(reason)}" for reason, n in c.failures.items())
    adaptive = f"{adaptive_paragraph(summary.adaptive)}\n\n" if summary.adaptive else ""
    return (
        f"## The committee and what it cost\n\n{cost_sentence(summary)}\n\n{adaptive}{table}\n\n### Member health\n\n{health}"
        + (f"\n\nFailed calls:\n{failures}" if failures else "")
        + _advice(summary)
    )


def _advice(summary: Summary) -> str:
    advice = summary.committee_advice
    if advice is None:
        return ""
    head, *rows = addition_rows(advice)
    parts = [f"{noise_sentence(advice)}.", _table(head, rows)] if advice.additions else []
    return "\n\n".join(["", "### What more answers would add", *parts, plain(advice_sentence(advice))])


def _set_aside(summary: Summary) -> str:
    aside = summary.set_aside
    if not aside.total:
        return "## Records set aside\n\nNone: every log record could be read."
    table = _table(
        ["where", "what is wrong", "what to do"],
        [[code_span(f"{r.file}:{r.line}"), code_span(r.reason), code_span(r.remedy)] for r in aside.first],
    )
    reasons = "\n".join(f"- {count(n)} x {code_span(reason)}" for reason, n in aside.by_reason.items())
    shown = f"The first {count(len(aside.first))} of {count(aside.total)}:"
    return f"## Records set aside\n\n{reasons}\n\n{shown}\n\n{table}"


def _reading(summary: Summary) -> str:
    return "## How to read the numbers\n\n" + "\n".join(f"- **{term}**: {text}" for term, text in reading(summary))
