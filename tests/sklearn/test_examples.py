"""The examples of a loop run in seconds, and ours ends above random choice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(code: list[str], folder: Path = EXAMPLES) -> str:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", *code], cwd=folder, env=environment, check=False,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def last_row(table: str) -> list[float]:
    return [float(cell) for cell in table.strip().splitlines()[-1].split()]


def test_the_loop_of_scikit_learn() -> None:
    labels, ours, margin, random = last_row(run_example(["loop_sklearn.py", "--seeds", "1", "--rounds", "4"]))
    assert labels == 80
    assert ours > random
    assert min(ours, margin, random) > 0.7


def test_the_loop_of_modal() -> None:
    pytest.importorskip("modAL", reason="needs `pip install modAL-python 'scikit-learn<1.8'`")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8):
        pytest.skip("modAL 0.4.2 needs scikit-learn<1.8")
    printed = run_example(["loop_modal.py", "--seeds", "1", "--rounds", "4"])
    learner, committee = printed.split("Committee")
    for table in (learner, committee):
        labels, ours, random = last_row(table)
        assert labels == 80
        assert ours > random


def test_the_python_of_the_page_runs() -> None:
    page = (EXAMPLES.parent / "docs" / "sklearn.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    printed = run_example(["-c", "\n".join([*blocks, "print(int(np.isfinite(y).sum()))"])], folder=EXAMPLES.parent)
    names, *shares, labelled = printed.strip().splitlines()
    assert names == "['disagreement' 'within' 'between' 'against_target' 'agreement']"
    assert shares == ["[[0.  1. ]", " [0.5 0.5]]"]
    assert labelled == "30"


def test_the_notebook_runs_and_holds_no_output() -> None:
    notebook = json.loads((EXAMPLES / "loop.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
    printed = run_example(["-c", "\n".join("".join(cell["source"]) for cell in cells)])
    areas = dict(re.findall(r"^(\w+) +(\d\.\d\d)$", printed, re.MULTILINE))
    assert float(areas["disagreement"]) > 0.6
    labels, ours, random = re.findall(r"(\d+) labels: ours (\d\.\d+), random (\d\.\d+)", printed)[-1]
    assert labels == "100"
    assert float(ours) > float(random)
