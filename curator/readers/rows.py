"""A file of records as rows: JSONL, JSON, CSV, Parquet, Arrow or a workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Literal

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.io.compression import chunks
from curator.io.encodings import NAME_IT, SAVE_IT
from curator.io.file_kinds import bare_suffix, binary_kind
from curator.io.lines import LineBatch, batches, text_of
from curator.io.log_file import LogFile
from curator.readers.columnar import open_columnar
from curator.readers.envelopes import IsRecord, Wraps, brackets_around_records
from curator.readers.json_documents import document_rows
from curator.readers.json_text import behind_prefix, load_object, load_value
from curator.readers.table import Row, open_table
from curator.readers.workbook import open_workbook
from curator.records import JsonValue

Kind = Literal["jsonl", "json", "csv", "parquet", "arrow", "xlsx"]
"""Kinds of files. `json` is one value over the whole file, or several that are not one on each line."""

_TABLES = (".csv", ".tsv")
_LINES = (".jsonl", ".ndjson")
_HEAD_LINES = 10


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a file to come.

    Attributes:
        columns: those of a CSV file, workbook, Parquet or Arrow file; None of JSON, whose records have keys of their own.
        rows: the records in their order.
        kind: the kind of the file.
        encoding: the encoding of its text; None where the file is not a text.
        notes: sentences for the user about assumptions, such as a guessed encoding, or which sheet was read.
        batches: the lines of a JSONL file, for worker processes that parse them with `rows_of`. Take these or `rows`, not
            both. None of other kinds.
    """

    columns: tuple[str, ...] | None
    rows: Iterator[Row]
    kind: Kind
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    batches: Iterator[LineBatch] | None = None

    def notes_elsewhere(self, path: object) -> tuple[str, ...]:
        """The notes with the file, for a file that the config does not name as logs."""
        return tuple(f"{path}: {note.replace(NAME_IT, SAVE_IT)}" for note in self.notes)


def open_records(
    path: LogFile,
    *,
    wanted: Sequence[str],
    max_bytes: int,
    encoding: str | None = None,
    is_record: IsRecord | None = None,
    by_hand: bool = False,
) -> Records:
    """Open a file of records, packed or not.

    Args:
        path: the file.
        wanted: the columns by which a delimiter and a sheet are chosen.
        max_bytes: a longer record is rejected unread.
        encoding: of the text, if it is neither UTF-8 nor marked; guessed otherwise.
        is_record: says whether an object is a record, so that it is not taken for the wrapper of a list of records. By
            default, whether a reader recognises it.
        by_hand: people filled it in, see `open_table`.

    Returns:
        The records. A file that cannot be read at all has one row, a problem.
    """
    kind: Kind | None = None
    try:
        pieces = chunks(path)
        head = next(pieces, b"")
        pieces.close()
        kind = binary_kind(head)
        if kind == "xlsx":
            columns, rows, notes = open_workbook(path, head, wanted=wanted)
            return Records(columns, rows, kind, notes=notes)
        if kind is not None:
            columns, rows = open_columnar(path, head, kind, max_bytes=max_bytes)
            return Records(columns, rows, kind)
        wraps = partial(brackets_around_records, is_record=is_record or _is_recognised)
        return _open_text(path, wanted, max_bytes, encoding=encoding, wraps=wraps, by_hand=by_hand)
    except RecordError as error:
        return Records(None, iter((Row(1, error),)), kind or "json")


def rows_of(lines: LineBatch) -> Iterator[Row]:
    """Parse a batch of lines of a JSONL file; blank lines are no records.

    It depends on nothing else, so that it may run in a worker process.
    """
    if lines.problem is not None:
        yield Row(lines.number, RecordError(lines.problem, lines.remedy))
        return
    for number, text in enumerate(lines.texts(), lines.number):
        if text and not text.isspace():
            try:
                yield Row(number, load_object(text))
            except RecordError as error:
                yield Row(number, error)


def _open_text(
    path: LogFile, wanted: Sequence[str], max_bytes: int, *, encoding: str | None, wraps: Wraps, by_hand: bool
) -> Records:
    encoded, pieces = text_of(path, encoding)
    head = next(pieces, b"")
    text = chain([head], pieces)
    notes = encoded.notes()
    kind = _text_kind(head, bare_suffix(path.name), wraps)
    if kind == "csv":
        lines = chain.from_iterable(batches(text, max_bytes=max_bytes))
        columns, rows, more = open_table(lines, wanted=wanted, max_bytes=max_bytes, by_hand=by_hand)
        return Records(columns, rows, kind, encoded.name, notes + more)
    if kind == "json":
        return Records(None, document_rows(text, max_bytes=max_bytes, wraps=wraps), kind, encoded.name, notes)
    of_lines = batches(text, max_bytes=max_bytes)
    return Records(None, chain.from_iterable(map(rows_of, of_lines)), kind, encoded.name, notes, of_lines)


def _text_kind(head: bytes, suffix: str, wraps: Wraps) -> Literal["jsonl", "json", "csv"]:
    """Return the kind of a text by its first bytes, and by its suffix where these fit several."""
    texts = [text for line in head.split(b"\n", 10 * _HEAD_LINES) if (text := line.strip())][:_HEAD_LINES]
    if not texts:
        return "jsonl"
    first, *others = texts
    if first.startswith(b"\x1e"):  # a JSON text sequence (RFC 7464)
        return "json"
    if first.startswith((b"{", b"[")) and behind_prefix(first) is None:
        if suffix in _TABLES and first not in (b"{", b"[") and not _is_json(first):
            return "csv"
        is_alone = not others and suffix not in _LINES
        return "json" if _is_document(first, others, partial(wraps, alone=is_alone)) else "jsonl"
    if suffix in (*_LINES, ".json"):
        return "jsonl"
    prefixed = sum(behind_prefix(text) is not None for text in texts)
    return "jsonl" if suffix not in _TABLES and (any(map(_is_json, others)) or 2 * prefixed >= len(texts)) else "csv"


def _is_document(first: bytes, others: Sequence[bytes], wraps: Callable[[dict[str, JsonValue]], bytes]) -> bool:
    """Return whether a text that begins as JSON is anything but one record on each line.

    One damaged line at the top of a good JSONL file is not a document: then objects follow.
    """
    try:
        value = load_value(first)
    except RecordError:
        value = None
    if isinstance(value, dict):
        return bool(wraps(value))
    if isinstance(value, list):
        return not value or any(isinstance(item, dict) for item in value)
    if _is_json(first.rstrip(b", ")) or not any(map(_is_json, others)):
        return True
    return first.endswith((b"{", b"[", b",", b":")) and others[-1].rstrip(b",") in (b"]", b"}")


def _is_json(text: bytes) -> bool:
    """Return whether a line is a whole JSON object or list."""
    try:
        return isinstance(load_value(text), dict | list)
    except RecordError:
        return False


def _is_recognised(value: Mapping[str, JsonValue]) -> bool:
    from curator.readers import recognise

    return recognise([value], LogsConfig()) is not None
