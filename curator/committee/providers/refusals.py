"""Failed requests: what an endpoint refuses, why, and for how long.

Endpoints say the same things in different places. Everything here reads the status, the codes and the message of an
error, wherever it stood: in a response with an error status, in the body of a 200, or inside one of its answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson

from curator.committee.providers.keys import secret_of
from curator.committee.providers.reset_times import asked_wait_s
from curator.committee.rate_limits import limits_of
from curator.committee.requests import CallFailed, FailureKind, RefusalCause
from curator.text.display import clean

_USER_INFO = re.compile(r"//[^/@\s]+@")  # the name and password of a proxy, as a URL carries them
_MESSAGE_CHARS = 300

_TERMINAL_STATUS = frozenset({401, 402, 403, 404})
_TERMINAL_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_deactivated",
        "invalid_api_key",
        "model_not_found",
    }
)
_RETRYABLE_STATUS = frozenset({408, 409, 425, 429})
_GATEWAY_TIMEOUTS = frozenset({504, 524})  # the model behind the gateway may have answered and billed
_REFUSING_STATUS = frozenset({400, 403, 413, 422, 451})
_STATUS_OF_CODE = (  # the first pattern in a code decides; codes of OpenAI, Anthropic, Google, AWS and routers
    (re.compile(r"rate_?limit|too_?many_?requests|throttl|resource_exhausted|quota_exceeded", re.I), 429),
    (re.compile(r"overload|unavailable|capacity|not_ready", re.I), 503),
    (re.compile(r"time_?out|deadline", re.I), 504),
    (re.compile(r"authentication|unauthorized|invalid_api_key|unauthenticated", re.I), 401),
    (re.compile(r"billing|payment|insufficient_(?:quota|credits?|balance)", re.I), 402),
    (re.compile(r"permission|forbidden", re.I), 403),
    (re.compile(r"not_?found", re.I), 404),
    (re.compile(r"invalid_?(?:request|argument|prompt|image)|bad_?request|validation|content_|context_", re.I), 400),
)

_FILTER_CODES = re.compile(
    r"content_?(?:filter|policy|moderation|safety)\w*|ResponsibleAIPolicyViolation|flagged_input|data_?inspection_?failed"
    r"|(?:prompt|input|request|moderation)_?(?:blocked|flagged)|prohibited_?content|safety\w*|blocked_?by_?safety"
    r"|invalid_prompt|guardrail\w*|sensitive_\w+|refusal|recitation|blocklist|cyber_policy_violation",
    re.IGNORECASE,
)
_FILTER_WORDS = re.compile(
    r"content (?:management|filter|moderation|polic)|responsible ai|(?:prompt|input|request|content|image)\b.{0,40}"
    r"\b(?:flagged|blocked|prohibited|inappropriate)|safety (?:filter|system|polic)|usage polic",
    re.IGNORECASE,
)
_LENGTH_CODES = re.compile(
    r"context_?(?:length|window|size)\w*|exceed_context_size\w*|string_above_max_length|request_too_large|tokens_limit_reached"
    r"|max_?(?:prompt|input|context)_?(?:tokens|length)\w*|(?:input|prompt)_too_long|\w*contextwindowexceeded\w*",
    re.IGNORECASE,
)
_LENGTH_WORDS = re.compile(
    r"context (?:length|window|size)|too many (?:input |prompt )?tokens|reduce (?:the|your) (?:length|prompt|input|message)"
    r"|(?:prompt|input|request|messages?|token count)\b.{0,60}\b(?:too (?:long|large)|exceed|longer than)",
    re.IGNORECASE,
)
_OUTPUT_LIMIT = re.compile(r"max_(?:completion_|output_|new_)?tokens\W{0,3}(?:or \W?max_completion_tokens\W{0,3})?(?:is|must|cannot|exceed|value)", re.I)  # fmt: skip
_INPUT_CODES = re.compile(
    r"(?:invalid|unsupported|empty)_?(?:image|audio|file|base64|media|message)\w*|image_\w+", re.I
)
_INPUT_WORDS = re.compile(
    r"(?:invalid|unsupported|malformed|could not|cannot|can't|failed to|unable to)\b.{0,40}\b(?:image|audio|video|base64)"
    r"|\b(?:image|audio|video)s?\b.{0,60}\b(?:invalid|unsupported|not supported|too (?:large|small)|exceed)",
    re.IGNORECASE,
)
_INPUT_FIELDS = re.compile(r"(?:messages|prompt|input|contents?)\b")


def failure(
    status: int,
    error: Any,  # noqa: ANN401  any JSON at all
    headers: Mapping[str, str],
    *,
    now: Callable[[], float],
    secrets: Collection[str] = (),
    message: str | None = None,
    more_codes: Collection[str] = (),
) -> CallFailed:
    """Return the failure of a response with an error status.

    `error` is its body as JSON, or as text. `message` replaces the message of the body, and `more_codes` are added to its
    codes.
    """
    words, codes, field = describe(error)
    codes = codes.union(more_codes)
    kind = classify(status, codes)
    cause = cause_of(status, codes, message or words, field)
    if cause is not None and kind not in {"retryable", "ambiguous"} and _TERMINAL_CODES.isdisjoint(codes):
        kind = "rejected"
    return CallFailed(
        kind,
        one_line(f"{status} {message or words}".rstrip(), secrets=secrets),
        status=status,
        retry_after_s=asked_wait_s(headers, error, now=now),
        limits=limits_of(headers),
        cause=cause if kind == "rejected" else None,
    )


def failure_inside(
    error: Any,  # noqa: ANN401
    headers: Mapping[str, str],
    *,
    now: Callable[[], float],
    secrets: Collection[str] = (),
) -> CallFailed:
    """Return the failure of an error that stood in a response with the status 200.

    Its code takes the place of the status. It is 502 where the code names none, since routers answer so where the
    model's own endpoint failed.
    """
    return failure(_status_inside(error), error, headers, now=now, secrets=secrets)


def classify(status: int, codes: Collection[str] = ()) -> FailureKind:
    """Return the kind of a refusal, by its HTTP status and the error codes in its body."""
    if not _TERMINAL_CODES.isdisjoint(codes):
        return "terminal"
    if status == 403 and "flagged_input" in codes:  # a router's moderation refused this one request
        return "rejected"
    if status in _TERMINAL_STATUS or 300 <= status < 400:
        return "terminal"
    if status in _GATEWAY_TIMEOUTS:
        return "ambiguous"
    if status in _RETRYABLE_STATUS or status >= 500:
        return "retryable"
    return "rejected"


def cause_of(status: int, codes: Collection[str], message: str, field: str = "") -> RefusalCause | None:
    """Return the cause of a refusal that lies in the request; None where it may be a setting.

    Codes decide before words. Words count only with a status that refuses a request, and not those of a limit that the
    config sets. `field` is the field of the request that the error names.
    """
    if status not in _REFUSING_STATUS and status < 500:
        return None
    patterns: tuple[tuple[RefusalCause, re.Pattern[str], re.Pattern[str]], ...] = (
        ("content_filter", _FILTER_CODES, _FILTER_WORDS),
        ("context_length", _LENGTH_CODES, _LENGTH_WORDS),
        ("invalid_input", _INPUT_CODES, _INPUT_WORDS),
    )
    for cause, of_code, _ in patterns:
        if any(of_code.fullmatch(code) for code in codes):
            return cause
    if status not in {400, 413, 422, 451} or _OUTPUT_LIMIT.search(message):
        return None
    for cause, _, of_words in patterns:
        if of_words.search(message):
            return cause
    if status == 413:
        return "context_length"
    return "invalid_input" if _INPUT_FIELDS.match(field) and not _is_setting(codes) else None


def _is_setting(codes: Collection[str]) -> bool:
    """Return whether the endpoint lacks a feature, so that it refuses all requests alike."""
    return any(code.startswith("unsupported_") for code in codes)


def describe(error: Any) -> tuple[str, frozenset[str], str]:  # noqa: ANN401
    """Return the message, the codes, and the field of the request that an error names."""
    if isinstance(error, str | bytes):
        text = error.decode(errors="replace") if isinstance(error, bytes) else error
        try:
            error = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text, frozenset(), ""
    if isinstance(error, list) and error:
        error = error[0]
    inner = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(inner, dict):
        return ("" if inner is None else str(inner)), frozenset(), ""
    message = inner.get("message") or inner.get("detail") or orjson.dumps(inner).decode()
    field = inner.get("param")
    codes = frozenset(_codes({**error, **inner} if isinstance(error, dict) else inner))
    return str(message), codes, field if isinstance(field, str) else ""


def _codes(error: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the codes of an error, also of those inside it."""
    for key in ("code", "type", "status", "reason", "finish_reason", "__type"):
        if isinstance(code := error.get(key), str):
            yield code
    if isinstance(metadata := error.get("metadata"), dict):
        yield from metadata
    for key in ("innererror", "inner_error"):
        if isinstance(inner := error.get(key), dict):
            yield from _codes(inner)


def _status_inside(error: Any) -> int:  # noqa: ANN401
    inner = error.get("error", error) if isinstance(error, dict) else error
    if isinstance(inner, dict):
        for key in ("code", "status", "status_code"):
            code = inner.get(key)
            number = int(code) if isinstance(code, str) and code.isdecimal() else code
            if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
                return number
    for code in describe(error)[1]:
        for pattern, status in _STATUS_OF_CODE:
            if pattern.search(code):
                return status
    return 502


def one_line(message: str, *, secrets: Collection[str]) -> str:
    """Return the message as one short line with the secrets blacked out."""
    for secret in secrets:
        if secret_of(secret):
            message = message.replace(secret, "[key]")
    message = _USER_INFO.sub("//", " ".join(clean(message).split()))
    return message if len(message) <= _MESSAGE_CHARS else message[: _MESSAGE_CHARS - 3] + "..."
