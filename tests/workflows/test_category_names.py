"""Names of categories and attributes through whole runs: what the report shows, what is kept and what is paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.workflows.plan import plan
from curator.workflows.run import RunResult, run

NAME = "Billing instead of delivery"
SENTENCE = "Answers billing where delivery is expected"


def write_night(folder: Path, night: int) -> str:
    """Sixty cases: of twenty late parcels production says billing, and the committee delivery."""
    lines = []
    for i in range(60):
        late = i % 3 == 0
        text = (
            f"{'the parcel is late' if late else 'the card was charged twice'}, word{night}x{i} and thing{i * 7} please"
        )
        message = {"role": "assistant", "content": "billing"}
        lines.append(
            {
                "id": f"n{night}-{i}",
                "request": {"model": "prod", "messages": [{"role": "user", "content": text}]},
                "response": {"model": "prod", "choices": [{"finish_reason": "stop", "message": message}]},
                "metadata": {"task": "route", **{f"key{n}": n for n in range(30)}},
            }
        )
    path = folder / f"night{night}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def text_of(body: dict[str, Any]) -> str:
    return json.dumps(body["messages"])


@pytest.fixture
def named(job: dict[str, Any], endpoint: Any) -> dict[str, Any]:
    endpoint.answers["test-model"] = lambda body: "delivery" if "parcel" in text_of(body) else "billing"
    endpoint.answers["writer"] = lambda _: json.dumps({"name": NAME, "sentence": SENTENCE})
    model = {"name": "w", "model": "writer", "base_url": endpoint.base_url, "max_tries": 1, "group_repeats": False}
    return job | {"categories": {"model": model | {"price": {"input": 100.0, "output": 100.0}}}}


def do(job: dict[str, Any], tmp_path: Path, encoder: Any, night: int, out: str = "out") -> RunResult:
    logs = write_night(tmp_path, night)
    return run(parse_config(job), logs=logs, out=tmp_path / out, encoder=encoder, environ={})


def to_writer(endpoint: Any) -> int:
    return sum(body["model"] == "writer" for body in endpoint.bodies)


def test_the_name_is_in_the_report_and_holds_over_nights_without_a_new_call(
    named: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path
) -> None:
    limit = plan(parse_config(named), logs=write_night(tmp_path, 1)).names
    first = do(named, tmp_path, encoder, 1)
    [category] = [c for c in first.summary.categories if c.parent is None]
    assert (category.name, category.sentence, category.named_by) == (NAME, SENTENCE, "w")
    assert category.cases == 20
    assert NAME in (tmp_path / "out" / "report.html").read_text()
    facts = json.loads((tmp_path / "out" / "manifest.json").read_text())["categories"]["names"]
    assert (facts["model"], facts["prompt"]["id"], facts["price"]["source"]) == ("w", "name-category", "config")
    assert facts["requests_sent"] == to_writer(endpoint) > 0
    assert limit is not None
    assert facts["usd"] <= limit.usd_max
    assert first.spent_usd == pytest.approx(first.summary.committee.cost_usd)

    endpoint.bodies.clear()
    again = do(named, tmp_path, encoder, 1, "again")
    assert endpoint.bodies == []
    assert again.summary.categories == first.summary.categories

    second = do(named, tmp_path, encoder, 2)
    assert to_writer(endpoint) == 0
    [kept] = [c for c in second.summary.categories if c.parent is None]
    assert (kept.id, kept.name, kept.sentence, kept.named_by) == (category.id, NAME, SENTENCE, "w")


def test_a_model_that_fails_leaves_the_templates_and_the_exit_code(
    named: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path
) -> None:
    endpoint.answers["writer"] = lambda _: "Sorry, I cannot help with that."
    result = do(named, tmp_path, encoder, 1)
    [category] = [c for c in result.summary.categories if c.parent is None]
    assert category.named_by == "template"
    assert any("gave no usable name" in warning for warning in result.warnings)
    templates = do({**named, "categories": {}}, tmp_path, encoder, 1, "templates")
    assert [c.name for c in templates.summary.categories] == [c.name for c in result.summary.categories]
    assert not any("usable name" in warning for warning in templates.warnings)


def test_an_attribute_divides_the_categories(
    named: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path
) -> None:
    attribute = {"name": "half", "question": "Which half?", "values": ["first", "second"], "group": True}
    named["categories"] |= {"names": {"samples": 0}, "attributes": [attribute]}
    endpoint.answers["writer"] = lambda body: json.dumps({"value": "first" if "thing1" in text_of(body) else "second"})
    do({**named, "categories": {}}, tmp_path, encoder, 2, "before")
    result = do(named, tmp_path, encoder, 1)
    assert any("another method of grouping" in warning for warning in result.warnings)
    assert all(c.change is None for c in result.summary.categories)
    tasks = {c.task for c in result.summary.categories if c.parent is None}
    assert tasks == {"route | half: first", "route | half: second"}
    assert '"attribute.half"' in (tmp_path / "out" / "report.html").read_text()
    rows = [json.loads(line) for line in (tmp_path / "out" / "cases.jsonl").read_text().splitlines()]
    halves = {row["id"]: row["metadata"]["attribute.half"] for row in rows}
    categories = (tmp_path / "out" / "categories.jsonl").read_text().splitlines()
    for category in map(json.loads, categories):
        assert len({halves[case_id] for case_id in category["case_ids"]}) == 1
