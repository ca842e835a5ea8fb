"""Waits that an endpoint asks for: `Retry-After`, the reset of a limit, or words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from curator.committee.rate_limits import seconds_of

_LONGEST_S = 40 * 86_400.0  # a monthly quota; a longer wait is a wrong clock
_FIRST_DATE_S = 1e9  # a number from here on is a date in seconds since 1970 (2001), not a span
_FIRST_DATE_MS = 1e12
_RESET = re.compile(
    r"(?:\w+-)*?(?:ratelimit|rate-limit)(?:-(?P<before>\w+(?:-\w+)*))?-reset(?:-(?P<after>\w+(?:-\w+)*))?"
)
_SPAN = r"\d+(?:\.\d+)?\s*(?:milliseconds?|ms|m(?!o)|s|h|d)[a-z]*[\s,]*(?:and\s+)?"
_IN_WORDS = re.compile(
    rf"\b(?:again|retry|resets?|wait|available)\s+(?:in|after|for)?\s*(?:about\s+)?((?:{_SPAN})+)", re.I
)
_WORD_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(milli|ms|s|m|h|d)", re.IGNORECASE)
_UNITS_S = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def asked_wait_s(headers: Mapping[str, str], error: Any = None, *, now: Callable[[], float]) -> float | None:  # noqa: ANN401
    """Return the seconds that an endpoint asks to wait; None where it does not ask.

    The headers of the response count first: `retry-after-ms`, `Retry-After` in seconds or as an HTTP date (RFC 9110), then
    the reset of a limit of which nothing remains. The error body is read next: Google's `retryDelay`, headers that a
    router repeats in `metadata`, and words such as `try again in 7m12s`.
    """
    wait = _of_headers(headers, now)
    if wait is None:
        wait = _of_body(error, now)
    return wait if wait is None or wait <= _LONGEST_S else None


def seconds_until(value: object, now: Callable[[], float]) -> float | None:
    """Return the seconds until a time: a span (`6m0s`), a number since 1970, or a date."""
    text = str(value).strip()
    span = seconds_of(text.removeprefix("-"))
    if span is not None:
        if text.startswith("-"):
            return 0.0
        if span >= _FIRST_DATE_MS:
            span = span / 1000.0 - now()
        elif span >= _FIRST_DATE_S:
            span -= now()
        return max(0.0, span)
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
        except (ValueError, TypeError):
            continue
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now())
    return None


def _of_headers(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    lowered = {str(name).lower(): value for name, value in headers.items()}
    if (value := lowered.get("retry-after-ms")) is not None and (span := seconds_of(str(value))) is not None:
        return span / 1000.0
    if (value := lowered.get("retry-after")) is not None and (wait := seconds_until(value, now)) is not None:
        return wait
    waits = [wait for name in lowered for wait in _of_reset(name, lowered, now)]
    return max(waits, default=None)


def _of_reset(name: str, headers: Mapping[str, str], now: Callable[[], float]) -> Iterator[float]:
    """Yield the wait until the reset that a header gives, if nothing of its limit remains."""
    match = _RESET.fullmatch(name)
    if match is None:
        return
    remaining = headers.get(name.replace("-reset", "-remaining"))
    wait = seconds_until(headers[name], now)
    if wait is not None and remaining is not None and str(remaining).strip() in {"0", "0.0"}:
        yield wait


def _of_body(error: Any, now: Callable[[], float]) -> float | None:  # noqa: ANN401
    if isinstance(error, bytes | str):
        try:
            error = orjson.loads(error)
        except orjson.JSONDecodeError:
            return _of_words(error.decode(errors="replace") if isinstance(error, bytes) else error)
    if isinstance(error, list) and error:
        error = error[0]
    inner = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(inner, dict):
        return _of_words(str(inner or ""))
    details = inner.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and (delay := seconds_of(str(detail.get("retryDelay", "")))) is not None:
            return delay
    metadata = inner.get("metadata")
    repeated = metadata.get("headers") if isinstance(metadata, dict) else None
    if isinstance(repeated, dict) and (wait := _of_headers(repeated, now)) is not None:
        return wait
    return _of_words(str(inner.get("message") or ""))


def _of_words(text: str) -> float | None:
    match = _IN_WORDS.search(text[:2000])
    if match is None:
        return None
    parts = _WORD_SPAN.findall(match[1])
    return sum(float(number) * _UNITS_S[unit.lower()] for number, unit in parts) if parts else None
