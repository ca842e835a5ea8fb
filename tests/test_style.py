"""House style that a machine can check: plain English, names that say what they hold, short files and functions."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_SUMMARY_CHARACTERS = 90
IDIOMS = re.compile(
    r"\b(nobody|somebody|whoever|hangs? (?:on|from)|goes? by|stands? for|mend(?:s|ed|ing)?|told of|is no)\b",
    re.IGNORECASE,
)
EMPTY_NAMES = frozenset({"found", "known", "own", "said", "told", "one", "made"})
NOT_YET: frozenset[str] = frozenset()
"""Rooms that are still to be cleaned; the list may only become shorter."""


def room(path: Path) -> str:
    return path.relative_to(ROOT / "curator").parts[0]


SOURCES = [path for path in sorted((ROOT / "curator").rglob("*.py")) if room(path) not in NOT_YET]
PAGES = (
    [] if "docs" in NOT_YET else [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
)


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Every comment and every string of a file, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING) or token.type == getattr(tokenize, "FSTRING_MIDDLE", -1):
            yield token.start[0], token.string


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def local_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The names that functions bind: arguments, assignments, loop variables."""
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.lineno, node.id
            elif isinstance(node, ast.arg):
                yield node.lineno, node.arg


def faults(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    at = path.relative_to(ROOT)
    lines = [f"{at}: {source.count(chr(10))} lines"] if source.count("\n") > MAX_FILE_LINES else []
    data = {n for n, line in enumerate(source.splitlines(), 1) if line.endswith("# data")}
    for number, text in prose(source):
        if number in data:  # a list of words that the code looks for in texts
            continue
        lines += [f"{at}:{number}: says {match[0]!r}" for match in IDIOMS.finditer(text)]
    for node in (tree, *functions(tree), *(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef))):
        summary = (ast.get_docstring(node) or "").partition("\n")[0]  # type: ignore[arg-type]
        if summary.startswith(("What ", "Whether ", "How ")) or len(summary) > MAX_SUMMARY_CHARACTERS:
            lines.append(f"{at}:{getattr(node, 'lineno', 1)}: the first line is {summary!r}")
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            lines.append(f"{at}:{function.lineno}: {function.name} has {length} lines")
    lines += [
        f"{at}:{number}: the name {name!r} says nothing" for number, name in local_names(tree) if name in EMPTY_NAMES
    ]
    return lines


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_keeps_the_house_style(path: Path) -> None:
    assert not faults(path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_is_plain_english(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [f"{n}: {match[0]!r}" for n, line in enumerate(lines, 1) for match in IDIOMS.finditer(line)]


def test_the_root_of_the_package_is_short() -> None:
    assert len(list((ROOT / "curator").glob("*.py"))) <= 8 + 2 * bool(NOT_YET)
