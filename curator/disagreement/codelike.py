"""Code in answers: Python through its syntax tree, other languages without comments and layout."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

from curator.disagreement.wording import answer_part, is_refusal

_FENCED = re.compile(r"```[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_PYTHON = frozenset({"", "python", "py", "python3"})
_DATA = frozenset(
    {"json", "jsonl", "text", "txt", "markdown", "md", "csv", "yaml", "yml", "xml", "latex", "tex", "plaintext"}
)
_HASH_COMMENTS = frozenset(
    {"python", "py", "python3", "bash", "sh", "shell", "ruby", "rb", "r", "perl", "yaml", "yml", "toml"}
)
_DASH_COMMENTS = frozenset({"sql", "lua", "haskell", "hs", "postgresql", "mysql", "sqlite"})
_SQL = frozenset({"sql", "postgresql", "mysql", "sqlite"})
_SQL_WORDS = r"(?i:select|insert into|update|delete from|create table|with \w+ as)"
_SQL_BEGINS = re.compile(rf"\s*{_SQL_WORDS}\b")
_BEGINS = re.compile(
    r"\s*(?:def \w|class \w+\s*[:({]|import [\w.{*]|from [\w.]+ import |async def |@\w|#include|#!/|public \w|private \w|"
    r"function\s*\w*\(|(?:const|let|var) \w+\s*=|package \w+\s*$|func \w+\(|fn \w+|<\?php|<!doctype|<html|"
    rf"{_SQL_WORDS}\b[^.]*$)",
    re.MULTILINE,
)
_STRONG = re.compile(
    r"^[ \t]*(?:def \w+\(.*\).*:|class \w+.*:|import \w|from [\w.]+ import |for \w+ in .+:|return\b|print\()",
    re.MULTILINE,
)
_LONGEST = 50_000
_SHARE = 0.2
"""The share of a text that fenced code must make up for the text to be an answer in code."""


def read_code(text: str) -> tuple[str, str] | None:
    """The code of a text in its normal form, and as it stands there; None where there is none.

    The longest fenced block, else the whole text. What parses as Python is compared by its syntax tree, without
    comments, docstrings and layout; names count. Anything else is compared without comments and blanks, and SQL
    without the case of its words.
    """
    text = answer_part(text)
    language, code = _block(text)
    if not code.strip() or (not language and "```" not in text and is_refusal(text)):
        return None
    if language in _PYTHON and (tree := _python(code)) is not None:
        return tree, code
    return _plain(code, "sql" if _SQL_BEGINS.match(code) else language), code


def is_code(text: str) -> bool:
    """Whether a text is code: a fenced block that is no data makes up a good part of it, or all of it looks so."""
    text = answer_part(text)
    if "```" in text:
        language, code = _block(text)
        return language not in _DATA and len(code) >= _SHARE * len(text) and (bool(language) or _looks_like_code(code))
    return _looks_like_code(text)


def _looks_like_code(text: str) -> bool:
    if not _BEGINS.match(text) and not _STRONG.search(text):
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    marks = sum(
        bool(
            re.search(
                r"[=(){}\[\];:]\s*$|^\s*(?:return|import|from|def|class|select|where)\b|\w\(|[=;]", line, re.IGNORECASE
            )
        )
        for line in lines[:200]
    )
    return marks >= 0.6 * len(lines[:200])


def _block(text: str) -> tuple[str, str]:
    """The language and the code of the longest fenced block; no language and the whole text where there is none."""
    if "```" not in text:
        return "", text[:_LONGEST]
    blocks = _FENCED.findall(text)
    if not blocks:
        return "", text.replace("```", "")[:_LONGEST]
    language, code = max(blocks, key=lambda block: len(block[1]))
    return language.lower(), code[:_LONGEST]


def _python(code: str) -> str | None:
    """The code as its syntax tree writes it, without docstrings; None where it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(textwrap.dedent(code))
        for node in ast.walk(tree):
            _drop_docstring(node)
        return ast.unparse(tree) or None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])


def _plain(code: str, language: str) -> str:
    """The code without comments, and without blanks that do not part two words; strings stay as they are."""
    comment = r"/\*.*?\*/|//[^\n]*"
    if language in _HASH_COMMENTS:
        comment = r"\#[^\n]*"
    elif language in _DASH_COMMENTS:
        comment = r"/\*.*?\*/|--[^\n]*"
    token = re.compile(rf"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)|({comment})|(\w+)|(\s+)|(.)""", re.DOTALL)
    parts: list[str] = []
    for string, skipped, word, blank, sign in token.findall(code):
        if word and parts and (parts[-1][-1].isalnum() or parts[-1][-1] == "_"):
            parts.append(" ")
        if skipped or blank:
            continue
        parts.append(word.casefold() if word and language in _SQL else string or word or sign)
    return "".join(parts).rstrip(";")
