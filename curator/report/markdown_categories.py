"""Categories in the Markdown report: the first five, the table, and each with its cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from curator.report import category_text
from curator.report.faced_answers import SIDES
from curator.report.format import (
    count,
    diagnosis_mix,
    diagnosis_name,
    names,
    percent,
    rate_cell,
    rate_with_n,
    score,
    with_n,
)
from curator.report.markup import code_block, code_span, markdown_table, plain
from curator.report.sentences import fields_sentence
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary, TypicalCase
from curator.report.trends import gone, names_by_id, trend
from curator.report.word_diff import TextRun
from curator.text.display import one_line, plural

MOST_CATEGORIES = 30
FIRST = 5
"""Categories that the first page shows with an example and the advice."""
EXAMPLE_CHARACTERS = 240
_PART = "\u21b3 "
_HEAD = (
    "category", "expected failures", "cases", "share of traffic", "failure rate by labels", "contradicts production",
    "disagreement", "spread",
)  # fmt: skip


_Nested = tuple[CategorySummary, int]


def categories_first(summary: Summary) -> str:
    """Return the section above all others: the first categories, and the table of all."""
    missing = [plain(gone(summary.gone, names_by_id(summary)))] if summary.gone else []
    missing += [plain(sentence)] if (sentence := category_text.people_categories(summary)) else []
    if not summary.categories:
        return "\n\n".join(["## What fails", *category_text.ungrouped(summary), *missing])
    every = list(_nested(summary.categories))
    shown, rest = every[:MOST_CATEGORIES], every[MOST_CATEGORIES:]
    rows = [_row(category, depth) for category, depth in shown]
    more = [f"{plural(len(rest), 'smaller category', 'smaller categories')} not shown here: see `categories.jsonl`."]
    return "\n\n".join(
        [
            "## What fails",
            (
                "Ordered by expected failures: log records x the failure rate of the labels, drawn towards the share of"
                " answers that contradict production while the labels are few."
            ),
            *(_first(number, category) for number, category in enumerate(summary.top_categories[:FIRST], 1)),
            markdown_table(_HEAD, rows),
            *(more if rest else []),
            *category_text.ungrouped(summary),
            *missing,
        ]
    )


def categories_in_full(summary: Summary) -> str:
    """Return each category with its evidence and its cases."""
    if not summary.categories:
        return ""
    named = names_by_id(summary)
    return "\n\n".join(
        ["## Categories", *(_category(c, named) for c, _ in [*_nested(summary.categories)][:MOST_CATEGORIES])]
    )


def _nested(categories: Sequence[CategorySummary], parent: str | None = None, depth: int = 0) -> Iterator[_Nested]:
    """Yield each category, with its depth, before its parts."""
    ids = {category.id for category in categories}
    for category in categories:
        if (category.parent if category.parent in ids else None) == parent:
            yield category, depth
            yield from _nested(categories, category.id, depth + 1)


def _first(number: int, category: CategorySummary) -> str:
    facts = f"{percent(category.traffic_share)} of traffic; {category_text.rate_or_contradiction(category)}"
    if category.labels.rate.value is None:
        facts += f"; {category_text.too_few_labels(category.labels)}"
    lines = [
        f"**{number}. {plain(category_text.headline(category))}**",
        f"- {facts}.",
        *(f"- For example {_example(case)}" for case in category.typical[:1]),
        f"- {_action(category)}",
    ]
    return "\n".join([lines[0], "", *lines[1:]])


def _action(category: CategorySummary) -> str:
    main = category.diagnosis
    return f"**{diagnosis_name(main.name, certain=main.certain)}**: {main.advice}"


def _example(case: TypicalCase) -> str:
    parts = [code_span(one_line(case.input.text, EXAMPLE_CHARACTERS))]
    if case.contrast is not None:
        given, expected = SIDES[case.contrast.basis]
        parts += [f"{given}: {_answer(case.contrast.given)}", f"{expected}: {_answer(case.contrast.expected)}"]
    return "; ".join(parts)


def _answer(runs: Sequence[TextRun]) -> str:
    text = one_line("".join(run.text for run in runs), EXAMPLE_CHARACTERS)
    return code_span(text) if text else category_text.NO_ANSWER


def _row(category: CategorySummary, depth: int) -> list[str]:
    return [
        _PART * depth + plain(category.name),
        category_text.expected_failures(category),
        count(category.cases),
        percent(category.traffic_share),
        rate_cell(category.labels.rate)
        if category.labels.rate.value is not None
        else category_text.too_few_labels(category.labels),
        rate_with_n(category.against_target),
        with_n(category.disagreement),
        score(category.spread.value),
    ]


def _category(category: CategorySummary, named: Mapping[str, str]) -> str:
    words = ", ".join(plain(word) for word in category.keywords)
    answers = plain(category_text.sides(category.sides))
    parts = [
        f"### {plain(category.name)}",
        "" if category.sentence.casefold() == category.name.casefold() else plain(category.sentence),
        f"Answers: {answers}." if answers else "",
        plain(f"Since the night before: {trend(category.change, named)}.") if category.change else "",
        (
            f"{_action(category)} {plain(category.diagnosis.evidence)}"
            f" By case: {diagnosis_mix(category.diagnoses) or 'none'}."
        ),
        plain(fields_sentence(category.fields)),
        plain(category_text.variant(category.best_variant)),
        " ".join([f"Keywords: {words}." if words else "", *_facts(category)]).strip(),
    ]
    cases = [*(_case(case) for case in category.typical)]
    if category.border is not None:
        cases += ["The case that fits least:", _case(category.border)]
    return "\n\n".join([*filter(None, parts), *cases])


def _facts(category: CategorySummary) -> Iterator[str]:
    yield f"Labels: {category_text.failure_rate(category)}."
    if pooled := category_text.pooled_rate(category.labels):
        yield f"Pooled rate: {pooled}."
    if moved := category_text.moved_cases(category.labels):
        yield f"By people: {moved}."
    yield f"Thumbs down: {rate_with_n(category.thumbs_down)}."
    if category.corrected:
        yield f"Corrected by users: {plural(category.corrected, 'case')}."
    yield (
        f"Spread: {with_n(category.spread)}, between prompts {score(category.spread_between.value)}, within one prompt"
        f" {score(category.spread_within.value)}."
    )
    if category.queue:
        yield f"In the label queue: {plain(names(category.queue))}."
    if category.eval_set:
        yield f"In the eval set: {plain(names(category.eval_set))}."


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
    return "\n\n".join([head, code_block(case.input), markdown_table(["votes", "answer", "by", ""], rows)])
