"""Labels outlive the queue they were written in: before a folder is written anew, its filled-in queues go to `labels/`."""

from __future__ import annotations

from pathlib import Path

from curator.io.atomic import write_atomic
from curator.labels.queue import LABEL_QUEUES
from curator.labels.read import read_labels

KEPT = "labels"


def keep_labels(folder: Path) -> list[Path]:
    """Archive filled-in label queues to `labels/NNNN.*`, before they are overwritten, and return the new paths."""
    archived = []
    for queue in (folder / name for name in LABEL_QUEUES):
        if not queue.exists() or not read_labels([str(queue)]).touched:
            continue
        content, kept = queue.read_bytes(), kept_labels(folder)
        if all(Path(path).read_bytes() != content for path in kept):
            path = folder / KEPT / f"{len(kept) + 1:04d}{queue.suffix}"
            write_atomic(path, [content])
            archived.append(path)
    return archived


def kept_labels(folder: Path | None) -> list[str]:
    """The archived queues of a run folder, the oldest first."""
    paths = sorted((folder / KEPT).glob("*")) if folder else []
    return [str(path) for path in paths if path.suffix in (".csv", ".jsonl")]
