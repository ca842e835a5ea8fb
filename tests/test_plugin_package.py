"""A package of somebody else: its reader, exporter and label tool are found, used and documented; a broken one disturbs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TOYS = ROOT / "tests" / "data" / "toy_package"
PROJECT: dict[str, Any] = tomllib.loads((TOYS / "pyproject.toml").read_text(encoding="utf-8"))["project"]


class Installed:
    """A working directory with the toy package installed: its source and its metadata are on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self._metadata = folder / "site" / "curator_toys-1.0.dist-info"
        self._metadata.mkdir(parents=True)
        (self._metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: curator-toys\nVersion: 1.0\n")
        self.write_entry_points(PROJECT["entry-points"])

    def write_entry_points(self, groups: dict[str, dict[str, str]]) -> None:
        """Write the entry points as an installer does."""
        lines = [
            line
            for group, entries in groups.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        (self._metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the package installed."""
        path = os.pathsep.join([str(ROOT), str(TOYS), str(self._metadata.parent)])
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def curator(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return self.python("-m", "curator.cli", *arguments)


@pytest.fixture
def installed(tmp_path: Path, job: dict[str, Any]) -> Installed:
    place = Installed(tmp_path)
    topics = ("my card was charged twice", "the parcel is late", "how do I send it back", "I forgot my password")
    records = [{"asked": f"{topics[i % 4]} number {i}", "replied": "billing"} for i in range(24)]
    (place.folder / "gateway.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    config = {
        "name": "toys", "seed": 1, "logs": {"paths": ["gateway.jsonl"]}, "tasks": job["tasks"],
        "committee": job["committee"], "selection": {"k": 8, "held_out_share": 0.5},
        "outputs": {"exports": ["toy-quiz"]}, "labelling": {"tools": ["toy-board"]},
    }  # fmt: skip
    (place.folder / "curator.yaml").write_text(json.dumps(config))
    return place


def test_each_entry_takes_less_than_forty_lines() -> None:
    for name in ("reader", "exporter", "label_tool"):
        source = (TOYS / "curator_toys" / f"{name}.py").read_text(encoding="utf-8")
        assert len(source.splitlines()) < 40, name


def test_all_three_are_used_by_a_run(installed: Installed) -> None:
    first = installed.curator("run", "--quiet", "--yes")
    assert first.returncode == 0, first.stderr
    assert "24 records read" in first.stdout
    folder = installed.folder / "runs" / "toys"
    quiz = [json.loads(line) for line in (folder / "quiz.jsonl").read_text().splitlines()]
    assert quiz
    assert all(row["answer"] == "billing" for row in quiz)
    board = folder / "label_queue.board.jsonl"
    cards = [json.loads(line) for line in board.read_text().splitlines()]
    assert cards
    board.write_text("".join(json.dumps(card | {"good": True}) + "\n" for card in cards))
    second = installed.curator("run", "--quiet", "--yes")
    assert second.returncode == 0, second.stderr
    assert f"used {len(cards)} labels that came back" in second.stdout


def test_all_three_are_listed_by_doctor(installed: Installed) -> None:
    doctor = installed.curator("doctor", "--json")
    findings = {f["name"]: f["found"] for f in json.loads(doctor.stdout)["findings"]}
    assert findings["plugins: readers"] == "toy-gateway"
    assert findings["plugins: exporters"] == "toy-quiz"
    assert findings["plugins: label tools"] == "toy-board"


def test_the_tables_of_the_documentation_list_them(installed: Installed) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT / 'docs')!r})\n"
        "import generate as g\n"
        "print(g.readers_table('installed', Path()))\n"
        "print(g.exporters_table('installed', Path()))\n"
        "print(g.label_tools_table('installed', Path()))\n"
    )
    tables = installed.python("-c", code)
    assert tables.returncode == 0, tables.stderr
    assert "| `toy-gateway` | logs of the toy gateway |" in tables.stdout
    assert "| `toy-quiz` | `quiz.jsonl` | questions with answers, for the toy quiz |" in tables.stdout
    assert "| `toy-board` | `label_queue.board.jsonl` | cards of the toy board |" in tables.stdout


def test_a_broken_one_is_named_and_disturbs_nothing(installed: Installed) -> None:
    groups = {**PROJECT["entry-points"]}
    groups["curator.readers"] = {**groups["curator.readers"], "lost": "curator_toys.lost:READER", "odd": "os:getcwd"}
    installed.write_entry_points(groups)
    run = installed.curator("run", "--quiet", "--yes")
    assert run.returncode == 0, run.stderr
    doctor = installed.curator("doctor")
    assert doctor.returncode == 0
    assert "broken reader: curator_toys.lost:READER cannot be loaded (ModuleNotFoundError" in doctor.stdout
    assert "broken reader: os:getcwd is a builtin_function_or_method, not a Reader" in doctor.stdout
    config = json.loads((installed.folder / "curator.yaml").read_text())
    config["logs"]["format"] = "lost"
    (installed.folder / "curator.yaml").write_text(json.dumps(config))
    chosen = installed.curator("run", "--quiet", "--yes")
    assert chosen.returncode == 2
    assert "logs.format: the reader 'lost' is broken: curator_toys.lost:READER cannot be loaded" in chosen.stderr
    assert "Traceback" not in chosen.stderr
