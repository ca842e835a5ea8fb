"""A JSON document as a stream of records: a list, objects in sequence, a wrapped list.

The text is cut at its brackets and each record is parsed alone, so that a file of any size takes constant memory.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from curator.errors import RecordError
from curator.readers.envelopes import Wraps
from curator.readers.json_text import load_object
from curator.readers.table import Row
from curator.records import JsonValue

_NEXT_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\\n]++|\\.)*+")*+([{}\[\]"])')
"""Everything up to a bracket outside strings, or to the quote of a string that does not end on its line or in the buffer."""
_STRING_BODY = re.compile(rb'"(?:[^"\\\n]++|\\.)*+')
_BETWEEN = re.compile(rb"[\s,\x1e]*+")
_NO_VALUE = re.compile(rb"[^\n{\[\]]*+")
_OPENING_OF = {ord("}"): ord("{"), ord("]"): ord("[")}
_OPEN, _CLOSE, _LIST, _LIST_END, _QUOTE = b'{}[]"'
_OPENING = re.compile(rb'\{\s*+"[^"\\\n]*+"\s*+:')
_MOST_BEGINNINGS = 20
_LIST_OF_OBJECTS = re.compile(rb"\[\s*+(?=\{)")

_CUT_OFF = RecordError(
    "invalid JSON: the text ends inside a value",
    "copy the file again from where it was written; the records before this one were read",
)
_BROKEN = RecordError(
    "invalid JSON: a quote or a bracket has no partner, so that the end of the record cannot be found",
    "fix it by hand, or take the record out; a program such as `jq . FILE` shows where it is",
)
_NO_OBJECT = RecordError(
    "neither an object nor a list of objects", "write the records as JSON objects, one on each line or in one array"
)


def document_rows(pieces: Iterable[bytes], *, max_bytes: int, wraps: Wraps) -> Iterator[Row]:
    """Yield the records of a file of JSON values, with their lines and parts.

    The elements of an array are records, and so are those inside the brackets that `wraps` finds in an object.
    A damaged record costs no other record where the file is written over several lines: the next one begins with the same
    indentation. Otherwise the rest of the file is one rejected record.
    """
    held: Row | None = None
    for number, cells in _Scanner(pieces, max_bytes, wraps).records():
        part = 0
        if held is not None:
            if held.number == number:
                held = held if held.part else Row(number, held.cells, part=1)
                part = held.part + 1
            yield held
        held = Row(number, cells, part=part)
    if held is not None:
        yield held


_Record: TypeAlias = tuple[int, dict[str, JsonValue] | RecordError]


class _Broken(Exception):
    """The brackets or quotes of a value do not match."""


class _CutOff(_Broken):
    """The text ends inside a value."""


class _TooLong(Exception):
    """A value is longer than a record may be."""


class _Scanner:
    """Cuts a text at its brackets. What stands before `_at` in the buffer was dealt with."""

    def __init__(self, pieces: Iterable[bytes], max_bytes: int, wraps: Wraps) -> None:
        self._pieces = iter(pieces)
        self._max_bytes = max_bytes
        self._wraps = wraps
        self._buffer = bytearray()
        self._at = 0
        self._line = 1
        self._indent: bytes | None = b""  # of the value at hand, None if another value stands before it on its line
        self._damage: RecordError | None = None  # of the file, such as a packed one that is cut off
        self._gap = b""  # before the value at hand
        self._separator: bytes | None = None  # between two objects, with the first key of the second one
        self._is_first = True  # no value was read outside lists
        self._ended = False  # also where the rest of the text cannot be taken apart any more

    def records(self) -> Iterator[_Record]:
        """Yield the records with their lines."""
        while (byte := self._next_byte()) is not None:
            if byte == _LIST:
                self._move(1)
                yield from self._elements()
            elif byte == _OPEN:
                yield from self._object()
            else:
                yield self._no_value()
        if self._damage is not None and not self._ended:
            yield self._line, self._damage

    def _elements(self) -> Iterator[_Record]:
        """Yield the elements of a list that was just opened, to its end."""
        while (byte := self._next_byte()) is not None:
            if byte == _LIST_END:
                self._move(1)
                return
            if byte == _OPEN:
                yield self._record()
            elif byte == _LIST:
                yield self._line, self._parsed_list()
            else:
                yield self._no_value()
        if not self._ended:
            self._ended = True
            yield self._line, self._damage or _CUT_OFF

    def _record(self) -> _Record:
        """Read the object at hand, or go on behind its damage."""
        number = self._line
        if cells := self._guessed():
            return number, cells
        try:
            size = self._size()
            cells = load_object(bytes(self._buffer[self._at : self._at + size]))
        except (_Broken, _TooLong, RecordError) as error:
            return number, self._passed(error)
        opening = _OPENING.match(self._buffer, self._at)
        self._separator = self._gap + opening[0] if opening and b"," in self._gap else None
        self._move(size)
        return number, cells

    def _guessed(self) -> dict[str, JsonValue] | None:
        """Read an object that ends where the next one begins as the last two did; else None.

        What parses is right, as no other part of the text that begins here does. Finding the text is ten times as fast as
        finding the partner of the bracket.
        """
        if self._separator is None:
            return None
        end = self._buffer.find(self._separator, self._at + 1, self._at + self._max_bytes)
        if end < 0:
            return None
        try:
            cells = load_object(bytes(self._buffer[self._at : end]))
        except RecordError:
            return None
        self._move(end - self._at)
        return cells

    def _object(self) -> Iterator[_Record]:
        """Yield an object outside lists, or the records that it wraps."""
        if self._is_first and self._end_within_buffer(self._at) is None and (around := self._begun(alone=False)):
            yield from self._wrapped(around)  # a reader knows its elements: a long one need not be held in memory
            return
        try:
            size = self._size()
            cells = load_object(bytes(self._buffer[self._at : self._at + size]))
        except (_Broken, _TooLong, RecordError):
            if around := self._begun(alone=True):
                yield from self._wrapped(around)
            else:
                yield self._record()
            return
        if around := self._wraps(cells, alone=self._is_alone(size)):
            yield from self._wrapped(around)
        else:
            number = self._line
            self._move(size)
            yield number, cells

    def _is_alone(self, size: int) -> bool:
        """Return whether the value at hand is the only one of the file."""
        if not self._is_first:
            return False
        self._is_first = False
        while not self._buffer[self._at + size :].strip():
            if not self._more():
                return True
        return False

    def _begun(self, *, alone: bool) -> bytes:
        """Return the brackets around the records of a long object, by its beginning."""
        for begin in islice(self._beginnings(), _MOST_BEGINNINGS):
            with contextlib.suppress(RecordError):
                if around := self._wraps(load_object(begin), alone=alone):
                    return around
        return b""

    def _beginnings(self) -> Iterator[bytes]:
        """Yield the object up to the first object in a list, and up to second objects under keys."""
        stack, in_list, objects = b"", False, [0]
        for place, byte in self._brackets(self._at):
            if byte == _LIST and not in_list and (match := _LIST_OF_OBJECTS.match(self._buffer, place)):
                end, in_list = self._end_within_buffer(match.end()), True
                yield bytes(self._buffer[self._at : end]) + b"]" + b"}" * len(stack)
            stack = stack + bytes((byte,)) if byte in (_OPEN, _LIST) else stack[:-1]
            objects = [*objects, 0][: len(stack) + 1]
            objects[-1] += byte == _CLOSE
            if byte == _CLOSE and objects[-1] == 2 and stack == b"{" * len(stack):
                yield bytes(self._buffer[self._at : place + 1]) + b"}" * len(stack)

    def _end_within_buffer(self, start: int) -> int | None:
        depth = 0
        for place, byte in self._brackets(start):
            depth += 1 if byte in (_OPEN, _LIST) else -1
            if depth == 0:
                return place + 1
        return None

    def _brackets(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield the brackets of the buffer, up to a string that does not end in it."""
        while (match := _NEXT_BRACKET.match(self._buffer, start)) and match[1] != b'"':
            start = match.end()
            yield start - 1, match[1][0]

    def _wrapped(self, around: bytes) -> Iterator[_Record]:
        """Yield the records inside the brackets `around` in the object at hand."""
        self._move(1)
        stack = b"{"
        while stack and not self._ended:
            match = _NEXT_BRACKET.match(self._buffer, self._at)
            try:
                if match is None or match[1] == b'"':
                    self._move((match.end() - 1 if match else len(self._buffer)) - self._at)
                    self._read_on(0 if match else None, shorten=True)
                    continue
            except _Broken as error:
                yield self._line, self._passed(error)
                return
            byte = match[1][0]
            if byte == _OPEN and stack == around:
                self._move(match.end() - 1 - self._at)
                self._separator = None
                yield self._record()
                continue
            self._move(match.end() - self._at)
            if byte not in (_OPEN, _LIST):
                stack = stack[:-1]
            elif byte == _LIST and stack + b"[" == around and self._next_byte() == _OPEN:
                yield from self._elements()
            else:
                stack += match[1]

    def _next_byte(self) -> int | None:
        """Return the first byte of the next value, or a closing bracket; None at the end."""
        while not self._ended:
            match = _BETWEEN.match(self._buffer, self._at)
            gap = bytes(match[0]) if match else b""
            _, line_feed, after = gap.rpartition(b"\n")
            indent = after if line_feed else None if self._indent is None else self._indent + after
            self._move(len(gap))
            self._indent, self._gap = indent, gap or self._gap
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return None
        return None

    def _size(self, *, skip: bool = False) -> int:
        """Return the length of the value at hand.

        With `skip` the value is not kept, and the length is that of its rest.

        Raises:
            _TooLong: it is longer than a record may be (not with `skip`).
            _Broken: its end cannot be found.
        """
        place, stack = 0, bytearray()
        while True:
            match = _NEXT_BRACKET.match(self._buffer, self._at + place)
            if match is None or match[1] == b'"':
                place = (match.end() - 1 if match else len(self._buffer)) - self._at
                if skip:
                    self._move(place)
                    place = 0
                elif len(self._buffer) - self._at > self._max_bytes:
                    raise _TooLong
                self._read_on(place if match else None, shorten=skip)
                continue
            place = match.end() - self._at
            byte = match[1][0]
            if byte in (_OPEN, _LIST):
                stack.append(byte)
            elif not stack or stack.pop() != _OPENING_OF[byte]:
                raise _Broken
            if not stack:
                if place > self._max_bytes and not skip:
                    raise _TooLong
                return place

    def _read_on(self, string: int | None, *, shorten: bool = False) -> None:
        """Read on, to the end of the string that begins `string` bytes after the value.

        With `shorten` the body of the string is dropped.

        Raises:
            _Broken: the string does not end on its line, as every string of JSON does, or the text ends.
        """
        if string is None:
            if not self._more():
                raise _CutOff
            return
        body = _STRING_BODY.match(self._buffer, self._at + string)
        end = body.end() if body else self._at + string
        rest = self._buffer[end : end + 2]
        if rest.startswith((b"\n", b"\\\n")):
            raise _Broken
        if shorten:
            del self._buffer[self._at + string + 1 : end]
        while piece := self._more():
            if b'"' in piece or b"\n" in piece or len(self._buffer) - self._at > self._max_bytes:
                return
        raise _CutOff

    def _passed(self, error: Exception) -> RecordError:
        """Go on behind the value at hand, which cannot be read, and return why."""
        if isinstance(error, RecordError):
            end = self._at + self._size()
            following = self._following(end)
            self._move((following or end) - self._at)
            return error
        following = self._following(None if isinstance(error, _Broken) else len(self._buffer))
        if following is not None:
            self._move(following - self._at)
        elif isinstance(error, _TooLong):
            try:
                self._move(self._size(skip=True))
            except _Broken:
                self._ended = True
        else:
            self._ended = True
        if isinstance(error, _TooLong) and self._damage is None:
            return RecordError(
                f"the record is longer than {self._max_bytes / 1e6:g} MB",
                "raise `logs: {max_record_mb: ...}` if such a record is real",
            )
        return self._damage or (_CUT_OFF if isinstance(error, _CutOff) else _BROKEN)

    def _following(self, end: int | None) -> int | None:
        """Return the place of the next object with the indentation of the value at hand.

        It is before `end` in the buffer. Without an `end`, more of the text is read, as much as a record may be long.
        """
        if self._indent is None:
            return None
        opening = b"\n" + self._indent + b"{"
        while (place := self._buffer.find(opening, self._at + 1, len(self._buffer) if end is None else end)) < 0:
            if end is not None or len(self._buffer) - self._at > self._max_bytes or not self._more():
                return None
        return place + len(opening) - 1

    def _parsed_list(self) -> RecordError:
        """Pass over a list inside a list."""
        try:
            self._move(self._size(skip=True))
        except _Broken:
            self._ended = True
            return _BROKEN
        return _NO_OBJECT

    def _no_value(self) -> _Record:
        """Pass over anything else, to the end of its line or list or to the next value."""
        number = self._line
        match = _NO_VALUE.match(self._buffer, self._at)
        self._move(max(1, match.end() - self._at if match else 1))
        if self._at == len(self._buffer) and not self._more():
            self._ended = True
        return number, _NO_OBJECT

    def _move(self, size: int) -> None:
        """Count `size` bytes of the buffer as dealt with."""
        if size:
            self._indent = None
        self._line += self._buffer.count(b"\n", self._at, self._at + size)
        self._at += size

    def _more(self) -> bytes:
        """Add the next piece that is not empty to the buffer; b"" at the end of the text."""
        del self._buffer[: self._at]
        self._at = 0
        try:
            piece = next(filter(None, self._pieces), b"")
        except RecordError as damage:
            self._damage, piece = damage, b""
        self._buffer += piece
        return piece
