"""Split code into statements without comments, layout and the names of local variables.

No language is parsed: tokens and line ends are enough, so that programs that are cut off or do not parse, and all languages with
usual comments and strings, are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_TOKENS = 20_000
"""Tokens of a program that are read; the rest does not count."""
_TOKENS = re.compile(
    r'''(?P<comment>/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|(?<![:\w])//[^\n]*|(?<!\S)\#(?!include|define|if|endif)[^\n]*|(?<!\S)--(?=\s)[^\n]*)
    |(?P<string>[rRbBfFuU]{0,2}(?:"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|\'\'\'(?:[^'\\]|\\.|'(?!\'\'))*(?:\'\'\'|\Z)|"(?:[^"\\\n]|\\.)*"
        |'(?:[^'\\\n]|\\.)*'|`[^`\n]*`))
    |(?P<number>\d[\w.]*)|(?P<word>[^\W\d]\w*)|(?P<line>\n)|(?P<sign>[-+*/%&|^<>=!?:]{2,3}|[^\w\s])''',
    re.DOTALL | re.VERBOSE,
)
_FUNCTIONS = frozenset({"def", "function", "func", "fn", "fun", "sub", "=>"})
_DECLARING = frozenset({"let", "const", "var", "val", "mut", "local", "my", "as", "catch"})
_ASSIGNING = frozenset({"=", ":=", "+=", "-=", "*=", "/=", "|=", "&=", "%="})
_AFTER_A_NAME = frozenset({",", ")", ":", "=", "?"})
_BEFORE_NO_NAME = frozenset({":", "=", ".", "|"})
_ENDING_LOOP = frozenset({"in", "of", ":", "if", "for"})
_BRACES = re.compile(r"[;{}][ \t]*$|;[ \t]|\)[^\n={}]*\{", re.MULTILINE)
_COLONS = re.compile(
    r"^[ \t]*(?:def|class|if|elif|else|for|while|with|try)\b[^\n{}]*:[ \t]*(?:#[^\n]*)?$", re.MULTILINE
)
_AFTER_NO_VARIABLE = frozenset({".", "(", "["})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_KEPT = frozenset({"self", "this", "cls", "_"})


@dataclass(frozen=True, slots=True)
class Program:
    """A program as statements.

    Attributes:
        statements: the tokens of each, separated by blanks; a local variable is written as its number in its function.
        depths: how deep each is indented, in steps; 0 where indentation does not make blocks.
    """

    statements: tuple[str, ...]
    depths: tuple[int, ...]


def read_program(code: str) -> Program:
    """Split code into statements, and number the local variables of each function."""
    by_colons = _COLONS.search(code) is not None
    split = list(_lines(code, in_braces=not by_colons and len(_BRACES.findall(code)) > 1))
    lines = [line for _, line in split]
    starts = [0, *(place for place, line in enumerate(lines) if place and _begins_function(line))]
    statements: list[str] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        names = _locals(lines[start:end]) if end > start and _begins_function(lines[start]) else frozenset()
        numbers: dict[str, str] = {}
        statements += [" ".join(_renamed(line, names, numbers)) for line in lines[start:end]]
    depths = _depths([column for column, _ in split]) if by_colons else [0] * len(lines)
    return Program(tuple(statements), tuple(depths))


def _depths(columns: Sequence[int]) -> list[int]:
    """Return the depth of each line; each new width of its indentation is one step."""
    open_columns: list[int] = []
    depths = []
    for column in columns:
        while open_columns and open_columns[-1] >= column:
            open_columns.pop()
        depths.append(len(open_columns))
        open_columns.append(column)
    return depths


def _lines(code: str, *, in_braces: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield column and tokens of each statement: to a line end outside of brackets, or a sign."""
    opening, closing, ends = ("([", ")]", ";{}") if in_braces else ("([{", ")]}", ";")
    line: list[str] = []
    depth = line_start = column = 0
    for number, match in enumerate(_TOKENS.finditer(code)):
        kind, token = match.lastgroup, match[0]
        if number >= MOST_TOKENS:
            break
        if kind == "comment":
            continue
        if kind == "line" or (depth == 0 and token in ends):
            if depth == 0 and not _is_docstring(line):
                yield column, line
            line = line if depth else []
            line_start = match.end() if kind == "line" else line_start
            continue
        if kind == "sign":
            depth = max(0, depth + (token in opening) - (token in closing))
        column = column if line else match.start() - line_start
        line.append(_text(token) if kind == "string" else token)
    if not _is_docstring(line):
        yield column, line


def _is_docstring(line: Sequence[str]) -> bool:
    """Return True for a statement that is empty or only a string."""
    return not line or (len(line) == 1 and line[0][0] in "\"'")


def _text(token: str) -> str:
    """Return a string in double quotes; a formatted string keeps its `f`."""
    body = token.lstrip("rRbBfFuU")
    return "f" * ("f" in token[: len(token) - len(body)].lower()) + '"' + body.strip("\"'`") + '"'


def _begins_function(line: Sequence[str]) -> bool:
    return not _FUNCTIONS.isdisjoint(line)


def _locals(lines: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the names that a function binds: its arguments, assigned and declared names."""
    return frozenset({*_arguments(lines[0]), *(name for line in lines for name in _bound(line))} - _KEPT)


def _arguments(line: Sequence[str]) -> Iterator[str]:
    """Yield the arguments in the line that begins a function, without types and defaults."""
    inside = line[line.index("(") :] if "(" in line else []
    for before, word, after in zip(inside, inside[1:], [*inside[2:], ")"], strict=False):
        if word.isidentifier() and after in _AFTER_A_NAME and before not in _BEFORE_NO_NAME:
            yield word


def _bound(line: Sequence[str]) -> Iterator[str]:
    """Yield the names that a line assigns, declares, or binds after `for`."""
    depth, last_assigned = 0, 0
    for place, sign in enumerate(line):
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if depth == 0 and sign in _ASSIGNING:
            last_assigned = place
    looping = False
    for before, word, after in zip(["", *line], line, [*line[1:], ""], strict=False):
        last_assigned -= 1
        looping = word == "for" or (looping and word not in _ENDING_LOOP)
        binds = last_assigned >= 0 or before in _DECLARING or (looping and word != "for")
        # A word before another one is a type or keyword.
        typed = after.isidentifier() and after not in _ENDING_LOOP
        named = word.isidentifier() and not typed and before not in _BEFORE_NO_NAME and after not in _AFTER_NO_VARIABLE
        if binds and named:
            yield word


def _renamed(line: Sequence[str], names: frozenset[str], numbers: dict[str, str]) -> Iterator[str]:
    """Write local variables as numbers, in the order in which the function uses them."""
    for before, word in zip(["", *line], line, strict=False):
        local = word in names and before != "."
        yield numbers.setdefault(word, f"${len(numbers)}") if local else word
