"""A label queue of a made-up support desk, and the steps of a person on its label page."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common.chromium import Chromium
from curator.config import LabellingConfig
from curator.labels.page import DONE_NAME
from curator.labels.queue import QueueRow, queue_rows
from curator.records import Case, Category, Document, Kind, Message, Pick, Source, ToolCall
from curator.report.answer_groups import AnswerGroup

CATEGORIES = ("Says another amount", "Routes returns to billing", "Creates a refund")
LABELS = ("billing", "returns", "delivery")
FOURS = LabellingConfig(batch_size=4)
LOOK_UP = ToolCall(
    "t1", "look_up", '{"order": 7, "fields": ["price", "state"], "reason": "a broken item was reported"}'
)


def desk_case(n: int, *, tail: str = "") -> tuple[Case, tuple[AnswerGroup, ...]]:
    """Return one of four cases in turn: a text with documents, a label, a call of a tool, and one without an answer."""
    kinds: Sequence[Kind] = ("text", "label", "tool_call", "text")
    asked = (
        (
            Message("system", f"You answer for a shop.{tail}"),
            Message("user", f"Can I put {80 + n} dollars on one gift card?{tail}"),
        ),
        (Message("user", f"I sent the shoes of order {n} back two weeks ago and have no money.{tail}"),),
        (
            Message("user", f"Hello {n}{tail}"),
            Message("assistant", "Hello! What can I do?"),
            Message("user", f"Please refund order {n}.{tail}"),
            Message("assistant", "", (replace(LOOK_UP, name=f"look_up{tail}"),)),
            Message("tool", f'{{"price": 12.50, "state": "delivered{n}"}}', (), "t1"),
        ),
        (Message("user", f"Does cake {n} have nuts in it?{tail}"),),
    )
    targets = (f"A card holds up to 50 dollars.{tail}", "billing", f'{{"tool": "refund", "order": {n}}}', None)
    answers = (
        (
            AnswerGroup(f"A card holds up to 100 dollars.{tail}", 3, ("a", "b")),
            AnswerGroup(f"A card holds up to 50 dollars{tail}", 1, ("c",), is_target=True),
        ),
        (AnswerGroup("returns", 4, ("a",)), AnswerGroup("n/a", 1, ("b",))),
        (AnswerGroup(f'{{"tool": "hand_over", "order": {n}}}', 4, ("a",)),),
        (AnswerGroup(f"Cake {n} has hazelnuts in it.{tail}", 2, ("a",)), AnswerGroup("Ask a doctor.", 1, ("b",))),
    )
    kind = n % 4
    case = Case(
        f"c{n:016x}",
        asked[kind],
        Source("logs/a.jsonl", n + 1),
        target=targets[kind],
        task=("answer", "route", "agent", "answer")[kind],
        kind=kinds[kind],
        documents=(
            Document(f"Gift cards hold up to 100 dollars.{tail}", f"kb-1{tail}", 0.8213, {"page": 3}),
            Document("They are valid for three years." * 40, None, 0.5),
        )
        if kind == 0
        else (),
    )
    return case, answers[kind]


def desk_queue(count: int, *, tail: str = "", labelling: LabellingConfig = FOURS, seed: int = 0) -> list[QueueRow]:
    """Return the queue of `count` cases in the order of their numbers within a batch as far as batches allow."""
    made = [desk_case(n, tail=tail) for n in range(count)]
    cases = {case.id: case for case, _ in made}
    groups = {case.id: answers for case, answers in made}
    names = [f"{name}{tail}" for name in CATEGORIES]
    return list(
        queue_rows(
            [
                Pick(i, n, "random" if n % 2 else "disagreement", 0.25 if n % 2 else 1.0, "eval")
                for n, i in enumerate(cases)
            ],
            cases=cases,
            scores={},
            answers_of=groups.__getitem__,
            labels_of=lambda case: LABELS if case.kind == "label" else (),
            categories=[Category(f"k{n}", name, (), tuple(list(cases)[n::4])) for n, name in enumerate(names)],
            labelling=labelling,
            seed=seed,
        )
    )


def start(browser: Chromium, page: Path, name: str = "Ana", **options: Any) -> None:
    """Open a page and say who labels."""
    browser.open(page.as_uri(), **options)
    browser.type(name)
    browser.press("Enter")
    wait(browser, "!document.querySelector('header').hidden")


def wait(browser: Chromium, condition: str) -> None:
    """Wait until a condition holds in the page."""
    for _ in range(200):
        if browser.evaluate(f"Boolean({condition})"):
            return
        time.sleep(0.02)
    raise AssertionError(f"{condition} never holds: {text(browser, 'body')[:500]}")


def text(browser: Chromium, selector: str) -> str:
    """Return the text that an element shows."""
    return str(browser.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))


def saved(browser: Chromium, folder: Path) -> Path:
    """Save the labels into a folder by the key for it, and return the file."""
    folder.mkdir(exist_ok=True)
    browser.download_into(folder)
    browser.press("s")
    for _ in range(200):
        if (folder / DONE_NAME).is_file():
            return folder / DONE_NAME
        time.sleep(0.02)
    raise AssertionError("nothing was saved")
