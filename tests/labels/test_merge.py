"""Several rows for one case, of one file and of later ones, and what each field of their label is taken from."""

from __future__ import annotations

from typing import Any

import pytest

from curator.labels.history import standing
from curator.labels.merge import merge_rows
from curator.records import Label, Source


def row(line: int = 1, case_id: str = "c", **fields: Any) -> Label:
    return Label(case_id, Source("labels.csv", line), **fields)


def correct(*labels: Label) -> Label:
    return merge_rows(standing([label] for label in labels)).labels["c"]


QUEUE: dict[str, Any] = {"slice": "disagreement", "probability": 0.25, "by": "ana"}


@pytest.mark.parametrize("queue_first", [True, False])
def test_a_file_of_corrections_without_a_slice_keeps_the_draw_and_the_person(queue_first: bool) -> None:
    queue, correction = row(failure=0.0, **QUEUE), row(failure=1.0)
    label = correct(queue, correction) if queue_first else correct(correction, queue)
    assert label.failure == (1.0 if queue_first else 0.0)
    assert (label.slice, label.probability, label.by) == ("disagreement", 0.25, "ana")


@pytest.mark.parametrize("queue_first", [True, False])
def test_the_draw_of_a_case_that_a_person_was_unsure_of_is_kept(queue_first: bool) -> None:
    queue, correction = row(**QUEUE), row(failure=1.0, by="ben")
    label = correct(queue, correction) if queue_first else correct(correction, queue)
    assert (label.failure, label.slice, label.probability, label.by) == (1.0, "disagreement", 0.25, "ben")


def test_a_later_draw_replaces_the_earlier_with_its_probability() -> None:
    label = correct(row(failure=0.0, **QUEUE), row(failure=1.0, slice="random", by="ana"))
    assert (label.slice, label.probability, label.by) == ("random", 1.0, "ana")


def test_a_right_answer_keeps_its_author_beside_the_verdict_of_another() -> None:
    label = correct(row(text="7", by="ana"), row(failure=1.0, by="ben"))
    assert (label.failure, label.text, label.by) == (1.0, "7", "ana")


def test_slice_and_probability_are_of_the_same_row() -> None:
    verdict, text = row(1, failure=1.0, slice="random", probability=0.25), row(2, text="7", by="ben")
    label = merge_rows([verdict, text]).labels["c"]
    assert (label.slice, label.probability, label.by) == ("random", 0.25, "ben")


def test_rows_of_a_near_duplicate_are_rows_of_the_kept_case() -> None:
    rows = [row(1, failure=1.0, by="ana"), row(2, "d", failure=0.0, by="ben"), row(3, "d", by="eve")]
    merged = merge_rows(rows, {"d": "c"})
    assert {case_id: (label.case_id, label.failure) for case_id, label in merged.labels.items()} == {"c": ("c", 0.5)}
    assert merged.agreement is not None
    assert merged.agreement.disputed == ("c",)


def test_two_right_answers_for_near_duplicates_are_both_set_aside_and_named() -> None:
    merged = merge_rows([row(1, text="7", failure=1.0), row(2, "d", text="8")], {"d": "c"})
    assert (merged.failures, merged.texts) == ({"c": 1.0}, {})
    assert [(rejected.source.line, rejected.reason) for rejected in merged.rejected] == [
        (
            2,
            "another label for 'd' than at labels.csv:1, for its near-duplicate 'c'",
        )
    ]


def test_two_categories_of_a_case_are_disputed_and_its_people_are_named() -> None:
    ana = Label("c", Source("a.csv", 2), failure=1.0, by="ana", category="refunds")
    ben = Label("c", Source("b.csv", 3), failure=1.0, by="ben", category="returns")
    merged = merge_rows([ben, ana])
    (dispute,) = merged.disputes
    assert (dispute.field, dispute.rows) == ("category", (ben, ana))
    assert [(r.source.file, r.source.line) for r in merged.rejected] == [("a.csv", 2)]
    assert "another corrected category" in merged.rejected[0].reason
    label = merged.labels["c"]
    assert (label.failure, label.category, label.people) == (1.0, None, ("ana", "ben"))
