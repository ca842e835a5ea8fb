"""Damage that programs do to cells of a label queue, undone where fingerprints prove it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from curator.errors import RecordError
from curator.labels.columns import Role
from curator.labels.sheet import as_conversation
from curator.readers.feedback import nonblank
from curator.records import CUT_NOTE, JsonValue, Source, fingerprint_fits

Cells = Mapping[Role, JsonValue]

_PRIVATE = range(0xF180, 0xF200)
"""Where LibreOffice puts the bytes that Windows-1252 has no character for, after 0xF100."""
_LONGEST_ID = 24
"""Digits: identifiers with leading zeros are not longer."""


def repaired(rows: Sequence[tuple[Source, Cells]]) -> list[tuple[Source, Cells]]:
    """Return the rows of a file with what was done to them undone.

    Ids get the zeros back that they need to fit their fingerprints. Where the text of any row fits its fingerprint only after
    `ungarbled`, the whole file was opened in the wrong encoding, and all its texts are repaired.
    """
    with_ids: list[tuple[Source, Cells]] = [
        (source, {**cells, "case_id": restored_id(_case_id(cells), _mark(cells))}) for source, cells in rows
    ]
    if not any(_is_garbled(cells) for _, cells in with_ids):
        return with_ids
    return [
        (source, {role: ungarbled(cell) if isinstance(cell, str) else cell for role, cell in cells.items()})
        for source, cells in with_ids
    ]


def is_untouched(cells: Cells, case_id: str) -> bool:
    """Return whether the input is the one that was written, as far as the row says.

    Raises:
        RecordError: the fingerprint is another case's, so that cells have moved between rows.
    """
    mark = _mark(cells)
    if mark is None:
        return True
    of_case, of_text = fingerprint_fits(mark, case_id, _shown_text(cells))
    if not of_case:
        raise RecordError(
            f"the `content_hash` beside {case_id!r} is another case's, so that cells have moved between rows, or the id was changed",
            "sort whole rows, not single columns; copy what was filled in to the case's own row of the label queue",
        )
    return of_text


def _is_garbled(cells: Cells) -> bool:
    mark, text = _mark(cells), _shown_text(cells)
    if mark is None or text is None or text.isascii():
        return False
    fits, repaired_fits = (fingerprint_fits(mark, _case_id(cells), each)[1] for each in (text, ungarbled(text)))
    return repaired_fits and not fits


def _shown_text(cells: Cells) -> str | None:
    """Return the conversation that a row shows; None where it is not there or cut."""
    text, question = nonblank(cells.get("input")), nonblank(cells.get("question"))
    if text is None and question is not None and not question.endswith(CUT_NOTE):
        return as_conversation(question)  # a conversation of one question has no `input` of its own
    return None if text and text.endswith(CUT_NOTE) else text


def _mark(cells: Cells) -> str | None:
    mark = nonblank(cells.get("content_hash"))
    return mark.strip() if mark else None


def _case_id(cells: Cells) -> str:
    return str(cells["case_id"]).strip()


def ungarbled(text: str) -> str:
    """Return a text of UTF-8 that was opened as Windows-1252; another text as it is.

    `na\u00c3\u00afve` becomes `na\u00efve`.
    """
    if text.isascii():
        return text
    try:
        return bytes(map(_byte, text)).decode()
    except ValueError:
        return text


def restored_id(case_id: str, mark: str | None) -> str:
    """Return the case that a fingerprint proves where a program took leading zeros away.

    An id that fits, or that nothing makes fit, stays as it is.
    """
    if mark is None or fingerprint_fits(mark, case_id, None)[0]:
        return case_id
    return next((other for other in _before_change(case_id) if fingerprint_fits(mark, other, None)[0]), case_id)


def _before_change(case_id: str) -> Iterator[str]:
    """Yield ids that programs show as this one: `00123` as 123 or 123.0, `TRUE` as true or 1."""
    word = {"1": "true", "0": "false"}.get(case_id, case_id.lower())
    if word in ("true", "false"):
        yield from (word.upper(), word, word.capitalize())
    number = re.fullmatch(r"(\d+)(?:\.0)?", case_id)
    if number:
        yield from (number[1].zfill(length) for length in range(len(number[1]), _LONGEST_ID + 1))


def _byte(character: str) -> int:
    """Return the byte that Windows-1252 shows as a character.

    Raises:
        ValueError: it shows none so.
    """
    code = ord(character)
    if code in _PRIVATE:
        return code - 0xF100
    try:
        return character.encode("cp1252")[0]
    except UnicodeEncodeError:
        if code < 0x100:
            return code
        raise
