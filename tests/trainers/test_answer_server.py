"""The server of a model in this process: the engine's client asks it, and nobody without its address."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from curator.committee.providers.openai_compatible import open_openai
from curator.committee.requests import CallFailed, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.records import Message
from curator.trainers.answer_server import Question, Reply, question_of, serving

BODY = {"model": "tuned", "messages": [{"role": "user", "content": "Which team?"}], "temperature": 0, "max_tokens": 9}
asked: list[Question] = []
at_once = threading.BoundedSemaphore(1)


def answer(question: Question) -> Reply:
    assert at_once.acquire(blocking=False), "two answers at a time"
    asked.append(question)
    time.sleep(0.01)
    text = question.messages[-1].content
    at_once.release()
    if text == "too long":
        raise ValueError("the prompt has 9000 tokens, and the context 2048")
    if text == "broken":
        raise RuntimeError("a fault")
    return Reply(f"about {text}", 7, 2, cut=text == "cut")


@pytest.fixture
def url() -> Iterator[str]:
    asked.clear()
    with serving(answer, "tuned", "secret") as url:
        yield url


def model_at(url: str) -> ModelConfig:
    return ModelConfig(name="m", model="tuned", base_url=url)


async def ask(url: str, *texts: str) -> list[ModelReply]:
    async with open_openai(model_at(url), {}) as client:
        requests = [ModelRequest("e", "tuned", (Message("user", text),), 0.0, 9, seed=5) for text in texts]
        return list(await asyncio.gather(*(client.complete(request) for request in requests)))


async def post(url: str, body: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", json=body) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def test_the_engine_asks_it_as_any_endpoint(url: str) -> None:
    replies = await ask(url, *(f"case {i}" for i in range(5)))
    assert [reply.text for reply in replies] == [f"about case {i}" for i in range(5)]
    assert replies[0].usage is not None
    assert (replies[0].usage.input_tokens, replies[0].usage.output_tokens, replies[0].finish_reason) == (7, 2, "stop")
    assert sorted(question.messages[0].content for question in asked) == [f"case {i}" for i in range(5)]
    assert replace(asked[0], messages=()) == Question((), 9, 0.0, 1.0, 5)
    assert (await ask(url, "cut"))[0].finish_reason == "length"


async def test_what_cannot_be_answered_is_rejected_and_a_fault_ends_one_answer(url: str) -> None:
    with pytest.raises(CallFailed, match="9000 tokens") as caught:
        await ask(url, "too long")
    assert caught.value.kind == "rejected"
    with pytest.raises(CallFailed, match="500"):
        await ask(url, "broken")
    assert (await ask(url, "next"))[0].text == "about next"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"n": 2}, "'n' must be 1"), ({"stream": True}, "'stream' is not supported"), ({"tools": [{}]}, "'tools'"),
        ({"messages": []}, "'messages'"), ({"messages": "hello"}, "'messages'"), ({"messages": [{"role": "x"}]}, "no role"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "not a text"), ({"max_tokens": "many"}, "'max_tokens'"),
        ({"temperature": -1}, "'temperature'"), ({"seed": True}, "'seed'"),
    ],
)  # fmt: skip
async def test_a_request_that_is_not_understood_says_why(url: str, change: dict[str, Any], problem: str) -> None:
    status, content = await post(url, BODY | change)
    assert status == 400
    assert problem in content["error"]["message"]
    assert not asked


async def test_bodies_that_are_not_objects(url: str) -> None:
    assert (await post(url, [1]))[0] == 400
    with pytest.raises(ValueError, match="not an object"):
        question_of("text")


async def test_a_stop_text_ends_the_answer(url: str) -> None:
    _, content = await post(url, BODY | {"stop": ["team", "Which"]})
    assert content["choices"][0]["message"]["content"] == "about "


async def test_the_address_has_a_secret_part(url: str) -> None:
    host, _, rest = url.removeprefix("http://").partition("/")
    assert len(rest.split("/")[0]) == 24
    assert (await post(f"http://{host}/v1", BODY))[0] == 404
    assert (await post(f"http://{host}/{'0' * 24}/v1", BODY))[0] == 404


def test_an_identity_keeps_its_address_unless_the_port_is_taken() -> None:
    with serving(answer, "tuned", "secret") as first:
        with serving(answer, "tuned", "secret") as beside, serving(answer, "tuned", "other") as other:
            assert beside.split("/")[3:] == first.split("/")[3:]
            assert len({first, beside, other}) == 3
        port = int(first.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with serving(answer, "tuned", "secret") as again:
        assert again == first
