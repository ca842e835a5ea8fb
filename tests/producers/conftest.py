"""Tests that install what writes logs and read what it wrote; they run with `pytest -m producers` only."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
Run = Callable[..., None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "producers" in config.option.markexpr:
        return
    slow = [item for item in items if HERE in item.path.parents]
    items[:] = [item for item in items if HERE not in item.path.parents]
    config.hook.pytest_deselected(items=slow)


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


def environment_of(requirements: Path) -> Path:
    """The Python of the environment with these packages; the test is skipped where they cannot be installed."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / "curator-producers"
    cache.mkdir(parents=True, exist_ok=True)
    folder, python = cache / key, cache / key / "bin" / "python"
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)]
            done = subprocess.run(install, check=False, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{requirements.name} cannot be installed: {(done.stderr.strip() or '?').splitlines()[-1]}")
            (folder / "complete").touch()
    return python
