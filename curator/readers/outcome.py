"""Is this an answer? The one rule for log readers and for the clients of the committee.

A failed call has no answer, however its record looks: an HTTP status of 400 or more, an error object, an error page of a
gateway in place of the model's text. A model's text about errors, or an HTML page that a model wrote, is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from curator.readers.json_text import decoded
from curator.records import JsonValue

FAILED = "error"
"""The finish reason of a call that failed."""
FILTERED = "content_filter"
"""The finish reason of an answer that a content filter took away."""
TRUNCATED = "length"
"""The finish reason of an answer that ended at the token limit."""
STOPPED = "stop"
"""The finish reason of an answer that the model ended itself, or that ended at a stop sequence."""
CALLED = "tool_calls"
"""The finish reason of an answer that calls tools."""

_FAILED_WORDS = frozenset(
    ("failure", "failed", "fail", "error", "errored", "cancelled", "canceled", "timeout", "expired")
)
_FINISH_REASONS = {
    **dict.fromkeys(
        (
            "max_tokens", "max_output_tokens", "token_limit", "length", "model_length", "max_token",
            "model_context_window_exceeded", "context_length", "context_length_exceeded",
        ),
        TRUNCATED,
    ),
    **dict.fromkeys(
        (
            "content_filter", "content-filter", "content_filtered", "safety", "recitation", "blocklist",
            "prohibited_content", "spii", "image_safety", "guardrail_intervened", "refusal", "error_toxic", "filtered",
        ),
        FILTERED,
    ),
    **dict.fromkeys(
        ("stop", "end_turn", "finish", "finished", "complete", "stop_sequence", "stop_criteria_met", "eos", "eos_token"), STOPPED
    ),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call"), CALLED),
    **dict.fromkeys(("error", "failed", "malformed_function_call", "unexpected_tool_call", "cancelled"), FAILED),
}  # fmt: skip
_ENVELOPE = frozenset((
    "error", "errors", "error_code", "error_message", "error_type", "code", "status", "statuscode", "status_code", "message",
    "type", "__type", "detail", "details", "request_id", "requestid", "object", "param", "timestamp", "path", "title", "success",
))  # fmt: skip
"""The keys of an error object as servers send it. An answer that is JSON has keys of its own beside them."""
_PHRASES = {status.value: status.phrase.lower() for status in HTTPStatus if status >= 400}
_PHRASE_VARIANTS = {"gateway time-out": 504, "service temporarily unavailable": 503, "rate limit exceeded": 429}
_BARE_PHRASES = frozenset(
    (
        "internal server error", "bad gateway", "service unavailable", "gateway timeout", "too many requests",
        "fetch failed", "socket hang up", "read timed out", "the read operation timed out", "failed to fetch",
        *_PHRASE_VARIANTS,
    )
)  # fmt: skip
"""Phrases that are a failure where a text has nothing else: no model answers so, unlike with `Conflict` or `Gone`."""
_PROXY_TEXTS = ("upstream connect error", "no healthy upstream", "upstream request timeout", "stream timeout")
_CODE_ONLY = re.compile(r"error(?: code)?:? \d{3,4}\.?")
_CLIENT_ERROR = re.compile(
    r"(?:error code: [45]\d\d - [{<]|(?:litellm|openai|anthropic|botocore|httpx|google|groq|cohere|mistralai)(?:\.\w+)*"
    r"\.\w*(?:error|exception|limit\w*|exhausted|timeout)\b)",
    re.IGNORECASE,
)
"""The beginning of an exception of a client library that was logged as its text."""
_ERROR_HEAD = re.compile(
    r"[\[(<*]*(?:(?:llm|model|api|http|request|call|server|upstream|gateway|network|internal|client|fatal|connection|completion"
    r"|provider|fetch|inference|openai|anthropic|azure|bedrock) ){0,2}(?:error|exception|failure|failed|fehler|erreur|errore|erro|fout)\b"
    r"(?:[\])>*:]| :| ?[-\u2013\u2014] | \(?[45]\d\d\b| code\b|(?: while)? (?:calling|contacting|communicating|connecting|fetching)\b)",
    re.IGNORECASE,
)
"""The beginning of a text that is an error: `Error: ...`, `[ERROR] ...`, `Request failed: ...`."""
_EXCEPTION = re.compile(
    r"(?:[a-z]\w*\.)*([a-z]\w*(?:error|exception|timeout|exceeded|exhausted|unavailable|requests|gateway))(?:[:(]|\Z)",
    re.IGNORECASE,
)
"""The beginning of a text that is an exception: `requests.exceptions.ReadTimeout: ...`."""
_CALL_FAILED = re.compile(
    r"\btime(?:d )?-?out\b(?! (?:must|should|is|value|parameter|setting))|\bdeadline exceeded\b|\bupstream\b|\bgateway\b"
    r"|\bconnect(?:ion)? (?:\w+ )?(?:refused|reset|closed|aborted|error|lost|failed|timeout)\b|\bremote disconnected\b"
    r"|\bmax retries exceeded\b|\brate.?limit|\bquota exceeded\b|\binsufficient.quota\b|\btoo many requests\b|\boverloaded\b"
    r"|\b(?:service|server|model) (?:is )?(?:temporarily |currently )?(?:unavailable|busy)\b|\binternal server error\b"
    r"|\b(?:invalid|incorrect|missing) api.?key\b|\bfetch failed\b|\bsocket hang up\b|\bnetwork error\b|\be(?:conn\w+|timedout|notfound|pipe)\b"
    r"|\bstatus(?: code)?:? [45]\d\d\b|\bhttps?(?:/\d\S*)? (?:error:? |status:? )?[45]\d\d\b|\bno healthy\b|\bthrottl|\breturned [45]\d\d\b"
    r"|\babort(?:ed|error)\b"
    r"|\b(?:dienst|server|service|serveur|servicio|servidor|servizio|serviço|modell|modèle|modelo|modello|api|ki)\b.{0,30}"
    r"\b(?:nicht (?:erreichbar|verfügbar)|überlastet|indisponible|no disponible|non disponibile|indisponível|niet (?:bereikbaar|beschikbaar))"
    r"|\bzeitüberschreitung\b|\bdélai (?:d.attente )?dépassé\b|\btiempo de espera\b|\btempo (?:limite|scaduto)\b",
    re.IGNORECASE,
)
"""The words with which servers and clients, also translated ones, say why a call of theirs failed."""
_CLIENT_NAME = re.compile(
    r"api|http|ratelimit|timeout|connect|overloaded|throttl|quota|unavailable|internalserver|gateway|upstream|deadline|exhausted"
    r"|toomany|authentication|proxy|ssl|socket|protocol|retry",
    re.IGNORECASE,
)
"""Parts of the names that clients of APIs give their exceptions."""
_OF_PYTHON = frozenset(("timeouterror", "connectionerror", "sslerror"))
"""Names that without a message may be the answer to a question about them."""
_MESSAGE_ONLY = frozenset(("message", "request_id", "requestId"))
_XML_ERROR = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<Error(?:Response)?(?:\s[^>]*)?>\s*<(?:Code|Error)>")
_GATEWAY_TEXTS = frozenset(("endpoint request timed out", "limit exceeded", "missing authentication token"))
"""Messages of the gateways of AWS, which are a body's only text."""
_CLIENT_TEXTS = frozenset(("connection error.", "request timed out.", "network error."))
"""Messages of clients; without the full stop they may be a category."""
_MOST_ERROR_WORDS = 20
"""Words: a longer text after `Error:` may be what a model tells about an error. Clients' texts with an address have about 15."""
_SERVERS = re.compile(r"nginx|cloudflare|apache|openresty|envoy|cloudfront|akamai|varnish|haproxy|<hr\b", re.IGNORECASE)
_MOST_GATEWAY_PAGE = 1500
"""Characters of the longest error page that a server sends of its own; a page that a model wrote on request has a style."""
_FAILURES = frozenset(("fault", "error", "errors", "errorcode", "errormsg", "errormessage", "exception"))
_FINE_CODES = (0, 200, "0", "200", "ok", "OK", "success", "Success")
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
    if isinstance(value, str) and re.fullmatch(r"(?:http[ /\d.]*)?[45]\d\d\b.*", value.strip(), re.IGNORECASE):
        value = int(next(re.finditer(r"\b[45]\d\d\b", value))[0])
    if isinstance(value, float) and value.is_integer():
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


