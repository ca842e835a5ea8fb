from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from curator.disagreement.recorded import score_record
from curator.records.committee_advice import Addition, CommitteeAdvice
from curator.records.recorded import Answered, Recorded, prompt_id_of
from curator.report.committee_advice import addition_rows, advice_sentence, noise_sentence, size_rows
from curator.stages.committee_advice import (
    FEWEST_CASES,
    AdviceInput,
    advise_on_committee,
    advise_on_run,
    mean_cost_by_model,
)


def made(
    cases: int = 100,
    *,
    models: int = 1,
    variants: int = 3,
    repeats: int = 2,
    skill: float = 0.0,
    noise: float = 0.5,
    seed: int = 0,
) -> list[Recorded]:
    """Cases of which each has a chance to be answered "b", not production's "a".

    `skill` of it differs by variant and case, and `noise` is the spread of the chance between repeats.
    """
    rng = Random(seed)
    records = []
    for number in range(cases):
        chance = rng.random()
        answers = []
        for m in range(models):
            for v in range(variants):
                of_prompt = (1 - skill) * chance + skill * rng.random()
                for _ in range(repeats):
                    sampled = of_prompt if noise else float(of_prompt > 0.5)
                    text = "b" if rng.random() < sampled else "a"
                    model, variant = f"m{m}", f"v{v}"
                    answers.append(Answered(text, prompt_id_of(model, variant), 0.8, model=model))
        records.append(Recorded(str(number), tuple(answers), "a", "label", ("a", "b"), "", ""))
    return records


def labelled(records: Sequence[Recorded], *, right: float = 0.9, seed: int = 1) -> dict[str, bool]:
    """Labels that follow the share of "b" with this chance."""
    rng = Random(seed)
    wrong = {}
    for record in records:
        share = sum(answer.text == "b" for answer in record.answers) / len(record.answers)
        wrong[record.id] = (share > 0.5) if rng.random() < right else rng.random() < 0.5
    return wrong


def advised(records: Sequence[Recorded], wrong: dict[str, bool] | None = None, **given: object) -> CommitteeAdvice:
    known = [record for record in records if record.id in (wrong or {})]
    input = AdviceInput(records, len(records), wrong or {}, known, **given)  # type: ignore[arg-type]
    return advise_on_committee(input, lambda record: score_record(record).disagreement)


def addition(advice: CommitteeAdvice, name: str) -> Addition:
    return next(a for a in advice.additions if a.name == name)


def test_each_addition_has_its_answers_calls_and_cost() -> None:
    advice = advised(made(models=2), usd_per_answer={"m0": 0.01, "m1": 0.03})
    repeats, variant, model = advice.additions
    assert (repeats.answers, repeats.calls) == (12, 1200)
    assert (variant.answers, variant.calls) == (4, 400)
    assert (model.answers, model.calls) == (6, 600)
    assert repeats.usd == pytest.approx(100 * 6 * (0.01 + 0.03))
    assert variant.usd == pytest.approx(100 * 2 * (0.01 + 0.03))
    assert model.usd == pytest.approx(100 * 6 * 0.02), "a new model costs as much as the present ones on average"
    assert advised(made()).additions[0].usd is None


def test_more_of_what_differs_is_advised() -> None:
    """Variants that differ by themselves: a further variant gains more for a call than repeats of the old ones."""
    advice = advised(made(variants=4, repeats=3, skill=0.7, noise=0.0))
    assert advice.verdict == "add"
    assert advice.best is addition(advice, "1 variant")
    assert addition(advice, "2 repeats per variant").gain.value < 0.01  # type: ignore[union-attr]
    assert advice_sentence(advice).startswith("Add 1 variant: reliability 0.")
    assert "for 300 calls" in advice_sentence(advice)


def test_what_the_committee_does_not_vary_is_not_measured() -> None:
    advice = advised(made(variants=1, repeats=8))
    assert [a.reliability is None for a in advice.additions] == [False, True, True]
    assert addition(advice, "1 model").reason == "not measured: one model was asked"
    assert addition(advice, "1 variant").reason.startswith("not measured: ")
    assert "not measured: one model was asked" in [row[1] for row in addition_rows(advice)]


