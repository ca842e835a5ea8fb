"""The client of every other provider: litellm over a mocked transport, with each failure it knows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import litellm  # noqa: TID253  seconds to import: once for the module
import orjson
import pytest
import respx

from curator.committee.providers.litellm import LiteLLMClient
from curator.committee.providers.open import open_clients
from curator.committee.requests import CallFailed, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.errors import ConfigError, MissingDependency
from curator.records import Message, Usage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*ReadOnly.*:UserWarning"),  # litellm's own types, first met by pydantic here
]

CANARY = "sk-canary-4f1d9a7b2c"
URL = "https://api.openai.com/v1/chat/completions"
REQUEST = ModelRequest("litellm:openai", "openai/gpt-x", (Message("user", "hi"),), 0.5, 16, 0, None, {"top_p": 0.9})
MESSAGE = {"role": "assistant", "content": "hello"}
COMPLETION: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [{"index": 0, "finish_reason": "stop", "message": MESSAGE}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}


@pytest.fixture
def route() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=True) as mock:
        yield mock.post(URL)


async def ask(**given: Any) -> ModelReply:
    settings: dict[str, Any] = {"api_key": CANARY, "base_url": None, "timeout_s": 5.0, **given}
    return await LiteLLMClient("openai/gpt-x", **settings).complete(REQUEST)


async def failure(route: respx.Route, **given: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await ask(**given)
    assert route.call_count == 1  # neither litellm nor the SDK below it tries again
    return caught.value


async def test_the_request_is_the_plans_and_the_reply_is_read(route: respx.Route) -> None:
    logprobs = {"content": [{"token": "hello", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    choice = {**COMPLETION["choices"][0], "logprobs": logprobs}
    route.respond(json={**COMPLETION, "choices": [choice]})
    assert await ask() == ModelReply("hello", "stop", Usage(9, 2), (-0.5,), ("hello",))
    sent = route.calls.last.request
    assert sent.headers["Authorization"] == f"Bearer {CANARY}"
    body = orjson.loads(sent.content)
    assert {k: body[k] for k in ("model", "temperature", "max_tokens", "top_p")} == {
        "model": "gpt-x",
        "temperature": 0.5,
        "max_tokens": 16,
        "top_p": 0.9,
    }


async def test_a_usage_that_was_not_given_is_none(route: respx.Route) -> None:
    route.respond(json={k: v for k, v in COMPLETION.items() if k != "usage"})
    assert (await ask()).usage is None


async def test_a_refusal_and_calls_of_tools_are_read_as_text(route: respx.Route) -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "refund", "arguments": "{}"}}]
    for message, text in (
        ({"role": "assistant", "content": None, "refusal": "I cannot."}, "I cannot."),
        (
            {"role": "assistant", "content": None, "tool_calls": calls},
            '{"tool_calls":[{"arguments":{},"name":"refund"}]}',
        ),
    ):
        route.respond(json={**COMPLETION, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]})
        assert (await ask()).text == text


async def test_no_choices_are_no_answer(route: respx.Route) -> None:
    route.respond(json={**COMPLETION, "choices": []})
    assert (await failure(route)).kind == "ambiguous"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"message": "bad key"}, "terminal"),
        (402, {"message": "no credit"}, "terminal"),
        (403, {"message": "not allowed"}, "terminal"),
        (404, {"message": "no model", "code": "model_not_found"}, "terminal"),
        (429, {"message": "quota", "code": "insufficient_quota"}, "terminal"),
        (429, {"message": "slow down"}, "retryable"),
        (400, {"message": "temperature must be 1"}, "rejected"),
        (422, {"message": "bad"}, "rejected"),
        (500, {"message": "boom"}, "retryable"),
        (503, {"message": "overloaded"}, "retryable"),
        (504, {"message": "gateway"}, "ambiguous"),
    ],
)
async def test_refusals_are_told_apart(route: respx.Route, status: int, error: dict[str, str], kind: str) -> None:
    route.respond(status, json={"error": error}, headers={"Retry-After": "7"})
    failed = await failure(route)
    assert failed.kind == kind
    assert error["message"] in str(failed)
    if kind != "ambiguous":
        assert (failed.status, failed.retry_after_s) == (status, 7.0)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ConnectError("nobody there"), "retryable"),
        (httpx.ConnectTimeout("nobody there"), "retryable"),
        (httpx.ReadTimeout("slow"), "ambiguous"),
        (httpx.RemoteProtocolError("cut"), "ambiguous"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
async def test_what_happens_on_the_way_is_told_apart(route: respx.Route, raised: Exception, kind: str) -> None:
    route.mock(side_effect=raised)
    failed = await failure(route)
    assert (failed.kind, failed.status) == (kind, None)


async def test_an_answer_that_is_no_json_may_have_been_billed(route: respx.Route) -> None:
    route.respond(text="<html>")
    assert (await failure(route)).kind == "ambiguous"


async def test_an_endpoint_that_echoes_a_key_gets_it_nowhere(
    route: respx.Route, caplog: pytest.LogCaptureFixture
) -> None:
    other = "canary-of-the-environment"
    route.respond(401, json={"error": {"message": f"Incorrect API key: {CANARY}, {other}"}})
    with caplog.at_level(logging.DEBUG):
        failed = await failure(route, secrets=(other,))
    assert "[key], [key]" in str(failed)
    assert "canary" not in repr(failed.args) + repr(failed.__context__) + repr(failed.__cause__)
    assert "canary" not in caplog.text


async def test_an_opened_client_asks_through_litellm(route: respx.Route) -> None:
    route.respond(json=COMPLETION)
    model = ModelConfig(name="x", provider="litellm", model="openai/gpt-x", api_key_env="X_KEY")
    async with open_clients([model], environ={"X_KEY": CANARY}) as clients:
        assert (await clients["x"].complete(REQUEST)).text == "hello"
    assert route.call_count == 1


def test_a_provider_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="nobody/knows-it") as caught:
        LiteLLMClient("nobody/knows-it", api_key=None, base_url=None, timeout_s=1)
    assert "anthropic/" in caught.value.remedy


def test_telemetry_and_logging_are_off() -> None:
    LiteLLMClient("openai/gpt-x", api_key=None, base_url=None, timeout_s=1)
    assert litellm.telemetry is False
    assert logging.getLogger("LiteLLM").level == logging.CRITICAL
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(MissingDependency) as caught:
        LiteLLMClient("openai/gpt-x", api_key=None, base_url=None, timeout_s=1)
    assert "pip install litellm" in caught.value.remedy
