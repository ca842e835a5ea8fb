"""The HTML page in a real browser: nothing sticks out on a phone, whatever the logs hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

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
from curator.report.html import render_html
from curator.report.summary import FinetuneSummary
from tests.report.summary_kit import RunRecords, summarise

PHONE = 390
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--allow-file-access-from-files", "--virtual-time-budget=5000",
)  # fmt: skip
# A window of the browser is never as narrow as a phone; a frame is.
WRAPPER = """<!doctype html><title>probe</title><iframe id="page" src="report.html" width="{width}" height="900"></iframe>
<script>
document.getElementById("page").onload = (event) => {{
  const inside = event.target.contentDocument;
  for (const details of inside.querySelectorAll("details")) details.open = true;
  const scrolls = (element) => element.closest(".scroll") !== null;
  const wide = [...inside.querySelectorAll("body *")].filter(
    (element) => !scrolls(element) && element.getBoundingClientRect().right > {width} + 1);
  const blocked = inside.defaultView.performance.getEntriesByType("resource").length;
  document.title = `scroll=${{inside.documentElement.scrollWidth}} wide=${{wide.length}} loaded=${{blocked}}`;
}};
</script>"""


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


@pytest.mark.browser
@pytest.mark.parametrize("width", [PHONE, 768, 1280])
def test_nothing_sticks_out_of_the_page_and_nothing_is_loaded(tmp_path: Path, width: int) -> None:
    assert probe(tmp_path, render_html(summarise(trying_run())), width=width) == (width, 0, 0)


@pytest.mark.browser
def test_the_probe_sees_what_sticks_out(tmp_path: Path) -> None:
    page = render_html(summarise(replace(trying_run(), name="job")))
    broken = page.replace("</main>", '<p style="width:2000px">wide</p></main>')
    scroll, wide, _ = probe(tmp_path, broken, width=PHONE)
    assert scroll > PHONE
    assert wide >= 1


def probe(folder: Path, page: str, *, width: int) -> tuple[int, int, int]:
    """Open a page with all its parts unfolded: its scroll width, the elements that stick out, the requests it made."""
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / "probe.html").write_text(
        WRAPPER.format(width=width).replace("<iframe", '<iframe style="border:0"'), encoding="utf-8"
    )
    done = subprocess.run(
        [_browser(), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "probe.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r"<title>scroll=(\d+) wide=(\d+) loaded=(\d+)</title>", done.stdout)
    assert found, done.stdout[:300]
    return int(found[1]), int(found[2]), int(found[3])


def _browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no headless Chromium on this machine")
