"""Cells of tables that hold the error of a spreadsheet instead of a value."""

from __future__ import annotations

import re

from curator.records import JsonValue

_ERROR_VALUE = re.compile(
    r"#[\u00a1\u00bf]?[^\W\d_]+(?:[/\s_.]?\w+)*[!?]"  # #NAME?, #REF!, #DIV/0!, #BEZUG!, and in Spanish with a mark on both sides
    r"|#[^\W_]/[^\W_]"  # #N/A and its translations: #N/D, #I/T, ...
    r"|#(?:NV|YOK|HI\u00c1NYZIK|GETTING_DATA|#{2,})"  # without a mark; and ######, of a column that is too narrow
    r"|Err:\d{3}",
    re.IGNORECASE,
)
_LONGEST = 40
"""Characters: no error of a spreadsheet is longer."""


def is_error_value(text: str) -> bool:
    """Return whether a cell is an error of a spreadsheet, such as `#NAME?`, in any language."""
    return _ERROR_VALUE.fullmatch(text.strip()) is not None


def is_logged_error(value: JsonValue) -> bool:
    """Return the same for a value of a log, where an answer may be a hashtag such as `#sold!`.

    Spreadsheets write their errors in capitals.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return False
    bare = value.strip()
    is_written_so = bare.startswith("Err:") or (bare.startswith("#") and bare == bare.upper())
    return is_written_so and is_error_value(bare)
