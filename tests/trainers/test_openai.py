"""The trainer `openai` against a local API: failures, a slow job, and a restart of the process at each step."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from curator.config import ModelConfig, Price
from curator.errors import ConfigError, ProviderError, StorageError
from curator.progress import Silent
from curator.trainers import TRAINERS, TrainedModel, TrainingJob
from curator.trainers import openai as trainer
from curator.trainers.openai_api import Clock
from tests.trainers.fine_tuning_server import KEY, FineTuningServer
from tests.trainers.jobs import job_of

OPENAI = TRAINERS["openai"]
ENVIRON = {"OPENAI_API_KEY": "sk-of-another-host-000000", "ACCESS": KEY}
CREATE, UPLOAD, LOOK = "POST fine_tuning/jobs", "POST files", "GET fine_tuning/jobs/{id}"


class Time:
    """A clock whose sleeps take no time."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def advance(self, count: int = 1, *, note: str = "", facts: Any = None) -> None:
        self.notes.append(note)


@pytest.fixture
def server() -> Iterator[FineTuningServer]:
    started = FineTuningServer()
    yield started
    started.close()


@pytest.fixture
def job(server: FineTuningServer, tmp_path: Path) -> TrainingJob:
    return job_in(tmp_path / "job", server.base_url)


def job_in(folder: Path, url: str, environ: Mapping[str, str] = ENVIRON, **config: Any) -> TrainingJob:
    settings = {
        "name": "openai", "base_model": "base-2026", "base_url": url, "api_key_env": "ACCESS", "training_price": 25.0,
        "price": Price(input=1, output=2),
    }  # fmt: skip
    return job_of(folder, environ=environ, **settings | config)


def train(job: TrainingJob, time: Time | None = None) -> TrainedModel:
    return trainer._train(job, Silent(), clock=(time or Time()).clock)


def test_a_job_is_uploaded_created_and_awaited(server: FineTuningServer, job: TrainingJob) -> None:
    server.job()
    notes, time = Notes(), Time()
    model = trainer._train(job, notes, clock=time.clock)
    created = server.jobs[1]
    assert server.contents[created["training_file"]] == job.file.read_bytes()
    assert (created["model"], created["seed"], created["suffix"]) == ("base-2026", 7, "loop-r1")
    assert created["hyperparameters"] == {"n_epochs": 3}
    assert model.model == "ft:base-2026:org:loop-r1:1"
    assert model.tokens == created["trained_tokens"]
    assert model.usd == pytest.approx(created["trained_tokens"] * 25 / 1_000_000)
    assert (model.seconds, model.details["job"]) == (90, "ftjob-1")
    assert notes.notes == [
        "Created fine-tuning job: ftjob-1", "Step 1: training loss=0.5", "Step 2: training loss=0.5",
    ]  # fmt: skip
    assert time.slept == [15, 15]
    assert KEY not in "".join(path.read_text() for path in job.folder.iterdir())
    with OPENAI.serve(model, job) as served:
        assert served == ModelConfig(
            name="loop-r1", model=model.model, base_url=server.base_url, api_key_env="ACCESS",
            price=Price(input=1, output=2),
        )  # fmt: skip


