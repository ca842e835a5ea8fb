"""Rejected records for people: one sentence for all records of a file with the same remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from curator.records import RejectedRecord
from curator.text.display import one_line, plural

_REASONS, _PLACES = 4, 20
_LONGEST = 300


def problems_by_kind(rejected: Iterable[RejectedRecord]) -> Iterator[tuple[str, str]]:
    """Yield (problem, remedy) for each file and remedy, in the order of the first records.

    A problem of several records has their number, and examples of the reasons with the places.
    """
    kinds: dict[tuple[str, str], list[RejectedRecord]] = {}
    for record in rejected:
        kinds.setdefault((record.source.file, record.remedy), []).append(record)
    for (file, remedy), alike in kinds.items():
        if len(alike) == 1:
            yield f"{alike[0].source}: {alike[0].reason}", remedy
            continue
        places: dict[str, list[int]] = {}
        for record in alike:
            places.setdefault(record.reason, []).append(record.source.line)
        shown = [f"{one_line(reason, _LONGEST)} (at {_ranges(lines)})" for reason, lines in places.items()]
        others = [line for lines in list(places.values())[_REASONS:] for line in lines]
        more = f"; and the like (at {_ranges(others)})" if others else ""
        yield f"{file}: {plural(len(alike), 'record')}: {'; '.join(shown[:_REASONS])}{more}", remedy


def _ranges(lines: Sequence[int]) -> str:
    """Line numbers in short: `2, 5-7`; of many only the first."""
    ranges: list[list[int]] = []
    for line in sorted(set(lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_PLACES]]
    return ", ".join(shown) + (", ..." if len(ranges) > _PLACES else "")
