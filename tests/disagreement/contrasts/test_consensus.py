"""The consensus of a group part by part."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from curator.answers.read import read_answer
from curator.disagreement.contrasts.answer_parts import AnswerParts, Form, parts_of
from curator.disagreement.contrasts.consensus import Consensus, Split
from curator.records import Difference, Kind

KINDS: dict[Form, Kind] = {"record": "json", "calls": "tool_call", "text": "text"}
REFUSAL = "I'm sorry, but I can't help with that."


def apart(text: str, form: Form = "record") -> AnswerParts:
    return parts_of(text, read_answer(text, KINDS[form]), form, KINDS[form], meaning="", question="")


def group(*texts: str, form: Form = "record") -> Consensus:
    return Consensus.of([apart(text, form) for text in texts], "a record")


def against(consensus: Consensus, text: str, form: Form = "record") -> tuple[set[Difference], float]:
    differences, share = consensus.differences(apart(text, form))
    return set(differences), share


def call(tool: str, **arguments: object) -> str:
    return json.dumps({"name": tool, "arguments": arguments})


def record(**fields: object) -> str:
    return json.dumps(fields)


def test_most_of_a_group_expect_a_value_and_half_do_not() -> None:
    answers = [record(status="open", total=total) for total in (1, 1, 2, 2)]
    differences, share = against(group(*answers[:3]), record(status="closed", total=2))
    assert differences == {
        Difference("field", "status", "closed", "open"), Difference("field", "total", "2", "1"),
    }  # fmt: skip
    assert share == 1
    differences, share = against(group(*answers), record(status="open", total=3))
    assert (differences, share) == (set(), 0)


def test_free_text_in_a_field_is_never_expected() -> None:
    consensus = group(*[record(status="open", note=note) for note in ("call back", "urgent", "wrote twice", "new")])
    assert against(consensus, record(status="open", note="quite another remark")) == (set(), 0)
    assert against(consensus, record(status="open")) == (set(), 0)


def test_absent_and_additional_fields_are_differences() -> None:
    consensus = group(*[record(status="open", due="2024-05-01")] * 3)
    differences, _ = against(consensus, record(status="open", tag="x"))
    assert differences == {
        Difference("field", "due", "", "2024-05-01", "missing"), Difference("field", "tag", "x", "", "added"),
    }  # fmt: skip


def test_an_answer_of_the_group_does_not_count_for_itself() -> None:
    odd, usual = apart(record(a=2, b=1)), apart(record(a=1, b=1))
    consensus = Consensus.of([odd, usual], "a record")
    assert consensus.differences(odd) == ([], 0)
    (difference,), share = consensus.differences(odd, without=odd)
    assert (difference, share) == (Difference("field", "a", "2", "1"), 1)
    assert Consensus.of([odd], "a record").differences(odd, without=odd) == ([], 0)


def test_an_unreadable_member_does_not_count_for_itself() -> None:
    prose, usual = apart("No record."), apart(record(a=1, b=1))
    (difference,), share = Consensus.of([prose, usual], "a record").differences(prose, without=prose)
    assert (difference, share) == (Difference("format", "", "prose", "a record"), 1)


@pytest.mark.parametrize(
    ("text", "difference"),
    [
        ("No record.", Difference("format", "", "prose", "a record")),
        ("", Difference("format", "", "an empty answer", "a record")),
        ("{a b", Difference("format", "", "a broken record", "a record")),
        (REFUSAL, Difference("refusal", "", "refuses", "answers")),
    ],
)
def test_a_problem_is_the_only_difference_and_its_strength_counts_all(text: str, difference: Difference) -> None:
    consensus = group(record(a=1, b=2), record(a=1, b=3), record(a=1, b=2), "")
    assert against(consensus, text) == ({difference}, 0.75)


def test_an_answer_where_most_refuse_is_a_difference_and_a_common_refusal_is_none() -> None:
    consensus = group(REFUSAL, REFUSAL, record(a=1, b=2))
    assert against(consensus, record(a=1, b=2))[0] == {Difference("refusal", "", "answers", "refuses")}
    assert against(consensus, REFUSAL) == (set(), 0)


def test_the_difference_of_the_tool_hides_those_of_its_arguments() -> None:
    consensus = group(*[call("refund", amount=5)] * 3, form="calls")
    assert against(consensus, call("escalate", to="desk"), "calls") == (
        {Difference("tool", "", "escalate", "refund")}, 1,
    )  # fmt: skip
    assert against(consensus, call("refund", amount=50), "calls")[0] == {
        Difference("argument", "refund.amount", "50", "5", "scaled")
    }
    assert against(consensus, "I will ask.", "calls")[0] == {Difference("tool", "", "", "refund")}


def test_production_has_the_spelling_of_the_committee() -> None:
    """Else the keys of its differences would not be those of the placebos, and noise would look like a failure."""
    consensus = group(*[record(due_date="May 3", state="Open")] * 3)
    differences, _ = against(consensus, record(dueDate="May 4", State="OPEN"))
    assert differences == {Difference("field", "due_date", "May 4", "May 3")}


def test_the_language_of_a_short_text_is_not_a_difference() -> None:
    consensus = group(*["The parcel is on the way to you and will be there."] * 3, form="text")
    assert against(consensus, "Soon.", "text") == (set(), 0)
    assert against(consensus, "Das Paket ist auf dem Weg zu Ihnen.", "text")[0] == {
        Difference("content", "language", "German", "English")
    }


def split_of(*texts: str, form: Form = "record") -> Split:
    split = group(*texts, form=form).split()
    assert split is not None
    return split


def test_a_third_of_the_answers_splits_a_committee() -> None:
    opened, closed, other = record(state="open", n=1), record(state="closed", n=1), record(state="lost", n=1)
    split = split_of(opened, opened, opened, opened, closed, closed)
    assert split.differences == (Difference("field", "state", "closed", "open"),)
    assert split.share == pytest.approx(1 / 3)
    assert [split.side_of(apart(text)) for text in (closed, opened)] == [split.second, split.first]
    assert group(opened, opened, opened, opened, opened, closed, closed).split() is None
    assert group(opened, opened, closed).split() is None, "one answer alone is not a group"
    assert group(opened, opened, closed, closed, other, other, record(state="new", n=1)).split() is None


def test_scattered_text_is_not_a_split() -> None:
    notes = ("call", "mail", "visit", "wait", "ask", "send")
    assert group(*[record(state="open", note=note) for note in notes]).split() is None
    assert group(*[f"Please {note} us about the offer." for note in notes], form="text").split() is None


def test_a_split_over_the_tool_hides_those_over_its_arguments() -> None:
    split = split_of(*[call("refund", amount=5)] * 3, *[call("escalate", to="desk")] * 2, form="calls")
    assert split.differences == (Difference("tool", "", "escalate", "refund"),)
    other = split_of(*[call("refund", amount=5)] * 2, *[call("escalate", to="desk")] * 3, form="calls")
    assert other.differences == split.differences


def test_a_committee_can_be_split_over_the_form() -> None:
    split = split_of(record(a=1, b=2), record(a=2, b=2), REFUSAL, REFUSAL)
    assert split.differences == (Difference("refusal", "", "refuses", "answers"),)
    assert (split.part, split.side_of(apart(REFUSAL))) == (None, "refusal")


def test_the_spread_of_a_part_is_the_share_outside_its_largest_group() -> None:
    consensus = group(record(dueDate=1, b=1), record(dueDate=1, b=2), record(b=3), "prose")
    assert consensus.spread() == {"field:dueDate": pytest.approx(1 / 3), "field:b": pytest.approx(2 / 3)}


@pytest.mark.parametrize("form", ["record", "calls", "text"])
@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_the_answers_does_not_matter(form: Form, seed: int) -> None:
    draw = random.Random(seed)
    make = {
        "record": lambda: record(state=draw.choice("ab"), due_date=draw.choice("ab"), Note=draw.random()).replace(
            "due_date", draw.choice(["due_date", "dueDate"])
        ),
        "calls": lambda: call(draw.choice(["f", "g"]), x=draw.choice([1, 10])),
        "text": lambda: f"{draw.choice(['Yes', 'No'])}, it is {draw.choice([3, 5])} days, as you have it.",
    }[form]
    answers = [apart(make(), form) for _ in range(6)]
    first = apart(make(), form)
    results = []
    for _ in range(6):
        consensus = Consensus.of(draw.sample(answers, len(answers)), "a record")
        split = consensus.split()
        results.append(
            (
                set(consensus.differences(first)[0]),
                consensus.differences(first)[1],
                split and (frozenset(split.differences), replace(split, differences=())),
                consensus.spread(),
            )
        )
    assert all(result == results[0] for result in results)
