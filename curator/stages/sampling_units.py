"""The rows of `cases.jsonl` as the pool of an estimate: the signals that tell of failure, and what to break it down by."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from curator.estimation.sampling_frame import GROUP, Candidate
from curator.records import JsonValue

COMMITTEE = "committee"
"""Whether the committee agrees with itself and with production: its failures there are silent, only a sample finds them."""
AGREES, DIFFERS = "agrees", "differs"
CATEGORIES = ("task", "kind", "category")
"""What every pool may be broken down by, beside its metadata and `COMMITTEE`."""
MOST_VALUES = 50
"""A metadata field with more values names cases rather than kinds of them."""
_SIGNALS = ("within", "between", "against_target", "agreement", "n")
_TELLING = re.compile(r"score|similarity|distance|confidence|relevance|rank", re.IGNORECASE)
_THUMBS = {"up": -1.0, "down": 1.0}


def sampling_units(rows: Sequence[Mapping[str, JsonValue]]) -> list[Candidate]:
    """Each row as a case of the pool.

    Numbers in the metadata count as signals where their name says that they measure how good something is, such as a
    retrieval score; others, such as a time, would only be noise to a fit on few labels.
    """
    fields = metadata_fields(rows)
    sizes = Counter(row.get("group") for row in rows)
    return [
        Candidate(
            id=str(row["id"]),
            signals=_signals(row),
            categories={
                **_named(_metadata(row), fields),
                **_named(row, CATEGORIES),
                **({GROUP: str(row["group"])} if sizes[row.get("group")] > 1 and row.get("group") else {}),
                **_committee(row),
            },
            weight=float(weight) if isinstance(weight := row.get("weight"), int | float) else 1.0,
        )
        for row in rows
    ]


def metadata_fields(rows: Iterable[Mapping[str, JsonValue]]) -> tuple[str, ...]:
    """The metadata fields to break down by: those with 2 to `MOST_VALUES` values, none of which measures anything (1.5)."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    measures = {COMMITTEE, GROUP}
    for row in rows:
        for key, value in _metadata(row).items():
            if isinstance(value, float):
                measures.add(key)
            elif len(values[key]) <= MOST_VALUES and isinstance(value, str | int):
                values[key].add(str(value))
    return tuple(sorted(key for key, found in values.items() if 2 <= len(found) <= MOST_VALUES and key not in measures))


def known_agreement(pool: Iterable[Candidate]) -> tuple[str, ...]:
    """`COMMITTEE` where the pool can be broken down by it: where any case has a score."""
    return (COMMITTEE,) if any(COMMITTEE in case.categories for case in pool) else ()


def _signals(row: Mapping[str, JsonValue]) -> dict[str, float | None]:
    characters = row.get("characters")
    found: dict[str, float | None] = {"score": _number(row.get("disagreement"))}
    found |= {name: _number(row.get(name)) for name in _SIGNALS}
    found["log characters"] = math.log1p(characters) if isinstance(characters, int) else None
    found["thumb"] = _THUMBS.get(str(row.get("thumb")), 0.0)
    told = {f"metadata {key}": _number(value) for key, value in _metadata(row).items() if _TELLING.search(key)}
    return found | told


def _committee(row: Mapping[str, JsonValue]) -> dict[str, str]:
    if _number(row.get("disagreement")) is None:
        return {}
    agrees = row.get("agreement") == 1 and row.get("against_target") in (None, 0)
    return {COMMITTEE: AGREES if agrees else DIFFERS}


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _metadata(row: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    found = row.get("metadata")
    return found if isinstance(found, dict) else {}


def _named(values: Mapping[str, JsonValue], names: Iterable[str]) -> dict[str, str]:
    return {name: str(value) for name in names if (value := values.get(name)) is not None}
