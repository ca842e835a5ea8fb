"""Python environments for tests against other programs, installed once for each list of packages."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


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
