"""Tasks and the labelling interface of Label Studio."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

from curator.labels.label_studio import features_in, features_of, interface, prediction, task_data
from curator.labels.queue import QueueRow, queue_rows
from curator.labels.shown import NO_ANSWER
from curator.records import Case, Document, Message, Pick, Source

PARTS = ("documents", "labels", "text", "categories")


def row(target: str | None = "yes") -> QueueRow:
    case = Case("c1", (Message("user", "Is it\x00 open?"),), Source("a", 1), target=target)
    (made,) = queue_rows([Pick("c1", 1, "random", 0.5, "eval")], cases={"c1": case}, scores={}, answers_of=lambda _: ())
    return made


def test_every_interface_is_recognised_and_names_only_data_that_tasks_have() -> None:
    data = task_data([row()], ["Tone"])
    for size in range(len(PARTS) + 1):
        for parts in combinations(PARTS, size):
            xml = interface(parts)
            assert features_in(xml) == frozenset(parts)
            elements = list(ET.fromstring(xml).iter())  # noqa: S314  our own text
            asked = {value[1:] for each in elements if (value := each.get("value", "")).startswith("$")}
            assert asked <= data.keys()
            names = [each.get("name") for each in elements if each.get("name")]
            assert len(set(names)) == len(names)
    assert features_in(interface(["text"]).replace("Note", "Remark")) is None


def test_the_interface_is_made_for_the_answers_of_the_queue() -> None:
    fixed = replace(row(), labels=("a", "b"), documents=(Document("d"),), category="Tone")
    assert features_of([row()]) == {"text"}
    assert features_of([fixed]) == {"labels", "documents", "categories"}
    assert features_of([fixed, row()]) == {"labels", "documents", "categories", "text"}


def test_a_task_shows_safe_texts_and_a_case_without_an_answer_says_so() -> None:
    data = task_data([replace(row(None), annotator="ana"), replace(row(None), annotator="ben")], [])
    assert data["target"] == NO_ANSWER
    assert data["messages"] == [{"role": "user", "content": "Is it\ufffd open?"}]
    assert data["assigned_to"] == "ana, ben"


def test_the_most_disputed_case_has_the_lowest_score_and_only_a_label_of_the_list_is_predicted() -> None:
    asked = replace(row(), disagreement=0.75, committee_majority="no")
    assert prediction(row()) is None
    free = prediction(asked)
    assert free is not None
    assert (free["score"], free["result"][0]["value"]) == (0.25, {"text": ["no"]})  # type: ignore[index, call-overload]
    listed, other = (prediction(replace(asked, labels=labels)) for labels in (("no", "yes"), ("a", "b")))
    assert listed is not None
    assert listed["result"][0]["value"] == {"choices": ["no"]}  # type: ignore[index, call-overload]
    assert other is not None
    assert other["result"] == []
