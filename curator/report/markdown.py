"""The report as Markdown, for a terminal, a pull request or a CI artifact."""

from __future__ import annotations

from curator.report.committee_advice import addition_rows, advice_sentence, noise_sentence
from curator.report.failure_rate import failure_rate
from curator.report.format import (
    count,
    diagnosis_name,
    percent,
    rate_cell,
    rate_with_cases,
    rate_with_n,
    score,
    with_n,
)
from curator.report.how_to_read import reading
from curator.report.markdown_categories import categories_first, categories_in_full
from curator.report.markup import code_span, markdown_table, plain
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
    funnel,
    incomplete,
    leak,
    length_sentence,
    records_read,
    redaction_sentence,
    sample,
    unanimous_at_0,
    unwell,
)
from curator.report.summary import Summary
from curator.stats import HISTOGRAM_BINS, share
from curator.text.display import money, plural

_BAR = 30


def render_markdown(summary: Summary) -> str:
    """Return the whole page.

    Texts from the logs are put into code blocks and code spans, where nothing is markup.
    """
    sections = [
        _head(summary),
        categories_first(summary),
        _funnel(summary),
        _blind_spots(summary),
        _diagnoses(summary),
        categories_in_full(summary),
        _spread(summary),
        _readings(summary),
        _failure_rate(summary),
        _score_quality(summary),
        _selection(summary),
        _committee(summary),
        _set_aside(summary),
        _redaction(summary),
        _reading(summary),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(summary: Summary) -> str:
    c, spread = summary.counts, summary.disagreement
    figures = [
        ("log records read", count(records_read(c))),
        ("unique cases", count(c.kept)),
        *([("failed calls in the logs", count(c.intake.failed_calls))] if c.intake.failed_calls else []),
        *(
            [("questions that production answered differently", count(c.intake.contradicted))]
            if c.intake.contradicted
            else []
        ),
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
    table = markdown_table(["", ""], [[name, value] for name, value in figures])
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
    table = markdown_table(["stage", "left", "lost on the way"], rows)
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
    return "## What to do about it\n\n" + markdown_table(
        ["diagnosis", "cases", "share of cases", "log records", "advice"], rows
    )


def _spread(summary: Summary) -> str:
    spread, most = summary.disagreement, max(summary.disagreement.histogram) or 1
    bars = "\n".join(
        f"{i / HISTOGRAM_BINS:.1f} {'#' * -(-n * _BAR // most):<{_BAR}} {count(n)}"
        for i, n in enumerate(spread.histogram)
    )
    unscored = "; ".join(f"{count(n)} {plain(reason)}" for reason, n in spread.unscored.items())
    lines = [
        (f"Mean disagreement {with_n(spread.mean)}; contradicts production {rate_with_n(spread.against_target)}."),
        (
            f"Spread of the committee's own answers {with_n(spread.spread)}: between prompts"
            f" {score(spread.spread_between.value)}, within one prompt {score(spread.spread_within.value)}."
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
    return f"{text}\n\n{markdown_table(QUALITY_HEAD, rows)}"


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
            *([markdown_table(["file", "rows"], outputs)] if outputs else []),
            *([markdown_table(["not in the fine-tune data", "cases"], excluded)] if excluded else []),
            *(
                [markdown_table(["kept out of training", "as it asks what is held out", "known by"], leaks)]
                if leaks
                else []
            ),
        ]
    )


def _committee(summary: Summary) -> str:
    c = summary.committee
    table = markdown_table(
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
    health = markdown_table(
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
    parts = [f"{noise_sentence(advice)}.", markdown_table(head, rows)] if advice.additions else []
    return "\n\n".join(["", "### What more answers would add", *parts, plain(advice_sentence(advice))])


def _redaction(summary: Summary) -> str:
    sentence = redaction_sentence(summary.redacted)
    return f"## Redaction\n\n{sentence}" if sentence else ""


def _set_aside(summary: Summary) -> str:
    aside = summary.set_aside
    if not aside.total:
        return "## Records set aside\n\nNone: every log record could be read."
    table = markdown_table(
        ["where", "what is wrong", "what to do"],
        [[code_span(f"{r.file}:{r.line}"), code_span(r.reason), code_span(r.remedy)] for r in aside.first],
    )
    reasons = "\n".join(f"- {count(n)} x {code_span(reason)}" for reason, n in aside.by_reason.items())
    shown = f"The first {count(len(aside.first))} of {count(aside.total)}:"
    return f"## Records set aside\n\n{reasons}\n\n{shown}\n\n{table}"


def _reading(summary: Summary) -> str:
    return "## How to read the numbers\n\n" + "\n".join(f"- **{term}**: {text}" for term, text in reading(summary))
