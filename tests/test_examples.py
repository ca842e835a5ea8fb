"""The example logs are what examples/README.md says they are, and the script that makes them judges rightly."""

import gzip
import importlib.util
import random
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from curator.config import DedupeConfig, LogsConfig
from curator.dedup import deduplicate
from curator.readers.read import read
from curator.records import Case, RejectedRecord

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DAMAGED = {
    ("2026-10-01.jsonl", 24): "ends too early",
    ("2026-10-01.jsonl", 62): "UTF-8",
    ("2026-10-01.jsonl", 105): "invalid JSON",
    ("2026-10-02.jsonl.gz", 19): "null",
    ("2026-10-02.jsonl.gz", 78): "not a chat-completions record",
    ("2026-10-02.jsonl.gz", 121): "an answer without its question",
}


@pytest.fixture(scope="module")
def records() -> list[Case | RejectedRecord]:
    return list(read(LogsConfig(), paths=[str(EXAMPLES / "logs")]))


@pytest.fixture(scope="module")
def cases(records: list[Case | RejectedRecord]) -> list[Case]:
    return [record for record in records if isinstance(record, Case)]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_logs", EXAMPLES / "make_logs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_only_the_lines_that_are_meant_to_be_damaged_are(records: list[Case | RejectedRecord]) -> None:
    found = {(Path(r.source.file).name, r.source.line): r.reason for r in records if isinstance(r, RejectedRecord)}
    assert found.keys() == DAMAGED.keys()
    for place, part in DAMAGED.items():
        assert part in found[place]


def test_there_is_enough_of_everything(cases: list[Case]) -> None:
    tasks = Counter(case.task for case in cases)
    assert sum(tasks.values()) >= 330
    assert min(tasks[task] for task in ("route", "extract", "faq", "reply")) >= 60
    assert sum(case.truncated for case in cases) >= 5
    assert sum(case.task == "reply" and len(case.messages) > 2 for case in cases) >= 20
    assert all(case.target is not None and case.metadata.keys() >= {"channel", "app_version"} for case in cases)


def test_users_gave_verdicts_and_corrections(cases: list[Case]) -> None:
    thumbs = Counter(case.feedback.thumb for case in cases if case.feedback)
    corrected = [(case.reference.text, case.target) for case in cases if case.reference]
    assert 0.2 <= sum(thumbs.values()) / len(cases) <= 0.3
    assert min(thumbs["up"], thumbs["down"]) >= 20
    assert len(corrected) >= 15
    assert all(reference != target for reference, target in corrected)


def test_a_good_quarter_repeats_what_was_asked_before(cases: list[Case]) -> None:
    kept = deduplicate(cases, DedupeConfig())
    questions = {case.question or case.id for case in kept.cases}
    assert 0.2 <= 1 - len(questions) / len(cases) <= 0.35
    assert len(questions) < len(kept.cases), "production contradicts itself in none of the repeats"
    assert {merge.how for merge in kept.merged} == {"exact", "near"}
    assert max(case.weight for case in kept.cases) >= 5


def test_the_compressed_file_carries_no_time_of_writing() -> None:
    data = (EXAMPLES / "logs" / "2026-10-02.jsonl.gz").read_bytes()
    assert data[4:8] == bytes(4)
    assert gzip.decompress(data).count(b"\n") > 100


def test_the_logs_hold_what_the_inputs_ask(script: ModuleType, cases: list[Case]) -> None:
    asked = Counter(q.messages for q in script.load_questions(EXAMPLES / "inputs", seed=script.SEED))
    logged = Counter(case.messages for case in cases)
    assert logged == asked


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("same", "Where is order 48213?"),
        ("lower", "where is order 48213?"),
        ("shout", "WHERE IS ORDER 48213?"),
        ("bare", "where is order 48213"),
    ],
)
def test_variations(script: ModuleType, change: str, expected: str) -> None:
    assert script.vary("Where is order 48213?", change, random.Random(1)) == expected


def test_another_order_is_another_number_in_the_same_words(script: ModuleType) -> None:
    varied = script.vary("Where is order 48213?", "order", random.Random(1))
    assert varied != "Where is order 48213?"
    assert varied.startswith("Where is order ")
    assert len(varied) == len("Where is order 48213?")


def test_an_unknown_variation_is_refused(script: ModuleType) -> None:
    with pytest.raises(ValueError, match="unknown change 'louder'"):
        script.vary("Where?", "louder", random.Random(1))


@pytest.mark.parametrize(
    ("task", "spec", "truth", "text", "right"),
    [
        ("route", {}, "refund", " Refund.", True),
        ("route", {}, "refund", "delivery", False),
        ("route", {}, None, "delivery", None),
        ("extract", {}, ["48213", "kettle"], '{"order": 48213, "item": "The kettles"}', True),
        ("extract", {}, ["48213", "kettle"], '{"order": "48213", "item": "lamp"}', False),
        ("extract", {}, ["48213", None], '{"order": "48213", "item": null}', True),
        ("extract", {}, ["48213", "kettle"], '{"order": "48213"', False),
        ("faq", {"keys": ["30"]}, "30 days", "Within 30 days.", True),
        ("faq", {"keys": ["30"], "wrong": ["after 30"]}, "30 days", "Only after 30 days.", False),
        ("faq", {"keys": ["30"]}, "30 days", "Never.", False),
    ],
)
def test_answers_are_judged_by_what_the_inputs_say(
    script: ModuleType, task: str, spec: dict[str, list[str]], truth: object, text: str, right: bool | None
) -> None:
    assert script.is_right(task, spec, truth, text) is right
