"""Read SQL: the normal form of a statement, and its clauses, through the parser of sqlglot."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from curator.answers.call_expressions import PROGRAM
from curator.answers.normalization import answer_part
from curator.answers.record_fields import fields_of, parse_record
from curator.answers.sql_normal_form import normal_form_of

LONGEST_SQL = 10_000
"""Characters of a statement up to which it is parsed; a longer one is compared by its tokens."""
_LOOKED_AT = 2_000
_SEARCHED = 50_000
_MOST_STARTS = 8
_MOST_STATEMENTS = 8
_FENCED = re.compile(r"```[ \t]*\w*[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_BEGINS = re.compile(
    r"^[ \t>*`]*(?:<\w+>\s*)?(?:[A-Za-z][\w ]{0,30}:[ \t*`]*)?(?=\(*\s*(?:select|with|insert|replace|update|delete|create|alter|drop|merge|truncate|from)\b)",
    re.MULTILINE | re.IGNORECASE,
)
_LIKE_SQL = re.compile(
    r"""\(*\s*(?:select\b.*\bfrom\b | select\s+(?:[\w.]+\(|[\d'(]) | from\b.*\bselect\b
    | with\s+(?:recursive\s+)?[\w"`\[\]]+\s*(?:\([^()]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(
    | (?:insert\s+(?:or\s+\w+\s+|overwrite\s+)?|replace\s+|merge\s+)into\b | delete\s+from\b | update\b.*\bset\b
    | create\s+(?:or\s+replace\s+)?(?:\w+\s+)?(?:table|view|index|function|type)\b[^\n;]*(?:\(|\bas\b)
    | alter\s+(?:table|view)\b | drop\s+(?:table|view|index|schema)\b | truncate\s+table\b)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_IN_CAPITALS = re.compile(r"\b(?:SELECT|FROM|WHERE|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|JOIN)\b")
_SIGNS = re.compile(r"[=*();]")
_CUTS = (re.compile(r"\Z"), re.compile(r";|```|</\w"), re.compile(r"\n[ \t]*\n|```|</\w"))
_TOKENS = re.compile(
    r"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/|\d+(?:\.\d+)?|\w+|<>|[<>!]=|\|\||::|[^\s\w]""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL in normal form.

    Attributes:
        key: the text that equal statements share.
        parts: the clauses and what they mention, as (place, text), such as `("where", "<(age,5)")`; places in subqueries begin
            with `sub.`. Empty for SQL that could not be parsed.
        tokens: the words and signs in small letters, without comments.
    """

    key: str
    parts: frozenset[tuple[str, str]]
    tokens: tuple[str, ...]


@lru_cache(maxsize=256)
def read_sql(text: str) -> Statement | None:
    """Read the SQL of an answer, also in a fence, tag, field or below words; None without.

    SQL is a text that parses as a statement. Equal are statements that differ in the case of names and keywords, quotes of
    names, aliases, redundant brackets, the order of conditions that `and` or `or` joins, of the operands of `=`, of columns and of
    inner joins, in a comma or `join ... on`, in `with` or a subquery, in `between` or two bounds, and in numbers of columns after
    `order by`. Values in quotes keep their case. SQL that cannot be parsed is compared by its tokens.
    """
    text = answer_part(text)
    if PROGRAM.search(text):
        return None
    if text.startswith("{"):
        values = [
            value for _, value in islice(fields_of(parse_record(text)), _MOST_STATEMENTS) if isinstance(value, str)
        ]
        return next(filter(None, map(_in_text, values)), None)
    return _in_text(text)


def _in_text(text: str) -> Statement | None:
    blocks = _FENCED.findall(text) if "```" in text else []
    for block in (*sorted(blocks, key=len, reverse=True), text):
        for begin in islice(_BEGINS.finditer(block, 0, _SEARCHED), _MOST_STARTS):
            like_sql = _LIKE_SQL.match(block, begin.end(), begin.end() + _LOOKED_AT)
            if like_sql and (statement := _statement(block[begin.end() :], fenced=block is not text)):
                return statement
    return None


def _statement(code: str, *, fenced: bool) -> Statement | None:
    """Read code up to its end, else its first statement, else its first paragraph."""
    parts = dict.fromkeys(_trimmed(code[: end.start()]) for cut in _CUTS if (end := cut.search(code)))
    for part in parts:
        trees = _parse(part) if len(part) <= LONGEST_SQL else None
        try:
            if trees:
                return Statement(*normal_form_of(trees), tuple(sql_tokens(part)))
        except (ValueError, RecursionError):
            continue
    shortest = list(parts)[-1]
    if fenced or _IN_CAPITALS.search(shortest) or _SIGNS.search(shortest):
        tokens = tuple(sql_tokens(shortest))
        return Statement(" ".join(tokens), frozenset(), tokens)
    return None


def _trimmed(code: str) -> str:
    """Return the code without a last semicolon and a closing quote of Markdown."""
    code = code.strip("; \t\n")
    return code.strip("`; \t\n") if code.count("`") % 2 else code


def sql_tokens(code: str) -> Iterator[str]:
    """Yield words, values and signs; names and keywords in small letters, comments left out."""
    for token in _TOKENS.findall(code, 0, _SEARCHED):
        if token.startswith("'"):
            yield token
        elif not token.startswith(("--", "/*")):
            yield token.strip('"`').lower()


def _parse(code: str) -> Sequence[Any] | None:
    """Parse statements in the first dialect that accepts them; None if none does."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").addFilter(_is_no_fallback)

    dialects: Sequence[str | None] = (None, "postgres", "duckdb", "mysql", "snowflake")
    if "`" in code:
        dialects = ("mysql", "bigquery")
    elif re.search(r"\btop\b\s*\(?\s*\d|\[[A-Za-z]", code, re.IGNORECASE):
        dialects = (None, "tsql", "duckdb")
    for dialect in dialects:
        try:
            trees = [
                tree for tree in sqlglot.parse(code, dialect=dialect) if tree is not None and tree.key != "semicolon"
            ]
        except (SqlglotError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
            continue
        if trees and len(trees) <= _MOST_STATEMENTS and not any(tree.key == "command" for tree in trees):
            return trees
    return None


def _is_no_fallback(record: logging.LogRecord) -> bool:
    """Return False for the warning that a statement is only a command."""
    return "Falling back to parsing" not in str(record.msg)
