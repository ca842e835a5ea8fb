"""The Batch API as the SDK speaks it, over a mocked transport: what is sent, how often, and what each failure means."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
import respx
from aiohttp import web
from aiohttp.test_utils import TestServer

from curator.committee.batch.api import BatchApi, open_batch_client
from curator.committee.batch.results import line_groups, read_line
from curator.committee.clock import Clock
from curator.committee.providers.openai_compatible import MAX_BODY_BYTES
from curator.committee.requests import CallFailed
from curator.config import ModelConfig, parse_config
from curator.errors import ConfigError

CANARY = "sk-canary-4f1d9a7b2c"
URL = "https://api.openai.com/v1"
BATCH = {"id": "batch_9", "object": "batch", "status": "completed", "created_at": 1, "completed_at": 5,
         "completion_window": "24h", "endpoint": "/v1/chat/completions", "input_file_id": "file-1"}  # fmt: skip


@pytest.fixture
def routes() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL, assert_all_called=True) as mock:
        yield mock


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BatchApi]:
    for name in ("ORG_ID", "PROJECT_ID", "ADMIN_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", "of-another-project")

    async def nap(seconds: float) -> None:
        pass

    async with open_batch_client(ModelConfig(name="x", model="m", mode="batch"), {"OPENAI_API_KEY": CANARY}) as client:
        yield BatchApi(client, Clock(sleep=nap))


async def test_an_upload_is_tried_again_whole(routes: respx.MockRouter, api: BatchApi) -> None:
    upload = routes.post("/files")
    upload.side_effect = [httpx.Response(500), httpx.ReadTimeout("slow"), httpx.Response(200, json={"id": "file-7"})]
    assert await api.upload(io.BytesIO(b'{"custom_id":"a"}\n')) == "file-7"
    assert upload.call_count == 3
    sent = upload.calls.last.request
    assert b'name="purpose"\r\n\r\nbatch' in sent.content
    assert b'{"custom_id":"a"}' in sent.content
    assert sent.headers["Authorization"] == f"Bearer {CANARY}"
    assert b"of-another-project" not in b" ".join(value for _, value in sent.headers.raw)


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (httpx.Response(500, json={"error": {"message": "boom"}}), "retryable", 500),
        (httpx.Response(401, json={"error": {"message": f"bad {CANARY}"}}), "terminal", 401),
        (httpx.Response(429, json={"error": {"message": "no", "code": "insufficient_quota"}}), "terminal", 429),
        (httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}), "ambiguous", None),
        (httpx.Response(200, text="{", headers={"Content-Type": "application/json"}), "ambiguous", None),
        (httpx.ReadTimeout("slow"), "ambiguous", None),
        (httpx.ConnectTimeout("nobody"), "retryable", None),
    ],
)
async def test_a_batch_is_made_by_one_request_alone(
    routes: respx.MockRouter, api: BatchApi, answer: httpx.Response | Exception, kind: str, status: int | None
) -> None:
    create = routes.post("/batches").mock(side_effect=[answer])
    with pytest.raises(CallFailed) as caught:
        await api.create("file-1", "n1")
    assert create.call_count == 1  # a second one might be billed
    assert (caught.value.kind, caught.value.status) == (kind, status)
    assert CANARY not in repr(caught.value.args)
    assert caught.value.__context__ is caught.value.__cause__ is None


async def test_a_batch_is_made_with_its_nonce_and_found_by_it(routes: respx.MockRouter, api: BatchApi) -> None:
    create = routes.post("/batches").respond(json=BATCH)
    assert await api.create("file-1", "n1") == "batch_9"
    assert json.loads(create.calls.last.request.content) == {
        "completion_window": "24h",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-1",
        "metadata": {"curator_nonce": "n1"},
    }
    pages = [
        {"data": [{**BATCH, "id": "batch_1"}], "has_more": True, "object": "list"},
        {"data": [{**BATCH, "metadata": {"curator_nonce": "n1"}}], "has_more": True, "object": "list"},
    ]
    listed = routes.get("/batches").mock(side_effect=[httpx.Response(200, json=page) for page in pages])
    assert await api.find("n1") == "batch_9"
    assert listed.call_count == 2
    assert listed.calls.last.request.url.params["after"] == "batch_1"


async def test_a_file_comes_down_as_it_is(routes: respx.MockRouter, api: BatchApi) -> None:
    content = routes.get("/files/file-2/content").mock(
        side_effect=[httpx.Response(502), httpx.Response(200, content="a\u2028b\nc".encode())]
    )
    into = io.BytesIO(b"what was there before")
    await api.download("file-2", into)
    assert into.getvalue() == "a\u2028b\nc".encode()
    assert content.call_count == 2


async def test_the_proxy_is_the_one_that_the_given_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.close()
        await writer.wait_closed()

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    environ = {"OPENAI_API_KEY": CANARY, "https_proxy": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    async with server, open_batch_client(ModelConfig(name="x", model="m", mode="batch"), environ) as client:
        with pytest.raises(CallFailed):
            await BatchApi(client, Clock()).create("file-1", "n1")
    assert heard == [b"CONNECT api.openai.com:443 HTTP/1.1\r\n"]


@dataclass
class EndlessServer:
    """A server on the loopback interface whose bodies have no end, and the bytes that it got rid of."""

    url: str = ""
    status: int = 200
    sent: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=self.status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while self.sent < 4 * MAX_BODY_BYTES:
            await response.write(b" " * 2**20)
            self.sent += 2**20
        return response


@pytest.fixture
async def endless() -> AsyncIterator[EndlessServer]:
    endless = EndlessServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", endless.handle)
    async with TestServer(app, host="127.0.0.1") as running:
        endless.url = str(running.make_url("/v1"))
        yield endless


async def test_a_state_without_end_fails_and_is_not_kept(endless: EndlessServer) -> None:
    model = ModelConfig(name="x", model="m", mode="batch", base_url=endless.url)
    async with open_batch_client(model, {}) as client:
        with pytest.raises(CallFailed, match="larger than 64 MB") as failed:
            await BatchApi(client, Clock()).retrieve("batch_9")
    assert failed.value.kind == "ambiguous"
    assert endless.sent < 2 * MAX_BODY_BYTES


async def test_a_file_of_results_may_be_larger_than_an_answer(endless: EndlessServer) -> None:
    model = ModelConfig(name="x", model="m", mode="batch", base_url=endless.url)
    with tempfile.TemporaryFile() as into:
        async with open_batch_client(model, {}) as client:
            await BatchApi(client, Clock()).download("file-2", into)
        assert into.tell() == 4 * MAX_BODY_BYTES


async def test_a_file_of_results_without_end_fails_once(
    endless: EndlessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.committee.batch.api.MAX_RESULTS_BYTES", 2**22)
    model = ModelConfig(name="x", model="m", mode="batch", base_url=endless.url)
    into = io.BytesIO()
    async with open_batch_client(model, {}) as client:
        with pytest.raises(CallFailed, match="file of results has no end") as failed:
            await BatchApi(client, Clock()).download("file-2", into)
    assert failed.value.kind == "terminal"
    assert into.tell() <= 2**22
    assert endless.sent < MAX_BODY_BYTES


async def test_a_refusal_of_a_file_has_a_limit(endless: EndlessServer) -> None:
    async def nap(seconds: float) -> None:
        endless.sent = 0

    endless.status = 500
    model = ModelConfig(name="x", model="m", mode="batch", base_url=endless.url)
    async with open_batch_client(model, {}) as client:
        with pytest.raises(CallFailed):
            await BatchApi(client, Clock(sleep=nap)).download("file-2", io.BytesIO())
    assert endless.sent < 2 * MAX_BODY_BYTES


def test_a_line_of_results_without_end_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.committee.batch.results.MAX_BODY_BYTES", 8)
    groups = list(line_groups(io.BytesIO(b"a\nb\n\n" + b"x" * 20 + b"\nc\n")))
    assert groups == [[b"a\n", b"b\n", b"x" * 8], [b"x" * 8], [b"xxxx\n", b"c\n"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", None),
        (b'{"custom_id": "k", "resp', None),
        (b"[]", None),
        (b'{"custom_id": 5}', None),
        (b'{"custom_id": "k", "response": null, "error": {"code": "batch_expired", "message": "late"}}', "retryable"),
        (b'{"custom_id": "k", "response": null, "error": {"code": "invalid_api_key", "message": "bad"}}', "terminal"),
        (b'{"custom_id": "k", "response": {"status_code": 200, "body": {}}}', "ambiguous"),
        (b'{"custom_id": "k", "response": {"status_code": 504, "body": null}}', "ambiguous"),
        (b'{"custom_id": "k", "response": {"status_code": 422, "body": "odd"}}', "rejected"),
    ],
)
def test_lines_of_results_are_told_apart(line: bytes, expected: str | None) -> None:
    found = read_line(line)
    if found is None:
        assert expected is None
    else:
        key, outcome = found
        assert isinstance(outcome, CallFailed)
        assert (key, outcome.kind) == ("k", expected)


@pytest.mark.parametrize("provider_name", ["litellm", "local"])
def test_batches_are_openais(provider_name: str) -> None:
    with pytest.raises(ConfigError, match=f"`batch` needs `provider: openai`.*{provider_name}.*remove `mode`"):
        parse_config(
            {"committee": {"models": [{"name": "x", "provider": provider_name, "model": "a/b", "mode": "batch"}]}}
        )
