"""Measure how long `report.html` with 2,000 cases takes to open, to unfold a category and to filter.

Beside it stand an empty page, which is the browser's own time, and the same report without its cases and its script. Needs a
headless Chromium. The report is made up, or `--report` names that of a run.

    python -m benchmarks.clustering.report_page [--cases 2000] [--report runs/NAME/report.html]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.common.chromium import Chromium, executable
from benchmarks.common.harness import Check
from curator.report.html import render_html
from tests.report.support_desk import support_desk

LIMIT_S = 2.0
REPEATS = 5
UNFOLD = """new Promise((done) => {
  const lists = [...document.querySelectorAll("details.all")];
  const largest = lists.reduce((a, b) => Number(a.dataset.count) >= Number(b.dataset.count) ? a : b);
  const start = performance.now();
  largest.addEventListener("toggle", () => requestAnimationFrame(() => setTimeout(() => done((performance.now() - start) / 1000))));
  largest.open = true;
})"""
FILTER = """new Promise((done) => {
  const start = performance.now();
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => done((performance.now() - start) / 1000))))
    .observe(document.getElementById("hits"), {childList: true});
  document.getElementById("filter-text").value = "order";
  document.getElementById("filter-text").dispatchEvent(new Event("input", {bubbles: true}));
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--report", type=Path, help="the report.html of a run")
    options = parser.parse_args()
    if executable() is None:
        print("there is no Chromium on this machine")
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pages = {"an empty page": "<!doctype html><title>empty</title>"}
        if options.report:
            pages["the report"] = options.report.read_text(encoding="utf-8")
        else:
            desk = support_desk(cases=options.cases)
            pages["the report without its cases"] = render_html(desk.summary)
            pages[f"the report with {len(desk.page.rows):,} cases"] = render_html(desk.summary, desk.page)
        checks = _measured(folder, pages)
    for check in checks:
        print(check.line())
    return int(any(check.missing for check in checks))


def _measured(folder: Path, pages: dict[str, str]) -> list[Check]:
    checks = []
    with Chromium(folder) as browser:
        for number, (name, content) in enumerate(pages.items()):
            page = folder / f"{number}.html"
            page.write_text(content, encoding="utf-8")
            browser.open(page.as_uri())  # the first page of a browser also starts its processes
            seconds = median(browser.open(page.as_uri()) for _ in range(REPEATS))
            checks.append(Check(f"s to open {name}, {len(content.encode()) / 1e6:.1f} MB", seconds, LIMIT_S))
        checks.append(Check("s to unfold its largest category", browser.evaluate(UNFOLD)))
        checks.append(Check("s to filter by a text, 0.15 s of them waiting for the next key", browser.evaluate(FILTER)))
    return checks


if __name__ == "__main__":
    sys.exit(main())
