"""A category that a person corrected counts, by the name of a category or as one of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import SamplingUnit
from curator.stages.corrected_categories import correct_categories


@dataclass(frozen=True)
class Named:
    id: str
    name: str
    parent: str | None = None


KNOWN = (Named("t1", "Wrong Unit"), Named("t2", "late reply"), Named("p1", "wrong unit, in metres", "t1"))
BY_PROGRAM = {"a": "Wrong Unit", "b": "late reply", "c": "late reply"}


def test_a_name_or_an_id_means_that_category_and_a_part_the_one_above() -> None:
    written = {"a": "late  REPLY", "b": "p1", "c": "late reply", "d": "wrong unit, in metres", "e": "rude"}
    found = correct_categories(BY_PROGRAM, written, KNOWN)
    assert found.moved == {"a": "late reply", "b": "Wrong Unit", "d": "Wrong Unit", "e": "rude"}
    assert found.by_case == {"a": "late reply", "b": "Wrong Unit", "c": "late reply", "d": "Wrong Unit", "e": "rude"}
    assert found.open_values == {"category": frozenset({"late reply", "Wrong Unit", "rude"})}


def test_two_spellings_of_a_new_category_are_one_and_hostile_text_is_cut() -> None:
    found = correct_categories({}, {"a": "Rude", "b": " rude ", "c": "x\x1b[31m\n" + "y" * 500})
    assert found.by_case["a"] == found.by_case["b"] == "Rude"
    assert "\x1b" not in found.by_case["c"]
    assert len(found.by_case["c"]) <= 81


def test_a_category_that_only_people_named_is_never_exact() -> None:
    pool = [SamplingUnit(f"c{i:03}", {"score": (i % 7) / 7}) for i in range(200)]
    stage = draw(pool, 40, seed=1)
    labels = {case_id: float(n < 6) for n, case_id in enumerate(sorted(stage.drawn))}
    failed = [case_id for case_id, failure in labels.items() if failure]
    found = correct_categories({}, dict.fromkeys(failed, "rude"))
    rates = estimate(
        found.units(pool), [stage], labels, by=["category"], kinds=found.by_case, open_values=found.open_values
    )
    (rude,) = (part for part in rates.domains["category"] if part.value == "rude")
    assert rude.labels == 6
    assert rude.pooled is not None
    assert rude.pooled.low < rude.pooled.high
    assert rude.share == pytest.approx(6 / 40, abs=0.08)  # of the pool, not of the six labelled cases
    assert rates.unseen is not None
    assert (rates.unseen.kinds, rates.unseen.singletons) == (1, 0)
