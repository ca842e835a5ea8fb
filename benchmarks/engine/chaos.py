"""Faults, kills, budgets, limits and refusals: the engine against a mock's bill.

    python benchmarks/engine/chaos.py all
    python benchmarks/engine/chaos.py kills [--kills 100] [--requests 10000] [--in-flight 50] [--seed 0]
    python benchmarks/engine/chaos.py interrupts [--interrupts 100] [--requests 10000] [--in-flight 50] [--seed 0]
    python benchmarks/engine/chaos.py budgets [--budgets 1000] [--seed 0]
    python benchmarks/engine/chaos.py limits [--period-s 6] [--limiter bucket]
    python benchmarks/engine/chaos.py refusals

Each line gives a figure, its limit and whether it is reached; a line without a limit is a count behind the others.
`kills`, `interrupts` and `budgets` meet 10% 429, 5% 500, 2% hangs, 2% truncated answers and 1% invalid JSON, and the
engine's waits between tries are reduced to 2%.

A hang, a truncated answer and invalid JSON are billed, and the question is asked once more, which may be billed again:
that does not count as paid twice, since no answer came yet. A request is paid twice if it got two whole answers. A kill costs
at most what is in flight then: those requests were billed, and their answers died with the process. SIGKILL loses no
page that the system has; a power cut, against which the store's commits are synced, is not tried here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from benchmarks.common.harness import Check
from benchmarks.engine.interruptions import Storm, interrupts, kills
from benchmarks.engine.pacing import limits
from benchmarks.engine.spending import budgets, refusals

PARTS: dict[str, Callable[[argparse.Namespace], Sequence[Check]]] = {
    "kills": lambda a: kills(Storm(a.kills, a.requests, a.in_flight, seed=a.seed)),
    "interrupts": lambda a: interrupts(Storm(a.interrupts, a.requests, a.in_flight, seed=a.seed)),
    "budgets": lambda a: budgets(a.budgets, seed=a.seed),
    "limits": lambda a: limits(period_s=a.period_s, limiter=a.limiter),
    "refusals": lambda _: refusals(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=(*PARTS, "all"))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--interrupts", type=int, default=100)
    parser.add_argument("--requests", type=int, default=10_000, help="of kills and of interrupts")
    parser.add_argument("--in-flight", type=int, default=50, help="of kills and of interrupts")
    parser.add_argument("--budgets", type=int, default=1000)
    parser.add_argument("--period-s", type=float, default=6.0, help="the minute of the limits, in seconds")
    parser.add_argument("--limiter", choices=("bucket", "window"), default="bucket", help="how the mock limits")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in PARTS if arguments.part == "all" else (arguments.part,):
        started = time.monotonic()
        print(f"{name}", flush=True)
        for check in PARTS[name](arguments):
            print(check.line())
        print(f"  ({time.monotonic() - started:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
