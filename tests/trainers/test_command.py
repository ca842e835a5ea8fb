"""The trainer `command`: placeholders, exit codes, output, timeouts, endpoints, and what a killed process leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from curator.committee.requests import ModelRequest
from curator.config import ModelConfig, Price
from curator.errors import ConfigError, ProviderError, RunLocked, UserError
from curator.progress import Silent
from curator.trainers import TRAINERS, TrainedModel, TrainingJob
from tests.trainers.jobs import job_of

COMMAND = TRAINERS["command"]
SECRET = "pa55-of-the-warehouse"  # noqa: S105


def job_with(folder: Path, program: str, *arguments: str, **config: Any) -> TrainingJob:
    """A job whose program is this Python code."""
    environ = {**os.environ, "WAREHOUSE_PASSWORD": SECRET}
    return job_of(
        folder, environ=environ, name="command", command=(sys.executable, "-c", program, *arguments), **config
    )


def train(folder: Path, program: str, *arguments: str, **config: Any) -> TrainedModel:
    return COMMAND.train(job_with(folder, program, *arguments, **config), Silent())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


def test_the_placeholders_are_replaced_and_nothing_else(tmp_path: Path) -> None:
    program = "import json, sys; json.dump(sys.argv[1:], open(sys.argv[2] + '/seen.json', 'w')); print('my-model')"
    arguments = ("{training_file}", "{folder}", "--name={name}", "{other} ${HOME} {", "; touch '{folder}/shell'")
    folder = tmp_path / "a {name} folder"
    model = train(folder, program, *arguments)
    seen = json.loads((folder / "seen.json").read_text())
    assert seen == [
        str(folder / "training.jsonl"), str(folder), "--name=loop-r1", "{other} ${HOME} {", f"; touch '{folder}/shell'",
    ]  # fmt: skip
    assert not (folder / "shell").exists()
    assert (model.trainer, model.model, model.usd) == ("command", "my-model", None)
    assert len(Path(seen[0]).read_text().splitlines()) == 12


def test_the_last_line_may_be_json(tmp_path: Path) -> None:
    line = {"model": "m:7", "base_url": "http://127.0.0.1:1/v1", "price": {"input": 1, "output": 2}, "usd": 0.5}
    model = train(tmp_path, f"print('epoch 1'); print({json.dumps(line)!r}); print()", api_key_env="MY_KEY")
    assert model.usd == 0.5
    read_back = TrainedModel("command", model.model, 0.0, details=json.loads(json.dumps(model.details)))
    with COMMAND.serve(read_back, job_with(tmp_path, "", api_key_env="MY_KEY")) as served:
        assert isinstance(served, ModelConfig)
        assert served == ModelConfig(
            name="loop-r1", model="m:7", base_url="http://127.0.0.1:1/v1", api_key_env="MY_KEY",
            price=Price(input=1, output=2), options=served.options,
        )  # fmt: skip


def test_answers_of_an_earlier_training_are_not_those_of_a_model_with_the_same_name(tmp_path: Path) -> None:
    job = job_with(tmp_path, "print('m')", base_url="http://127.0.0.1:1/v1")
    first, second = (COMMAND.train(job, Silent()) for _ in range(2))
    keys = []
    for model in (first, first, second):
        with COMMAND.serve(model, job) as served:
            assert isinstance(served, ModelConfig)
            keys.append(ModelRequest("e", "m", (), 0.0, 9, options=served.options).key)
    assert keys[0] == keys[1] != keys[2]


def test_a_plain_name_is_asked_at_the_endpoint_of_the_config(tmp_path: Path) -> None:
    config = {"base_url": "http://127.0.0.1:1/v1", "price": Price(input=3, output=4), "training_price": 1000.0}
    model = train(tmp_path, "print('m')", **config)
    assert model.usd == pytest.approx(COMMAND.cost(job_with(tmp_path, "", **config)).tokens / 1000)
    with COMMAND.serve(model, job_with(tmp_path, "", **config)) as served:
        assert isinstance(served, ModelConfig)
        assert (served.base_url, served.price) == ("http://127.0.0.1:1/v1", Price(input=3, output=4))


@pytest.mark.parametrize(
    ("printed", "problem"),
    [
        ("", "printed nothing"),
        ("done in 3 s", "'done in 3 s', names no model .a name has no blanks"),
        ('{"modell": "m"}', "model: Field required"),
        ('{"model": "m", "more": 1}', "more: Extra inputs"),
        ('{"model": ', "names no model"),
        ('{"model": "m", "serve_command": ["x"]}', "`serve_command` needs a `base_url`"),
        ('{"model": "m", "base_url": "http://a:b@c/v1"}', "base_url: it must not hold"),
        ('{"model": "m", "base_url": "http://elsewhere/v1"}', "names the endpoint 'http://elsewhere/v1'"),
    ],
)
def test_a_last_line_that_names_no_model_is_shown(tmp_path: Path, printed: str, problem: str) -> None:
    config = {"base_url": "http://127.0.0.1:1/v1"} if "elsewhere" in printed else {}
    with pytest.raises(ConfigError, match=problem):
        train(tmp_path, f"print({printed!r})", **config)


def test_a_failure_shows_the_exit_code_and_the_end_of_stderr_without_secrets(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfor i in range(99): print('line', i, file=sys.stderr)\n"
        "sys.stderr.write('\\x1b[31mno access with ' + os.environ['WAREHOUSE_PASSWORD'])\nprint('m')\nsys.exit(3)"
    )
    with pytest.raises(
        UserError, match=r"exit code 3; the end of its stderr: .*line 98 .*no access with \[key\]"
    ) as caught:
        train(tmp_path, program)
    assert SECRET not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "line 90 " not in str(caught.value)
    assert train(tmp_path, "print('m')").model == "m"


def test_a_program_that_is_killed_by_a_signal_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exit code -9; it wrote nothing"):
        train(tmp_path, "import os; print('m', flush=True); os.kill(os.getpid(), 9)")


def test_the_whole_group_ends_at_the_timeout(tmp_path: Path) -> None:
    command = ("sh", "-c", 'sleep 600 & echo $! > "$0/pid"; echo m; wait', "{folder}")
    job = job_of(tmp_path, name="command", command=command, timeout_s=2)
    with pytest.raises(UserError, match=r"still runs after 2 s \(`loop.trainer.timeout_s`\), and was ended") as caught:
        COMMAND.train(job, Silent())
    assert "timeout_s" in caught.value.remedy
    assert gone(int((tmp_path / "pid").read_text()))


class Interrupted(Silent):
    def advance(self, count: int = 1, *, note: str = "", facts: Any = None) -> None:
        raise KeyboardInterrupt


def test_an_interruption_ends_the_program(tmp_path: Path) -> None:
    command = ("sh", "-c", 'echo $$ > "$0/pid"; echo m; sleep 600', "{folder}")
    with pytest.raises(KeyboardInterrupt):
        COMMAND.train(job_of(tmp_path, name="command", command=command), Interrupted())
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_program_that_leaves_a_child_with_its_output_is_not_waited_for(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1] + '/pid', 'w').write(str(child.pid))\nprint('m')"
    )
    assert train(tmp_path, program, "{folder}").model == "m"
    assert gone(int((tmp_path / "pid").read_text()))


def test_much_output_without_an_end_of_line_is_no_burden(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('x' * 10**6); sys.stdout.write('\\r'.join(map(str, range(10**5))) + '\\nm')"
    assert train(tmp_path, program).model == "m"


SERVER = """
import http.server, json, sys
print("starts")
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        self.send_response(503 if Handler.asked < 3 else 200)
        self.end_headers()
        self.wfile.write(sys.argv[2].encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def serving(*command: str) -> str:
    line = {
        "model": "tuned", "base_url": "http://127.0.0.1:{port}/v1",
        "serve_command": [sys.executable, "-c", *command, "{port}", "{name}"],
    }  # fmt: skip
    return f"print({json.dumps(line)!r})"


def test_an_endpoint_runs_for_as_long_as_it_is_served(tmp_path: Path) -> None:
    job = job_with(tmp_path, serving(SERVER))
    model = COMMAND.train(job, Silent())
    for _ in range(2):
        with COMMAND.serve(model, job) as served:
            assert isinstance(served, ModelConfig)
            assert (served.model, served.price) == ("tuned", Price(input=0, output=0))
            port = urlsplit(served.base_url or "").port
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                connection.request("GET", "/v1/models")
                assert connection.getresponse().read() == b"loop-r1"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port or 0))


