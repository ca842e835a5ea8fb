"""The label page in a real browser: keys, undo, what it keeps, its file, hostile texts, widths."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

import curator
from benchmarks.common.chromium import Chromium
from curator.config import LabellingConfig
from curator.labels.doubts import quoted
from curator.labels.page import label_page
from curator.labels.queue import QueueRow
from curator.labels.read import read_labels
from tests.labels.page_kit import CATEGORIES, desk_queue, saved, start, text, wait

pytestmark = pytest.mark.browser
PHONE = 390
HOSTILE = tuple(
    template.format(n=n)
    for n in range(20)
    for template in (
        "</script><script>window.owned={n}</script>", "<img src=x{n} onerror=window.owned={n}>", "<svg/onload=window.owned={n}>",
        "javascript:window.owned={n}", "${{window.owned={n}}}", '"-(window.owned={n})-"', "<!--<script>{n}", "\u2028\u2029\u202e{n}",
        "{{{{ {n} * 7 }}}}", "<iframe srcdoc='<script>parent.owned={n}</script>'>",
    )
)  # fmt: skip
Page = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Page:
    """Writes the page of a queue into a folder of the test."""

    def write(rows: list[QueueRow], folder: str = "run", categories: tuple[str, ...] = CATEGORIES) -> Path:
        path = tmp_path / folder / "label.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(label_page(rows, categories), encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def forgetful(browser: Chromium) -> None:
    """The browser begins each test without labels: all pages from files share one store."""
    browser.open("file:///", width=800)
    browser.evaluate("localStorage.clear()")


def rows(browser: Chromium) -> list[dict[str, Any]]:
    """The rows that the page would save."""
    return [json.loads(line) for line in browser.evaluate("Store.lines()")]


def given(browser: Chromium, *keys: str) -> list[list[Any]]:
    return [[row[key] for key in keys or ("verdict", "label")] for row in rows(browser)]


def go_to(browser: Chromium, kind: str, *, target: bool = True) -> dict[str, Any]:
    """Go with the arrow keys to the first case of a kind; return its data."""
    while text(browser, "#title").split()[1] != "1":
        browser.press("ArrowLeft")
    for _ in range(50):
        place = int(text(browser, "#title").split()[1]) - 1
        case: dict[str, Any] = browser.evaluate(f"Store.page.cases[{place}]")
        if case["kind"] == kind and ("target" in case) == target:
            return case
        browser.press("ArrowRight")
    raise AssertionError(kind)


def test_a_verdict_is_one_key_and_brings_the_next_case(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(12)))
    keys = 0
    for n in range(12):
        assert text(browser, "#title").startswith(f"Case {n + 1} of 12")
        browser.press("p" if n % 3 else "u")
        keys += 1
        if text(browser, "#title").startswith(f"Case {n + 1} of 12"):  # no answer of production: nothing to pass
            browser.press("1")
            keys += 1
    assert len(rows(browser)) == 12
    assert keys <= 2 * 12
    assert keys == 12 + sum(case["verdict"] == "" for case in rows(browser))
    assert "All cases are judged" in text(browser, "main")


def test_a_key_that_is_held_down_judges_one_case(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    browser.press("u")
    for _ in range(3):
        browser.call(
            "Input.dispatchKeyEvent", type="keyDown", key="u", text="u", windowsVirtualKeyCode=85, autoRepeat=True
        )
    assert len(rows(browser)) == 1


def test_the_labels_of_a_selection_give_its_failure_rate(browser: Chromium, tmp_path: Path) -> None:
    records = [
        {
            "id": f"q{n}",
            "input": f"What is {n} x {n + 7}?",
            "target": str(n * (n + 7)),
            "generations": [str(n), str(n + 1)],
        }
        for n in range(60)
    ]
    selected = curator.select(records, tmp_path / "week", k=40)
    start(browser, tmp_path / "week" / "label.html")
    wrong = 0
    for _ in selected.picks:
        fails = int(text(browser, ".question .log").split()[2]) < 15
        wrong += fails
        browser.press("f" if fails else "p")
    result = curator.estimate(saved(browser, tmp_path / "week"), selection=tmp_path / "week")
    assert (result.estimate.labels, result.rejected) == (40, ())
    assert 0 < wrong < 40
    assert result.estimate.low < 15 / 60 < result.estimate.high


def test_the_page_says_who_labelled_for_how_long_and_when(browser: Chromium, written: Page) -> None:
    queue = desk_queue(4)
    start(browser, written(queue), name="  Ana  Maria ")
    browser.evaluate("window.clock = Date.now(); Date.now = () => window.clock")
    browser.press("o")
    browser.evaluate("window.clock += 30000")
    browser.press("o")
    browser.evaluate("window.clock += 3600000")  # away from the desk
    browser.press("o")
    browser.evaluate("window.clock += 12000")
    browser.press("u")
    (row,) = rows(browser)
    assert row["labelled_by"] == "Ana Maria"
    assert 42 <= row["seconds"] < 47
    assert row["labelled_at"].endswith("Z")
    of_queue = queue[0].to_json()
    shared = ("case_id", "content_hash", "slice", "inclusion_probability", "kind")
    assert {key: row[key] for key in shared} == {key: of_queue[key] for key in shared}


def test_a_number_chooses_the_right_answer(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    case = go_to(browser, "text")
    right = next(n for n, answer in enumerate(case["answers"], 1) if not answer["same"])
    browser.press(str(right))
    assert given(browser) == [["fail", "A card holds up to 100 dollars."]]
    browser.press("z")
    assert given(browser) == []
    browser.press(str(3 - right))
    assert given(browser) == [["pass", ""]]
    assert "that is what production answered" in text(browser, "#status")
    case = go_to(browser, "label")
    number = next(n for n, answer in enumerate(case["answers"], 1) if answer["label"] == '"n/a"')
    browser.press(str(number))
    assert given(browser)[-1] in (["fail", '"n/a"'], ["pass", ""])
    assert ["fail", '"n/a"'] in given(browser)


def test_another_label_of_the_task_can_be_chosen(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    case = go_to(browser, "label")
    assert [option["label"] for option in case["labels"]] == ["delivery"]
    browser.press("3")
    assert given(browser) == [["fail", "delivery"]]


def test_a_case_without_an_answer_of_production_asks_for_the_right_one(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    go_to(browser, "text", target=False)
    assert "The log has no answer of production" in text(browser, ".production")
    browser.press("p")
    browser.press("f")
    assert rows(browser) == []
    assert "choose or type the right one" in text(browser, "#status")
    browser.press("c")
    browser.type("No nuts")
    browser.press("Enter")
    assert given(browser) == [["", "No nuts"]]


def test_a_correction_is_typed_and_survives_a_reload_before_it_is_saved(browser: Chromium, written: Page) -> None:
    page = written(desk_queue(4))
    start(browser, page)
    case = go_to(browser, "tool_call")
    browser.press("c")
    browser.type("hand over, pf 1?")
    assert rows(browser) == []
    browser.open(page.as_uri())
    wait(browser, "!document.querySelector('header').hidden")
    assert go_to(browser, "tool_call") == case
    browser.press("c")
    assert browser.evaluate("document.getElementById('typed').value") == "hand over, pf 1?"
    browser.press("Enter")
    assert given(browser) == [["fail", "hand over, pf 1?"]]


def test_a_typed_placeholder_is_asked_about_and_then_meant(browser: Chromium, written: Page, tmp_path: Path) -> None:
    start(browser, written(desk_queue(4)))
    case = go_to(browser, "tool_call")
    browser.press("c")
    browser.type("N/A")
    browser.press("Enter")
    assert rows(browser) == []
    assert "looks like a placeholder" in text(browser, "#status")
    browser.press("Enter")
    assert given(browser) == [["fail", '"N/A"']]
    labels = read_labels([str(saved(browser, tmp_path / "saved"))])
    assert labels.labels[case["case_id"]].text == "N/A"
    assert labels.rejected == ()


def test_the_words_that_are_doubted_are_those_of_the_reader(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    page = browser.evaluate("Store.page.doubtful")
    assert all(quoted(word) != word for word in page["words"])
    assert page["longest"] == 20


def test_note_and_category_stay_with_a_case_and_its_verdict(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    go_to(browser, "text")
    browser.press("n")
    browser.type("ask sales")
    browser.press("Enter")
    browser.press("k")
    browser.press("2")
    assert given(browser, "verdict", "note", "corrected_category") == [["", "ask sales", CATEGORIES[1]]]
    browser.press("f")
    assert given(browser, "verdict", "note", "corrected_category") == [["fail", "ask sales", CATEGORIES[1]]]
    for _ in range(3):
        browser.press("z")
    assert rows(browser) == []


def test_counts_and_category_are_hidden_until_the_case_is_judged(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    go_to(browser, "text")
    assert "given" not in text(browser, "main")
    assert CATEGORIES[0] not in text(browser, "main")
    browser.press("p")
    browser.press("z")
    browser.press("p")
    browser.press("ArrowLeft")
    go_to(browser, "text")
    assert "given 3 of 4 times" in text(browser, "main")
    assert CATEGORIES[0] in text(browser, "main")


def test_undo_goes_back_step_by_step(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(8)))
    for key in "ufu":
        browser.press(key)
    before = given(browser)
    browser.press("u")
    browser.press("z")
    assert given(browser) == before
    for _ in before:
        browser.press("z")
    assert rows(browser) == []
    assert text(browser, "#title").startswith("Case 1 of 8")
    browser.press("z")
    assert "nothing to undo" in text(browser, "#status")


def test_a_reload_keeps_labels_person_and_place(browser: Chromium, written: Page) -> None:
    page = written(desk_queue(8))
    start(browser, page)
    for key in "uuu":
        browser.press(key)
    before = rows(browser)
    browser.open(page.as_uri())
    wait(browser, "!document.querySelector('header').hidden")
    assert rows(browser) == before
    assert text(browser, "#name") == "Ana"
    assert text(browser, "#title").startswith("Case 4 of 8")
    assert "3 of 8 done" in text(browser, "#progress")


def test_labels_of_another_queue_are_never_mixed_in(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(8)))
    browser.press("u")
    browser.open(written(desk_queue(12), "other").as_uri())
    wait(browser, "!document.querySelector('header').hidden")
    assert rows(browser) == []
    assert text(browser, "#notices") == ""


def test_labels_of_an_earlier_queue_of_the_folder_are_offered_until_they_are_saved(
    browser: Chromium, written: Page, tmp_path: Path
) -> None:
    start(browser, written(desk_queue(8)))
    browser.press("u")
    browser.press("u")
    kept = rows(browser)
    page = written(desk_queue(12))
    browser.open(page.as_uri())
    wait(browser, "document.querySelector('.notice')")
    assert rows(browser) == []
    assert "2 labels of an earlier queue of this folder" in text(browser, ".notice")
    browser.download_into(tmp_path)
    browser.evaluate("document.querySelector('.notice button').click()")
    wait(browser, "!document.querySelector('.notice')")
    for _ in range(200):
        if files := list(tmp_path.glob("label_queue.done.*.jsonl")):
            break
        time.sleep(0.02)
    lines = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert sorted(lines, key=itemgetter("case_id")) == sorted(kept, key=itemgetter("case_id"))
    browser.open(page.as_uri())
    wait(browser, "!document.querySelector('header').hidden")
    assert text(browser, "#notices") == ""


def test_what_is_saved_reads_back_and_loads_on_another_computer(
    browser: Chromium, written: Page, tmp_path: Path
) -> None:
    page = written(desk_queue(12))
    start(browser, page)
    case = go_to(browser, "label")
    browser.press(str(1 + next(n for n, answer in enumerate(case["answers"]) if answer["label"] == '"n/a"')))
    for key in "u1u1ufu":
        browser.press(key)
    path = saved(browser, tmp_path / "first")
    assert text(browser, "#unsaved") == ""
    on_page = rows(browser)
    labels = read_labels([str(path)])
    assert labels.rejected == ()
    assert {i: (label.failure, label.text, label.by, label.probability) for i, label in labels.labels.items()} == {
        row["case_id"]: (
            {"pass": 0.0, "fail": 1.0}.get(row["verdict"]),
            row["label"].strip('"') or None,
            "Ana",
            row["inclusion_probability"],
        )
        for row in on_page
    }
    browser.evaluate("localStorage.clear()")
    start(browser, page, name="ana")
    assert rows(browser) == []
    browser.choose_file("#file", path)
    wait(browser, "document.getElementById('status').textContent.includes('loaded')")
    assert [row | {"labelled_by": "Ana"} for row in rows(browser)] == on_page
    browser.choose_file("#file", path)
    wait(browser, "document.getElementById('status').textContent.includes('here already')")
    again = saved(browser, tmp_path / "second")
    assert len(again.read_text().splitlines()) == len(on_page)


def test_a_file_of_another_queue_or_a_damaged_one_changes_nothing(
    browser: Chromium, written: Page, tmp_path: Path
) -> None:
    start(browser, written(desk_queue(4)))
    browser.press("u")
    (row,) = before = rows(browser)
    lines = [
        json.dumps(row | {"case_id": "c9"}),
        json.dumps(row | {"content_hash": "t0", "verdict": "pass"}),
        json.dumps(row | {"verdict": "maybe"}),
        json.dumps(row | {"verdict": "pass", "labelled_at": "2020-01-01T00:00:00Z"}),
        "not json", "null", "[1]",
    ]  # fmt: skip
    (tmp_path / "other.jsonl").write_text("\n".join(lines))
    browser.choose_file("#file", tmp_path / "other.jsonl")
    wait(browser, "document.getElementById('status').textContent.includes('loaded')")
    assert rows(browser) == before
    status = text(browser, "#status")
    assert "1 of cases that are not in this queue" in status
    assert "1 older" in status
    assert "5 lines could not be read" in status


def test_a_note_from_another_computer_joins_a_verdict_and_never_replaces_it(
    browser: Chromium, written: Page, tmp_path: Path
) -> None:
    start(browser, written(desk_queue(4)))
    browser.press("u")
    browser.press("n")
    browser.type("later")
    browser.press("Enter")
    first, second = rows(browser)
    lines = [
        json.dumps(first | {"verdict": "", "note": "see ticket 7", "labelled_at": "2099-01-01T00:00:00Z"}),
        json.dumps(second | {"verdict": "unsure", "note": "", "labelled_at": "2020-01-01T00:00:00Z"}),
    ]
    (tmp_path / "other.jsonl").write_text("\n".join(lines))
    browser.choose_file("#file", tmp_path / "other.jsonl")
    wait(browser, "document.getElementById('status').textContent.includes('loaded')")
    assert given(browser, "verdict", "note") == [["unsure", "see ticket 7"], ["unsure", "later"]]
    assert rows(browser)[0]["labelled_at"] == first["labelled_at"]


def test_a_verdict_that_takes_a_right_answer_away_says_so(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    go_to(browser, "tool_call")
    browser.press("1")
    go_to(browser, "tool_call")
    browser.press("f")
    assert given(browser)[0][1]
    go_to(browser, "tool_call")
    browser.press("p")
    assert "right answer that was given is gone" in text(browser, "#status")
    browser.press("z")
    assert given(browser)[0][1]


def test_each_person_sees_their_cases_and_only_their_labels(browser: Chromium, written: Page) -> None:
    queue = desk_queue(8, labelling=LabellingConfig(batch_size=4, annotators=("Ana", "Ben"), overlap=0.25))
    start(browser, written(queue), name="ben")
    assert text(browser, "#name") == "Ben"
    own = {row.case_id for row in queue if row.annotator == "Ben"}
    assert text(browser, "#title").startswith(f"Case 1 of {len(own)}")
    for _ in own:
        browser.press("u")
    assert {row["case_id"] for row in rows(browser)} == own
    browser.evaluate("document.getElementById('name').click()")
    browser.evaluate("document.getElementById('who-name').value = 'Ana'")
    browser.press("Enter")
    wait(browser, "document.getElementById('name').textContent === 'Ana'")
    assert text(browser, "#progress").startswith("0 of ")
    assert {row["labelled_by"] for row in rows(browser)} == {"Ben"}


def test_a_batch_and_the_open_cases_can_be_filtered(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(12)))
    browser.press("b")
    browser.type("Batch 2")
    wait(browser, "document.getElementById('title').textContent.startsWith('Case 1 of 4')")
    assert browser.evaluate("document.activeElement.id") == "batch"
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.id") == "case"
    for _ in range(4):
        browser.press("u")
    assert "Batch 2 is done" in text(browser, "main")
    browser.press("Enter")
    assert text(browser, "#title").startswith("Case 1 of 12")
    browser.evaluate(
        "document.getElementById('show').value = 'todo'; document.getElementById('show').dispatchEvent(new Event('change'))"
    )
    places = set()
    for _ in range(12):
        places.add(int(text(browser, "#title").split()[1]))
        browser.press("ArrowRight")
    assert places == {1, 2, 3, 4, 9, 10, 11, 12}


def test_unsure_cases_stay_marked_and_can_be_looked_at_once_more(browser: Chromium, written: Page) -> None:
    queue = desk_queue(4)
    before = [replace(row, verdict="unsure", note="ask sales") for row in queue[2:]]
    start(browser, written([*queue[:2], *before]))
    assert text(browser, "#progress") == "2 of 4 done"
    browser.press("u")
    browser.press("u")
    assert "All cases are judged" in text(browser, "main")
    assert {row["case_id"] for row in rows(browser)} == {row.case_id for row in queue[:2]}
    browser.evaluate("document.querySelector('[data-do=unsure-again]').click()")
    assert text(browser, "#title").startswith("Case 1 of 4")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert "Left as unsure before" in text(browser, ".judged")
    assert "ask sales" in text(browser, ".judged")
    browser.press("1")
    browser.press("u")
    assert "All cases are judged" in text(browser, "main")
    assert len(rows(browser)) == 4


def test_five_hundred_cases_are_on_the_page_one_at_a_time(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(500, labelling=LabellingConfig(batch_size=25))))
    nodes = "document.querySelectorAll('main *').length"
    most = 0
    for n in range(500):
        most = max(most, browser.evaluate(nodes))
        assert browser.evaluate("document.querySelectorAll('.sheet').length") == 1, n
        browser.press("u")
    assert most < 150
    assert len(rows(browser)) == 500
    assert "All cases are judged" in text(browser, "main")
    assert browser.errors == []


def test_hostile_texts_are_shown_and_run_nothing(browser: Chromium, written: Page, tmp_path: Path) -> None:
    assert len(set(HOSTILE)) == 200
    queue = [
        row
        for n, evil in enumerate(HOSTILE)
        for row in desk_queue(n + 1, tail=evil)
        if row.case_id == f"c{n:016x}"
    ]  # fmt: skip
    page = written(queue, categories=HOSTILE)
    start(browser, page, name="<img src=x onerror=window.owned=1>")
    for n in range(200):
        browser.press("o")
        if n % 20 == 0:
            browser.press("k")
            browser.press("1")
            browser.press("n")
            browser.type("<b>")
            browser.press("Enter")
        browser.press("1")
    assert len(rows(browser)) == 200
    assert browser.evaluate("typeof window.owned") == "undefined"
    assert browser.evaluate("document.querySelectorAll('img, iframe, svg, main script, b:empty').length") == 0
    assert browser.errors == []
    assert browser.requested == [page.as_uri()]
    labels = read_labels([str(saved(browser, tmp_path / "saved"))])
    assert len(labels.labels) == 200
    assert labels.rejected == ()


def test_a_script_that_got_in_is_not_run(browser: Chromium, written: Page) -> None:
    page = written(desk_queue(4))
    inside = "<script>window.owned=1</script><img src='http://127.0.0.1:9/x.png' onerror='window.owned=1'>"
    page.write_text(page.read_text().replace("</main>", f"{inside}</main>"))
    start(browser, page)
    assert browser.evaluate("typeof window.owned") == "undefined"
    assert any("Content Security Policy" in error for error in browser.errors)


@pytest.mark.parametrize("width", [PHONE, 768, 1280])
def test_nothing_sticks_out_of_the_page(browser: Chromium, written: Page, width: int) -> None:
    long = "x" * 700 + " עברית " + "word " * 80
    start(browser, written(desk_queue(8, tail=long), categories=(long,)), name="n" * 90, width=width)
    sticking_out = "[document.documentElement.scrollWidth, [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length]"
    for n in range(8):
        browser.press("o")
        assert browser.evaluate(sticking_out) == [width, 0], n
        for key in "ck":
            browser.press(key)
            assert browser.evaluate(sticking_out) == [width, 0], (n, key)
            browser.press("Escape")
        browser.press("u")
    browser.press("ArrowLeft")
    assert browser.evaluate(sticking_out) == [width, 0]


def test_everything_works_with_the_keyboard_alone(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    browser.press("?")
    assert browser.evaluate("document.getElementById('keys').open")
    browser.press("Escape")
    wait(browser, "!document.getElementById('keys').open")
    for _ in range(60):
        if browser.evaluate("document.activeElement.dataset.do === 'unsure'"):
            break
        browser.press("Tab")
    browser.press("Enter")
    assert given(browser) == [["unsure", ""]]
    assert browser.evaluate("document.activeElement.id") == "case"
    before = browser.evaluate("Store.page.cases[1].category")
    browser.press("k")
    browser.press("ArrowDown")
    browser.press("Enter")
    after = CATEGORIES[(CATEGORIES.index(before) + 1) % len(CATEGORIES)]
    assert given(browser, "corrected_category")[1:] == [[after]]
    browser.press("c")
    browser.type("p f u 1")
    browser.press("Escape")
    assert len(rows(browser)) == 2


@pytest.mark.parametrize(
    ("key", "code", "verdict"),
    [("\u0437", "KeyP", "pass"), ("&", "Digit1", "fail"), ("!", "Digit1", None), ("q", "KeyP", None)],
)
def test_other_layouts_of_the_keyboard_work(
    browser: Chromium, written: Page, key: str, code: str, verdict: str | None
) -> None:
    start(browser, written(desk_queue(4)))
    go_to(browser, "tool_call")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, text=key, modifiers=8 * (key == "!"))
    assert [row["verdict"] for row in rows(browser)] == ([verdict] if verdict else [])


def test_single_keys_can_be_switched_off(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(4)))
    browser.press("?")
    browser.evaluate("document.getElementById('single').click()")
    browser.press("Escape")
    wait(browser, "!document.getElementById('keys').open")
    browser.press("u")
    browser.press("1")
    assert rows(browser) == []
    browser.press("ArrowRight")
    assert text(browser, "#title").startswith("Case 2")


def test_without_a_store_the_page_says_that_nothing_is_kept(browser: Chromium, written: Page) -> None:
    browser.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})",
    )
    browser.call("Page.navigate", url=written(desk_queue(4)).as_uri())
    wait(browser, "document.querySelector('.notice')")
    assert "does not keep labels" in text(browser, ".notice")
    browser.type("Ana")
    browser.press("Enter")
    wait(browser, "!document.querySelector('header').hidden")
    browser.press("u")
    assert len(rows(browser)) == 1
    browser.evaluate("Store.remember()")
    assert len(rows(browser)) == 1


def test_a_full_store_forgets_other_queues_that_were_saved(browser: Chromium, written: Page) -> None:
    page = written(desk_queue(4))
    start(browser, page)
    browser.evaluate("""(() => {
      localStorage.setItem("curator.label.old.meta", '{"changes": 0, "folder": "/x/"}');
      localStorage.setItem("curator.label.late.meta", '{"changes": 1, "folder": "/x/"}');
      for (let size = 1 << 24; size; size >>= 1) {
        for (let n = 0; n < 20; n += 1) {
          try { localStorage.setItem(`curator.label.old.row.${size}.${n}`, "x".repeat(size)); } catch { break; }
        }
      }
    })()""")
    browser.press("u")
    browser.press("u")
    assert browser.evaluate("Store.lasting()")
    assert browser.evaluate("Object.keys(localStorage).filter((key) => key.includes('.old.')).length") == 0
    assert browser.evaluate("localStorage.getItem('curator.label.late.meta')") is not None
    browser.open(page.as_uri())
    wait(browser, "!document.querySelector('header').hidden")
    assert len(rows(browser)) == 2


def test_two_tabs_do_not_undo_each_other(browser: Chromium, written: Page) -> None:
    start(browser, written(desk_queue(8)))
    browser.press("u")
    other = "localStorage.setItem(`${Store.prefix}row.Ana.${Store.page.cases[5].case_id}`, JSON.stringify(Store.row(Store.page.cases[5], 'Ana', {verdict: 'unsure', seconds: 1, labelled_at: new Date().toISOString()})))"
    browser.evaluate(other)
    browser.press("u")
    browser.evaluate("Store.remember()")
    assert len(rows(browser)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Chromium, written: Page, scheme: str) -> None:
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core is not installed: pip install --no-deps axe-playwright-python")
    start(browser, written(desk_queue(4)))
    browser.emulate(prefers_color_scheme=scheme)
    browser.evaluate(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8") + ";0")
    serious = """axe.run().then((found) => found.violations.filter((fault) => ["serious", "critical"].includes(fault.impact))
      .map((fault) => [fault.id, fault.nodes[0].html.slice(0, 200), fault.nodes[0].failureSummary]))"""
    for keys in ("", "o", "u", "c", "k"):
        for key in keys:
            browser.press(key)
        assert browser.evaluate(serious) == [], keys
        browser.press("Escape")
