"""Stand in for the parts of LangSmith's API that curator uses; requests and answers are checked by the SDK's types.

Arguments: the port, the key. State that LangSmith keeps late (runs) is there at once. Routes under `/stub/` are the people at
the pages of LangSmith.
"""

import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from langsmith import schemas
from langsmith.types import Run, annotation_queue_schema
from langsmith.types.annotation_queue_annotation_queues_params import AnnotationQueueAnnotationQueuesParams
from langsmith.types.annotation_queues import ItemCreateResponse, ItemListResponse
from langsmith.types.annotation_queues.item_create_params import Item
from langsmith.types.run_query_v2_params import RunQueryV2Params
from pydantic import TypeAdapter
from stub import Refused, Routes

port, key = sys.argv[1:]
routes = Routes()
QUEUES, ITEMS, PROJECTS, RUNS, FEEDBACK, CONFIGS = [], [], [], {}, [], []
TENANT = str(UUID(int=7))
PAGE = 7
"""Pages are short, so that there are several."""


def check(headers, path):
    """Refuse another key."""
    if headers.get("X-API-Key") != key:
        raise Refused(401, "Invalid token")


routes.check = check


def now():
    """The time, as the API writes it."""
    return datetime.now(UTC).isoformat()


def checked(form, body):
    """Check a request by a form of the SDK, also for fields that it does not have."""
    assert set(body) <= set(form.__annotations__), set(body) - set(form.__annotations__)
    TypeAdapter(form).validate_python(body)


def window(rows, query):
    """The rows of an offset and a limit."""
    start = int(query.get("offset", ["0"])[0])
    assert int(query["limit"][0]) <= 100
    return rows[start : start + int(query["limit"][0])]


def with_cursor(rows, cursor):
    """A page of rows and the cursor of the next."""
    end = int(cursor) + PAGE
    return {"items": rows[int(cursor) : end], "next_cursor": str(end) if end < len(rows) else None}


@routes.on("GET", "/info")
def info(query, body):
    """The version."""
    return {"version": "0.18.0"}


@routes.on("GET", "/annotation-queues")
def queues(query, body):
    """Queues of a name."""
    return window([queue for queue in QUEUES if queue["name"] == query["name"][0]], query)


@routes.on("GET", "/annotation-queues/([^/]+)")
def queue_of(queue, query, body):
    """A queue with its rubric."""
    (there,) = (each for each in QUEUES if each["id"] == queue)
    schemas.AnnotationQueueWithDetails(**there)
    return there


@routes.on("POST", "/api/v1/annotation-queues")
def new_queue(query, body):
    """Make a queue; LangSmith allows several of a name."""
    checked(AnnotationQueueAnnotationQueuesParams, body)
    assert {item["feedback_key"] for item in body["rubric_items"]} <= {each["feedback_key"] for each in CONFIGS}
    times = {"created_at": now(), "updated_at": now()}
    QUEUES.append({**body, **times, "id": str(uuid4()), "tenant_id": TENANT, "queue_type": "single"})
    annotation_queue_schema.AnnotationQueueSchema(**QUEUES[-1])
    return QUEUES[-1]


@routes.on("GET", "/sessions")
def project_of(query, body):
    """The project of a name."""
    return [project for project in PROJECTS if project["name"] == query["name"][0]]


@routes.on("POST", "/sessions")
def new_project(query, body):
    """Make a project."""
    if any(project["name"] == body["name"] for project in PROJECTS):
        if query.get("upsert") != ["True"]:
            raise Refused(409, "Session already exists.")
        return project_of({"name": [body["name"]]}, None)[0]
    PROJECTS.append({**body, "start_time": now(), "tenant_id": TENANT, "reference_dataset_id": None})
    schemas.TracerSession(**PROJECTS[-1])
    return PROJECTS[-1]


@routes.on("POST", "/runs")
def new_run(query, body):
    """Write a run."""
    if body["id"] in RUNS:
        raise Refused(409, "Run already exists.")
    assert body["trace_id"] == body["id"]
    assert body["dotted_order"].endswith(body["id"])
    assert "runtime" not in body["extra"], body["extra"]
    schemas.RunBase(**body)
    (project,) = project_of({"name": [body["session_name"]]}, None)
    RUNS[body["id"]] = {**body, "project_id": project["id"]}
    return {}


@routes.on("POST", "/api/v2/runs/query")
def query_runs(query, body):
    """Runs of a project from a time on, with the fields that are asked for."""
    checked(RunQueryV2Params, body)
    since = datetime.fromisoformat(body["min_start_time"])
    rows = [
        {"id": run["id"], "start_time": run["start_time"], "metadata": run["extra"]["metadata"]}
        for run in RUNS.values()
        if run["project_id"] in body["project_ids"] and datetime.fromisoformat(run["start_time"]) >= since
    ]
    assert set(body["selects"]) == {"ID", "START_TIME", "METADATA"}
    for row in rows:
        Run(**row)
    return with_cursor(rows, body.get("cursor", "0"))


