"""Memory of a long plan: the engine against a list of the same planned calls.

    python benchmarks/engine/memory.py [--calls 1000000] [--in-flight 200]

The engine asks a client in this process that answers at once, with the store on the disk, so that the figure is the
engine's and its store's alone. `growth` is how far resident memory rose above what it was after the first 5,000 answers;
the cases themselves are in memory before. The list is made first, of 20,000 calls, and its size scaled up.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.common.harness import MODEL, PRICE, model_config
from benchmarks.engine.engine import Job, synthetic_plan
from curator.committee.budget import Budget
from curator.committee.endpoints import Endpoint
from curator.committee.engine import sample
from curator.committee.requests import ModelReply, ModelRequest, PlannedCall
from curator.config import BudgetConfig
from curator.records import Generation, Usage
from curator.state.generations import GenerationStore

WARM_UP = 5_000
LISTED = 20_000
NOWHERE = "http://127.0.0.1:1/v1"


class Echo:
    """Answers at once."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """An answer to the request."""
        await asyncio.sleep(0)
        return ModelReply(f"answer {request.sample_index}", "stop", Usage(10, 5))


class Watch:
    """Counts what is delivered, and looks at the process's memory now and then."""

    def __init__(self) -> None:
        self.count = self.start = self.peak = 0

    def take(self, _: PlannedCall, __: Generation) -> None:
        """Count an answer."""
        self.count += 1
        if self.count % WARM_UP == 0:
            now = resident()
            self.start, self.peak = self.start or now, max(self.peak, now)


def resident() -> int:
    """Resident memory of this process in bytes."""
    return int(psutil.Process().memory_info().rss)


def listed(calls: int, folder: str) -> float:
    """Megabytes that a list of so many planned calls takes, by a shorter one."""
    plan = synthetic_plan(LISTED, Job("ours", NOWHERE, LISTED, 1, folder))
    before = resident()
    held = list(plan)
    return (resident() - before) / 1e6 * calls / len(held)


async def streamed(calls: int, in_flight: int, folder: str) -> tuple[Watch, float]:
    """The engine over so many planned calls: what was seen, and the seconds it took."""
    plan = synthetic_plan(calls, Job("ours", NOWHERE, calls, in_flight, folder))
    endpoint = Endpoint(model_config(NOWHERE, concurrency=in_flight), PRICE, Echo())
    watch, started = Watch(), time.monotonic()
    with GenerationStore(Path(folder) / "store.sqlite") as store:
        await sample(plan, {MODEL: endpoint}, store=store, budget=Budget(BudgetConfig()), deliver=watch.take)
    return watch, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--in-flight", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        held = listed(arguments.calls, folder)
        watch, seconds = asyncio.run(streamed(arguments.calls, arguments.in_flight, folder))
    growth = (watch.peak - watch.start) / 1e6
    print(f"{watch.count:,} planned calls answered and stored in {seconds:,.0f} s ({watch.count / seconds:,.0f}/s)")
    print(f"growth of memory in the engine    {growth:>10,.1f} MB")
    print(f"a list of the planned calls       {held:>10,.1f} MB   ({held / max(growth, 0.1):,.0f} times as much)")


if __name__ == "__main__":
    main()
