"""The rule for answers, tested on both sides: what servers send, and what models write."""

from __future__ import annotations

from typing import Any

import pytest

from curator.readers.outcome import failed_body, failed_status, failed_text, finish_reason_of

FAILURES = [
    "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>",
    "<!DOCTYPE html><html><head><title>Error 503</title></head><body>...</body></html>",
    "<html><body><h1>504 Gateway Time-out</h1>The server didn't respond in time.</body></html>",
    "502 Bad Gateway",
    "Internal Server Error",
    '{"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}',
    '{"error": "overloaded"}',
    '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}',
    '{"error_code": "BAD_REQUEST", "message": "no"}',
    '{"detail": "Not authenticated", "status": 401}',
    "litellm.RateLimitError: RateLimitError: slow down",
    "Error code: 429 - {'error': {'message': 'slow down'}}",
    '{"message": "Forbidden"}',
    '{"message": "Endpoint request timed out"}',
    '{"message": "Internal server error"}',
    '{"__type": "ThrottlingException", "message": "Rate exceeded"}',
    "Error: upstream timeout",
    "[ERROR] Gateway timeout",
    "<error: upstream timeout>",
    "error (504): gateway timeout",
    "Error: Request failed with status code 500",
    "Error: connect ECONNREFUSED 127.0.0.1:8080",
    "Error while calling LLM: connection refused",
    "LLM call failed: deadline exceeded",
    "Request timed out.",
    "TypeError: fetch failed",
    "TimeoutError: request timed out after 30s",
    "APIConnectionError",
    "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.example', port=443): Read timed out.",
    "google.api_core.exceptions.ServiceUnavailable: 503 overloaded",
    "ThrottlingException: Rate exceeded",
    "Fehler 503: Service Unavailable",
    "Fehler: Dienst nicht erreichbar (503)",
    "Erreur : service indisponible",
    "Errore 504: tempo scaduto",
]
ANSWERS = [
    "",
    "The error 502 Bad Gateway means that a proxy got no valid answer.",
    "An internal server error is a fault of the server.",
    "Conflict",
    "Fehler 404 bedeutet, dass es die Seite nicht gibt.",
    "Fehler: Der Artikel ist nicht verfügbar",
    "Der Dienst ist nicht erreichbar, weil Ihr Router aus ist.",
    "404",
    '{"error_rate": 0.2, "status": "ok"}',
    '{"status": "shipped", "order": 17}',
    '{"message": "Hello", "title": "Greeting"}',
    '{"message": "Your parcel is on its way."}',
    '{"code": 7, "message": "seven"}',
    "<html><head><title>My shop</title></head><body><h1>Welcome</h1></body></html>",
    "<ul><li>one</li></ul>",
    "[1, 2]",
    "data: the plural of datum",
    "Traceback means the list of calls before an error.",
    "Error: division by zero",
    "Error: invalid input",
    "Error: timeout must be a positive integer",
    "Error: the customer did not give an order number",
    "Error rate: 5%",
    "Error handling: catch timeouts and retry.",
    "Error: a proxy between the two got no answer from its upstream server, so that it gave up after the usual minute and sent a page",
    "ValueError: invalid literal for int() with base 10: 'a'",
    "ZeroDivisionError",
    "TimeoutError",
    "timeout_error",
    "Network error",
    "Payment failed: card declined",
    "The request timed out, so please check your connection.",
]


@pytest.mark.parametrize("text", FAILURES)
def test_what_servers_send_is_a_failure(text: str) -> None:
    assert failed_text(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_what_models_write_is_an_answer(text: str) -> None:
    assert failed_text(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"error": "no date found"}',
        "<html><head><title>404 Not Found</title><style>h1 {color: red}</style></head><body>Oh no</body></html>",
        "Internal Server Error",
    ],
)
def test_an_answer_with_a_finish_reason_needs_the_full_form_of_an_error(text: str) -> None:
    assert failed_text(text)
    assert failed_text(text, written=True) is None


@pytest.mark.parametrize("text", FAILURES[:2] + FAILURES[6:7])
def test_the_full_form_of_an_error_is_a_failure_with_any_finish_reason(text: str) -> None:
    assert failed_text(text, written=True)


@pytest.mark.parametrize(
    "value", [400, 503, 429.0, "500", "503 Service Unavailable", "HTTP/1.1 502", "failure", "ERROR"]
)
def test_statuses_of_failures(value: Any) -> None:
    assert failed_status(value)


@pytest.mark.parametrize("value", [200, 201, "200", "success", "OK", None, True, 4000, "completed", "4711"])
def test_statuses_of_other_calls(value: Any) -> None:
    assert failed_status(value) is None


def test_a_body_with_keys_of_its_own_is_an_answer() -> None:
    assert failed_body({"error": {"code": "x"}, "request_id": "r"})
    assert failed_body({"error": {"code": "x"}, "total": 3}) is None
    assert failed_body({}) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("SAFETY", "content_filter"),
        ("refusal", "content_filter"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("FinishReason.STOP", "stop"),
        ("FINISH", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"),
        ("pause_turn", "pause_turn"),
        ("stop", "stop"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        (None, None),
        (3, None),
    ],
)
def test_each_meaning_of_a_finish_reason_has_one_name(value: Any, reason: str | None) -> None:
    assert finish_reason_of(value) == reason
