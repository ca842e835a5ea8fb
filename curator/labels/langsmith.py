"""LangSmith: cases as runs in an annotation queue, feedback back.

The id of a run belongs to its queue, its case and all that the case shows: a run is written once, so a case that changed gets a new run, which takes the
place of the old one in the queue. Runs stand in a project of their own.

Queues and feedback go through `Client`; items of queues and runs go through the generated client `Langsmith`, since the calls of `Client` for them
(`add_runs_to_annotation_queue`, `list_runs_from_annotation_queue`, `list_runs`) end after January 31, 2027.

Tested with LangSmith's SDK against a stub of its API, not against LangSmith itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from curator.labels.langsmith_feedback import feedback_keys, is_of_a_person, label_key, returned_rows, with_choices
from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.servers import LabelServer, Place, Pulled, Pushed, not_pushed, refusal
from curator.labels.shown import by_case
from curator.labels.traced import TracedCase, queue_name, read_context, trace_id, traced_cases
from curator.records import JsonValue
from curator.text.display import plural

if TYPE_CHECKING:
    from langsmith import Client, Langsmith
    from langsmith.schemas import AnnotationQueue, Feedback

_STATES = ("needs_my_review", "needs_others_review", "archived")
"""The states of a queue's items; those that are reviewed are archived."""
_ITEMS_AT_ONCE = 100
_RUNS_OF_A_PAGE = 1000
_RUNS_AT_ONCE = 50
"""Runs whose feedback one request asks for: their ids make an address of 2 kB."""
_INSTRUCTION = (
    "Judge production's answer, the output: pass if it is right, fail if it is not, unsure if you cannot tell. Where you know the"
    " right answer, give it. The answers of the committee in the metadata may all be wrong."
)


@dataclass(slots=True)
class _Api:
    """The two clients of the SDK."""

    client: Client
    generated: Langsmith


@dataclass(slots=True)
class _Job:
    """The annotation queue of a job, as it stands.

    Attributes:
        queue: the queue.
        project: the id of the project with its runs.
        items: id of the item, by run in the queue.
        completed: runs that a person has completed.
        starts: the start of each run in the project.
        contexts: what comes back with a label, by run in the project.
    """

    queue: AnnotationQueue
    project: str
    items: dict[str, str] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    starts: dict[str, datetime] = field(default_factory=dict)
    contexts: dict[str, Mapping[str, JsonValue]] = field(default_factory=dict)

    def runs_of(self, case_id: str) -> list[str]:
        """Return the runs of a case that are in the queue."""
        return [run for run in self.items if self.contexts.get(run, {}).get("case_id") == case_id]


def push(rows: Sequence[QueueRow], place: Place) -> Pushed:
    """Create or update the annotation queue and runs of a label queue; see `LabelServer.push`."""
    with _connected(place) as api:
        job = _job(api, place) or _new_job(api, place, rows)
        notes = [*with_choices(api.client, place.name, rows, job.queue.id)]
        judged: set[str] | None = None
        done: Counter[str] = Counter()
        new: list[str] = []
        replaced: list[str] = []
        for case in traced_cases(rows):
            run = str(trace_id(job.queue.name, case.case_id, case.mark))
            before = [other for other in job.runs_of(case.case_id) if other != run]
            if before and judged is None:
                judged = _judged(api, job)
            if run in job.items and not before:
                done["unchanged"] += 1
            elif judged is not None and judged.intersection(before):
                done["kept"] += 1
            else:
                if run not in job.starts:
                    job.starts[run] = _write(api, place, run, case)
                new += [run] if run not in job.items else []
                replaced += [job.items[other] for other in before]
                done["updated" if before else "created"] += 1
        _queue(api, job, new)
        if replaced:
            api.generated.annotation_queues.items.delete_all(str(job.queue.id), item_ids=replaced)
        wanted = by_case(rows)
        cases = {run: str(context["case_id"]) for run, context in job.contexts.items()}
        stale = sum(cases.get(run) not in wanted and run not in job.completed for run in job.items)
        if stale:
            notes.append(f"{plural(stale, 'open item')} of earlier queues stay in the annotation queue")
        places = (_where(place, job.queue.name),)
        return Pushed(places, done["created"], done["updated"], done["unchanged"], done["kept"], tuple(notes))


