"""Rate limits of the mock endpoint: token buckets and fixed windows, with OpenAI's headers."""

from __future__ import annotations

import math
from typing import Protocol


def duration(seconds: float) -> str:
    """Return seconds as OpenAI writes them in its headers: `120ms`, `7.66s`, `6m0s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:.3g}s" if minutes else f"{rest:.4g}s"


class Account(Protocol):
    """The rest of a limit."""

    def remaining(self, now: float) -> float:
        """Return the amount that there is room for."""

    def take(self, amount: float) -> None:
        """Use some of the remaining amount."""

    def wait_s(self, amount: float, now: float) -> float:
        """Return the seconds until there is room for `amount`."""

    def reset_s(self, now: float) -> float:
        """Return the seconds until the whole limit is available again."""


class Bucket:
    """A token bucket: full at first, refilled at an even rate."""

    def __init__(self, capacity: float, window_s: float, now: float) -> None:
        self._capacity, self._rate = capacity, capacity / window_s
        self._level, self._at = capacity, now

    def remaining(self, now: float) -> float:
        """Return the amount that there is room for."""
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Use some of the remaining amount."""
        self._level -= amount

    def wait_s(self, amount: float, now: float) -> float:
        """Return the seconds until there is room for `amount`."""
        return max(0.0, amount - self.remaining(now)) / self._rate

    def reset_s(self, now: float) -> float:
        """Return the seconds until the bucket is full."""
        return (self._capacity - self.remaining(now)) / self._rate


class Window:
    """A fixed window: the whole limit is available again when the next window begins."""

    def __init__(self, capacity: float, window_s: float, now: float) -> None:
        self._capacity, self._window_s = capacity, window_s
        self._level, self._end = capacity, now + window_s

    def remaining(self, now: float) -> float:
        """Return the amount that there is room for."""
        if now >= self._end:
            self._level = self._capacity
            self._end += self._window_s * (1 + (now - self._end) // self._window_s)
        return self._level

    def take(self, amount: float) -> None:
        """Use some of the remaining amount."""
        self._level -= amount

    def wait_s(self, amount: float, now: float) -> float:
        """Return the seconds until there is room for `amount`."""
        return 0.0 if self.remaining(now) >= amount else self._end - now

    def reset_s(self, now: float) -> float:
        """Return the seconds until the next window."""
        self.remaining(now)
        return self._end - now


class Limits:
    """The limits of requests and tokens, and their headers."""

    def __init__(self, *, rpm: float, tpm: float, window_s: float, limiter: str, now: float) -> None:
        kind = Window if limiter == "window" else Bucket
        per_minute = {"requests": rpm, "tokens": tpm}
        self._accounts: dict[str, tuple[float, Account]] = {
            name: (limit, kind(limit * window_s / 60, window_s, now)) for name, limit in per_minute.items() if limit
        }

    def admit(self, tokens: int, now: float) -> float:
        """Count a request and return 0; without room for it, return the seconds until there is."""
        amounts = {"requests": 1, "tokens": tokens}
        wait = max((a.wait_s(amounts[name], now) for name, (_, a) in self._accounts.items()), default=0.0)
        if not wait:
            for name, (_, account) in self._accounts.items():
                account.take(amounts[name])
        return wait

    def headers(self, now: float) -> dict[str, str]:
        """Return `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI sends them."""
        headers: dict[str, str] = {}
        for name, (limit, account) in self._accounts.items():
            headers[f"x-ratelimit-limit-{name}"] = str(round(limit))
            headers[f"x-ratelimit-remaining-{name}"] = str(math.floor(account.remaining(now)))
            headers[f"x-ratelimit-reset-{name}"] = duration(account.reset_s(now))
        return headers
