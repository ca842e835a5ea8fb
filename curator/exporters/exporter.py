"""The type of an entry of EXPORTERS, and the export of rows through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from curator.errors import RecordError
from curator.io.atomic import json_lines
from curator.records import JsonValue

R = TypeVar("R")
JsonRow = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Exporter(Generic[R]):
    """A file format that rows are exported to.

    Attributes:
        name: the name in EXPORTERS, in the config and on the command line.
        description: what the file is for, in one line.
        file_name: the name of the file in a run folder, without a folder.
        row_type: `EvalRow` for the eval set, `TrainingExample` for training data. A training format never sees a held-out case.
        to_row: converts one row; it raises `RecordError` for a row that the format cannot hold, which is then left out.
        encode: converts all rows to the bytes of the file; JSON lines by default.
    """

    name: str
    description: str
    file_name: str
    row_type: type[R]
    to_row: Callable[[R], JsonRow]
    encode: Callable[[Iterable[JsonRow]], Iterable[bytes]] = json_lines

    def __post_init__(self) -> None:
        """Refuse a file name that would leave the folder.

        Raises:
            ValueError: it is empty, hidden, or has a folder in it.
        """
        if (
            not self.file_name
            or self.file_name != PurePath(self.file_name).name
            or self.file_name.startswith(".")
            or "\\" in self.file_name
        ):
            raise ValueError(f"exporter {self.name!r}: the file name {self.file_name!r} is not a plain name")


@dataclass(frozen=True, slots=True)
class Export(Generic[R]):
    """The rows of one file. `rows` + the counts in `left_out`, by reason = the rows given."""

    exporter: Exporter[R]
    rows: tuple[JsonRow, ...]
    left_out: Mapping[str, int]

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return self.exporter.file_name

    def chunks(self) -> Iterable[bytes]:
        """Return the content of the file; the same rows give the same bytes."""
        return self.exporter.encode(self.rows)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each reason that rows were left out for."""
        return tuple(
            f"{self.file_name}: {count:,} rows are left out: {reason}" for reason, count in self.left_out.items()
        )


def export_rows(exporter: Exporter[R], rows: Iterable[R]) -> Export[R]:
    """Convert rows to a format, and count those that it cannot hold."""
    converted: list[JsonRow] = []
    left_out: Counter[str] = Counter()
    for row in rows:
        try:
            converted.append(exporter.to_row(row))
        except RecordError as error:
            left_out[error.reason] += 1
    return Export(exporter, tuple(converted), dict(sorted(left_out.items())))
