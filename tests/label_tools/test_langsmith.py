"""LangSmith's SDK against a stub of its API: a queue is made, pushed twice, reviewed by two people, and pulled twice."""

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
KEY = "lsv2_pt_0123456789abcdef0123456789"
CHOICES = ["fail", "pass", "unsure"]


class Pages:
    """The pages of LangSmith, as people use them."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get("/stub/state").raise_for_status().json()
        return state

    def runs(self, queue: str = "nightly") -> dict[str, dict[str, Any]]:
        """The run of each case that is in a queue, in the order of the queue."""
        state = self.state()
        (queue_id,) = (each["id"] for each in state["queues"] if each["name"] == queue)
        by_id = {run["id"]: run for run in state["runs"]}
        runs = [by_id[item["run_id"]] for item in state["items"] if item["queue_id"] == queue_id]
        by_case = {json.loads(run["extra"]["metadata"]["curator"])["case_id"]: run for run in runs}
        assert len(by_case) == len(runs)
        return by_case

    def give(self, run: str, person: str, kind: str = "app", **given: Any) -> None:
        source = {"type": kind, "user_id": "00000000-0000-0000-0000-000000000009", "user_name": person}
        body = {"run_id": run, "feedback_source": source, **given}
        self.http.post("/stub/feedback", json=body).raise_for_status()

    def judge(self, run: str, person: str, verdict: str, **more: Any) -> None:
        self.give(run, person, key="verdict", value=verdict, score=CHOICES.index(verdict), **more)

    def complete(self, run: str) -> None:
        self.http.post(f"/stub/runs/{run}/complete", json={}).raise_for_status()


@pytest.fixture(scope="module")
def server(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home, port = tmp_path_factory.mktemp("langsmith"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(sdks), str(HERE / "programs" / "serve_langsmith.py"), str(port), KEY]
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
    """Run `curator labels` on the folder of the job, where the environment asks LangSmith's SDK to hide and to sample."""
    hiding = {"LANGSMITH_HIDE_INPUTS": "true", "LANGSMITH_HIDE_OUTPUTS": "true", "LANGSMITH_TRACING_SAMPLING_RATE": "0"}
    environment = {"LANGSMITH_ENDPOINT": server, "LANGSMITH_API_KEY": KEY, **hiding}

    def command(verb: str, *more: str) -> dict[str, Any]:
        way = {"push": "--to", "pull": "--from"}[verb]
        return curator_with("labels", verb, tmp_path / "nightly", way, "langsmith", *more, environment=environment)

    return command


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judgements(folder: Path) -> dict[tuple[str, str], tuple[str, str, str]]:
    rows = rows_in(folder / "label_queue.langsmith.done.jsonl")
    by_person = {(row["case_id"], row["labelled_by"]): (row["verdict"], row["label"], row["note"]) for row in rows}
    assert len(by_person) == len(rows)
    return by_person