def pull(place: Place) -> Pulled:
    """Fetch the feedback of people on the runs of a job; see `LabelServer.pull`."""
    with _connected(place) as api:
        job = _job(api, place)
        if job is None:
            raise not_pushed("langsmith", place, f"annotation queue {_queue_name(place)!r}")
        rows: list[ReturnedRow] = []
        left_out: Counter[str] = Counter()
        answered = set()
        for run, feedback in _feedback(api, list(job.contexts)):
            people = [each for each in feedback if is_of_a_person(each)]
            left_out["of programs and models; only what people gave on a page counts"] += len(feedback) - len(people)
            for row in returned_rows(people, job.contexts[run], label_key(place.name)):
                if row.is_empty:
                    left_out["empty: neither a verdict nor a right answer"] += 1
                else:
                    answered.add(run)
                    rows.append(row)
        notes = [
            f"{plural(count, 'feedback entry', 'feedback entries')} left out: {reason}"
            for reason, count in left_out.items()
            if count
        ]
        silent = len(job.completed - answered)
        if silent:
            notes.append(f"{plural(silent, 'item')} completed without a verdict or a right answer: they stay open here")
        return Pulled((_where(place, job.queue.name),), tuple(rows), tuple(notes))


@contextmanager
def _connected(place: Place) -> Iterator[_Api]:
    """Yield the clients of the SDK.

    They send nothing but what is asked of them, whatever the variables of LangSmith in the environment say.

    Raises:
        ProviderError: the server cannot be reached, or it refuses.
    """
    import langsmith
    import requests
    from langsmith.utils import LangSmithError

    key = place.keys["LANGSMITH_API_KEY"]
    try:
        with (
            closing(
                langsmith.Client(
                    api_url=place.address, api_key=key, auto_batch_tracing=False, tracing_sampling_rate=1.0, hide_inputs=False,
                    hide_outputs=False, hide_metadata=False, omit_traced_runtime_info=True,
                )
            ) as client,
            langsmith.Langsmith(base_url=_root(place), api_key=key) as generated,
        ):  # fmt: skip
            yield _Api(client, generated)
    except langsmith.APIStatusError as error:
        raise refusal("LangSmith", place, error, status=error.status_code) from None
    except (langsmith.LangsmithError, requests.RequestException) as error:
        raise refusal("LangSmith", place, error) from None
    except LangSmithError as error:
        # Its later lines have a part of the key.
        reason = Exception(str(error).split("\nContent-Length")[0])
        raise refusal("LangSmith", place, reason, status=_status(error)) from None


def _status(error: Exception) -> int | None:
    """Return the status that the server answered with; None where it did not answer."""
    cause: BaseException | None = error
    while cause is not None:
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return int(status)
        cause = cause.__cause__ or cause.__context__
    return None


def _root(place: Place) -> str:
    """Return the address without the path of the API, which a server of one's own has."""
    return place.address.removesuffix("/v1").removesuffix("/api")


def _where(place: Place, name: str) -> str:
    return f"{_root(place).replace('://api.', '://', 1)}, annotation queue {name!r}"


def _queue_name(place: Place) -> str:
    return queue_name(place.name, adjudication=place.adjudication)


def _project_name(place: Place) -> str:
    return f"curator: {_queue_name(place)}"


