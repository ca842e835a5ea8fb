"""Each remedy for a log record is provoked, and followed: what it says leads to the right data."""

from __future__ import annotations

import ast
import gzip
import io
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

import curator.io
import curator.readers
from curator.records import RejectedRecord
from tests.readers.reading_kit import read_all
from tests.readers.test_remedies import options_in

Q, A = "Where?", "Here."
ASKED = {"role": "user", "content": Q}
DONE = {"choices": [{"message": {"role": "assistant", "content": A}, "finish_reason": "stop"}]}
RIGHT = {"request": {"messages": [ASKED]}, "response": DONE}
MESSAGES = {"messages": [ASKED, {"role": "assistant", "content": A}]}
LINE = orjson.dumps(RIGHT).decode()
PRETTY = orjson.dumps(RIGHT, option=orjson.OPT_INDENT_2).decode()


def request(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"request": {"messages": [*messages], **more}, "response": DONE}


@dataclass(frozen=True)
class Followed:
    """A log with a fault, and what becomes of it when its remedy is followed.

    Attributes:
        says: a part of the remedy.
        broken: the records, or the bytes of the file.
        mended: the same after the remedy was followed; None where only the options change.
        options: of the reading after it; None where the snippet in the remedy gives them.
        before: the options of the first reading.
    """

    says: str
    broken: Any
    mended: Any = None
    options: dict[str, Any] | None = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    name: str = "a.jsonl"
    after: str = ""
    right: str = A


PART = {"type": "text", "text": Q}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
MAPPED = {"mapping": {"input": "ask", "target": "told"}}
TURN = {"mapping": {"input": "text", "role": "who", "session": "room"}}
OTLP = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat m"}
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
TALK = [{"session_id": "s", "role": role, "message": text} for role, text in (("user", Q), ("assistant", A))]


def span(attributes: dict[str, str], *, asked: str = "", told: str = "") -> dict[str, Any]:
    """A batch of OTLP with one span, whose content was captured or not."""
    texts = [("gen_ai.input.messages", "user", asked), ("gen_ai.output.messages", "assistant", told)]
    content = {
        key: orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()
        for key, role, text in texts
        if text
    }
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in {**attributes, **content}.items()]
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{**OTLP, "attributes": listed}]}]}]}


