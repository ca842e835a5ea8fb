"""An Argilla server: one dataset a job, records by case id out, responses back.

Records have no suggestions: Argilla fills them into the form, and a filled-in majority is confirmed where it is wrong.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING, Any

from curator.labels.queue import VERDICTS, QueueRow
from curator.labels.returned import ReturnedRow, context_of
from curator.labels.servers import LabelServer, Place, Pulled, Pushed, not_pushed, refusal
from curator.labels.shown import answer, by_case, committee, documents, turns
from curator.records import JsonValue
from curator.text.display import clean, plural

if TYPE_CHECKING:
    from argilla import Argilla, Dataset, Settings

_GUIDELINES = (
    "Judge production's answer: pass if it is right, fail if it is not, unsure if you cannot tell. Where you know the right"
    " answer, give it. Discard a record only if you do not want to judge it."
)
_AT_ONCE = 250
_MOST_LABELS = 500
"""Options of a question: the most that a server accepts without a setting of its own."""


def push(rows: Sequence[QueueRow], place: Place) -> Pushed:
    """Create or update the dataset and records of a queue; see `LabelServer.push`."""
    from argilla import Record

    with _client(place) as client:
        dataset = _dataset(client, place) or _new_dataset(client, place, rows)
        existing = {str(record["external_id"]): record for record in _records(client, dataset)}
        done: Counter[str] = Counter()
        changed = []
        cases = by_case(rows)
        for case_id, of_case in cases.items():
            fields, metadata = _fields(of_case[0]), _metadata(of_case)
            there = existing.get(case_id)
            outcome = _outcome(there, fields, metadata)
            done[outcome] += 1
            if outcome in ("created", "updated"):
                changed.append(Record(id=case_id, fields=fields, metadata=metadata))
        if changed:
            dataset.records.log(changed)
        notes = [*_other_labels(dataset, rows)]
        stale = sum(not record["responses"] for case_id, record in existing.items() if case_id not in cases)
        if stale:
            notes.append(f"{plural(stale, 'record')} of earlier queues without a response stay in the dataset")
        place_of_it = (_address(place, dataset),)
        return Pushed(place_of_it, done["created"], done["updated"], done["unchanged"], done["kept"], tuple(notes))


def pull(place: Place) -> Pulled:
    """Fetch the submitted and discarded responses of a job's dataset; see `LabelServer.pull`."""
    with _client(place) as client:
        dataset = _dataset(client, place)
        if dataset is None:
            raise not_pushed("argilla", place, f"dataset {_name(place)!r}")
        people = {str(user.id): user.username for user in dataset.workspace.users}
        people |= {str(client.me.id): client.me.username}
        labels = dataset.settings.questions["label"]
        allowed = labels.labels if labels else []
        rows = tuple(row for record in _records(client, dataset) for row in _returned(record, people, allowed))
        return Pulled((_address(place, dataset),), rows)


@contextmanager
def _client(place: Place) -> Iterator[Argilla]:
    """Yield the client of the SDK, without its progress bars.

    Raises:
        ProviderError: the server cannot be reached, or it refuses.
    """
    import httpx
    from argilla import Argilla
    from argilla._exceptions import ArgillaAPIError, ArgillaCredentialsError, ArgillaError

    try:
        with redirect_stderr(StringIO()):
            yield Argilla(api_url=place.address, api_key=place.keys["ARGILLA_API_KEY"])
    except ArgillaAPIError as error:
        raise refusal("Argilla", place, error, status=error.status_code) from None
    except ArgillaCredentialsError as error:
        raise refusal("Argilla", place, error, status=401) from None
    except (httpx.HTTPError, ArgillaError) as error:
        raise refusal("Argilla", place, error) from None


def _records(client: Argilla, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Yield the records of a dataset as the server has them, with their responses.

    The SDK's own iterator ends with an error at a record that was discarded with nothing filled in.
    """
    for offset in itertools.count(0, _AT_ONCE):
        models = client.api.records.list(dataset.id, offset=offset, limit=_AT_ONCE, with_suggestions=False)
        yield from (model.model_dump() for model in models)
        if len(models) < _AT_ONCE:
            return


def _name(place: Place) -> str:
    """Return the name of the dataset, of the letters that Argilla allows."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", place.name).strip("-_") or "curator"
    return f"{name}-adjudication" if place.adjudication else name


def _address(place: Place, dataset: Dataset) -> str:
    return f"{place.address}/dataset/{dataset.id}/annotation-mode"


def _dataset(client: Argilla, place: Place) -> Dataset | None:
    """Return the dataset of a job; None where no workspace has it."""
    named = (client.datasets(name=_name(place), workspace=workspace) for workspace in client.workspaces)
    return next((dataset for dataset in named if dataset is not None), None)


