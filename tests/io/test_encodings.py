"""Texts of every usual encoding are read; a guess is marked, and damage stays damage."""

from __future__ import annotations

import codecs
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import RecordError
from curator.io.encodings import HEAD_BYTES, as_utf8, find_encoding
from curator.readers.rows import open_records

# ruff: noqa: RUF001
GERMAN = [f'{{"q": "Wo ist mein Päckchen Nr. {n}? Ich hätte es längst gebraucht – für Jörg."}}' for n in range(30)]
FRENCH = [f'{{"q": "Où est passée ma commande n° {n}, s’il vous plaît ? C’était réglé à 5 €."}}' for n in range(30)]
CHINESE = [f'{{"问题": "我的包裹{n}在哪里，为什么还没有到？"}}' for n in range(30)]
RUSSIAN = [f'{{"q": "Где моя посылка номер {n}?"}}' for n in range(30)]
ENGLISH = [f'{{"q": "Where is my parcel {n}?"}}' for n in range(30)]
TEXTS = {"german": GERMAN, "french": FRENCH, "chinese": CHINESE, "english": ENGLISH}


def encoded(lines: list[str], encoding: str, mark: bytes = b"") -> bytes:
    return mark + "\n".join(lines).encode(encoding)


def read(path: Path, data: bytes, **options: str) -> tuple[list[str], str | None, tuple[str, ...]]:
    path.write_bytes(data)
    file = open_records(path, wanted=(), max_bytes=10**6, **options)  # type: ignore[arg-type]
    return (
        [row.cells.reason if isinstance(row.cells, RecordError) else str(row.cells.get("q", row.cells.get("问题"))) for row in file.rows],
        file.encoding,
        file.notes,
    )  # fmt: skip


def questions(lines: list[str]) -> list[str]:
    return [line.split(": ", 1)[1][1:-2] for line in lines]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
    ],
)
def test_unicode_is_found(tmp_path: Path, name: str, encoding: str, mark: bytes) -> None:
    texts, used, notes = read(tmp_path / "a", encoded(TEXTS[name], encoding, mark))
    assert texts == questions(TEXTS[name])
    assert used == encoding
    assert bool(notes) == (not mark and encoding != "utf-8")


@pytest.mark.parametrize("name", ["german", "french"])
def test_latin_text_is_guessed_and_the_guess_is_told(tmp_path: Path, name: str) -> None:
    texts, used, notes = read(tmp_path / "a", encoded(TEXTS[name], "windows-1252"))
    assert texts == questions(TEXTS[name])
    assert used == "windows-1252"
    assert "windows-1252" in notes[0]
    assert "logs: {encoding: ...}" in notes[0]


def test_latin_text_on_one_line_is_guessed(tmp_path: Path) -> None:
    texts, used, _ = read(tmp_path / "a", f"[{', '.join(GERMAN)}]".encode("windows-1252"))
    assert texts == questions(GERMAN)
    assert used == "windows-1252"


def test_few_latin_lines_among_many_are_guessed(tmp_path: Path) -> None:
    lines = [*ENGLISH, *GERMAN[:4]] * 10
    assert read(tmp_path / "a", encoded(lines, "windows-1252"))[0] == questions(lines)


@pytest.mark.parametrize("lines", [GERMAN, ENGLISH])
def test_a_bad_byte_in_a_good_file_costs_one_record(tmp_path: Path, lines: list[str]) -> None:
    data = encoded(lines, "utf-8").split(b"\n")
    data[7] = data[7].replace(b"parcel", b"parc\xe9l").replace(b"ist", b"\xefst")
    texts, used, notes = read(tmp_path / "a", b"\n".join(data))
    assert (used, notes) == ("utf-8", ())
    assert texts[:7] + texts[8:] == questions(lines)[:7] + questions(lines)[8:]
    assert "invalid UTF-8" in texts[7]


def test_text_that_is_not_latin_is_not_guessed_but_can_be_named(tmp_path: Path) -> None:
    data = encoded(RUSSIAN, "windows-1251")
    texts, _, notes = read(tmp_path / "a", data)
    assert all("invalid UTF-8" in text for text in texts)
    assert notes == ()
    texts, used, notes = read(tmp_path / "a", data, encoding="cp1251")
    assert (texts, used, notes) == (questions(RUSSIAN), "cp1251", ())
    data = encoded(CHINESE, "gb18030")
    assert read(tmp_path / "a", data, encoding="gb18030")[0] == questions(CHINESE)


def test_a_mark_is_stronger_than_a_name(tmp_path: Path) -> None:
    data = encoded(GERMAN, "utf-16-le", codecs.BOM_UTF16_LE)
    assert read(tmp_path / "a", data, encoding="windows-1252")[0] == questions(GERMAN)


def test_damage_in_another_encoding_costs_one_record(tmp_path: Path) -> None:
    lines = [line.encode("utf-16-le") for line in GERMAN]
    lines[3] = lines[3][:20] + b"\x00\xd8" + lines[3][22:]  # half of a surrogate pair
    texts = read(tmp_path / "a", codecs.BOM_UTF16_LE + "\n".encode("utf-16-le").join(lines))[0]
    assert [n for n, text in enumerate(texts) if "invalid UTF-8" in text] == [3]
    assert len(texts) == 30


def test_zeros_of_a_rotated_log_are_not_utf_16(tmp_path: Path) -> None:
    data = encoded(ENGLISH[:5], "utf-8") + b"\n" + bytes(301) + encoded(ENGLISH, "utf-8")
    texts, used, _ = read(tmp_path / "a", data)
    assert used == "utf-8"
    assert len([text for text in texts if "NUL" in text]) == 1


@given(
    data=st.binary(max_size=300),
    size=st.integers(1, 20),
    name=st.sampled_from([None, "utf-16-le", "shift_jis", "cp1252"]),
)
def test_no_bytes_raise_and_the_pieces_do_not_matter(data: bytes, size: int, name: str | None) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(as_utf8(pieces, name)[1]) == b"".join(as_utf8([data], name)[1])


def test_only_the_head_decides() -> None:
    random = Random(0)
    head = b"".join(b'{"q": "%d"}\n' % random.randrange(10**9) for _ in range(HEAD_BYTES // 10))
    assert find_encoding(head[:HEAD_BYTES]).name == "utf-8"
    encoding, pieces = as_utf8([head, *(line.encode("cp1252") for line in GERMAN)])
    assert not encoding.guessed
    assert b"".join(pieces).endswith(GERMAN[-1].encode("cp1252"))