def test_a_committee_whose_scores_are_exact_is_large_enough() -> None:
    sure = [replace(r, answers=tuple(replace(a, text="ab"[int(r.id) % 2]) for a in r.answers)) for r in made()]
    exact = advised(sure)
    assert exact.verdict == "enough"
    assert exact.reliability is not None
    assert exact.reliability.value > 0.99
    assert advice_sentence(exact).startswith("The committee is large enough: its reliability is 1.00")


def test_labels_give_the_auroc_of_each_size_and_of_each_addition() -> None:
    records = made()
    advice = advised(records, labelled(records))
    assert (advice.labels, advice.failures) == (100, sum(labelled(records).values()))
    assert advice.auroc is not None
    assert advice.auroc.low < advice.auroc.value < advice.auroc.high
    variant = addition(advice, "1 variant")
    assert variant.auroc is not None
    assert variant.auroc.value > advice.auroc.value
    areas = [size.auroc.value for size in advice.sizes if size.auroc]
    assert [size.answers for size in advice.sizes] == sorted({size.answers for size in advice.sizes})
    assert areas[-1] > areas[0]
    assert ", AUROC 0." in advice_sentence(advice)


def test_labels_that_the_score_does_not_follow_stop_the_advice() -> None:
    records = made()
    advice = advised(records, labelled(records, right=0.0))
    assert advice.verdict == "no better than chance"
    assert advice.best is None
    assert advice_sentence(advice).startswith("First improve the score: its AUROC is 0.")


def test_few_labels_give_no_auroc() -> None:
    records = made()
    wrong = dict(list(labelled(records).items())[:12])
    advice = advised(records, wrong)
    assert advice.auroc is None
    assert advice.verdict == "add"
    assert all(size.auroc is None for size in advice.sizes)


@pytest.mark.parametrize("records", [made(49), made(variants=3, repeats=1), []])
def test_too_few_cases_or_answers_are_not_enough_data(records: list[Recorded]) -> None:
    advice = advised(records)
    assert advice.verdict == "not enough data"
    assert advice_sentence(advice).startswith("not enough data: at least 50 cases with 4 answers are needed")
    assert noise_sentence(advice) == "reliability of the score: not enough data"
    assert (len(addition_rows(advice)), len(size_rows(advice))) == (1, 1)


def test_cases_that_all_tie_are_not_enough_data() -> None:
    same = [replace(r, answers=tuple(replace(a, text="a") for a in r.answers)) for r in made()]
    assert advice_sentence(advised(same)) == "not enough data: the scores of fewer than 50 cases differ."


def test_missing_answers_and_another_order_of_them_change_little() -> None:
    records = made()
    rng = Random(5)
    gaps = [replace(r, answers=tuple(a for a in r.answers if rng.random() > 0.1)) for r in records]
    whole, some = advised(records), advised(gaps)
    assert whole.reliability is not None
    assert some.reliability is not None
    assert some.reliability.value == pytest.approx(whole.reliability.value, abs=0.08)
    assert some.answers < whole.answers == 6
    assert advised(records) == whole, "the same answers give the same advice"


def test_rows_of_a_run_give_its_advice() -> None:
    rows = [
        {
            "id": record.id,
            "input": "Which one?",
            "kind": "label",
            "target": "a",
            "generations": [
                {"text": a.text, "model": "m0", "variant": a.prompt_id.removeprefix("m0/")} for a in record.answers
            ],
        }
        for record in made()
    ]
    advice = advise_on_run(rows, [("m0", 6.0, 600)])
    assert (advice.verdict, advice.cases, advice.answers) == ("add", 100, 6)
    assert addition(advice, "1 variant").usd == pytest.approx(100 * 2 * 0.01)


def test_the_cost_of_an_answer_is_the_mean_over_the_members_of_a_model() -> None:
    assert mean_cost_by_model([("a", 1.0, 10), ("a", 3.0, 10), ("b", 0.0, 0)]) == {"a": 0.2}


def test_of_long_answers_fewer_cases_are_compared() -> None:
    long = [replace(r, answers=tuple(replace(a, text=a.text + " " * 1500) for a in r.answers)) for r in made(120)]
    assert advised(long).cases == FEWEST_CASES
    assert advised(made(120)).cases == 120
