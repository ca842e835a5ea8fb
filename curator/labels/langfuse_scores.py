"""The scores of an annotation queue in Langfuse: their configs, and those of people as rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.traced import label_choices
from curator.records import JsonValue, fingerprint

if TYPE_CHECKING:
    from langfuse.api import AnnotationQueue, ConfigCategory, ScoreConfig, ScoreV3
    from langfuse.api.client import LangfuseAPI

Kind = Literal["CATEGORICAL", "TEXT"]

_VERDICTS = ("fail", "pass", "unsure")
_TEXTS = {
    "right_answer": "The right answer, where you know it and it is not among the labels",
    "corrected_category": "Another category fits better",
}
_OTHER = "curator "
"""The start of a config's name where the project uses the plain name for another one."""
_LONGEST_NAME = 35
"""Characters of a config's name: Langfuse refuses longer ones."""
_PAGE = 100
"""Rows of a page: the most that Langfuse gives of queues, items and configs."""


def pages(list_page: Callable[..., Any]) -> Iterator[Any]:
    """Yield the rows of all pages of a list."""
    for number in itertools.count(1):
        page = list_page(page=number, limit=_PAGE)
        yield from page.data
        if number >= page.meta.total_pages:
            return


def score_config_ids(client: LangfuseAPI, job: str, rows: Sequence[QueueRow]) -> list[str]:
    """Return the configs of the scores that people fill in, which are made if need be.

    The project may use a name for a score of another form, which stays as it is.
    """
    configs = _configs(client)

    def fitting(name: str, kind: Kind, categories: Sequence[str], description: str) -> str:
        for config in configs:
            offered = {category.label for category in config.categories or ()}
            if config.name in (name, _OTHER + name) and config.data_type == kind and offered.issuperset(categories):
                return str(config.id)
        taken = any(config.name == name for config in configs)
        return _new_config(client, _OTHER + name if taken else name, kind, categories, description)

    ids = [fitting("verdict", "CATEGORICAL", _VERDICTS, "Production's answer: is it right?")]
    if labels := label_choices(rows):
        named = next((config.id for config in configs if config.name == label_score(job)), None)
        ids.append(named or _new_config(client, label_score(job), "CATEGORICAL", labels, "The right answer"))
    return ids + [fitting(name, "TEXT", (), description) for name, description in _TEXTS.items()]


def with_choices(client: LangfuseAPI, job: str, rows: Sequence[QueueRow], queue: AnnotationQueue) -> Iterator[str]:
    """Add the labels that the queue does not offer yet; yield a note where it cannot offer any."""
    labels = label_choices(rows)
    if not labels:
        return
    mine = (
        config for config in _configs(client) if config.name == label_score(job) and config.id in queue.score_config_ids
    )
    config = next(mine, None)
    if config is None:
        yield "the annotation queue has no score for fixed labels: people write them into `right_answer`"
        return
    offered = [category.label for category in config.categories or ()]
    if missing := [label for label in labels if label not in offered]:
        first = 1 + max((int(category.value) for category in config.categories or ()), default=-1)
        added = _categories(missing, first=first)
        client.score_configs.update(config.id, categories=[*(config.categories or ()), *added])


def chosen_labels(client: LangfuseAPI, job: str) -> list[str]:
    """Return the labels that people choose among, as Langfuse offers them."""
    configs = (config for config in _configs(client) if config.name == label_score(job))
    return [category.label for config in configs for category in config.categories or ()]


def label_score(job: str) -> str:
    """Return the name of the score with a job's fixed labels, as Langfuse allows names."""
    name = re.sub(r"[^A-Za-z0-9_ .()-]+", "-", f"label {job}")
    if name == f"label {job}" and len(name) <= _LONGEST_NAME:
        return name
    mark = f"-{fingerprint(job, '')[-6:]}"
    return name[: _LONGEST_NAME - len(mark)] + mark


def is_of_a_person(score: ScoreV3) -> bool:
    """Return whether a person gave the score on a page of Langfuse."""
    return bool(score.source == "ANNOTATION")


def returned_rows(
    scores: Sequence[ScoreV3], context: Mapping[str, JsonValue], job: str, allowed: Sequence[str]
) -> Iterator[ReturnedRow]:
    """Yield the row of each person's scores on a trace. Comments on any of them are the note."""
    by_person: dict[str, list[ScoreV3]] = {}
    for score in sorted(scores, key=lambda score: (score.updated_at, score.id)):
        by_person.setdefault(score.author_user_id or "", []).append(score)
    for person, given in by_person.items():
        cells: dict[str, JsonValue] = {**context, "labelled_by": person}
        filled = {_column(score, job): _text(score.value) for score in given}
        # What was chosen is the label; a text is for labels that are not offered.
        cells |= {name: filled.get(name, "") for name in ("verdict", "corrected_category")}
        cells["label"] = filled.get("label") or filled.get("correction") or filled.get("right_answer") or ""
        cells["note"] = "\n".join(dict.fromkeys(filter(None, (score.comment for score in given))))
        yield ReturnedRow.of(cells, allowed=allowed, at=max(score.updated_at for score in given).timestamp())


def _column(score: ScoreV3, job: str) -> str:
    """Return what a score is of."""
    if score.data_type == "CORRECTION":
        return "correction"
    return "label" if score.name == label_score(job) else str(score.name).removeprefix(_OTHER)


def _text(value: str | float | bool) -> str:  # noqa: FBT001  a score may be any of them
    return ("pass" if value else "fail") if isinstance(value, bool) else str(value)


def _configs(client: LangfuseAPI) -> list[ScoreConfig]:
    return [config for config in pages(client.score_configs.get) if not config.is_archived]


def _categories(labels: Sequence[str], *, first: int = 0) -> list[ConfigCategory]:
    from langfuse.api import ConfigCategory

    return [ConfigCategory(label=label, value=float(number)) for number, label in enumerate(labels, first)]


def _new_config(client: LangfuseAPI, name: str, kind: Kind, labels: Sequence[str], description: str) -> str:
    from langfuse.api import ScoreConfigDataType

    offered = {"categories": _categories(labels)} if labels else {}
    config = client.score_configs.create(
        name=name, data_type=ScoreConfigDataType(kind), description=description, **offered
    )
    return str(config.id)
