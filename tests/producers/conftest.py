"""Tests that install what writes logs and read what it wrote; they run with `pytest -m producers` only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environments import environment_of

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
Run = Callable[..., None]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a program of `programs` with the Python of an environment that has the packages of a list.

    The environment is kept in the cache folder under the hash of its list, so that it is installed once.
    """

    def run_in(requirements: str, program: str, *arguments: object, **environment: str) -> None:
        python = environment_of(HERE / requirements)
        command = [str(python), str(PROGRAMS / program), *map(str, arguments)]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OTEL_"))}
        quiet = {"OTEL_SDK_DISABLED": "false", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, env={**inherited, **quiet, **environment}, check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]

    return run_in
