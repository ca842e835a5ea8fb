"""Part of `chaos.py`: rate limits, with refusals, use of the limit, and recovery.

A minute is scaled down to --period-s: a limit of 600 requests and 150,000 tokens a minute becomes one of 600 and 150,000
a period. Both sides get the limit as its value for a minute, so that a client cannot see the scaling. Two kinds of work make
either limit the tighter one; the client has the limits from its config, or has to learn them from the headers.

    0 .. 1 period      not measured: what a full bucket lets through at first
    1 .. 3 periods     how much of the tighter limit is used
    3 periods          the mock refuses the next three requests and asks to wait a sixth of a period
    .. 4.5 periods     recovery: from the last of these refusals to the start of the first quarter period with 90% of
                       the limit in it; a run that never gets there counts as having taken until the end
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.common.harness import Billed, Check, MockServer, endpoints_of, mock_server, model_config, planned_calls
from curator.committee.budget import Budget
from curator.committee.engine import sample
from curator.committee.requests import PlannedCall
from curator.config import BudgetConfig
from curator.errors import UserError
from curator.records import Generation
from curator.state.generations import GenerationStore

Tight = Literal["requests", "tokens"]
LIMITS: dict[Tight, float] = {"requests": 600.0, "tokens": 150_000.0}
WORDS: dict[Tight, int] = {"requests": 8, "tokens": 300}  # of a prompt: some 40 and some 550 tokens with the answer
IN_FLIGHT = 50
RECOVERED = 0.9


@dataclass(frozen=True)
class Scene:
    """One run against the limits."""

    tight: Tight
    learned: bool
    period_s: float
    limiter: str

    def per_minute(self, name: Tight) -> float:
        """Return a limit per minute, as both sides get it."""
        return LIMITS[name] * 60 / self.period_s

    @property
    def title(self) -> str:
        """The name of the scene in the table."""
        return f"{self.tight} limit {'from headers' if self.learned else 'from config'}"


def limits(*, period_s: float = 6.0, limiter: str = "bucket") -> list[Check]:
    """Every scene, one after the other."""
    scenes = [Scene(tight, learned, period_s, limiter) for tight in LIMITS for learned in (False, True)]
    return [check for scene in scenes for check in limit(scene)]


def limit(scene: Scene) -> list[Check]:
    """One scene, measured by the mock's record."""
    rates = {"rpm": scene.per_minute("requests"), "tpm": scene.per_minute("tokens")}
    with mock_server(latency_ms=20.0, window_s=scene.period_s, limiter=scene.limiter, **rates) as mock:
        asyncio.run(_play(scene, mock))
        log = mock.log()
    refused = sum(entry.outcome == "limited" for entry in log) / max(1, len(log))
    start = log[0].arrived + scene.period_s
    forced_at = max((entry.arrived for entry in log if entry.outcome == "forced"), default=log[-1].arrived)
    return [
        Check(f"{scene.title}: share of 429", refused, 0.005),
        Check(f"{scene.title}: use of the limit", used(scene, log, start, 2 * scene.period_s), 0.95, at_least=True),
        Check(f"{scene.title}: periods to recover", recovery_s(scene, log, forced_at) / scene.period_s, 1.0),
    ]


async def _play(scene: Scene, mock: MockServer) -> None:
    """Run for four and a half periods, with the three refusals in it."""
    from_config = {f"{name}_per_minute": scene.per_minute(name) for name in LIMITS}
    config = model_config(mock.base_url, concurrency=IN_FLIGHT, max_tries=20, **({} if scene.learned else from_config))
    calls, budget = planned_calls(10**9, words=WORDS[scene.tight]), Budget(BudgetConfig())
    with tempfile.TemporaryDirectory() as folder, GenerationStore(Path(folder) / "store.sqlite") as store:
        async with endpoints_of(config) as endpoints:
            run = asyncio.create_task(sample(calls, endpoints, store=store, budget=budget, deliver=_ignore))
            await asyncio.wait({run}, timeout=3 * scene.period_s)
            await asyncio.to_thread(mock.control, force_429=3, retry_after_s=scene.period_s / 6)
            await asyncio.wait({run}, timeout=1.5 * scene.period_s)
            run.cancel()
            with suppress(asyncio.CancelledError):
                try:
                    await run
                except UserError as error:
                    print(f"  {scene.title}: the run ended early: {error.what}")


def used(scene: Scene, log: Sequence[Billed], start: float, length_s: float) -> float:
    """The share of the tighter limit that was used in so many seconds from `start` on."""
    let_through = [entry for entry in log if entry.outcome == "ok" and start <= entry.arrived < start + length_s]
    amount = sum(e.input_tokens + e.output_tokens if scene.tight == "tokens" else 1 for e in let_through)
    return amount / (LIMITS[scene.tight] / scene.period_s * length_s)


def recovery_s(scene: Scene, log: Sequence[Billed], since: float) -> float:
    """Return the seconds from `since` until the limit is used again.

    That is the start of the first quarter period with enough requests.
    """
    quarter = scene.period_s / 4
    for entry in log:
        if entry.arrived > since and used(scene, log, entry.arrived, quarter) >= RECOVERED:
            return entry.arrived - since
    return log[-1].arrived - since


def _ignore(_: PlannedCall, __: Generation) -> None:
    """The answers themselves do not matter here."""
