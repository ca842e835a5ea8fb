"""Langfuse: cases as traces in an annotation queue, scores back.

A trace belongs to its queue and case by its id, so that a case is never there twice. Langfuse keeps one annotation of each score on a trace: a second person would
replace the first one's. A case that several people label therefore has a trace for each of them.

Tested with Langfuse's SDK against a stub of its API, not against Langfuse itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from curator.labels.langfuse_scores import (
    chosen_labels,
    is_of_a_person,
    pages,
    returned_rows,
    score_config_ids,
    with_choices,
)
from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.servers import LabelServer, Place, Pulled, Pushed, not_pushed, refusal
from curator.labels.shown import by_case
from curator.labels.traced import CONTEXT, MARK, TracedCase, queue_name, read_context, trace_id
from curator.records import JsonValue
from curator.text.display import plural

if TYPE_CHECKING:
    from langfuse.api import AnnotationQueue, AnnotationQueueItem, ScoreV3
    from langfuse.api.client import LangfuseAPI

_ENVIRONMENT = "curator"
"""The environment of the traces, by which people and exports tell them from those of production."""
_NAME = "case to label"
_SCORES_OF_A_PAGE = 100
_OBSERVATIONS_OF_A_PAGE = 1000
"""The most that Langfuse gives."""
_TRIES = 8
"""Tries of a request that Langfuse answers with "too many": a push makes one for each case."""
_TRACES_AT_ONCE = 20
"""Traces of one request: with conversations of 100 kB some 2 MB, and Langfuse takes about 4."""
_IDS_AT_ONCE = 50
"""Ids in the address of one request: 1.7 kB."""
_INSTRUCTION = (
    "Judge production's answer: pass if it is right, fail if it is not, unsure if you cannot tell. Where you know the right answer,"
    " give it. The answers of the committee in the metadata may all be wrong. Made by `curator labels push`."
)


@dataclass(slots=True)
class _Job:
    """The annotation queue of a job, as it stands.

    Attributes:
        queue: the queue.
        items: its items by trace.
        contexts: what comes back with a label, by trace.
    """

    queue: AnnotationQueue
    items: dict[str, AnnotationQueueItem] = field(default_factory=dict)
    contexts: dict[str, Mapping[str, JsonValue]] = field(default_factory=dict)


def push(rows: Sequence[QueueRow], place: Place) -> Pushed:
    """Create or update the annotation queue and traces of a label queue; see `LabelServer.push`."""
    with _client(place) as client:
        notes: list[str] = []
        job = _job(client, place) or _new_job(client, place, rows)
        notes += with_choices(client, place.name, rows, job.queue)
        scored: set[str] | None = None
        changed: list[tuple[str, TracedCase]] = []
        done: Counter[str] = Counter()
        wanted = set()
        for case_id, of_case in by_case(rows).items():
            outcomes = set()
            for number, row in enumerate(of_case):
                case = TracedCase.of(row, people=[row.annotator])
                trace = trace_id(job.queue.name, case_id, str(number)).hex
                wanted.add(trace)
                outcome = _outcome(job, trace, case)
                if outcome == "updated":
                    scored = scored if scored is not None else _scored(client, job)
                    outcome = "kept" if trace in scored else outcome
                if outcome == "created":
                    job.items[trace] = _add(client, job.queue, trace)
                if outcome in ("created", "updated"):
                    changed.append((trace, case))
                outcomes.add(outcome)
            done[_together(outcomes)] += 1
        for start in range(0, len(changed), _TRACES_AT_ONCE):
            _write(client, job, changed[start : start + _TRACES_AT_ONCE])
        stale = sum(trace not in wanted and item.status != "COMPLETED" for trace, item in job.items.items())
        if stale:
            notes.append(f"{plural(stale, 'open item')} of earlier queues stay in the annotation queue")
        place_of_it = (_address(client, place, job.queue),)
        return Pushed(place_of_it, done["created"], done["updated"], done["unchanged"], done["kept"], tuple(notes))


def pull(place: Place) -> Pulled:
    """Fetch the annotations on the traces of a job; see `LabelServer.pull`."""
    with _client(place) as client:
        job = _job(client, place)
        if job is None:
            raise not_pushed("langfuse", place, f"annotation queue {_queue_name(place)!r}")
        allowed = chosen_labels(client, place.name)
        rows: list[ReturnedRow] = []
        left_out: Counter[str] = Counter()
        answered = set()
        for trace, scores in _scores(client, list(job.items)):
            people = [score for score in scores if is_of_a_person(score)]
            left_out["of programs and evaluators; only annotations of people count"] += len(scores) - len(people)
            if trace not in job.contexts:
                left_out["on traces without curator's metadata"] += len(people)
                continue
            for row in returned_rows(people, job.contexts[trace], place.name, allowed):
                if row.is_empty:
                    left_out["empty: neither a verdict nor a right answer"] += 1
                else:
                    answered.add(trace)
                    rows.append(row)
        notes = [f"{plural(count, 'score')} left out: {reason}" for reason, count in left_out.items() if count]
        silent = sum(item.status == "COMPLETED" and trace not in answered for trace, item in job.items.items())
        if silent:
            notes.append(f"{plural(silent, 'item')} completed without a verdict or a right answer: they stay open here")
        return Pulled((_address(client, place, job.queue),), tuple(rows), tuple(notes))


@contextmanager
def _client(place: Place) -> Iterator[LangfuseAPI]:
    """Yield the client of Langfuse's public API.

    Raises:
        ProviderError: the server cannot be reached, or it refuses.
    """
    import httpx
    import langfuse
    from langfuse.api.client import LangfuseAPI
    from langfuse.api.core.api_error import ApiError

    public, secret = place.keys["LANGFUSE_PUBLIC_KEY"], place.keys["LANGFUSE_SECRET_KEY"]
    try:
        with httpx.Client(timeout=60, follow_redirects=True) as http:
            yield LangfuseAPI(
                base_url=place.address,
                username=public,
                password=secret,
                x_langfuse_sdk_name="python",
                x_langfuse_sdk_version=langfuse.__version__,
                x_langfuse_public_key=public,
                # Without it Langfuse shows the traces some minutes later.
                headers={"x-langfuse-ingestion-version": "4"},
                httpx_client=http,
            )
    except ApiError as error:
        raise refusal("Langfuse", place, Exception(error.body), status=error.status_code) from None
    except httpx.HTTPError as error:
        raise refusal("Langfuse", place, error) from None


def _queue_name(place: Place) -> str:
    return queue_name(place.name, adjudication=place.adjudication)


def _job(client: LangfuseAPI, place: Place) -> _Job | None:
    """Return the annotation queue of a job as it stands; None where it was never pushed."""
    queues = pages(client.annotation_queues.list_queues)
    queue = next((queue for queue in queues if queue.name == _queue_name(place)), None)
    if queue is None:
        return None
    items = pages(lambda **page: client.annotation_queues.list_queue_items(queue.id, **page))
    job = _Job(queue, {item.object_id: item for item in items if item.object_type == "TRACE"})
    cursor = None
    while job.items:
        # A trace starts when its item was made. A minute covers clocks of the server that differ.
        page = client.observations.get_many(
            fields="core,metadata",
            expand_metadata=CONTEXT,
            environment=_ENVIRONMENT,
            from_start_time=queue.created_at - timedelta(minutes=1),
            limit=_OBSERVATIONS_OF_A_PAGE,
            cursor=cursor,
        )
        for observation in page.data:
            context = read_context(observation.metadata)
            if context and observation.trace_id in job.items:
                job.contexts[observation.trace_id] = context
        cursor = page.meta.cursor
        if not cursor:
            break
    return job


def _new_job(client: LangfuseAPI, place: Place, rows: Sequence[QueueRow]) -> _Job:
    ids = score_config_ids(client, place.name, rows)
    return _Job(
        client.annotation_queues.create_queue(name=_queue_name(place), description=_INSTRUCTION, score_config_ids=ids)
    )


def _outcome(job: _Job, trace: str, case: TracedCase) -> str:
    """Return `created`, `updated` or `unchanged`."""
    if trace not in job.items:
        return "created"
    return "unchanged" if job.contexts.get(trace, {}).get(MARK) == case.mark else "updated"


def _together(outcomes: set[str]) -> str:
    """Return the outcome of a case from those of its traces."""
    if len(outcomes) == 1:
        return next(iter(outcomes))
    return "kept" if "kept" in outcomes else "updated"


def _add(client: LangfuseAPI, queue: AnnotationQueue, trace: str) -> AnnotationQueueItem:
    from langfuse.api import AnnotationQueueObjectType

    return client.annotation_queues.create_queue_item(
        queue.id,
        object_id=trace,
        object_type=AnnotationQueueObjectType.TRACE,
        request_options={"max_retries": _TRIES},
    )


def _write(client: LangfuseAPI, job: _Job, cases: Sequence[tuple[str, TracedCase]]) -> None:
    """Write traces of one observation each.

    The observation starts when the item of its trace was made: Langfuse takes an observation of the same id and start
    for a new version of it.
    """
    from langfuse.api import (
        OtelAttribute,
        OtelAttributeValue,
        OtelResource,
        OtelResourceSpan,
        OtelScope,
        OtelScopeSpan,
        OtelSpan,
    )

    spans = []
    for trace, case in cases:
        start = str(int(job.items[trace].created_at.timestamp() * 1000) * 1_000_000)
        attributes = [
            OtelAttribute(key=key, value=OtelAttributeValue(string_value=text))
            for key, text in _attributes(case).items()
        ]
        spans.append(
            OtelSpan(
                trace_id=trace,
                span_id=trace[:16],
                name=_NAME,
                kind=1,
                start_time_unix_nano=start,
                end_time_unix_nano=start,
                attributes=attributes,
                status={},
            )
        )
    service = OtelAttribute(key="service.name", value=OtelAttributeValue(string_value=_ENVIRONMENT))
    scope = OtelScopeSpan(scope=OtelScope(name=_ENVIRONMENT), spans=spans)
    client.opentelemetry.export_traces(
        resource_spans=[OtelResourceSpan(resource=OtelResource(attributes=[service]), scope_spans=[scope])]
    )


def _attributes(case: TracedCase) -> dict[str, str]:
    """Return the attributes of an observation; values of metadata are JSON, as in the SDK."""
    return {
        "langfuse.environment": _ENVIRONMENT,
        "langfuse.trace.name": _NAME,
        "langfuse.observation.type": "span",
        "langfuse.observation.input": orjson.dumps(case.inputs).decode(),
        "langfuse.observation.output": case.answer,
        **{
            f"langfuse.observation.metadata.{key}": orjson.dumps(value).decode() for key, value in case.metadata.items()
        },
    }


def _scores(client: LangfuseAPI, traces: Sequence[str]) -> Iterator[tuple[str, list[ScoreV3]]]:
    """Yield the scores of each trace that has any."""
    for start in range(0, len(traces), _IDS_AT_ONCE):
        by_trace: dict[str, list[ScoreV3]] = {}
        cursor = None
        while True:
            page = client.scores.get_many(
                trace_id=",".join(traces[start : start + _IDS_AT_ONCE]),
                fields="details,subject,annotation",
                limit=_SCORES_OF_A_PAGE,
                cursor=cursor,
            )
            for score in page.data:
                subject = score.subject
                trace = subject.trace_id if subject.kind == "observation" else subject.id
                by_trace.setdefault(trace, []).append(score)
            cursor = page.meta.cursor
            if not cursor:
                break
        yield from by_trace.items()


def _scored(client: LangfuseAPI, job: _Job) -> set[str]:
    """Return the traces that a person has judged, or has completed."""
    completed = {trace for trace, item in job.items.items() if item.status == "COMPLETED"}
    return completed | {trace for trace, scores in _scores(client, list(job.items)) if any(map(is_of_a_person, scores))}


def _address(client: LangfuseAPI, place: Place, queue: AnnotationQueue) -> str:
    project = client.projects.get().data[0]
    return f"{place.address}/project/{project.id}/annotation-queues/{queue.id}"


LANGFUSE_SERVER = LabelServer(
    name="langfuse",
    description="Langfuse: an annotation queue, with a trace for each case.",
    package="langfuse",
    extra="langfuse",
    address="LANGFUSE_BASE_URL",
    default_address="https://cloud.langfuse.com",
    keys=("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
    push=push,
    pull=pull,
)
