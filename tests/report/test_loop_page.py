"""The page of a loop: figures, empty states, hostile texts, and the geometry of the curve."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.common.chromium import Chromium
from curator.records.loop import SavedLabels, SliceErrors
from curator.report.curve_chart import ChartPoint, curve_chart, percent_axis, tick_step
from curator.report.loop_bias import MOST_TASKS, PERIOD_CASES, bias_rows, halves, periods, task_rows, tasks_left_out
from curator.report.loop_page import curve_rows, gain, left_out, loop_page, price_rows, saved_sentence
from tests.report.loop_rounds_kit import HELD_OUT, rounds
from tests.report.test_browser import EVIL, PHONE, SERIOUS, STICKING_OUT

NONE = ("-", "-", "-", "-")


def text_of(page: str) -> str:
    """The page without its elements, on one line."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def full_page(count: int = 4) -> str:
    ours = [replace(done, production=0.62) for done in rounds(count)]
    return loop_page("desk", ours, rounds(count, top=0.85), saved=SavedLabels(0.41, 0.3, 0.5))


class Tags(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_has_every_figure_of_a_round() -> None:
    text = text_of(full_page())
    first, last = rounds(4)[0], rounds(4)[-1]
    for done in (first, last):
        assert f"{done.score:.1%} ({done.low:.1%} to {done.high:.1%})" in text
    assert "labels in all, those of the held-out set included 625" in text
    assert "of labelling 10.4 h" in text  # 24,000 s and three rounds of 4,500 s
    assert "for 4 trainings $5.00" in text
    assert "production on the same cases, 62.0%" in text
    assert "labels saved against the random arm 41% (95%: 30% to 50%)" in text
    assert "The loop goes on after round 3" in text
    assert last.view in text


def test_the_curve_has_a_point_for_each_round_and_a_second_arm() -> None:
    page = full_page()
    tags = Tags(page).seen
    kinds = [attributes.get("class") for tag, attributes in tags if tag == "g"]
    assert kinds.count("loop") == kinds.count("random") == 4  # line and points, in the wide and in the narrow chart
    dots = [tag for tag, attributes in tags if attributes.get("class") == "dot"]
    assert dots.count("circle") == 2 * 4 + 1  # one in the legend
    assert dots.count("path") == 2 * 4 + 1
    assert all(attributes.get("aria-label") for tag, attributes in tags if attributes.get("role") == "img")


def test_without_a_random_arm_the_page_says_so() -> None:
    page = loop_page("desk", rounds(3), [], saved=None)
    assert 'class="random"' not in page
    assert "random arm: right" not in text_of(page)
    assert "No random arm was run" in text_of(page)


def test_labels_saved_are_not_enough_data_until_the_loop_is_as_good() -> None:
    control = rounds(3)
    assert "not enough data" in saved_sentence(control, None)
    assert f"{control[-1].score:.1%} with 250 training labels" in saved_sentence(control, None)
    assert ": -10% (95%: possibly none to 20%)." in saved_sentence(control, SavedLabels(-0.1, None, 0.2))
    assert "labels saved against the random arm not enough data" in text_of(
        loop_page("desk", rounds(3), control, saved=None)
    )


def test_before_the_first_round_the_page_says_what_it_waits_for() -> None:
    page = loop_page(
        "desk", [], [], saved=None, waiting="round 0: 12 of 400 labels have come back", power="With 300 cases."
    )
    text = text_of(page)
    assert "No round has ended yet" in text
    assert "12 of 400 labels" in text
    assert "With 300 cases." in text
    assert "<table" not in page
    assert 'role="img"' not in page


def test_the_first_round_has_its_interval_and_no_gain() -> None:
    page = loop_page("desk", rounds(1), [], saved=None)
    assert page.count('class="whisker"') == 2
    assert 'class="band"' not in page
    assert "Not enough data: it needs a round" in text_of(page)
    assert gain(rounds(1)[0]) == "-"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.077, 0.047, 0.107), "+7.7 (+4.7 to +10.7)"),
        ((-0.01, -0.03, 0.01), "-1.0 (-3.0 to +1.0)"),
        ((0.05, None, None), "+5.0"),
        ((None, None, None), "-"),
    ],
)
def test_a_gain_is_in_points(values: tuple[float | None, ...], shown: str) -> None:
    done = replace(rounds(1)[0], gain=values[0], gain_low=values[1], gain_high=values[2])
    assert gain(done) == shown


def test_arms_with_other_rounds_stand_in_one_table() -> None:
    control = [replace(rounds(1)[0], training_labels=90), *rounds(3)[1:]]
    head, first, second, third = curve_rows(rounds(2), control)
    assert head[-1].startswith("random arm")
    assert first[-1].endswith(", 90 labels")
    assert "label" not in second[-1]
    assert third[1:5] == NONE


