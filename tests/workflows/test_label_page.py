"""`curator label` and `curator.label_page`: the page of a folder, written anew where it is missing or of another queue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import curator
from benchmarks.common.chromium import Chromium
from curator.cli import main
from curator.cli.commands import label
from curator.config import parse_config
from curator.errors import ConfigError, LogsError
from curator.workflows.run import run
from tests.labels.page_kit import saved, start

RECORDS = [
    {"id": f"q{n}", "input": f"What is {n} x {n + 7}?", "target": str(n), "generations": [str(n * (n + 7)), str(n), ""]}
    for n in range(12)
]


@pytest.fixture
def selection(tmp_path: Path) -> Path:
    curator.select(RECORDS, tmp_path / "week", k=6)
    return tmp_path / "week"


def test_a_selection_has_its_page(selection: Path) -> None:
    page = (selection / "label.html").read_bytes()
    result = curator.label_page(selection)
    assert (result.path, result.cases, result.batches, result.written) == (selection / "label.html", 6, 1, False)
    assert result.path.read_bytes() == page


def test_a_missing_page_is_written_as_it_was(selection: Path) -> None:
    page = selection / "label.html"
    before = page.read_bytes()
    page.unlink()
    assert curator.label_page(selection).written
    assert page.read_bytes() == before


def test_a_page_of_another_queue_is_written_anew(selection: Path) -> None:
    queue = selection / "label_queue.jsonl"
    lines = queue.read_text().splitlines(keepends=True)
    queue.write_text("".join(lines[1:]))
    result = curator.label_page(selection)
    assert (result.cases, result.written) == (5, True)
    gone = json.loads(lines[0])["case_id"]
    assert f'"case_id":"{gone}"' not in result.path.read_text(encoding="utf-8")


def test_a_folder_without_a_queue_or_with_a_damaged_one_is_an_error(selection: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no label queue"):
        curator.label_page(tmp_path)
    (selection / "label_queue.jsonl").write_text("{")
    with pytest.raises(LogsError, match="line 1"):
        curator.label_page(selection)


def test_the_command_opens_the_page_unless_told_not_to(
    selection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["label", str(selection), "--no-open"]) == 0
    assert main(["label", str(selection), "--json"]) == 0
    assert opened == []
    assert main(["label", str(selection)]) == 0
    assert opened == [(selection / "label.html").as_uri()]
    shown = capsys.readouterr()
    assert f"{selection / 'label.html'}  6 cases in 1 batch" in shown.out
    assert shown.err == ""


def test_without_a_screen_the_command_says_to_open_the_file(
    selection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("webbrowser.open", pytest.fail)
    monkeypatch.setattr(label, "has_screen", lambda *_: False)
    assert main(["label", str(selection)]) == 0
    assert "open the file yourself" in capsys.readouterr().err


def test_a_screen_is_known_by_the_environment() -> None:
    assert label.has_screen({}, "darwin")
    assert label.has_screen({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert not label.has_screen({}, "linux")


@pytest.mark.browser
def test_labels_that_were_saved_in_the_folder_are_used_by_the_next_run(
    browser: Chromium, job: dict[str, Any], write_logs: Path, encoder: Any, tmp_path: Path
) -> None:
    def night() -> Any:
        return run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})

    first = night()
    assert first.labels == 0
    page = curator.label_page(first)
    assert not page.written
    start(browser, page.path)
    for key in "pfuf":
        browser.press(key)
    judged = [json.loads(line) for line in saved(browser, tmp_path / "out").read_text().splitlines()]
    assert [row["verdict"] for row in judged] == ["pass", "fail", "unsure", "fail"]
    second = night()
    assert second.labels == 3
    assert second.rejected == first.rejected
    later = curator.label_page(second)
    verdicts = {row["case_id"] for row in judged if row["verdict"] != "unsure"}
    shown = later.path.read_text(encoding="utf-8")
    assert not [case_id for case_id in verdicts if f'"case_id":"{case_id}"' in shown]
