"""Failed requests in words that a user understands."""

from __future__ import annotations

from collections.abc import Mapping

_FAILURES = {
    "retryable": "without a connection",
    "ambiguous": "without an answer (timed out or cut off)",
    "terminal": "refused for good",
    "rejected": "refused",
    "content_filter": "refused by a content filter",
    "context_length": "too long for the model",
    "invalid_input": "refused for what the messages hold",
    "token_limit": "empty at the token limit",
    "402": "refused for want of credit (402)",
    "429": "refused by a rate limit (429)",
    "503": "refused for want of capacity (503)",
    "529": "refused for want of capacity (529)",
}


def failures_in_words(errors: Mapping[str, int]) -> str:
    """Return the tries that failed as a user understands them.

    `errors` counts them by `CallFailed.label`: the cause of a refusal, an HTTP status, or the kind of the failure.
    """

    def words(label: str) -> str:
        if label in _FAILURES:
            return _FAILURES[label]
        if not label.isdigit():
            return label
        return f"failed in the server ({label})" if label.startswith("5") else f"refused ({label})"

    return "; ".join(f"{count:,} {words(label)}" for label, count in sorted(errors.items()))
