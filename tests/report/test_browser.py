"""The HTML page in a real browser: widths, keyboard, hostile texts, accessibility."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.common.chromium import Chromium
from curator.records import (
    BlindShare,
    Case,
    Category,
    Diagnosis,
    Feedback,
    Generation,
    Member,
    MemberHealth,
    Message,
    NoiseFloor,
    Pick,
    Rate,
    Reference,
    RejectedRecord,
    Score,
    Source,
    Usage,
)
from curator.report.answer_groups import AnswerGroup
from curator.report.case_payload import PageRecords, page_cases
from curator.report.html import render_html
from curator.report.summary import FinetuneSummary
from tests.report.summary_kit import RunRecords, summarise
from tests.report.support_desk import support_desk

pytestmark = pytest.mark.browser
PHONE = 390
EVIL = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    " ${document.title='owned'} `{{ 7*7 }}` <!--<script> &lt;b&gt; \u2028\u2029\u202e"
)
STICKING_OUT = """(() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const scrolls = (element) => element.closest(".scroll") !== null;
  return new Promise((done) => setTimeout(() => done([document.documentElement.scrollWidth,
    [...document.querySelectorAll("body *")].filter(
      (element) => !scrolls(element) && element.getBoundingClientRect().right > innerWidth + 1).length]), 200));
})()"""
SERIOUS = """axe.run(%s).then((found) => found.violations
  .filter((fault) => ["serious", "critical"].includes(fault.impact))
  .map((fault) => [fault.id, fault.nodes[0].html.slice(0, 200), fault.nodes[0].failureSummary]))"""


@pytest.fixture(scope="module")
def desk_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = support_desk(cases=420)
    return written(tmp_path_factory.mktemp("desk"), render_html(desk.summary, desk.page))


def written(folder: Path, page: str) -> Path:
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def hits(browser: Chromium, *, until: str) -> str:
    """What the page announces, as soon as it has the words `until` in it."""
    return str(
        browser.evaluate(
            "new Promise((done) => { const look = (left) => { const said = document.getElementById('hits').textContent;"
            f" said.includes({json.dumps(until)}) || !left ? done(said) : setTimeout(look, 50, left - 1); }}; look(100); }})"
        )
    )


def tab_to(browser: Chromium, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(80):
        if browser.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        browser.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def trying_run() -> RunRecords:
    """Long words, long lists, right-to-left text and mark-up wherever a log can put them."""
    long = "x" * 700
    text = f"{long} <script>document.title='owned'</script> עברית {'word ' * 80}"
    cases = tuple(
        Case(
            f"c{i:016x}",
            (Message("user", "one"), Message("assistant", "two"), Message("user", text)),
            Source(f"/logs/{'deep/' * 30}{long[:90]}.jsonl", 123456),
            target=text,
            task=long,
            feedback=Feedback(thumb="down"),
            reference=Reference(text, "correction"),
            weight=1000,
        )
        for i in range(12)
    )
    ids = tuple(c.id for c in cases)
    variants = tuple(f"variant-with-a-long-name-{i}" for i in range(12))
    generations = {
        i: [
            Generation(i, text, "model", v, 0.8, usage=Usage(10**6, 10**6), cost_usd=999.0, error=long)
            for v in variants
        ]
        for i in ids
    }
    rate = Rate(0.123456, 0.1, 0.2, 10**6)
    found = Diagnosis("consistently-wrong", text, text, 12, 10**6, 0.1, 0.2, 0.3, certain=False)
    return RunRecords(
        name="a-job-" + "with-a-long-name-" * 6,
        logs=(f"/logs/{'deep/' * 30}",),
        read=32,
        cases=cases,
        merged=(),
        unreadable=[RejectedRecord(cases[0].source, long, text)] * 20,
        members=[Member(f"model/{v}/0.8", "model", v, 0.8, 512) for v in variants],
        generations=generations,
        scores={i: Score(i, 1.0, 0.5, 0.5, 1.0, "text", "scorer-1", text, 0.5, 12) for i in ids},
        answers_of=lambda _: tuple(AnswerGroup(text, 12 - n, variants) for n in range(8)),
        embedded=ids,
        layout=np.linspace(0, 1, 24, dtype=np.float32).reshape(12, 2),
        categories=(Category("category-01", f"{long[:30]} / {long[:30]}", (long[:30],) * 8, ids[:8]),),
        picks=[Pick(i, n, "random", 0.5, "eval") for n, i in enumerate(ids)],
        finetune=FinetuneSummary(1, {"label": 1}, {long: 11}),
        outputs={f"{long[:60]}.jsonl": 10**9},
        health=[MemberHealth("model", v, 0.8, 10**6, 9, *(rate,) * 4, 0.123, rate, 0.5, text) for v in variants],
        noise=NoiseFloor(0.1, rate, 0.2, cold=False, one_prompt=False),
        blind=BlindShare(rate, 0.05, {"thumb down": 10**6}, 10**6),
        diagnoses=dict.fromkeys(ids, found),
        diagnose=lambda _: found,
    )


def trying_page() -> str:
    run = trying_run()
    groups = run.answers_of("")
    records = PageRecords(
        {case.id: replace(case, metadata={"k" * 200: "v" * 900}) for case in run.cases}, run.scores, lambda _: groups
    )
    return render_html(summarise(run), page_cases(run.categories, records))


@pytest.mark.parametrize("width", [PHONE, 768, 1280])
def test_nothing_sticks_out_of_the_page_and_nothing_is_loaded(browser: Chromium, tmp_path: Path, width: int) -> None:
    page = written(tmp_path, trying_page())
    browser.open(page.as_uri(), width=width)
    assert browser.evaluate(STICKING_OUT) == [width, 0]
    assert browser.evaluate("document.querySelectorAll('.all .case').length") == 8
    assert browser.requested == [page.as_uri()]


def test_the_probe_sees_what_sticks_out(browser: Chromium, tmp_path: Path) -> None:
    page = render_html(summarise(replace(trying_run(), name="job")))
    broken = page.replace("</main>", '<p style="width:2000px">wide</p></main>')
    browser.open(written(tmp_path, broken).as_uri(), width=PHONE)
    scroll, wide = browser.evaluate(STICKING_OUT)
    assert scroll > PHONE
    assert wide >= 1


def test_the_filter_works_by_keyboard_and_says_what_it_finds(browser: Chromium, desk_page: Path) -> None:
    browser.open(desk_page.as_uri())
    cases = browser.evaluate("JSON.parse(document.getElementById('cases').textContent).cases")
    assert hits(browser, until="filtered") == f"{len(cases)} cases, not filtered."
    tab_to(browser, "#filter-text")
    browser.type("Gift Card")
    gift = sum("gift card" in case["input"][0] for case in cases)
    assert hits(browser, until=f"{gift} cases") == f"{gift} cases of {len(cases)} match, in 1 of 12 categories."
    assert browser.evaluate("[...document.querySelectorAll('.category')].filter((c) => !c.hidden).length") == 1
    tab_to(browser, "#filter button")
    browser.press("Enter")
    assert hits(browser, until="not filtered") == f"{len(cases)} cases, not filtered."
    browser.evaluate("document.getElementById('filter-text').focus()")
    tab_to(browser, "#filter-key")
    browser.type("plan")
    tab_to(browser, "#filter-value")
    browser.type("pro")
    paying = sum(case["metadata"]["plan"] == "pro" for case in cases)
    assert hits(browser, until=f"{paying} cases of").startswith(f"{paying} cases of {len(cases)} match")
    browser.evaluate("document.getElementById('filter-text').focus()")
    tab_to(browser, "#filter-task")
    browser.type("route")
    tab_to(browser, "#filter-diagnosis")
    browser.type("amb")
    both = sum(c["metadata"]["plan"] == "pro" and c["task"] == "route" and c["diagnosis"] == "ambiguous" for c in cases)
    assert 0 < both < paying
    assert "in 1 of 12 categories" in hits(browser, until=f"{both} cases of")


def test_a_category_folds_by_keyboard_and_shows_all_its_cases(browser: Chromium, desk_page: Path) -> None:
    browser.open(desk_page.as_uri())
    tab_to(browser, "#mode-01 > .all > summary")
    browser.press("Enter")
    count = "document.querySelectorAll('#mode-01 > .all .case').length"
    all_of_it = "Number(document.querySelector('#mode-01 > .all').dataset.count)"
    assert browser.evaluate(f"new Promise((done) => setTimeout(() => done({count}), 200))") == browser.evaluate(
        all_of_it
    )
    shown = browser.evaluate("document.querySelector('#mode-01 .all .case').textContent")
    assert "returns" in shown
    marks = browser.evaluate("[...document.querySelector('#mode-01 .all .faces').querySelectorAll('mark')].length")
    assert marks == 2
    folded = "[...document.querySelector('#mode-01 .all .case').querySelectorAll('details')].map((d) => d.open)"
    assert not any(browser.evaluate(folded))
    links = browser.evaluate(
        "[...document.querySelectorAll('#mode-01 .all a')].map((a) => [a.textContent.trim(), a.hash])"
    )
    rows = [text.split()[-1] for text, _ in links if text.startswith("label_queue.csv row ")]
    assert rows
    assert all(["label_queue.csv row " + row, f"#row={row}"] in links for row in rows)
    assert any(text.startswith("eval_set.jsonl line ") for text, _ in links)
    browser.press("Enter")
    assert not browser.evaluate("document.querySelector('#mode-01 > .all').open")


def test_the_cases_beyond_the_first_hundred_come_at_a_press(browser: Chromium, tmp_path: Path) -> None:
    desk = support_desk(cases=700)
    browser.open(written(tmp_path, render_html(desk.summary, desk.page)).as_uri())
    browser.evaluate("document.querySelector('#mode-00 > .all').open = true")
    count = (
        "new Promise((done) => setTimeout(() => done(document.querySelectorAll('#mode-00 > .all .case').length), 200))"
    )
    assert browser.evaluate(count) == 100
    browser.evaluate("document.querySelector('#mode-00 > .all button').focus()")
    browser.press("Enter")
    assert browser.evaluate(count) == desk.summary.categories[0].cases


def test_hostile_texts_are_shown_and_run_nothing(browser: Chromium, tmp_path: Path) -> None:
    desk = support_desk(cases=60, tail=EVIL)
    page = written(tmp_path, render_html(desk.summary, desk.page))
    browser.open(page.as_uri())
    title = browser.evaluate("document.title")
    browser.evaluate(STICKING_OUT)
    shown = browser.evaluate("document.querySelector('.all .case').textContent")
    assert "</script><script>document.title='owned'</script>" in shown
    assert "{{ 7*7 }}" in shown
    assert browser.evaluate("document.title") == title
    assert browser.evaluate("document.querySelectorAll('img, iframe, main script').length") == 0
    assert browser.errors == []
    assert browser.requested == [page.as_uri()]


def test_a_script_that_got_in_is_not_run(browser: Chromium, tmp_path: Path) -> None:
    desk = support_desk(cases=60)
    inside = (
        "<script>document.title='owned'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title='owned'\">"
    )
    page = written(tmp_path, render_html(desk.summary, desk.page).replace("</main>", f"{inside}</main>"))
    browser.open(page.as_uri())
    assert "owned" not in browser.evaluate("document.title")
    assert any("Content Security Policy" in error for error in browser.errors)
    assert not browser.evaluate("document.getElementById('filter').hidden")


def test_without_its_script_the_page_says_what_is_missing(browser: Chromium, desk_page: Path) -> None:
    browser.open(desk_page.as_uri(), scripts=False)
    text = browser.evaluate("document.body.innerText")
    assert "The full case lists and the filter need the script of this page" in text
    assert "create_refund" in text
    assert browser.evaluate("document.getElementById('filter').hidden")
    assert browser.evaluate("[...document.querySelectorAll('.all')].every((list) => list.hidden)")
    assert browser.evaluate("document.querySelectorAll('.typical .case').length") > 30


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Chromium, tmp_path: Path, scheme: str) -> None:
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core is not installed: pip install --no-deps axe-playwright-python")
    desk = support_desk(cases=30)
    browser.open(written(tmp_path, render_html(desk.summary, desk.page)).as_uri())
    browser.emulate(prefers_color_scheme=scheme)
    browser.evaluate(
        "for (const fold of document.querySelectorAll('#mode-00 details, #aside details')) fold.open = true"
    )
    browser.evaluate(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8") + ";0")
    assert browser.evaluate(SERIOUS % "document") == []
    browser.evaluate("document.getElementById('filter-text').labels[0].remove()")
    assert [fault for fault, *_ in browser.evaluate(SERIOUS % "'#filter'")] == ["label"]
