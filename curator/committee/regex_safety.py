"""Safety check of a user's pattern, which will run on unchecked text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

# The parse trees of `re` have no types. Their shape has not changed since Python 2, and the tests would show a change.
_REPEATS = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT})
_MANY = 4
"""A part that may be repeated more often than this counts as repeated without end."""
_MOST_BROAD = 2


def pattern_problem(pattern: str) -> str:
    """Return the problem of a user's pattern; an empty text where there is none.

    A pattern is a problem if it is not valid, or if its run time may explode.

    Python's `re` tries all ways to share a text out among repeats: exponentially many where a repeat stands in a
    repeat, and a power of the length where several repeats take any character.
    """
    try:
        re.compile(pattern)
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"the pattern is not valid ({error})"
    if any(_varies(body) for body in _repeated(tree)):
        return "a repeat or an alternative stands inside a repeat, which can take for ever: write the inner one once"
    if sum(_is_broad(body) for body in _repeated(tree)) > _MOST_BROAD:
        return f"more than {_MOST_BROAD} repeats take any character (`.*`), which can take very long: leave some away"
    return ""


def _repeated(tree: Any) -> Iterator[Any]:  # noqa: ANN401
    """Iterate over the bodies of the repeats that may match many times."""
    for code, argument in tree:
        if code in _REPEATS and (argument[1] == codes.MAXREPEAT or argument[1] > _MANY):
            yield argument[2]
        for part in _parts(argument):
            yield from _repeated(part)


def _varies(tree: Any) -> bool:  # noqa: ANN401
    """Return whether a part can match one text in several ways.

    It can if it contains a repeat of several lengths, or an alternative.
    """
    for code, argument in tree:
        if code == codes.BRANCH or (code in _REPEATS and argument[0] != argument[1]):
            return True
        if any(_varies(part) for part in _parts(argument)):
            return True
    return False


def _is_broad(tree: Any) -> bool:  # noqa: ANN401
    """Return whether a repeated part accepts (nearly) any character."""
    return any(
        code in {codes.ANY, codes.NOT_LITERAL} or (code == codes.IN and argument[0][0] == codes.NEGATE)
        for code, argument in tree
    )


def _parts(argument: Any) -> Iterator[Any]:  # noqa: ANN401
    """Iterate over the patterns inside the argument of one operation."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for item in argument:
            yield from _parts(item)
