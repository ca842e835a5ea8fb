"""The unpacked bytes of a file in bounded chunks; damage is an error, not an end.

gzip, zstd, bzip2, xz and zip archives of one file are unpacked. Anything else is handed on as it is.
"""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Protocol

import zstandard

from curator.errors import RecordError
from curator.io.log_file import LogFile

CHUNK = 1 << 16
"""Packed bytes read at a time, and the most that one step of a decompressor gives out."""
_PLAIN_CHUNK = 1 << 18
"""Bytes of a plain file that are read at a time."""

_ZSTD_STEP = 128
"""Compressed bytes per step. zstd has no output limit per call and packs 128 KiB into 4 bytes at best: 4 MiB here."""

MAX_RATIO = 500
"""A packed file may unpack to this many times its size, once it is beyond `FREE_BYTES`. gzip reaches 1,032 at most, zstd 32,768."""
FREE_BYTES = 1 << 30
"""Up to this size the ratio does not matter: one record that is repeated packs as well as a file that was made to fill a disk."""
_XZ_MEMORY = 128 << 20
"""Bytes of dictionary that an xz file may ask for; its strongest preset takes 65 MiB."""

PACKED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip")
_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes((n, 0x2A, 0x4D, 0x18)) for n in range(0x50, 0x60)))
_BZIP2 = b"BZh"
_XZ = b"\xfd7zXZ\x00"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PACKED = (_GZIP, *_ZSTD, _BZIP2, _XZ, *_ZIP)
_OFFICE_PART = "[Content_Types].xml"
"""A zip archive with this member is an Office document, such as an Excel workbook, and is not unpacked."""
_TRUNCATED = "copy the file again from where it was written; what stands before the cut was read"


def chunks(path: LogFile) -> Generator[bytes, None, None]:
    """Yield the unpacked content of a file; its first bytes, not its name, decide the format.

    Raises:
        RecordError: the file cannot be opened or read, holds several files, is cut off or is corrupt. What could be
            decompressed before that has been yielded.
    """
    try:
        with path.open("rb") as file:
            yield from _decompressed(file)
    except OSError as error:
        raise RecordError(
            f"the file cannot be read ({error.strerror or error})", "check that it exists and that you may read it"
        ) from error


def is_packed(head: bytes) -> bool:
    """Return whether a file with these first bytes may be a packed one."""
    return head.startswith(_PACKED)


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    head = file.read(CHUNK)
    blocks = _blocks(head, file)
    if head.startswith(_GZIP):
        return _bounded(_gunzip(blocks), file.tell)
    if head.startswith(_ZSTD):
        return _bounded(_unzstd(blocks), file.tell)
    if head.startswith(_BZIP2):
        return _bounded(_unpacked(blocks, bz2.BZ2Decompressor, "bzip2"), file.tell)
    if head.startswith(_XZ):
        return _bounded(_unpacked(blocks, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY), "xz"), file.tell)
    if head.startswith(_ZIP):
        return _unzip(file)
    return _blocks(head, file, _PLAIN_CHUNK)


def _blocks(head: bytes, file: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
    block = head
    while block:
        yield block
        block = file.read(size)


def _bounded(pieces: Iterator[bytes], packed_bytes: Callable[[], int]) -> Iterator[bytes]:
    """Yield the pieces until they are too many for the packed bytes that were read.

    Raises:
        RecordError: the file unpacks to more than `MAX_RATIO` times its size and more than `FREE_BYTES`.
    """
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > FREE_BYTES and size > MAX_RATIO * packed_bytes():
            raise unpacks_to_too_much()
        yield piece


def unpacks_to_too_much() -> RecordError:
    """The error for a small file that was made to fill the disk."""
    return RecordError(
        f"the file unpacks to more than {MAX_RATIO} times its size and more than {FREE_BYTES / 2**30:g} GiB",
        "check where the file is from; if it is a real log, unpack it and name the unpacked file",
    )


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
        raise _corrupt("gzip", error) from error
    if inside:
        raise _cut_off("gzip")


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
        raise _corrupt("zstd", error) from error
    if inside:
        raise _cut_off("zstd")


class _Decompressor(Protocol):
    """The common form of the decompressors of `bz2` and `lzma`."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _unpacked(blocks: Iterator[bytes], new: Callable[[], _Decompressor], name: str) -> Iterator[bytes]:
    """Unpack bzip2 or xz streams that stand one after the other."""
    inflater, inside = new(), False
    try:
        for block in blocks:
            rest = block
            while rest or (inside and not inflater.needs_input):
                inside = True
                yield inflater.decompress(rest, CHUNK)
                rest = b""
                if inflater.eof:
                    # xz pads its streams with zeros
                    rest, inside = inflater.unused_data.lstrip(b"\0"), False
                    inflater = new()
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise _corrupt(name, error) from error
    if inside:
        raise _cut_off(name)


def _unzip(file: BinaryIO) -> Iterator[bytes]:
    """Unpack the one member of an archive, or hand an Office document on as it is.

    Raises:
        RecordError: the archive is damaged or encrypted, or has not exactly one member.
    """
    try:
        archive = zipfile.ZipFile(file)
        names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, LookupError, EOFError) as error:
        raise RecordError(
            f"the zip archive or workbook is cut off or corrupt ({error})",
            "copy the file again from where it was written",
        ) from error
    if _OFFICE_PART in names or "mimetype" in names:
        file.seek(0)
        yield from _blocks(file.read(CHUNK), file)
        return
    members = [name for name in names if not name.endswith("/") and not name.startswith(("__MACOSX/", "."))]
    if len(members) != 1:
        raise RecordError(
            f"this is a zip archive of {len(members)} files", "unpack it and name the folder: `unzip FILE -d FOLDER`"
        )
    packed = archive.getinfo(members[0]).compress_size
    try:
        with archive.open(members[0]) as member:
            yield from _bounded(_blocks(member.read(CHUNK), member), lambda: packed)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise _corrupt("zip", error) from error
    except RuntimeError as error:  # also NotImplementedError, of a compression that Python does not know
        raise RecordError(f"the zip archive cannot be unpacked ({error})", "unpack it and name the file") from error


def _corrupt(name: str, error: Exception) -> RecordError:
    return RecordError(f"the {name} data are corrupt ({error})", _TRUNCATED)


def _cut_off(name: str) -> RecordError:
    return RecordError(f"the {name} data are cut off", _TRUNCATED)