def test_an_endpoint_on_this_computer_is_not_reached_through_a_proxy(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert train(job).details["job"] == "ftjob-0"


def test_a_finished_job_is_not_bought_again(server: FineTuningServer, job: TrainingJob) -> None:
    assert train(job) == train(job)
    assert (len(server.files), len(server.jobs)) == (1, 1)


@pytest.mark.parametrize("kind", [UPLOAD, CREATE, LOOK])
@pytest.mark.parametrize("fault", ["lost", "refused", 500, 429, 409])
def test_what_passes_is_waited_out_and_nothing_is_made_twice(
    server: FineTuningServer, job: TrainingJob, kind: str, fault: str | int
) -> None:
    for _ in range(3):
        server.job()
        server.file("of-others.jsonl")
    server.faults[kind] = [fault] * 3 if isinstance(fault, int) else [fault, fault]
    time = Time()
    model = train(job, time)
    assert (len(server.files), len(server.jobs)) == (4, 4)
    assert model.details["job"] == "ftjob-3"
    assert 1.0 in time.slept
    if kind != LOOK:
        looked = server.asked[f"GET {kind.removeprefix('POST ')}"] > 0
        assert looked == (fault != 429)


def test_a_list_that_lags_behind_is_looked_at_again(server: FineTuningServer, job: TrainingJob) -> None:
    server.faults[CREATE] = ["lost"]
    server.hidden = 2
    train(job)
    assert (len(server.jobs), server.asked[CREATE]) == (1, 1)


@pytest.mark.parametrize("field", ["metadata", "training_file"])
def test_a_job_is_recognised_by_its_file_or_its_metadata(
    server: FineTuningServer, job: TrainingJob, field: str
) -> None:
    server.job(metadata={"curator_nonce": "of another loop"})
    server.faults[CREATE], server.without = ["lost"], field
    assert train(job).details["job"] == "ftjob-1"
    assert (len(server.jobs), server.asked[CREATE]) == (2, 1)


def test_the_pause_that_the_api_asks_for_is_kept(server: FineTuningServer, job: TrainingJob) -> None:
    server.faults[CREATE], server.retry_after = [429], "37"
    time = Time()
    train(job, time)
    assert time.slept[0] == 37


def test_a_long_failure_ends_the_wait_and_the_same_command_goes_on(server: FineTuningServer, job: TrainingJob) -> None:
    server.faults[LOOK] = [503] * 100
    time = Time()
    with pytest.raises(ProviderError, match="cannot be used: 503") as caught:
        train(job, time)
    assert "the same command waits" in caught.value.remedy
    assert 600 < sum(time.slept) <= 900
    server.faults.clear()
    assert train(job).model == "ft:base-2026:org:loop-r1:0"
    assert len(server.jobs) == 1


@pytest.mark.parametrize(("status", "code"), [(401, None), (403, None), (404, None), (429, "insufficient_quota")])
def test_a_lasting_refusal_ends_at_once_without_the_key(
    server: FineTuningServer, job: TrainingJob, status: int, code: str | None
) -> None:
    server.faults[CREATE], server.code = [status], code
    time = Time()
    with pytest.raises(ProviderError, match=f"refuses: {status}") as caught:
        train(job, time)
    assert KEY not in str(caught.value)
    assert "no, not with Bearer [key]" in str(caught.value)
    assert (time.slept, caught.value.__context__) == ([], None)
    assert train(job).details["job"] == "ftjob-0"
    assert len(server.jobs) == 1


def test_a_failed_job_shows_the_reason_and_the_next_command_begins_a_new_one(
    server: FineTuningServer, job: TrainingJob
) -> None:
    server.end, server.error["message"] = "failed", f"row 3 of 12 is\x1b[31m empty, {KEY}"
    with pytest.raises(
        ProviderError, match=r"'ftjob-0' failed: row 3 of 12 .* empty, \[key\] \(training_file\)"
    ) as caught:
        train(job)
    assert "begins a new job" in caught.value.remedy
    server.end = "succeeded"
    assert train(job).details["job"] == "ftjob-1"
    assert train(job).details["job"] == "ftjob-1"


def test_a_cancelled_job_is_named_and_begun_anew(server: FineTuningServer, job: TrainingJob) -> None:
    server.end = "cancelled"
    with pytest.raises(ProviderError, match="'ftjob-0' was cancelled"):
        train(job)
    server.end = "succeeded"
    assert train(job).details["job"] == "ftjob-1"


def test_a_slow_job_ends_the_wait_and_goes_on_there(server: FineTuningServer, tmp_path: Path) -> None:
    server.looks = 12
    job = job_in(tmp_path, server.base_url, timeout_s=60)
    time = Time()
    with pytest.raises(ProviderError, match=r"'running' after 1 min 0 s \(`loop.trainer.timeout_s`\)"):
        train(job, time)
    assert sum(time.slept) <= 60
    with pytest.raises(ProviderError, match="'running'"):
        train(job)
    assert train(job).details["job"] == "ftjob-0"
    assert (len(server.files), len(server.jobs)) == (1, 1)


def test_an_api_without_events_is_enough(server: FineTuningServer, job: TrainingJob) -> None:
    server.events_status = 404
    assert train(job).details["job"] == "ftjob-0"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("call", range(12))
def test_a_process_that_ends_at_any_write_goes_on(
    server: FineTuningServer, job: TrainingJob, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Before or after each write of the state; the calls of the API stand between the writes."""
    count = 0
    write = trainer.write_atomic

    def ends(path: Path, chunks: Any) -> None:
        nonlocal count
        place, count = count, count + 1
        if 2 * place == call:
            raise Killed
        write(path, chunks)
        if 2 * place + 1 == call:
            raise Killed

    monkeypatch.setattr(trainer, "write_atomic", ends)
    if call < 8:
        with pytest.raises(Killed):
            train(job)
    monkeypatch.setattr(trainer, "write_atomic", write)
    assert train(job).details["job"] == "ftjob-0"
    assert (len(server.files), len(server.jobs)) == (1, 1)


PROGRAM = """
import os, sys, time
from pathlib import Path
import openai
from curator.progress import Silent
from curator.trainers import openai as trainer
from curator.trainers.openai_api import Clock
from tests.trainers.test_openai import job_in

while os.read(0, 1):
    child = os.fork()
    if not child:
        os.read(0, 1)
        clock = Clock(time.time, lambda seconds: time.sleep(0.01))
        model = trainer._train(job_in(Path(sys.argv[1]), sys.argv[2]), Silent(), clock=clock)
        print(model.details["job"], flush=True)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_at_each_request_buys_one_job(server: FineTuningServer, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "job"), server.base_url]
    kills = [(kind, when) for kind in (UPLOAD, CREATE, LOOK) for when in ("kill before", "kill after")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as parent:
        assert parent.stdin
        assert parent.stdout
        for kind, when in kills:
            server.faults[kind] = [when]
            parent.stdin.write("\n")
            server.victim = int(parent.stdout.readline())
            parent.stdin.write("\n")
            assert parent.stdout.readline() == "-9\n"
            assert not server.faults[kind]
        parent.stdin.write("\n\n")
        parent.stdin.flush()
        assert [parent.stdout.readline() for _ in range(3)][1:] == ["ftjob-0\n", "0\n"]
        parent.stdin.close()
    assert (len(server.files), len(server.jobs)) == (1, 1)


@pytest.mark.parametrize(
    ("config", "environ", "problem"),
    [
        ({"base_model": ""}, ENVIRON, "the model to fine-tune is missing"),
        ({"training_price": None}, ENVIRON, "the price of training 'base-2026' is not known"),
        ({"api_key_env": "OTHER_KEY"}, ENVIRON, "'OTHER_KEY' should hold its key"),
        ({"api_key_env": None, "base_url": None}, {}, "'OPENAI_API_KEY' should hold its key"),
        ({"options": {"epochs": 0}}, ENVIRON, "'epochs'"),
    ],
)
def test_a_config_that_cannot_work_is_refused_before_anything_is_sent(
    server: FineTuningServer, tmp_path: Path, config: dict[str, Any], environ: Mapping[str, str], problem: str
) -> None:
    job = job_in(tmp_path, server.base_url, environ, **config)
    with pytest.raises(ConfigError, match=problem):
        OPENAI.check(job.config, environ)
    with pytest.raises(ConfigError, match=problem):
        train(job)
    assert not server.asked
    assert not (tmp_path / "openai_job.json").exists()


def test_a_variable_that_may_be_the_key_itself_is_not_shown(server: FineTuningServer, tmp_path: Path) -> None:
    job = job_in(tmp_path, server.base_url, {}, api_key_env="mySecret2Key")
    with pytest.raises(
        ConfigError, match=r"the environment variable that `api_key_env` of `loop\.trainer` names"
    ) as shown:
        OPENAI.check(job.config, {})
    assert "mySecret2Key" not in str(shown.value)


def test_the_cost_is_an_upper_estimate_of_all_epochs(server: FineTuningServer, job: TrainingJob) -> None:
    cost = OPENAI.cost(job)
    assert cost.usd == pytest.approx(cost.tokens * 25 / 1_000_000)
    assert cost.tokens == 3 * OPENAI.cost(job_in(job.folder, server.base_url, options={"epochs": 1})).tokens
    words = sum(len(f"{row.messages[0].content} {row.answer}".split()) for row in job.rows)
    assert cost.tokens > 3 * words


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda job: job.file.write_text("{}"), "begun with other rows"),
        (lambda job: None, r"other base_model \('base-2026', now 'base-2027'\)"),
    ],
)
def test_a_job_of_other_rows_or_another_model_is_not_taken_for_this_one(
    server: FineTuningServer, job: TrainingJob, change: Callable[[TrainingJob], object], problem: str
) -> None:
    train(job)
    other = job if "rows" in problem else job_in(job.folder, server.base_url, base_model="base-2027")
    change(job)
    with pytest.raises(ConfigError, match=problem):
        train(other)
    (job.folder / "openai_job.json").unlink()
    assert train(other).details["job"] == "ftjob-1"


def test_a_damaged_state_begins_no_second_job(server: FineTuningServer, job: TrainingJob) -> None:
    train(job)
    path = job.folder / "openai_job.json"
    content = json.loads(path.read_text())
    for damaged in ("", "{", "[]", json.dumps({**content, "more": 1})):
        path.write_text(damaged)
        with pytest.raises(StorageError, match=r"openai_job\.json"):
            train(job)
    path.write_text(json.dumps(content))
    assert train(job).details["job"] == "ftjob-0"
    assert len(server.jobs) == 1
