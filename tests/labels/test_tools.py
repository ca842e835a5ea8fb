"""The contract that every entry of LABEL_TOOLS keeps: what a person fills in comes back, whatever the texts hold."""

from __future__ import annotations

import csv
import io
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

import curator.labels
from curator.config import LabellingConfig
from curator.errors import ConfigError, RecordError
from curator.labels import CSV, LABEL_TOOLS, LabelTool, QueueRow, chosen_tools, queues_in, tool_of
from curator.labels.archive import archive_labels, archived_labels
from curator.labels.read import read_labels
from curator.plugins import Registry
from curator.records import Label, Source
from tests.labels.queues import HOSTILE, rows_of

Answers = Mapping[str, Mapping[str, str]]


def fill_csv(data: bytes, answers: Answers) -> bytes:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows({**row, **answers.get(row["case_id"], {})} for row in rows)
    return out.getvalue().encode()


def fill_jsonl(data: bytes, answers: Answers) -> bytes:
    rows = [json.loads(line) for line in data.splitlines()]
    return b"".join(orjson.dumps({**row, **answers.get(row["case_id"], {})}) + b"\n" for row in rows)


def fill_xlsx(data: bytes, answers: Answers) -> bytes:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book["label queue"]
    places = {cell.value: cell.column for cell in sheet[1]}
    for row in sheet.iter_rows(min_row=2):
        for name, text in answers.get(row[places["case_id"] - 1].value, {}).items():
            cell = row[places[name] - 1]
            cell.value = text
            cell.data_type = "s"  # as in a cell whose format is text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def fill_label_studio(data: bytes, answers: Answers) -> bytes:
    """Annotate the tasks as the program's export has them."""
    tasks = json.loads(data)
    for task in tasks:
        given = dict(answers.get(task["data"]["case_id"], {}))
        who = given.pop("labelled_by", "")
        result = [
            {"from_name": name, "value": {"choices": [text]} if name == "verdict" else {"text": [text]}}
            for name, text in given.items()
        ]
        if result:
            task["annotations"] = [{"id": 1, "completed_by": {"email": who}, "was_cancelled": False, "result": result}]
    return orjson.dumps(tasks)


def fill_prodigy(data: bytes, answers: Answers) -> bytes:
    """Answer the tasks as the program's `db-out` has them."""
    tasks = [json.loads(line) for line in data.splitlines()]
    for task in tasks:
        if given := answers.get(task["case_id"]):
            verdict = given.get("verdict", "")
            task["answer"] = "ignore" if verdict == "unsure" else "accept"
            task["accept"] = [verdict] if verdict else []
            task["user_input"] = given.get("label", "")
            task["_annotator_id"] = given.get("labelled_by", "")
    return b"".join(orjson.dumps(task) + b"\n" for task in tasks)


FILL: Mapping[str, Callable[[bytes, Answers], bytes]] = {
    "csv": fill_csv, "jsonl": fill_jsonl, "xlsx": fill_xlsx, "label-studio": fill_label_studio, "prodigy": fill_prodigy,
}  # fmt: skip


def put(folder: Path, tool: LabelTool, data: bytes) -> str:
    path = folder / tool.queue_name
    path.write_bytes(data)
    return str(path)


@pytest.fixture(params=LABEL_TOOLS.built_in)
def tool(request: pytest.FixtureRequest) -> LabelTool:
    return LABEL_TOOLS[request.param]


def test_every_tool_has_a_suffix_of_its_own_and_a_way_to_be_filled_in() -> None:
    assert FILL.keys() == LABEL_TOOLS.built_in.keys()
    tools = list(LABEL_TOOLS.built_in.items())
    assert len({tool.suffix for _, tool in tools}) == len(tools)
    for name, tool in tools:
        assert tool.name == name
        assert tool.suffix.startswith(".")
        assert tool.suffix == tool.suffix.lower()
        assert "\n" not in tool.description
        assert tool_of(Path("x/0001" + tool.suffix)) is tool


def test_labels_come_back_as_they_were_given(tool: LabelTool, tmp_path: Path) -> None:
    rows = rows_of(HOSTILE)
    answers = {f"c{n}": {"label": text, "labelled_by": "ana"} for n, text in enumerate(HOSTILE)}
    answers["c0"] = {"verdict": "fail", "label": "the right one"}
    answers["c1"] = {"verdict": "unsure"}
    del answers["c2"]
    data = FILL[tool.name](b"".join(tool.write(rows)), answers)
    labels = read_labels([put(tmp_path, tool, data)])
    assert labels.rejected == ()
    assert labels.unsure == ("c1",)
    assert labels.failures == {"c0": 1}
    typed = [
        text.replace("\r\n", "\n")[:32_767] if tool.name == "xlsx" else text for text in HOSTILE
    ]  # all that a cell holds
    assert labels.texts == {"c0": "the right one"} | {f"c{n}": typed[n] for n in range(3, len(HOSTILE))}
    assert {label.slice for label in labels.labels.values()} == {"random"}
    assert {label.probability for label in labels.labels.values()} == {0.25}
    assert labels.labels["c5"].by == "ana"


