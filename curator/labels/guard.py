"""The guard of CSV cells that a spreadsheet would run as a formula or change."""

from __future__ import annotations

import re

from curator.records import FORMULA_STARTS

_MONTH = (
    "jan|feb|fe[vb]|f\u00e9v|mar|m[a\u00e4]r|apr|abr|avr|mai|may|mag|maj|mei|jun|jui|giu|jul|lug|aug|ago|ao[u\u00fb]|sep|set|oct|okt|ott|out|"
    "nov|dec|d\u00e9c|dez|dic"
)
"""The first letters of months in the languages that spreadsheets are mostly set to."""
_CHANGED = re.compile(
    r"[$\u20ac\u00a3\u00a5(]?\s?\d[\d.,:/'\s-]*(?:e\s?[+-]?\d+|\s?%|\s?[$\u20ac\u00a3\u00a5]|\s?[ap]\.?m\.?|\))?"  # 00123, 1E5, 3-4, 10:30, $3
    rf"|\d{{1,4}}[-/.\s]{{0,2}}(?:{_MONTH})[^\W\d_]{{0,7}}\.?(?:[-/.,\s]{{1,2}}\d{{1,4}})?"  # 4 Mar, 04-March-2026
    rf"|(?:{_MONTH})[^\W\d_]{{0,7}}\.?[-/.,\s]{{0,2}}\d{{1,4}}(?:[-/.,\s]{{1,2}}\d{{1,4}})?"  # Mar-4, SEPT2
    r"|[.,]\d+(?:e[+-]?\d+)?|\d{4}-\d\d-\d\dT[\d:.+-]+Z?",
    re.IGNORECASE,
)
_KEPT = re.compile(r"0(?:[.,]\d*[1-9])?|[1-9]\d{0,10}")
"""Numbers that every spreadsheet gives back as they were: whole ones up to 11 digits, and shares with a point."""
_LONGEST = 40
"""Characters: no text that a spreadsheet takes for a number or a date is longer."""


def guarded(cell: str) -> str:
    """Return a cell with `'` before it where a spreadsheet would run or change it.

    `unguarded` gives the cell back.
    """
    return "'" + cell if _needs_guard(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell without the `'` of `guarded`; any other cell as it is."""
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell


def _needs_guard(cell: str) -> bool:
    if cell.startswith(FORMULA_STARTS):
        return True
    bare = cell.strip()
    return (
        len(cell) <= _LONGEST and _CHANGED.fullmatch(bare) is not None and not (cell == bare and _KEPT.fullmatch(bare))
    )
