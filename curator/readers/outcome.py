"""Is this an answer? The one rule for log readers and for the clients of the committee.

A failed call has no answer, however its record looks: an HTTP status of 400 or more, an error object, an error page of a
gateway in place of the model's text. A model's text about errors, or an HTML page that a model wrote, is an answer.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from curator.readers.json_text import decoded
from curator.records import JsonValue

FAILED = "error"
"""The finish reason of a call that failed."""
FILTERED = "content_filter"
"""The finish reason of an answer that a content filter took away."""
TRUNCATED = "length"
"""The finish reason of an answer that ended at the token limit."""

_FAILED_WORDS = frozenset(
    ("failure", "failed", "fail", "error", "errored", "cancelled", "canceled", "timeout", "expired")
)
_FINISH_REASONS = {
    **dict.fromkeys(
        ("max_tokens", "max_output_tokens", "token_limit", "length", "model_length", "max_token"), TRUNCATED
    ),
    **dict.fromkeys(
        ("content_filter", "content-filter", "content_filtered", "safety", "recitation", "blocklist"), FILTERED
    ),
    **dict.fromkeys(("prohibited_content", "spii", "image_safety", "guardrail_intervened"), FILTERED),
    **dict.fromkeys(("error", "failed", "malformed_function_call"), FAILED),
}
_ENVELOPE = frozenset((
    "error", "errors", "error_code", "error_message", "error_type", "code", "status", "statuscode", "status_code", "message",
    "type", "detail", "details", "request_id", "requestid", "object", "param", "timestamp", "path", "title", "success",
))  # fmt: skip
"""The keys of an error object as servers send it. An answer that is JSON has keys of its own beside them."""
_PHRASES = {status.value: status.phrase.lower() for status in HTTPStatus if status >= 400}
_PHRASES |= {502: "bad gateway", 504: "gateway time-out"}
_PROXY_TEXTS = ("upstream connect error", "no healthy upstream", "upstream request timeout", "stream timeout")
_MOST_PAGE = 20_000
_MOST_LINE = 300
_TITLE = re.compile(r"<(title|h1)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)


def finish_reason_of(value: JsonValue) -> str | None:
    """A finish reason with one name for each meaning; others as logged."""
    if not isinstance(value, str) or not value:
        return None
    plain = value.rpartition(".")[2].lower()  # `FinishReason.MAX_TOKENS`
    return _FINISH_REASONS.get(plain, value)


def failed_status(value: JsonValue) -> str | None:
    """The failure that a status states, as a number of HTTP or a word; None for any other."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) == 3:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"HTTP {value}" if 400 <= value < 600 else None
    if isinstance(value, str):
        word = value.strip().lower().removeprefix("status_code_")
        return f"status {value.strip()[:40]!r}" if word in _FAILED_WORDS else None
    return None


def failed_error(value: JsonValue) -> str | None:
    """The failure that an `error` states: its code or message; None where it is empty."""
    value = decoded(value)
    if not value or value in ("None", "null"):
        return None
    if isinstance(value, dict):
        value = value.get("code") or value.get("type") or value.get("message") or "error"
    if isinstance(value, list):
        return failed_error(value[0])
    return " ".join(str(value).split())[:80] if value is not True else "error"


def failed_text(text: str) -> str | None:
    """The failure where a text is the error of a server, not of a model; else None."""
    start = text[:64].lstrip()
    if start[:1] in ("{", "["):
        return failed_body(decoded(text)) if "error" in text or "detail" in text or "status" in text else None
    if len(text) > _MOST_PAGE:
        return None
    if start[:1] == "<":
        return _failed_page(text)
    line = text.strip().lower()
    if len(line) <= _MOST_LINE and not line.startswith(_PROXY_TEXTS):
        code = line[:3]
        phrase = code.isdecimal() and _PHRASES.get(int(code))
        return f"HTTP {code}" if phrase and line[3:].strip(" :-.") == phrase else None
    return "an error of the gateway" if line.startswith(_PROXY_TEXTS) else None


def failed_body(body: JsonValue) -> str | None:
    """The failure where a value is an error object of a server; None for an answer in JSON."""
    if isinstance(body, list):
        return failed_body(body[0]) if len(body) == 1 else None
    if not isinstance(body, dict) or not body or not {key.lower() for key in body} <= _ENVELOPE:
        return None
    error = body.get("error") or body.get("errors")
    if error:
        return failed_error(error)
    code = next((body[key] for key in ("status_code", "statusCode", "code", "status") if body.get(key)), None)
    message = body.get("message") or body.get("detail") or body.get("title")
    if body.get("type") == "error" or (message and (failed_status(code) or body.get("error_code"))):
        return failed_status(code) or failed_error(message) or "error"
    return None


def _failed_page(text: str) -> str | None:
    for _, title in _TITLE.findall(text):
        plain = re.sub(r"<[^>]+>", " ", title).strip().lower()
        code = re.search(r"\b([45]\d\d)\b", plain)
        if code and (_PHRASES.get(int(code[1]), "\0") in plain or "error" in plain):
            return f"HTTP {code[1]}"
        if any(plain == phrase for phrase in _PHRASES.values()):
            return plain
    return None