def test_a_queue_that_was_not_touched_holds_no_label(tool: LabelTool, tmp_path: Path) -> None:
    for rows in ([], rows_of(HOSTILE)):
        path = put(tmp_path, tool, b"".join(tool.write(rows)))
        assert not read_labels([path]).touched
        assert queues_in(tmp_path) == [Path(path)]
        assert archive_labels(tmp_path) == []


def test_a_filled_queue_is_archived_once_and_still_read(tool: LabelTool, tmp_path: Path) -> None:
    data = FILL[tool.name](b"".join(tool.write(rows_of(["a", "b"]))), {"c1": {"verdict": "pass"}})
    put(tmp_path, tool, data)
    assert archive_labels(tmp_path) == [tmp_path / "labels" / f"0001{tool.suffix}"]
    assert archive_labels(tmp_path) == []
    assert read_labels(archived_labels(tmp_path)).failures == {"c1": 0}


def test_the_archive_of_a_tool_that_is_gone_is_not_overwritten(tool: LabelTool, tmp_path: Path) -> None:
    data = FILL[tool.name](b"".join(tool.write(rows_of(["a", "b"]))), {"c1": {"verdict": "pass"}})
    put(tmp_path, tool, data)
    (tmp_path / "labels").mkdir()
    for name in ("0001.gone", f"0002{tool.suffix}"):
        (tmp_path / "labels" / name).write_bytes(tool.name.encode() if name.endswith("gone") else b"")
    assert archive_labels(tmp_path) == [tmp_path / "labels" / f"0003{tool.suffix}"]
    assert (tmp_path / "labels" / f"0002{tool.suffix}").read_bytes() == b""


def documented_tool() -> LabelTool:
    """The tool of the example in the documentation of the registry."""
    code = (curator.labels.__doc__ or "").partition("\n    def write")[2].partition("\n\n`labelling.tools`")[0]
    names: dict[str, Any] = {
        "Iterable": Iterable, "Iterator": Iterator, "QueueRow": QueueRow, "Path": Path, "Label": Label, "Source": Source,
        "LabelTool": LabelTool, "orjson": orjson,
    }  # fmt: skip
    exec(textwrap.dedent("    def write" + code), names)  # noqa: S102
    documented: LabelTool = names["TOOL"]
    return documented


def test_the_documented_tool_of_another_package_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = documented_tool()
    point = EntryPoint("my-tool", "toy_label_tool:TOOL", "curator.label_tools")
    monkeypatch.setitem(sys.modules, "toy_label_tool", SimpleNamespace(TOOL=mine))
    registry = Registry(
        "label tool", LabelTool, LABEL_TOOLS.built_in, group="curator.label_tools", find=lambda _: [point]
    )
    monkeypatch.setattr(curator.labels, "LABEL_TOOLS", registry)
    assert chosen_tools(LabellingConfig(tools=("my-tool",)).tools)[-1] is mine
    rows = [replace(row, annotator="ana") for row in rows_of(["a", "b"])]
    path = tmp_path / mine.queue_name
    path.write_bytes(b"".join(mine.write(rows)).replace(b'"good":null', b'"good":false', 1))
    assert read_labels([str(path)]).failures == {rows[0].case_id: 1}
    path.write_bytes(b"{}\n")
    (rejected,) = read_labels([str(path)]).rejected
    assert "the label tool 'my-tool' cannot read the file (KeyError: 'good')" in rejected.reason
    refusing = replace(mine, read=lambda _: [RecordError("unfit", "mend it").at("the tool's own export", 3)])
    monkeypatch.setitem(sys.modules, "toy_label_tool", SimpleNamespace(TOOL=refusing))
    registry = Registry(
        "label tool", LabelTool, LABEL_TOOLS.built_in, group="curator.label_tools", find=lambda _: [point]
    )
    monkeypatch.setattr(curator.labels, "LABEL_TOOLS", registry)
    queue = put(tmp_path, CSV, b"case_id,verdict\nc1,perhaps\n")
    assert [row.source for row in read_labels([str(path), queue]).rejected] == [
        Source(queue, 2), Source("the tool's own export", 3),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="unknown label tool 'theirs'"):
        chosen_tools(["theirs"])