def _new_dataset(client: Argilla, place: Place, rows: Sequence[QueueRow]) -> Dataset:
    """Make the dataset in the first workspace, which is made if there is none."""
    from argilla import Dataset, Workspace

    workspace = next(iter(client.workspaces), None) or Workspace(name="curator", client=client).create()
    dataset = Dataset(name=_name(place), workspace=workspace, settings=_settings(rows), client=client)
    return dataset.create()


def _settings(rows: Sequence[QueueRow]) -> Settings:
    """Return the fields and questions for a queue; texts are never shown as Markdown."""
    from argilla import (
        ChatField,
        FloatMetadataProperty,
        IntegerMetadataProperty,
        LabelQuestion,
        Settings,
        TaskDistribution,
        TermsMetadataProperty,
        TextField,
        TextQuestion,
    )

    labels = _labels(rows)
    choice = [LabelQuestion("label", labels, title="The right answer, where you know it", required=False)]
    return Settings(
        guidelines=_GUIDELINES,
        allow_extra_metadata=True,
        fields=[
            ChatField("conversation", use_markdown=False),
            TextField("documents", required=False),
            TextField("answer", title="Production's answer: is it right?"),
            TextField("committee", title="Answers of the committee (they may all be wrong)", required=False),
        ],
        questions=[
            LabelQuestion("verdict", [*VERDICTS], required=True),
            *(choice if 2 <= len(labels) <= _MOST_LABELS else ()),
            TextQuestion("right_answer", title="The right answer as text", required=False),
            TextQuestion("corrected_category", title="Another category fits better", required=False),
            TextQuestion("note", required=False),
        ],
        metadata=[
            TermsMetadataProperty("slice"),
            FloatMetadataProperty("disagreement"),
            IntegerMetadataProperty("batch"),
        ],
        distribution=TaskDistribution(min_submitted=max(len(of_case) for of_case in by_case(rows).values())),
    )


def _labels(rows: Sequence[QueueRow]) -> list[str]:
    return list(dict.fromkeys(label for row in rows for label in row.labels))


def _other_labels(dataset: Dataset, rows: Sequence[QueueRow]) -> Iterator[str]:
    """Name the labels that the dataset does not offer: its questions cannot change."""
    question = dataset.settings.questions["label"]
    missing = sorted(set(_labels(rows)) - set(question.labels)) if question else []
    if missing:
        yield (
            f"the question `label` does not offer {', '.join(map(repr, missing))}: people write them into `right_answer`;"
            " push under another name with --project for a dataset that offers them"
        )


def _fields(row: QueueRow) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"conversation": [*turns(row)], "answer": answer(row)}
    if row.documents:
        shown["documents"] = "\n\n".join(f"[{each['id']}]\n{each['text']}" for each in documents(row))
    if row.alternatives:
        shown["committee"] = "\n\n".join(f"[{each['count']}]\n{each['text']}" for each in committee(row))
    return shown


def _metadata(of_case: Sequence[QueueRow]) -> dict[str, JsonValue]:
    row = of_case[0]
    people = ", ".join(each.annotator for each in of_case if each.annotator)
    every: dict[str, JsonValue] = {
        **context_of(row),
        "batch": row.batch,
        "task": row.task or "",
        "category": clean(row.category or ""),
        "disagreement": row.disagreement,
        "assigned_to": people,
    }
    return {name: value for name, value in every.items() if value is not None and value != ""}


def _outcome(
    there: Mapping[str, Any] | None, fields: Mapping[str, JsonValue], metadata: Mapping[str, JsonValue]
) -> str:
    """Return `created`, `updated` or `unchanged`; `kept` for a record with a response."""
    if there is None:
        return "created"
    before = {name: value for name, value in there["fields"].items() if value is not None}
    if before == fields and there["metadata"] == metadata:
        return "unchanged"
    return "kept" if there["responses"] else "updated"


def _returned(record: Mapping[str, Any], people: Mapping[str, str], allowed: Sequence[str]) -> Iterator[ReturnedRow]:
    """Yield the row of each person's response; a discarded record is `unsure`, a draft is none."""
    for response in record["responses"]:
        if response["status"] == "draft":
            continue
        cells = {name: given["value"] for name, given in (response["values"] or {}).items()}
        if response["status"] == "discarded":
            cells = {"verdict": "unsure", "note": cells.get("note")}
        user = str(response["user_id"])
        yield ReturnedRow.of({**record["metadata"], **cells, "labelled_by": people.get(user, user)}, allowed=allowed)


ARGILLA_SERVER = LabelServer(
    name="argilla",
    description="Argilla: one dataset, with a record for each case.",
    package="argilla",
    extra="argilla",
    address="ARGILLA_API_URL",
    default_address="http://localhost:6900",
    keys=("ARGILLA_API_KEY",),
    push=push,
    pull=pull,
)
