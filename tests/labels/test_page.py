"""The label page: its data, its blinded order, and that no text of a log is part of its code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from curator.config import LabellingConfig
from curator.labels.page import label_page, queue_identity
from curator.labels.queue import QueueRow
from curator.report.answer_groups import AnswerGroup
from curator.text.json_layout import laid_out
from tests.labels.page_kit import CATEGORIES, desk_queue


def data_of(page: str) -> dict[str, Any]:
    script = re.search(r'<script type="application/json" id="queue">(.*?)</script>', page, re.DOTALL)
    assert script is not None
    return dict(json.loads(script[1]))


def by_id(rows: list[QueueRow], *categories: str) -> dict[str, dict[str, Any]]:
    return {case["case_id"]: case for case in data_of(label_page(rows, categories))["cases"]}


def text_of(runs: list[Any]) -> str:
    return "".join(run[0] if isinstance(run, list) else run for run in runs)


def marked(runs: list[Any]) -> list[str]:
    return [run[0] for run in runs if isinstance(run, list)]


def test_a_case_has_what_a_person_judges_by_and_what_the_file_needs() -> None:
    rows = desk_queue(4)
    page = data_of(label_page(rows, CATEGORIES))
    case = next(case for case in page["cases"] if case["case_id"] == "c0000000000000000")
    row = next(row for row in rows if row.case_id == case["case_id"])
    assert (case["content_hash"], case["slice"], case["inclusion_probability"]) == (
        row.content_hash,
        "disagreement",
        1.0,
    )
    assert [(turn["role"], page["texts"][turn["text"]]) for turn in case["turns"]] == [
        ("system", ["You answer for a shop."]),
        ("user", ["Can I put 80 dollars on one gift card?"]),
    ]
    first, second = case["documents"]
    assert (first["id"], first["score"], first["about"]) == ("kb-1", 0.8213, ["page: 3"])
    assert "id" not in second
    assert [made["name"] for made in page["categories"]] == list(CATEGORIES)


def test_what_differs_from_productions_answer_is_marked_on_both_sides() -> None:
    case = by_id(desk_queue(1))["c0000000000000000"]
    assert text_of(case["target"]) == "A card holds up to 50 dollars."
    assert marked(case["target"]) == ["50"]
    other = next(answer for answer in case["answers"] if not answer["same"])
    assert marked(other["runs"]) == ["100"]
    same = next(answer for answer in case["answers"] if answer["same"])
    assert marked(same["runs"]) == []


def test_a_word_of_production_is_marked_only_if_no_other_answer_has_it() -> None:
    (row,) = desk_queue(1)
    others = tuple(AnswerGroup(f"send {what} to {whom}", 1, ()) for what, whom in (("it", "Anna"), ("them", "Ben")))
    case = by_id([replace(row, target="send it to Carl", alternatives=others)])[row.case_id]
    assert marked(case["target"]) == ["Carl"]


def test_the_order_of_the_answers_depends_on_the_case_and_not_on_their_counts() -> None:
    rows = desk_queue(200)
    first = [case["answers"][0]["count"] for case in by_id(rows).values() if case.get("kind") == "label"]
    assert 0.3 < first.count(4) / len(first) < 0.7
    turned = [replace(row, alternatives=row.alternatives[::-1]) for row in rows]
    assert label_page(rows) == label_page(turned)


def test_an_answer_that_looks_like_a_placeholder_gets_quotes_for_the_file() -> None:
    case = by_id(desk_queue(2))["c0000000000000001"]
    assert sorted(answer["label"] for answer in case["answers"]) == ['"n/a"', "returns"]
    assert [(option["label"], option["same"]) for option in case["labels"]] == [("delivery", False)]


def test_a_case_of_two_people_is_on_the_page_once_with_both_names() -> None:
    rows = desk_queue(8, labelling=LabellingConfig(batch_size=4, annotators=("ana", "ben"), overlap=1.0))
    assert len(rows) == 16
    cases = by_id(rows)
    assert len(cases) == 8
    assert all(sorted(case["people"]) == ["ana", "ben"] for case in cases.values())


def test_texts_that_cases_share_are_carried_once() -> None:
    page = label_page(desk_queue(40))
    assert page.count("You answer for a shop.") == 1
    assert page.count("They are valid for three years.") == 40


@pytest.mark.parametrize(
    "change",
    [
        {"case_id": "other"}, {"content_hash": "t0"}, {"slice": "random"}, {"inclusion_probability": 0.5}, {"target": "no"},
        {"alternatives": (AnswerGroup("x", 1, ()),)},
    ],
)  # fmt: skip
def test_labels_are_kept_under_what_is_judged_and_how_it_was_drawn(change: dict[str, Any]) -> None:
    rows = desk_queue(4)
    assert queue_identity([replace(rows[0], **change), *rows[1:]]) != queue_identity(rows)


def test_the_order_and_the_people_of_a_queue_do_not_change_its_identity() -> None:
    rows = desk_queue(8)
    moved = [replace(row, batch=9, annotator="ana", category=None) for row in reversed(rows)]
    assert queue_identity(moved) == queue_identity(rows)


def test_no_text_of_a_log_is_part_of_the_code_of_the_page() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} \u2028<!--"
    plain, page = label_page(desk_queue(4)), label_page(desk_queue(4, tail=evil), [evil])
    outside = re.compile(r'(?<=id="queue">).*?(?=</script>)', re.DOTALL)
    assert outside.sub("", page) == outside.sub("", plain)
    assert evil.split(" ", 1)[0] in data_of(page)["categories"][0]["name"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert policy[1].count("'sha256-") == page.count("<script>") == 3
    assert "http" not in policy[1]


def test_json_is_laid_out_without_a_change_of_its_values() -> None:
    text = '{"id": 12345678901234567890, "n":[1.0, 2e5,{}],"c":{"x":"a,b:{\\"}","y":[]}, "d": "' + "z" * 60 + '"}'
    shown = laid_out(text)
    assert shown.splitlines()[:4] == ["{", '  "id": 12345678901234567890,', '  "n": [', "    1.0,"]
    assert '"x": "a,b:{\\"}"' in shown
    assert json.loads(shown) == json.loads(text)
    assert laid_out(shown) == shown
    assert laid_out('{"a": 1}') == '{"a": 1}'
    assert laid_out("[not json " + "x" * 99) == "[not json " + "x" * 99
