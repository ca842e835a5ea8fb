"""The inputs of `curator leaks`: questions from files, records or the registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from curator.contamination.questions import held_texts, templates_of
from curator.contamination.records import HeldText
from curator.errors import LogsError, RecordError
from curator.io.compression import chunks
from curator.readers.questions import Question, question_of, read_questions
from curator.records import JsonValue, Message, RejectedRecord, Source, too_many_rejected
from curator.state.registry import Entry, HeldOutRegistry, by_split
from curator.text.shingles import without_sentences

Records = str | Path | Iterable[Mapping[str, JsonValue] | str]
"""A file, or records or texts in memory."""
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of a file or of records; `starts` are the first lines of all its records."""

    questions: tuple[Question, ...]
    unreadable: tuple[RejectedRecord, ...]
    starts: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """Held-out questions: those of a file, or the entries of the registry with its templates."""

    name: str
    questions: tuple[Question, ...] = ()
    entries: tuple[Entry, ...] = ()
    remembered: frozenset[str] = frozenset()
    unreadable: tuple[RejectedRecord, ...] = ()
    notes: tuple[str, ...] = ()

    def texts(self, examples: frozenset[Message], templates: frozenset[str]) -> tuple[list[HeldText], frozenset[str]]:
        """Return the held-out questions, by line or case id, and the templates of both sides.

        A template of one file is removed from the questions of both: the other file may contain it only once.
        """
        asked = [question.asked(examples=examples) for question in self.questions]
        templates |= self.remembered | templates_of(asked)
        registered = [HeldText(e.id, without_sentences(e.question, templates)) for e in self.entries]
        read = [HeldText(f"{self.name}:{t.id}", t.text) for t in held_texts(asked, templates=templates)]
        return [*registered, *read], templates


def read_question_set(records: Records, key: str | None, what: str) -> QuestionSet:
    """Read the questions of a file or of records; `what` names them in messages.

    Raises:
        LogsError: no record can be read.
    """
    if isinstance(records, str | Path):
        file = read_questions(records, key=key)
        starts = tuple(sorted([*file.lines, *(u.source.line for u in file.rejected)]))
        question_set = QuestionSet(file.questions, file.rejected, starts, file.notes)
    else:
        question_set = _from_memory(records, key, what)
    if not question_set.questions:
        first = question_set.unreadable[0] if question_set.unreadable else None
        why = f"; the first is {first.source}: {first.reason}" if first else ""
        raise LogsError(
            f"no {what} record can be read{why}",
            remedy=first.remedy if first else "name a file with one JSON record a line, or a CSV file with a header",
        )
    return question_set


def _from_memory(records: Iterable[Mapping[str, JsonValue] | str], key: str | None, what: str) -> QuestionSet:
    questions: list[Question] = []
    unreadable: list[RejectedRecord] = []
    number = 0
    for number, record in enumerate(records, 1):
        source = Source(what, number)
        try:
            row = {"text": record} if isinstance(record, str) else record
            questions.append(question_of(row, source=source, key=key))
        except RecordError as problem:
            unreadable.append(RejectedRecord(source, problem.reason, problem.remedy))
    return QuestionSet(tuple(questions), tuple(unreadable), tuple(range(1, number + 1)))


def read_held_out(records: Records, key: str | None) -> HeldOutSet:
    """Read held-out questions from a file, records or the registry.

    Raises:
        LogsError: no record can be read, or the registry is empty.
    """
    if isinstance(records, str | Path) and _is_registry(Path(records)):
        with HeldOutRegistry(Path(records)) as registry:
            entries, templates = by_split(registry.entries()[0], "eval"), registry.templates()
        if not entries:
            raise LogsError(
                f"{str(records)!r}: the registry holds no held-out case to check against",
                remedy="name the registry that `curator run` writes (`held_out: {registry: ...}`), or an eval set",
            )
        return HeldOutSet(str(records), entries=tuple(entries), remembered=templates)
    question_set = read_question_set(records, key, "held-out")
    name = Path(records).name if isinstance(records, str | Path) else "held-out"
    return HeldOutSet(
        name, questions=question_set.questions, unreadable=question_set.unreadable, notes=question_set.notes
    )


def _is_registry(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False  # reading it as a file of records reports the error


def too_many_unreadable(read: QuestionSet | HeldOutSet) -> bool:
    """Return whether more than a fifth of the records could not be read."""
    bad = len(read.unreadable)
    return too_many_rejected(bad, bad + len(read.questions))


def lines_without(path: Path, rows: QuestionSet, leaking: set[int]) -> Iterator[bytes]:
    """Yield the lines of the file, byte for byte, without those of the leaking records.

    A record may have several lines.
    """
    starts, drop = set(rows.starts), False
    for number, line in enumerate(_raw_lines(path), 1):
        if number in starts:
            drop = number in leaking
        if not drop:
            yield line


def _raw_lines(path: Path) -> Iterator[bytes]:
    tail = b""
    for chunk in chunks(path):
        *ends, tail = (tail + chunk).split(b"\n")
        yield from (line + b"\n" for line in ends)
    if tail:
        yield tail
