"""The exports of platforms give the same cases as JSONL, JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"
EXPORTS = (
    ("langfuse_observations", "langfuse_scores", "langfuse_traces"),
    ("langsmith_runs", "langsmith_feedback"),
    ("braintrust",),
)


def cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) or value is None else json.dumps(value)


def table(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The columns of the rows; those whose values have several types hold texts."""
    columns = {key: [cell(row.get(key)) for row in rows] for row in rows for key in row}
    mixed = [key for key, values in columns.items() if len({type(value) for value in values if value is not None}) > 1]
    return {**columns, **{key: [None if value is None else str(value) for value in columns[key]] for key in mixed}}


def write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1))
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(table(rows)), path)
    else:
        columns = table(rows)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])


def facts(paths: Sequence[Path]) -> list[tuple[object, ...]]:
    cases, _, _ = read_all(paths)
    return sorted(
        tuple(str(part) for part in (
            case.id, case.target, case.finish_reason, case.time, case.session, case.documents, case.options, case.cost_usd,
            case.feedback and (case.feedback.thumb, case.feedback.comment),
        ))
        for case in cases
    )  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".csv", ".parquet"])
@pytest.mark.parametrize("names", EXPORTS, ids=lambda names: names[0])
def test_another_container_gives_the_same_cases(names: Sequence[str], suffix: str, tmp_path: Path) -> None:
    logs = [DATA / f"{name}.jsonl" for name in names]
    for log in logs:
        write([json.loads(line) for line in log.read_text().splitlines()], tmp_path / f"{log.stem}{suffix}")
    assert facts([tmp_path / f"{name}{suffix}" for name in names]) == facts(logs)
