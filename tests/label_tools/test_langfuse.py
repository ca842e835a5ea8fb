"""Langfuse's SDK against a stub of its API: a queue is made, pushed twice, annotated, and pulled twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import curator
from curator.workflows.run_result import RunResult
from tests.label_tools.conftest import HERE, Curator, free_port, serving

pytestmark = pytest.mark.label_tools
PUBLIC, SECRET = "pk-lf-0123456789abcdef", "sk-lf-0123456789abcdef"
METADATA = "langfuse.observation.metadata."


class Pages:
    """The pages of Langfuse, as a person uses them."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get("/stub/state").raise_for_status().json()
        return state

    def traces(self) -> dict[str, list[tuple[str, dict[str, str]]]]:
        """The traces of each case: id and attributes."""
        traces: dict[str, list[tuple[str, dict[str, str]]]] = {}
        for trace, _, _, values in self.state()["observations"]:
            context = json.loads(values[METADATA + "curator"])
            traces.setdefault(json.loads(context)["case_id"], []).append((trace, values))
        return traces

    def score(self, trace: str, person: str | None, *, source: str = "ANNOTATION", **named: str) -> None:
        comment = named.pop("comment", None)
        for name, value in named.items():
            kind = "CATEGORICAL" if name in ("verdict", "label") else "TEXT"
            kind = "CORRECTION" if name == "output" else kind
            body = {
                "name": "label nightly" if name == "label" else name, "value": value, "dataType": kind, "source": source, "authorUserId": person,
                "comment": comment, "subject": {"kind": "trace", "id": trace},
            }  # fmt: skip
            self.http.post("/stub/scores", json=body).raise_for_status()

    def complete(self, trace: str) -> None:
        item = next(item["id"] for item in self.state()["items"] if item["objectId"] == trace)
        self.http.post(f"/stub/items/{item}/complete", json={}).raise_for_status()


