"""Draw the learning curves of `training.py` in one SVG picture, a panel for each pool.

    python benchmarks/selection/training.py --data DIR --curves FILE ...
    python benchmarks/selection/curves.py FILE [FILE ...] [--strategies NAME ...] [--out PATH]

A line is the mean over the seeds, and its band goes from the lowest seed to the highest. The dashed lines are the mean accuracies of
1,000 and 1,500 random labels: where a curve crosses one, it has reached it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from curator.report.curve_chart import Chart, ChartPoint, curve_chart

WIDTH, HEIGHT, HEAD, FOOT = 520, 400, 34, 40
LEVELS = {"1000": 14, "1500": -5}
"""The numbers of random labels whose accuracy is drawn, and the distance of the name from its line."""
COLOURS = ("#4b5563", "#b45309", "#1d4ed8", "#047857", "#7c3aed")
STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:12px;fill:#1f2937}.title{font-size:15px;font-weight:600}"
    ".x,.axis{text-anchor:middle}.y{text-anchor:end}.grid{stroke:#e5e7eb}.level{fill:#4b5563}"
    ".dash{stroke:#6b7280;stroke-dasharray:5 4}polyline{fill:none;stroke-width:2.2}polygon{opacity:.16}"
)


def points(curves: Sequence[Sequence[Sequence[float]]]) -> list[ChartPoint]:
    """The mean over the seeds at each number of labels, and the lowest and highest of them."""
    labels, scores = np.array(curves)[0, :, 0], np.array(curves)[:, :, 1]
    spread = zip(labels, scores.mean(axis=0), scores.min(axis=0), scores.max(axis=0), strict=True)
    return [ChartPoint(int(n), float(mean), float(low), float(high), "") for n, mean, low, high in spread]


def panel(name: str, pool: Mapping[str, Any], strategies: Sequence[str], left: int) -> str:
    """The panel of a pool, its left edge at this pixel."""
    curves = [(strategy, points(pool["curves"][strategy])) for strategy in strategies]
    chart = curve_chart(curves, level=None, width=WIDTH, height=HEIGHT, most_ticks=(9, 9))
    parts = [f'<text x="{chart.left:g}" y="-10" class="title">{escape(name)}: accuracy on the test set</text>']
    parts += [
        f'<line x1="{chart.left:g}" x2="{chart.right:g}" y1="{tick.at:g}" y2="{tick.at:g}" class="grid"/>'
        f'<text x="{chart.left - 6:g}" y="{tick.at + 4:g}" class="y">{tick.text}</text>'
        for tick in chart.y_ticks
    ]
    parts += [f'<text x="{t.at:g}" y="{chart.bottom + 18:g}" class="x">{t.text}</text>' for t in chart.x_ticks]
    parts.append(f'<text x="{(chart.left + chart.right) / 2:g}" y="{chart.bottom + 36:g}" class="axis">labels</text>')
    for count, offset in LEVELS.items():
        at = height_of(chart, pool["targets"][count])
        parts.append(
            f'<line x1="{chart.left:g}" x2="{chart.right:g}" y1="{at:g}" y2="{at:g}" class="dash"/>'
            f'<text x="{chart.left + 6:g}" y="{at + offset:g}" class="level">{int(count):,} random</text>'
        )
    for line, colour in zip(chart.lines, COLOURS, strict=False):
        parts.append(f'<polygon points="{line.band}" fill="{colour}"/>')
        parts.append(f'<polyline points="{line.path}" stroke="{colour}"/>')
    return f'<g transform="translate({left} {HEAD})">\n' + "\n".join(parts) + "\n</g>"


def height_of(chart: Chart, share: float) -> float:
    """The pixel of a score, by the first and last tick of the axis."""
    ends = (chart.y_ticks[0], chart.y_ticks[-1])
    return round(float(np.interp(100 * share, [int(tick.text[:-1]) for tick in ends], [tick.at for tick in ends])), 1)


def legend(strategies: Sequence[str], seeds: int) -> str:
    """The colours of the strategies, in a row under the panels."""
    top = HEAD + HEIGHT + 16
    parts = []
    for place, (name, colour) in enumerate(zip(strategies, COLOURS, strict=False)):
        left = 60 + 110 * place
        parts.append(f'<line x1="{left}" x2="{left + 24}" y1="{top}" y2="{top}" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{left + 30}" y="{top + 4}">{escape(name)}</text>')
    note = f"mean of {seeds} seeds; the band goes from the lowest to the highest"
    return "\n".join([*parts, f'<text x="{60 + 110 * len(strategies)}" y="{top + 4}">{note}</text>'])


def picture(pools: Mapping[str, Mapping[str, Any]], strategies: Sequence[str]) -> str:
    """The SVG picture."""
    width, height = WIDTH * len(pools), HEAD + HEIGHT + FOOT
    panels = [panel(name, pool, strategies, WIDTH * place) for place, (name, pool) in enumerate(pools.items())]
    seeds = min(len(pool["curves"][name]) for pool in pools.values() for name in strategies)
    body = "\n".join([*panels, legend(strategies, seeds)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Learning curves of {escape(", ".join(strategies))}">\n<style>{STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--strategies", nargs="+", default=["random", "margin", "ours"])
    parser.add_argument("--out", type=Path, default=Path("docs/images/learning_curves.svg"))
    settings = parser.parse_args()
    pools = {name: pool for file in settings.files for name, pool in json.loads(file.read_bytes()).items()}
    if missing := {name for name in settings.strategies for pool in pools.values() if name not in pool["curves"]}:
        parser.error(f"the files have no curve of {min(missing)!r} for each pool")
    settings.out.write_text(picture(pools, settings.strategies), encoding="utf-8")
    print(f"wrote {settings.out}")


if __name__ == "__main__":
    main()
