"""A verdict counts for the answer that was judged, whatever id its case has now."""

from __future__ import annotations

from curator.labels.current_answers import CurrentAnswers
from curator.records import Label, Source, answer_case_id, answer_mark, fingerprint, fingerprint_fits, marked_answer

HERE = Source("queue.csv", 2)


def row(case_id: str, answer: str | None, *, failure: float | None = 1.0, text: str | None = None) -> Label:
    return Label(case_id, HERE, failure=failure, text=text, category="rude", answer_mark=answer_mark(answer))


def test_a_fingerprint_tells_the_answer_and_one_of_an_earlier_version_does_not() -> None:
    mark = fingerprint("q", "What is it?", "a  shoe")
    assert marked_answer(mark) == answer_mark("a shoe") != answer_mark("a boot")
    assert answer_mark(None) != answer_mark("")
    assert fingerprint_fits(mark, "q", "What is it?") == (True, True)
    assert fingerprint_fits(mark, "p", "What was it?") == (False, False)
    assert marked_answer(mark[:17]) == ""
    assert fingerprint_fits(mark[:17], "p", None) == (False, True)


def test_a_label_follows_its_answer_to_the_case_that_has_it_now() -> None:
    further = answer_case_id("q", "boot")
    now = CurrentAnswers.of([("q", "q", "boot"), (answer_case_id("q", "shoe"), "q", "shoe")])
    rows, others = now.assign([row("q", "shoe"), row(further, "boot"), row("q", "boot"), row("gone", "x")], {})
    assert [label.case_id for label in rows] == [answer_case_id("q", "shoe"), "q", "q", "gone"]
    assert not others


def test_a_verdict_on_an_answer_that_is_gone_counts_for_no_case_and_its_right_answer_does() -> None:
    now = CurrentAnswers.of([("q", "q", "boot")])
    rows, others = now.assign([row("q", "shoe"), row("q", "shoe", text="sandal"), row("near", "shoe")], {"near": "q"})
    assert [(label.failure, label.text, label.category) for label in rows] == [(None, "sandal", None)]
    assert len(others) == 3


def test_a_row_that_does_not_say_what_was_judged_stays() -> None:
    now = CurrentAnswers.of([("q", "q", "boot")])
    unmarked = Label("q", HERE, failure=0.0)
    assert now.assign([unmarked], {}) == ([unmarked], [])
    judged_none = row("q", None)
    assert now.assign([judged_none], {})[0] == []
    by_majority = CurrentAnswers.of([("q", "q", "boot")], any_without=True)
    assert by_majority.assign([judged_none], {}) == ([judged_none], [])
