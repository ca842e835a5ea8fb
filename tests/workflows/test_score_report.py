"""What `curator score` says of a whole file: unanimity, too few answers, length, and repeats at temperature 0."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.recorded import score_record
from curator.run_folder.recorded import read_record
from curator.stats import Figure
from curator.workflows.score_report import LENGTHS_KEPT, ScoreFigures, Seen, Spread, Watch, see


def seen(*generations: Any, **more: Any) -> Seen:
    record = read_record(orjson.dumps({"id": "c", "input": "q", "generations": generations, **more}))
    return see(record, score_record(record))


def at(temperature: float | None, text: str = "A", variant: str = "plain") -> dict[str, Any]:
    return {"text": text, "model": "m", "variant": variant, "temperature": temperature}


def figures(*records: Seen) -> ScoreFigures:
    watch = Watch()
    for record in records:
        watch.add(record)
    return watch.figures()


def test_unanimity_and_too_few_answers_are_counted() -> None:
    found = figures(seen("yes", "yes"), seen("yes", "no"), seen("Yes.", "yes", "yes"), seen("yes"), seen())
    assert (found.compared, found.too_few, found.unanimous) == (3, 2, 2)
    assert found.to_dict()["unanimous_share"] == pytest.approx(2 / 3, abs=1e-6)
    assert found.to_text().startswith("2 with too few answers; 2 of 3 unanimous (67%)")
    assert "not enough data (n=3)" in found.to_text()


def test_a_target_that_says_otherwise_leaves_the_answers_unanimous() -> None:
    assert seen("yes", "yes", target="no").unanimous


@pytest.mark.parametrize(
    ("generations", "deterministic"),
    [
        ([at(0), at(0.0)], True),
        ([at(0), at(0, "B")], True),
        ([at(0), at(0.7)], False),
        ([at(0), at(None)], False),
        ([at(0), at(0, variant="careful")], False),
        (["A", "A"], False),
        ([at(0), at(0), {"text": None, "temperature": 0.7}], True),
        ([], False),
    ],
)
def test_cold_are_repeats_of_one_prompt_at_temperature_0(generations: list[Any], deterministic: bool) -> None:
    assert seen(*generations).deterministic is deterministic


def test_cold_records_get_one_warning_that_says_how_many_they_are() -> None:
    (every,) = figures(seen(at(0), at(0)), seen(at(0), at(0)), seen(at(0.7))).warnings
    assert every.startswith(
        "the answers of all records are repeats of one prompt at temperature 0, which carry no signal"
    )
    (some,) = figures(seen(at(0), at(0)), seen(at(0.7), at(0.7))).warnings
    assert some.startswith("the answers of 1 of 2 records are repeats")
    assert figures(seen(at(0.7), at(0.7))).warnings == figures(seen(at(0))).warnings == ()


def ranked(*, by: int) -> ScoreFigures:
    """Twelve records whose scores go with the length of their answers, or against it."""
    return figures(*(Seen(i / 12, 100.0 + by * i, unanimous=False, deterministic=False) for i in range(12)))


def test_a_score_that_goes_with_length_is_warned_of() -> None:
    (longest,) = ranked(by=1).warnings
    assert longest == "the length of the answers alone would rank the records much the same (Spearman +1.00)"
    (shortest,) = ranked(by=-1).warnings
    assert "much the same, shortest first (Spearman -1.00)" in shortest
    assert "Spearman with the length of the answers: -1.00 (n=12)" in ranked(by=-1).to_text()
    assert ranked(by=1).to_dict()["length_spearman"] == 1.0
    assert ScoreFigures(12, length=Figure(0.79, 12)).warnings == ()


def test_the_length_is_the_mean_of_the_answers() -> None:
    assert seen("yes", "no").length == 2.5


def test_no_records_say_nothing() -> None:
    found = figures()
    assert found == ScoreFigures()
    assert found.warnings == ()
    assert found.to_dict()["unanimous_share"] is None
    assert "0 of 0 unanimous," in found.to_text()


@given(st.integers(0, 300), st.integers(1, 20))
def test_a_spread_is_bounded_and_even(n: int, least: int) -> None:
    spread: Spread[int] = Spread(least)
    for item in range(n):
        spread.add(item)
    assert len(spread.kept) <= 2 * least
    assert len(spread.kept) >= min(n, least)
    assert spread.kept[:1] == ([0] if n else [])
    assert len({b - a for a, b in zip(spread.kept, spread.kept[1:], strict=False)}) <= 1


def test_many_records_are_correlated_over_a_spread_of_them() -> None:
    watch = Watch()
    for i in range(5 * LENGTHS_KEPT):
        watch.add(Seen(i % 7 / 7, float(i % 7), unanimous=False, deterministic=False))
    found = watch.figures()
    assert found.compared == 5 * LENGTHS_KEPT
    assert LENGTHS_KEPT <= found.length.n <= 2 * LENGTHS_KEPT
    assert found.length.value == 1.0


def test_of_large_items_fewer_are_kept_evenly_spread() -> None:
    spread: Spread[bytes] = Spread(1000, most=100, size=len)
    for i in range(500):
        spread.add(f"{i:010}".encode())
    kept = [int(item) for item in spread.kept]
    assert 2 <= len(kept) <= 10
    assert kept == list(range(0, 500, kept[1]))
    one: Spread[bytes] = Spread(1000, most=100, size=len)
    one.add(b"x" * 1000)
    assert len(one.kept) == 1


def test_equal_scores_are_told_from_too_few_data() -> None:
    watch = Watch()
    for _ in range(30):
        watch.add(Seen(0.0, 5.0, unanimous=True, deterministic=True))
    assert "none, as scores or lengths are all the same" in watch.figures().to_text()
    assert watch.figures().to_dict()["repeats_at_temperature_0"] == 30


def labelled_figures(*, backwards: bool = False, **more: Any) -> ScoreFigures:
    """Half of 60 cases fail, and the committee contradicts those (or the others)."""
    records = []
    for n in range(60):
        fails = n % 2 == 0
        answers = ["8", "8", "7"] if fails != backwards else ["7", "7", "8" if n % 3 else "7"]
        label = {key: value(fails) if callable(value) else value for key, value in more.items()}
        records.append(seen(*answers, id=f"c{n}", kind="number", target="7", **label))
    return figures(*records)


def test_a_label_is_read_as_the_kind_of_the_score() -> None:
    """The record gives no kind: the task's decides how the label is read."""
    right = seen("8", "8", target="7", reference="7.0")
    assert right.label is not None
    assert right.label.failure == 0
    wrong = seen("8", "8", target="7", reference="8.0")
    assert wrong.label is not None
    assert wrong.label.failure == 1
    assert seen("it is late", "it is lost", target="it is lost", reference="it is lost", kind="text").label is None


@pytest.mark.parametrize(
    "label",
    [
        {"reference": lambda fails: "8" if fails else "7"},
        {"wrong": lambda fails: fails},
        {"verdict": lambda fails: "fail" if fails else "pass"},
    ],
)
def test_labels_in_the_records_measure_the_score(label: dict[str, Any]) -> None:
    measured = labelled_figures(**label)
    assert measured.quality is not None
    assert measured.quality.pooled.score.value == 1.0
    assert measured.quality.pooled.failures == 30
    assert "better than chance: AUROC 1.00" in measured.to_text()
    assert measured.to_dict()["score_quality"]["pooled"]["verdict"] == "better than chance"  # type: ignore[index,call-overload]
    assert measured.warnings == ()


def test_a_score_that_ranks_backwards_is_a_warning() -> None:
    (warning,) = labelled_figures(backwards=True, wrong=lambda fails: fails).warnings
    assert "not better than chance" in warning


def test_labels_that_were_not_drawn_at_random_measure_nothing() -> None:
    assert labelled_figures(wrong=lambda fails: fails, reference_slice="disagreement").quality is None
    assert labelled_figures(reference=lambda fails: "8" if fails else "7", reference_source="teacher").quality is None
    assert labelled_figures().quality is None
