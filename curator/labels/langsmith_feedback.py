"""The feedback of an annotation queue in LangSmith: its keys, and that of people as rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.traced import label_choices
from curator.readers.langsmith import correction_text
from curator.records import JsonValue

if TYPE_CHECKING:
    from uuid import UUID

    from langsmith import Client
    from langsmith.schemas import Feedback

_VERDICTS = ("fail", "pass", "unsure")
_TEXTS = {
    "right_answer": "The right answer, where you know it and it is not among the labels",
    "corrected_category": "Another category fits better",
}
_OTHER = "curator_"
"""The start of a key where the workspace uses the plain one for feedback of another form."""


def feedback_keys(client: Client, job: str, rows: Sequence[QueueRow]) -> dict[str, str]:
    """Return the keys of the feedback that people give, each with its question.

    A key without a config gets one. The workspace may use a key for feedback of another form, which stays as it is. A question that ends with `?` has to be
    answered.
    """
    configs = _configs(client)

    def fitting(name: str, labels: Sequence[str]) -> str:
        form = _categorical(labels) if labels else {"type": "freeform"}
        for key in (name, _OTHER + name):
            if key not in configs:
                client.create_feedback_config(key, feedback_config=form)
                return key
            if configs[key]["type"] == form["type"] and _values_of(configs[key]) == _values_of(form):
                return key
        return _OTHER + name

    keys = {fitting("verdict", _VERDICTS): "Production's answer: is it right?"}
    if labels := label_choices(rows):
        if label_key(job) not in configs:
            client.create_feedback_config(label_key(job), feedback_config=_categorical(labels))
        keys[label_key(job)] = "The right answer, where you know it"
    return keys | {fitting(name, ()): text for name, text in _TEXTS.items()}


def with_choices(client: Client, job: str, rows: Sequence[QueueRow], queue_id: UUID) -> Iterator[str]:
    """Add the labels that the queue does not offer yet; yield a note where it cannot offer any."""
    labels = label_choices(rows)
    if not labels:
        return
    rubric = client.read_annotation_queue(queue_id).rubric_items or ()
    config = _configs(client).get(label_key(job))
    if config is None or not any(item["feedback_key"] == label_key(job) for item in rubric):
        yield "the annotation queue has no feedback for fixed labels: people write them into `right_answer`"
        return
    offered = _values_of(config)
    if missing := [label for label in labels if label not in offered]:
        first = 1 + int(max(offered.values(), default=-1))
        added = [{"value": first + number, "label": label} for number, label in enumerate(missing)]
        form = {**config, "categories": [*config["categories"], *added]}
        client.update_feedback_config(label_key(job), feedback_config=form)


def label_key(job: str) -> str:
    """Return the key of the feedback with a job's fixed labels."""
    return f"label_{re.sub(r'[^A-Za-z0-9_-]+', '_', job)}"


def is_of_a_person(feedback: Feedback) -> bool:
    """Return whether a person gave the feedback on a page of LangSmith."""
    return bool(feedback.feedback_source and feedback.feedback_source.type == "app")


def returned_rows(feedback: Sequence[Feedback], context: Mapping[str, JsonValue], labels: str) -> Iterator[ReturnedRow]:
    """Yield the row of each person's feedback on a run. Comments on any of it are the note.

    Args:
        feedback: that of people.
        context: what comes back with the label.
        labels: the key of the fixed labels.
    """
    by_person: dict[str, list[Feedback]] = {}
    for each in sorted(feedback, key=lambda each: (each.modified_at, str(each.id))):
        source = each.feedback_source
        person = source.user_name or str(source.user_id or "") if source else ""
        by_person.setdefault(person, []).append(each)
    for person, given in by_person.items():
        cells: dict[str, JsonValue] = {**context, "labelled_by": person}
        filled: dict[str, str] = {}
        notes: list[str] = []
        for each in given:
            name = "label" if each.key == labels else each.key.removeprefix(_OTHER)
            freeform = name in _TEXTS and each.value is None
            filled[name] = each.comment or "" if freeform else _filled(name, each)
            filled["correction"] = correction_text(each.correction) or filled.get("correction", "")
            notes += [each.comment] if each.comment and not freeform else []
        cells |= {name: filled.get(name, "") for name in ("verdict", "corrected_category")}
        # What was chosen is the label; a text is for labels that are not offered.
        chosen = filled.get("label", "")
        cells["label"] = chosen or filled.get("correction") or filled.get("right_answer") or ""
        cells["note"] = "\n".join(dict.fromkeys(notes))
        latest = max(each.modified_at for each in given)
        yield ReturnedRow.of(cells, allowed=(chosen,) if chosen else (), at=latest.timestamp())


def _filled(name: str, feedback: Feedback) -> str:
    """Return what was chosen or written; a verdict without its word is read by its number."""
    if feedback.value is None and name == "verdict" and feedback.score in range(len(_VERDICTS)):
        return _VERDICTS[int(feedback.score)]
    return "" if feedback.value is None else str(feedback.value)


def _categorical(labels: Sequence[str]) -> dict[str, Any]:
    categories = [{"value": number, "label": label} for number, label in enumerate(labels)]
    return {"type": "categorical", "categories": categories}


def _values_of(config: Mapping[str, Any]) -> dict[str, float]:
    """Return the values of the choices by label; {} where people write."""
    return {each["label"]: each["value"] for each in config.get("categories") or () if each.get("label")}


def _configs(client: Client) -> dict[str, Mapping[str, Any]]:
    """Return the form of each key."""
    return {config.feedback_key: config.feedback_config for config in client.list_feedback_configs()}
