"""The bytes of a plain, gzip or zstd file in bounded chunks; damage is an error, not an end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from curator.errors import RecordError

CHUNK = 1 << 16
"""Bytes read at a time, and the most that one step of gzip gives out."""

_ZSTD_STEP = 128
"""Compressed bytes per step. zstd has no output limit per call and packs 128 KiB into 4 bytes at best: 4 MiB here."""

MAX_RATIO = 500
"""A packed file may unpack to this many times its size, once it is beyond `FREE_BYTES`. gzip reaches 1,032 at most, zstd 32,768."""
FREE_BYTES = 1 << 30
"""Up to this size the ratio does not matter: one record that is repeated packs as well as a file that was made to fill a disk."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = tuple(bytes((n, 0x2A, 0x4D, 0x18)) for n in range(0x50, 0x60))
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\x00": "an SQLite database",
}
_TRUNCATED = "copy the file again from where it was written; what stands before the cut was read"


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the unpacked content of a file; its first bytes, not its name, decide the format.

    Raises:
        RecordError: the file cannot be opened or read, is of a foreign format, is cut off or is corrupt. What could be
            decompressed before that has been yielded.
    """
    try:
        with path.open("rb") as file:
            yield from _decompressed(file)
    except OSError as error:
        raise RecordError(
            f"the file cannot be read ({error.strerror or error})", "check that it exists and that you may read it"
        ) from error


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    head = file.read(CHUNK)
    blocks = _blocks(head, file)
    if head.startswith(_GZIP):
        return _bounded(_gunzip(blocks), file)
    if head.startswith((_ZSTD, *_ZSTD_SKIPPABLE)):
        return _bounded(_unzstd(blocks), file)
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise RecordError(
                f"this is {name}", "unpack or convert it to JSONL or CSV; .gz and .zst are read as they are"
            )
    return blocks


def _blocks(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    block = head
    while block:
        yield block
        block = file.read(CHUNK)


def _bounded(pieces: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    """Yield the pieces until they are too many for the packed bytes that were read.

    Raises:
        RecordError: the file unpacks to more than `MAX_RATIO` times its size and more than `FREE_BYTES`.
    """
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > FREE_BYTES and size > MAX_RATIO * file.tell():
            raise RecordError(
                f"the file unpacks to more than {MAX_RATIO} times its size and more than {FREE_BYTES / 2**30:g} GiB",
                "check where the file is from; if it is a real log, unpack it and name the unpacked file",
            )
        yield piece


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    inflater, inside = zlib.decompressobj(wbits=31), False
    try:
        for block in blocks:
            rest, out = block, b""
            while rest or len(out) == CHUNK:
                inside = True
                out = inflater.decompress(rest, CHUNK)
                yield out
                rest = inflater.unconsumed_tail
                if inflater.eof:
                    # another member may follow; tapes and block devices pad with zeros
                    rest, out, inside = inflater.unused_data.lstrip(b"\0"), b"", False
                    inflater = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise RecordError(f"the gzip data are corrupt ({error})", _TRUNCATED) from error
    if inside:
        raise RecordError("the gzip data are cut off", _TRUNCATED)


def _unzstd(blocks: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor()
    inflater, inside = decompressor.decompressobj(), False
    try:
        for block in blocks:
            for start in range(0, len(block), _ZSTD_STEP):
                rest = block[start : start + _ZSTD_STEP]
                while rest:
                    inside = True
                    yield inflater.decompress(rest)
                    rest = b""
                    if inflater.eof:
                        rest, inside = inflater.unused_data, False
                        inflater = decompressor.decompressobj()
    except zstandard.ZstdError as error:
        raise RecordError(f"the zstd data are corrupt ({error})", _TRUNCATED) from error
    if inside:
        raise RecordError("the zstd data are cut off", _TRUNCATED)