@pytest.mark.parametrize("count", [1, 2, 9])
def test_every_table_has_as_many_cells_as_its_head(count: int) -> None:
    ours = rounds(count, tasks=("route", "refund"))
    tables = (curve_rows(ours, []), curve_rows(ours, ours), price_rows(ours), bias_rows(ours), task_rows(ours))
    assert all(len({len(row) for row in table}) <= 1 for table in tables)


def test_hours_and_price_add_up_and_an_unknown_price_is_not_free() -> None:
    ours = rounds(3)
    ours[1] = replace(ours[1], usd=None)
    head, first, second, third = price_rows(ours)
    assert dict(zip(head, first, strict=True)) == {
        "round": "0", "new labels": "400", "without an answer": "0", "labels in all": "400", "labelling": "6.7 h",
        "labelling in all": "6.7 h", "training": "3 min 20 s", "price": "$1.25", "price in all": "$1.25",
    }  # fmt: skip
    assert second[1:] == ("75", "0", "475", "1.2 h", "7.9 h", "3 min 20 s", "not known", "at least $1.25")
    assert third[-2:] == ("$1.25", "at least $2.50")
    assert price_rows([replace(ours[0], usd=None)])[1][-2:] == ("not known", "not known")


def test_cases_that_do_not_count_are_named_with_their_reason() -> None:
    ours = [replace(done, undecided=2) for done in rounds(2)]
    ours[-1] = replace(ours[-1], undecidable=5, excluded={"its question is held out": 3})
    lines = left_out(ours)
    assert lines[0].startswith("4 labelled cases of all rounds")
    assert lines[1].startswith(f"5 of {HELD_OUT + 5} held-out answers")
    assert lines[2] == "3 labelled cases not trained on in the last round: its question is held out."
    assert all(line in text_of(loop_page("desk", ours, [], saved=None)) for line in lines)
    assert not left_out(rounds(2))


def test_rounds_are_put_together_until_the_random_slice_is_large_enough() -> None:
    ours = rounds(11)  # ten rounds with 8 random cases each
    assert [period.name for period in periods(ours)] == ["rounds 1-4", "rounds 5-10"]
    head, first, second = bias_rows(ours)
    assert head == ("rounds", "random slice", "chosen cases", "held-out set")
    assert first[1] == "25% (13%-42%), n=32"
    assert second[1].endswith("n=48")
    assert first[3] == "40% to 17%"  # the models of rounds 0 and 3
    assert min(period.counts("", chosen=False)[1] for period in periods(ours)) >= PERIOD_CASES


def test_few_random_cases_have_no_rate() -> None:
    (_, row) = bias_rows(rounds(2))
    assert row[:2] == ("round 1", "not enough data: 2 of 8")


def test_a_loop_without_a_random_slice_is_told_apart() -> None:
    ours = rounds(6, random=(0, 0))
    assert [period.name for period in periods(ours)] == ["rounds 1-5"]
    assert bias_rows(ours)[1][1] == "-"
    assert "No case was drawn at random" in text_of(loop_page("desk", ours, [], saved=None))
    assert "No case was drawn at random" not in text_of(loop_page("desk", rounds(6), [], saved=None))


def test_tasks_show_both_halves_of_the_loop() -> None:
    ours = rounds(11, tasks=("route", "refund"))
    assert [period.name for period in halves(ours)] == ["rounds 1-5", "rounds 6-10"]
    head, first, second = task_rows(ours)
    assert head == ("task", "random slice, rounds 1-5", "random slice, rounds 6-10", "chosen cases, rounds 1-5", "chosen cases, rounds 6-10")  # fmt: skip
    assert first == ("refund", *["25% (14%-40%), n=40"] * 2, *["56% (41%-69%), n=45"] * 2)
    assert second[0] == "route"


def test_the_tasks_with_most_cases_are_shown() -> None:
    parts = tuple(SliceErrors("random", f"task {n:02}", 1, 10 + n) for n in range(MOST_TASKS + 3))
    ours = [rounds(1)[0], replace(rounds(2)[1], slices=parts)]
    assert tasks_left_out(ours) == 3
    shown = [row[0] for row in task_rows(ours)[1:]]
    assert shown[0] == f"task {MOST_TASKS + 2:02}"
    assert len(shown) == MOST_TASKS
    assert "3 more tasks" in text_of(loop_page("desk", ours, [], saved=None))


def hostile_page(count: int = 4) -> str:
    ours = [replace(done, excluded={EVIL: 2}, view=EVIL) for done in rounds(count, tasks=(EVIL, "x" * 900, "עברית"))]
    return loop_page(
        EVIL,
        ours,
        rounds(count, top=0.8),
        saved=SavedLabels(0.2, 0.1, 0.3),
        waiting=EVIL,
        power=EVIL,
        warnings=(EVIL, "w" * 5000),
    )


