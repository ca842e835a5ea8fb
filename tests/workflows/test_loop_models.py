"""A loop whose model generates its answers: it is asked through the engine, and measured by the labels."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

import curator
from curator.config import parse_config
from curator.errors import BudgetReached, ConfigError, NotConfirmed, Refused
from curator.run_folder.loop_folder import LOOPS, MODEL, PREDICTIONS, TRAINING, loop_folder, read_pool
from curator.workflows.loop import loop
from tests.conftest import FakeEndpoint
from tests.workflows.loop_kit import WORDS, label_round, loop_job, picks_of, write_pool, write_truth

PROGRAM = "import json, sys; print(json.dumps({'model': sys.argv[1], 'base_url': sys.argv[2], 'price': {'input': 0, 'output': 0}}))"


def topic_of(body: dict[str, Any]) -> str:
    """The topic with most words in the question: what a well-trained model would say."""
    words = body["messages"][-1]["content"].split()
    return max(WORDS, key=lambda topic: sum(word in WORDS[topic].split() for word in words))


@pytest.fixture
def job(tmp_path: Path, endpoint: FakeEndpoint) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM, "{name}", endpoint.base_url]
    for number in range(4):
        endpoint.answers[f"small-round-{number}"] = topic_of
    return loop_job(tmp_path, trainer={"name": "command", "command": command}, stop={"max_labels": 78})


def test_each_model_is_asked_about_the_held_out_set_and_the_next_cases(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    truth = write_truth(tmp_path, write_pool(tmp_path))
    config = parse_config(job)
    result = loop(config, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"})
    assert [done.training_labels for done in result.rounds] == [8, 18]
    assert result.rounds[0].score > 0.8
    assert [body["model"] for body in endpoint.bodies] == ["small-round-0"] * 60 + ["small-round-1"] * 60 + [
        "small-round-0"
    ] * 10
    assert all(body["temperature"] == 0 for body in endpoint.bodies)
    rows = [orjson.loads(line) for line in TRAINING.of(loop_folder(config).round(1)).read_bytes().splitlines()]
    assert len(rows) == 18
    assert {row["messages"][-1]["content"] for row in rows} <= set(WORDS)
    assert {pick.slice for pick in picks_of(config, 1)} == {
        "random",
        "diversity",
    }  # no student, and no committee was asked


def test_the_committee_s_disagreement_chooses_where_there_is_no_student(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    topics = write_pool(tmp_path)
    folder = tmp_path / "run"
    folder.mkdir()
    config = parse_config(job | {"out": str(folder)})
    case_ids = [case.id for case in curator.read_logs(tmp_path / "logs.jsonl") if isinstance(case, curator.Case)]
    rows = [
        {"id": i, "disagreement": n / 300, "kind": "label", "scorer": "x", "within": 0, "between": 0, "n": 4,
         "agreement": 0.5, "majority": "billing", "against_target": None}
        for n, i in enumerate(case_ids)
    ]  # fmt: skip
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loop(config, encoder=encoder, environ={"PATH": "/usr/bin:/bin"})
    label_round(config, 0, topics)
    loop(config, rounds=1, encoder=encoder, environ={"PATH": "/usr/bin:/bin"})
    assert "disagreement" in {pick.slice for pick in picks_of(config, 1)}


def test_an_empty_answer_is_a_wrong_one(job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path) -> None:
    truth = write_truth(tmp_path, write_pool(tmp_path))
    config = parse_config(job)
    endpoint.answers["small-round-0"] = lambda body: "" if topic_of(body) == "billing" else topic_of(body)
    (first,) = loop(config, rounds=1, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"}).rounds
    rows = [orjson.loads(line) for line in PREDICTIONS.of(loop_folder(config).round(0)).read_bytes().splitlines()]
    empty = sum(not row["answer"] for row in rows)
    assert empty > 5
    assert (first.held_out, first.undecidable) == (60, 0)
    assert first.score <= 1 - empty / 60


def test_answers_in_free_text_are_refused_with_a_remedy(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    topics = write_pool(tmp_path)
    texts = {
        i: f"Please look at {topic} and then write to our team, we will be happy to help you."
        for i, topic in topics.items()
    }
    job = job | {"tasks": {"route": {"kind": "text"}}}
    endpoint.answers["small-round-0"] = lambda body: f"You should ask the people of {topic_of(body)}, who know more."
    with pytest.raises(Refused, match="free text in other words than the label") as refusal:
        loop(
            parse_config(job), encoder=encoder, simulate=write_truth(tmp_path, texts), environ={"PATH": "/usr/bin:/bin"}
        )
    assert "embedding" in refusal.value.remedy
    by_vectors = parse_config(job | {"equivalence": {"method": "embedding"}})
    result = loop(
        by_vectors, rounds=1, encoder=encoder, simulate=write_truth(tmp_path, texts), environ={"PATH": "/usr/bin:/bin"}
    )
    assert result.rounds[0].undecidable == 0


def test_production_is_measured_on_the_cases_of_the_score(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    topics = write_pool(tmp_path)
    config = parse_config(job | {"tasks": {"route": {"kind": "text"}}})
    loop(config, encoder=encoder, environ={})
    held_out = [pick.case_id for pick in picks_of(config, 0) if pick.split == "eval"]
    label_round(config, 0, topics, skip=held_out[:6], label="", verdict="pass")
    (loop_folder(config).round(0) / "label_queue_b.jsonl").write_text(
        "\n".join(
            json.dumps({"case_id": i, "label": "ask the sales team of the shop", "verdict": "fail"})
            for i in held_out[:6]
        )
    )
    right = {item.case.user: item.case.target for item in read_pool(loop_folder(config))}
    endpoint.answers["small-round-0"] = lambda body: right[body["messages"][-1]["content"]] or ""
    (first,) = loop(config, rounds=1, encoder=encoder, environ={"PATH": "/usr/bin:/bin"}).rounds
    assert (first.held_out, first.undecidable) == (54, 6)
    assert first.production == 1.0  # its failures are among the six cases that cannot be told


def test_a_training_that_costs_more_than_is_left_is_not_begun(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    job["loop"]["trainer"]["training_price"] = 1000.0
    job["loop"]["stop"]["max_usd"] = 0.01
    config = parse_config(job)
    truth = write_truth(tmp_path, write_pool(tmp_path))
    with pytest.raises(BudgetReached, match=r"`loop.stop.max_usd: 0.01` are left") as refusal:
        loop(config, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"})
    assert not MODEL.of(loop_folder(config).round(0)).exists()
    assert "loop.stop.max_usd" in refusal.value.remedy
    job["loop"]["stop"]["max_usd"] = 10.0  # the remedy
    assert loop(parse_config(job), rounds=1, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"}).rounds


def test_a_limit_needs_the_price_of_the_training(job: Any, encoder: Any, tmp_path: Path) -> None:
    job["loop"]["stop"]["max_usd"] = 5.0
    truth = write_truth(tmp_path, write_pool(tmp_path))
    with pytest.raises(ConfigError, match="its price is not known") as refusal:
        loop(parse_config(job), encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"})
    assert "training_price" in refusal.value.remedy
    job["loop"]["trainer"]["training_price"] = 0.0  # the remedy
    assert loop(parse_config(job), rounds=1, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"}).rounds


def test_an_expensive_training_needs_a_limit_or_consent(
    job: Any, endpoint: FakeEndpoint, encoder: Any, tmp_path: Path
) -> None:
    job["loop"]["trainer"]["training_price"] = 100_000.0
    truth = write_truth(tmp_path, write_pool(tmp_path))
    config = parse_config(job)
    with pytest.raises(NotConfirmed, match=r"costs about \$\d+") as refusal:
        loop(config, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"})
    assert "--yes" in refusal.value.remedy
    assert loop(
        config, rounds=1, agreed=True, encoder=encoder, simulate=truth, environ={"PATH": "/usr/bin:/bin"}
    ).rounds


def test_a_purge_reaches_the_files_of_a_loop(job: Any, encoder: Any, tmp_path: Path) -> None:
    topics = write_pool(tmp_path)
    job["loop"] |= {"folder": None, "trainer": {"name": "student"}}
    config = parse_config(job).in_folder(tmp_path)
    loop(config, encoder=encoder)
    label_round(config, 0, topics)
    loop(config, rounds=1, encoder=encoder)
    folder = tmp_path / LOOPS / "small"
    case_id = picks_of(config, 0)[-1].case_id
    assert any(case_id in path.read_text() for path in folder.rglob("*.jsonl"))
    removed = curator.purge(config, ids=[case_id])
    assert str(folder / "pool.jsonl") in dict(removed.removed)
    assert not [path for path in folder.rglob("*.jsonl") if case_id in path.read_text()]
    label_round(config, 1, topics)
    assert loop(config, rounds=1, encoder=encoder).rounds[1].training_labels == 17
