"""`curator init --logs`: the config that it writes reads the logs as `curator check` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

import curator
from curator.errors import ConfigError, ExitCode, LogsError
from curator.workflows.init import scaffold
from tests.readers.test_registry import EVERY, IDS

UNMAPPED = [{"subject": f"Where {n}, sir?", "agent_text": f"There {n}.", "lang": "en"} for n in range(6)]
TURNS = [
    {"room": f"r{room}", "author": name, "body": f"{name} says {room} {turn}", "no": turn}
    for room in range(4)
    for turn, name in enumerate(("Anna", "Zara", "Anna", "Zara"))
]


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    elif path.suffix == ".csv":
        lines = [list(rows[0]), *(row.values() for row in rows)]
        path.write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines))
    elif path.suffix == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for line in [list(rows[0]), *([*row.values()] for row in rows)]:
            book.active.append(line)
        book.save(path)
    else:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist([*rows]), path)
    return path


def job_for(folder: Path, *logs: Path) -> tuple[Path, dict[str, Any]]:
    """The config that `init --logs` writes, and its content."""
    made = scaffold(folder, logs=[str(log) for log in logs])
    assert made.found
    path = folder / "curator.yaml"
    return path, yaml.safe_load(path.read_text())


def outcome(account: Any) -> tuple[object, ...]:
    return account.records, account.cases, account.rejected, account.further, account.failed_calls, account.others


@pytest.mark.parametrize(("name", "paths"), EVERY, ids=IDS)
def test_the_config_for_logs_of_a_known_format_plans_the_cases_that_check_names(
    name: str, paths: Sequence[Path], tmp_path: Path
) -> None:
    found = curator.check(paths)
    if found.exit_code is ExitCode.UNREADABLE and found.trial is None:
        with pytest.raises(LogsError, match="are not understood"):
            scaffold(tmp_path, logs=[str(path) for path in paths])
        assert not [*tmp_path.iterdir()]
        return
    job, _ = job_for(tmp_path, *paths)
    assert outcome(curator.plan(job).intake.account) == outcome(found.account)


def shapes() -> Iterator[tuple[str, list[dict[str, Any]], int]]:
    for suffix in (".jsonl", ".csv", ".xlsx", ".parquet"):
        yield f"unmapped{suffix}", UNMAPPED, 6
        yield f"turns{suffix}", TURNS, 8


@pytest.mark.parametrize(("name", "rows", "cases"), [*shapes()], ids=[name for name, _, _ in shapes()])
def test_the_config_for_a_table_has_a_mapping_that_reads_it(
    name: str, rows: list[dict[str, Any]], cases: int, tmp_path: Path
) -> None:
    log = written(tmp_path / name, rows)
    job, content = job_for(tmp_path / "job", log)
    plan = curator.plan(job)
    assert plan.intake.account.cases == cases
    assert plan.intake.account.rejected == 0
    asked = {case.user: case.target for case in plan.intake.cases}
    if rows is UNMAPPED:
        assert asked == {row["subject"]: row["agent_text"] for row in UNMAPPED}
        assert content["logs"]["mapping"] == {"input": "subject", "target": "agent_text"}
    else:
        assert asked == {f"Anna says {r} {t}": f"Zara says {r} {t + 1}" for r in range(4) for t in (0, 2)}


def test_a_folder_of_several_formats_has_the_mapping_of_its_table_only(tmp_path: Path) -> None:
    table, turns, calls = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.jsonl"
    written(table, UNMAPPED)
    written(turns, [{**row, "author": ("user", "bot")[row["no"] % 2]} for row in TURNS])
    written(calls, [chat(f"Who {n}?", "I.", "t") for n in range(3)])
    job, content = job_for(tmp_path / "job", table, turns, calls)
    assert content["logs"]["mapping"] == {"input": "subject", "target": "agent_text"}
    assert "format" not in content["logs"]
    plan = curator.plan(job)
    assert [file.reader for file in plan.intake.account.files.values()] == ["mapped", "turns", "chat"]
    assert (plan.intake.account.cases, plan.intake.account.rejected) == (6 + 8 + 3, 0)


def test_of_two_tables_without_a_format_none_is_read_through_the_mapping_of_the_other(tmp_path: Path) -> None:
    other = [{"wer": "x", "was": "1", "wie": "2"} for _ in range(3)]
    tables = written(tmp_path / "a.csv", UNMAPPED), written(tmp_path / "b.csv", other)
    with pytest.raises(LogsError, match="not understood"):
        scaffold(tmp_path / "job", logs=[str(table) for table in tables])


def test_a_path_of_the_config_has_no_detours(tmp_path: Path) -> None:
    written(tmp_path / "logs.jsonl", [chat("Who?", "I.", "t")])
    (tmp_path / "jobs").mkdir()
    _, content = job_for(tmp_path / "jobs" / "a", tmp_path / "jobs" / ".." / "logs.jsonl")
    assert content["logs"]["paths"] == [str(tmp_path / "logs.jsonl")]


def chat(question: str, answer: str, task: str) -> dict[str, Any]:
    return {
        "request": {"messages": [{"role": "user", "content": question}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]},
        "metadata": {"task": task},
    }


def test_the_config_has_the_plain_kinds_and_labels_of_the_tasks(tmp_path: Path) -> None:
    labels = ("refund", "off", "late delivery")
    rows = [chat(f"Which topic has text {n}, please?", labels[n % 3], "route: all") for n in range(90)]
    rows += [chat(f"Sum {n} and {n}", str(2 * n), "sums") for n in range(20)]
    rows += [
        chat(f"Tell me of {n}", f"It is a long story of {n} parts, told by many people.", "talk") for n in range(9)
    ]
    _, content = job_for(tmp_path / "job", written(tmp_path / "a.jsonl", rows))
    assert content["tasks"] == {
        "route: all": {"kind": "label", "labels": sorted(labels, key=labels.index)},
        "sums": {"kind": "number"},
    }
    assert content["name"] == "a"
    assert content["logs"]["format"] == "chat"


def test_labels_that_are_not_plain_are_left_to_the_run(tmp_path: Path) -> None:
    rows = [chat(f"Which topic has text {n}?", ("good", "not good")[n % 2], "mood") for n in range(60)]
    _, content = job_for(tmp_path / "job", written(tmp_path / "a.jsonl", rows))
    assert content["tasks"] == {"mood": {"kind": "label"}}


def test_an_open_scale_of_feedback_is_a_question_in_the_config(tmp_path: Path) -> None:
    rows = [{"question": f"Where is {n}?", "answer": "There.", "rating": n % 3 + 1} for n in range(6)]
    job, content = job_for(tmp_path / "job", written(tmp_path / "a.jsonl", rows))
    assert "feedback_scale" not in content["logs"]
    text = job.read_text()
    assert "(1, 2, 3) fit no scale alone" in text
    job.write_text(text.replace("# feedback_scale", "feedback_scale"))
    ratings = [case.feedback.rating for case in curator.plan(job).intake.cases if case.feedback]
    assert sorted(rating for rating in ratings if rating is not None) == [0, 0, 0.25, 0.25, 0.5, 0.5]


def test_the_answers_of_the_committee_have_room_for_the_logged_ones(tmp_path: Path) -> None:
    rows = [chat(f"Tell me of {n}", "word " * 200, "talk") for n in range(9)]
    _, content = job_for(tmp_path / "job", written(tmp_path / "a.jsonl", rows))
    assert content["committee"]["max_tokens"] == 512


def test_logs_below_the_folder_are_named_from_there(tmp_path: Path) -> None:
    log = written(tmp_path / "my logs.jsonl", [chat("Where?", "There.", "a")])
    _, content = job_for(tmp_path, log)
    assert content["logs"]["paths"] == ["my logs.jsonl"]


def test_logs_that_are_not_understood_write_nothing(tmp_path: Path) -> None:
    log = written(tmp_path / "a.jsonl", [{"level": "info", "n": n} for n in range(4)])
    with pytest.raises(LogsError, match="4 of 4 records are not understood") as caught:
        scaffold(tmp_path / "job", logs=[str(log)])
    assert "curator check" in caught.value.remedy
    with pytest.raises(LogsError, match="standard input"):
        scaffold(tmp_path / "job", logs=["-"])
    assert not (tmp_path / "job").exists()


def test_a_config_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "curator.yaml").write_text("mine")
    with pytest.raises(ConfigError, match="are there already"):
        scaffold(tmp_path, logs=[str(written(tmp_path / "a.jsonl", [chat("Where?", "There.", "a")]))])
    assert (tmp_path / "curator.yaml").read_text() == "mine"