@routes.on("POST", "/api/v1/platform/annotation-queues/([^/]+)/items")
def new_items(queue, query, body):
    """Add items; a run is found by its project and start."""
    added = []
    for item in body["items"]:
        checked(Item, item)
        run = RUNS[item["run_id"]]
        assert datetime.fromisoformat(run["start_time"]) == datetime.fromisoformat(item["start_time"])
        assert run["project_id"] == item["project_id"]
        assert not any(each["queue_id"] == queue and each["run_id"] == item["run_id"] for each in ITEMS)
        added.append({**item, "id": str(uuid4()), "queue_id": queue, "added_at": now(), "completed_by": []})
    ITEMS.extend(added)
    ItemCreateResponse(items=added)
    return {"items": added}


@routes.on("GET", "/api/v1/platform/annotation-queues/([^/]+)/items")
def items(queue, query, body):
    """Items of a queue in a state."""
    state = query["status"][0]
    assert state in ("needs_my_review", "needs_others_review", "archived")
    done = {"archived": True, "needs_my_review": False}.get(state)
    rows = [item for item in ITEMS if item["queue_id"] == queue and bool(item["completed_by"]) is done]
    for row in rows:
        ItemListResponse(**row)
    return with_cursor(rows, query.get("cursor", ["0"])[0])


@routes.on("POST", "/api/v1/platform/annotation-queues/([^/]+)/items/delete")
def delete_items(queue, query, body):
    """Take items out of a queue."""
    known = {item["id"] for item in ITEMS if item["queue_id"] == queue}
    assert set(body["item_ids"]) <= known
    ITEMS[:] = [item for item in ITEMS if item["id"] not in body["item_ids"]]
    return {}


@routes.on("GET", "/feedback")
def feedback(query, body):
    """The feedback on runs."""
    return window([each for each in FEEDBACK if each["run_id"] in query["run"]], query)


@routes.on("GET", "/feedback-configs")
def configs(query, body):
    """All configs."""
    return window(CONFIGS, query)


@routes.on("POST", "/feedback-configs")
def new_config(query, body):
    """Make a config; another one of the same key is refused."""
    if any(each["feedback_key"] == body["feedback_key"] for each in CONFIGS):
        raise Refused(400, "Feedback config already exists")
    CONFIGS.append({**body, "id": str(uuid4()), "tenant_id": TENANT, "modified_at": now()})
    schemas.FeedbackConfigSchema(**CONFIGS[-1])
    return CONFIGS[-1]


@routes.on("PATCH", "/feedback-configs")
def change_config(query, body):
    """Change a config."""
    (there,) = (each for each in CONFIGS if each["feedback_key"] == body["feedback_key"])
    there.update(body)
    schemas.FeedbackConfigSchema(**there)
    return there


@routes.on("GET", "/stub/state")
def state(query, body):
    """All that is there."""
    return {"queues": QUEUES, "items": ITEMS, "configs": CONFIGS, "runs": list(RUNS.values()), "calls": routes.calls}


@routes.on("POST", "/stub/configs")
def their_config(query, body):
    """Another config of the workspace."""
    return new_config(query, body)


@routes.on("POST", "/stub/feedback")
def annotate(query, body):
    """Give feedback as the page does: one of a key, run and person."""
    person = body["feedback_source"]
    same = [
        each for each in FEEDBACK
        if (each["key"], each["run_id"], each["feedback_source"]) == (body["key"], body["run_id"], person)
    ]  # fmt: skip
    clock = (datetime.now(UTC) + timedelta(seconds=len(FEEDBACK))).isoformat()
    new = {"trace_id": body["run_id"], "created_at": clock, "modified_at": clock, **body}
    new["id"] = same[0]["id"] if same else str(uuid4())
    schemas.Feedback(**new)
    FEEDBACK[:] = [each for each in FEEDBACK if each not in same] + [new]
    return new


@routes.on("POST", "/stub/runs/([^/]+)/complete")
def complete(run, query, body):
    """Complete an item."""
    (there,) = (each for each in ITEMS if each["run_id"] == run)
    there["completed_by"] = [str(UUID(int=8))]
    return there


@routes.on("POST", "/stub/reset")
def reset(query, body):
    """Forget everything."""
    for store in (QUEUES, ITEMS, PROJECTS, RUNS, FEEDBACK, CONFIGS, routes.calls):
        store.clear()
    return {}


routes.serve(int(port))