def failed_text(text: str, *, written: bool = False) -> str | None:
    """The failure where a text is the error of a server, not of a model; else None.

    Args:
        text: the text in place of an answer.
        written: the record has a finish reason of the model, so that the text surely is what the model wrote, unless it has the
            full form of an error of an API or of a server. Then `{"error": "no date found"}` is an answer.
    """
    start = text[:64].lstrip()
    if start[:1] in ("{", "[") and start[:7].lower() != "[error]":
        is_short = len(text) <= _MOST_LINE and '"message"' in text
        body = decoded(text) if is_short or "error" in text or "detail" in text or "status" in text else None
        return None if written and not _is_api_error(body) else failed_body(body)
    if len(text) > _MOST_PAGE:
        return None
    if _XML_ERROR.match(text):
        return "an error of a server"
    if start[:1] == "<" and start[:6].lower() != "<error":
        failure = _failed_page(text)
        return None if written and (len(text) > _MOST_GATEWAY_PAGE or not _SERVERS.search(text)) else failure
    line = text.strip().lower()
    if line.startswith(_PROXY_TEXTS) or _CODE_ONLY.fullmatch(line):
        return "an error of the gateway"
    return None if written or len(line) > _MOST_PAGE else _failed_line(line)


def _is_api_error(body: JsonValue) -> bool:
    """Return whether an error object has a message and a type or code."""
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and "message" in error and not {"type", "code", "status"}.isdisjoint(error)


