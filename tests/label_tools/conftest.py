"""Tests against the programs that people label with; they run with `pytest -m label_tools` only."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.workflows.run import run
from curator.workflows.run_result import RunResult
from tests.conftest import HashingEncoder
from tests.environments import environment_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Curator = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def sdks() -> Path:
    """The Python of an environment with the SDKs, which takes every other package from that of the tests."""
    python = environment_of(HERE / "sdks.txt")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = python.parents[1] / "lib" / version / "site-packages"
    (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


@pytest.fixture
def curator_with(sdks: Path) -> Curator:
    """Run a command of `curator` where the SDKs are installed, and return what it prints as JSON."""

    def run_command(*words: object, environment: Mapping[str, str], code: int = 0) -> dict[str, Any]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        variables = {**inherited, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
        done = subprocess.run(
            [str(sdks), "-m", "curator.cli", *map(str, words), "--json"],
            env=variables, check=False, capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        for key in environment.values():
            assert len(key) < 20 or key.startswith("http") or key not in done.stdout + done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    return run_command


@pytest.fixture
def run_job(job: dict[str, Any], write_logs: Path, tmp_path: Path, encoder: HashingEncoder) -> Callable[[], RunResult]:
    """Run a job whose answers have fixed labels, the first time and again, in the folder `nightly`."""
    return lambda: run(parse_config(job), out=tmp_path / "nightly", encoder=encoder, environ={})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(command: list[str], url: str, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server until the block ends; it is ready when `url` answers."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**inherited, **environment}, stdout=output, stderr=output, cwd=log.parent
        )
    try:
        for _ in range(600):
            if process.poll() is not None or answers(url):
                break
            time.sleep(0.5)
        assert answers(url), log.read_text(errors="replace")[-3000:]
        yield
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  an address on this machine
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
