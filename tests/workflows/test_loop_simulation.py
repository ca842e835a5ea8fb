"""The labels that a loop saves, from the scores of both arms on the same held-out cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from curator.io.atomic import json_lines, write_atomic
from curator.records.loop import LoopRound
from curator.run_folder.loop_folder import PICKS, RESULTS, ROUND, LoopFolder, write_record
from curator.workflows.loop_rounds import system_name
from curator.workflows.loop_simulation import labels_saved

CASES = 100


def folder_of(tmp_path: Path, ours: Sequence[int], random: Sequence[int], *, first: int = 0) -> LoopFolder:
    """A loop of rounds of 100 labels, whose models answer so many of 100 cases rightly; those of the random arm from `first` on."""
    folder = LoopFolder(tmp_path)
    rows = []
    for arm, name, right in ((folder, "loop", ours), (folder.control, "random", random)):
        shift = first if name == "random" else 0
        for number, count in enumerate(right):
            write_atomic(PICKS.of(arm.round(number)), [b""])
            ended = LoopRound(number, 100 * (number + 1), 0, count / CASES, 0, 1, CASES, label_s=0, training_s=0, usd=0)
            write_record(ROUND.of(arm.round(number)), ended)
            rows += [
                {"system": system_name(name, number), "case_id": f"c{n}", "score": float((n - shift) % CASES < count)}
                for n in range(CASES)
            ]
    write_atomic(RESULTS.of(folder.path), json_lines(rows))
    return folder


def test_the_share_is_that_at_the_last_score_of_the_random_arm(tmp_path: Path) -> None:
    saved = labels_saved(folder_of(tmp_path, [50, 70, 80], [30, 50, 60]), {})
    assert saved is not None
    assert saved.share == pytest.approx(
        0.5
    )  # 60 of 100 is reached half-way between 100 and 200 labels, where random needs 300
    assert saved.low is not None
    assert saved.low < 0.5 < saved.high < 1


def test_equal_arms_save_nothing(tmp_path: Path) -> None:
    saved = labels_saved(folder_of(tmp_path, [30, 50, 60], [30, 50, 60]), {})
    assert saved is not None
    assert (saved.share, saved.low, saved.high) == (0, 0, 0)  # the noise of another random arm is not in it


def test_a_score_that_is_hardly_reached_may_not_be_reached(tmp_path: Path) -> None:
    saved = labels_saved(folder_of(tmp_path, [30, 61], [30, 60], first=50), {})
    assert saved is not None
    assert saved.share == pytest.approx(1 / 62, abs=0.01)
    assert saved.low is None
    assert saved.high > 0


def test_near_duplicates_are_drawn_together(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [50, 70, 80], [30, 50, 60])
    alone, grouped = labels_saved(folder, {}), labels_saved(folder, {f"c{n}": f"c{n // 25 * 25}" for n in range(CASES)})
    assert alone is not None
    assert grouped is not None
    assert grouped.high - (grouped.low or 0) > alone.high - (alone.low or 0)


def test_nothing_is_said_without_a_random_arm_or_below_its_score(tmp_path: Path) -> None:
    assert labels_saved(folder_of(tmp_path / "a", [30, 50], []), {}) is None
    assert labels_saved(folder_of(tmp_path / "b", [30, 50], [30, 51]), {}) is None
