"""`curator estimate`: production's failure rate from labels, by how the labelled cases were drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from curator.errors import ConfigError
from curator.io.lines import MAX_LINE_BYTES, physical_lines
from curator.records import Case, JsonValue, Pick, Score
from curator.run_folder.layout import SELECTION


def read_selection(folder: Path) -> dict[str, dict[str, JsonValue]]:
    """The rows of a folder's `selection.jsonl` by case id.

    Raises:
        ConfigError: it is not there, or damaged.
    """
    path = SELECTION.of(folder)
    if not path.is_file():
        raise ConfigError(
            f"{str(path)!r} is not there",
            remedy="name the folder of the selection as curator wrote it, with --selection",
        )
    found: dict[str, dict[str, JsonValue]] = {}
    for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
        try:
            row = orjson.loads(line.data or b"")
            found[row["id"]] = row
        except (orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise ConfigError(
                f"{str(path)!r}, line {line.number}: no selected case", remedy="restore the file as curator wrote it"
            ) from error
    return found


def selection_rows(
    picks: Iterable[Pick], *, cases: Mapping[str, Case], scores: Mapping[str, Score], seed: int, pool: str,
    categories: Mapping[str, str], labels_of: Callable[[Case], Sequence[str]],
) -> Iterator[dict[str, JsonValue]]:  # fmt: skip
    """A row for each pick: how it came in, where it belongs, and the answer that a label is compared with.

    That answer is production's, or where there is none the committee's most usual one.
    """
    for pick in picks:
        case, score = cases[pick.case_id], scores.get(pick.case_id)
        reference = case.reference
        yield {
            "id": pick.case_id,
            "rank": pick.rank,
            "slice": pick.slice,
            "stage": pick.stage,
            "stratum": pick.stratum,
            "inclusion_probability": pick.inclusion_probability,
            "draw": pick.draw,
            "gain": pick.gain,
            "reason": pick.reason,
            "split": pick.split,
            "category": categories.get(pick.case_id),
            "weight": case.weight,
            "group": case.group,
            "seed": seed,
            "pool_hash": pool,
            "kind": case.kind or (score.kind if score else None),
            "labels": list(labels_of(case)),
            "question": case.user,
            "answer": case.target if case.target is not None else score.majority if score else None,
            "reference": reference.text if reference else None,
            "reference_source": reference.source if reference else None,
            "failure": case.verdict.failure if case.verdict else None,
        }