def _job(api: _Api, place: Place) -> _Job | None:
    """Return the annotation queue of a job as it stands; None where it was never pushed."""
    from langsmith.utils import LangSmithNotFoundError

    name = _queue_name(place)
    queue = next((queue for queue in api.client.list_annotation_queues(name=name) if queue.name == name), None)
    if queue is None:
        return None
    try:
        project = api.client.read_project(project_name=_project_name(place))
    except LangSmithNotFoundError:
        project = api.client.create_project(_project_name(place))
    job = _Job(queue, str(project.id))
    for state in _STATES:
        for item in api.generated.annotation_queues.items.list(
            str(queue.id), status=state, item_type="RUN", page_size=_ITEMS_AT_ONCE
        ):
            job.items[item.run_id] = item.id
            if state == "archived" or item.completed_by:
                job.completed.add(item.run_id)
    # Without the first start, LangSmith looks at one day.
    since = project.start_time.replace(tzinfo=project.start_time.tzinfo or UTC) - timedelta(days=1)
    for run in api.generated.runs.query_v2(
        project_ids=[job.project],
        min_start_time=since,
        selects=["ID", "START_TIME", "METADATA"],
        page_size=_RUNS_OF_A_PAGE,
    ):
        if context := read_context(run.metadata):
            job.starts[run.id], job.contexts[run.id] = run.start_time, context
    return job


def _new_job(api: _Api, place: Place, rows: Sequence[QueueRow]) -> _Job:
    rubric = [
        {"feedback_key": key, "description": text, "is_required": text.endswith("?")}
        for key, text in feedback_keys(api.client, place.name, rows).items()
    ]
    queue = api.generated.annotation_queues.annotation_queues(
        name=_queue_name(place),
        description="Made by `curator labels push`. Labels go back with `curator labels pull`.",
        rubric_instructions=_INSTRUCTION,
        rubric_items=rubric,
        num_reviewers_per_item=max(len(of_case) for of_case in by_case(rows).values()),
    )
    project = api.client.create_project(_project_name(place), upsert=True)
    return _Job(api.client.read_annotation_queue(queue.id), str(project.id))


def _write(api: _Api, place: Place, run: str, case: TracedCase) -> datetime:
    """Write the run of a case; return its start, by which LangSmith finds it."""
    start = datetime.now(UTC)
    api.client.create_run(
        "case to label",
        dict(case.inputs),
        "chain",
        project_name=_project_name(place),
        id=run,
        trace_id=run,
        dotted_order=f"{start:%Y%m%dT%H%M%S%fZ}{run}",
        start_time=start,
        end_time=start,
        outputs={"output": case.answer},
        extra={"metadata": dict(case.metadata)},
    )
    return start


def _queue(api: _Api, job: _Job, runs: Sequence[str]) -> None:
    """Put runs into the annotation queue, in their order."""
    for first in range(0, len(runs), _ITEMS_AT_ONCE):
        items: list[dict[str, Any]] = [
            {"item_type": "RUN", "run_id": run, "project_id": job.project, "start_time": job.starts[run]}
            for run in runs[first : first + _ITEMS_AT_ONCE]
        ]
        api.generated.annotation_queues.items.create(str(job.queue.id), items=items)


def _feedback(api: _Api, runs: Sequence[str]) -> Iterator[tuple[str, list[Feedback]]]:
    """Yield the feedback on each run that has any."""
    for first in range(0, len(runs), _RUNS_AT_ONCE):
        by_run: dict[str, list[Feedback]] = {}
        for feedback in api.client.list_feedback(run_ids=runs[first : first + _RUNS_AT_ONCE]):
            by_run.setdefault(str(feedback.run_id), []).append(feedback)
        yield from by_run.items()


def _judged(api: _Api, job: _Job) -> set[str]:
    """Return the runs that a person has judged, or has completed."""
    return job.completed | {
        run for run, feedback in _feedback(api, list(job.items)) if any(map(is_of_a_person, feedback))
    }


LANGSMITH_SERVER = LabelServer(
    name="langsmith",
    description="LangSmith: an annotation queue, with a run for each case.",
    package="langsmith",
    extra="langsmith",
    address="LANGSMITH_ENDPOINT",
    default_address="https://api.smith.langchain.com",
    keys=("LANGSMITH_API_KEY",),
    push=push,
    pull=pull,
)
