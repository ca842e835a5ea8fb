"""The contract of every command: its help, its documentation, bad usage, and JSON also on an error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from curator._version import __version__
from curator.cli import COMMANDS, main
from curator.cli.options import Command
from curator.errors import ExitCode

DOCS = Path(__file__).parents[2] / "docs"
FAILING: Mapping[str, tuple[str, ...]] = {
    "check": ("gone.jsonl",),
    "run": ("gone.yaml",),
    "plan": ("gone.yaml",),
    "status": ("gone",),
    "score": ("gone.jsonl",),
    "calibrate": ("gone.jsonl",),
    "committee": ("gone.jsonl",),
    "select": ("gone.jsonl", "--no-embedding"),
    "label": ("gone", "--no-open"),
    "labels export": ("gone", "--to", "csv"),
    "labels import": ("gone.csv",),
    "labels push": ("gone", "--to", "label-studio"),
    "labels pull": ("gone", "--from", "label-studio"),
    "estimate": ("gone/labels.csv",),
    "loop": ("gone.yaml",),
    "round": ("gone.yaml",),
    "leaks": ("gone.jsonl", "gone.jsonl", "--no-embedding"),
    "compare": ("gone.jsonl",),
    "distil": ("gone.jsonl", "--k", "2"),
    "doctor": ("gone.yaml",),
    "init": ("full",),
    "cache list": ("--store", "gone.sqlite"),
    "cache prune": ("--store", "gone.sqlite", "--model", "m"),
    "cache export": ("--store", "gone.sqlite"),
    "cache verify": ("--store", "gone.sqlite"),
    "purge": ("gone.yaml", "--id", "c1"),
    "redact": ("gone.txt",),
}
"""Arguments with which each command fails: it names a file that is not there."""


def commands(group: Mapping[str, Command], prefix: str = "") -> Iterator[tuple[str, Command]]:
    for name, command in group.items():
        yield f"{prefix}{name}", command
        yield from commands(command.subcommands, f"{prefix}{name} ")


EVERY = dict(commands(COMMANDS))
RUNNABLE = [name for name, command in EVERY.items() if not command.subcommands]


def exit_of(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize("name", EVERY)
def test_help_says_what_it_does_and_how_it_ends(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(*name.split(), "--help") == ExitCode.DONE
    text = capsys.readouterr().out
    command = EVERY[name]
    assert command.summary[1:] in " ".join(text.split())
    assert [code for code in ExitCode if f"\n  {code:<4d} {code.meaning}" in text] == list(command.exit_codes)


@pytest.mark.parametrize("name", EVERY)
def test_it_is_documented(name: str) -> None:
    page = (DOCS / "commands" / f"{name.split(maxsplit=1)[0]}.md").read_text(encoding="utf-8")
    assert f"curator {name}" in page
    assert f"](commands/{name.split(maxsplit=1)[0]}.md)" in (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EVERY)
def test_bad_usage_ends_with_2_and_no_traceback(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(*name.split(), "--no-such-option") == ExitCode.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("name", RUNNABLE)
def test_an_error_is_one_json_object_with_json(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "curator.yaml").touch()
    code = exit_of(*name.split(), *FAILING[name], "--json")
    shown = capsys.readouterr()
    error = json.loads(shown.out)
    assert error.keys() == {"error", "remedy", "exit_code"}
    assert error["exit_code"] == code
    assert code in EVERY[name].exit_codes
    assert "Traceback" not in shown.err


def test_every_command_has_a_failing_call() -> None:
    assert list(FAILING) == RUNNABLE


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--help") == ExitCode.DONE
    text = " ".join(capsys.readouterr().out.split())
    assert [name for name, command in COMMANDS.items() if f"{name} {command.summary}" not in text] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--version") == ExitCode.DONE
    first, python, *packages = capsys.readouterr().out.splitlines()
    assert first == f"curator {__version__}"
    assert python.startswith("python 3.")
    assert any(line.startswith("pydantic 2.") for line in packages)
