"""Failed requests in words."""

from __future__ import annotations

from curator.text.failures import failures_in_words


def test_failed_tries_are_said_in_words() -> None:
    errors = {"retryable": 433, "429": 3, "ambiguous": 2, "500": 1, "418": 1}
    assert failures_in_words(errors) == (
        "1 refused (418); 3 refused by a rate limit (429); 1 failed in the server (500); "
        "2 without an answer (timed out or cut off); 433 without a connection"
    )
