"""A Label Studio server: projects and tasks out, annotations back.

A job has two projects: the probability sample in the order of its draw, and the picks of discovery, the most disputed first.
Tasks are matched by the `case_id` in their data, in both projects, so that a case is never there twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from curator.errors import ConfigError
from curator.labels.exports import rows_of_export
from curator.labels.label_studio import MODEL_VERSION, features_in, features_of, interface, prediction, task_data
from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.servers import LabelServer, Place, Pulled, Pushed, not_pushed, refusal
from curator.labels.shown import by_case, category_names
from curator.readers.times import seconds_of
from curator.records import JsonValue, fingerprint
from curator.text.display import plural

if TYPE_CHECKING:
    from label_studio_sdk.client import LabelStudio
    from label_studio_sdk.types import Project, RoleBasedTask

Part = Literal["random", "discovery", "adjudication"]

_LONGEST_TITLE = 50
"""Characters of a project's title: Label Studio refuses longer ones."""
_AT_ONCE = 200
"""Tasks of one import: with long conversations some megabytes."""
_INSTRUCTION = (
    "Judge production's answer: <b>pass</b> if it is right, <b>fail</b> if it is not, <b>unsure</b> if you cannot tell."
    " Where you know the right answer, give it. Skip a case only if you do not want to judge it."
)


def push(rows: Sequence[QueueRow], place: Place) -> Pushed:
    """Create or update the projects and tasks of a queue; see `LabelServer.push`."""
    with _client(place) as client:
        wanted = _by_part(rows, place)
        projects = {part: _project(client, place, part, of_part) for part, of_part in wanted.items() if of_part}
        titles = [_title(place, part) for part in wanted]
        existing = {
            task.data["case_id"]: task
            for project in _projects(client, titles)
            for task in _tasks(client, project)
            if "case_id" in task.data
        }
        done: Counter[str] = Counter()
        names = category_names(rows)
        for part, of_part in wanted.items():
            new = []
            for case_id, of_case in by_case(of_part).items():
                data, predicted = task_data(of_case, names), prediction(of_case[0])
                if case_id in existing:
                    done[_update(client, existing[case_id], data, predicted)] += 1
                else:
                    new.append({"data": data, "predictions": [predicted] if predicted else []})
            for start in range(0, len(new), _AT_ONCE):
                client.projects.import_tasks(id=projects[part].id, request=new[start : start + _AT_ONCE])
            done["created"] += len(new)
        notes = [note for project in projects.values() for note in _fit_interface(client, project, rows)]
        stale = [case_id for case_id, task in existing.items() if case_id not in by_case(rows) and not _is_judged(task)]
        if stale:
            notes.append(f"{plural(len(stale), 'task')} of earlier queues without an annotation stay in the projects")
        places = tuple(f"{place.address}/projects/{project.id}" for project in projects.values())
        return Pushed(places, done["created"], done["updated"], done["unchanged"], done["kept"], tuple(notes))


def pull(place: Place) -> Pulled:
    """Fetch the annotations of a job's projects, without drafts; see `LabelServer.pull`."""
    parts: tuple[Part, ...] = ("adjudication",) if place.adjudication else ("random", "discovery")
    with _client(place) as client:
        projects = _projects(client, [_title(place, part) for part in parts])
        if not projects:
            raise not_pushed("label-studio", place, f"project {_title(place, parts[0])!r}")
        people = {user.id: user.email or user.username or str(user.id) for user in client.users.list()}
        rows = tuple(row for project in projects for task in _tasks(client, project) for row in _returned(task, people))
        return Pulled(tuple(f"{place.address}/projects/{p.id}" for p in projects), rows)


@contextmanager
def _client(place: Place) -> Iterator[LabelStudio]:
    """Yield the client of the SDK.

    Raises:
        ProviderError: the server cannot be reached, or it refuses.
    """
    import httpx
    from label_studio_sdk.client import LabelStudio
    from label_studio_sdk.core.api_error import ApiError

    try:
        yield LabelStudio(base_url=place.address, api_key=place.keys["LABEL_STUDIO_API_KEY"])
    except ApiError as error:
        # The cause may hold the headers of the request, with the key.
        raise refusal("Label Studio", place, Exception(error.body), status=error.status_code) from None
    except httpx.HTTPError as error:
        raise refusal("Label Studio", place, error) from None


def _by_part(rows: Sequence[QueueRow], place: Place) -> dict[Part, list[QueueRow]]:
    if place.adjudication:
        return {"adjudication": list(rows)}
    return {
        "random": [row for row in rows if row.slice == "random"],
        "discovery": [row for row in rows if row.slice != "random"],
    }


def _title(place: Place, part: Part) -> str:
    """Return the title of a project.

    A long name is cut and gets a mark, so that two of them stay apart.
    """
    title = f"{place.name} ({part})"
    if len(title) <= _LONGEST_TITLE:
        return title
    mark = f"~{fingerprint(place.name, '')[:6]} ({part})"
    return place.name[: _LONGEST_TITLE - len(mark)] + mark