def test_texts_from_logs_are_texts() -> None:
    page = hostile_page()
    plain = {tag for tag, _ in Tags(full_page()).seen}
    assert {tag for tag, _ in Tags(page).seen} <= plain
    assert not any(name.startswith("on") for _, attributes in Tags(page).seen for name in attributes)
    assert "{{ 7*7 }}" in text_of(page)
    assert "\u202e" not in page
    assert "x" * 61 not in page
    assert "w" * 1201 not in page


def test_the_policy_of_the_page_allows_no_script_and_no_request() -> None:
    policy = next(a["content"] for tag, a in Tags(full_page()).seen if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@given(
    st.lists(
        st.tuples(st.integers(1, 30_000), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20
    ),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_every_point_and_tick_is_on_the_chart(
    values: list[tuple[int, float, float, float]], level: float | None
) -> None:
    points = []
    for labels, *shares in sorted(values):
        low, score, high = sorted(shares)
        points.append(ChartPoint(labels, score, low, high, ""))
    chart = curve_chart([("loop", points)], level=level, width=340, height=300, most_ticks=(5, 6))
    for dot in chart.lines[0].dots:
        assert chart.left <= dot.x <= chart.right
        assert chart.top - 0.1 <= dot.high <= dot.y <= dot.low <= chart.bottom + 0.1
    assert all(chart.top - 0.1 <= tick.at <= chart.bottom + 0.1 for tick in chart.y_ticks)
    assert chart.level is None or chart.top - 0.1 <= chart.level <= chart.bottom + 0.1
    assert 2 <= len(chart.y_ticks) <= 6
    assert 1 <= len(chart.x_ticks) <= 5
    assert chart.x_ticks[0].text == "0"
    assert all(0 <= int(tick.text.rstrip("%")) <= 100 for tick in chart.y_ticks)


def test_a_pixel_is_where_its_tick_says() -> None:
    points = [ChartPoint(100, 0.6, 0.55, 0.65, ""), ChartPoint(200, 0.8, 0.75, 0.85, "")]
    chart = curve_chart([("loop", points)], level=0.7, width=1000, height=400, most_ticks=(9, 8))
    heights = {tick.text: tick.at for tick in chart.y_ticks}
    widths = {tick.text: tick.at for tick in chart.x_ticks}
    assert [dot.y for dot in chart.lines[0].dots] == [heights["60%"], heights["80%"]]
    assert [dot.x for dot in chart.lines[0].dots] == [widths["100"], widths["200"]]
    assert chart.level == heights["70%"]


@pytest.mark.parametrize(
    ("low", "high", "most", "axis"),
    [
        (0.57, 0.62, 6, (57, 62, 1)),
        (0.493, 0.926, 8, (40, 100, 10)),
        (0.0, 1.0, 6, (0, 100, 20)),
        (1.0, 1.0, 6, (99, 100, 1)),
        (0.0, 0.0, 6, (0, 1, 1)),
        (0.96, 0.999, 4, (96, 100, 2)),
    ],
)
def test_the_axis_of_scores_has_whole_percentages(
    low: float, high: float, most: int, axis: tuple[int, int, int]
) -> None:
    assert percent_axis(low, high, most) == axis


@pytest.mark.parametrize(("labels", "most", "step"), [(1525, 9, 200), (1525, 5, 500), (1, 5, 1), (100, 9, 20)])
def test_the_axis_of_labels_has_few_round_steps(labels: int, most: int, step: int) -> None:
    assert tick_step(labels, most) == step


def written(folder: Path, page: str) -> str:
    path = folder / "loop.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.mark.browser
@pytest.mark.parametrize("width", [PHONE, 1280])
@pytest.mark.parametrize("count", [1, 20])
def test_nothing_sticks_out_and_the_chart_fits_the_width(
    browser: Chromium, tmp_path: Path, width: int, count: int
) -> None:
    url = written(tmp_path, hostile_page(count))
    browser.open(url, width=width)
    assert browser.evaluate(STICKING_OUT) == [width, 0]
    assert browser.requested == [url]
    assert browser.errors == []
    shown = "[...document.querySelectorAll('.chart')].filter((c) => c.getBoundingClientRect().width)"
    assert browser.evaluate(f"{shown}.map((c) => c.classList[1])") == ["narrow" if width == PHONE else "wide"]
    heights = f"{shown}.flatMap((c) => [...c.querySelectorAll('text')].map((t) => t.getBoundingClientRect().height))"
    assert min(browser.evaluate(heights)) >= 11  # pixels of a line of text


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Chromium, tmp_path: Path, scheme: str) -> None:
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not installed: pip install --no-deps axe-playwright-python")
    ours = [replace(done, production=0.62) for done in rounds(6)]
    page = loop_page("desk", ours, rounds(6, top=0.8), saved=None, warnings=("look at `label_queue.csv`",))
    browser.open(written(tmp_path, page))
    browser.emulate(prefers_color_scheme=scheme)
    browser.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    browser.evaluate(Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8") + ";0")
    assert browser.evaluate(SERIOUS % "document") == []
