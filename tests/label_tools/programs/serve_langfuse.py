"""Stand in for the parts of Langfuse's public API that curator uses; requests and answers are those of the SDK's models.

Arguments: the port, the public key, the secret key. State that Langfuse keeps late (traces) is there at once. Routes under
`/stub/` are the people at the pages of Langfuse.
"""

import base64
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from langfuse.api import (
    AnnotationQueue,
    AnnotationQueueItem,
    ObservationsV2Response,
    OtelResourceSpan,
    PaginatedAnnotationQueueItems,
    PaginatedAnnotationQueues,
    ScoreConfig,
    ScoreConfigs,
)
from langfuse.api.annotation_queues.types.create_annotation_queue_item_request import CreateAnnotationQueueItemRequest
from langfuse.api.annotation_queues.types.create_annotation_queue_request import CreateAnnotationQueueRequest
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.projects import Projects
from langfuse.api.score_configs.types.create_score_config_request import CreateScoreConfigRequest
from langfuse.api.score_configs.types.update_score_config_request import UpdateScoreConfigRequest
from langfuse.api.scores import GetScoresV3Response
from stub import Refused, Routes

port, public, secret = sys.argv[1:]
routes = Routes()
QUEUES, ITEMS, CONFIGS, OBSERVATIONS, SCORES = [], [], [], {}, []
LONGEST_METADATA = 200
MOST = {"queues": 100, "observations": 1000, "scores": 100}


def check(headers, _):
    """Refuse another key."""
    if headers.get("Authorization") != "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode():
        raise Refused(401, "Invalid credentials. Confirm that you've configured the correct host.")


routes.check = check


