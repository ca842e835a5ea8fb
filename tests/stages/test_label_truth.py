"""One rule says whether production failed, in the report of a run and in the estimate from its labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from curator.cli import main
from curator.config import parse_config
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.ground_truth import failure_of, failure_of_record
from curator.records.recorded import Recorded
from curator.stages.label_truth import FREE_TEXT
from curator.workflows.run import run


@pytest.mark.parametrize(
    ("verdict", "text", "answer", "agrees", "source", "failure"),
    [
        (0.3, "other", "answer", False, "label", 0.3),
        (None, None, "answer", None, "label", None),
        (None, "label", None, None, "label", None),
        (None, "label", "answer", True, "label", 0.0),
        (None, "label", "answer", False, "label", 1.0),
        (None, "It is  red.", "It is red.", None, "label", 0.0),
        (None, "Red it is.", "It is red.", None, "label", None),
        (None, "Red it is.", "It is red.", None, "correction", 1.0),
    ],
)
def test_the_rule(
    verdict: float | None, text: str | None, answer: str | None, agrees: bool | None, source: Any, failure: float | None
) -> None:
    assert failure_of(verdict=verdict, text=text, answer=answer, agrees=agrees, source=source) == failure


def test_a_record_without_a_target_is_judged_by_the_majority_of_its_answers() -> None:
    from curator.records.recorded import Answered

    answers = tuple(Answered(text, prompt_id=f"m{n}") for n, text in enumerate(("7", "7", "8")))
    record = Recorded("c", answers, None, "number", (), "?", "?")
    compare = WordComparer("?")
    assert [failure_of_record(record, label, compare) for label in ("7", "8", "seven hundred")] == [0, 1, 1]
    prose = Recorded("c", answers, None, "text", (), "?", "?")
    assert failure_of_record(prose, "7", compare) is None


def fill_in(queue: Path) -> list[int]:
    """Label rows in turn: production's wording, a failed verdict, other words; returns how many of each."""
    with queue.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for n, row in enumerate(rows):
        row.update(
            [{"label": row["target"]}, {"verdict": "fail"}, {"label": f"It is {row['target']}, perhaps."}][n % 3]
        )
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return [sum(n % 3 == rest for n in range(len(rows))) for rest in range(3)]


def test_the_report_and_the_estimate_say_the_same_of_free_text(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = parse_config(
        job | {"tasks": {"route": {"kind": "text"}}, "selection": {"k": 30, "random_share": 1.0, "held_out_share": 0.5}}
    )
    run(config, out="out", encoder=encoder, environ={})
    same, failed, other = fill_in(Path("out/label_queue.csv"))
    assert min(same, failed, other) > 0

    def estimated() -> dict[str, Any]:
        assert main(["estimate", "out/labels/0001.csv", "--selection", "out", "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    reported = run(config, out="out", encoder=encoder, environ={})
    rate = reported.summary.failure_rate
    assert rate is not None
    found = estimated()
    assert rate.rate == pytest.approx(found["rate"], abs=1e-6)
    assert (rate.low, rate.high) == pytest.approx((found["low"], found["high"]), abs=1e-6)
    assert rate.labels == found["labels"]
    assert rate.missing == found["missing"]
    assert found["left_out"][FREE_TEXT] == other
    assert any(w.startswith(f"{other} labels cannot be compared with production's answer") for w in reported.warnings)
    assert 0 < found["rate"] < 1
