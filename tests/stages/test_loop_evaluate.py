"""The right answers of a loop as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curator.config import parse_config
from curator.records import Case, Kind, Message, Source
from curator.stages.loop_evaluate import class_names
from tests.workflows.loop_kit import WORDS


def names(answers: Sequence[str], kind: Kind | None, tasks: Any) -> list[str]:
    config = parse_config(
        {"logs": {"paths": ["a.jsonl"]}, "committee": {"models": [{"name": "m", "model": "m"}]}, "tasks": tasks}
    )
    cases = {
        f"c{n}": Case(f"c{n}", (Message("user", f"question {n}"),), Source("a", n), task="route", kind=kind)
        for n in range(len(answers))
    }
    return [*class_names({f"c{n}": text for n, text in enumerate(answers)}, cases, config).values()]


def test_equal_labels_are_one_class_spelled_as_configured() -> None:
    tasks = {"route": {"kind": "label", "labels": [*WORDS]}}
    assert names(["Billing", "billing ", "billing.", "returns"], None, tasks) == [*["billing"] * 3, "returns"]


def test_without_configured_labels_the_most_frequent_spelling_counts() -> None:
    assert names(["billing", "Billing", "Billing", "other"], "label", {}) == [*["Billing"] * 3, "other"]


def test_texts_and_options_stay_as_they_are() -> None:
    assert names(["It is late.", "it is late"], "text", {}) == ["It is late.", "it is late"]
    assert names(["(a) Rome", "a", "a"], "choice", {}) == ["(a) Rome", "a", "a"]
