"""Whole conversations in each record, in the words of every product: one case for each answer, none counted twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.readers.conversations import ASSUMED, BRANCHES
from curator.readers.tools import plain_tools
from curator.records import Case
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"
TEXTS = ("Where is it?", "On its way.", "When?", "On Monday.")
RIGHT = [
    (["user: Where is it?", "assistant: On its way.", "user: When?"], "On Monday."),
    (["user: Where is it?"], "On its way."),
]


def read(tmp_path: Path, *records: Any, **options: Any) -> list[Case]:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return read_all([file], **options)[0]


def exchanges(cases: list[Case]) -> list[tuple[list[str], str | None]]:
    return [([f"{m.role}: {m.content}" for m in case.messages], case.target) for case in cases]


def turns(speaker: str, user: Any, bot: Any, text: str) -> list[dict[str, Any]]:
    return [{speaker: (user, bot)[place % 2], text: said} for place, said in enumerate(TEXTS)]


def tree() -> dict[str, Any]:
    nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": ["0"]}}
    for place, text in enumerate(TEXTS):
        message = {
            "author": {"role": ("user", "assistant")[place % 2]},
            "content": {"content_type": "text", "parts": [text]},
        }
        parent = str(place - 1) if place else "root"
        nodes[str(place)] = {"id": str(place), "message": message, "parent": parent, "children": [str(place + 1)]}
    return {"title": "T", "mapping": nodes, "current_node": "3", "conversation_id": "c"}


@pytest.mark.parametrize(
    "record",
    [
        {"messages": turns("role", "user", "assistant", "content")},
        {"conversations": turns("from", "human", "gpt", "value")},
        {"conversation": turns("role", "user", "assistant", "content"), "model": "m", "toxic": False},
        {"chat_messages": turns("sender", "human", "assistant", "text"), "uuid": "u"},
        {"dialogue": turns("speaker", "Customer", "Agent", "utterance")},
        {"talk": turns("isUser", True, False, "text")},
        {"history": [TEXTS[:2], TEXTS[2:]]},
        {"turns": [{"user": TEXTS[0], "bot": TEXTS[1]}, {"user": TEXTS[2], "bot": TEXTS[3]}]},
        {"exchanges": [{"question": TEXTS[0], "answer": TEXTS[1]}, {"question": TEXTS[2], "answer": TEXTS[3]}]},
        {"dialog": list(TEXTS)},
        {"contents": [{"role": ("user", "model")[n % 2], "parts": [{"text": said}]} for n, said in enumerate(TEXTS)]},
        {"messages": orjson.dumps(turns("role", "user", "assistant", "content")).decode()},
        {
            "chosen": turns("role", "user", "assistant", "content"),
            "rejected": turns("role", "user", "assistant", "content"),
        },
        {"messages": [{"message": each} for each in turns("role", "user", "assistant", "content")]},
        tree(),
    ],
    ids="-".join,
)
def test_each_answer_of_a_conversation_is_a_case(tmp_path: Path, record: dict[str, Any]) -> None:
    cases = read(tmp_path, record)
    assert exchanges(cases) == RIGHT
    assert [case.further for case in cases] == [False, True]
    assert exchanges(read(tmp_path, record, turns="last")) == RIGHT[:1]


def test_a_system_prompt_beside_the_turns_and_the_tools_are_kept(tmp_path: Path) -> None:
    tool = {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}
    record = {
        "system": "Be brief.",
        "tools": [{"id": "t", **tool}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Let me look."}]},
            {"role": "assistant", "content": [{"type": "tool_call", "tool_call": {"id": "c", "function": {"name": "find", "arguments": {"n": 7}}}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "tool_result", "tool_result": "gone"}]},
            {"role": "assistant", "content": "It is gone."},
        ],
    }  # fmt: skip
    last, first = read(tmp_path, record)
    assert [message.role for message in last.messages] == ["system", "user", "assistant", "tool"]
    call, result = last.messages[2], last.messages[3]
    assert (call.content, call.tool_calls[0].name, call.tool_calls[0].arguments) == ("Let me look.", "find", '{"n":7}')
    assert (result.tool_call_id, result.content) == ("c", "gone")
    assert last.target == "It is gone."
    assert first.system == "Be brief."
    assert last.options["tools"] == [{"type": "function", "function": tool}]


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        [{"name": "f", "input_schema": {"type": "object"}}],
        [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
        [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object"}}]}],
        '[{"name": "f", "parameters": {"type": "object"}}]',
    ],
)
def test_tools_of_every_api_are_one(tools: Any) -> None:
    assert plain_tools(tools) == [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def test_what_is_said_of_one_answer_stays_with_it(tmp_path: Path) -> None:
    record = {"conversation_id": "c", "user_id": "u", "messages": turns("role", "user", "assistant", "content")}
    record["messages"][1] |= {"feedback": "thumbs_up", "model": "m1", "id": "x1", "timestamp": 1_700_000_000}
    record["messages"][3] |= {"feedback": "thumbs_down", "model": "m2", "note": "rude"}
    last, first = read(tmp_path, record)
    assert (first.feedback and first.feedback.thumb, last.feedback and last.feedback.thumb) == ("up", "down")
    assert (first.model, first.log_id, first.time, last.model) == ("m1", "x1", 1_700_000_000, "m2")
    assert first.session == last.session is not None
    assert first.user_id == last.user_id is not None
    account = read_all([tmp_path / "a.jsonl"])[1].account
    assert list(account.unused) == ["messages[].note"]


def so_far(count: int, **more: Any) -> dict[str, Any]:
    return {"messages": turns("role", "user", "assistant", "content")[:count], **more}


def test_a_log_that_repeats_the_conversation_so_far_gives_each_answer_once(tmp_path: Path) -> None:
    for records in (
        (so_far(2), so_far(4)),
        (so_far(4), so_far(2)),
        (so_far(4, session_id="s"), so_far(4, session_id="s")),
    ):
        cases = read(tmp_path, *records)
        assert sum(case.target == "On its way." for case in cases) == 1


def test_the_same_first_turn_of_many_users_counts_for_each(tmp_path: Path) -> None:
    def hello(answer: str) -> dict[str, Any]:
        said = ["Hi", "Hello!", answer, f"about {answer}"]
        return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]}

    cases = read(tmp_path, *(hello(topic) for topic in ("tea", "rice", "salt")), so_far(4))
    assert sum(case.target == "Hello!" for case in cases) == 3


def test_assumptions_are_noted(tmp_path: Path) -> None:
    branched = tree()
    branched["mapping"]["0"]["children"].append("other")
    file = tmp_path / "a.jsonl"
    file.write_bytes(orjson.dumps({"dialog": list(TEXTS)}) + b"\n" + orjson.dumps(branched) + b"\n")
    assert set(read_all([file])[1].account.notes) == {ASSUMED, BRANCHES}


def test_transcripts_of_agents() -> None:
    cases, reading, _ = read_all([DATA / "agent_claude.jsonl", DATA / "agent_codex.jsonl"])
    first, second, failed = [case for case in cases if case.source.file.endswith("claude.jsonl")]
    assert orjson.loads(first.target or "")["content"] == "Reading"
    assert [call["name"] for call in orjson.loads(first.target or "")["tool_calls"]] == ["Read", "Read"]
    assert (second.target, failed.target) == ("Done", None)
    done = next(case for case in cases if case.target == "Done")
    assert [(message.role, message.content) for message in done.messages] == [
        ("user", "Fix it"), ("assistant", "Reading"), ("tool", "one"), ("tool", "two"),
    ]  # fmt: skip
    assert [call.id for call in done.messages[1].tool_calls] == ["t1", "t2"]
    assert sum(case.failed_call for case in cases) == 1
    *_, codex = cases
    assert [message.role for message in codex.messages] == ["system", "system", "user", "assistant", "tool"]
    assert any("neither the system prompt nor the tools" in note for note in reading.account.notes)


@pytest.mark.parametrize(
    ("record", "asked", "target"),
    [
        ({"instruction": "Sum up", "input": "A long text.", "output": "Long."}, "Sum up\n\nA long text.", "Long."),
        ({"instruction": "Name a colour", "input": "", "output": "Red"}, "Name a colour", "Red"),
        ({"prompt": "Say x", "completion": " x"}, "Say x", " x"),
        ({"question": "How many?", "answer": "7", "id": "q1"}, "How many?", "7"),
        ({"prompt": "Say x", "chosen": "x", "rejected": "no"}, "Say x", "x"),
        ({"Customer message": "Hi", "Bot reply": "Hello"}, "Hi", "Hello"),
        ({"userQuery": "x y", "modelResponse": "z", "latency_ms": 1500}, "x y", "z"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_data_sets_of_questions_and_answers(tmp_path: Path, record: dict[str, Any], asked: str, target: str) -> None:
    (case,) = read(tmp_path, record)
    assert (case.user, case.target) == (asked, target)
