"""Disagreement of JSON answers by field: the share of answer pairs that differ there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from math import fsum

from curator.answers.json_values import with_sorted_sets
from curator.answers.read import Answer
from curator.records import JsonValue

_MISSING = "missing"
"""The value of an absent field. Not a canonical JSON text: it differs from every value."""


def field_disagreement(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the share of answer pairs, 0..1, that differ at each dotted path.

    A path reads `order.items[0].price`. The share is 1 - sum_v n_v (n_v - 1) / (n (n - 1)), the unbiased Gini-Simpson index (Simpson 1949). Paths are sorted by
    falling share, then by name. An absent field differs from every value. An array that is a set is one field.

    The answers are of kind `json` or `tool_call`. Unreadable ones are left out; the result is empty with fewer than two
    readable answers.
    """
    read = [dict(_leaves(json.loads(answer.key), "")) for answer in answers if answer.key]
    n = len(read)
    if n < 2:
        return {}
    shares = {}
    for path in {path for fields in read for path in fields}:
        counts = Counter(fields.get(path, _MISSING) for fields in read)
        shares[path] = 1 - sum(count * (count - 1) for count in counts.values()) / (n * (n - 1))
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def mean_field_disagreement(answers: Sequence[Answer]) -> float:
    """Return the mean of `field_disagreement` over the fields, in 0..1; 0 without fields."""
    shares = field_disagreement(answers).values()
    return fsum(shares) / len(shares) if shares else 0.0


def _leaves(value: JsonValue, path: str, key: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each leaf; empty values and arrays that are sets are leaves."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name, name)
    elif isinstance(value, list) and value and not _is_one_field(value, key):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path or "$", json.dumps(value, sort_keys=True)


def _is_one_field(value: list[JsonValue], key: str | None) -> bool:
    """Return True if the array would be the same in another order."""
    return len(value) > 1 and with_sorted_sets(value, key) == with_sorted_sets(value[::-1], key)
