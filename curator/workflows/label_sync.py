"""Push a label queue to a label server, and pull the labels that people gave there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from curator.errors import ConfigError
from curator.io.atomic import json_lines, write_atomic
from curator.labels import DONE, LABEL_SERVERS, QUEUE_STEM
from curator.labels.adjudication import ADJUDICATION, adjudicated
from curator.labels.agreement import Agreement
from curator.labels.read import read_labels
from curator.labels.returned import judgements, last_judgements
from curator.records import JsonValue, RejectedRecord
from curator.records.result import Result
from curator.text.display import plural
from curator.workflows.inputs import HasFolder, folder_of
from curator.workflows.label_exchange import keep_labels, queue_of


@dataclass(frozen=True, slots=True)
class PushedQueue(Result):
    """A label queue that was pushed to a server.

    Attributes:
        server: the name of the server's entry in `LABEL_SERVERS`.
        places: the addresses where people label.
        created: cases that the server did not have.
        updated: cases without a label whose content changed.
        unchanged: cases that the server already had like this.
        kept: cases that people have judged and whose content has changed since; they stay as they were judged.
        notes: sentences for the user.
    """

    server: str
    places: tuple[str, ...]
    created: int
    updated: int
    unchanged: int
    kept: int
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes, and the number of cases that are kept as they were judged."""
        kept, those = self.kept, "it" if self.kept == 1 else "them"
        changed = (
            f"{plural(kept, 'case')} changed after people judged {those}: the server keeps what they judged. Judge a case that the"
            " label queue has again in a file of the queue, or on the label page"
        )
        return (*((changed,) if kept else ()), *self.notes)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "server": self.server,
            "places": list(self.places),
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "kept": self.kept,
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """Return the figures for people."""
        counts = (
            f"{self.server}  {plural(self.created, 'case')} new, {self.updated:,} updated,"
            f" {self.unchanged + self.kept:,} as before"
        )
        return "\n".join([counts, *(f"label at {place}" for place in self.places)])


@dataclass(frozen=True, slots=True)
class PulledLabels(Result):
    """Labels that were pulled from a server into a file of the run folder.

    Attributes:
        server: the name of the server's entry in `LABEL_SERVERS`.
        path: the file, which the next `curator run` and `curator estimate` read; None without a label.
        judgements: rows of the file: one for each person and case.
        cases: the cases that they are of.
        people: the judgements of each person.
        agreement: of people who labelled the same cases; None where no case was labelled by two.
        rejected: rows that cannot be used.
        notes: sentences for the user.
    """

    server: str
    path: Path | None
    judgements: int
    cases: int
    people: Mapping[str, int]
    agreement: Agreement | None = None
    rejected: tuple[RejectedRecord, ...] = field(default=())
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes on the annotations and on the form of the file."""
        return self.notes

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "server": self.server,
            "file": str(self.path) if self.path else None,
            "judgements": self.judgements,
            "cases": self.cases,
            "people": dict(self.people),
            "agreement": asdict(self.agreement) if self.agreement else None,
            "rejected": self.rejected_rows(),
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """Return the figures for people."""
        if self.path is None:
            return f"{self.server}  no label yet"
        people = plural(len(self.people), "person", "people")
        lines = [f"{self.path}  {plural(self.judgements, 'label')} of {plural(self.cases, 'case')} by {people}"]
        return "\n".join([*lines, *([self.agreement.to_text()] if self.agreement else [])])


def push_labels(
    selection: str | Path | HasFolder,
    server: str,
    *,
    project: str | None = None,
    url: str | None = None,
    disputed: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> PushedQueue:
    """Push the label queue of a selection or a run to a label server.

    Pushed again, cases are updated and never doubled. Nothing is deleted there, and what people judged is not changed.

    Args:
        selection: the folder of a selection or a run, or the result of `curator.select` or `curator.run`.
        server: the name of an entry of `LABEL_SERVERS`.
        project: the name of the job there; by default that of the folder.
        url: the address of the server; by default that of its environment variable.
        disputed: only the cases that people disagree on, which have a place of their own there.
        environment: holds the address and the keys.

    Raises:
        ConfigError: no server has this name, its key is not set, or the folder holds no label queue.
        LogsError: the label queue is damaged.
        MissingDependency: the SDK of the server is not installed.
        ProviderError: the server cannot be reached, or it refuses.
    """
    entry = LABEL_SERVERS.require(server, where="server")
    rows = queue_of(selection, disputed=disputed)
    place = entry.place(project or folder_of(selection).resolve().name, environment, address=url, adjudication=disputed)
    if not rows:
        raise ConfigError("the label queue is empty", remedy="nothing is left to label; raise `selection.k` for more")
    done = entry.push(rows, place)
    return PushedQueue(entry.name, done.places, done.created, done.updated, done.unchanged, done.kept, done.notes)


def pull_labels(
    selection: str | Path | HasFolder,
    server: str,
    *,
    project: str | None = None,
    url: str | None = None,
    disputed: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> PulledLabels:
    """Pull the labels of a job from a label server into its folder.

    The file is `label_queue.SERVER.done.jsonl`. The next `curator run`, and `curator estimate` with the folder, read that
    file. The last judgement of each person on each case counts. Pulled again without a change, the file stays the same, byte by byte; labels that are in an older file and
    no longer on the server are first archived in `labels/`.

    Args:
        selection: as for `push_labels`.
        server: the name of an entry of `LABEL_SERVERS`.
        project: the name of the job there; by default that of the folder.
        url: the address of the server; by default that of its environment variable.
        disputed: only the cases that people disagree on, which have a place of their own there.
        environment: holds the address and the keys.

    Raises:
        ConfigError: no server has this name, its key is not set, or the queue was not pushed there.
        MissingDependency: the SDK of the server is not installed.
        ProviderError: the server cannot be reached, or it refuses.
        StorageError: the file cannot be written.
    """
    entry = LABEL_SERVERS.require(server, where="server")
    folder = folder_of(selection).resolve()
    pulled = entry.pull(entry.place(project or folder.name, environment, address=url, adjudication=disputed))
    judged, left_out = judgements(pulled.rows)
    rows, replaced = last_judgements(map(adjudicated, judged) if disputed else judged)
    notes = [*pulled.notes, *(f"{plural(n, 'judgement')} left out: {reason}" for reason, n in left_out.items())]
    if replaced:
        notes.append(f"{plural(replaced, 'judgement')} replaced by a later one of the same person")
    if not rows:
        return PulledLabels(entry.name, None, 0, 0, {}, notes=tuple(notes))
    part = f".{ADJUDICATION}" if disputed else ""
    path = folder / f"{QUEUE_STEM}.{entry.name}{part}{DONE}"
    content = b"".join(json_lines(row.to_json() for row in rows))
    if not path.is_file() or path.read_bytes() != content:
        keep_labels(path)
        write_atomic(path, [content])
    people = Counter(row.labelled_by for row in rows)
    label_set = read_labels([str(path)])
    return PulledLabels(
        entry.name, path, len(rows), len({row.case_id for row in rows}), people, label_set.agreement, label_set.rejected,
        tuple(notes),
    )  # fmt: skip
