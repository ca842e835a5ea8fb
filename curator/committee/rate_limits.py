"""Rate limits of one model at one endpoint, and its window of requests in flight.

There are two controls. A `GcraLimiter` for each limit spaces requests (or tokens) evenly, by the config's limit or by the
remaining quota in the endpoint's headers. An `AimdWindow` bounds the requests in flight by what the endpoint accepts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.committee.requests import Limits, Quota

_MARGIN = 0.98  # of a limit: the endpoint's minute and ours do not start at the same time
_TOLERANCE_S = 0.1  # how early a request may go, so that a late timer costs no throughput
_MAX_RESET_S = 86_400.0
_LONGEST_HOLD_S = 120.0  # then one request checks whether the limit still holds
_COOLDOWN_S = 0.5
_COOLDOWN_CAP_S = 30.0
_CUT = 0.7
_GROWTH = 0.1  # share of the largest window that is added in a round trip
_LEARN = 0.1
_CAUTION = 1.5
_CAUTION_FADES = 0.999
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}


class GcraLimiter:
    """Spaces units (requests or tokens) evenly in time, by the GCRA.

    The generic cell rate algorithm is used in the virtual scheduling form of ITU-T I.371
    (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). Without a limit from the config, the rate is the one at
    which the endpoint's remaining quota lasts until its reset. That is right for a limit that starts anew each minute. For
    a bucket that refills all the time, it settles at the bucket's rate.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._fixed = per_minute is not None
        self._per_s = _MARGIN * per_minute / 60.0 if per_minute else None
        self._next = 0.0  # when the next unit is due

    def wait_s(self, now: float) -> float:
        """Return the seconds until more may be sent."""
        return max(0.0, self._next - _TOLERANCE_S - now) if self._per_s else 0.0

    def take(self, units: float, now: float) -> None:
        """Count units that are sent now."""
        if self._per_s:
            self._next = max(self._next, now) + units / self._per_s

    def correct(self, units: float) -> None:
        """Count units on top of those taken (fewer, if negative), as the endpoint counted them."""
        if self._per_s:
            self._next += units / self._per_s

    def observe(self, quota: Quota, now: float) -> None:
        """Follow the endpoint's headers for this limit, unless the config sets it."""
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


class AimdWindow:
    """Number of requests in flight: additive increase, multiplicative decrease, as in TCP.

    A round trip of answers adds a tenth of `most`. A refusal for overload takes three tenths of the window away, at most
    once in a round trip: refusals of requests sent before the last cut carry no new information.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._cut_at = float("-inf")
        self._streak = 0

    @property
    def allowed(self) -> int:
        """The size of the window, in requests."""
        return int(self._allowed)

    def grow(self) -> None:
        """Count an answer."""
        self._streak = 0
        if self._allowed < self._most:
            self._allowed = min(self._most, self._allowed + max(1.0, _GROWTH * self._most) / self._allowed)

    def shrink(self, sent_at: float, now: float, in_flight: int) -> float:
        """Count a refusal for overload; return the pause for all requests, in seconds.

        `sent_at` is the time at which the refused request was sent.

        The first refusal after an answer gives no pause. Each further round trip without an answer doubles the pause.
        """
        if sent_at < self._cut_at:
            return 0.0
        self._cut_at = now
        self._allowed = max(1.0, min(self._allowed, in_flight) * _CUT)
        self._streak += 1
        return min(_COOLDOWN_CAP_S, _COOLDOWN_S * 2.0 ** (self._streak - 2)) if self._streak > 1 else 0.0


class RateLimiter:
    """The rate limits of one model at its endpoint, in requests and in tokens."""

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self._requests = GcraLimiter(requests_per_minute)
        self._tokens = GcraLimiter(tokens_per_minute)
        self._held_until = 0.0
        self._share = 1.0  # mean share of a request's largest possible tokens that it uses
        self._floor = 0.0  # lower bound of `_share` after a refusal

    def wait_s(self, now: float) -> float:
        """Return the seconds until a request may be sent."""
        return max(self._held_until - now, self._requests.wait_s(now), self._tokens.wait_s(now), 0.0)

    def held_s(self, now: float) -> float:
        """Return the seconds that are left of a pause for which nothing is sent."""
        return max(0.0, self._held_until - now)

    def take(self, most_tokens: int, now: float) -> float:
        """Count a request that is sent now; return its expected tokens, which `answered` needs."""
        expected = most_tokens * max(self._share, self._floor)
        self._requests.take(1.0, now)
        self._tokens.take(expected, now)
        return expected

    def answered(self, expected: float, most_tokens: int, actual: int) -> None:
        """Correct the count by the `actual` tokens of an answered request."""
        self._tokens.correct(actual - expected)
        self._share += _LEARN * (min(1.0, actual / most_tokens) - self._share)
        self._floor *= _CAUTION_FADES

    def failed(self, expected: float) -> None:
        """Correct the count for a request that used no tokens."""
        self._tokens.correct(-expected)

    def refused(self) -> None:
        """Expect more tokens for each request from now on, after a rate limit refused one.

        An endpoint may count the largest possible tokens of a request, where this limiter counts the used ones.
        """
        self._floor = min(1.0, max(self._share, self._floor) * _CAUTION)

    def hold(self, seconds: float, now: float) -> None:
        """Send nothing for some seconds."""
        self._held_until = max(self._held_until, now + seconds)

    def observe(self, limits: Limits, now: float) -> None:
        """Follow the endpoint's headers; where no quota remains, send nothing until its reset."""
        for limiter, quota in ((self._requests, limits.requests), (self._tokens, limits.tokens)):
            if quota is None:
                continue
            limiter.observe(quota, now)
            if quota.remaining is not None and quota.remaining <= 0 and quota.reset_s:
                self.hold(min(quota.reset_s, _LONGEST_HOLD_S), now)


def limits_of(headers: Mapping[str, str]) -> Limits | None:
    """Return the limits in the `x-ratelimit-*` headers of a response; None without such headers.

    https://platform.openai.com/docs/guides/rate-limits, section "Rate limits in headers".
    """
    requests, tokens = (_quota(headers, unit) for unit in ("requests", "tokens"))
    return Limits(requests, tokens) if requests or tokens else None


def seconds_of(text: str) -> float | None:
    """Return a time span such as `6m0s`, `120ms` or `1.5` in seconds; None for any other text."""
    parts = _SPAN.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def _quota(headers: Mapping[str, str], unit: str) -> Quota | None:
    limit, remaining = (_number(headers.get(f"x-ratelimit-{what}-{unit}")) for what in ("limit", "remaining"))
    if limit is None and remaining is None:
        return None
    reset_s = seconds_of(headers.get(f"x-ratelimit-reset-{unit}", ""))
    # Some servers give the time of the reset instead, in seconds since 1970: a span is never longer than a day.
    return Quota(limit, remaining, reset_s if reset_s is None or reset_s <= _MAX_RESET_S else None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
