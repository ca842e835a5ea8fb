"""Kinds of files by their first bytes and by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from curator.errors import RecordError
from curator.io.compression import PACKED_SUFFIXES

BinaryKind = Literal["parquet", "arrow", "xlsx"]
"""Kinds of files that are read and are not text."""

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".xlsx")
"""A file of a folder with one of these suffixes is a log, whatever it holds."""
_ARROW_STREAM = b"\xff\xff\xff\xff"
_EXPORT = "export it as JSONL, CSV or Parquet, and name that file"
_UNPACK = "unpack it, and name the unpacked files"
_NO_LOG = "name a file that holds logs"
_FOREIGN = (
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or an encrypted one", "save it as .xlsx without a password, or as CSV"),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ORC", "an ORC file", _EXPORT),
    (b"\x89HDF", "an HDF5 file", _EXPORT),
    (b"\x80\x04\x95", "a Python pickle", _EXPORT),
    (b"\x80\x05\x95", "a Python pickle", _EXPORT),
    (b"\x04\x22\x4d\x18", "an LZ4 file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"%PDF", "a PDF document", _NO_LOG),
    (b"\x89PNG", "an image", _NO_LOG),
    (b"\xff\xd8\xff", "an image", _NO_LOG),
    (b"GIF8", "an image", _NO_LOG),
    (b"\x7fELF", "a program", _NO_LOG),
    (b"version https://git-lfs", "a pointer to a file in Git LFS, not the file", "fetch the file itself: `git lfs pull`"),
)  # fmt: skip
_TAR = (257, b"ustar")

_HIDDEN = re.compile(r"[._]")
"""How names of hidden files begin, also those that Spark and Hadoop write beside data, such as `_SUCCESS`."""
_DESCRIPTION = re.compile(
    r"(readme|licen[cs]e|copying|notice|authors|changelog)(\.\w+)?|.*\.(md|rst|html?|ya?ml|toml|ini|cfg|lock|crc|sha256|md5)",
    re.IGNORECASE,
)
_MANIFEST = re.compile(r"manifest(\.\w+)*|.*\.manifest(\.json)?", re.IGNORECASE)
_DATASET_FILES = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json")
_HIVE = re.compile(r"[\w-]+=")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of a folder that was not read, and why."""

    file: str
    reason: str

    def __str__(self) -> str:
        """The file with the reason, for a user."""
        return f"{self.file} ({self.reason})"


def binary_kind(head: bytes) -> BinaryKind | None:
    """Return the kind of a file by its first, unpacked bytes; None of others, such as text."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1\0\0", _ARROW_STREAM)):
        return "arrow"
    return "xlsx" if head.startswith(b"PK") else None


def foreign(head: bytes) -> RecordError | None:
    """Return the error of a file of a foreign kind, by its first bytes; else None."""
    for magic, name, remedy in _FOREIGN:
        if head.startswith(magic):
            return RecordError(f"this is {name}", remedy)
    place, magic = _TAR
    if head[place : place + len(magic)] == magic:
        return RecordError("this is a tar archive", _UNPACK)
    return None


def bare_suffix(name: str) -> str:
    """The suffix in lower case that tells the format: `.csv` for `a.csv` and for `a.CSV.gz`."""
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in PACKED_SUFFIXES else path.suffix


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden by its name; `_year=2026` is a partition."""
    return bool(_HIDDEN.match(name)) and not _HIVE.match(name)


def describes(parts: tuple[str, ...]) -> str | None:
    """Return why a file holds no log, by the parts of its path in the folder; else None."""
    name = parts[-1]
    if is_hidden(name):
        return "hidden"
    if _MANIFEST.fullmatch(name) or "manifests" in parts[:-1]:
        return "a manifest"
    if name in _DATASET_FILES:
        return "describes a dataset"
    return "not a log by its name" if _DESCRIPTION.fullmatch(name) else None
