"""The cases that `report.html` carries, with their rows in label queue and eval set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curator.exporters import EVAL_SET
from curator.labels import CSV, QueueRow
from curator.records import Diagnosis
from curator.report.case_payload import PageCases, PageRecords, page_cases
from curator.stages.artifacts import RunArtifacts
from curator.stages.summarise import categories_of

_HEAD_ROWS = 1


def carried_cases(
    run: RunArtifacts, diagnoses: Mapping[str, Diagnosis], queue: Sequence[QueueRow], queue_file: str | None
) -> PageCases:
    """Return the cases that the page carries, with their rows in the `queue` of `queue_file`."""
    eval_rows = next(export.rows for export in run.exports.exports if export.file_name == EVAL_SET.file_name)
    records = PageRecords(
        cases={case.id: case for case in run.ingest.cases},
        scores=run.scoring.scores,
        answers_of=run.scoring.answers.__getitem__,
        diagnoses=diagnoses,
        contrasts=run.categories.contrasts,
        # A case that two people label has two rows: the page names the first.
        queue_file=queue_file or CSV.queue_name,
        queue={row.case_id: place for place, row in reversed([*enumerate(queue, 1 + _HEAD_ROWS)])},
        eval_set={str(row["id"]): line for line, row in enumerate(eval_rows, 1)},
    )
    return page_cases(categories_of(run), records)
