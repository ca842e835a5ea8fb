"""The questions in a file of any shape: fine-tune rows, eval sets, logs, JSONL or CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.config import LogsConfig
from curator.contamination.questions import SourceQuestions, questions_of, without_turns
from curator.errors import LogsError, RecordError
from curator.io.lines import expand
from curator.readers import LogRecord, recognise
from curator.readers.exchange import cases_of
from curator.readers.hints import key_paths, listed, nearest
from curator.readers.json_text import as_text, decoded
from curator.readers.paths import lookup
from curator.readers.pieces import Exchange, Piece
from curator.readers.reader import parse_record
from curator.readers.rows import open_records
from curator.records import Case, JsonValue, Message, RejectedRecord, Role, Source
from curator.text.display import plural

QUESTION_KEYS = (
    "input", "messages", "prompt", "question", "query", "instruction", "text", "problem", "user", "utterance",
    "message", "content", "conversations", "vars", "doc",
)  # fmt: skip
"""Where a question is looked for, in this order; the ways of chat logs come before them."""

MAX_BYTES = 64 * 2**20
_DEFAULTS = LogsConfig()
_SPEAKERS: Mapping[str, Role] = {"human": "user", "user": "user", "system": "system"}


@dataclass(frozen=True, slots=True)
class Question:
    """The question of a record, as a case whose id is its line, and the record's other texts."""

    case: Case
    rest: tuple[str, ...] = ()

    def asked(self, *, examples: Collection[Message]) -> SourceQuestions:
        """The texts that are compared, without the turns that are `examples`."""
        of_case = questions_of(without_turns(self.case, examples))
        return SourceQuestions(of_case.id, of_case.questions, "\n".join([of_case.whole, *self.rest]))


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The questions of a file with their lines, and the records that could not be read.

    `notes` are sentences about assumptions, such as a guessed encoding.
    """

    path: Path
    questions: tuple[Question, ...]
    lines: tuple[int, ...]
    rejected: tuple[RejectedRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """The number of records in the file."""
        return len(self.questions) + len(self.rejected)


def read_questions(path: str | Path, *, key: str | None = None) -> QuestionFile:
    """The questions of a JSONL or CSV file, plain or packed.

    Args:
        path: the file.
        key: the key or column of the question (dotted for a nested one); else that of chat logs, or the first of
            `QUESTION_KEYS` that a record has.

    Raises:
        LogsError: the file does not exist, or several have the name.
    """
    file, *others = expand([str(path)])
    if others:
        raise LogsError(
            f"{str(path)!r} is {plural(len(others) + 1, 'file')}, such as {str(others[0])!r}, and one can be checked at a time",
            remedy="name one file, or join them: `cat FILES > ONE.jsonl`",
        )
    questions: list[Question] = []
    lines: list[int] = []
    rejected: list[RejectedRecord] = []
    records = open_records(file, wanted=[key] if key else QUESTION_KEYS, max_bytes=MAX_BYTES)
    for row in records.rows:
        try:
            if isinstance(row.cells, RecordError):
                raise row.cells
            questions.append(question_of(row.cells, source=Source(str(path), row.number), key=key))
            lines.append(row.number)
        except RecordError as error:
            rejected.append(error.at(str(path), row.number))
    return QuestionFile(file, tuple(questions), tuple(lines), tuple(rejected), records.notes_elsewhere(file))


def question_of(record: Mapping[str, JsonValue], *, source: Source, key: str | None = None) -> Question:
    """Read the question of one record.

    Raises:
        RecordError: no key with a question was found; the reason lists those that there are.
    """
    cells = dict(record)
    if key is None and (reader := recognise([cells], _DEFAULTS)):
        # a record that is not a whole log, such as an eval set's with `choices` of its own, is rejected but still asks something
        asked = next(_questions(parse_record(reader, LogRecord(cells, source), _DEFAULTS)), None)
        if asked is not None:
            return Question(replace(asked, id=str(source.line)))
    value, rest = _value(cells, key)
    if value is None:
        keys = key_paths(cells)
        wanted = f"no key {key!r}{nearest(key, keys)}" if key else "no key that a question is looked for under"
        raise RecordError(
            f"{wanted}; found {listed(keys)}", "name the key of the question with --train-key or --eval-key"
        )
    question = Question(Case(str(source.line), _messages(value), source), tuple(rest))
    if not questions_of(question.case).questions:
        raise RecordError("the question is empty", "remove the row, or name another key with --train-key or --eval-key")
    return question


def _questions(pieces: Iterable[Piece]) -> Iterator[Case]:
    """Yield the cases of a record; of a conversation the last one."""
    for piece in pieces:
        if isinstance(piece, Case):
            yield piece
        elif isinstance(piece, Exchange):
            yield from [case for case in cases_of(piece) if isinstance(case, Case)][-1:]


def _value(record: dict[str, JsonValue], key: str | None) -> tuple[JsonValue, list[str]]:
    """The value that holds the question, and the record's other texts."""
    if key is not None:
        value = lookup(record, key)
    else:
        key = next((name for name in QUESTION_KEYS if record.get(name)), "")
        value = decoded(record.get(key))
    rest = [text for name, text in record.items() if name != key and isinstance(text, str)]
    if isinstance(value, str) and key in ("instruction", "input"):  # Alpaca's pair of the two is one question
        others = [record.get(name) for name in ("instruction", "input")]
        value = "\n".join(text for text in others if isinstance(text, str) and text.strip())
    return value, rest


def _messages(value: JsonValue) -> tuple[Message, ...]:
    """A text, a conversation, or an object with texts (promptfoo's `vars`), as messages.

    Nothing is checked. A conversation is a list of objects with `role` and `content`, or with `from` and `value`.
    """
    if isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
        return tuple(_message(turn) for turn in value if isinstance(turn, dict))
    if isinstance(value, dict | list):
        value = "\n".join(_texts(value))
    return (Message("user", as_text(value) or ""),)


def _message(turn: Mapping[str, JsonValue]) -> Message:
    speaker = str(turn.get("role", turn.get("from", "user")))
    content = turn.get("content", turn.get("value", turn.get("text")))
    parts = content if isinstance(content, list) else [content]
    texts = [text for part in parts for text in (_texts(_spoken(part)) if isinstance(part, dict) else _texts(part))]
    return Message(_SPEAKERS.get(speaker, "assistant"), "\n".join(texts))


def _spoken(part: Mapping[str, JsonValue]) -> JsonValue:
    """The text of a part of a message, without the names of its kind."""
    return part.get("text", part.get("value"))


def _texts(value: JsonValue) -> Sequence[str]:
    """Every text in a value, in order."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
