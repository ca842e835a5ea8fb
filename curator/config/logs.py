"""The logs, how they are read, and what is known about their tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from curator.config.section import Positive, Section, Share
from curator.records import Kind, Role


def _known_encoding(name: str) -> str:
    """Return the name of an encoding of text.

    Raises:
        ValueError: Python does not know it.
    """
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(
            f"{name!r} is not the name of an encoding; usual ones are windows-1252, utf-16 and shift_jis"
        ) from error
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class FieldMapping(Section):
    """The column (CSV) or key (JSONL) of each field; `request.text` is a nested key."""

    input: str | tuple[str, ...]
    """The user's text, or a list of chat messages. Several keys give one text, such as an instruction and its input."""
    target: str | None = None
    """The answer of production: a text, or the response of an API."""
    id: str | None = None
    """The id of the record in the log; kept as `log_id`."""
    system: str | None = None
    """The system prompt, if each record has its own. `logs.system` is a fixed one."""
    tools: str | None = None
    """The tools that the model was offered, as the API takes them."""
    options: str | None = None
    """An object with options of the request, such as `max_tokens` and `response_format`."""
    documents: str | None = None
    """The retrieved documents: a list of texts, or of objects with a text, an id and a score."""
    task: str | None = None
    """The name of the task, which `tasks:` refers to."""
    model: str | None = None
    """The model that wrote the target."""
    role: str | None = None
    """The speaker, where each record is one turn of a conversation. `session` then joins the turns."""
    roles: dict[str, Role] = Field(default={})
    """The role of a speaker (`user`, `assistant`, `system`, `tool`) whose name does not say it."""
    session: str | None = None
    """The id of the conversation; hashed."""
    turn: str | None = None
    """The number or time of a record in its session. With it, the earlier records of the session come before the question."""
    parent: str | None = None
    """The `id` of the record that a turn follows, where the turns of a session form a tree."""
    user: str | None = None
    """The id of the application's user; hashed."""
    time: str | None = None
    """The time of the question: an ISO text, or seconds (or milliseconds, ...) since 1970."""
    status: str | None = None
    """The outcome of the call: an HTTP status, or a word such as `failed`. A failed call has no answer."""
    finish_reason: str | None = None
    """The reason why the target ended; `length` marks a truncated answer."""
    latency: str | None = None
    """The seconds until the answer; milliseconds where the key says so (`latency_ms`)."""
    cost: str | None = None
    """The price of the call in USD."""
    thumb: str | None = None
    """The user's verdict: up/down, 1/-1, true/false, good/bad, positive/negative."""
    rating: str | None = None
    """The user's rating on a scale, which `feedback_scale` names or which is found."""
    comment: str | None = None
    """The user's remark on the answer."""
    correction: str | None = None
    """The answer that the user wanted instead."""
    label: str | None = None
    """The answer of a human annotator."""
    feedback_scale: str | None = None
    """The worst and the best rating, such as `1-5`; the same as `logs.feedback_scale`."""
    metadata: tuple[str, ...] = ()
    """Further columns to keep with the case."""


class LogsConfig(Section):
    """Where the production logs are and how they are read."""

    paths: tuple[str, ...] = ()
    """Files, folders, globs, addresses such as `s3://bucket/folder`, or `-` for standard input (`docs/reading.md`). `--logs`
    replaces them."""
    format: str = "auto"
    """The name of a log reader: `chat` for JSONL of chat-completions request/response pairs, `mapped` for CSV or JSONL through
    `mapping`, or one that another package adds. `auto` recognises it by the first record of each file."""
    mapping: FieldMapping | None = None
    """Needed for `mapped`."""
    system: str | None = None
    """A system prompt for records without one (`mapped` only)."""
    examples: tuple[tuple[str, str], ...] = ()
    """Pairs of question and answer that the application puts before every input, as earlier turns (`mapped` only)."""
    task: str | None = None
    """The task of records that do not name one."""
    feedback_scale: str | None = None
    """The worst and the best rating of users, such as `1-5` or `-1..1`; found from the ratings of each file by default."""
    turns: Literal["all", "last"] = "all"
    """The answers of a logged conversation that become cases: all assistant turns, or only the last."""
    encoding: Encoding | None = None
    """The encoding of text files without a byte order mark, such as `windows-1252` or `shift_jis`. By default UTF-8 and UTF-16 are
    recognised, and windows-1252 is guessed, with a note."""
    max_record_mb: Annotated[float, Field(gt=0)] = 16.0
    """Megabytes; a longer record is set aside unread."""
    max_unreadable: Share = 0.2
    """The run stops (exit code 6) when a larger share of the records than this cannot be read."""
    sample: Positive | None = None
    """Use a random subset of this many deduplicated cases."""


class DedupeConfig(Section):
    """Deduplication: the similarity from which on two inputs count as the same."""

    merge_similarity: Share = 0.9
    """Cases with at least this similarity (Jaccard over character 4-grams) and with the same numbers and negations are merged."""
    group_similarity: Share = 0.7
    """Cases with at least this similarity share a near-duplicate group, which is never split between eval and train."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Length of the MinHash signature."""

    @property
    def same_group(self) -> float:
        """The least similarity within a group; cases that are merged are always in one group."""
        return min(self.group_similarity, self.merge_similarity)


class TaskConfig(Section):
    """The answers of one task; without it, their kind is detected from the answers."""

    kind: Kind | None = None
    """The kind of answer, which decides how answers are read and compared (`docs/answers.md`)."""
    labels: tuple[str, ...] = ()
    """The possible labels. An answer is read as the first label that it names."""


def kind_of(task: TaskConfig) -> Kind | None:
    """The kind that the config says; a task with labels has labels for answers."""
    return task.kind or ("label" if task.labels else None)