def _failed_line(line: str) -> str | None:
    """The failure that a text in lower case states, where it has nothing else."""
    if _CLIENT_ERROR.match(line) or line.startswith("traceback (most recent call last):"):
        return "an exception of the client"
    if len(line) > _MOST_LINE:
        return None
    plain = line.strip(" :-.!")
    if plain in _BARE_PHRASES:
        return plain
    code, rest = line[:3], line[3:].strip(" :-.")
    if _is_error_of_call(line):
        return "an error of the client or the gateway"
    is_phrase = (
        code.isdecimal() and rest and (_PHRASES.get(int(code)) == rest or _PHRASE_VARIANTS.get(rest) == int(code))
    )
    return f"HTTP {code}" if is_phrase else None


def _is_error_of_call(line: str) -> bool:
    """Return whether a line says only that a call failed.

    It begins as an error does, and says in the words of servers and clients why. `Error: division by zero` may be an answer,
    and so may `ValueError`.
    """
    if "\n" in line or len(line.split()) > _MOST_ERROR_WORDS:
        return False
    name = _EXCEPTION.match(line)
    if name is not None and _CLIENT_NAME.search(name[1]):
        return bool(line[name.end() :].strip()) or (name[1] not in _OF_PYTHON and "_" not in name[1])
    start = name or _ERROR_HEAD.match(line)
    return line in _CLIENT_TEXTS or (start is not None and _CALL_FAILED.search(line) is not None)


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
    if isinstance(message, str) and body.keys() <= _MESSAGE_ONLY:
        return _failed_message(message)
    if (
        body.get("type") == "error"
        or "__type" in body
        or (message and body.get("success") is False)
        or (message and (failed_status(code) or body.get("error_code")))
    ):
        return failed_status(code) or failed_error(message) or "error"
    return None


def _failed_message(text: str) -> str | None:
    """The failure that the only text of a body states, as the gateways of AWS write it."""
    line = text.strip().lower()[:_MOST_LINE]
    return line if line.strip(" .!") in _PHRASES.values() or line in _GATEWAY_TEXTS else _failed_line(line)


def names_failure(body: Mapping[str, JsonValue]) -> bool:
    """Return whether a response in which no answer is found says that the call failed."""
    keys = {key.lower().replace("_", ""): value for key, value in body.items() if value}
    if not _FAILURES.isdisjoint(keys) or keys.keys() == {"detail"}:
        return True
    status = keys.get("baseresp")
    if isinstance(status, dict):
        return bool(status.get("status_code"))
    worded = keys.keys() & {"message", "msg"} and {key.lower() for key in body} <= _ENVELOPE | {"msg"}
    return bool(worded and keys.get("code", 200) not in _FINE_CODES)


def _failed_page(text: str) -> str | None:
    for _, title in _TITLE.findall(text):
        plain = re.sub(r"<[^>]+>", " ", title).strip().lower()
        code = re.search(r"\b([45]\d\d)\b", plain)
        phrases = [phrase for phrase, number in _PHRASE_VARIANTS.items() if code and number == int(code[1])]
        phrases += ["error", *([_PHRASES[int(code[1])]] if code and int(code[1]) in _PHRASES else [])]
        named = any(phrase in plain for phrase in phrases) or (
            code and _SERVERS.search(text) and re.search(rf"(?:^|\|)\s*{code[1]}\b", plain)
        )
        if code and (plain == code[1] or named):
            return f"HTTP {code[1]}"
        if plain in _BARE_PHRASES or plain in _PHRASES.values():
            return plain
    return None
