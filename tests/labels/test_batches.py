"""The rules of the label queue's batches."""

from __future__ import annotations

from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curator.config import LabellingConfig
from curator.labels.batches import Task, assignments, batches, workload

TASKS = st.lists(
    st.tuples(
        st.booleans(), st.none() | st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.sampled_from([None, "a", "b", "c"])
    ),
    max_size=60,
).map(lambda drawn: [Task(f"c{i}", sampled, i, hard, name) for i, (sampled, hard, name) in enumerate(drawn)])
SIZES = st.integers(1, 30)


def is_hard(task: Task, tasks: list[Task]) -> bool:
    known = sorted(t.difficulty for t in tasks if t.difficulty is not None)
    if task.difficulty is None or known[0] == known[-1]:
        return False
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    return task.difficulty >= middle and task.difficulty > known[0]


def longest_row(batch: tuple[Task, ...], tasks: list[Task]) -> int:
    return max((len(list(row)) for hard, row in groupby(is_hard(t, tasks) for t in batch) if hard), default=0)


@given(TASKS, SIZES, st.integers(0, 3))
def test_every_case_is_in_one_batch_and_no_batch_is_too_large(tasks: list[Task], size: int, seed: int) -> None:
    made = batches(tasks, size=size, seed=seed)
    assert sorted(t.case_id for batch in made for t in batch) == sorted(t.case_id for t in tasks)
    sizes = [len(batch) for batch in made]
    assert all(0 < n <= size for n in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1


@given(TASKS, SIZES)
def test_the_first_batches_hold_the_first_of_both_lists_in_proportion(tasks: list[Task], size: int) -> None:
    made = batches(tasks, size=size, seed=0)
    for number in range(1, len(made) + 1):
        labelled = [task for batch in made[:number] for task in batch]
        for sampled in (True, False):
            places = sorted(t.place for t in tasks if t.sampled == sampled)
            found = sorted(t.place for t in labelled if t.sampled == sampled)
            assert found == places[: len(found)]
            assert abs(len(found) - len(places) * len(labelled) / len(tasks)) < 1


@given(TASKS, SIZES)
def test_no_row_of_hard_cases_is_longer_than_it_must_be(tasks: list[Task], size: int) -> None:
    for batch in batches(tasks, size=size, seed=0):
        hard = sum(is_hard(task, tasks) for task in batch)
        fewest = -(-hard // (len(batch) - hard + 1))
        assert longest_row(batch, tasks) <= max(2, fewest)


@given(TASKS, SIZES, st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_seed_fixes_the_order_and_the_input_order_does_not_matter(
    tasks: list[Task], size: int, seed: int, rng: Random
) -> None:
    shuffled = list(tasks)
    rng.shuffle(shuffled)
    assert batches(shuffled, size=size, seed=seed) == batches(tasks, size=size, seed=seed)


def test_another_seed_is_another_order_of_equal_cases() -> None:
    tasks = [Task(f"c{i}", sampled=True, place=i) for i in range(20)]
    assert batches(tasks, size=20, seed=0) != batches(tasks, size=20, seed=1)


def test_a_category_stands_together_the_largest_first_and_the_rest_last() -> None:
    names = ["b", "a", None, "b", "a", "b", None, "c"]
    (batch,) = batches([Task(f"c{i}", True, i, None, name) for i, name in enumerate(names)], size=8, seed=0)
    assert [task.category for task in batch] == ["b", "b", "b", "a", "a", "c", None, None]


def test_hard_and_easy_cases_alternate_within_a_category() -> None:
    tasks = [Task(f"c{i}", False, i, float(i < 4), "a") for i in range(8)]
    (batch,) = batches(tasks, size=8, seed=0)
    assert [task.difficulty for task in batch] == [0, 1, 0, 1, 0, 1, 0, 1]


def test_an_easy_case_of_another_category_parts_the_hard_ones() -> None:
    tasks = [Task(f"h{i}", False, i, 1.0, "hard") for i in range(4)]
    tasks += [Task(f"e{i}", False, 4 + i, 0.0, "easy") for i in range(4)]
    (batch,) = batches(tasks, size=8, seed=0)
    assert longest_row(batch, tasks) == 2


def test_no_task_no_batch() -> None:
    assert batches([], size=5, seed=0) == ()
    assert assignments([], LabellingConfig(), seed=0) == ()


@given(TASKS, st.sampled_from([0.0, 0.1, 0.3, 1.0, "auto"]))
def test_a_share_of_the_cases_is_labelled_by_a_second_person(tasks: list[Task], overlap: float | str) -> None:
    given = {"batch_size": 7, "annotators": ("ana", "ben", "eve"), "overlap": overlap}
    config = LabellingConfig.model_validate(given)
    rows = assignments(tasks, config, seed=0)
    assert len(rows) == workload(len(tasks), config).judgements
    assert len({(row.case_id, row.annotator) for row in rows}) == len(rows)
    assert [row.batch for row in rows] == sorted(row.batch for row in rows)


def test_an_overlap_that_is_chosen_measures_agreement_and_costs_a_quarter_at_most() -> None:
    config = LabellingConfig(annotators=("ana", "ben"), overlap="auto")
    assert [workload(cases, config).judgements - cases for cases in (0, 40, 200, 1000)] == [0, 10, 50, 50]
    assert workload(200, LabellingConfig(overlap="auto")).judgements == 200  # one person cannot disagree


def test_without_names_anybody_labels() -> None:
    assert {row.annotator for row in assignments([Task("c1", True, 1)], LabellingConfig(), seed=0)} == {""}


@pytest.mark.parametrize(
    "wrong", [{"overlap": 0.1}, {"annotators": ["ana", "ana"]}, {"batch_size": 0}, {"cost_per_label": -1}]
)
def test_a_config_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LabellingConfig.model_validate(wrong)


def test_what_labelling_takes() -> None:
    config = LabellingConfig(minutes_per_label=1.5, cost_per_label=2.0, annotators=("ana", "ben"), overlap=0.1)
    found = workload(100, config)
    assert (found.judgements, found.batches, found.minutes, found.cost) == (110, 4, 165, 220)
    assert found.to_text() == (
        "100 cases to label (110 labels, as some are labelled twice) in 4 batches: about 2.8 h at 1.5 min each, at a cost"
        " of 220.00"
    )
    assert workload(30, LabellingConfig()).to_text() == "30 cases to label in 2 batches: about 30 min at 1 min each"
