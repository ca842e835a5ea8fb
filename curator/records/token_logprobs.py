"""Log-probabilities of an answer's tokens, in the shapes that APIs and logs give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Natural logarithms of the probabilities of an answer's tokens.

    `tokens` are the texts of the tokens, as many as `values`; empty where only the numbers are known.
    """

    values: tuple[float, ...]
    tokens: tuple[str, ...] = ()


def read_logprobs(value: object, tokens: object = None) -> TokenLogprobs | None:
    """Read the log-probabilities of an answer; None without any, or of another shape.

    Three shapes are read: a list of numbers, with `tokens` as a list of texts; a list of objects with `token` and
    `logprob`; and an object with such a list as its `content`, as chat completions have it.
    """
    if isinstance(value, Mapping):
        value = value.get("content")
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(item, Mapping) for item in value):
        tokens = [item.get("token") for item in value]
        value = [item.get("logprob") for item in value]
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return None
    texts = tokens if isinstance(tokens, list) and len(tokens) == len(value) else []
    return TokenLogprobs(
        values=tuple(map(float, value)),
        tokens=tuple(texts) if all(isinstance(text, str) for text in texts) else (),
    )
