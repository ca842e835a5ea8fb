"""`set_aside.jsonl` and `merged.jsonl`: the log records that did not become cases."""

from __future__ import annotations

from curator.records import DuplicateRecord, JsonValue, RejectedRecord


def duplicate_row(duplicate: DuplicateRecord) -> dict[str, JsonValue]:
    """Return the line of `merged.jsonl` for a record that a kept case represents."""
    return {
        "file": duplicate.source.file,
        "line": duplicate.source.line,
        "id": duplicate.id,
        "into": duplicate.into,
        "how": duplicate.how,
        "similarity": duplicate.similarity,
    }


def rejected_row(record: RejectedRecord) -> dict[str, JsonValue]:
    """Return the line of `set_aside.jsonl` for a record that could not be read."""
    return {"file": record.source.file, "line": record.source.line, "reason": record.reason, "remedy": record.remedy}
