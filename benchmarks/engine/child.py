"""The process that `chaos.py` kills: the engine with a store and real signal handling.

    python benchmarks/engine/child.py '{"base_url": ..., "store": ..., "out": ..., "requests": ..., ...}'

It represents `curator run`, which would spend seconds on its encoder before the first request: store, client, budget,
engine and the way SIGINT and SIGTERM end a run (`curator.cli`) are the real ones. Left out are the stages around
sampling. What the engine waits between tries is scaled by `nap_share`, or the chaos would take hours.

It prints `ready` once signals are handled, and at the end what the engine says of the run; the answers go to `out`, a
line each, sorted. Exit codes are the command's: 0, 130 when interrupted, that of a CuratorError.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.common.harness import endpoints_of, model_config, planned_calls
from curator.cli import sigterm_as_interrupt
from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.engine import sample
from curator.committee.requests import PlannedCall
from curator.config import BudgetConfig
from curator.errors import CuratorError, ExitCode
from curator.records import Generation
from curator.state.generations import GenerationStore


@dataclass(frozen=True)
class ChildJob:
    """The work of one child process."""

    base_url: str
    store: str
    out: str
    requests: int
    in_flight: int
    timeout_s: float
    nap_share: float


async def ask(job: ChildJob) -> dict[str, int]:
    """Run the engine over the whole plan."""
    lines: list[bytes] = []

    def deliver(_: PlannedCall, generation: Generation) -> None:
        lines.append(orjson.dumps([generation.case_id, generation.text, generation.error]))

    config = model_config(job.base_url, concurrency=job.in_flight, timeout_s=job.timeout_s)
    clock = Clock(sleep=lambda seconds: asyncio.sleep(seconds * job.nap_share))
    with GenerationStore(Path(job.store)) as store:
        async with endpoints_of(config) as endpoints:
            calls, budget = planned_calls(job.requests), Budget(BudgetConfig())
            done = await sample(calls, endpoints, store=store, budget=budget, deliver=deliver, clock=clock)
    await asyncio.to_thread(Path(job.out).write_bytes, b"\n".join(sorted(lines)))
    return {"sent": done.sent, "from_store": done.from_store, "failed": done.failed}


def main() -> int:
    job = ChildJob(**orjson.loads(sys.argv[1]))
    try:
        with sigterm_as_interrupt():
            print("ready", flush=True)
            print(orjson.dumps(asyncio.run(ask(job))).decode(), flush=True)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except CuratorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
