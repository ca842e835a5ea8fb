"""Harness of the engine's benchmarks: the mock as a process, and calls to make.

This is not a script: see `engine.py` and `chaos.py`.
"""

from __future__ import annotations

import http.client
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from curator.committee.endpoints import Endpoint
from curator.committee.providers.open import open_clients
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import ModelConfig, Price
from curator.records import Member, Message

MODEL = "mock"
PRICE = Price(input=1.0, output=10.0)  # the mock's own prices by default
MAX_TOKENS = 64
WORDS = ("invoice", "parcel", "refund", "password", "delivery", "size", "order", "late", "twice", "broken", "please")
_SERVER = Path(__file__).with_name("mock_server.py")


@dataclass(frozen=True)
class Check:
    """A measured figure and its limit: at most that, or `at_least`; None without a limit."""

    what: str
    measured: float
    limit: float | None = None
    at_least: bool = False

    @property
    def missing(self) -> float:
        """The distance of the figure from its limit; 0 where it keeps it."""
        if self.limit is None:
            return 0.0
        return max(0.0, self.limit - self.measured if self.at_least else self.measured - self.limit)

    def line(self) -> str:
        """The figure as a line of a table."""
        if self.limit is None:
            return f"  {self.what:<62} {figure(self.measured):>10}"
        sign = ">=" if self.at_least else "<="
        verdict = f"missed by {figure(self.missing)}" if self.missing else "reached"
        return f"  {self.what:<62} {figure(self.measured):>10} {sign} {figure(self.limit):<6} {verdict}"


class Billed(NamedTuple):
    """One entry of the mock's record; `arrived` is on this machine's monotonic clock."""

    arrived: float
    identity: str
    outcome: str
    input_tokens: int
    output_tokens: int
    picodollars: int


@dataclass(frozen=True)
class MockServer:
    """A running mock endpoint."""

    port: int

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def bill(self) -> dict[str, Any]:
        """The sum of what was asked and billed so far."""
        bill: dict[str, Any] = self._ask("GET", "/bill")
        return bill

    def count(self) -> int:
        """Return the number of requests so far."""
        return int(self._ask("GET", "/count"))

    def log(self, start: int = 0) -> list[Billed]:
        """The record from its `start`-th entry on."""
        return [Billed(*entry) for entry in self._ask("GET", f"/log?from={start}")]

    def control(self, **settings: object) -> None:
        """Change settings of the running mock."""
        self._ask("POST", "/control", orjson.dumps(settings))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:  # noqa: ANN401  any JSON
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(content.decode())
        return orjson.loads(content)


def figure(value: float) -> str:
    """A number as it is printed: counts whole, everything else to three decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


@contextmanager
def mock_server(**settings: object) -> Iterator[MockServer]:
    """Run a mock endpoint as a process of its own until the context ends.

    `settings` are those of `mock_server.py`.
    """
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    process = subprocess.Popen([sys.executable, str(_SERVER), *options], stdout=subprocess.PIPE)  # noqa: S603
    try:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        yield MockServer(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate()


def model_config(base_url: str, **fields: object) -> ModelConfig:
    """Return the mock as a model of the committee.

    Repeats stay requests of their own, so that requests can be counted.
    """
    defaults = {"name": MODEL, "model": MODEL, "base_url": base_url, "group_repeats": False}
    return ModelConfig.model_validate({**defaults, **fields})


def planned_calls(count: int, *, name: str = "case", words: int = 12, start: int = 0) -> Iterator[PlannedCall]:
    """Iterate over calls that all differ.

    The mock's identity of a request is then as good as the store's key.

    The endpoint in their keys is not the mock's port, so that the same calls are the same for another mock.
    """
    member = Member(f"{MODEL}/plain/t0.8", MODEL, "plain", 0.8, MAX_TOKENS)
    for number in range(start, start + count):
        case_id = f"{name}-{number}"
        text = f"{case_id} " + " ".join(random.Random(case_id).choices(WORDS, k=words))
        request = ModelRequest(f"openai:{MODEL}", MODEL, (Message("user", text),), 0.8, MAX_TOKENS)
        yield PlannedCall(case_id, member, request, len(text) // 4 + 4)


@asynccontextmanager
async def endpoints_of(config: ModelConfig) -> AsyncIterator[Mapping[str, Endpoint]]:
    """The endpoints of a committee of one model, with its client open."""
    async with open_clients([config], environ={}) as clients:
        yield {config.name: Endpoint(config, config.price or PRICE, clients[config.name])}