def test_a_queue_is_pushed_reviewed_pulled_and_used(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    folder = run_job().folder
    queue = {row["case_id"]: row for row in rows_in(folder / "label_queue.jsonl")}
    first, again = (labels("push") for _ in range(2))
    assert (first["created"], first["updated"], first["unchanged"]) == (len(queue), 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(queue))
    runs, state = people.runs(), people.state()
    assert [*runs] == [*queue]
    assert len(state["queues"]) == 1
    assert len(state["runs"]) == len(queue)
    for case_id, run in runs.items():
        assert run["outputs"] == {"output": queue[case_id]["target"]}
        assert run["inputs"]["messages"][-1]["content"] == queue[case_id]["messages"][-1]["content"]
        shown = [each["text"] for each in run["extra"]["metadata"]["committee"]]
        assert shown == [each["text"] for each in queue[case_id]["alternatives"]]
    keys = [item["feedback_key"] for item in state["queues"][0]["rubric_items"]]
    assert keys == ["verdict", "label_nightly", "right_answer", "corrected_category"]

    silent, open_, machine, unsure, written, *rest = sorted(queue, key=lambda i: (queue[i]["slice"] == "random", i))
    ids = {case_id: run["id"] for case_id, run in runs.items()}
    people.complete(ids[silent])
    people.give(ids[machine], "", kind="auto_eval", key="verdict", value="fail", score=0)
    people.judge(ids[unsure], "ana", "unsure", comment="two of them fit")
    people.judge(ids[written], "ana", "fail")
    people.give(ids[written], "ana", key="verdict", score=1, comment="I misread it")
    judged = {(unsure, "ana"): ("unsure", "", "two of them fit"), (written, "ana"): ("pass", "", "I misread it")}
    for n, case_id in enumerate(rest):
        right = queue[case_id]["allowed_labels"][n % 2]
        verdict = "pass" if right == queue[case_id]["target"] else "fail"
        if n % 3 == 0:
            people.give(ids[case_id], "ana", key="label_nightly", value=right, score=n % 2)
        elif n % 3 == 1:
            people.give(ids[case_id], "ana", key="right_answer", comment=right)
        people.judge(ids[case_id], "ana", verdict, **({"correction": {"output": right}} if n % 3 == 2 else {}))
        judged[case_id, "ana"] = (verdict, right, "")
    disputed = rest[0]
    other = {"pass": "fail", "fail": "pass"}[judged[disputed, "ana"][0]]
    people.judge(ids[disputed], "ben", other)
    judged[disputed, "ben"] = (other, "", "")

    pulled = labels("pull")
    content = (folder / "label_queue.langsmith.done.jsonl").read_bytes()
    labels("pull")
    assert (folder / "label_queue.langsmith.done.jsonl").read_bytes() == content
    assert judgements(folder) == judged
    for row in rows_in(folder / "label_queue.langsmith.done.jsonl"):
        for name in ("content_hash", "slice", "inclusion_probability"):
            assert row[name] == queue[row["case_id"]][name]
    assert pulled["agreement"]["disputed"] == [disputed]
    assert pulled["warnings"] == [
        "1 feedback entry left out: of programs and models; only what people gave on a page counts",
        "1 item completed without a verdict or a right answer: they stay open here",
    ]
    estimate = curator.estimate(folder)
    assert estimate.drawn + estimate.certain == len(queue) - 4

    run_job()
    assert {silent, open_, machine, unsure} == {row["case_id"] for row in rows_in(folder / "label_queue.jsonl")}


def test_a_case_that_two_people_differ_on_is_decided_in_a_queue_of_its_own(
    job: dict[str, Any], people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    job["labelling"] = {"annotators": ["ana", "ben"], "overlap": 1.0}
    folder = run_job().folder
    labels("push")
    runs = people.runs()
    assert people.state()["queues"][0]["num_reviewers_per_item"] == 2
    disputed = next(iter(runs))
    people.judge(runs[disputed]["id"], "ana", "pass")
    people.judge(runs[disputed]["id"], "ben", "fail")
    labels("pull")
    assert labels("push", "--disputed")["created"] == 1
    assert labels("push", "--disputed")["created"] == 0
    people.judge(people.runs("nightly (adjudication)")[disputed]["id"], "eve", "fail")
    labels("pull", "--disputed")
    files = [str(path) for path in folder.glob("label_queue.langsmith.*done.jsonl")]
    assert curator.import_labels(files).labels[disputed].by == "adjudication: eve"


def test_a_changed_case_is_replaced_until_it_was_judged(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    folder = run_job().folder
    labels("push")
    before = people.runs()
    judged, completed, *others = before
    people.judge(before[judged]["id"], "ana", "pass")
    people.complete(before[completed]["id"])
    file = folder / "label_queue.jsonl"
    original = file.read_bytes()
    changed = [{**row, "target": "another answer"} for row in rows_in(file)]
    file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    pushed = labels("push")
    assert (pushed["created"], pushed["updated"], pushed["kept"]) == (0, len(others), 2)
    runs = people.runs()
    assert runs.keys() == before.keys()
    assert {i for i, run in runs.items() if run["outputs"]["output"] == "another answer"} == set(others)
    assert labels("push")["unchanged"] == len(others)
    people.judge(before[others[0]]["id"], "ana", "fail")  # from a page that was open since
    labels("pull")
    assert {key: row[0] for key, row in judgements(folder).items()} == {
        (judged, "ana"): "pass", (others[0], "ana"): "fail",
    }  # fmt: skip
    file.write_bytes(original)
    assert labels("push")["updated"] == len(others)
    assert {i: run["id"] for i, run in people.runs().items()} == {i: run["id"] for i, run in before.items()}


def test_feedback_of_the_workspace_stays_as_it_is(
    people: Pages, run_job: Callable[[], RunResult], labels: Callable[..., dict[str, Any]]
) -> None:
    theirs = {"feedback_key": "verdict", "feedback_config": {"type": "continuous", "min": 0, "max": 1}}
    few = {"type": "categorical", "categories": [{"value": 5, "label": "old"}]}
    for config in (theirs, {"feedback_key": "label_nightly", "feedback_config": few}):
        people.http.post("/stub/configs", json=config).raise_for_status()
    folder = run_job().folder
    labels("push")
    state = people.state()
    configs = {config["feedback_key"]: config["feedback_config"] for config in state["configs"]}
    assert configs["verdict"] == theirs["feedback_config"]
    assert state["queues"][0]["rubric_items"][0]["feedback_key"] == "curator_verdict"
    allowed = rows_in(folder / "label_queue.jsonl")[0]["allowed_labels"]
    offered = [(category["label"], category["value"]) for category in configs["label_nightly"]["categories"]]
    assert offered == [("old", 5), *((label, 6 + n) for n, label in enumerate(allowed))]
    case_id, run = next(iter(people.runs().items()))
    people.give(run["id"], "ana", key="curator_verdict", value="fail", score=0)
    labels("pull")
    assert judgements(folder) == {(case_id, "ana"): ("fail", "", "")}


def test_a_wrong_key_and_a_queue_that_was_never_pushed_are_named(
    server: str, people: Pages, run_job: Callable[[], RunResult], curator_with: Curator
) -> None:
    folder = run_job().folder
    wrong = {"LANGSMITH_ENDPOINT": server, "LANGSMITH_API_KEY": "x" * 30}
    refused = curator_with("labels", "push", folder, "--to", "langsmith", environment=wrong, code=5)
    assert "refuses the key of LANGSMITH_API_KEY (401)" in refused["error"]
    right = {**wrong, "LANGSMITH_API_KEY": KEY}
    missing = curator_with("labels", "pull", folder, "--from", "langsmith", environment=right, code=2)
    assert "has no annotation queue 'nightly'" in missing["error"]
    down = {**right, "LANGSMITH_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    unreachable = curator_with("labels", "pull", folder, "--from", "langsmith", environment=down, code=5)
    assert "cannot be reached" in unreachable["error"]
    assert KEY[:5] not in json.dumps(unreachable)
