"""Labels outlive the queue they were written in: before a folder is written anew, its filled-in queues go to `labels/`."""

from __future__ import annotations

from pathlib import Path

from curator.io.atomic import write_atomic
from curator.labels.queue import LABEL_QUEUES
from curator.labels.read import LabelFile, read_labels

KEPT = "labels"


def keep_labels(folder: Path) -> list[Path]:
    """Put label queues that somebody filled in away in `labels/`, numbered, before they are overwritten; those put away now."""
    put_away = []
    for queue in (folder / name for name in LABEL_QUEUES):
        found = read_labels([str(queue)]) if queue.exists() else LabelFile({}, ())
        if not found.touched:
            continue
        content, kept = queue.read_bytes(), kept_labels(folder)
        if all(Path(path).read_bytes() != content for path in kept):
            place = folder / KEPT / f"{len(kept) + 1:04d}{queue.suffix}"
            write_atomic(place, [content])
            put_away.append(place)
    return put_away


def kept_labels(folder: Path | None) -> list[str]:
    """The queues that were put away, the oldest first."""
    found = sorted((folder / KEPT).glob("*")) if folder else []
    return [str(path) for path in found if path.suffix in (".csv", ".jsonl")]
