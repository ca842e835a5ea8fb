"""A small OpenAI-compatible server on the loopback interface, over a function.

It runs in a thread, and makes one answer at a time. The address has a secret part, since other users of the computer can reach
the loopback interface.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from curator.records import Message
from curator.trainers.ports import listening

if TYPE_CHECKING:
    from aiohttp import web

_MOST_BYTES = 2**24
_TOKENS = 512
"""The most tokens of an answer where the request sets no limit."""
_ROLES = ("system", "user", "assistant", "tool", "developer")


@dataclass(frozen=True, slots=True)
class Question:
    """A request for an answer, as far as it is understood; `seed` is None where none was sent."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    top_p: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A generated answer.

    Attributes:
        text: of the answer.
        prompt_tokens: the length of the prompt.
        tokens: the length of the answer.
        cut: the token limit ended it.
    """

    text: str
    prompt_tokens: int
    tokens: int
    cut: bool


Answer = Callable[[Question], Reply]
"""Answers a question. A ValueError says that it cannot be answered, and why."""


@contextmanager
def serving(answer: Answer, model: str, identity: str) -> Iterator[str]:
    """Serve the function for as long as the context is open; yield the base URL.

    Args:
        answer: see `Answer`; it is called in a thread of its own.
        model: the name of the model.
        identity: a secret text. Equal ones get the same address where its port is free, so that answers that are stored by address
            count again.
    """
    digest = hashlib.sha256(identity.encode()).hexdigest()
    with listening(identity) as listener:
        server = _Server(answer, model, f"/{digest[:24]}/v1")
        thread = threading.Thread(target=server.run, args=(listener,), daemon=True)
        thread.start()
        server.ready.wait()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/{digest[:24]}/v1"
        finally:
            server.stop()
            thread.join()


class _Server:
    """The server: `run` serves until `stop` is called from another thread."""

    def __init__(self, answer: Answer, model: str, path: str) -> None:
        self.ready = threading.Event()
        self._answer = answer
        self._model = model
        self._path = path
        self._one_at_a_time = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def run(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(listener))

    def stop(self) -> None:
        """End `run`, once the answer in work is done."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self, listener: socket.socket) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_post(f"{self._path}/chat/completions", self._complete)
        app.router.add_get(f"{self._path}/models", self._models)
        runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        self.ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:  # noqa: ARG002  the form of a handler
        from aiohttp import web

        return web.json_response({"object": "list", "data": [{"id": self._model, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            body = orjson.loads(await request.read())
            question = question_of(body)
            async with self._one_at_a_time:
                reply = await asyncio.to_thread(self._answer, question)
        except ValueError as error:
            problem = {"message": str(error), "type": "invalid_request_error", "code": "invalid_request"}
            return web.json_response({"error": problem}, status=400)
        return web.json_response(_completion(reply, self._model, _stops(body)))


def question_of(body: object) -> Question:
    """Read the body of a chat-completions request.

    Raises:
        ValueError: it is not one, or asks for several answers, for tools or for a stream.
    """
    if not isinstance(body, dict):
        raise ValueError("the body is not an object")  # noqa: TRY004  one error for all that a client may send
    for field in ("tools", "stream", "logprobs"):
        if body.get(field):
            raise ValueError(f"{field!r} is not supported")
    if body.get("n", 1) != 1:
        raise ValueError("one answer a request: 'n' must be 1")
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or _TOKENS
    return Question(
        _messages(body.get("messages")),
        max_tokens=int(_number(limit, "max_tokens", 1, 10**6)),
        temperature=_number(body.get("temperature", 1.0), "temperature", 0, 10),
        top_p=_number(body.get("top_p", 1.0), "top_p", 0, 1),
        seed=None if body.get("seed") is None else int(_number(body["seed"], "seed", 0, 2**63 - 1)),
    )


def _messages(messages: object) -> tuple[Message, ...]:
    if not isinstance(messages, list) or not messages:
        raise ValueError("'messages' is not a list with messages")
    return tuple(_message(message) for message in messages)


def _message(message: object) -> Message:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise ValueError("a message has no role")
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise ValueError("the content of a message is not a text")  # noqa: TRY004
    return Message(message["role"], content)


def _number(value: object, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name!r} is not a number from {least:g} to {most:g}")
    return value


def _stops(body: Mapping[str, Any]) -> list[str]:
    stops = body.get("stop") or []
    return [stops] if isinstance(stops, str) else [stop for stop in stops if isinstance(stop, str) and stop]


def _completion(reply: Reply, model: str, stops: list[str]) -> dict[str, Any]:
    places = [place for stop in stops if (place := reply.text.find(stop)) >= 0]
    text = reply.text[: min(places)] if places else reply.text
    reason = "length" if reply.cut and not places else "stop"
    return {
        "id": "chatcmpl-local",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.tokens,
            "total_tokens": reply.prompt_tokens + reply.tokens,
        },
    }
