"""A made-up log as a log file, and a local endpoint that serves its committee's answers."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.clustering.made_up import MadeUpCase
from benchmarks.common.mock_server import Connection, Reply, failure, response
from curator.records.recorded import Answered

_MARK = "Prompt variant: "
_TEMPLATE = """---
id: {name}
version: 1
changes: Its name at the end of the system prompt.
answer: {{read: whole}}
---
[system]
{{{{ system }}}}

{mark}{name}

[user]
{{{{ user }}}}
"""


def write_log(cases: Iterable[MadeUpCase], path: Path) -> None:
    """Write the cases as JSONL of chat-completions request/response pairs."""
    with path.open("wb") as file:
        for number, case in enumerate(cases):
            row: dict[str, object] = {
                "id": f"r{number}",
                "request": {"model": "assistant", "messages": [message.as_openai() for message in case.messages]},
                "response": {"choices": [_choice(case.target)]},
                "metadata": {"task": case.task} if case.task else {},
            }
            if case.label is not None:
                row["label"] = case.label
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def write_variants(cases: Sequence[MadeUpCase], folder: Path) -> tuple[str, ...]:
    """Write a prompt variant for each one of the committee, and return their names; its name marks a request."""
    names = tuple(dict.fromkeys(member_of(answer)[1] for answer in cases[0].answers))
    folder.mkdir()
    for name in names:
        (folder / f"{name}.md").write_text(_TEMPLATE.format(name=name, mark=_MARK), encoding="utf-8")
    return names


class RecordedCommittee:
    """An endpoint that answers each request as the member did that the request names.

    The repeats of one request get the member's answers in turn.
    """

    def __init__(self, cases: Iterable[MadeUpCase]) -> None:
        self._answers: dict[tuple[str, str, str, float | None], list[str]] = {}
        self._asked: dict[tuple[str, str, str, float | None], int] = {}
        asked: set[str] = set()
        for case in cases:
            digest = _digest([(m.role, m.content) for m in case.messages])
            if digest in asked:  # the first record of an input is the one that is kept
                continue
            asked.add(digest)
            for answer in case.answers:
                key = (digest, *member_of(answer), answer.temperature)
                self._answers.setdefault(key, []).append(answer.text)

    def handle(self, method: bytes, target: bytes, body: bytes, now: float) -> Reply:
        """Return the reply to a request of a chat completion."""
        del method, target, now
        content = orjson.loads(body)
        turns = [(m["role"], m.get("content") or "") for m in content["messages"]]
        system = next((text for role, text in turns if role == "system"), "")
        mark = re.search(rf"{_MARK}(\S+)\s*$", system)
        key = (_digest(turns), content["model"], mark[1] if mark else "", content.get("temperature"))
        answers = self._answers.get(key)
        if answers is None:
            return Reply(failure(400, f"no answer was recorded for {key}", "not_recorded"))
        place = self._asked[key] = self._asked.get(key, -1) + 1
        completion = {
            "id": f"chatcmpl-{place}",
            "object": "chat.completion",
            "model": content["model"],
            "choices": [_choice(answers[place % len(answers)])],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
        return Reply(response(200, completion))


@contextmanager
def served(committee: RecordedCommittee) -> Iterator[str]:
    """Serve a committee in a thread, and yield its base URL."""
    ready: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(committee, ready)), daemon=True)
    thread.start()
    port, stop = ready.get(timeout=30)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        stop()
        thread.join()


async def _serve(committee: RecordedCommittee, ready: queue.Queue[tuple[int, Callable[[], object]]]) -> None:
    """Serve until the function is called that is put into the queue, beside the port."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    connections: list[_Connection] = []
    server = await loop.create_server(lambda: _Connection(committee, loop, connections), "127.0.0.1", 0, backlog=1024)
    async with server:
        ready.put((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(ended.set)))
        await ended.wait()
    for connection in connections:
        connection.close()
    await asyncio.sleep(0)  # the transports end in the next turn of the loop


class _Connection(Connection):
    """A connection that the server can close."""

    def __init__(
        self, committee: RecordedCommittee, loop: asyncio.AbstractEventLoop, connections: list[_Connection]
    ) -> None:
        super().__init__(committee, loop)
        connections.append(self)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def committee_config(cases: Sequence[MadeUpCase], base_url: str, prompts: Path) -> dict[str, Any]:
    """Return the `committee` section of a config that asks for every answer of the cases.

    Raises:
        ValueError: the members are not all models x variants x temperatures.
    """
    answers = cases[0].answers
    models = tuple(dict.fromkeys(member_of(answer)[0] for answer in answers))
    variants = write_variants(cases, prompts)
    temperatures = tuple(dict.fromkeys(answer.temperature for answer in answers))
    members = len(models) * len(variants) * len(temperatures)
    if len(answers) % members:
        raise ValueError(f"{len(answers)} answers are not repeats of {members} members")
    return {
        "models": [
            {
                "name": model, "model": model, "base_url": base_url, "price": {"input": 0.0, "output": 0.0},
                "group_repeats": False, "concurrency": 32,
            }
            for model in models
        ],
        "variants": list(variants),
        "temperatures": list(temperatures),
        "repeats": len(answers) // members,
        "prompts": str(prompts),
    }  # fmt: skip


def _choice(text: str) -> dict[str, object]:
    """Return an answer as a choice of a completion; a call of tools as an endpoint writes it."""
    message: dict[str, object] = {"role": "assistant", "content": text}
    if text.startswith('{"tool_calls"'):
        calls = orjson.loads(text)["tool_calls"]
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": f"call_{number}",
                    "type": "function",
                    "function": {"name": call["name"], "arguments": orjson.dumps(call["arguments"]).decode()},
                }
                for number, call in enumerate(calls)
            ],
        }
    return {"index": 0, "message": message, "finish_reason": "tool_calls" if message["content"] is None else "stop"}


def member_of(answer: Answered) -> tuple[str, str]:
    """Return the model and the prompt variant of an answer; `plain` where it names no variant."""
    model, _, variant = answer.prompt_id.partition("/")
    return model, variant or "plain"


def _digest(turns: Sequence[tuple[str, str]]) -> str:
    """Return the identity of a conversation; the mark of a variant in its system prompt does not count."""
    spoken = [(role, re.sub(rf"\s*{_MARK}\S+\s*$", "", text).strip()) for role, text in turns]
    return hashlib.sha256(orjson.dumps([turn for turn in spoken if turn != ("system", "")])).hexdigest()
