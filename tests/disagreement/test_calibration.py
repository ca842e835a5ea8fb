"""The fitted score: a gain is found where a member knows more than the others, and none is found in noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest

from curator.disagreement.calibration import (
    BY,
    LEAST_OF_EACH,
    Calibration,
    Term,
    auroc,
    calibrate,
    formula_for,
    formula_of,
    is_signal,
)
from curator.disagreement.score import DEFAULT
from curator.disagreement.signals import Signals, measure
from curator.records.recorded import Answered

MEMBERS = ("good", "noisy", "noisier")


def signals(says: dict[str, bool], *, words: int = 0) -> Signals:
    """Of a case in which each member contradicts the target or not."""
    answers = [Answered(f"{'8' if against else '7'}{' so' * words}", member) for member, against in says.items()]
    return measure(answers, target="7", kind="number")


def one_good_member(count: int, *, seed: int = 0, knows: float = 0.9) -> tuple[list[Signals], list[bool]]:
    """Half of the cases fail; `good` tells so with a chance of `knows`, the others say what they like."""
    drawn, found, wrong = Random(seed), [], []
    for _ in range(count):
        fails = drawn.random() < 0.5
        told = fails if drawn.random() < knows else not fails
        found.append(signals({"good": told, "noisy": drawn.random() < 0.5, "noisier": drawn.random() < 0.5}))
        wrong.append(fails)
    return found, wrong


def fitted(found: list[Signals], wrong: list[bool]) -> Calibration:
    calibration = calibrate(found, wrong)
    assert calibration is not None
    return calibration


def test_a_member_that_knows_more_than_the_others_is_found() -> None:
    found = fitted(*one_good_member(300))
    assert found.better
    assert found.gain > 0.1
    assert found.low <= found.gain <= found.high
    assert found.gain == pytest.approx(found.fitted_auroc - found.default_auroc)
    weights = {term.signal: term.weight for term in found.terms}
    assert weights[f"{BY}good"] > 3 * abs(weights[f"{BY}noisy"])
    assert found.groups == set(MEMBERS)
    assert (found.cases, found.failures) == (300, sum(one_good_member(300)[1]))


def test_the_gain_holds_on_cases_that_were_not_labelled() -> None:
    known, new, wrong = fitted(*one_good_member(300)), *one_good_member(300, seed=1)
    y, once = np.array(wrong), np.ones((1, 300))
    areas = [auroc(np.array([f.value(one) for one in new]), y, once)[0] for f in (known, DEFAULT)]
    assert areas[0] - areas[1] == pytest.approx(known.gain, abs=0.08)


def test_nothing_is_found_in_noise() -> None:
    verdicts = [fitted(*one_good_member(200, seed=seed, knows=0.5)).better for seed in range(8)]
    assert sum(verdicts) <= 1


def test_equal_members_gain_nothing_and_lose_nothing() -> None:
    """Few distinct cases: a fit that lacks a case must not be made to break its ties against it."""
    drawn = Random(0)
    patterns = list(product((False, True), repeat=3))
    found, wrong = [], []
    for _ in range(600):
        says = patterns[drawn.randrange(8)]
        found.append(signals(dict(zip(MEMBERS, says, strict=True))))
        wrong.append(drawn.random() < (1 + sum(says)) / 5)
    assert abs(fitted(found, wrong).gain) < 0.01


@pytest.mark.parametrize(("failures", "passes"), [(LEAST_OF_EACH - 1, 80), (80, LEAST_OF_EACH - 1), (0, 0)])
def test_too_few_of_either_is_no_fit(failures: int, passes: int) -> None:
    wrong = [True] * failures + [False] * passes
    assert calibrate([signals(dict.fromkeys(MEMBERS, one)) for one in wrong], wrong) is None


def test_just_enough_is_a_fit() -> None:
    wrong = [True] * LEAST_OF_EACH + [False] * LEAST_OF_EACH
    assert fitted([signals(dict.fromkeys(MEMBERS, one)) for one in wrong], wrong).cases == 2 * LEAST_OF_EACH


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_cases_makes_no_difference(seed: int) -> None:
    found, wrong = one_good_member(60)
    order = list(range(60))
    Random(seed).shuffle(order)
    assert calibrate([found[i] for i in order], [wrong[i] for i in order]) == calibrate(found, wrong)


def test_the_length_of_the_answers_is_measured_beside_it() -> None:
    found, wrong = one_good_member(100)
    longer = [signals(dict(one.by_group), words=5 * fails) for one, fails in zip(found, wrong, strict=True)]
    assert fitted(longer, wrong).length_auroc == 1.0
    assert fitted(found, wrong).length_auroc == 0.5


def test_the_value_is_a_probability_that_is_right_on_average() -> None:
    found, wrong = one_good_member(300)
    calibration = fitted(found, wrong)
    values = [calibration.value(one) for one in found]
    assert all(0 <= value <= 1 for value in values)
    assert sum(values) / len(values) == pytest.approx(sum(wrong) / len(wrong), abs=0.01)


def test_a_member_without_an_answer_stands_for_the_mean_of_the_others() -> None:
    calibration = fitted(*one_good_member(300))
    without = signals({"noisy": True, "noisier": False})
    with_half = replace(without, by_group={**without.by_group, "good": 0.5})
    assert calibration.value(without) == pytest.approx(calibration.value(with_half))


@pytest.mark.parametrize("weight", [1e5, -1e5])
def test_no_weight_overflows(weight: float) -> None:
    extreme = replace(fitted(*one_good_member(60)), terms=(Term("by good", 0.0, 1e-3, weight),))
    assert extreme.value(signals(dict.fromkeys(MEMBERS, True))) == (weight > 0)


def test_the_default_stays_where_the_gain_is_not_there() -> None:
    found = fitted(*one_good_member(300))
    assert formula_of(found) is found
    assert formula_of(replace(found, low=0.0)) is DEFAULT
    assert formula_of(None) is DEFAULT


def test_names_of_signals() -> None:
    assert all(map(is_signal, ("default score", "wording", "words", "by m/plain", "by ")))
    assert not is_signal("gain")


def test_auroc_counts_ties_half() -> None:
    values, wrong = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True])
    assert auroc(values, wrong, np.ones((1, 4))) == pytest.approx([3.5 / 4])
    assert auroc(values, wrong, np.array([[1.0, 0.0, 1.0, 1.0]])) == pytest.approx([1.0])
    assert np.isnan(auroc(values, wrong, np.array([[1.0, 0.0, 1.0, 0.0]]))[0])


def mixed_tasks(count: int) -> tuple[list[Signals], list[bool], list[str]]:
    """Members say the same in both tasks, but one of the tasks fails seldom and the other often."""
    drawn, found, wrong, tasks = Random(3), [], [], []
    for n in range(count):
        task, share = ("rare", 0.15) if n % 2 else ("often", 0.8)
        fails = drawn.random() < share
        found.append(signals({member: drawn.random() < (0.6 if fails else 0.4) for member in MEMBERS}))
        wrong.append(fails)
        tasks.append(task)
    return found, wrong, tasks


def test_tasks_that_fail_differently_get_intercepts_of_their_own() -> None:
    cases, wrong, tasks = mixed_tasks(300)
    pooled, by_task = calibrate(cases, wrong), calibrate(cases, wrong, tasks=tasks)
    assert pooled is not None
    assert by_task is not None
    assert pooled.tasks == ()
    assert {effect.task for effect in by_task.tasks} == {"rare", "often"}
    assert by_task.better
    assert by_task.fitted_auroc > pooled.fitted_auroc + 0.1
    assert by_task.fitted_within is not None
    assert by_task.default_within is not None
    assert abs(by_task.fitted_within - by_task.default_within) < 0.06
    rare, often, new = (formula_for(by_task, task).value(cases[0]) for task in ("rare", "often", "new"))
    assert rare < new < often
    assert new == by_task.value(cases[0])


def test_a_task_makes_no_difference_to_the_default_score_or_to_a_pooled_fit() -> None:
    cases, wrong, _ = mixed_tasks(300)
    pooled = calibrate(cases, wrong, tasks=["same"] * 300)
    assert pooled == calibrate(cases, wrong)
    assert pooled is not None
    assert formula_for(pooled, "same") is pooled
    assert formula_for(DEFAULT, "same") is DEFAULT


def test_a_stated_confidence_is_used_where_it_ranks_better() -> None:
    found, wrong = one_good_member(300, knows=0.5)
    drawn = Random(1)
    stated = [
        replace(s, side={"confidence": drawn.gauss(0.4 if fails else 0.7, 0.1)})
        for s, fails in zip(found, wrong, strict=True)
    ]
    some = [s if drawn.random() < 0.8 else replace(s, side=None) for s in stated]
    for cases in (stated, some):
        fit = fitted(cases, wrong)
        assert fit.better
        assert min(fit.terms, key=lambda term: term.weight).signal == "confidence"
    lacking = fit.value(replace(found[0], side=None))
    assert (
        fit.value(replace(found[0], side={"confidence": 0.9}))
        < lacking
        < fit.value(replace(found[0], side={"confidence": 0.1}))
    )


def test_a_signal_that_few_cases_have_is_not_tried() -> None:
    found, wrong = one_good_member(100)
    few = [replace(s, side={"token_nll": 1.0}) if place < 49 else s for place, s in enumerate(found)]
    assert not any(term.signal == "token_nll" for term in fitted(few, wrong).terms)
    assert is_signal("token_nll")
    assert not is_signal("token_joy")
