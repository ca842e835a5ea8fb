"""The report as one self-contained HTML page, whatever the logs hold.

Its content security policy allows one script, by its hash, and no request. The script shows and filters the cases that the
page carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from markupsafe import Markup

from curator.report import category_text, committee_advice, score_quality, sentences, trends
from curator.report import format as formats
from curator.report.case_payload import PageCases
from curator.report.faced_answers import SIDES
from curator.report.failure_rate import failure_rate
from curator.report.how_to_read import reading
from curator.report.readings import readings_sentence
from curator.report.static_page import inline_text, page_environment
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary, Point, TypicalCase
from curator.report.word_diff import shortened
from curator.stats import HISTOGRAM_BINS, share
from curator.text.display import money, plural

MOST_CATEGORIES = 30
MAP_WIDTH, MAP_HEIGHT = 800, 460
_MAP_MARGIN = 26
_BRIEF_CONTEXT, _BRIEF_DIFFERENCE = 30, 90  # characters of an example on the first screen, which shows three lines
_LABEL_LIMIT = 30
_LABEL_CHARACTER, _LABEL_LINE = 6.6, 18.0  # pixels that a label's character and line take on the map
COLOURS = 8
SHAPES = ("circle", "square", "triangle", "diamond", "cross")  # 5 and 8 share no factor: 40 different marks


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of a category on the map: a colour 0..7 (None is grey) and a shape."""

    colour: int | None
    shape: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A case on the map, in pixels."""

    x: float
    y: float
    mark: Mark
    title: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A category's name on the map, in pixels."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One bin of the histogram; `height` in 0..1 of the highest one."""

    label: str
    count: int
    height: float


GREY = Mark(None, "circle")


def render_html(summary: Summary, cases: PageCases = PageCases()) -> str:  # noqa: B008  it is frozen
    """Return the whole page. The template engine escapes every text from the logs.

    `cases` are those of the categories; without them the page shows the typical cases only, and has no script.
    """
    shown, rest = summary.top_categories[:MOST_CATEGORIES], summary.top_categories[MOST_CATEGORIES:]
    marks = {c.id: mark_of(i) for i, c in enumerate(shown)}
    script = inline_text("curator.report", "report.js")
    return (
        page_environment("curator.report")
        .get_template("report.html.j2")
        .render(
            s=summary,
            shown=shown,
            examples={c.id: example_of(c) for c in shown},
            brief=partial(shortened, context=_BRIEF_CONTEXT, differing=_BRIEF_DIFFERENCE),
            parts={c.id: [part for part in summary.categories if part.parent == c.id] for c in summary.categories},
            rest_count=len(rest),
            rest_cases=sum(c.cases for c in rest),
            rest_share=sum(c.traffic_share for c in rest),
            page=cases,
            case_json=Markup(cases.to_script().decode()),  # noqa: S704  it holds no < > &
            script=script.text,
            script_hash=script.digest,
            sides=SIDES,
            marks=marks,
            grey=GREY,
            dots=dots(summary, marks),
            labels=labels(summary.points, shown),
            columns=columns(summary.disagreement.histogram),
            unanimous_share=share(summary.disagreement.unanimous, summary.counts.scored),
            width_px=MAP_WIDTH,
            height_px=MAP_HEIGHT,
            f={**vars(formats), "money": money, "plural": plural},
            w=sentences,
            failure_rate=failure_rate,
            k=category_text,
            q=score_quality,
            readings_sentence=readings_sentence,
            a=committee_advice,
            t=trends,
            reading=reading,
        )
    )


def example_of(category: CategorySummary) -> TypicalCase | None:
    """Return the typical case that shows the difference with the least text around it.

    None of a category without typical cases; the most central one where no two answers differ.
    """
    return min(category.typical, key=lambda case: _differing_characters(case) or float("inf"), default=None)


def _differing_characters(case: TypicalCase) -> int:
    contrast = case.contrast
    return sum(len(run.text) for run in (*contrast.given, *contrast.expected) if run.differs) if contrast else 0


def mark_of(index: int) -> Mark:
    """Return the mark of the category at this place in the order of the page."""
    return Mark(index % COLOURS, SHAPES[index % len(SHAPES)])


def dots(summary: Summary, marks: dict[str, Mark]) -> list[Dot]:
    """Return the cases of the map, grey ones first so that they lie below the others."""
    names = {c.id: c.name for c in summary.categories}
    placed = [
        Dot(
            *_pixel(point),
            marks.get(point.category or "", GREY),
            f"{names.get(point.category or '', 'no category')}: {point.title}",
            point.selected,
        )
        for point in summary.points
    ]
    return sorted(placed, key=lambda dot: dot.mark.colour is not None)


def labels(points: Sequence[Point], categories: Sequence[CategorySummary]) -> list[Label]:
    """Return the names of categories, each above most of its cases; none covers another."""
    placed: list[Label] = []
    for category in categories:
        pixels = [_pixel(p) for p in points if p.category == category.id]
        if not pixels:
            continue
        text = category.name if len(category.name) <= _LABEL_LIMIT else category.name[: _LABEL_LIMIT - 1] + "\u2026"
        half = len(text) * _LABEL_CHARACTER / 2
        x = min(max(median(p[0] for p in pixels), half + 4), MAP_WIDTH - half - 4)
        upper = sorted(p[1] for p in pixels)[len(pixels) // 10]
        label = Label(round(x, 1), round(max(upper - 11, _LABEL_LINE), 1), text)
        if not any(_overlap(label, other) for other in placed):
            placed.append(label)
    return placed


def columns(histogram: Sequence[int]) -> list[Column]:
    """Return the columns of the histogram."""
    most = max(histogram) or 1
    return [Column(f"{i / HISTOGRAM_BINS:.1f}", n, n / most) for i, n in enumerate(histogram)]


def _overlap(a: Label, b: Label) -> bool:
    reach = (len(a.text) + len(b.text)) * _LABEL_CHARACTER / 2 + 8
    return abs(a.x - b.x) < reach and abs(a.y - b.y) < _LABEL_LINE


def _pixel(point: Point) -> tuple[float, float]:
    """Return the place of a point on the map, in pixels; y runs downwards."""
    x = _MAP_MARGIN + point.x * (MAP_WIDTH - 2 * _MAP_MARGIN)
    y = _MAP_MARGIN + (1 - point.y) * (MAP_HEIGHT - 2 * _MAP_MARGIN)
    return round(x, 1), round(y, 1)
