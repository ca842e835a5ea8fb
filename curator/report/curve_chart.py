"""A learning curve as lines, bands and ticks in pixels, for a chart without a script."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 16.0, 14.0, 44.0
"""The margins in pixels; ticks and the name of the axis of labels need room on the left and below."""
_ROOM = 1.02
"""The axis of labels ends so much beyond the last point, which would else touch the edge."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A measured score.

    Attributes:
        labels: the training labels behind it.
        score: 0..1.
        low: of its 95% interval.
        high: of the same.
        title: the same in words.
    """

    labels: int
    score: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis: its pixel, and the number that stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point on the chart, in pixels, with the ends of its interval."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve in pixels: the `points` of SVG shapes. `band` is empty for fewer than two points."""

    name: str
    path: str
    band: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in pixels; y runs downwards.

    Attributes:
        width: of the whole chart.
        height: of the same.
        left: the axis of scores.
        right: the end of the axis of labels.
        top: the end of the axis of scores.
        bottom: the axis of labels.
        x_ticks: of labels.
        y_ticks: of scores, as percentages.
        lines: the curves, the last of them on top.
        level: a horizontal line; None without one.
        start: the percentage where the axis of scores starts.
    """

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    level: float | None
    start: int


def curve_chart(
    curves: Sequence[tuple[str, Sequence[ChartPoint]]],
    *,
    level: float | None,
    width: int,
    height: int,
    most_ticks: tuple[int, int],
) -> Chart:
    """Return the chart of some curves.

    The axis of labels starts at 0 and is linear. That of scores has whole percentages and shows every interval in full.

    Args:
        curves: by name, each in the order of its labels; one of them has a point.
        level: a score to draw as a horizontal line, 0..1; None for none.
        width: of the chart in pixels.
        height: of the chart.
        most_ticks: on the axis of labels, and on that of scores.
    """
    points = [point for _, of_curve in curves for point in of_curve]
    shares = [share for point in points for share in (point.low, point.score, point.high)]
    shares += [] if level is None else [level]
    most_labels = max(1, *(point.labels for point in points))
    x_step = tick_step(most_labels, most_ticks[0])
    least, most, y_step = percent_axis(min(shares), max(shares), most_ticks[1])
    left, right, top, bottom = _LEFT, width - _RIGHT, _TOP, height - _BOTTOM

    def x_of(labels: float) -> float:
        return round(left + (right - left) * labels / (most_labels * _ROOM), 1)

    def y_of(share: float) -> float:
        return round(bottom - (bottom - top) * (100 * share - least) / (most - least), 1)

    def line(name: str, of_curve: Sequence[ChartPoint]) -> Line:
        dots = tuple(Dot(x_of(p.labels), y_of(p.score), y_of(p.low), y_of(p.high), p.title) for p in of_curve)
        edge = [(dot.x, dot.high) for dot in dots] + [(dot.x, dot.low) for dot in reversed(dots)]
        return Line(name, _pairs((dot.x, dot.y) for dot in dots), _pairs(edge) if len(dots) > 1 else "", dots)

    return Chart(
        width, height, left, right, top, bottom,
        tuple(Tick(x_of(labels), f"{labels:,}") for labels in range(0, most_labels + 1, x_step)),
        tuple(Tick(y_of(value / 100), f"{value}%") for value in range(least, most + 1, y_step)),
        tuple(line(name, of_curve) for name, of_curve in curves),
        None if level is None else y_of(level),
        least,
    )  # fmt: skip


def percent_axis(low: float, high: float, most_ticks: int) -> tuple[int, int, int]:
    """Return the first and the last percentage of an axis with two shares, and its step."""
    # The rounding keeps 0.57, which is 56.99... percent in binary, from pulling the axis a step down.
    first = min(math.floor(round(100 * low, 6)), 99)
    last = max(math.ceil(round(100 * high, 6)), first + 1)
    axes = ((first // step * step, -(-last // step) * step, step) for step in _steps())
    return next(axis for axis in axes if (axis[1] - axis[0]) // axis[2] < most_ticks)


def tick_step(span: int, most_ticks: int) -> int:
    """Return the smallest step of 1, 2, 5, 10, 20 ... with at most so many ticks from 0."""
    return next(step for step in _steps() if span // step < most_ticks)


def _steps() -> Iterator[int]:
    return (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))


def _pairs(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
