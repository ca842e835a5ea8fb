"""Removal of a person's rows from the files of a run folder, of whatever kind they are."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import orjson

from curator.io.atomic import write_atomic
from curator.records import JsonValue

_LONG = 24
"""A text of so many characters is recognised within others; a shorter one, such as a label, belongs to many people."""
_GROUPS = ("group", "family")
"""A near-duplicate group is named by one of its cases; the rows of the others stay."""
_TABLES = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Person:
    """The marks of a person's rows: ids, and texts that are in no other row."""

    ids: frozenset[str]
    texts: frozenset[str]

    def is_in(self, value: JsonValue) -> bool:
        """Return whether a JSON value holds one of the ids or texts, as a key or a value."""
        if isinstance(value, str):
            return value in self.ids or any(text in value for text in self.texts)
        if isinstance(value, dict):
            return any(self.is_in(key) or (key not in _GROUPS and self.is_in(item)) for key, item in value.items())
        return isinstance(value, list) and any(map(self.is_in, value))

    def is_in_bytes(self, content: bytes) -> bool:
        """Return whether bytes hold a case id or a text, in plain, as JSON or as HTML writes it."""
        forms = {form for text in self.texts for form in (text, escape(text), orjson.dumps(text).decode()[1:-1])}
        forms |= {name for name in self.ids if len(name) >= _LONG // 2}
        return any(form.encode("utf-8", "replace") in content for form in forms)


@dataclass(frozen=True, slots=True)
class PurgedFile:
    """A file that rows were removed from; `rows` is None where the whole file went."""

    path: Path
    rows: int | None


def long_texts(value: JsonValue) -> Iterator[str]:
    """Yield the texts of a JSON value that are long enough to be recognised."""
    if isinstance(value, str):
        if len(value) >= _LONG:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from long_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from long_texts(item)


def purge_folder(folder: Path, person: Person, *, dry_run: bool) -> Iterator[PurgedFile]:
    """Remove the person's rows from every file under a folder.

    A file without rows that holds something of the person is removed as a whole.

    Raises:
        StorageError: a file cannot be written.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        kept = _without(path, content, person)
        if kept is None and not person.is_in_bytes(content):
            continue
        if kept is None:
            if not dry_run:
                path.unlink()
            yield PurgedFile(path, None)
        elif kept[1]:
            if not dry_run:
                write_atomic(path, [kept[0]])
            yield PurgedFile(path, kept[1])


def _without(path: Path, content: bytes, person: Person) -> tuple[bytes, int] | None:
    """The content without the person's rows, and their number; None for a file without rows."""
    if path.suffix == ".jsonl":
        return _json_lines(content, person)
    if path.suffix == ".json":
        return _json_list(content, person)
    if path.suffix in _TABLES:
        return _table(content, person, _TABLES[path.suffix])
    return _workbook(content, person) if path.suffix == ".xlsx" else None


def _json_lines(content: bytes, person: Person) -> tuple[bytes, int]:
    lines = content.splitlines(keepends=True)
    kept: list[bytes] = []
    removed = 0
    for line in lines:
        try:
            row: JsonValue = orjson.loads(line)
        except orjson.JSONDecodeError:
            removed += person.is_in_bytes(line)
            kept += [] if person.is_in_bytes(line) else [line]
            continue
        shorter = _without_ids(row, person)
        if shorter is not row and not person.is_in(shorter):
            kept.append(orjson.dumps(shorter, option=orjson.OPT_SORT_KEYS) + b"\n")
        elif not person.is_in(row):
            kept.append(line)
            continue
        removed += 1
    return b"".join(kept), removed


def _json_list(content: bytes, person: Person) -> tuple[bytes, int] | None:
    """The same for one list of objects, as label tools write it; None for another document."""
    try:
        items: JsonValue = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(items, list):
        return None
    kept = [item for item in items if not person.is_in(item)]
    return orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), len(items) - len(kept)


def _without_ids(row: JsonValue, person: Person) -> JsonValue:
    """A row that lists cases of many people without the person's; else the same row."""
    if not isinstance(row, dict):
        return row
    lists = {
        k: v for k, v in row.items() if isinstance(v, list) and any(isinstance(i, str) and i in person.ids for i in v)
    }
    return row | {key: [i for i in items if i not in person.ids] for key, items in lists.items()} if lists else row


def _workbook(content: bytes, person: Person) -> tuple[bytes, int] | None:
    """The same for a workbook; None for a file that is none."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content))
    except (zipfile.BadZipFile, KeyError, ValueError):
        return None
    removed = 0
    for sheet in book.worksheets:
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        theirs = [n for n, row in rows if any(person.is_in(value) for value in row if isinstance(value, str))]
        for number in reversed(theirs):
            sheet.delete_rows(number)
        removed += len(theirs)
    out = io.BytesIO()
    book.save(out)
    return (out.getvalue(), removed) if removed else (content, 0)


def _table(content: bytes, person: Person, delimiter: str) -> tuple[bytes, int]:
    text = content.decode("utf-8-sig", "replace")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    kept = [row for row in rows if not person.is_in(list(row))]
    if len(kept) == len(rows):
        return content, 0
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\r\n" if "\r\n" in text else "\n").writerows(kept)
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return mark + written.getvalue().encode(), len(rows) - len(kept)