def now():
    """The time, as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def paged(rows, query, model):
    """A page of rows, the newest first."""
    page, limit = int(query["page"][0]), int(query["limit"][0])
    assert 1 <= limit <= MOST["queues"], limit
    meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": math.ceil(len(rows) / limit)}
    content = {"data": rows[::-1][(page - 1) * limit : page * limit], "meta": meta}
    parse_obj_as(model, content)
    return content


def with_cursor(rows, query, most, model):
    """A page of rows, and the cursor of the next."""
    limit, start = int(query["limit"][0]), int(query.get("cursor", ["0"])[0])
    assert 1 <= limit <= most, limit
    limit = min(limit, 7)  # pages are short, so that there are several
    end = start + limit
    meta = {"limit": limit, **({"cursor": str(end)} if end < len(rows) else {})}
    content = {"data": rows[start:end], "meta": meta}
    parse_obj_as(model, content)
    return content


@routes.on("GET", "/api/public/projects")
def projects(query, body):
    """The project of the key."""
    content = {"data": [{"id": "p1", "name": "support", "metadata": {}, "organization": {"id": "o1", "name": "acme"}}]}
    parse_obj_as(Projects, content)
    return content


@routes.on("GET", "/api/public/score-configs")
def score_configs(query, body):
    """All score configs."""
    return paged(CONFIGS, query, ScoreConfigs)


@routes.on("POST", "/api/public/score-configs")
def new_score_config(query, body):
    """Make one."""
    parse_obj_as(CreateScoreConfigRequest, body)
    assert len(body["name"]) <= 35
    assert set(body["name"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ .()-"), body[
        "name"
    ]
    assert (body["dataType"] == "CATEGORICAL") == bool(body.get("categories")), body
    times = {"createdAt": now(), "updatedAt": now()}
    CONFIGS.append({**body, **times, "id": uuid4().hex, "projectId": "p1", "isArchived": False})
    parse_obj_as(ScoreConfig, CONFIGS[-1])
    return CONFIGS[-1]


@routes.on("PATCH", "/api/public/score-configs/([^/]+)")
def change_score_config(config, query, body):
    """Change one."""
    parse_obj_as(UpdateScoreConfigRequest, body)
    (there,) = (each for each in CONFIGS if each["id"] == config)
    there.update(body)
    return there


@routes.on("GET", "/api/public/annotation-queues")
def queues(query, body):
    """All queues."""
    return paged(QUEUES, query, PaginatedAnnotationQueues)


@routes.on("POST", "/api/public/annotation-queues")
def new_queue(query, body):
    """Make one."""
    parse_obj_as(CreateAnnotationQueueRequest, body)
    if any(queue["name"] == body["name"] for queue in QUEUES):
        raise Refused(409, "A queue with this name already exists.")
    assert {config["id"] for config in CONFIGS} >= set(body["scoreConfigIds"])
    QUEUES.append({**body, "id": uuid4().hex, "createdAt": now(), "updatedAt": now()})
    parse_obj_as(AnnotationQueue, QUEUES[-1])
    return QUEUES[-1]


@routes.on("GET", "/api/public/annotation-queues/([^/]+)/items")
def items(queue, query, body):
    """Items of a queue."""
    return paged([item for item in ITEMS if item["queueId"] == queue], query, PaginatedAnnotationQueueItems)


@routes.on("POST", "/api/public/annotation-queues/([^/]+)/items")
def new_item(queue, query, body):
    """Add an item; Langfuse does not look whether the trace is there, or in the queue already."""
    parse_obj_as(CreateAnnotationQueueItemRequest, body)
    assert any(each["id"] == queue for each in QUEUES)
    times = {"createdAt": now(), "updatedAt": now(), "completedAt": None}
    ITEMS.append({**body, **times, "id": uuid4().hex, "queueId": queue, "status": "PENDING"})
    parse_obj_as(AnnotationQueueItem, ITEMS[-1])
    return ITEMS[-1]


@routes.on("POST", "/api/public/otel/v1/traces")
def traces(query, body):
    """Keep observations; of the same id and start the last counts."""
    for resource in body["resourceSpans"]:
        parse_obj_as(OtelResourceSpan, resource)
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            values = {each["key"]: each["value"]["stringValue"] for each in span["attributes"]}
            start = datetime.fromtimestamp(int(span["startTimeUnixNano"]) / 1e9, UTC)
            assert len(span["traceId"]) == 32
            assert len(span["spanId"]) == 16
            OBSERVATIONS[span["traceId"], span["spanId"], start] = values
    return {}


@routes.on("GET", "/api/public/v2/observations")
def observations(query, body):
    """Observations from a time on, with metadata cut to 200 characters where the key is not named."""
    whole = query.get("expandMetadata", [""])[0].split(",")
    begin = datetime.fromisoformat(query["fromStartTime"][0])
    prefix = "langfuse.observation.metadata."
    rows = []
    for (trace, span, start), values in OBSERVATIONS.items():
        if start < begin or values["langfuse.environment"] != query["environment"][0]:
            continue
        given = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
        metadata = {key: value if key in whole else value[:LONGEST_METADATA] for key, value in given.items()}
        decoded = {key: json.loads(value) if key in whole else value for key, value in metadata.items()}
        core = {"id": span, "traceId": trace, "startTime": start.isoformat(), "endTime": None, "projectId": "p1"}
        rows.append({**core, "parentObservationId": None, "type": "SPAN", "metadata": decoded})
    return with_cursor(rows, query, MOST["observations"], ObservationsV2Response)


@routes.on("GET", "/api/public/v3/scores")
def scores(query, body):
    """The scores of traces."""
    assert set(query["fields"][0].split(",")) <= {"details", "subject", "annotation"}
    wanted = query["traceId"][0].split(",")
    rows = [score for score in SCORES if score["subject"].get("traceId", score["subject"]["id"]) in wanted]
    return with_cursor(rows, query, MOST["scores"], GetScoresV3Response)


@routes.on("GET", "/stub/state")
def state(query, body):
    """All that is there."""
    seen = [[*key[:2], key[2].isoformat(), values] for key, values in OBSERVATIONS.items()]
    return {"queues": QUEUES, "items": ITEMS, "configs": CONFIGS, "observations": seen, "calls": routes.calls}


@routes.on("POST", "/stub/configs")
def their_config(query, body):
    """Another score config of the project."""
    return new_score_config(query, body)


@routes.on("POST", "/stub/scores")
def annotate(query, body):
    """Give a score on a trace as the page does: one of a name and trace, the last person's."""
    same = [
        score for score in SCORES
        if (score["name"], score["source"], score["subject"]) == (body["name"], body["source"], body["subject"])
    ]  # fmt: skip
    clock = datetime.now(UTC) + timedelta(seconds=len(SCORES))
    times = {"timestamp": clock.isoformat(), "createdAt": clock.isoformat(), "updatedAt": clock.isoformat()}
    new = {"id": same[0]["id"] if same else uuid4().hex, "projectId": "p1", "environment": "default", **times, **body}
    if same:
        SCORES.remove(same[0])
    SCORES.append(new)
    return new


@routes.on("POST", "/stub/items/([^/]+)/complete")
def complete(item, query, body):
    """Complete an item."""
    (there,) = (each for each in ITEMS if each["id"] == item)
    there.update(status="COMPLETED", completedAt=now())
    return there


@routes.on("POST", "/stub/reset")
def reset(query, body):
    """Forget everything."""
    for store in (QUEUES, ITEMS, CONFIGS, OBSERVATIONS, SCORES, routes.calls):
        store.clear()
    return {}


routes.serve(int(port))
