"""Where logs come from, how they are read, and what is known of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curator.config.section import Positive, Section, Share
from curator.records import Kind


class FieldMapping(Section):
    """Which column (CSV) or key (JSONL, dotted for nested ones: `request.text`) holds what."""

    input: str
    """The user's text, or a list of chat messages."""
    target: str | None = None
    """The answer that production gave."""
    id: str | None = None
    """The log's own id of the record; kept as `log_id`."""
    system: str | None = None
    """The system prompt, where each record has its own. `logs.system` is the fixed one."""
    task: str | None = None
    """The name of the task, which `tasks:` refers to."""
    model: str | None = None
    """The model that gave the target."""
    finish_reason: str | None = None
    """Why the target ended; `length` marks a truncated answer."""
    thumb: str | None = None
    """The user's verdict: up/down, 1/-1, true/false, good/bad, positive/negative."""
    correction: str | None = None
    """What the user said the answer should have been."""
    label: str | None = None
    """An answer that a human labeller gave."""
    metadata: tuple[str, ...] = ()
    """Further columns to keep with the case."""


class LogsConfig(Section):
    """Where the production logs are and how they are read."""

    paths: tuple[str, ...] = ()
    """Files, folders (searched for .jsonl, .ndjson, .csv, also .gz and .zst) or globs. `--logs` replaces them."""
    format: str = "auto"
    """The name of a log reader: `chat` for JSONL of chat-completions request/response pairs, `mapped` for CSV or JSONL through
    `mapping`, or one that another package adds. `auto` recognises it by the first record of each file."""
    mapping: FieldMapping | None = None
    """Needed for `mapped`."""
    system: str | None = None
    """A system prompt for records that carry none (`mapped` only)."""
    examples: tuple[tuple[str, str], ...] = ()
    """Pairs of question and answer that the application puts before every input, as earlier turns (`mapped` only)."""
    task: str | None = None
    """The task of records that name none."""
    max_record_mb: Annotated[float, Field(gt=0)] = 16.0
    """A longer record is set aside unread, in megabytes."""
    max_unreadable: Share = 0.2
    """The run stops (exit code 6) when a larger share of the records than this cannot be read."""
    sample: Positive | None = None
    """Work on a random subset of this many deduplicated cases."""


class DedupeConfig(Section):
    """When two inputs count as the same."""

    merge_similarity: Share = 0.9
    """Cases this alike (Jaccard over character 4-grams), with the same numbers and negations, are merged into one."""
    group_similarity: Share = 0.7
    """Cases this alike share a near-duplicate group, which is never split between eval and train."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Length of the MinHash signature."""

    @property
    def same_group(self) -> float:
        """The similarity of a group's cases: what is alike enough to be merged is alike enough for a group."""
        return min(self.group_similarity, self.merge_similarity)


class TaskConfig(Section):
    """What is known of one task's answers. Without it the kind is found from the answers themselves."""

    kind: Kind | None = None
    """How answers are read and compared; `docs/answers.md` says which kind is for what."""
    labels: tuple[str, ...] = ()
    """The labels an answer may be; an answer is then read as the first of them that it names."""


def kind_of(task: TaskConfig) -> Kind | None:
    """The kind that the config says; a task with labels has labels for answers."""
    return task.kind or ("label" if task.labels else None)
