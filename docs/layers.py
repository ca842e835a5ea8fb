"""Draw the seven layers, from the import contract in `pyproject.toml`, as an SVG picture."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("cli", "workflows", "stages", "edges", "core", "foundation", "records")
"""The layers from top to bottom; those with one room bear its name."""
NOTES = (
    "arguments in, exit code out; the only place that prints",
    "one file a public verb",
    "one file a stage of a run; joins the edges",
    "other people's formats, endpoints, models, files",
    "pure: opens nothing",
    "shared means without a rule of the product",
    "what everything else is written in",
)
WIDTH, MARGIN, LEFT, ROW, CHIP, GAP = 860, 12, 170, 34, 26, 8
CHARACTER = 7.3


def layers() -> list[list[str]]:
    """The rooms of each layer, from the top one to the bottom one."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    seven = next(contract for contract in contracts if contract["name"] == "Seven layers")["layers"]
    return [[room.strip().removeprefix("curator.") for room in re.split(r"[:|]", layer)] for layer in seven]


def rows_of(rooms: list[str]) -> list[list[tuple[str, float, float]]]:
    """Place the chips of a layer in rows: each with its name, left edge and width."""
    rows: list[list[tuple[str, float, float]]] = [[]]
    left = float(LEFT)
    for room in rooms:
        width = len(room) * CHARACTER + 18
        if left + width > WIDTH - MARGIN:
            rows.append([])
            left = float(LEFT)
        rows[-1].append((room, left, width))
        left += width + GAP
    return rows


def picture() -> str:
    """The SVG picture."""
    parts: list[str] = []
    top = float(MARGIN)
    for number, (name, note, rooms) in enumerate(zip(NAMES, NOTES, layers(), strict=True)):
        rows = rows_of(rooms)
        height = len(rows) * ROW + 22
        parts.append(
            f'<rect x="{MARGIN}" y="{top:g}" width="{WIDTH - 2 * MARGIN}" height="{height}" rx="8" class="layer"/>'
            f'<text x="{MARGIN + 14}" y="{top + 24:g}" class="name">{len(NAMES) - number} {name}</text>'
            f'<text x="{LEFT}" y="{top + height - 8:g}" class="note">{note}</text>'
        )
        for line, row in enumerate(rows):
            at = top + 6 + line * ROW
            for room, left, width in row:
                parts.append(
                    f'<rect x="{left:g}" y="{at:g}" width="{width:g}" height="{CHIP}" rx="5" class="room"/>'
                    f'<text x="{left + width / 2:g}" y="{at + 17:g}" class="label">{room}</text>'
                )
        top += height + GAP
    top += 16
    parts.append(
        f'<text x="{WIDTH / 2:g}" y="{top - 6:g}" class="foot">imports point down: a layer knows those below it</text>'
    )
    style = (
        "text{font-family:system-ui,sans-serif;font-size:13px;fill:#1f2937}.layer{fill:#eef2ff;stroke:#a5b4fc}"
        ".room{fill:#fff;stroke:#c7d2fe}.name{font-weight:600}.note{fill:#4b5563;font-size:12px}"
        ".label{text-anchor:middle;font-family:ui-monospace,monospace;font-size:12px}.foot{text-anchor:middle;fill:#4b5563}"
    )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 4:g}" role="img" '
        f'aria-label="The seven layers">\n<style>{style}</style>\n'
        f'<rect width="{WIDTH}" height="{top + 4:g}" fill="#fff"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    (ROOT / "docs" / "images" / "layers.svg").write_text(picture(), encoding="utf-8")
