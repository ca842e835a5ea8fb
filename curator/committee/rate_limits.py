"""How fast one model at one endpoint may be asked: its rate limits, and how many requests it takes at a time.

Two controls, one inside the other. A `Meter` a limit spaces requests (or tokens) evenly, by the config's limit or by
what the endpoint's headers say is left. A `Congestion` window around them follows what the endpoint can take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from curator.committee.requests import Limits, Quota

_MARGIN = 0.98  # of a limit: the endpoint's clock and ours do not count a minute alike
_TOLERANCE_S = 0.1  # how early a request may go, so that a late timer costs no throughput
_MAX_RESET_S = 86_400.0
_LONGEST_HOLD_S = 120.0  # then one request looks whether it is true
_COOLDOWN_S = 0.5
_COOLDOWN_CAP_S = 30.0
_CUT = 0.7
_GROWTH = 0.1  # of the most that may be in flight, added a round trip
_LEARN = 0.1
_CAUTION = 1.5
_CAUTION_FADES = 0.999
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}


class Meter:
    """Spaces units (requests or tokens) evenly in time: the generic cell rate algorithm in its virtual scheduling form.

    See ITU-T I.371, or https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm. Without a limit of its own it takes
    the pace at which what the endpoint says remains would last until its reset. That is right for a limit that starts
    anew each minute, and for a bucket that fills all the time it settles at the bucket's own rate.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._fixed = per_minute is not None
        self._per_s = _MARGIN * per_minute / 60.0 if per_minute else None
        self._next = 0.0  # when the next unit is due

    def wait_s(self, now: float) -> float:
        """Seconds until more may go."""
        return max(0.0, self._next - _TOLERANCE_S - now) if self._per_s else 0.0

    def take(self, units: float, now: float) -> None:
        """So many go now."""
        if self._per_s:
            self._next = max(self._next, now) + units / self._per_s

    def correct(self, units: float) -> None:
        """So many more than were taken (fewer, if negative) turned out to count."""
        if self._per_s:
            self._next += units / self._per_s

    def observe(self, quota: Quota, now: float) -> None:
        """Follow what the endpoint says of this limit, unless the config knows it."""
        if self._fixed:
            return
        if quota.remaining is not None and quota.reset_s and quota.remaining > 0:
            self._set(_MARGIN * quota.remaining / quota.reset_s, now)
        elif quota.limit and self._per_s is None:
            self._set(_MARGIN * quota.limit / 60.0, now)

    def _set(self, per_s: float, now: float) -> None:
        if self._per_s and self._next > now:
            self._next = now + (self._next - now) * self._per_s / per_s
        self._per_s = per_s


class Congestion:
    """How many requests may be in flight: additive increase, multiplicative decrease, as TCP's congestion avoidance.

    A round trip of good answers adds a tenth of `most`; a refusal for overload takes three tenths away, once a round
    trip: refusals of what was sent before the last cut tell nothing new.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._cut_at = float("-inf")
        self._streak = 0

    @property
    def allowed(self) -> int:
        """Requests that may be in flight."""
        return int(self._allowed)

    def good(self) -> None:
        """An answer came."""
        self._streak = 0
        if self._allowed < self._most:
            self._allowed = min(self._most, self._allowed + max(1.0, _GROWTH * self._most) / self._allowed)

    def bad(self, sent_at: float, now: float, in_flight: int) -> float:
        """A request that was sent at `sent_at` was refused for overload; how many seconds to send nothing at all.

        The first refusal after an answer asks for no pause, and each round trip without an answer doubles it.
        """
        if sent_at < self._cut_at:
            return 0.0
        self._cut_at = now
        self._allowed = max(1.0, min(self._allowed, in_flight) * _CUT)
        self._streak += 1
        return min(_COOLDOWN_CAP_S, _COOLDOWN_S * 2.0 ** (self._streak - 2)) if self._streak > 1 else 0.0


class Pace:
    """The limits of one model at its endpoint, in requests and in tokens."""

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self._requests = Meter(requests_per_minute)
        self._tokens = Meter(tokens_per_minute)
        self._held_until = 0.0
        self._share = 1.0  # of the most tokens that requests could take, what they do take
        self._floor = 0.0  # the least that `_share` counts as, after a refusal

    def wait_s(self, now: float) -> float:
        """Seconds until a request may go."""
        return max(self._held_until - now, self._requests.wait_s(now), self._tokens.wait_s(now), 0.0)

    def take(self, most_tokens: int, now: float) -> float:
        """A request of at most so many tokens goes now; returns the tokens it is expected to take, for `answered`."""
        expected = most_tokens * max(self._share, self._floor)
        self._requests.take(1.0, now)
        self._tokens.take(expected, now)
        return expected

    def answered(self, expected: float, most_tokens: int, actual: int) -> None:
        """It took `actual` tokens."""
        self._tokens.correct(actual - expected)
        self._share += _LEARN * (min(1.0, actual / most_tokens) - self._share)
        self._floor *= _CAUTION_FADES

    def failed(self, expected: float) -> None:
        """It took none."""
        self._tokens.correct(-expected)

    def refused(self) -> None:
        """A rate limit was hit all the same: an endpoint may count a request's limit where we count its use."""
        self._floor = min(1.0, max(self._share, self._floor) * _CAUTION)

    def hold(self, seconds: float, now: float) -> None:
        """Send nothing for so long."""
        self._held_until = max(self._held_until, now + seconds)

    def observe(self, limits: Limits, now: float) -> None:
        """Follow the endpoint's headers; where nothing remains, send nothing until its reset."""
        for meter, quota in ((self._requests, limits.requests), (self._tokens, limits.tokens)):
            if quota is None:
                continue
            meter.observe(quota, now)
            if quota.remaining is not None and quota.remaining <= 0 and quota.reset_s:
                self.hold(min(quota.reset_s, _LONGEST_HOLD_S), now)


def limits_of(headers: Mapping[str, str]) -> Limits | None:
    """The limits in the `x-ratelimit-*` headers of a response, None where there are none.

    https://platform.openai.com/docs/guides/rate-limits, section "Rate limits in headers".
    """
    requests, tokens = (_quota(headers, unit) for unit in ("requests", "tokens"))
    return Limits(requests, tokens) if requests or tokens else None


def seconds_of(text: str) -> float | None:
    """A time span such as `6m0s`, `120ms` or `1.5` in seconds; None if it is none."""
    parts = _SPAN.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def _quota(headers: Mapping[str, str], unit: str) -> Quota | None:
    limit, remaining = (_number(headers.get(f"x-ratelimit-{what}-{unit}")) for what in ("limit", "remaining"))
    if limit is None and remaining is None:
        return None
    reset_s = seconds_of(headers.get(f"x-ratelimit-reset-{unit}", ""))
    # More than a day is no span: some servers give the time of the reset there, in seconds since 1970.
    return Quota(limit, remaining, reset_s if reset_s is None or reset_s <= _MAX_RESET_S else None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


@dataclass(slots=True)
class Speed:
    """How fast a count grows over the last seconds."""

    span_s: float = 10.0
    _points: list[tuple[float, int]] | None = None

    def per_s(self, count: int, now: float) -> float:
        """The rate at which `count` grew, a second; it is called a few times a second."""
        points = self._points = [p for p in self._points or [] if now - p[0] <= self.span_s] + [(now, count)]
        elapsed = now - points[0][0]
        return (count - points[0][1]) / elapsed if elapsed > 0 else 0.0
