"""Parts of remedies about a record's keys: their names, the nearest, a mapping to write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from curator.records import JsonValue

_SHOWN = 12
_IN_STORE = re.compile(r"(?:s3a?|gs|gcs|abfss?|wasbs?|azure|r2|minio)://\S+$")
_INPUTS = ("input", "prompt", "question", "query", "text", "user", "utterance", "message", "messages", "content")


def key_paths(record: dict[str, JsonValue]) -> list[str]:
    """The keys of a record down to the values, dotted inside objects (`request.user.text`)."""
    paths: list[str] = []
    for key, value in record.items():
        if isinstance(value, dict) and value:
            paths += [f"{key}.{inner}" for inner in key_paths(value)]
        else:
            paths.append(key)
    return paths


def address_of_body(record: dict[str, JsonValue]) -> str | None:
    """The path of the first value that is an address in a store, such as `s3://`; else None."""
    for key, value in record.items():
        if isinstance(value, str) and _IN_STORE.match(value):
            return key
        if isinstance(value, dict) and (inner := address_of_body(value)):
            return f"{key}.{inner}"
    return None


def listed(keys: Sequence[str]) -> str:
    """The keys for a message: quoted, and not too many of them."""
    if not keys:
        return "none"
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(repr(_short(key)) for key in keys[:_SHOWN]) + more


def nearest(wanted: str, keys: Iterable[str]) -> str:
    """`, did you mean 'x'?` where a key is spelled much like the wanted one, else ""."""
    near = difflib.get_close_matches(wanted.lower(), [key.lower() for key in keys], n=1, cutoff=0.6)
    return f", did you mean {next(key for key in keys if key.lower() == near[0])!r}?" if near else ""


def key_inside(key: str, value: dict[str, JsonValue]) -> str:
    """The dotted path of the value in an object that probably is the user's text."""
    keys = key_paths(value)
    return f"{key}.{_first_named(_INPUTS, keys) or next(iter(keys), 'text')}"


def _first_named(names: Iterable[str], keys: Sequence[str]) -> str | None:
    """The key whose last part is the first of the names, the least nested one of several.

    Else the only key below an object of such a name; None where there is none.
    """
    by_depth = sorted(keys, key=lambda key: key.count("."))
    below = [[key for key in keys if name in key.lower().split(".")] for name in names]
    last = (key for name in names for key in by_depth if key.rpartition(".")[2].lower() == name)
    return next(last, None) or next((only[0] for only in below if len(only) == 1), None)


def _short(key: str) -> str:
    return key if len(key) <= 60 else key[:57] + "..."