def _projects(client: LabelStudio, titles: Sequence[str]) -> list[Project]:
    """Return the projects with these titles, in their order.

    Raises:
        ConfigError: two have the same title.
    """
    matching = []
    for title in titles:
        named = [project for project in client.projects.list(title=title) if project.title == title]
        if len(named) > 1:
            ids = ", ".join(str(project.id) for project in named)
            raise ConfigError(
                f"Label Studio has {len(named)} projects with the title {title!r}: {ids}",
                remedy="rename those that are not the job's, or choose another name with --project",
            )
        matching += named
    return matching


def _tasks(client: LabelStudio, project: Project) -> Iterator[RoleBasedTask]:
    """Yield the tasks of a project, with their annotations and predictions."""
    yield from client.tasks.list(project=project.id, fields="all", resolve_uri=False)


def _project(client: LabelStudio, place: Place, part: Part, rows: Sequence[QueueRow]) -> Project:
    """Return the project of a part, which is made if need be.

    Settings of one that is there are left as they are. Predictions are not filled in for the annotator: a filled-in majority
    is confirmed where it is wrong, and the failure rate would be too low.
    """
    title = _title(place, part)
    if there := _projects(client, [title]):
        return there[0]
    per_case = [len(of_case) for of_case in by_case(rows).values()]
    several = sum(count > 1 for count in per_case) / len(per_case)
    return client.projects.create(
        title=title,
        description="Made by `curator labels push`. Labels go back with `curator labels pull`.",
        label_config=interface(features_of(rows)),
        expert_instruction=_INSTRUCTION,
        show_instruction=True,
        sampling="Uncertainty sampling" if part == "discovery" else "Sequential sampling",
        model_version=MODEL_VERSION,
        show_collab_predictions=False,
        show_skip_button=True,
        maximum_annotations=max(per_case),
        overlap_cohort_percentage=round(100 * several) if several else 100,
        show_overlap_first=bool(several),
    )


def _fit_interface(client: LabelStudio, project: Project, rows: Sequence[QueueRow]) -> Iterator[str]:
    """Add what new cases need to the interface of a project.

    An interface that a person changed is only reported.
    """
    features = features_in(project.label_config or "")
    if features is None:
        yield f"the labelling interface of the project {project.title!r} is not curator's own, and stays as it is"
    elif not features_of(rows) <= features:
        client.projects.update(id=project.id, label_config=interface(features | features_of(rows)))


def _update(
    client: LabelStudio, task: RoleBasedTask, data: Mapping[str, JsonValue], predicted: Mapping[str, Any] | None
) -> str:
    """Update a task without an annotation; return `updated`, `unchanged` or `kept`."""
    mine = [each for each in task.predictions if each.model_version == MODEL_VERSION]
    same_prediction = [(each.score, each.result) for each in mine] == (
        [(predicted["score"], predicted["result"])] if predicted else []
    )
    if task.data == data and same_prediction:
        return "unchanged"
    if _is_judged(task):
        return "kept"
    if task.data != data:
        client.tasks.update(id=str(task.id), data=data)
    if not same_prediction:
        for each in mine:
            client.predictions.delete(id=each.id)
        if predicted:
            client.predictions.create(task=task.id, **predicted)
    return "updated"


def _is_judged(task: RoleBasedTask) -> bool:
    """Return whether a person has annotated or skipped the task, or begun to."""
    # `drafts` holds only those of the key's owner, `draft_exists` is for all people.
    return bool(task.annotations or task.draft_exists)


def _returned(task: RoleBasedTask, people: Mapping[object, str]) -> Iterator[ReturnedRow]:
    """Yield the row of each annotation of a task."""
    # Versions of the SDK differ in the type of annotations.
    annotations = [each if isinstance(each, dict) else each.dict() for each in task.annotations or ()]
    export = rows_of_export({"data": task.data, "annotations": annotations})
    allowed = [choice["value"] for choice in task.data.get("allowed_labels", ()) if isinstance(choice, dict)]
    for annotation, cells in zip(annotations, export[1] if export else (), strict=True):
        who = annotation.get("completed_by")
        filled = {
            **cells,
            "labelled_by": people.get(who, cells["labelled_by"]),
            "seconds": annotation.get("lead_time"),
        }
        yield ReturnedRow.of(filled, allowed=allowed, at=seconds_of(annotation.get("updated_at")))


LABEL_STUDIO_SERVER = LabelServer(
    name="label-studio",
    description="Label Studio: two projects, one for each part of the queue.",
    package="label_studio_sdk",
    extra="label-studio",
    address="LABEL_STUDIO_URL",
    default_address="http://localhost:8080",
    keys=("LABEL_STUDIO_API_KEY",),
    push=push,
    pull=pull,
)