@pytest.fixture(scope="module")
def server(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home, port = tmp_path_factory.mktemp("langfuse"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(sdks), str(HERE / "programs" / "serve_langfuse.py"), str(port), PUBLIC, SECRET]
    with serving(command, f"{url}/stub/state", home / "log", {}):
        yield url


@pytest.fixture
def people(server: str) -> Iterator[Pages]:
    pages = Pages(server)
    with pages.http:
        pages.http.post("/stub/reset", json={}).raise_for_status()
        yield pages


@pytest.fixture
def labels(server: str, curator_with: Curator, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run `curator labels` on the folder of the job."""
    environment = {"LANGFUSE_BASE_URL": server, "LANGFUSE_PUBLIC_KEY": PUBLIC, "LANGFUSE_SECRET_KEY": SECRET}

    def command(verb: str, *more: str, **expected: int) -> dict[str, Any]:
        way = {"push": "--to", "pull": "--from"}[verb]
        return curator_with(
            "labels", verb, tmp_path / "nightly", way, "langfuse", *more, environment=environment, **expected
        )

    return command


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judgements(folder: Path) -> dict[tuple[str, str], tuple[str, str, str]]:
    rows = rows_in(folder / "label_queue.langfuse.done.jsonl")
    by_person = {(row["case_id"], row["labelled_by"]): (row["verdict"], row["label"], row["note"]) for row in rows}
    assert len(by_person) == len(rows)
    return by_person


def test_a_queue_is_pushed_annotated_pulled_and_used(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    folder = run_job().folder
    queue = {row["case_id"]: row for row in rows_in(folder / "label_queue.jsonl")}
    first, again = (labels("push") for _ in range(2))
    assert (first["created"], first["updated"], first["unchanged"]) == (len(queue), 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(queue))
    state, traces = people.state(), people.traces()
    assert [each["name"] for each in state["queues"]] == ["nightly"]
    assert first["places"][0].endswith(f"/project/p1/annotation-queues/{state['queues'][0]['id']}")
    assert traces.keys() == queue.keys()
    assert [item["objectId"] for item in state["items"]] == [traces[case_id][0][0] for case_id in queue]
    for case_id, ((_, values),) in traces.items():
        assert values["langfuse.observation.output"] == queue[case_id]["target"]
        shown = json.loads(values["langfuse.observation.input"])["messages"]
        assert shown[-1]["content"] == queue[case_id]["messages"][-1]["content"]
        texts = [each["text"] for each in json.loads(values[METADATA + "committee"])]
        assert texts == [each["text"] for each in queue[case_id]["alternatives"]]
    configs = {each["name"]: each for each in state["configs"]}
    assert configs.keys() == {"verdict", "label nightly", "right_answer", "corrected_category"}
    assert {each["id"] for each in state["configs"]} == set(state["queues"][0]["scoreConfigIds"])

    silent, open_, machine, unsure, written, *rest = sorted(queue, key=lambda i: (queue[i]["slice"] == "random", i))
    trace = {case_id: of_case[0][0] for case_id, of_case in traces.items()}
    people.complete(trace[silent])
    people.score(trace[machine], None, source="EVAL", verdict="fail")
    people.score(trace[unsure], "ana", verdict="unsure", comment="two of them fit")
    people.score(trace[written], "ana", verdict="fail")
    people.score(trace[written], "ana", verdict="pass", comment="I misread it")
    judged = {(unsure, "ana"): ("unsure", "", "two of them fit"), (written, "ana"): ("pass", "", "I misread it")}
    for n, case_id in enumerate(rest):
        right = queue[case_id]["allowed_labels"][n % 2]
        verdict = "pass" if right == queue[case_id]["target"] else "fail"
        name = ("label", "output", "right_answer")[n % 3]
        people.score(trace[case_id], "ana", verdict=verdict, **{name: right})
        judged[case_id, "ana"] = (verdict, right, "")
    pulled = labels("pull")
    content = (folder / "label_queue.langfuse.done.jsonl").read_bytes()
    labels("pull")
    assert (folder / "label_queue.langfuse.done.jsonl").read_bytes() == content
    assert judgements(folder) == judged
    for row in rows_in(folder / "label_queue.langfuse.done.jsonl"):
        for name in ("content_hash", "slice", "inclusion_probability"):
            assert row[name] == queue[row["case_id"]][name]
    assert pulled["warnings"] == [
        "1 score left out: of programs and evaluators; only annotations of people count",
        "1 item completed without a verdict or a right answer: they stay open here",
    ]
    assert labels("push")["kept"] == 0
    estimate = curator.estimate(folder)
    assert estimate.drawn + estimate.certain == len(queue) - 4
    run_job()
    assert {silent, open_, machine, unsure} == {row["case_id"] for row in rows_in(folder / "label_queue.jsonl")}


def test_a_changed_case_is_updated_until_it_was_judged(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    folder = run_job().folder
    labels("push")
    before = people.traces()
    judged, completed, *others = before
    people.score(before[judged][0][0], "ana", verdict="pass")
    people.complete(before[completed][0][0])
    file = folder / "label_queue.jsonl"
    changed = [{**row, "target": "another answer"} for row in rows_in(file)]
    file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    pushed = labels("push")
    assert (pushed["created"], pushed["updated"], pushed["kept"]) == (0, len(others), 2)
    traces = people.traces()
    assert all(len(of_case) == 1 for of_case in traces.values())
    assert {i: of_case[0][0] for i, of_case in traces.items()} == {i: of_case[0][0] for i, of_case in before.items()}
    shown = {case_id: of_case[0][1]["langfuse.observation.output"] for case_id, of_case in traces.items()}
    assert {case_id for case_id in shown if shown[case_id] == "another answer"} == set(others)
    assert labels("push")["unchanged"] == len(others)
    assert len(people.state()["items"]) == len(before)


def test_two_people_have_a_trace_each_and_a_third_decides(
    job: dict[str, Any], people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    job["labelling"] = {"annotators": ["ana", "ben"], "overlap": 1.0}
    folder = run_job().folder
    pushed, again = labels("push"), labels("push")
    traces = people.traces()
    assert pushed["created"] == again["unchanged"] == len(traces)
    assert {len(of_case) for of_case in traces.values()} == {2}
    disputed, agreed = sorted(traces)[:2]
    for case_id, verdicts in ((disputed, ("pass", "fail")), (agreed, ("fail", "fail"))):
        for person, (trace, _), verdict in zip(("u-ana", "u-ben"), traces[case_id], verdicts, strict=True):
            people.score(trace, person, verdict=verdict)
    pulled = labels("pull")
    assert pulled["people"] == {"u-ana": 2, "u-ben": 2}
    assert pulled["agreement"]["disputed"] == [disputed]
    assert labels("push", "--disputed")["created"] == 1
    assert labels("push", "--disputed")["created"] == 0
    (trace,) = (each for each, _ in people.traces()[disputed] if each not in dict(traces[disputed]))
    people.score(trace, "u-eve", verdict="fail")
    labels("pull", "--disputed")
    decided = curator.import_labels([str(path) for path in folder.glob("label_queue.langfuse.*done.jsonl")])
    assert decided.failures[disputed] == 1
    assert decided.labels[disputed].by == "adjudication: u-eve"


def test_score_configs_of_the_project_stay_as_they_are(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    theirs = {"name": "verdict", "dataType": "NUMERIC"}
    few = {"name": "label nightly", "dataType": "CATEGORICAL", "categories": [{"label": "old", "value": 0}]}
    for config in (theirs, few):
        people.http.post("/stub/configs", json=config).raise_for_status()
    folder = run_job().folder
    labels("push")
    configs = {config["name"]: config for config in people.state()["configs"]}
    assert configs["verdict"]["dataType"] == "NUMERIC"
    offered = [each["label"] for each in configs["label nightly"]["categories"]]
    allowed = rows_in(folder / "label_queue.jsonl")[0]["allowed_labels"]
    assert offered == ["old", *allowed]
    assert configs["verdict"]["id"] not in people.state()["queues"][0]["scoreConfigIds"]
    case_id, ((trace, _),) = next(iter(people.traces().items()))
    people.score(trace, "ana", **{"curator verdict": "fail"})
    labels("pull")
    assert judgements(folder) == {(case_id, "ana"): ("fail", "", "")}


def test_a_wrong_key_and_a_queue_that_was_never_pushed_are_named(
    server: str, people: Pages, run_job: Callable[[], RunResult], curator_with: Curator
) -> None:
    folder = run_job().folder
    wrong = {"LANGFUSE_BASE_URL": server, "LANGFUSE_PUBLIC_KEY": PUBLIC, "LANGFUSE_SECRET_KEY": "x" * 30}
    refused = curator_with("labels", "push", folder, "--to", "langfuse", environment=wrong, code=5)
    assert "refuses the key of LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY (401)" in refused["error"]
    right = {**wrong, "LANGFUSE_SECRET_KEY": SECRET}
    missing = curator_with("labels", "pull", folder, "--from", "langfuse", environment=right, code=2)
    assert "has no annotation queue 'nightly'" in missing["error"]
    down = {**right, "LANGFUSE_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    unreachable = curator_with("labels", "pull", folder, "--from", "langfuse", environment=down, code=5)
    assert "cannot be reached" in unreachable["error"]
