"""Read code: Python as its syntax tree, other languages without comments and layout."""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from functools import lru_cache

from curator.answers.code_tokens import Program, read_program
from curator.answers.json_values import parse_python
from curator.answers.normalization import answer_part, is_refusal
from curator.answers.sql import read_sql

_FENCED = re.compile(r"(?<!`)`{3,}+[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:\n[ \t]*```|```[ \t]*(?=\n|\Z)|\Z)", re.DOTALL)
_PYTHON = frozenset({"", "python", "py", "python3"})
_DATA = frozenset(
    {"json", "jsonl", "text", "txt", "markdown", "md", "csv", "yaml", "yml", "xml", "latex", "tex", "plaintext"}
)
_HASH_COMMENTS = frozenset(
    {"python", "py", "python3", "bash", "sh", "shell", "ruby", "rb", "r", "perl", "yaml", "yml", "toml"}
)
_DASH_COMMENTS = frozenset({"sql", "lua", "haskell", "hs", "postgresql", "mysql", "sqlite"})
_SQL = frozenset({"sql", "postgresql", "mysql", "sqlite"})
_INDENTED = frozenset({"python", "py", "python3", "yaml", "yml"})
_BLOCK_BEGINS = re.compile(r":[ \t]*(?:#[^\n]*)?$", re.MULTILINE)
_IN_BRACES = re.compile(r"[;{}][ \t]*$", re.MULTILINE)
_SQL_WORDS = r"(?i:select|insert into|update|delete from|create table|with \w+ as)"
_BEGINS = re.compile(
    r"\s*(?:def \w|class \w+\s*[:({]|import [\w.{*]|from [\w.]+ import |async def |@\w|#include|#!/|public \w|private \w|"
    r"function\s*\w*\(|(?:const|let|var) \w+\s*=|package \w+\s*$|func \w+\(|fn \w+|<\?php|<!doctype|<html|"
    rf"{_SQL_WORDS}\b[^.]*$)",
    re.MULTILINE,
)
_STRONG = re.compile(
    r"^[ \t]*(?:def \w+\([^)\n]*\).*:|class \w.*:|import \w|from [\w.]+ import |for \w+ in .+:|return\b|print\()",
    re.MULTILINE,
)
_LONGEST = 50_000
"""Characters of code up to which it is parsed; longer code is compared as it is."""
_LEAD_IN_LINES = 20
"""Lines of words before code without a fence that are left out."""
_STATEMENT = re.compile(
    r"[=(){}\[\];]|:$|^(?:return|import|from|else|try|pass|break|continue|end|fi|done|select|where)\b|->|^\W",
    re.IGNORECASE,
)
_CODE_STATEMENTS = 0.6
"""The share of statements that must have a sign or word of code, where no fence tells that it is code."""
_SHARE = 0.2
"""The share of a text that fenced code must have for the text to be an answer in code."""


def read_code(text: str) -> tuple[str, str] | None:
    """Read the code of a text, as normal form and wording; None without code.

    It is the longest fenced block, else the whole text. Code that parses as Python is compared by its syntax tree, without
    comments, docstrings and layout; names count. Other code is compared without comments and blanks; SQL also without the
    case of its words, YAML and possible Python with the depth of its lines. Code of more than 50,000 characters is compared
    as it is.
    """
    text = answer_part(text)
    language, code = _block(text)
    if not code.strip() or (not language and "```" not in text and is_refusal(text)):
        return None
    if len(code) > _LONGEST:
        return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest(), code[:_LONGEST]
    if language in _PYTHON and (tree := _python(code)) is not None:
        return tree, code
    if statement := read_sql(text):
        return statement.key, code
    return _plain(code, language), code


@lru_cache(maxsize=256)
def read_program_of(text: str) -> Program | None:
    """Split the code of an answer into statements; None for SQL and an answer that is not code.

    It is the longest fenced block, else the text from its first line that begins a program.
    """
    text = answer_part(text)
    language, code = _block(text)
    fenced = "```" in text
    if language in _DATA or (fenced and len(code) < _SHARE * len(text)) or read_sql(text):
        return None
    if not fenced or not language:
        lines = code.split("\n")
        begin = next((place for place, line in enumerate(lines[:_LEAD_IN_LINES]) if _BEGINS.match(line)), None)
        if begin is None and not _STRONG.search(code):
            return None
        code = "\n".join(lines[begin or 0 :])
    program = read_program(code[:_LONGEST])
    if language or not program.statements:
        return program if program.statements else None
    like_code = sum(map(bool, map(_STATEMENT.search, program.statements)))
    return program if like_code >= _CODE_STATEMENTS * len(program.statements) else None


def is_code(text: str) -> bool:
    """Return True if fenced code is a good part of the text, or all of it looks like code."""
    return read_program_of(text) is not None or read_sql(text) is not None


def _block(text: str) -> tuple[str, str]:
    """Return language and code of the longest fenced block; ("", the text) without a block."""
    if "```" not in text:
        return "", text
    blocks = _FENCED.findall(text)
    if not blocks:
        return "", text.replace("```", "")
    language, code = max(blocks, key=lambda block: len(block[1]))
    return language.lower(), code


def _python(code: str) -> str | None:
    """Return the code as its syntax tree writes it, without docstrings; None if not Python."""
    tree = parse_python(textwrap.dedent(code))
    if tree is None:
        return None
    try:
        for node in ast.walk(tree):
            _drop_docstring(node)
        return ast.unparse(tree) or None
    except (ValueError, RecursionError):
        return None


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])


def _plain(code: str, language: str) -> str:
    """Return the code without comments and without blanks that do not separate two words.

    Strings do not change. If the language marks blocks by indentation, each line begins with its depth.
    """
    if not language and _BLOCK_BEGINS.search(code) and not _IN_BRACES.search(code):
        language = "python"
    parts: list[str] = []
    depths = [-1]
    for string, comment, word, blank, sign in _tokens(language).findall("\n" + textwrap.dedent(code).strip("\n")):
        if comment or blank:
            if comment.startswith("/*") and not comment.endswith("*/", 2):
                parts.append(comment)  # not closed, so it may not be a comment: `src/*`
            elif "\n" in blank and language in _INDENTED:
                _begin_line(parts, depths, len(blank.rpartition("\n")[2].expandtabs()))
            continue
        if word and parts and (parts[-1][-1].isalnum() or parts[-1][-1] == "_"):
            parts.append(" ")
        parts.append(word.casefold() if word and language in _SQL else string or word or sign)
    return "".join(parts).strip().rstrip(";")


def _tokens(language: str) -> re.Pattern[str]:
    """Return the pattern of a language's strings, comments, words, blanks and signs.

    A comment that is not closed runs to the end.
    """
    block = r"/\*.*?(?:\*/|\Z)"
    comment = rf"{block}|(?<!:)//[^\n]*"
    if language in _HASH_COMMENTS:
        comment = r"(?<!\S)\#[^\n]*"
    elif language in _DASH_COMMENTS:
        comment = rf"{block}|--[^\n]*"
    string = r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`"""
    return re.compile(rf"""({string})|({comment})|(\w+)|(\s+)|(\\["'`\\]|.)""", re.DOTALL)


def _begin_line(parts: list[str], depths: list[int], width: int) -> None:
    """Begin a line that is indented by `width`; each new width is one step."""
    while depths[-1] > width:
        depths.pop()
    if depths[-1] < width:
        depths.append(width)
    start = "\n" + "\t" * (len(depths) - 2)
    if parts and parts[-1].startswith("\n"):
        parts.pop()
    parts.append(start)
