"""The first screen, the categories and the script of the HTML page, without a browser."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from curator.records import FailureRate, Rate
from curator.report.category_text import failure_rate
from curator.report.html import example_of, render_html
from curator.report.markdown import render_markdown
from curator.report.static_page import with_code
from curator.report.summary_cases import ShownContrast, TypicalCase
from curator.report.word_diff import TextRun
from tests.report.support_desk import MODES, Desk, support_desk


@pytest.fixture(scope="module")
def desk() -> Desk:
    return support_desk(cases=200)


@pytest.fixture(scope="module")
def page(desk: Desk) -> str:
    return render_html(desk.summary, desk.page)


def section(page: str, name: str) -> str:
    return html.unescape(page.split(f'<section id="{name}">')[1].split("</section>", maxsplit=1)[0])


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", markup).split())


def test_the_first_screen_shows_the_five_with_most_expected_failures(desk: Desk, page: str) -> None:
    assert page.index('<section id="fails">') < page.index('<dl class="tiles') < page.index('<section id="categories">')
    rows = section(page, "fails").split("<li>")[1:]
    assert len(rows) == 5
    top = [category for category in desk.summary.categories if category.parent is None]
    failures = [category.expected_failures or 0.0 for category in top]
    assert failures == sorted(failures, reverse=True)
    for row, category in zip(rows, top, strict=False):
        shown = text_of(row)
        assert shown.startswith(category.sentence)
        assert f"{category.expected_failures or 0:,.0f} expected failures in {category.records} records" in shown
        assert "of traffic" in shown
        assert failure_rate(category) in shown
        assert category.diagnosis.advice in shown
        assert row.count('<div class="faces">') == 1
        assert "<mark>" in row


def test_the_example_marks_what_production_said_and_what_was_expected(page: str) -> None:
    row = section(page, "fails").split("<li>")[1]
    given, expected = (re.findall("<mark>(.*?)</mark>", side) for side in row.split('class="expected"'))
    assert given[0] == "create_refund"
    assert expected[0] == "hand_over"


def test_the_example_is_the_case_with_the_least_text_that_differs(desk: Desk) -> None:
    category = desk.summary.categories[0]
    first = category.typical[0]

    def showing(*runs: TextRun) -> TypicalCase:
        return replace(first, contrast=ShownContrast("production", runs, ()))

    long, short = showing(TextRun("a long difference", differs=True)), showing(TextRun("b", differs=True))
    same, without = showing(TextRun("same", differs=False)), replace(first, contrast=None)
    assert example_of(replace(category, typical=(same, long, short, without))) is short
    assert example_of(replace(category, typical=(without, same))) is without
    assert example_of(replace(category, typical=())) is None


def test_what_stands_between_backticks_is_code_and_stays_escaped() -> None:
    assert with_code("set `a: <b>` <here>") == "set <code>a: &lt;b&gt;</code> &lt;here&gt;"
    assert with_code("one ` <b>") == "one ` &lt;b&gt;"


def test_a_category_without_labels_says_so(desk: Desk) -> None:
    unlabelled = support_desk(cases=60, labelled=0.0)
    shown = text_of(section(render_html(unlabelled.summary, unlabelled.page), "fails"))
    assert shown.count("no labels yet") == 5
    assert "not enough labels (" in text_of(section(render_html(desk.summary), "fails"))


def test_the_tiles_have_the_failure_rate_where_labels_give_one(desk: Desk, page: str) -> None:
    tiles = text_of(page.split('<dl class="tiles')[1].split("</dl>", maxsplit=1)[0])
    assert "of the log records fail by the labels (15% to 29%)21%" in tiles
    few = FailureRate(None, None, None, 0.95, 3, 9, None, Rate(None, None, None, 0), 0, "too few labels")
    for without in (None, few):
        shown = render_html(replace(desk.summary, failure_rate=without))
        assert "fail by the labels" not in shown.split('<dl class="tiles')[1].split("</dl>")[0]


def test_pooled_rates_people_and_the_judge_are_on_both_pages(desk: Desk, page: str) -> None:
    markdown = render_markdown(desk.summary).replace("\\", "")
    for shown in (text_of(page), markdown):
        assert "At any time: 12.0% to 36.0%: a 95% confidence sequence" in shown
        assert "about 10% (at most 27%) are of kinds that no label shows yet: at most 7.8% of the records" in shown
        assert "it calls 81% of 21 failures (60% to 92%) a failure" in shown
        assert "Categories that only people named: rude tone (" in shown
        assert "pooled 50% (95% interval 20% to 80%)" in shown
    first, second = (c for c in desk.summary.top_categories if c.labels.moved_in or c.labels.moved_out)
    assert {(c.labels.moved_out, c.labels.moved_in) for c in (first, second)} == {(1, 1), (1, 0)}
    card = text_of(section(page, "categories").split('<article class="card category"')[1])
    assert "pooled rate62% (95% interval 41% to 80%)" in card
    assert "by people1 case put elsewhere, 1 case put here" in card
    assert "Pooled rate: 62% (95% interval 41% to 80%). By people: 1 case put elsewhere, 1 case put here." in markdown
    assert "pooled rate" in text_of(section(page, "reading"))


def test_a_part_is_inside_its_category_and_has_no_card(desk: Desk, page: str) -> None:
    categories = section(page, "categories")
    cards = categories.split('<article class="card category"')[1:]
    assert len(cards) == len(MODES)
    parts = [category for category in desk.summary.categories if category.parent]
    assert {part.parent for part in parts} == {"mode-00"}
    assert [part.id for part in parts if f'<details class="part" id="{part.id}">' in cards[0]] == [p.id for p in parts]


def test_a_category_carries_its_sides_labels_change_variant_and_ids(desk: Desk, page: str) -> None:
    card = text_of(section(page, "categories").split('<article class="card category"')[1])
    first = desk.summary.categories[0]
    for part in (
        "create_refund81%",
        "hand_over85%",
        failure_rate(first),
        "contradicts production",
        "2026-10-31 to 2026-11-02",
        "the night before",
        "The prompt variant careful does best",
        f"In the label queue: {len(first.queue)} cases, {first.queue[0]}",
        f"In the eval set: {len(first.eval_set)} cases, {first.eval_set[0]}",
        first.diagnosis.evidence,
        "one at the border",
        "spread of the committee's answers",
    ):
        assert part in card, part


def test_the_policy_allows_exactly_the_script_of_the_page(page: str) -> None:
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    allowed = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    script = page.split("<script>")[1].split("</script>", maxsplit=1)[0]
    assert allowed["script-src"] == f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    assert allowed["default-src"] == "'none'"
    assert "connect-src" not in allowed
    assert page.count("<script") == 2
    for way_out in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttp",
        "import(",
    ):
        assert way_out not in script


def test_a_page_without_cases_has_no_script(desk: Desk) -> None:
    page = render_html(desk.summary)
    assert "<script" not in page
    assert "script-src" not in page
    assert "runs no script" in page
    assert 'class="all"' not in page


def test_the_page_carries_the_cases_and_says_what_it_leaves_out(desk: Desk, page: str) -> None:
    carried = json.loads(page.split('id="cases">')[1].split("</script>", maxsplit=1)[0])
    assert [row["id"] for row in carried["cases"]] == [row["id"] for row in desk.page.rows]
    assert "categories.jsonl</code> and" not in page
    fewer = replace(desk.page, rows=desk.page.rows[:50], omitted=1234)
    shown = text_of(section(render_html(desk.summary, fewer), "categories"))
    assert "This page carries 50 cases of the categories" in shown
    assert "The other 1,234 are in categories.jsonl and cases.jsonl" in shown
