"""A text is redacted as a run redacts it, and turned back by the map of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.cli import main
from curator.config import parse_config
from curator.redaction.restore import Restorer

MAILS = ("anna.schmidt@firma.de", "bob@public.example")


@pytest.fixture
def config_file(write_logs: Path, job: dict[str, Any], encoder: Any, tmp_path: Path) -> Path:
    """The config of a run whose logs hold two mail addresses."""
    lines = write_logs.read_text().splitlines()
    lines = [line.replace("my card", f"{MAILS[i % 2]} my card") for i, line in enumerate(lines)]
    write_logs.write_text("\n".join(lines) + "\n")
    job["redaction"] = {"personal": ["mail"]}
    path = tmp_path / "curator.yaml"
    path.write_text(json.dumps(job))
    curator.run(parse_config(job), out=tmp_path / "out", encoder=encoder)
    return path


def test_a_file_of_a_run_is_turned_back(config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = tmp_path / "out" / "recorded.jsonl"
    assert MAILS[0] not in recorded.read_text()
    assert main(["redact", "--restore", str(recorded), "--config", str(config_file)]) == 0
    restored = capsys.readouterr().out
    assert MAILS[0] in restored
    again = tmp_path / "again.jsonl"
    again.write_text(restored)
    assert main(["redact", str(again), "--config", str(config_file)]) == 0
    assert capsys.readouterr().out == recorded.read_text()


def test_a_text_is_redacted_with_its_counts(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text.txt"
    file.write_text(f"I am {MAILS[0]}\nmy password is hunter2\n")
    assert main(["redact", str(file), "--config", str(config_file), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["counts"] == {"mail": 1, "password": 1}
    assert "hunter2" not in printed["text"]


def test_only_whole_pseudonyms_are_turned_back() -> None:
    restorer = Restorer({"abcd": "one", "abcd-efgh": "two"})
    assert restorer.text("abcd abcd-efgh abcde xabcd (abcd)") == "one two abcde xabcd (one)"
