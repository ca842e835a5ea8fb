"""What every test shares: the environment, an endpoint on the loopback interface, and an encoder without a model."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Set before anything of the product is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["DISABLE_AIOHTTP_TRANSPORT"] = "True"  # litellm's asynchronous path bypasses respx otherwise
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest
from aiohttp import web
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

# A busy machine is no failure: how fast an example is drawn or run is nobody's property.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

if TYPE_CHECKING:
    from benchmarks.common.chromium import Chromium

INSTALLING = ("finetune", "label_tools", "producers")
"""The markers of tests that need other programs or packages; they run only where `-m` names them."""
LABELS = ("billing", "delivery", "returns", "account", "product")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {marker for marker in INSTALLING if marker not in config.option.markexpr}
    deselected = [item for item in items if left_out & {mark.name for mark in item.iter_markers()}]
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=deselected)


class FakeEndpoint:
    """An OpenAI-compatible server in a thread. Its answer is a function of the request; it counts what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.error = "no"
        self.delay_s = 0.0
        self.temperature: float | None = None  # the only one it takes, if not None
        self.answer: Callable[[], str] | None = None  # what it answers instead
        self.finish: dict[str, Any] | None = None  # fields of its choice that differ
        self.answers: dict[str, Callable[[dict[str, Any]], str]] = {}  # of other models, by name, from the request
        self.broken_for: str | None = None  # requests with this text in them get nonsense for an answer
        self.batches: list[list[dict[str, Any]]] = []  # the lines of each one handed in
        self._files: dict[str, bytes] = {}
        self.base_url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._download)
        app.router.add_post("/v1/batches", self._make_batch)
        app.router.add_get("/v1/batches/{id}", self._batch)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.delay_s)
        if self.status != 200:
            return web.json_response({"error": {"message": self.error}}, status=self.status)
        if self.temperature not in (None, body["temperature"]):
            error = {"message": "Unsupported value: 'temperature'", "param": "temperature", "code": "unsupported_value"}
            return web.json_response({"error": error}, status=400)
        done = _completion(body)
        if self.broken_for and self.broken_for in json.dumps(body["messages"]):
            done["choices"][0]["message"]["content"] = "zz qx vv"
        if self.finish is not None:
            done["choices"][0] |= self.finish
        if self.answer is not None:
            done["choices"][0]["message"]["content"] = self.answer()
        if body["model"] in self.answers:
            done["choices"][0]["message"]["content"] = self.answers[body["model"]](body)
        return web.json_response(done)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        name = f"file-{len(self._files)}"
        self._files[name] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": name, "object": "file"})

    async def _download(self, request: web.Request) -> web.Response:
        return web.Response(body=self._files[request.match_info["id"]])

    async def _make_batch(self, request: web.Request) -> web.Response:
        asked = await request.json()
        lines = [json.loads(line) for line in self._files[asked["input_file_id"]].splitlines()]
        answers = [
            {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": _completion(line["body"])}}
            for line in lines
        ]
        name = f"batch_{len(self.batches)}"
        self.batches.append(lines)
        self._files[f"out-{name}"] = "\n".join(json.dumps(answer) for answer in answers).encode()
        return web.json_response(_finished(name, asked["metadata"]))

    async def _batch(self, request: web.Request) -> web.Response:
        return web.json_response(_finished(request.match_info["id"], {}))

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "test-model"}]})


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    text = LABELS[digest[0] % (2 + digest[1] % 4)]
    return {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2},
    }


def _finished(name: str, metadata: dict[str, str]) -> dict[str, Any]:
    return {
        "id": name, "object": "batch", "status": "completed", "created_at": 1, "metadata": metadata,
        "output_file_id": f"out-{name}", "error_file_id": None, "endpoint": "/v1/chat/completions",
        "input_file_id": "file-0", "completion_window": "24h",
    }  # fmt: skip


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    server = FakeEndpoint()
    yield server
    server.close()


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that may be entered but not written; root steps down to `nobody` for the test."""
    base = Path(tempfile.mkdtemp())
    base.chmod(0o755)
    folder = base / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(base)


class HashingEncoder:
    """Unit vectors from hashed words: alike texts are near each other, and no model is needed."""

    name = "hashing-64"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % 64] += 1.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def write_logs(tmp_path: Path) -> Path:
    """Forty chat records of two tasks, four of them with feedback, and two damaged lines."""
    topics = ("my card was charged twice", "the parcel is late again", "how do I send it back", "I forgot my password",
              "which size fits me")  # fmt: skip
    lines = []
    for i in range(40):
        user = f"{topics[i % 5]} {['please help', 'what now', 'thanks', 'urgent'][i % 4]} word{i}"
        record = {
            "id": f"r{i}",
            "request": {
                "model": "prod",
                "messages": [{"role": "system", "content": "Name the topic."}, {"role": "user", "content": user}],
            },
            "response": {
                "model": "prod",
                "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": LABELS[i % 5]}}],
            },
            "metadata": {"task": "route"},
        }
        if i % 10 == 0:
            record["feedback"] = {"thumb": "down", "correction": LABELS[(i + 1) % 5]}
        lines.append(json.dumps(record))
    lines.insert(7, '{"id": "cut", "request": {"mess')
    lines.insert(20, '{"id": "empty"}')
    path = tmp_path / "logs.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def job(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    """A config, as data, that asks the endpoint about `logs.jsonl`."""
    return {
        "name": "test",
        "seed": 3,
        "logs": {"paths": [str(tmp_path / "logs.jsonl")]},
        "tasks": {"route": {"kind": "label", "labels": list(LABELS)}},
        "committee": {
            "models": [
                {
                    "name": "m", "model": "test-model", "base_url": endpoint.base_url, "send_seed": True,
                    "price": {"input": 1.0, "output": 2.0}, "max_tries": 2, "concurrency": 4,
                }
            ],
            "variants": ["plain", "careful"],
            "repeats": 2,
        },
        "selection": {"k": 12, "held_out_share": 0.5},
        "store": str(tmp_path / "store.sqlite"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A headless Chromium with a profile of its own for each test module; `.ci/run` installs it."""
    from benchmarks.common.chromium import Chromium, executable

    if executable() is None:
        pytest.skip("no headless Chromium on this machine")
    with Chromium(tmp_path_factory.mktemp("browser")) as started:
        yield started
