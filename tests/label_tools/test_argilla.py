"""A real Argilla: a dataset is made, pushed twice, labelled by two people, and pulled twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import curator
from curator.workflows.run_result import RunResult
from tests.environments import environment_of
from tests.label_tools.conftest import HERE, Curator, free_port, serving

pytestmark = pytest.mark.label_tools
KEYS = {"ana": "ana.apikey.0123456789abcdef", "ben": "ben.apikey.0123456789abcdef"}


class Annotator:
    """A person who labels through the API."""

    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"X-Argilla-Api-Key": key}, timeout=60)

    def records(self) -> dict[str, dict[str, Any]]:
        """The records of the only dataset, by case id."""
        (dataset,) = self.http.get("/me/datasets").raise_for_status().json()["items"]
        path = f"/datasets/{dataset['id']}/records"
        items = self.http.get(path, params={"include": "responses", "limit": 500}).raise_for_status().json()["items"]
        assert len({record["external_id"] for record in items}) == len(items)
        return {record["external_id"]: record for record in items}

    def respond(self, record: dict[str, Any], status: str = "submitted", **values: str) -> str:
        body = {"values": {name: {"value": value} for name, value in values.items()} or None, "status": status}
        done = self.http.post(f"/records/{record['id']}/responses", json=body).raise_for_status().json()
        return str(done["id"])

    def correct(self, response: str, **values: str) -> None:
        body = {"values": {name: {"value": value} for name, value in values.items()}, "status": "submitted"}
        self.http.put(f"/responses/{response}", json=body).raise_for_status()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home, port = tmp_path_factory.mktemp("argilla"), free_port()
    python = environment_of(HERE / "argilla_server.txt")
    users = [word for pair in KEYS.items() for word in pair]
    command = [str(python), str(HERE / "programs" / "serve_argilla.py"), str(port), *users]
    url = f"http://127.0.0.1:{port}"
    with serving(
        command,
        f"{url}/api/v1/version",
        home / "log",
        {"ARGILLA_HOME_PATH": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"},
    ):
        yield url


@pytest.fixture(scope="module")
def people(server: str) -> Iterator[tuple[Annotator, Annotator]]:
    ana, ben = (Annotator(server, key) for key in KEYS.values())
    with ana.http, ben.http:
        yield ana, ben


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_queue_is_pushed_labelled_pulled_and_used(
    server: str, people: tuple[Annotator, Annotator], run_job: Callable[[], RunResult], curator_with: Curator
) -> None:
    ana, ben = people
    folder = run_job().folder
    queue = {row["case_id"]: row for row in rows_in(folder / "label_queue.jsonl")}

    def labels(verb: str, way: str) -> dict[str, Any]:
        variables = {"ARGILLA_API_URL": server, "ARGILLA_API_KEY": KEYS["ana"]}
        return curator_with("labels", verb, folder, way, "argilla", environment=variables)

    first, again = (labels("push", "--to") for _ in range(2))
    assert (first["created"], first["updated"], first["unchanged"]) == (len(queue), 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(queue))
    records = ana.records()
    assert records.keys() == queue.keys()
    assert {i: record["fields"]["answer"] for i, record in records.items()} == {i: queue[i]["target"] for i in queue}

    discarded, drafted, untouched, corrected, *rest = sorted(queue, key=lambda i: (queue[i]["slice"] == "random", i))
    ana.respond(records[discarded], "discarded")
    ben.respond(records[drafted], "draft", verdict="fail")
    wrong = ana.respond(records[corrected], verdict="fail")
    ana.correct(wrong, verdict="pass", note="I misread it")
    judged = {(discarded, "ana"): ("unsure", ""), (corrected, "ana"): ("pass", "")}
    for n, case_id in enumerate(rest):
        right = queue[case_id]["allowed_labels"][n % 2]
        verdict = "pass" if right == queue[case_id]["target"] else "fail"
        ana.respond(records[case_id], verdict=verdict, label=right)
        judged[case_id, "ana"] = (verdict, right)
    disputed = rest[0]
    other = {"pass": "fail", "fail": "pass"}[judged[disputed, "ana"][0]]
    ben.respond(records[disputed], verdict=other)
    judged[disputed, "ben"] = (other, "")

    file = folder / "label_queue.jsonl"
    before = file.read_bytes()
    changed = [{**row, "target": "another answer"} for row in queue.values()]
    file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    pushed = labels("push", "--to")
    assert (pushed["created"], pushed["updated"], pushed["kept"]) == (0, 1, len(queue) - 1)
    shown = {i: record["fields"]["answer"] for i, record in ana.records().items()}
    assert {i for i in shown if shown[i] == "another answer"} == {untouched}
    file.write_bytes(before)

    pulled = labels("pull", "--from")
    returned = folder / "label_queue.argilla.done.jsonl"
    content = returned.read_bytes()
    labels("pull", "--from")
    assert returned.read_bytes() == content
    rows = rows_in(returned)
    assert {(row["case_id"], row["labelled_by"]): (row["verdict"], row["label"]) for row in rows} == judged
    assert len(rows) == len(judged)
    assert [row["note"] for row in rows if row["case_id"] == corrected] == ["I misread it"]
    assert {row["inclusion_probability"] == queue[row["case_id"]]["inclusion_probability"] for row in rows} == {True}
    assert pulled["agreement"]["disputed"] == [disputed]
    estimate = curator.estimate(folder)
    assert estimate.drawn + estimate.certain == len(queue) - 3


def test_a_wrong_key_is_named_without_the_key(
    server: str, run_job: Callable[[], RunResult], curator_with: Curator
) -> None:
    wrong = {"ARGILLA_API_URL": server, "ARGILLA_API_KEY": "x" * 30}
    refused = curator_with("labels", "pull", run_job().folder, "--from", "argilla", environment=wrong, code=5)
    assert "refuses the key of ARGILLA_API_KEY" in refused["error"]
