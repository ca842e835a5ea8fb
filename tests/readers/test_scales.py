"""The scale of ratings: found from all values, named by a config, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curator.errors import ConfigError
from curator.readers.feedback import read_thumb
from curator.readers.scales import Scale, find_scale, named_scale, read_number
from curator.records import Scalar
from tests.readers.reading_kit import read_all


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0, 1, 1, 0], (0, 1)),
        ([0.2, 0.95], (0, 1)),
        ([-1, 1], (-1, 1)),
        ([-1, 0, 1, 1], (-1, 1)),
        ([-2, 0, 2], (-2, 2)),
        ([4, 5, 5, 5], (1, 5)),
        ([1, 5], (1, 5)),
        ([0, 3, 5], (0, 5)),
        ([0.5, 3.5, 5], (0, 5)),
        ([1, 1, 1, 4], (1, 5)),
        ([9, 10], (1, 10)),
        ([0, 7, 9], (0, 10)),
        ([35, 80], (1, 100)),
        ([0, 55, 100], (0, 100)),
        ([1, 2, 3] * 10, (1, 3)),
        ([0, 1, 2, 3] * 10, (0, 3)),
        ([1, 4, 7, 6] * 8, (1, 7)),
    ],
)
def test_a_scale_that_the_values_decide(values: list[float], scale: tuple[float, float]) -> None:
    assert find_scale(values) == Scale(*scale)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1],
        [1] * 500,
        [5] * 500,
        [0] * 9,
        [1, 2],
        [1, 2] * 99,
        [1, 2, 3],
        [1, 4, 6],
        [3, 7],
        [12, 14],
        [10, 900],
        [-7, 3],
    ],
)
def test_a_scale_that_stays_open_is_refused(values: list[float]) -> None:
    assert find_scale(values) is None


@pytest.mark.parametrize(
    ("name", "values", "scale"),
    [
        ("stars", [1], (1, 5)),
        ("star_rating", [1, 2, 2], (1, 5)),
        ("stars", [0, 2], (0, 5)),
        ("thumbs", [1, 1], (0, 1)),
        ("thumbs-up", [-1], (-1, 1)),
        ("NPS", [9], (0, 10)),
        ("percent", [40], (0, 100)),
    ],
)
def test_a_name_decides_where_the_values_fit_it(name: str, values: list[float], scale: tuple[float, float]) -> None:
    assert find_scale(values, name) == Scale(*scale)


def test_a_name_that_the_values_contradict_says_nothing() -> None:
    assert find_scale([7, 9], "stars") == Scale(1, 10)
    assert find_scale([1, 4], "thumbs") == Scale(1, 5)


@pytest.mark.parametrize(
    ("value", "number", "scale"),
    [
        (4, 4, None),
        ("4,5", 4.5, None),
        ("4/5", 4, (1, 5)),
        ("0/10", 0, (0, 10)),
        ("7 out of 10", 7, (0, 10)),
        ("80%", 80, (0, 100)),
        ("1 star", 1, (1, 5)),
        ("\u2605\u2606\u2606\u2606\u2606", 1, (1, 5)),
        ("\u2b50\ufe0f\u2b50", 2, (1, 5)),
    ],
)
def test_a_rating_may_name_its_scale(value: Scalar, number: float, scale: tuple[float, float] | None) -> None:
    assert read_number(value) == (number, Scale(*scale) if scale else None)


@pytest.mark.parametrize("value", [True, "good", "\u2606\u2606", "", float("nan"), "2026-01-01"])
def test_other_values_are_no_numbers(value: Scalar) -> None:
    assert read_number(value) is None


@pytest.mark.parametrize("word", ["gut", "Bueno", "oui", "\u597d", "\U0001f600", "Helpful!", "very good", "pass"])
def test_words_of_praise(word: str) -> None:
    assert read_thumb(word) == "up"


@pytest.mark.parametrize("word", ["schlecht", "malo", "non", "\u5dee", "\U0001f621", "not helpful", "Very bad", "fail"])
def test_words_of_blame(word: str) -> None:
    assert read_thumb(word) == "down"


def log(path: Path, *ratings: Scalar) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": f"Question {i}?"}], "response": "Yes.", "rating": rating}
        for i, rating in enumerate(ratings)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def thumbs(path: Path, **options: str) -> list[str | None]:
    return [case.feedback.thumb if case.feedback else None for case in read_all([path], **options)[0]]


def test_one_star_is_no_thumb_up(tmp_path: Path) -> None:
    assert thumbs(log(tmp_path / "a.jsonl", 1, 5, 3)) == ["down", "up", None]
    assert thumbs(log(tmp_path / "b.jsonl", "1 star", "\u2605\u2605\u2605\u2605\u2605")) == ["down", "up"]


def test_a_refused_scale_shows_its_values_and_the_remedy_leads_to_thumbs(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", 1, 1, 2)
    cases, reading, _ = read_all([path])
    assert all(case.feedback and case.feedback.thumb is None for case in cases)
    (line,) = reading.account.note_lines()
    assert "(1, 2) fit no scale alone" in line
    assert "feedback_scale: 1-5" in line
    assert thumbs(path, feedback_scale="1-5") == ["down", "down", "down"]
    assert thumbs(path, feedback_scale="1..2") == ["down", "down", "up"]


def test_a_scale_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="'five' is not a scale"):
        named_scale("five")