MANY = [{"room": n // 2, "who": ("user", "assistant")[n % 2], "text": (Q, A)[n % 2]} for n in range(600)]
LATIN = f"{LINE}\n{LINE}\n".replace(A, "H\xe9re.").encode("cp1252")
GENERATION = {"id": "o", "trace_id": "t", "type": "GENERATION", "start_time": "2026-01-01T00:00:00Z"}
MEDIA = {"type": "text", "text": "@@@langfuseMedia:type=image/png|id=x|source=bytes@@@"}


def zipped(*texts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.jsonl", text)
    return content.getvalue()


def tarred(text: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("a.jsonl")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": A}, "finish_reason": "stop"}]}

FOLLOWED = [
    Followed(
        "log the whole stream in one record",
        [{"request_id": "r", "request": RIGHT["request"]}, {"request_id": "r", "chunk": CHUNK}],
        [RIGHT | {"response": [CHUNK]}],
    ),
    Followed("log the whole answer as text", [RIGHT | {"response": 'data: {"x": 1}\n\ndata: {"x": 2}\n'}], [RIGHT | {"response": A}]),
    Followed("the object's JSON", [RIGHT | {"response": "<x.y.Completion object at 0x7f>"}], [RIGHT]),
    Followed("log the list: ", [{"messages": {"role": "user"}}], [MESSAGES]),
    Followed("log the whole request, with at least one message", [request({"role": "system", "content": "Be kind."})], [RIGHT]),
    Followed("log the text that the user sent", [request({"role": "user", "content": " "})], [RIGHT]),
    Followed('log {"role": "user", "content": "..."}', [request(3)], [request(ASKED)]),
    Followed("the roles are ", [request({"role": "robot", "content": Q})], [RIGHT]),
    Followed("the roles are ", [request({"content": Q})], [RIGHT]),
    Followed("log it as a string, or as a list of parts", [request({"role": "user", "content": 5})], [request({"role": "user", "content": [PART]})]),
    Followed("log parts as the API takes them", [request({"role": "user", "content": [5]})], [request({"role": "user", "content": [PART]})]),
    Followed('log {"type": "text", "text": "..."}', [request({"role": "user", "content": [{"type": "text"}]})], [request({"role": "user", "content": [PART]})]),
    Followed("or leave such records out of the logs: all others are used", [request({"role": "user", "content": [{"type": "hologram", "x": 1}]})], [request({"role": "user", "content": [PART]})]),
    Followed("log what it says as a part of type `text`", [request({"role": "user", "content": [IMAGE]})], [request({"role": "user", "content": [PART]})]),
    Followed("log it as the API gives it", [request(ASKED, {"role": "assistant", "tool_calls": "f"}, {"role": "user", "content": Q})], [RIGHT]),
    Followed("log `tool_calls` as the API gives them", [request({"role": "assistant", "tool_calls": [{"id": "k"}]}, ASKED)], [RIGHT]),
    Followed("log request and response in one record", [{"response": DONE, "custom": 1}], [RIGHT]),
    Followed("read the file of the requests in the same run", [{"custom_id": "k", "response": {"status_code": 200, "body": DONE}, "error": None}], [{"custom_id": "k", "response": {"status_code": 200, "body": DONE}, "error": None}, {"custom_id": "k", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [ASKED]}}]),
    Followed("log the whole input of each request: `GET", [{"request": {"model": "m", "previous_response_id": "r", "input": Q}, "response": DONE}], [{"request": {"model": "m", "input": [ASKED]}, "response": DONE}]),
    Followed("log the whole input of each request: `GET", [{"request": {"model": "m", "input": [{"type": "item_reference", "id": "x"}, ASKED]}, "response": DONE}], [{"request": {"model": "m", "input": [ASKED]}, "response": DONE}]),
    Followed("the text of the template with its variables", [{"request": {"model": "m", "prompt": {"id": "pmpt_1"}}, "response": DONE}], [{"request": {"model": "m", "input": Q}, "response": DONE}]),
    Followed("log one request for each of them", [{"request": {"model": "m", "prompt": ["One?", "Two?"]}, "response": DONE}], [{"request": {"model": "m", "prompt": Q}, "response": DONE}]),
    Followed("log the text that the tokens were made of", [{"request": {"model": "m", "prompt": [1, 2, 3]}, "response": DONE}], [{"request": {"model": "m", "prompt": Q}, "response": DONE}]),
    Followed("log it as text or as a chat completion", [{"request": {"messages": [ASKED]}, "response": {"x": {"y": 1}}}], [RIGHT]),
    Followed("log the response as the API gives it", [{"request": {"messages": [ASKED]}, "response": {"choices": ["x"]}}], [RIGHT]),
    Followed("turn off its message redaction", [{"litellm_call_id": "u", "call_type": "acompletion", "messages": [{"role": "user", "content": "redacted-by-litellm"}], "response": DONE}], [{"litellm_call_id": "u", "call_type": "acompletion", "messages": [ASKED], "response": DONE}]),
    Followed("name the key that holds the user's text", [{"subject": Q, "agent_text": A}] * 2, None, None),
    Followed("name the column that holds the user's text", f"Subject line,agent text\n{Q},{A}\n".encode(), None, None, name="a.csv"),
    Followed("if it is CSV with the one column", f"subject\n{Q}\n".encode(), None, None, name="a.csv", after="no answer"),
    Followed("name the key of the user's text", [{"x": 5}], [{"x": Q, "y": A}], {"mapping": {"input": "x", "target": "y"}}, {"format": "pairs"}),
    Followed("set `logs.mapping.input` to the key", [{"question": Q, "told": A}], None, {"mapping": {"input": "question", "target": "told"}}, {"mapping": {"input": "quest", "target": "told"}, "format": "mapped"}),
    Followed("log the text that the user sent, or leave", [{"ask": None, "told": A}], [{"ask": Q, "told": A}], MAPPED, MAPPED),
    Followed("map a text or a list of messages", [{"ask": {"text": Q, "n": 1}, "told": A}], None, {"mapping": {"input": "ask.text", "target": "told"}}, MAPPED),
    Followed("log who said each turn", [{"room": "r", "who": "", "text": Q}], [{"room": "r", "who": "user", "text": Q}, {"room": "r", "who": "assistant", "text": A}], TURN, TURN),
    Followed("say beside `role` who it is", [{"room": "r", "who": "Anna", "text": Q}, {"room": "r", "who": "assistant", "text": A}], None, {"mapping": {**TURN["mapping"], "roles": {"Anna": "user"}}}, TURN),
    Followed("log each turn with its speaker", [{"n": 1}], [MESSAGES], {}, {"format": "conversations"}),
    Followed("export observations with their `id`", [{"n": 1}], [{"id": "o", "trace_id": "t", "type": "GENERATION", "input": [ASKED], "output": A}], {}, {"format": "langfuse"}),
    Followed("export runs with their `id`", [{"n": 1}], [{"id": "r", "trace_id": "r", "run_type": "llm", "inputs": {"messages": [ASKED]}, "outputs": DONE}], {}, {"format": "langsmith"}),
    Followed("export whole spans, as OTLP JSON has them", [{"n": 1}], [RIGHT], {}, {"format": "otlp"}),
    Followed("write traces with `Trace.to_json`", [RIGHT], [RIGHT], {}, {"format": "mlflow"}),
    Followed("export the whole spans of a trace", [{"trace_id": "t", "spans": [{"x": 1}]}], [RIGHT], {}, {"format": "phoenix"}),
    Followed("write whole traces, as `Trace.to_json`", [{"info": {"trace_id": "t"}, "data": {"spans": [{"x": 1}]}}], [RIGHT], {}, {"format": "mlflow"}),
    Followed("export the runs with their bodies", [{"id": 1, "inputs_s3_urls": {"a": "b"}, "run_type": "llm", "trace_id": "t"}], [{"id": "r", "trace_id": "r", "run_type": "llm", "inputs": {"messages": [ASKED]}, "outputs": DONE}], {}, {"format": "langsmith"}),
    Followed("turn on the capture of content in the tracer", [span(CALL)], [span(CALL, asked=Q, told=A)]),
    Followed("repair the earlier turn, or leave it", [*TALK, {**TALK[0], "message": {"x": 5}}, TALK[1]], TALK),
    Followed("write one object per line: `jq -c '.[]'", f"{LINE}\n[{LINE}]\n".encode(), f"{LINE}\n".encode()),
    Followed("each line is one record, as a JSON object", f"{LINE}\n5\n".encode(), f"{LINE}\n".encode()),
    Followed("log rotation by copy-and-truncate leaves them", b"\0\0\0" + LINE.encode() + b"\n", f"{LINE}\n".encode()),
    Followed("let it cut at characters", f"{LINE}\n".encode() + rb'{"messages": "\ud83d"}' + b"\n", f"{LINE}\n".encode()),
    Followed("take out a record that was cut off", f"{LINE}\n{LINE[:30]}\n".encode(), f"{LINE}\n".encode()),
    Followed("write one record per line: `jq -c .", f"{LINE}\n{LINE} {LINE}\n".encode(), f"{LINE}\n".encode()),
    Followed("each line is one whole JSON object", f"{LINE}\n{{'a': 1}}\n".encode(), f"{LINE}\n".encode()),
    Followed("put a cell that holds the delimiter", f"ask,told\nWhere, now?,{A}\n".encode(), f'ask,told\n"{Q}",{A}\n'.encode(), MAPPED, MAPPED, name="a.csv"),
    Followed("files are best joined without their headers", f"ask,told\n{Q},{A}\nask,told\n".encode(), f"ask,told\n{Q},{A}\n".encode(), MAPPED, MAPPED, name="a.csv"),
    Followed("put the content of that file in its place", [{"request": {"messages": [ASKED]}, "response": {"uri": "s3://b/k.json"}}], [RIGHT]),
    Followed("the records before this one were read", f"[{LINE}, {LINE[:40]}".encode(), f"[{LINE}]".encode(), name="a.json"),
    Followed("fix it by hand, or take the record out", PRETTY.replace(f'"{Q}"', f'"{Q}').encode(), PRETTY.encode(), name="a.json"),
    Followed("write the records as JSON objects", b"[1,\n2]", f"[{LINE}]".encode(), name="a.json"),
    Followed("write the file as UTF-8, or name the encoding", LATIN, None, None, {"encoding": "utf-8"}, right="H\xe9re."),
    Followed("log the messages of the call", [{**GENERATION, "input": {"n": 5}, "output": A}], [{**GENERATION, "input": [ASKED], "output": A}]),
    Followed("log what it says as text in its place", [{**GENERATION, "input": [{"role": "user", "content": [MEDIA]}], "output": A}], [{**GENERATION, "input": [ASKED], "output": A}]),
    Followed("this is a log of turns", [TALK[0], {**TALK[1], "role": "assistant"}], None, None, {"format": "mapped", "mapping": {"input": "message"}}),
    Followed("put a cell that holds quotes in quotes", b'ask,told\n"Where?" now,Here.\n', b'ask,told\n"Where?",Here.\n', MAPPED, MAPPED, name="a.csv"),
    Followed("put the cell in quotes", b"ask,told\nWhe\rre?,Here.\n", b"ask,told\nWhere?,Here.\n", MAPPED, MAPPED, name="a.csv"),
    Followed("take them out: `tr", b"ask,told\nWhe\0re?,Here.\n", b"ask,told\nWhere?,Here.\n", MAPPED, MAPPED, name="a.csv"),
    Followed("say whose turns they are in", [{"messages": [{"role": "alien", "content": Q}, {"role": "assistant", "content": A}, ASKED, {"role": "assistant", "content": A}]}], [{"messages": [ASKED, {"role": "assistant", "content": A}]}], name="a.json"),
    Followed("copy the file again from where it was written", b"PK\x03\x04abcdef", f"{LINE}\n".encode(), name="a.xlsx"),
    Followed("what stands before the cut was read", gzip.compress(f"{LINE}\n".encode() * 200)[:60], gzip.compress(f"{LINE}\n".encode()), name="a.jsonl.gz"),
    Followed("unpack it and name the folder: `unzip", zipped(LINE, LINE), f"{LINE}\n".encode(), name="a.zip"),
    Followed("unpack it, and name the unpacked files", tarred(LINE), f"{LINE}\n".encode(), name="a.tar"),
    Followed("the rows before this one were read", b"PAR1xxxxPAR1", f"{LINE}\n".encode(), name="a.parquet"),
    Followed("export the calls with their input and output", [{**GENERATION, "input": None, "output": A}], [{**GENERATION, "input": [ASKED], "output": A}], {}, {"format": "langfuse"}),
    Followed("name the key that all turns of a conversation share", MANY, None, {"mapping": {**TURN["mapping"]}}, {"mapping": {"input": "text", "role": "who"}}),
    Followed("log each turn with its `role`", [{"messages": [ASKED, {"text": "x"}, {"role": "assistant", "content": A}]}], [MESSAGES], name="a.json"),
    Followed("capture data of endpoints that take and give JSON", [{"captureData": {"endpointInput": {"data": "!", "encoding": "BASE64"}}}], [{"captureData": {"endpointInput": {"data": f'{{"inputs": "{Q}"}}', "encoding": "JSON"}, "endpointOutput": {"data": f'[{{"generated_text": "{A}"}}]', "encoding": "JSON"}}}]),
    Followed("write the text again into the file", [{"ask": "#REF!", "told": A}], [{"ask": Q, "told": A}], MAPPED, MAPPED),
    Followed("let the logger keep whole responses", [{"request": {"messages": [ASKED]}, "response": orjson.dumps(DONE).decode()[:40]}], [RIGHT]),
    Followed("raise `logs: {max_record_mb: ...}`", f"{LINE}\n".encode(), None, {}, {"max_record_mb": 0.0001}),
]  # fmt: skip


def files_of(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else b"".join(orjson.dumps(row) + b"\n" for row in content))
    return file


def remedies_of(entry: Followed, folder: Path) -> list[str]:
    file = files_of(folder, entry.name, entry.broken)
    return [result.remedy for result in read_all([file], **entry.before)[2] if isinstance(result, RejectedRecord)]


@pytest.mark.parametrize("entry", FOLLOWED, ids=lambda entry: re.sub(r"\W+", "-", entry.says)[:50])
def test_a_remedy_that_is_followed_leads_to_the_right_data(entry: Followed, tmp_path: Path) -> None:
    remedies = [remedy for remedy in remedies_of(entry, tmp_path) if entry.says in remedy]
    assert remedies
    file = tmp_path / entry.name
    if entry.mended is not None:
        files_of(tmp_path, entry.name, entry.mended)
    options = options_in(remedies[0]) if entry.options is None else entry.options
    cases, _, results = read_all([file], **options)
    assert cases
    assert not [result for result in results if isinstance(result, RejectedRecord)]
    assert {(case.user, case.target) for case in cases} == {(Q, None if entry.after else entry.right)}


SHELL = {
    "jq -c . FILE > NEW.jsonl": (f"{LINE} {LINE.replace(Q, 'Who?')}\n".encode(), {Q, "Who?"}, {}, "a.jsonl"),
    "jq -c '.[]' FILE > NEW.jsonl": (f"[{LINE}]\n[{LINE.replace(Q, 'Who?')}]\n".encode(), {Q, "Who?"}, {}, "a.jsonl"),
    "tr -d '\\000' < FILE > NEW": (b"\0\0" + LINE.encode() + b"\n", {Q}, {}, "a.jsonl"),
    "tr '\\r' '\\n' < FILE > NEW": (f"ask,told\r{Q},{A}\rWho?,Me.\r".encode(), {Q, "Who?"}, MAPPED, "a.csv"),
}
"""By the command of a remedy: a file for which it is meant, the questions that come out, the options, the name of the file."""


@pytest.mark.parametrize("command", SHELL)
def test_the_shell_command_of_a_remedy_makes_a_file_that_is_read_right(command: str, tmp_path: Path) -> None:
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        pytest.skip(f"{command.split(maxsplit=1)[0]} is not installed")
    content, asked, options, name = SHELL[command]
    file = files_of(tmp_path, name, content)
    made = tmp_path / f"new{file.suffix}"
    line = command.replace("FILE", str(file)).replace("NEW.jsonl", str(made)).replace("> NEW", f"> {made}")
    subprocess.run(["/bin/sh", "-c", line], check=True)
    cases, _, results = read_all([made], **options)
    assert {case.user for case in cases} == asked
    assert len(results) == len(cases)


def test_the_shell_commands_are_those_of_the_remedies() -> None:
    texts = "\n".join(template for _, template in templates())
    commands = {match.replace("\\\\", "\\") for match in re.findall(r"`((?:jq|tr|iconv) [^`]*NEW[^`]*)`", texts)}
    assert commands == set(SHELL)


ROOMS = (Path(curator.readers.__file__).parent, Path(curator.io.__file__).parent)
ELSEWHERE = {
    "eval_results.py": "tests/readers/test_eval_results.py: results of systems, which are no logs",
    "feedback.py": "tests/labels: label files",
    "questions.py": "tests/contamination: files of questions for `curator leaks`",
    "json_rows.py": "tests/run_folder: files of curator's own",
}
"""Files whose remedies are not about logs, and where they are tested."""


def templates() -> Iterator[tuple[str, str]]:
    """The remedies of the readers and of the reading of files, as (file, text); `\0` stands for each part that is filled in."""
    for path in (path for room in ROOMS for path in sorted(room.glob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
            place = {"RecordError": 1, "RejectedRecord": 2}.get(name)
            if place is None or not isinstance(call, ast.Call) or len(call.args) <= place:
                continue
            yield from ((path.name, text) for text in texts_in(call.args[place], tree))


def texts_in(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The texts that an argument may be; those of another error, which it passes on, are found there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*texts_in(node.body, tree), *texts_in(node.orelse, tree))
    elif isinstance(node, ast.Name):
        named = (each for each in tree.body if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name))
        yield from (text for each in named if each.targets[0].id == node.id for text in texts_in(each.value, tree))  # type: ignore[attr-defined]


IN_OTHER_TESTS = {
    "write the file anew from its source": "a value that pyarrow cannot convert, which none of its own files holds",
    "log the turns as a list": "no record reaches it: a value that is no list is not taken for turns",
    "fix the writer of the log: nest less deep": "no record reaches it: orjson refuses such nesting before",
    "log whole records, or name another format": "the fault of a reader: no record is known that reaches it",
    "name it as labels: ": "test_label_files.py",
    "trace it as text, as a message": "test_openinference.py",
    "close it; ": "test_table.py: damage inside of quotes, with the remedy of the damage",
    "close the quotes where it begins": "test_table.py: rows of too many lines",
    "save the table as CSV, or as another sheet": "test_workbook.py",
    "open it in a spreadsheet program": "test_workbook.py",
    "check where the file is from": "tests/io/test_bombs.py",
    "check that it exists and that you may read it": "it depends on rights, which the superuser has",
    "unpack it and name the file": "zip archives with a password, which Python cannot write",
    "name a text file; ": "no log: files that are read as text only",
    "name another folder with `--out`": "no log: the manifest of a run",
}
"""Remedies that are not followed here, with the place that provokes them, or the reason."""


def test_every_remedy_is_followed(tmp_path: Path) -> None:
    shown: set[str] = set()
    for number, entry in enumerate(FOLLOWED):
        folder = tmp_path / str(number)
        folder.mkdir()
        shown |= set(remedies_of(entry, folder))
    missing = {
        (file, text)
        for file, text in templates()
        if file not in ELSEWHERE
        and not any(text.startswith(start) for start in IN_OTHER_TESTS)
        and not any(re.fullmatch(".*".join(map(re.escape, text.split("\0"))), remedy, re.DOTALL) for remedy in shown)
    }
    assert not missing, "add an entry to FOLLOWED that provokes the remedy and follows it"


def test_no_exception_is_out_of_date() -> None:
    texts = [text for _, text in templates()]
    assert all(any(text.startswith(start) for text in texts) for start in IN_OTHER_TESTS)
