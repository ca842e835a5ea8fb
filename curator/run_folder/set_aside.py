"""The order of the stages, and resume: every function here is one arrow of the flow in `docs/architecture.md`.

logs -> cases -> plan -> generations -> scores -> vectors -> clusters -> picks -> run folder.
"""

from __future__ import annotations

from curator.records import (
    DuplicateRecord,
    JsonValue,
    RejectedRecord,
)


def _merged_row(merged: DuplicateRecord) -> dict[str, JsonValue]:
    return {
        "file": merged.source.file,
        "line": merged.source.line,
        "id": merged.id,
        "into": merged.into,
        "how": merged.how,
        "similarity": merged.similarity,
    }


def set_aside_row(record: RejectedRecord) -> dict[str, JsonValue]:
    """A record that could not be read, as a row of `set_aside.jsonl`."""
    return {"file": record.source.file, "line": record.source.line, "reason": record.reason, "remedy": record.remedy}
