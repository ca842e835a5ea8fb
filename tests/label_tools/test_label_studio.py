"""A real Label Studio: projects are made, pushed twice, annotated by two people, and pulled twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import curator
from curator.workflows.run_result import RunResult
from tests.environments import environment_of
from tests.label_tools.conftest import HERE, Curator, free_port, serving

pytestmark = pytest.mark.label_tools
TOKEN = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105  of a server that lives for one test
ANA, BEN = "ana@example.com", "ben@example.com"
QUIET = {
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "", "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
}  # fmt: skip


@dataclass
class Annotator:
    """A person who labels through the API."""

    http: httpx.Client

    def tasks(self) -> list[dict[str, Any]]:
        """Every task of every project, with its annotations."""
        return [
            task
            for project in self.projects()
            for task in self.get("/api/tasks", project=project["id"], fields="all", page_size=500)["tasks"]
        ]

    def projects(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/projects")["results"]
        return found

    def annotate(self, task: int, **controls: str) -> int:
        body = {"result": [control(name, text) for name, text in controls.items()], "lead_time": 7.25}
        return int(self._send("POST", f"/api/tasks/{task}/annotations/", body)["id"])

    def skip(self, task: int) -> None:
        self._send("POST", f"/api/tasks/{task}/annotations/", {"result": [], "was_cancelled": True})

    def draft(self, task: int, **controls: str) -> None:
        result = [control(name, text) for name, text in controls.items()]
        self._send("POST", f"/api/tasks/{task}/drafts", {"result": result, "lead_time": 1})

    def correct(self, annotation: int, **controls: str) -> None:
        self._send("PATCH", f"/api/annotations/{annotation}/", {"result": [control(*c) for c in controls.items()]})

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return self.http.request(method, path, json=body).raise_for_status().json()


def control(name: str, text: str) -> dict[str, Any]:
    kind, value = (
        ("textarea", {"text": [text]}) if name in ("right_answer", "note") else ("choices", {"choices": [text]})
    )
    return {"from_name": name, "to_name": "answer", "type": kind, "value": value}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home, port = tmp_path_factory.mktemp("label_studio"), free_port()
    program = environment_of(HERE / "label_studio_server.txt").with_name("label-studio")
    url = f"http://127.0.0.1:{port}"
    command = [
        str(program), "start", "--internal-host", "127.0.0.1", "--port", str(port), "--no-browser", "--username", ANA, "--password",
        "a-long-secret", "--user-token", TOKEN,
    ]  # fmt: skip
    with serving(command, f"{url}/api/version", home / "log", {**QUIET, "LABEL_STUDIO_BASE_DATA_DIR": str(home)}):
        yield url


@pytest.fixture(scope="module")
def people(server: str) -> Iterator[tuple[Annotator, Annotator]]:
    """Ana, whose server it is, and Ben, who signs up."""
    with httpx.Client(base_url=server, follow_redirects=True, timeout=60) as browser:
        browser.get("/user/signup/")
        form = {"email": BEN, "password": "another-secret", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post("/user/signup/", data=form, headers={"Referer": server}).raise_for_status()
        of_ben = browser.get("/api/current-user/token").raise_for_status().json()["token"]
    ana, ben = (
        httpx.Client(base_url=server, headers={"Authorization": f"Token {token}"}, timeout=60)
        for token in (TOKEN, of_ben)
    )
    with ana, ben:
        yield Annotator(ana), Annotator(ben)


def returned(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of the pulled file by case and person."""
    lines = (folder / "label_queue.label-studio.done.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    by_person = {(row["case_id"], row["labelled_by"]): row for row in rows}
    assert len(by_person) == len(rows)
    return by_person


Queue = dict[str, dict[str, Any]]
Judgements = dict[tuple[str, str], tuple[str, str]]
"""Verdict and right answer by case and person."""


def queue_in(folder: Path) -> Queue:
    lines = (folder / "label_queue.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["case_id"]: row for row in map(json.loads, lines)}


def label_all(ana: Annotator, ben: Annotator, queue: Queue) -> tuple[Judgements, dict[str, str]]:
    """Label as two people would; return their judgements, and the cases that are special in some way.

    One is skipped, one has a draft only, one is open, one is corrected, one disputed; Ben labels two.
    """
    ids = {task["data"]["case_id"]: task["id"] for task in ana.tasks()}
    skipped, drafted, untouched, corrected, *rest = sorted(ids, key=lambda i: (queue[i]["slice"] == "random", i))
    ana.skip(ids[skipped])
    ben.draft(ids[drafted], verdict="fail")
    wrong = ana.annotate(ids[corrected], verdict="fail", label=queue[corrected]["allowed_labels"][0])
    ana.correct(wrong, verdict="pass", note="I misread it")
    judged = {(skipped, ANA): ("unsure", ""), (corrected, ANA): ("pass", "")}
    for n, case_id in enumerate(rest):
        right = queue[case_id]["allowed_labels"][n % 2]
        verdict = "pass" if queue[case_id]["target"] == right else "fail"
        ana.annotate(ids[case_id], verdict=verdict, label=right)
        judged[case_id, ANA] = (verdict, right)
    disputed, agreed = rest[:2]
    for case_id in (disputed, agreed):
        verdict, _ = judged[case_id, ANA]
        if case_id == disputed:
            verdict = {"pass": "fail", "fail": "pass"}[verdict]
        ben.annotate(ids[case_id], verdict=verdict)
        judged[case_id, BEN] = (verdict, "")
    names = {"skipped": skipped, "drafted": drafted, "untouched": untouched, "corrected": corrected}
    return judged, {**names, "disputed": disputed, "agreed": agreed}


@dataclass(frozen=True)
class Labelled:
    """A run whose queue was pushed and labelled."""

    folder: Path
    queue: Queue
    judged: Judgements
    cases: dict[str, str]
    """Those that are special, see `label_all`."""
    run_again: Callable[[], RunResult]
    labels: Callable[..., dict[str, Any]]
    """Run `curator labels` with the key of the server."""


@pytest.fixture
def labelled(
    server: str, people: tuple[Annotator, Annotator], run_job: Callable[[], RunResult], curator_with: Curator
) -> Iterator[Labelled]:
    ana, ben = people
    variables = {"LABEL_STUDIO_URL": server, "LABEL_STUDIO_API_KEY": TOKEN}

    def labels(verb: str, way: str, *more: str) -> dict[str, Any]:
        return curator_with("labels", verb, folder, way, "label-studio", *more, environment=variables)

    folder = run_job().folder
    queue = queue_in(folder)
    first, again = (labels("push", "--to") for _ in range(2))
    assert (first["created"], first["updated"], first["unchanged"]) == (len(queue), 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(queue))
    check_projects(ana, queue)
    judged, special = label_all(ana, ben, queue)
    yield Labelled(folder, queue, judged, special, run_job, labels)
    for project in ana.projects():
        ana.http.delete(f"/api/projects/{project['id']}").raise_for_status()


def check_projects(ana: Annotator, queue: Queue) -> None:
    """The tasks are those of the queue, each once, in the right order."""
    samplings = {project["title"]: project["sampling"] for project in ana.projects()}
    assert samplings == {
        "nightly (random)": "Sequential sampling", "nightly (discovery)": "Uncertainty sampling",
    }  # fmt: skip
    tasks = {task["data"]["case_id"]: task for task in ana.tasks()}
    assert len(ana.tasks()) == len(tasks) == len(queue)
    for case_id, task in tasks.items():
        (prediction,) = task["predictions"]
        assert prediction["score"] == pytest.approx(1 - queue[case_id]["disagreement"], abs=1e-6)
        assert task["data"]["target"] == queue[case_id]["target"]
        assert [choice["value"] for choice in task["data"]["allowed_labels"]] == queue[case_id]["allowed_labels"]
    discovery = next(project["id"] for project in ana.projects() if project["title"].endswith("(discovery)"))
    first_shown = ana.get(f"/api/projects/{discovery}/next")["data"]["disagreement"]
    assert first_shown == max(queue[i]["disagreement"] for i in queue if queue[i]["slice"] != "random")


def test_labels_are_the_annotations_however_often_they_are_pulled(labelled: Labelled) -> None:
    again = labelled.labels("push", "--to")
    assert (again["created"], again["updated"], again["kept"]) == (0, 0, 0)
    pulled = labelled.labels("pull", "--from")
    file = labelled.folder / "label_queue.label-studio.done.jsonl"
    content = file.read_bytes()
    labelled.labels("pull", "--from")
    assert file.read_bytes() == content
    assert pulled["people"] == {ANA: len(labelled.queue) - 2, BEN: 2}
    assert pulled["agreement"]["disputed"] == [labelled.cases["disputed"]]
    assert pulled["rejected"] == []
    rows = returned(labelled.folder)
    assert {key: (row["verdict"], row["label"]) for key, row in rows.items()} == labelled.judged
    assert rows[labelled.cases["corrected"], ANA]["note"] == "I misread it"
    assert rows[labelled.cases["agreed"], BEN]["seconds"] == 7.2
    for (case_id, _), row in rows.items():
        for name in ("content_hash", "slice", "inclusion_probability"):
            assert row[name] == labelled.queue[case_id][name]


def test_pulled_labels_are_in_the_estimate_and_in_the_next_run(labelled: Labelled) -> None:
    labelled.labels("pull", "--from")
    special, queue, folder = labelled.cases, labelled.queue, labelled.folder
    content = (folder / "label_queue.label-studio.done.jsonl").read_bytes()
    decided = queue.keys() - {special["skipped"], special["drafted"], special["untouched"]}
    estimate = curator.estimate(folder)
    assert estimate.drawn + estimate.certain == len(decided)
    labelled.run_again()
    assert (folder / "labels" / "0001.label-studio.done.jsonl").read_bytes() == content
    assert decided.isdisjoint(queue_in(folder))
    trained = [json.loads(line) for line in (folder / "finetune.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = {row["messages"][-2]["content"]: row["messages"][-1]["content"] for row in trained}
    corrected = [i for i in decided - {special["corrected"]} if queue[i]["split"] == "train"]
    assert corrected
    for case_id in corrected:
        assert answers[queue[case_id]["messages"][-1]["content"]] == labelled.judged[case_id, ANA][1]


def test_a_changed_case_is_updated_until_it_was_judged(labelled: Labelled, people: tuple[Annotator, Annotator]) -> None:
    ana, _ = people
    file = labelled.folder / "label_queue.jsonl"
    changed = [{**row, "target": "another answer", "disagreement": 0.5} for row in labelled.queue.values()]
    file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    pushed = labelled.labels("push", "--to")
    assert (pushed["created"], pushed["updated"], pushed["kept"]) == (0, 1, len(changed) - 1)
    tasks = {task["data"]["case_id"]: task for task in ana.tasks()}
    assert len(tasks) == len(ana.tasks()) == len(changed)
    (prediction,) = tasks[labelled.cases["untouched"]]["predictions"]
    assert prediction["score"] == 0.5
    assert {i for i, task in tasks.items() if task["data"]["target"] == "another answer"} == {
        labelled.cases["untouched"]
    }
    labelled.labels("pull", "--from")
    assert {key: (row["verdict"], row["label"]) for key, row in returned(labelled.folder).items()} == labelled.judged


def test_a_case_that_people_disagree_on_is_decided_in_a_project_of_its_own(
    labelled: Labelled, people: tuple[Annotator, Annotator]
) -> None:
    ana, _ = people
    labelled.labels("pull", "--from")
    assert labelled.labels("push", "--to", "--disputed")["created"] == 1
    assert labelled.labels("push", "--to", "--disputed")["created"] == 0
    project = next(each["id"] for each in ana.projects() if each["title"] == "nightly (adjudication)")
    (task,) = (each for each in ana.tasks() if each["project"] == project)
    assert task["data"]["case_id"] == labelled.cases["disputed"]
    ana.annotate(task["id"], verdict="fail")
    labelled.labels("pull", "--from", "--disputed")
    decided = curator.import_labels(
        [str(path) for path in labelled.folder.glob("label_queue.label-studio.*done.jsonl")]
    )
    assert decided.failures[labelled.cases["disputed"]] == 1
    assert decided.labels[labelled.cases["disputed"]].by == f"adjudication: {ANA}"
    assert labelled.labels("push", "--to")["created"] == 0  # the project does not change the others


def test_an_interface_that_a_person_changed_is_kept(labelled: Labelled, people: tuple[Annotator, Annotator]) -> None:
    ana, _ = people
    project = ana.projects()[0]
    theirs = project["label_config"].replace("Conversation", "What was asked")
    ana.http.patch(f"/api/projects/{project['id']}", json={"label_config": theirs}).raise_for_status()
    (warning,) = labelled.labels("push", "--to")["warnings"]
    assert "is not curator's own" in warning
    assert ana.get(f"/api/projects/{project['id']}")["label_config"] == theirs


def test_a_wrong_key_and_a_server_that_is_down_are_named_without_the_key(
    server: str, run_job: Callable[[], RunResult], curator_with: Curator
) -> None:
    folder = run_job().folder
    wrong = {"LABEL_STUDIO_URL": server, "LABEL_STUDIO_API_KEY": "f" * 40}
    refused = curator_with("labels", "push", folder, "--to", "label-studio", environment=wrong, code=5)
    assert "LABEL_STUDIO_API_KEY" in json.dumps(refused)
    down = {**wrong, "LABEL_STUDIO_URL": f"http://127.0.0.1:{free_port()}"}
    unreachable = curator_with("labels", "pull", folder, "--from", "label-studio", environment=down, code=5)
    assert "cannot be reached" in json.dumps(unreachable)
