"""Label Studio: the label queue as its tasks, and the labelling interface for them.

The format is that of https://labelstud.io/guide/tasks and https://labelstud.io/guide/predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import orjson

from curator.labels.queue import QueueRow
from curator.labels.returned import context_of
from curator.labels.rows import read_label_rows
from curator.labels.shown import answer, by_case, category_names, committee, documents, turns
from curator.labels.tool import LabelTool
from curator.records import JsonValue
from curator.text.display import clean

MODEL_VERSION = "curator"
"""The name of the committee's predictions; uncertainty sampling orders by those of the project's model version."""

_HEAD = """<View>
  <Header value="Conversation" size="5"/>
  <Paragraphs name="conversation" value="$messages" layout="dialogue" nameKey="role" textKey="content"/>
"""
_DOCUMENTS = """  <Collapse><Panel value="Documents">
    <Paragraphs name="documents" value="$documents" layout="dialogue" nameKey="id" textKey="text"/>
  </Panel></Collapse>
"""
_JUDGED = """  <Header value="Production's answer: is it right?" size="5"/>
  <Text name="answer" value="$target" valueType="text"/>
  <Choices name="verdict" toName="answer" choice="single" showInline="true">
    <Choice value="pass" hotkey="p"/><Choice value="fail" hotkey="f"/><Choice value="unsure" hotkey="u"/>
  </Choices>
  <Collapse><Panel value="Answers of the committee (they may all be wrong)">
    <Paragraphs name="committee" value="$alternatives" layout="dialogue" nameKey="count" textKey="text"/>
  </Panel></Collapse>
  <Header value="The right answer, where you know it" size="5"/>
"""
_LABELS = """  <Choices name="label" toName="answer" value="$allowed_labels" choice="single" layout="select"/>
"""
_TEXT = """  <TextArea name="right_answer" toName="answer" rows="3" maxSubmissions="1" editable="true"/>
"""
_CATEGORIES = """  <Header value="Another category fits better" size="5"/>
  <Choices name="corrected_category" toName="answer" value="$categories" choice="single" layout="select"/>
"""
_FOOT = """  <Header value="Note" size="5"/>
  <TextArea name="note" toName="answer" rows="1" maxSubmissions="1" editable="true"/>
</View>
"""
_FEATURES = ("documents", "labels", "text", "categories")


def interface(features: Iterable[str]) -> str:
    """Return the labelling interface as XML, with the parts that the cases need.

    Choices are read from each task, so that labels and categories may change without a change of the interface: Label Studio
    refuses to take away a choice that an annotation uses.

    Args:
        features: some of `documents`, `labels` (fixed answers), `text` (any other answers), `categories`.
    """
    parts = {"documents": _DOCUMENTS, "labels": _LABELS, "text": _TEXT, "categories": _CATEGORIES}
    shown = {name: part if name in set(features) else "" for name, part in parts.items()}
    return f"{_HEAD}{shown['documents']}{_JUDGED}{shown['labels']}{shown['text']}{shown['categories']}{_FOOT}"


def features_of(rows: Sequence[QueueRow]) -> frozenset[str]:
    """Return the parts of the interface that a queue needs."""
    wanted = {
        "documents": any(row.documents for row in rows),
        "labels": any(row.labels for row in rows),
        "text": not all(row.labels for row in rows) or not rows,
        "categories": any(row.category for row in rows),
    }
    return frozenset(name for name, needed in wanted.items() if needed)


def features_in(xml: str) -> frozenset[str] | None:
    """Return the parts of an interface that curator made; None for one that a person changed."""
    for size in range(len(_FEATURES) + 1):
        for features in combinations(_FEATURES, size):
            if interface(features).split() == xml.split():
                return frozenset(features)
    return None


def task_data(rows: Sequence[QueueRow], categories: Sequence[str]) -> dict[str, JsonValue]:
    """Return the data of the task of one case.

    Args:
        rows: the rows of the case: several where several people label it.
        categories: the names to choose a category among.
    """
    row = rows[0]
    people = [each.annotator for each in rows if each.annotator]
    return {
        **context_of(row),
        "batch": row.batch,
        "task": row.task or "",
        "assigned_to": ", ".join(people),
        "messages": [*turns(row)],
        "documents": [*documents(row)],
        "target": answer(row),
        "alternatives": [*committee(row)],
        "category": clean(row.category or ""),
        "disagreement": row.disagreement,
        "allowed_labels": [{"value": label} for label in row.labels],
        "categories": [{"value": name} for name in categories],
    }


def prediction(row: QueueRow) -> dict[str, JsonValue] | None:
    """Return the committee's majority as a prediction; None where the case was not asked about.

    The score is 1 less the disagreement: uncertainty sampling shows the lowest scores first.
    """
    if row.disagreement is None:
        return None
    result: list[JsonValue] = []
    if row.committee_majority and not row.labels:
        value: JsonValue = {"text": [clean(row.committee_majority)]}
        result = [{"from_name": "right_answer", "to_name": "answer", "type": "textarea", "value": value}]
    elif row.committee_majority in row.labels:
        value = {"choices": [row.committee_majority]}
        result = [{"from_name": "label", "to_name": "answer", "type": "choices", "value": value}]
    return {"model_version": MODEL_VERSION, "score": round(1 - row.disagreement, 6), "result": result}


def tasks(rows: Sequence[QueueRow]) -> Iterator[dict[str, JsonValue]]:
    """Yield the task of each case, as Label Studio imports it."""
    names = category_names(rows)
    for of_case in by_case(rows).values():
        predicted = prediction(of_case[0])
        yield {
            "data": task_data(of_case, names),
            "annotations": [],
            "predictions": [predicted] if predicted else [],
        }


def _write(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """Encode the tasks as one JSON list."""
    separator = b"["
    for task in tasks(list(rows)):
        yield separator + b"\n" + orjson.dumps(task)
        separator = b","
    yield b"[]\n" if separator == b"[" else b"\n]\n"


def _settings(rows: Sequence[QueueRow]) -> Mapping[str, bytes]:
    return {".label-studio.xml": interface(features_of(rows)).encode()}


LABEL_STUDIO = LabelTool(
    "label-studio",
    "JSON tasks of Label Studio, to import by hand; its labelling interface is written beside it as XML.",
    ".label-studio.json",
    _write,
    read_label_rows,
    settings=_settings,
)
