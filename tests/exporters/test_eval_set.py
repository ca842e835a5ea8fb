"""The rows of the eval set."""

from __future__ import annotations

from curator.exporters.eval_set import eval_rows
from curator.records import Case, Category, Label, Message, Pick, Reference, Score, Source, ToolCall, Verdict

AT = "2026-11-02T09:00:00+00:00"
CASE = Case(
    "c1",
    (
        Message("system", "Be brief."),
        Message("user", "Weather?"),
        Message("assistant", "", (ToolCall("t1", "weather", '{"city":"Bonn"}'),)),
        Message("tool", "rain", tool_call_id="t1"),
    ),
    Source("logs/a.jsonl", 7),
    target="It rains.",
    task="chat",
    options={"max_tokens": 20},
    reference=Reference("It rains in Bonn.", "label", "ann", at=AT),
    verdict=Verdict(1.0),
    metadata={"tenant": "x"},
    weight=3,
    group="c0",
)
LABEL = Label(
    "c1", Source("labels/0001.csv", 3), 1.0, "It rains in Bonn.", "ann", category="place", note="it names no city", at=AT,
    people=("ann", "bob"),
)  # fmt: skip
SCORE = Score("c1", 0.75, 0.1, 0.2, 0.75, "text", "s-1", "Sun.", 0.5, 4)


def test_a_row_holds_all_that_a_grader_and_an_estimator_need() -> None:
    rows = eval_rows(
        [Pick("c1", 0, "random", 0.25, "eval", stage=2, stratum=3)],
        cases={"c1": CASE},
        scores={"c1": SCORE},
        categories=[Category("category-01", "weather", (), ("c1",))],
        labels={"c1": LABEL},
    )
    assert [row.to_json() for row in rows] == [
        {
            "id": "c1",
            "input": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "t1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Bonn"}'},
                        }
                    ],
                },
                {"role": "tool", "content": "rain", "tool_call_id": "t1"},
            ],
            "target": "It rains.",
            "reference": "It rains in Bonn.",
            "reference_source": "label",
            "reference_by": "ann",
            "reference_at": "2026-11-02T09:00:00+00:00",
            "verdict": "fail",
            "failure": 1.0,
            "labelled_by": ["ann", "bob"],
            "labelled_at": "2026-11-02T09:00:00+00:00",
            "label_source": "labels/0001.csv:3",
            "note": "it names no city",
            "corrected_category": "place",
            "kind": "text",
            "task": "chat",
            "slice": "random",
            "stage": 2,
            "stratum": 3,
            "inclusion_probability": 0.25,
            "weight": 3,
            "group": "c0",
            "disagreement": 0.75,
            "within": 0.1,
            "between": 0.2,
            "against_target": 0.75,
            "category": "weather",
            "options": {"max_tokens": 20},
            "metadata": {"tenant": "x"},
            "source": "logs/a.jsonl:7",
            "question_id": "c1",
            "round": 1,
            "user_id": None,
        }
    ]


def test_only_held_out_picks_come_in_by_rank() -> None:
    cases = {n: Case(n, (Message("user", n),), Source("a", 1)) for n in ("a", "b", "c")}
    picks = [
        Pick("c", 2, "random", 0.5, "eval"),
        Pick("b", 1, "disagreement", 1.0, "train"),
        Pick("a", 0, "disagreement", 1.0, "eval"),
    ]
    rows = list(eval_rows(picks, cases=cases, scores={}))
    assert [row.id for row in rows] == ["a", "c"]
    assert {getattr(rows[0], name) for name in ("reference", "disagreement", "kind", "category", "target")} == {None}
