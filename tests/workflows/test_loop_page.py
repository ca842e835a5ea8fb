"""The page that a loop writes: the learning curve of both arms, and the gains behind it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.config import parse_config
from curator.run_folder.loop_folder import LOOP_REPORT, RESULTS, loop_folder
from curator.workflows.loop import loop
from tests.workflows.loop_kit import loop_job, write_pool, write_truth


def test_the_page_is_there_before_the_first_labels(tmp_path: Path, encoder: Any) -> None:
    write_pool(tmp_path)
    config = parse_config(loop_job(tmp_path))
    loop(config, encoder=encoder, environ={})
    page = LOOP_REPORT.of(loop_folder(config).path).read_text(encoding="utf-8")
    assert "No round has ended yet" in page
    assert "round 0: 0 of 68 labels have come back" in page


def test_the_page_shows_both_arms(tmp_path: Path, encoder: Any) -> None:
    config, truth = parse_config(loop_job(tmp_path)), write_truth(tmp_path, write_pool(tmp_path))
    result = loop(config, encoder=encoder, environ={}, simulate=truth, control=True)
    page = LOOP_REPORT.of(result.folder).read_text(encoding="utf-8")
    for done in (*result.rounds, *result.control):
        assert f"{done.score:.1%} ({done.low:.1%} to {done.high:.1%})" in page
    assert f"The loop has stopped after round {result.rounds[-1].number}" in page
    assert "route" in page.split('id="bias"')[1]


def test_the_gain_of_a_round_is_paired_on_the_same_cases(tmp_path: Path, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    result = loop(config, encoder=encoder, environ={}, simulate=write_truth(tmp_path, write_pool(tmp_path)))
    scores: dict[str, dict[str, float]] = {}
    for line in RESULTS.of(result.folder).read_bytes().splitlines():
        row = orjson.loads(line)
        scores.setdefault(row["system"], {})[row["case_id"]] = row["score"]
    assert result.rounds[0].gain is None
    for before, done in pairwise(result.rounds):
        first, second = (scores[f"loop, round {round_.number}"] for round_ in (before, done))
        differences = [second[case_id] - first[case_id] for case_id in first]
        assert done.gain == pytest.approx(sum(differences) / len(differences))
        assert done.gain_low is not None
        assert done.gain_high is not None
        assert done.gain_low < done.gain < done.gain_high