@pytest.mark.parametrize(
    ("program", "start_s", "problem"),
    [
        ("import sys; sys.exit('no model here')", 60, "its program ended with exit code 1; .*no model here"),
        ("import time; time.sleep(600)", 1, r"does not answer after 1 s \(`options.start_s`\)"),
    ],
)
def test_an_endpoint_that_does_not_start_is_named(tmp_path: Path, program: str, start_s: float, problem: str) -> None:
    job = job_with(tmp_path, serving(program), options={"start_s": start_s})
    model = COMMAND.train(job, Silent())
    with pytest.raises(ProviderError, match=problem), COMMAND.serve(model, job):
        pass


KILLED = """
import os, sys
from pathlib import Path
from tests.trainers.test_command import train
train(Path(sys.argv[1]), sys.argv[2], sys.argv[1])
"""
SLEEPER = (
    "import os, pathlib, sys, time; p = pathlib.Path(sys.argv[1])\nn = len(list(p.glob('start-*')))\n"
    "(p / f'start-{n}').write_text(str(os.getpid()))\nprint('m', flush=True)\nif not n: time.sleep(600)"
)


@pytest.mark.slow
def test_what_a_killed_process_left_running_is_ended_before_the_program_starts_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), SLEEPER]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())}) as killed:
        first = tmp_path / "start-0"
        while not (first.exists() and first.read_text() and (tmp_path / "command.lock").read_text()):
            assert killed.poll() is None
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
    assert is_running(int(first.read_text()))
    assert train(tmp_path, SLEEPER, str(tmp_path)).model == "m"
    assert gone(int(first.read_text()))
    assert (tmp_path / "start-1").exists()


def test_a_lock_whose_holder_is_not_known_is_respected(tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "command.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunLocked, match="still runs"):
            train(tmp_path, "print('m')")
    assert train(tmp_path, "print('m')").model == "m"


@pytest.mark.parametrize(
    ("command", "problem"), [((), "the program is missing"), (("no-such-program", "x"), "no program 'no-such-program'")]
)
def test_a_missing_program_is_refused_before_anything_runs(
    tmp_path: Path, command: tuple[str, ...], problem: str
) -> None:
    job = job_of(tmp_path, name="command", command=command)
    with pytest.raises(ConfigError, match=problem):
        COMMAND.check(job.config, job.environ)
    with pytest.raises(ConfigError, match=problem):
        COMMAND.train(job, Silent())


def test_a_program_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(ConfigError, match=r"train\.sh' cannot be started"):
        COMMAND.train(job_of(tmp_path, name="command", command=(str(script),)), Silent())
