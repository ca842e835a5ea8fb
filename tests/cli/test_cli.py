"""The command: what it prints, the exit code of each bad input, and that nothing the user can fix shows a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from curator.cli import main
from curator.text.display import money

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, encoder: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("curator.stages.prepare.open_encoder", lambda _: encoder)
    monkeypatch.chdir(tmp_path)


def write(path: Path, data: dict[str, Any]) -> str:
    path.write_text(json.dumps(data))
    return str(path)


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """Run the command, check the exit code and the form of the message, and return what it says."""
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("curator: ")
    assert "\n  -> " in said
    return said


def at_work(endpoint: Any, path: str, **options: Any) -> subprocess.Popen[str]:
    """A run in a process of its own that has sent some requests and is far from done."""
    endpoint.delay_s = 0.1
    process = subprocess.Popen(
        [sys.executable, "-m", "curator.cli", "run", path], text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, **({"stderr": subprocess.DEVNULL} | options),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(endpoint.bodies) < 12 and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_run_says_where_to_look(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    assert main(["run", write(tmp_path / "job.json", job), "--out", "out"]) == 0
    said = capsys.readouterr()
    assert "42 records read = 40 cases + 0 merged + 2 set aside" in said.out
    assert "out/report.html" in said.out
    assert "Traceback" not in said.err


def test_run_as_json(capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path) -> None:
    assert main(["run", write(tmp_path / "job.json", job), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["read"] == 42
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [e["stage"] for e in events if e["event"] == "start"] == [
        "read",
        "plan",
        "ask",
        "embed",
        "embed",
        "write",
    ]
    (asked,) = (e for e in events if (e["stage"], e["event"]) == ("ask", "finish"))
    assert (asked["done"], asked["total"]) == (160, 160)
    assert Path("runs/test/report.html").is_file()


def test_quiet_silences_the_events(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", job)
    for command in ("plan", "run"):
        assert main([command, path, "--json", "--quiet"]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["read"] == 42
        assert said.err == ""


def test_plan_tells_time_and_both_prices(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["models"][0]["base_url"] = "https://api.openai.com/v1"
    path = write(tmp_path / "job.json", job)
    assert main(["plan", path]) == 0
    assert "time: unknown until the first answers of every model are stored" in capsys.readouterr().out
    job["committee"]["models"][0] |= {"requests_per_minute": 32}
    job["budget"] = {"max_usd": 0.01}
    path = write(tmp_path / "job.json", job)
    assert main(["plan", path]) == 0
    said = capsys.readouterr().out
    assert main(["plan", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["expected_s"] == found["by_model"]["m"]["expected_s"] == 300
    assert "160 calls, " in said
    assert "about 5 min 0 s" in said
    assert 0 < found["expected_usd"] <= found["max_usd"]
    assert f"about {money(found['expected_usd'])} expected, by the lengths of stored or logged answers" in said
    assert found["max_usd_batch"] == found["max_usd_live"] / 2 == found["max_usd"] / 2
    live, batch = (money(found[key], at_most=True) for key in ("max_usd_live", "max_usd_batch"))
    assert f"live {live}, with `mode: batch` {batch}" in said
    assert "the budget stops the run at $0.01" in said
    job["committee"]["models"][0]["mode"] = "batch"
    assert main(["plan", write(tmp_path / "job.json", job)]) == 0
    assert f"{batch} at most (live: {live}), within 24 h" in capsys.readouterr().out


def dear(job: dict[str, Any]) -> dict[str, Any]:
    """The job at a price that makes its ceiling more than the dollar that passes unasked."""
    job["committee"]["models"][0]["price"] = {"input": 10.0, "output": 100.0}
    return job


def test_a_run_that_may_cost_much_needs_consent(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", dear(job))
    said = fails(capsys, 2, "run", path, "--quiet")
    assert "this run may cost up to $8." in said
    assert "--yes" in said
    assert "--max-usd" in said
    assert endpoint.bodies == []
    assert json.loads(Path("runs/test/status.json").read_text())["state"] == "failed"
    assert main(["run", path, "--quiet", "--yes"]) == 0
    assert len(endpoint.bodies) == 160
    assert main(["run", path, "--quiet"]) == 0  # every answer is stored: there is nothing to ask about


def test_a_limit_is_consent_and_holds(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", dear(job))
    assert "`budget.max_usd: 0.07`" in fails(capsys, 4, "run", path, "--quiet", "--max-usd", "0.07")
    assert 0 < len(endpoint.bodies) < 160
    job["budget"] = {"max_usd": 0.06}
    assert "`budget.max_usd: 0.06`" in fails(capsys, 4, "run", write(tmp_path / "job.json", job), "--quiet")


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "much"])
def test_a_limit_that_is_none(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--max-usd", amount])
    assert ended.value.code == 2
    assert f"{amount!r} is not a number of dollars" in capsys.readouterr().err


def test_what_may_pass_unasked_is_in_the_config(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["budget"] = {"confirm_above_usd": 0.0}
    assert "up to $0." in fails(capsys, 2, "run", write(tmp_path / "job.json", job), "--quiet")
    job["committee"]["models"][0]["price"] = {"input": 0, "output": 0}
    assert main(["run", write(tmp_path / "job.json", job), "--json"]) == 0
    assert '"plan"' not in capsys.readouterr().err  # what is free is not estimated
    job = dear(job) | {"budget": {"confirm_above_usd": 100.0}}
    assert main(["run", write(tmp_path / "job.json", job), "--quiet"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("answer", "code", "sent"), [("y", 0, 160), ("n", 2, 0), ("", 2, 0), ("\x04", 2, 0)])
def test_on_a_terminal_it_asks(
    answer: str, code: int, sent: int, job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path
) -> None:
    import pty

    path = write(tmp_path / "job.json", dear(job))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "curator.cli", "run", path], stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while b"[y/N]" not in said:
            said += os.read(ours, 4096)
        assert b"160 calls, " in said
        assert endpoint.bodies == []
        os.write(ours, answer.encode() if answer == "\x04" else f"{answer}\n".encode())
        with contextlib.suppress(OSError):  # the other end is closed
            while more := os.read(ours, 4096):
                said += more
        assert process.wait(60) == code
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert len(endpoint.bodies) == sent
    assert b"Spend up to $8." in said
    assert (b"nothing was spent" in said) == bool(code)


def test_status_of_runs(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    assert "runs" in fails(capsys, 2, "status")
    assert "nowhere" in fails(capsys, 2, "status", "nowhere")
    path = write(tmp_path / "job.json", job)
    assert main(["run", path, "--quiet"]) == 0
    assert main(["run", path, "--quiet", "--out", "other"]) == 0
    capsys.readouterr()
    assert main(["status"]) == 0
    assert "runs/test: finished" in capsys.readouterr().out
    assert main(["status", "other", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["folder"], found["state"], found["stage"]) == ("other", "finished", "write")
    write(tmp_path / "curator.yaml", job | {"name": "mine"})
    assert "runs/mine/status.json" in fails(capsys, 2, "status")


def test_a_run_from_another_folder_buys_nothing_again(
    capsys: pytest.CaptureFixture[str], endpoint: Any, job: dict[str, Any], write_logs: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    path = write(project / "curator.yaml", {k: v for k, v in job.items() if k != "store"})
    monkeypatch.chdir(elsewhere)
    assert main(["run", path, "--quiet"]) == 0
    asked = len(endpoint.bodies)
    monkeypatch.chdir(project)
    assert main(["run", "--quiet"]) == 0
    assert len(endpoint.bodies) == asked > 0
    assert not list(elsewhere.iterdir())
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()
    assert main(["status", path]) == 0
    assert "project/runs/test: finished" in capsys.readouterr().out
    assert main(["cache", "list", "--config", path]) == 0
    assert "project/.curator/store.sqlite" in capsys.readouterr().out
    assert main(["doctor", path]) == 0
    assert "project/.curator/store.sqlite" in capsys.readouterr().out


def test_status_of_a_run_at_work_and_of_one_that_was_killed(
    capsys: pytest.CaptureFixture[str], endpoint: Any, job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    process = at_work(endpoint, write(tmp_path / "job.json", job))
    try:
        assert main(["status", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["state"], found["stage"], found["total"]) == ("running", "ask", 160)
    finally:
        process.kill()
        process.wait()
    assert main(["status"]) == 0
    assert "stopped (killed?); the same command goes on from there" in capsys.readouterr().out


def test_an_interrupted_run_says_so(
    capsys: pytest.CaptureFixture[str], endpoint: Any, job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    process = at_work(endpoint, write(tmp_path / "job.json", job))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert main(["status"]) == 0
    assert "runs/test: interrupted" in capsys.readouterr().out


def test_cache_commands(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", job)
    assert "store.sqlite" in fails(capsys, 2, "cache", "list", "--config", path)
    assert main(["run", path, "--quiet"]) == 0
    (tmp_path / "curator.yaml").write_text((tmp_path / "job.json").read_text())
    capsys.readouterr()

    def said(*arguments: str, code: int = 0) -> Any:
        assert main(["cache", *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    assert said("list")["models"][0]["answers"] == 160
    assert said("list", "--config", path) == said("list")
    assert said("list", "--store", job["store"])["models"] == said("list")["models"]
    assert said("export", "--out", "answers.jsonl") == {"answers": 160, "file": "answers.jsonl"}
    lines = Path("answers.jsonl").read_text().splitlines()
    key = json.loads(lines[0])["key"]
    assert said("verify")["found"] == 0
    assert "which answers" in fails(capsys, 2, "cache", "prune")
    assert said("prune", "--key", key, "--dry-run") == {
        "answers": 1, "cost_usd": pytest.approx(14e-6), "freed_bytes": 0, "dry_run": True,
    }  # fmt: skip
    assert said("prune", "--key", key)["answers"] == 1
    assert said("prune", "--older-than", "1")["answers"] == 0
    assert main(["cache", "export"]) == 0
    assert capsys.readouterr().out.splitlines() == lines[1:]
    with sqlite3.connect(job["store"]) as store:
        store.execute("UPDATE generation SET input_tokens = -1 WHERE rowid = (SELECT max(rowid) FROM generation)")
    store.close()
    assert said("verify", code=1)["found"] == 1
    assert main(["cache", "verify"]) == 1
    assert f"curator cache prune --key {json.loads(lines[-1])['key']}" in capsys.readouterr().out
    assert said("prune", "--model", "test-model")["answers"] == 159


def test_plan_needs_no_key(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["models"][0]["api_key_env"] = "NO_SUCH_VARIABLE"
    assert main(["plan", write(tmp_path / "job.json", job), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 160


@pytest.mark.parametrize(
    ("arguments", "usage", "what", "remedy"),
    [
        (("run", "--foo"), "curator run [-h]", "unknown option '--foo'", "`curator run --help` explains the arguments"),
        (("run", "--qiet"), "curator run [-h]", "unknown option '--qiet'", "did you mean --quiet?"),
        (("calibrate", "A", "B"), "curator calibrate [-h]", "unexpected argument 'B'", "`curator calibrate --help`"),
        (
            ("cache", "prune", "x"),
            "curator cache prune [-h]",
            "unexpected argument 'x'",
            "`curator cache prune --help`",
        ),
        (("rnu",), "curator [-h]", "unknown command 'rnu'", "did you mean run?"),
        (("score",), "curator score [-h]", "RECORDED.jsonl", "`curator score --help`"),
    ],
)
def test_wrong_arguments_show_the_usage_of_their_own_command(
    arguments: tuple[str, ...], usage: str, what: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    first, *_, second_last, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"usage: {usage}")
    assert second_last.startswith("curator: ")
    assert what in second_last
    assert last.startswith(f"  -> {remedy}")


def test_a_folder_is_not_a_config(capsys: pytest.CaptureFixture[str], job: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "proj").mkdir()
    said = fails(capsys, 2, "plan", "proj")
    assert "'proj' is a folder, not a config file" in said
    assert "curator init" in said
    write(tmp_path / "proj" / "curator.yaml", job)
    assert "-> name the config in it: proj/curator.yaml" in fails(capsys, 2, "plan", "proj")


def test_no_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert "curator init" in fails(capsys, 2, "run")
    assert "missing.yaml" in fails(capsys, 2, "run", "missing.yaml")


def test_config_that_is_no_yaml(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: x\n  logs: [\n")
    assert "line 2" in fails(capsys, 2, "run", "bad.yaml")


def test_unknown_key_names_the_nearest(capsys: pytest.CaptureFixture[str], job: dict[str, Any], tmp_path: Path) -> None:
    job["committee"]["tempratures"] = [0.5]
    said = fails(capsys, 2, "run", write(tmp_path / "job.json", job))
    assert "'committee.tempratures'" in said
    assert "did you mean 'temperatures'?" in said


@pytest.mark.parametrize(
    ("body", "expected"),
    [("{% if %}", "line 8"), ("{{ usr }}", "did you mean 'user'?"), ("{{ user", "line 8")],
)
def test_broken_prompt_variant(
    body: str, expected: str, capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "mine.md").write_text(
        "---\nid: mine\nversion: 1\nchanges: Nothing.\nanswer: {read: whole}\n---\n[user]\n" + body + "\n[system]\n"
    )
    job["committee"] |= {"variants": ["mine"], "prompts": "prompts"}
    said = fails(capsys, 2, "run", write(tmp_path / "job.json", job))
    assert "mine.md" in said
    assert expected in said


def test_endpoint_that_is_not_there(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    job["committee"]["models"][0] |= {"base_url": "http://127.0.0.1:9/v1", "max_tries": 3}
    assert "127.0.0.1:9" in fails(capsys, 5, "run", write(tmp_path / "job.json", job), "--quiet")


def test_model_that_is_not_there(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], endpoint: Any, write_logs: Path, tmp_path: Path
) -> None:
    endpoint.status, endpoint.error = 404, "The model `test-model` does not exist"
    said = fails(capsys, 5, "run", write(tmp_path / "job.json", job), "--quiet")
    assert "does not exist" in said
    assert "check `model: test-model`" in said


def test_logs_that_are_not_there_or_empty(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", job)
    assert "logs.jsonl" in fails(capsys, 6, "run", path, "--quiet")
    (tmp_path / "logs.jsonl").touch()
    said = fails(capsys, 6, "run", path, "--quiet")
    assert "hold no record: " in said
    assert "logs.jsonl" in said
    (tmp_path / "logs.jsonl").write_bytes(b"\xff\xfe\xff\n{]\n")
    assert "cannot be read" in fails(capsys, 6, "run", path, "--quiet")


@pytest.mark.parametrize(("command", "flag"), [("run", "--logs"), ("run", "--labels"), ("plan", "--logs")])
def test_a_config_among_the_data_files_is_refused(
    command: str, flag: str, capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    write(tmp_path / "curator.yaml", job)
    said = fails(capsys, 2, command, flag, "logs.jsonl", "other.YAML")
    assert "'other.YAML'" in said
    assert f"put the config before {flag}" in said


def test_the_commonest_reason_of_the_worst_file_is_named(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], tmp_path: Path
) -> None:
    job["logs"] = {"paths": ["a.csv", "b.jsonl"], "mapping": {"input": "question"}}
    (tmp_path / "a.csv").write_text("question,n\n,1\n" + "".join(f"how are you {n}?,{n}\n" for n in range(9)))
    records = [{"question": ""}, *({"turn": {"user": {"said": f"hi {n}"}}} for n in range(3))]
    (tmp_path / "b.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    said = fails(capsys, 6, "run", write(tmp_path / "job.json", job), "--quiet")
    assert "5 of 14 records cannot be read" in said
    assert "4 of them are in b.jsonl" in said
    assert "(3 records) is that of b.jsonl:2: no input: the key 'question' is not among 'turn.user.said'" in said
    assert "set `logs.mapping.input`" in said


def test_huge_line_is_set_aside(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    with write_logs.open("ab") as file:
        file.write(b'{"request": "')
        for _ in range(200):
            file.write(b"x" * 2**20)
        file.write(b'"}\n')
    assert main(["run", write(tmp_path / "job.json", job), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["set_aside"] == 3
    assert "longer than 16 MB" in Path("runs/test/set_aside.jsonl").read_text()


def test_a_secret_in_a_wrong_place_is_not_repeated(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], tmp_path: Path
) -> None:
    job["committee"]["models"][0] |= {"base_url": "http://me:canary-31@host/v1", "options": {"key": "canary-32"}}
    said = fails(capsys, 2, "run", write(tmp_path / "job.json", job))
    assert "api_key_env" in said
    assert "canary" not in said


@pytest.mark.parametrize(
    "key", ["mistralKEYabcDEFghiJKLmnoPQRstuVW", "AKIAIOSFODNN7EXAMPLE", "ABCDEFGH12345678IJKLMNOP"]
)
@pytest.mark.parametrize("command", ["run", "doctor", "plan"])
def test_a_key_in_place_of_its_variables_name_is_not_repeated(
    command: str, key: str, capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path
) -> None:
    job["committee"]["models"][0] |= {"api_key_env": key}
    code = main([command, write(write_logs.parent / "job.json", job), *(["--yes"] if command == "run" else [])])
    said = "".join(capsys.readouterr())
    assert key not in said
    if command != "plan":  # it needs no key
        assert code != 0
        assert "NAME of an environment variable" in said


@pytest.mark.parametrize("status", [200, 401])
def test_a_key_in_place_of_its_variables_name_stays_out_of_the_run_folder(
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    job: dict[str, Any],
    endpoint: Any,
    write_logs: Path,
) -> None:
    folder, key = write_logs.parent, "AKIAIOSFODNN7EXAMPLE"
    monkeypatch.setenv(key, "sk-0123456789")
    endpoint.status = status
    job["committee"]["models"][0] |= {"api_key_env": key, "max_tries": 1}
    config = write(folder / "c.yaml", job)
    assert main(["run", config, "--yes", "--out", str(folder / "out")]) == (0 if status == 200 else 5)
    assert key not in "".join(capsys.readouterr())
    files = [path for path in folder.rglob("*") if path.is_file() and path != Path(config)]
    assert (folder / "out" / "manifest.json").exists() == (status == 200)
    assert [path for path in files if key.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("status", [200, 400, 401, 402, 500])
def test_a_key_that_the_endpoint_repeats_gets_nowhere(
    status: int,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    job: dict[str, Any],
    endpoint: Any,
    write_logs: Path,
) -> None:
    """Neither into the result, the events, the status, an error, a log line, the store nor the run folder."""
    folder = write_logs.parent
    monkeypatch.setenv("CANARY_KEY", "sk-canary-4f1d9a7b2c")
    endpoint.status, endpoint.error = status, "no: Bearer sk-canary-4f1d9a7b2c"
    job["committee"]["models"][0] |= {"api_key_env": "CANARY_KEY", "max_tries": 1}
    with caplog.at_level("DEBUG"):
        code = main(["run", write(folder / "c.yaml", job), "--yes", "--json", "--out", str(folder / "out")])
    said = capsys.readouterr()
    assert code == (0 if status == 200 else 5)
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-canary-4f1d9a7b2c"
    assert '"event"' in said.err
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert (folder / "out" / "status.json") in files
    assert [path for path in files if b"canary-4f1d" in path.read_bytes()] == []
    assert "canary-4f1d" not in said.out + said.err + caplog.text


def test_a_run_that_ends_at_its_budget_prints_its_result_with_the_error(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", job | {"budget": {"max_requests": 30}})
    assert main(["run", path, "--yes", "--json", "--quiet", "--out", str(tmp_path / "out")]) == 4
    printed = json.loads(capsys.readouterr().out)
    assert (printed["sent"], printed["exit_code"], printed["folder"]) == (30, 4, str(tmp_path / "out"))
    assert "max_requests" in printed["error"]
    assert printed["remedy"]
    assert printed["files"]


def test_paths_may_be_named_one_by_one(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "more.jsonl").write_text(write_logs.read_text().splitlines()[0].replace("card", "bank card") + "\n")
    path = write(tmp_path / "job.json", job)
    assert main(["plan", path, "--json", "--logs", str(write_logs), "--logs", "more.jsonl"]) == 0
    assert json.loads(capsys.readouterr().out)["read"] == 43


def test_sigterm_is_heard_in_a_background_job(
    endpoint: Any, job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    """A shell starts `curator run ... &` with SIGINT ignored."""
    process = at_work(
        endpoint,
        write(tmp_path / "job.json", job),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    process.terminate()
    assert process.wait(30) == 130


def test_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "missing.yaml", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_score_reads_a_file_and_sets_lines_aside(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = [{"id": str(i), "input": "q", "target": "A", "generations": ["A", "B"]} for i in range(9)]
    lines = [json.dumps(record) for record in good]
    (tmp_path / "recorded.jsonl").write_text("\n".join([*lines[:4], "{broken", *lines[4:]]) + "\n")
    assert main(["score", "recorded.jsonl", "--out", "scores.jsonl"]) == 0
    captured = capsys.readouterr()
    assert "recorded.jsonl:5" in captured.err
    assert "9 records scored, 1 set aside: scores.jsonl\n0 of 9 unanimous (0%)" in captured.out
    scores = [json.loads(line) for line in Path("scores.jsonl").read_text().splitlines()]
    assert list(scores[0]) == ["id", "disagreement", "within", "between", "against_target", "kind", "scorer", "majority",
                               "agreement", "n"]  # fmt: skip
    assert [s["id"] for s in scores] == [str(i) for i in range(9)]


def test_score_counts_members_by_their_health_unless_told_otherwise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    records = [
        {"id": str(i), "input": "q", "kind": "number", "target": str(i % 7), "generations": [
            {"text": str(i % 7), "variant": "plain"}, {"text": str(i % 7 + (i % 9 == 0)), "variant": "careful"},
            {"text": "n/a", "variant": "broken"},
        ]}
        for i in range(90)
    ]  # fmt: skip
    (tmp_path / "recorded.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main(["score", "recorded.jsonl", "--out", "scores.jsonl", "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["weights"]["broken"] == 0
    assert "broken" in result["warnings"][0]
    assert "broken" in captured.err
    assert main(["score", "recorded.jsonl", "--out", "equal.jsonl", "--equal-members"]) == 0
    weighted, equal = (
        [json.loads(line)["disagreement"] for line in Path(name).read_text().splitlines()]
        for name in ("scores.jsonl", "equal.jsonl")
    )
    assert weighted[1] == 0
    assert equal[1] > weighted[1]


def test_score_reads_a_pipe_which_can_be_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    line = json.dumps({"id": "a", "generations": ["1", "2"]})
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(line + "\n",))
    writer.start()
    assert main(["score", "pipe", "--out", "scores.jsonl"]) == 0
    writer.join(10)
    assert json.loads(Path("scores.jsonl").read_text())["disagreement"] == 1


def test_score_never_replaces_the_recorded_answers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = json.dumps({"id": "a", "generations": ["1", "2"]}) + "\n"
    (tmp_path / "recorded.jsonl").write_text(line)
    assert "another name" in fails(capsys, 2, "score", "recorded.jsonl", "--out", "./recorded.jsonl")
    assert (tmp_path / "recorded.jsonl").read_text() == line


def test_score_says_why_it_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "none.jsonl").write_text("")
    assert "holds no record" in fails(capsys, 6, "score", "none.jsonl", "--out", "scores.jsonl")
    assert not Path("scores.jsonl").exists()
    assert main(["score", "empty.jsonl"]) == 6
    assert "holds no record" in capsys.readouterr().err
    good = json.dumps({"id": "a", "generations": ["1", "2"]}) + "\n"
    (tmp_path / "bad.jsonl").write_text(good + "{}\n{}\n")
    assert main(["score", "bad.jsonl", "--out", "scores.jsonl"]) == 6
    assert "2 of 3 records cannot be read" in capsys.readouterr().err


def test_score_does_not_mind_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "recorded.jsonl").write_bytes(b'\xef\xbb\xbf{"id": "y", "generations": ["1", "2"]}\r\n')
    assert main(["score", "recorded.jsonl", "--out", "scores.jsonl"]) == 0
    assert json.loads(Path("scores.jsonl").read_text())["disagreement"] == 1


def test_score_gives_the_same_bytes_on_one_and_on_two_processors(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    records = [{"id": str(i), "input": "q", "generations": ["yes", "no", f"it is {i % 5}"]} for i in range(2000)]
    (tmp_path / "recorded.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    told = []
    for jobs in ("1", "2"):
        assert main(["score", "recorded.jsonl", "--out", f"scores{jobs}.jsonl", "--jobs", jobs, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out) | {"out": ""})
    assert told[0] == told[1]
    assert told[0]["length_n"] == 2000
    assert Path("scores1.jsonl").read_bytes() == Path("scores2.jsonl").read_bytes()
    assert len(Path("scores1.jsonl").read_bytes().splitlines()) == 2000


def test_score_refuses_a_number_of_jobs_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["score", "recorded.jsonl", "--jobs", "0"])
    assert "'0' is not a whole number from 1 on" in capsys.readouterr().err


def test_score_of_nothing_readable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "recorded.jsonl").write_text("{}\n")
    assert main(["score", "recorded.jsonl"]) == 6
    assert "no list of answers to compare" in capsys.readouterr().err
    assert "no-such-file" in fails(capsys, 6, "score", "no-such-file.jsonl")


def test_init_writes_a_folder_that_plans(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["init", "mine"]) == 0
    assert (tmp_path / "mine" / "prompts" / "plain.md").is_file()
    os.chdir(tmp_path / "mine")
    capsys.readouterr()
    assert main(["plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] > 0
    assert "are there already" in fails(capsys, 2, "init")


def test_doctor_finds_what_a_config_lacks(
    capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    job["embedding"] = {"model": str(tmp_path / "no-such-model")}
    assert main(["doctor", write(tmp_path / "job.json", job), "--json"]) == 2
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["m"]["status"] == "ok"
    assert findings["logs"]["status"] == "warn"  # two of its records are damaged
    assert "cannot be read" in findings["logs"]["found"]
    assert findings["embedding model"]["status"] == "fail"
    job["committee"]["models"][0]["model"] = "other"
    main(["doctor", write(tmp_path / "job.json", job), "--json"])
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["m"]["status"] == "fail"
    assert "test-model" in findings["m"]["remedy"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_keeps_what_was_paid_for(
    number: signal.Signals, endpoint: Any, job: dict[str, Any], write_logs: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.json", job)
    process = at_work(endpoint, path, stderr=subprocess.PIPE)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    sent = len(endpoint.bodies)
    assert main(["run", path, "--json"]) == 0
    assert len(endpoint.bodies) == 160  # nothing that was in flight was asked twice
    assert sent < 160


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="mounts a small disk: Linux, root"
)
def test_full_disk(capsys: pytest.CaptureFixture[str], job: dict[str, Any], write_logs: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let a small disk be mounted")
    try:
        job["store"] = str(disk / "store.sqlite")
        said = fails(capsys, 1, "run", write(tmp_path / "job.json", job), "--quiet")
        assert "full" in said
        stored = (disk / "store.sqlite").stat().st_size
        assert stored > 0
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assert main(["run", write(tmp_path / "job.json", job), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["from_store"] > 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)
