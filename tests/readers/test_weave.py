"""Calls and feedback of W&B Weave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.readers.span_kit import messages, read_lines

TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
REQUEST = {
    "model": "m",
    "max_tokens": 9,
    "tools": TOOLS,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}],
}
RESPONSE = {
    "model": "m-1",
    "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "Here."}}],
}


def call(id_: str, operation: str, inputs: Any, output: Any, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": id_, "op_name": f"weave:///team/shop/op/{operation}:0x1", "trace_id": "t", "parent_id": parent, "started_at": "2026-02-02T02:40:00Z",
        "ended_at": "2026-02-02T02:40:01Z", "inputs": inputs, "output": output, "exception": None, "attributes": {}, "summary": {}, **more,
    }  # fmt: skip


USAGE = {"summary": {"usage": {"m-1": {"prompt_tokens": 5, "completion_tokens": 2}}}}
CALLS = [
    call("a", "answer", {"q": "Where?"}, "Here.", thread_id="s", wb_user_id="u"),
    call("b", "openai.chat.completions.create", REQUEST, RESPONSE, "a", **USAGE),
    call("c", "Evaluation.evaluate", {}, {}),
    call("d", "openai.chat.completions.create", REQUEST, RESPONSE, "c"),
]
FEEDBACK = [
    {
        "feedback_type": "wandb.reaction.1",
        "payload": {"emoji": "👎", "alias": ":thumbs_down:"},
        "weave_ref": "weave:///team/shop/call/a",
    },
    {"feedback_type": "wandb.note.1", "payload": {"note": "wrong place"}, "weave_ref": "weave:///team/shop/call/b"},
    {
        "feedback_type": "wandb.runnable.relevance",
        "payload": {"output": {"score": 0.25}},
        "weave_ref": "weave:///team/shop/call/b",
    },
]


@pytest.mark.parametrize("order", [[*CALLS, *FEEDBACK], [*FEEDBACK, *CALLS]], ids=["after", "before"])
def test_calls_with_their_feedback(tmp_path: Path, order: list[Any]) -> None:
    (case,), rejected, others, reading = read_lines(tmp_path, *order)
    assert not rejected
    assert messages(case) == [("system", "Be brief."), ("user", "Where?")]
    assert (case.target, case.finish_reason, case.model, case.latency_s) == ("Here.", "length", "m-1", 1.0)
    assert case.options == {"max_tokens": 9, "tools": TOOLS}
    assert case.feedback is not None
    assert (case.feedback.thumb, case.feedback.comment) == ("down", "wrong place")
    assert {"relevance": 0.25, "input_tokens": 5, "output_tokens": 2}.items() <= case.metadata.items()
    assert case.session
    assert case.user_id
    assert others == {
        "other spans": 1,
        "evaluator spans": 1,
        "calls of evaluators": 1,
        "feedback": 2,
        "feedback of programs": 1,
    }
    assert [file.reader for file in reading.account.files.values()] == ["weave"]


def test_a_call_with_an_exception_failed(tmp_path: Path) -> None:
    line = call("b", "openai.chat.completions.create", REQUEST, None, exception="Traceback ...")
    (case,), *_ = read_lines(tmp_path, line)
    assert case.failed_call
