"""The account of a reading: every record, every key that was not used, every note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curator.io.file_kinds import Skipped
from curator.readers.pieces import Attachment, Exchange, Piece, Reading, Turn
from curator.records import Case, OtherRecord, RejectedRecord, Source
from curator.text.display import one_line, plural

_SHOWN = 12
_SHORT = 5
_LONGEST_KEY = 60


@dataclass(slots=True)
class Seen:
    """The number of times that something was seen, and the first place."""

    count: int
    first: Source


@dataclass(slots=True)
class FileAccount:
    """One log file: its reader, container, encoding and number of records.

    `recognised` is False where no reader was sure of the file, so that the default one read it.
    """

    path: str
    reader: str
    records: int = 0
    container: str = "jsonl"
    encoding: str | None = None
    recognised: bool = True


@dataclass(slots=True)
class ReadAccount:
    """The outcome of the records that were read so far.

    `records` = cases + rejected + others, without the `further` cases, which are earlier turns of conversations.

    Attributes:
        files: by path, in their order.
        skipped: files of folders that were not read, with the reason.
        cases: exchanges, further ones included.
        further: earlier turns of conversations whose record gives another case as well.
        repeated_turns: earlier turns that were left out, because another record has them as its last turn.
        rejected: records that were set aside.
        others: records without a case of their own, by their names in the plural.
        failed_calls: cases without an answer because the call failed.
        unused: keys with content that no reader used, by their paths.
        notes: sentences on what was lost or assumed.
        absent: keys that a mapping names and no record has; known at the end.
        scales: the scale of each kind of rating, as text, by its name.
        open_ratings: by the name of a kind of rating, the values that say nothing because no scale fits them, with their counts.
    """

    files: dict[str, FileAccount] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    cases: int = 0
    further: int = 0
    repeated_turns: int = 0
    rejected: int = 0
    others: Counter[str] = field(default_factory=Counter)
    failed_calls: int = 0
    unused: dict[str, Seen] = field(default_factory=dict)
    notes: dict[str, Seen] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    scales: dict[str, str] = field(default_factory=dict)
    open_ratings: dict[str, Counter[float]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """The number of records that came to an end so far."""
        return self.cases - self.further + self.rejected + sum(self.others.values())

    def note(self, text: str, source: Source, count: int = 1) -> None:
        """Count a note."""
        _count(self.notes, text, source, count)

    def add_piece(self, piece: Piece) -> None:
        """Count what a reader did not use of a record."""
        if isinstance(piece, Turn):
            piece = piece.exchange
        if isinstance(piece, Exchange | Attachment):
            for path in piece.unused:
                _count(self.unused, path, piece.source, 1)
            for text in piece.notes:
                _count(self.notes, text, piece.source, 1)

    def add_reading(self, reading: Reading) -> None:
        """Count a case, a rejected record or another one."""
        if isinstance(reading, Case):
            self.cases += 1
            self.further += reading.further
            self.failed_calls += reading.failed_call
        elif isinstance(reading, RejectedRecord):
            self.rejected += 1
        elif isinstance(reading, OtherRecord):
            self.others[reading.what] += 1

    def add_seen(self, unused: Mapping[str, Seen], notes: Mapping[str, Seen]) -> None:
        """Add what was counted elsewhere, as in a worker process."""
        for counts, added in ((self.unused, unused), (self.notes, notes)):
            for text, seen in added.items():
                _count(counts, text, seen.first, seen.count)

    def understood(self) -> str:
        """The formats of the files and the keys that were not used, on one line."""
        names = [file.reader if file.recognised else "files of no known format" for file in self.files.values()]
        counts = Counter(names).most_common()
        formats = ", ".join(f"{name} ({count:,})" if len(counts) > 1 else name for name, count in counts)
        keys = sorted(self.unused, key=lambda path: -self.unused[path].count)
        more = f" and {len(keys) - _SHORT} more" if len(keys) > _SHORT else ""
        unused = (
            f"; keys not used: {', '.join(one_line(key, _LONGEST_KEY) for key in keys[:_SHORT])}{more} (`curator check`)"
            if keys
            else ""
        )
        return f"{plural(len(self.files), 'file')} read as {formats}{unused}" if self.files else ""

    def note_lines(self) -> list[str]:
        """The notes with their counts and first places, the most frequent ones first."""
        lines = [
            f"{text} ({seen.count:,} times, first at {seen.first})" if seen.count > 1 else f"{text} (at {seen.first})"
            for text, seen in sorted(self.notes.items(), key=lambda item: -item[1].count)
        ]
        if self.absent:
            lines.append(f"no record has {'; '.join(self.absent[:_SHOWN])}: `logs.mapping` names it")
        for name, values in self.open_ratings.items():
            shown = ", ".join(f"{value:g}" for value in sorted(values)[:_SHOWN]) + (
                ", ..." if len(values) > _SHOWN else ""
            )
            lines.append(
                f"{sum(values.values()):,} ratings {name!r} are not used: their values ({shown}) fit no scale alone; "
                "name the worst and the best, such as `logs: {feedback_scale: 1-5}`"
            )
        return lines


def _count(counts: dict[str, Seen], text: str, source: Source, count: int) -> None:
    seen = counts.get(text)
    if seen is None:
        counts[text] = Seen(count, source)
    else:
        seen.count += count


def unused_keys(record: Mapping[str, object], used: frozenset[str], prefix: str = "") -> tuple[str, ...]:
    """The paths of keys with a value that is not empty and that are not among the used ones."""
    return tuple(prefix + key for key, value in record.items() if key not in used and value not in EMPTY)


EMPTY: Iterable[object] = (None, "", [], {})
