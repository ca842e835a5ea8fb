"""The draws of earlier nights: they come back as written, a night replaces itself, and old ones without labels go."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.errors import ConfigError
from curator.estimation.sample_design import Stage, Stratum
from curator.state.draws import KEPT_WITHOUT_LABELS, DrawsFile, NightDraw, purge_draws, read_draws, write_draws

STAGE = Stage(("a",), (Stratum(("b", "c", "d"), ("c",)),))
NIGHT = NightDraw("2026-11-01", "s", STAGE, {"a": "diversity"}, {"b": 3.0})


def other(number: int) -> NightDraw:
    return NightDraw(f"2026-12-{number:02}", "s", Stage((), (Stratum((f"x{number}", "c"), (f"x{number}",)),)))


def test_the_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "draws.json"
    assert read_draws(path) == DrawsFile()
    file = DrawsFile().followed_by(NIGHT, {"c": 1.0, "elsewhere": 0.0})
    write_draws(path, file)
    assert read_draws(path) == file == DrawsFile((NIGHT,), {"c": 1.0})


def test_a_night_that_is_run_again_keeps_its_date_and_its_labels() -> None:
    file = DrawsFile().followed_by(NIGHT, {"c": 1.0})
    again = file.followed_by(NightDraw("2026-11-09", "s", STAGE), {})
    assert [night.date for night in again.nights] == ["2026-11-01"]
    assert again.failures == {"c": 1.0}
    assert len(file.followed_by(NightDraw("2026-11-09", "other settings", STAGE), {}).nights) == 2


def test_nights_without_labels_are_forgotten_after_two_weeks_and_others_never() -> None:
    file = DrawsFile().followed_by(NIGHT, {"c": 1.0})
    for number in range(1, KEPT_WITHOUT_LABELS + 4):
        file = file.followed_by(other(number), {})
    assert NIGHT in file.nights
    assert other(1) not in file.nights
    assert len(file.nights) == KEPT_WITHOUT_LABELS + 1


def test_a_purged_case_leaves_the_draws_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "draws.json"
    write_draws(path, DrawsFile().followed_by(NIGHT, {"c": 1.0, "a": 0.0}))
    assert purge_draws(path, {"c", "unknown"}, dry_run=True) == 1
    assert read_draws(path).failures == {"a": 0.0, "c": 1.0}
    assert purge_draws(path, {"c", "unknown"}, dry_run=False) == 1
    assert read_draws(path).nights[0].stage == Stage(("a",), (Stratum(("b", "d"), ()),))
    assert read_draws(path).failures == {"a": 0.0}
    assert b'"c"' not in path.read_bytes()


@pytest.mark.parametrize(
    "content", ["[]", '{"version": 2, "nights": [], "failures": {}}', '{"version": 1, "nights": [{}]}']
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "draws.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"draws\.json.*cannot be read"):
        read_draws(path)
