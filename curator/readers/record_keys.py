"""Meaning of the keys of a record; records with the same keys are looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from curator.readers.speakers import name_words

T = TypeVar("T")

ASKING = frozenset(("request", "req", "input", "body", "prompt", "payload", "kwargs", "question", "query"))
ANSWERING = frozenset(
    (
        "response",
        "resp",
        "res",
        "output",
        "outputs",
        "completion",
        "answer",
        "reply",
        "result",
        "generation",
        "chunks",
        "events",
    )
)
ABOUT = frozenset(
    (
        "time", "ms", "cost", "id", "ids", "status", "code", "headers", "tokens", "token", "at", "length", "format", "model",
        "schema", "type", "count", "url", "size", "start", "latency", "duration", "date", "timestamp", "usage", "reason",
        "tags", "ip", "head", "path", "method", "hash", "name", "user", "metadata", "parameters", "price", "seconds", "s",
    )
)  # fmt: skip
"""Words of keys that say something about a request or a response, and do not hold it."""

_SHAPES = 256
"""So many sets of keys are remembered by each function; the records of a log have a few."""
_MOST_KEYS = 100
"""A record with more keys is a table of something, such as of users by their ids: the next one has others."""


def by_keys(function: Callable[[tuple[str, ...]], T]) -> Callable[[Mapping[str, object]], T]:
    """Make of a function of keys, in their order, one of a record; it remembers the results."""
    remembered = lru_cache(maxsize=_SHAPES)(function)

    def of_record(record: Mapping[str, object]) -> T:
        keys = tuple(record)
        return remembered(keys) if len(keys) <= _MOST_KEYS else function(keys)

    return of_record


@lru_cache(maxsize=4096)  # the records of a log have the same keys
def key_words(key: str) -> frozenset[str]:
    """The words of a key."""
    return frozenset(name_words(key))


@by_keys
def asking_keys(keys: tuple[str, ...]) -> list[str]:
    """The keys whose words name a request, those of a request itself first."""
    named = [key for key in keys if (words := key_words(key)) & ASKING and not words & (ABOUT | ANSWERING)]
    return sorted(named, key=lambda key: not key_words(key) & {"request", "req"})


@by_keys
def answering_keys(keys: tuple[str, ...]) -> list[str]:
    """The keys whose words name a response, those of a response itself first."""
    named = [key for key in keys if (words := key_words(key)) & ANSWERING and not words & ABOUT]
    return sorted(named, key=lambda key: not key_words(key) & {"response", "resp", "res"})
