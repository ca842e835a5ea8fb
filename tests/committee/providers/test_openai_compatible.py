"""The client of OpenAI-compatible endpoints against a real server on the loopback interface, with its faults."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from curator.committee.providers.completions import read_completion
from curator.committee.providers.keys import api_key, proxy_for
from curator.committee.providers.open import open_clients
from curator.committee.providers.openai_compatible import OpenAIClient
from curator.committee.providers.reset_times import asked_wait_s as retry_after_s
from curator.committee.requests import CallFailed, Limits, ModelReply, ModelRequest, Quota
from curator.config import ModelConfig
from curator.errors import ConfigError
from curator.records import Message, Usage

CANARY = "sk-canary-4f1d9a7b2c/+="
REQUEST = ModelRequest(
    "openai:x", "small-1", (Message("system", "Be brief."), Message("user", "hi")), 0.5, 16, 0, 7, {"top_p": 0.9}
)
COMPLETION: dict[str, Any] = {
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """A server whose handler each test sets, and what it was asked."""

    url: str = ""
    handler: Handler | None = None
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, dict(request.headers), orjson.loads(await request.read())))
        assert self.handler is not None
        return await self.handler(request)

    def gives(self, body: Any, status: int = 200, **headers: str) -> None:
        async def handler(request: web.Request) -> web.Response:
            data = body if isinstance(body, bytes) else orjson.dumps(body)
            return web.Response(body=data, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.handler = handler


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/v1"))
        yield made


async def ask(url: str, key: str | None = CANARY, timeout_s: float = 5.0) -> ModelReply:
    async with OpenAIClient(url, key, timeout_s=timeout_s, concurrency=2) as client:
        return await client.complete(REQUEST)


async def failure(endpoint: Endpoint, timeout_s: float = 5.0) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await ask(endpoint.url, timeout_s=timeout_s)
    assert len(endpoint.asked) == 1
    return caught.value


async def test_the_request_is_the_plans_and_the_reply_is_read(endpoint: Endpoint) -> None:
    endpoint.gives(COMPLETION)
    assert await ask(endpoint.url) == ModelReply("hello", "stop", Usage(9, 2))
    path, headers, body = endpoint.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "model": "small-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "max_tokens": 16,
        "seed": 7,
        "top_p": 0.9,
    }


async def test_several_answers_come_in_one_reply(endpoint: Endpoint) -> None:
    choice = COMPLETION["choices"][0]
    second = {**choice, "index": 1, "finish_reason": "length", "message": {"content": "hey"}}
    endpoint.gives({**COMPLETION, "choices": [choice, second]})
    async with OpenAIClient(endpoint.url, CANARY, timeout_s=5.0, concurrency=2) as client:
        reply = await client.complete(replace(REQUEST, n=2))
    assert endpoint.asked[0][2]["n"] == 2
    assert reply == ModelReply("hello", "stop", Usage(9, 2), more=(ModelReply("hey", "length", None),))


def test_answers_up_to_the_first_odd_one_are_kept() -> None:
    choice = COMPLETION["choices"][0]
    reply = read_completion({**COMPLETION, "choices": [choice, choice, {"message": None}, choice]})
    assert isinstance(reply, ModelReply)
    assert [one.text for one in (reply, *reply.more)] == ["hello", "hello"]


def test_optional_fields_cost_no_answer() -> None:
    odd = {**COMPLETION["choices"][0], "logprobs": {"content": [{"logprob": None}]}}
    huge = {"prompt_tokens": 2**63 + 5, "completion_tokens": 1}
    assert read_completion({"choices": [odd], "usage": huge}) == ModelReply("hello", "stop", None)


@pytest.mark.parametrize("status", [200, 429])
async def test_the_limits_in_the_headers_are_read(endpoint: Endpoint, status: int) -> None:
    headers = {
        "x_ratelimit_limit_requests": "600",
        "x_ratelimit_remaining_requests": "12",
        "x_ratelimit_reset_requests": "58.8s",
    }
    endpoint.gives(COMPLETION, status, **headers)
    limits = (await ask(endpoint.url)).limits if status == 200 else (await failure(endpoint)).limits
    assert limits == Limits(Quota(600.0, 12.0, 58.8), None)


async def test_without_a_key_nothing_is_sent_in_its_place(endpoint: Endpoint) -> None:
    endpoint.gives(COMPLETION)
    await ask(endpoint.url + "/?api-version=1", key=None)
    path, headers, _ = endpoint.asked[0]
    assert path == "/v1/chat/completions?api-version=1"
    assert "Authorization" not in headers


async def test_connections_are_kept_for_the_next_request(endpoint: Endpoint) -> None:
    peers = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.json_response(COMPLETION)

    endpoint.handler = handler
    async with OpenAIClient(endpoint.url, None, timeout_s=5, concurrency=2) as client:
        for _ in range(3):
            await client.complete(REQUEST)
    assert len(set(peers)) == 1


TOOL_CALLS = [{"id": "1", "type": "function", "function": {"name": "refund", "arguments": '{"order": 7}'}}]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({}, ""),
        ({"content": ""}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}, "a\nb"),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        (
            {"content": None, "tool_calls": TOOL_CALLS},
            '{"tool_calls":[{"arguments":{"order":7},"name":"refund"}]}',
        ),
        (
            {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{cut"}}]},
            '{"tool_calls":[{"arguments":"{cut","name":"f"}]}',
        ),
        (
            {"content": None, "tool_calls": [{"function": {"name": "f"}}]},
            '{"tool_calls":[{"arguments":{},"name":"f"}]}',
        ),
        (
            {"content": "Let me see.", "tool_calls": TOOL_CALLS},
            '{"content":"Let me see.","tool_calls":[{"arguments":{"order":7},"name":"refund"}]}',
        ),
    ],
)
def test_every_shape_of_message_is_read(message: dict[str, Any], text: str) -> None:
    reply = read_completion({"choices": [{"message": message, "finish_reason": None}]})
    assert reply == ModelReply(text, None, None)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 3}, {"prompt_tokens": -1, "completion_tokens": 2}, [1]])
def test_a_usage_that_says_nothing_is_none(usage: Any) -> None:
    reply = read_completion({**COMPLETION, "usage": usage})
    assert isinstance(reply, ModelReply)
    assert reply.usage is None


def test_logprobs_are_those_of_the_chosen_tokens() -> None:
    content = [{"token": "he", "logprob": -0.5, "top_logprobs": []}, {"token": "llo", "logprob": 0, "top_logprobs": []}]
    choice = {**COMPLETION["choices"][0], "logprobs": {"content": content}}
    reply = read_completion({"choices": [choice]})
    assert isinstance(reply, ModelReply)
    assert reply.logprobs == (-0.5, 0.0)
    assert reply.tokens == ("he", "llo")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": None, "tool_calls": [{}]}}]},
    ],
)
def test_what_is_no_completion_is_a_failure_that_may_have_been_billed(data: Any) -> None:
    failed = read_completion(data)
    assert isinstance(failed, CallFailed)
    assert failed.kind == "ambiguous"


QUOTA = {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": None}}
NO_MODEL = {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, "terminal"),
        (402, {"error": {"message": "Insufficient credits"}}, "terminal"),
        (403, {"error": {"message": "Country not supported"}}, "terminal"),
        (403, {"error": {"message": "flagged", "metadata": {"flagged_input": "hi"}}}, "rejected"),
        (404, NO_MODEL, "terminal"),
        (404, b"<html>not found</html>", "terminal"),
        (400, NO_MODEL, "terminal"),
        (400, {"error": {"message": "temperature must be 1", "code": "unsupported_value"}}, "rejected"),
        (413, b"", "rejected"),
        (422, {"detail": [{"msg": "bad"}]}, "rejected"),
        (408, b"", "retryable"),
        (409, b"", "retryable"),
        (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, "retryable"),
        (429, QUOTA, "terminal"),
        (500, {"error": "boom"}, "retryable"),
        (502, b"", "retryable"),
        (503, [{"error": {"message": "overloaded"}}], "retryable"),
        (504, b"", "ambiguous"),
    ],
)
async def test_refusals_are_told_apart(endpoint: Endpoint, status: int, body: Any, kind: str) -> None:
    endpoint.gives(body, status)
    error = await failure(endpoint)
    assert (error.kind, error.status) == (kind, status)
    assert str(error).startswith(str(status))


async def test_the_servers_own_words_are_kept_on_one_short_line(endpoint: Endpoint) -> None:
    endpoint.gives({"error": {"message": "temperature\n must be 1 " + "x" * 1000}}, 400)
    error = str(await failure(endpoint))
    assert error.startswith("400 temperature must be 1 x")
    assert len(error) == 300


@pytest.mark.parametrize(("code", "kind"), [(429, "retryable"), (402, "terminal"), (None, "retryable")])
async def test_a_router_that_answers_200_with_an_error_inside(endpoint: Endpoint, code: int | None, kind: str) -> None:
    endpoint.gives({"error": {"message": "upstream", "code": code}})
    error = await failure(endpoint)
    assert error.kind == kind
    assert "upstream" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed_but_told(endpoint: Endpoint, status: int) -> None:
    endpoint.gives(b"", status, Location="/elsewhere")
    error = await failure(endpoint)
    assert error.kind == "terminal"
    assert "/elsewhere" in str(error)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0.5"}, 0.5),
        ({"Retry_After": "-3"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({"retry_after_ms": "1500", "Retry_After": "7"}, 1.5),
    ],
)
async def test_the_wait_that_the_server_asks_for(
    endpoint: Endpoint, headers: dict[str, str], wait: float | None
) -> None:
    endpoint.gives(b"", 429, **headers)
    assert (await failure(endpoint)).retry_after_s == wait


def test_the_wait_as_a_date() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after_s({"Retry-After": later}, now=now.timestamp) == 90.0
    assert retry_after_s({"Retry-After": later}, now=lambda: now.timestamp() + 1000) == 0.0


async def test_a_server_that_hangs_may_have_billed(endpoint: Endpoint) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    endpoint.handler = hang
    error = await failure(endpoint, timeout_s=0.2)
    assert (error.kind, error.status) == ("ambiguous", None)
    assert "0.2 s" in str(error)


async def test_an_answer_that_breaks_off_may_have_been_billed(endpoint: Endpoint) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.close()
        return response

    endpoint.handler = cut
    assert (await failure(endpoint)).kind == "ambiguous"


async def test_a_connection_that_closes_without_an_answer_may_have_been_billed(endpoint: Endpoint) -> None:
    async def close(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    endpoint.handler = close
    assert (await failure(endpoint)).kind == "ambiguous"


@pytest.mark.parametrize("body", [b"<html>", b'{"choices": [', b"", b'{"object": "list"}', b"\xff"])
async def test_an_answer_that_is_none_may_have_been_billed(endpoint: Endpoint, body: bytes) -> None:
    endpoint.gives(body)
    assert (await failure(endpoint)).kind == "ambiguous"


async def test_nobody_there_is_retryable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(CallFailed) as caught:
        await ask(f"http://127.0.0.1:{port}/v1")
    assert (caught.value.kind, caught.value.status) == ("retryable", None)
    assert str(port) in str(caught.value)


@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "ftp://x/v1", "", "http://", "http://[bad/v1"])
def test_a_base_url_that_is_none(base_url: str) -> None:
    with pytest.raises(ConfigError, match="not the address"):
        OpenAIClient(base_url, None, timeout_s=1, concurrency=1)


def test_a_base_url_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(ConfigError, match="credentials") as caught:
        OpenAIClient(f"https://me:{CANARY}@example.com/v1", None, timeout_s=1, concurrency=1)
    assert "canary" not in str(caught.value)


def everything_about(error: BaseException) -> str:
    """The exception as a crash reporter would see it: its whole chain, with representations and locals."""
    text = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        text += repr(seen) + repr(seen.args) + repr(vars(seen))
        seen = seen.__cause__ or seen.__context__
    return text


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("shape", ["json", "text", "json-without-message"])
async def test_an_endpoint_that_echoes_the_key_gets_it_nowhere(
    endpoint: Endpoint, status: int, shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.Response:
        said = request.headers["Authorization"]
        body = {
            "json": orjson.dumps({"error": {"message": f"Incorrect API key provided: {said}"}}),
            "text": f"You sent {said} {said} {'x' * 190}{said}".encode(),
            "json-without-message": orjson.dumps({"error": {"request": {"Authorization": said}}}),
        }[shape]
        return web.Response(body=body, status=status, headers={"Location": f"https://x.example/?key={said}"})

    endpoint.handler = echo
    with caplog.at_level(logging.DEBUG):
        error = await failure(endpoint)
    assert "canary" not in everything_about(error)
    assert "canary" not in caplog.text
    assert "[key]" in str(error) or status == 200


async def test_an_answer_that_repeats_the_key_is_blacked_out(endpoint: Endpoint) -> None:
    completion = {"choices": [{"message": {"content": f"your key is {CANARY}"}}]}
    endpoint.gives(completion)
    assert (await ask(endpoint.url)).text == "your key is [key]"
    assert (await ask(endpoint.url, key="key")).text == f"your key is {CANARY}"  # a stand-in for a key is no secret


def test_the_key_comes_from_the_environment() -> None:
    official = ModelConfig(name="a", model="a-1")
    assert api_key(official, {"OPENAI_API_KEY": f" {CANARY}\n"}) == CANARY
    own = ModelConfig(name="b", model="b-1", base_url="http://127.0.0.1:1/v1")
    assert api_key(own, {"OPENAI_API_KEY": CANARY}) is None  # the official key goes to nobody else
    named = own.model_copy(update={"api_key_env": "B_KEY"})
    assert api_key(named, {"B_KEY": "abc"}) == "abc"


@pytest.mark.parametrize("environ", [{}, {"B_KEY": ""}, {"B_KEY": "  \n"}])
async def test_a_missing_key_names_variable_and_model(environ: dict[str, str]) -> None:
    model = ModelConfig(name="b", model="b-1", base_url="http://127.0.0.1:1/v1", api_key_env="B_KEY")
    with pytest.raises(ConfigError, match=r"'b'.*'B_KEY'"):
        async with open_clients([model], environ=environ):
            pass


@pytest.mark.parametrize("key", [f"{CANARY} two", f"{CANARY}\n{CANARY}", f"{CANARY}ü"])
def test_a_key_that_is_none_is_told_without_showing_it(key: str) -> None:
    model = ModelConfig(name="b", model="b-1", api_key_env="B_KEY")
    with pytest.raises(ConfigError, match="does not hold a key") as caught:
        api_key(model, {"B_KEY": key})
    assert "canary" not in everything_about(caught.value)


async def test_opened_clients_go_by_name_and_ask_their_own_endpoint(endpoint: Endpoint) -> None:
    endpoint.gives(COMPLETION)
    models = [ModelConfig(name=n, model="m", base_url=f"{endpoint.url}/{n}", api_key_env=n) for n in ("a", "b")]
    async with open_clients(models, environ={"a": "key-a", "b": "key-b"}) as clients:
        for name in ("b", "a"):
            await clients[name].complete(REQUEST)
    assert [(path, headers["Authorization"]) for path, headers, _ in endpoint.asked] == [
        ("/v1/b/chat/completions", "Bearer key-b"),
        ("/v1/a/chat/completions", "Bearer key-a"),
    ]


async def test_opening_loads_neither_litellm_nor_the_local_model() -> None:
    models = [
        ModelConfig(name="here", provider="local"),
        ModelConfig(name="there", provider="litellm", model="nobody/knows-it"),
    ]
    async with open_clients(models, environ={}) as clients:
        assert set(clients) == {"here", "there"}


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxy"),
    [
        ("https://api.example.com/v1", "", "http://proxy:1"),
        ("https://api.example.com/v1", "other.com, .example.com", None),
        ("https://api.example.com/v1", "ample.com", "http://proxy:1"),
        ("https://api.example.com/v1", "*", None),
        ("http://api.example.com/v1", "", None),
        ("https://127.0.0.1:8000/v1", "", None),
    ],
)
def test_the_proxy_of_the_environment(url: str, no_proxy: str, proxy: str | None) -> None:
    assert proxy_for(url, {"HTTPS_PROXY": "http://proxy:1", "no_proxy": no_proxy}) == proxy


async def test_requests_go_through_a_proxy(endpoint: Endpoint) -> None:
    endpoint.gives(COMPLETION)
    proxy = endpoint.url.removesuffix("/v1")
    async with OpenAIClient("http://api.invalid/v1", None, timeout_s=5, concurrency=1, proxy=proxy) as client:
        assert (await client.complete(REQUEST)).text == "hello"
    assert endpoint.asked[0][1]["Host"] == "api.invalid"
