"""Push and pull with a label server that lives in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import curator.workflows.label_sync as syncing
from curator.errors import ConfigError, MissingDependency
from curator.labels import JSONL, LabelServer, QueueRow
from curator.labels.queue import queue_rows
from curator.labels.read import read_labels
from curator.labels.returned import ReturnedRow, context_of
from curator.labels.servers import Place, Pulled, Pushed, refusal
from curator.plugins import Registry
from curator.records import Case, Message, Pick, Source
from curator.workflows.label_sync import pull_labels, push_labels

KEYS = {"MEMORY_URL": "http://memory", "MEMORY_KEY": "s3cret-of-mine"}


@dataclass
class Memory:
    """A server that keeps the rows of a queue by case, and judgements."""

    rows: dict[str, QueueRow] = field(default_factory=dict)
    judgements: list[ReturnedRow] = field(default_factory=list)
    place: Place | None = None

    def push(self, rows: Sequence[QueueRow], place: Place) -> Pushed:
        self.place = place
        new = {row.case_id: row for row in rows if row.case_id not in self.rows}
        self.rows |= new
        return Pushed((f"{place.address}/{place.name}",), created=len(new), kept=len(rows) - len(new))

    def pull(self, place: Place) -> Pulled:
        return Pulled((place.address,), tuple(reversed(self.judgements)), ("a note",))

    def judge(self, case_id: str, by: str, at: float = 1.0, **filled: str) -> None:
        cells = {**context_of(self.rows[case_id]), "labelled_by": by, **filled}
        self.judgements.append(ReturnedRow.of(cells, at=at))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    there = Memory()
    entry = LabelServer(
        "memory", "In memory.", "json", "memory", "MEMORY_URL", "", ("MEMORY_KEY",), there.push, there.pull
    )
    monkeypatch.setattr(syncing, "LABEL_SERVERS", Registry("label server", LabelServer, {"memory": entry}))
    return there


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cases = {f"c{n}": Case(f"c{n}", (Message("user", f"q{n}"),), Source("a", n), target="yes") for n in range(4)}
    picks = [Pick(name, rank, "random", 0.25, "eval") for rank, name in enumerate(cases, 1)]
    rows = queue_rows(picks, cases=cases, scores={}, answers_of=lambda _: ())
    path = tmp_path / "nightly"
    path.mkdir()
    (path / JSONL.queue_name).write_bytes(b"".join(JSONL.write(rows)))
    return path


def rows_in(path: Path | None) -> list[dict[str, object]]:
    assert path is not None
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_last_judgement_of_each_person_is_pulled_and_the_file_repeats(memory: Memory, folder: Path) -> None:
    assert push_labels(folder, "memory", environment=KEYS).created == 4
    again = push_labels(folder, "memory", environment=KEYS)
    assert (again.created, again.kept) == (0, 4)
    assert "4 cases changed after people judged them: the server keeps what they judged." in again.warnings[0]
    memory.judge("c1", "ana", at=1, verdict="fail", note="why")
    memory.judge("c1", "ana", at=3, verdict="pass")
    memory.judge("c1", "ben", at=2, verdict="fail")
    memory.judge("c0", "ana", at=1, verdict="pass")
    memory.judge("c0", "ana", at=2, verdict="unsure")
    pulled = pull_labels(folder, "memory", environment=KEYS)
    assert pulled.path == folder / "label_queue.memory.done.jsonl"
    rows = rows_in(pulled.path)
    assert [(row["case_id"], row["labelled_by"], row["verdict"], row["note"]) for row in rows] == [
        ("c0", "ana", "pass", ""), ("c1", "ana", "pass", "why"), ("c1", "ben", "fail", ""),
    ]  # fmt: skip
    assert {(row["slice"], row["inclusion_probability"]) for row in rows} == {("random", 0.25)}
    assert rows[1]["labelled_at"] == "1970-01-01T00:00:03.000000Z"
    assert pulled.people == {"ana": 2, "ben": 1}
    assert pulled.agreement is not None
    assert pulled.agreement.disputed == ("c1",)
    assert pulled.warnings == ("a note", "2 judgements replaced by a later one of the same person")
    content = pulled.path.read_bytes()
    pull_labels(folder, "memory", environment=KEYS)
    assert pulled.path.read_bytes() == content
    assert not (folder / "labels").exists()


def test_a_judgement_of_remarks_only_is_kept_and_an_empty_one_is_counted(memory: Memory, folder: Path) -> None:
    push_labels(folder, "memory", environment=KEYS)
    memory.judge("c0", "ana", note="which order?")
    memory.judge("c1", "ana", corrected_category="refunds")
    memory.judge("c2", "ana")
    memory.judgements.append(ReturnedRow(case_id="", verdict="pass"))
    pulled = pull_labels(folder, "memory", environment=KEYS)
    assert [row["case_id"] for row in rows_in(pulled.path)] == ["c0", "c1"]
    labels = read_labels([str(pulled.path)])
    assert labels.unsure == ("c0", "c1")
    assert labels.labels["c1"].category == "refunds"
    assert sorted(pulled.warnings[1:]) == [
        "1 judgement left out: empty: nothing is filled in",
        "1 judgement left out: of records without a `case_id`, which curator did not make",
    ]


def test_remarks_of_a_later_judgement_are_added_to_the_verdict_before(memory: Memory, folder: Path) -> None:
    push_labels(folder, "memory", environment=KEYS)
    memory.judge("c0", "ana", at=1, verdict="fail", corrected_category="refunds")
    memory.judge("c0", "ana", at=2, note="which order?")
    memory.judge("c1", "ana", at=1, verdict="unsure", note="first")
    memory.judge("c1", "ana", at=2, verdict="unsure", note="second")
    rows = rows_in(pull_labels(folder, "memory", environment=KEYS).path)
    assert [(row["verdict"], row["note"], row["corrected_category"]) for row in rows] == [
        ("fail", "which order?", "refunds"), ("unsure", "second", ""),
    ]  # fmt: skip


def test_labels_that_left_the_server_are_archived_before_the_file_changes(memory: Memory, folder: Path) -> None:
    push_labels(folder, "memory", environment=KEYS)
    memory.judge("c1", "ana", verdict="fail")
    before = pull_labels(folder, "memory", environment=KEYS).path
    assert before is not None
    content = before.read_bytes()
    memory.judgements.clear()
    assert pull_labels(folder, "memory", environment=KEYS).path is None
    assert before.read_bytes() == content
    memory.judge("c2", "ana", verdict="fail")
    pull_labels(folder, "memory", environment=KEYS)
    assert (folder / "labels" / "0001.memory.done.jsonl").read_bytes() == content
    assert [row["case_id"] for row in rows_in(before)] == ["c2"]


def test_a_label_that_was_chosen_from_a_list_is_an_answer_whatever_it_reads_like(memory: Memory, folder: Path) -> None:
    push_labels(folder, "memory", environment=KEYS)
    cells = {**context_of(memory.rows["c0"]), "labelled_by": "ana", "label": "none"}
    memory.judgements = [
        ReturnedRow.of(cells, allowed=("none", "some")),
        ReturnedRow.of({**cells, "case_id": "c1", "content_hash": ""}),
    ]
    (rejected,) = pull_labels(folder, "memory", environment=KEYS).rejected
    assert "placeholder" in rejected.reason
    assert rejected.source.line == 2


def test_the_name_of_the_job_and_the_address_can_be_given(memory: Memory, folder: Path) -> None:
    push_labels(folder, "memory", environment=KEYS)
    assert memory.place is not None
    assert (memory.place.name, memory.place.address) == ("nightly", "http://memory")
    push_labels(folder, "memory", project="weekly", url="http://other/", environment=KEYS)
    assert (memory.place.name, memory.place.address) == ("weekly", "http://other")
    assert "s3cret" not in repr(memory.place)


def test_what_is_missing_is_named(memory: Memory, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MEMORY_KEY"):
        push_labels(folder, "memory", environment={"MEMORY_URL": "x"})
    with pytest.raises(ConfigError, match="set MEMORY_URL"):
        pull_labels(folder, "memory", environment={"MEMORY_KEY": "x"})
    with pytest.raises(ConfigError, match="no label queue"):
        push_labels(tmp_path, "memory", environment=KEYS)
    with pytest.raises(ConfigError, match="unknown label server 'theirs'"):
        push_labels(folder, "theirs", environment=KEYS)


def test_a_missing_sdk_is_named_with_its_extra() -> None:
    entry = LabelServer(
        "x", "", "no_such_sdk", "x-extra", "X_URL", "http://x", ("X_KEY",), lambda *_: None, lambda _: None
    )  # type: ignore[arg-type, return-value]
    with pytest.raises(MissingDependency, match="pip install 'committee-curator\\[x-extra\\]'"):
        entry.place("job", {"X_KEY": "k"})


def test_a_refusal_never_shows_a_key() -> None:
    place = Place("job", "http://x", {"X_KEY": "s3cret"})
    assert "s3cret" not in str(refusal("X", place, ValueError("bad header Token s3cret"), status=401))
