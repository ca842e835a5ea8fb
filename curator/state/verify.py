"""Reads the store row by row, to export it and to find damaged answers.

Memory does not grow with the store.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from curator.errors import ExitCode, StorageError
from curator.records import JsonValue, dump_line
from curator.records.result import Result
from curator.records.token_logprobs import read_logprobs
from curator.state.store_schema import open_existing_store
from curator.text.display import plural

SHOWN_PROBLEMS = 100

_KEY_BYTES = 32
_ROWS = """
SELECT key, model, text, finish_reason, input_tokens, output_tokens, usage_estimated, logprobs, cost_usd, latency_s,
       created_at
FROM generation ORDER BY rowid
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of an answer, or of the file where `key` (hex) is None."""

    key: str | None
    what: str

    @property
    def remedy(self) -> str:
        """The command that fixes the problem."""
        if self.key is None:
            return "move the file away; `curator cache export` saves what can still be read"
        return f"curator cache prune --key {self.key}"


@dataclass(frozen=True, slots=True)
class StoreCheck(Result):
    """The number of checked answers and of problems, and the first problems."""

    path: Path
    answers: int
    problem_count: int
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> ExitCode:
        """0, or that of a `StorageError` if something is wrong."""
        return ExitCode.STORAGE if self.problem_count else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """The findings for machines."""
        return {
            "store": str(self.path), "answers": self.answers, "found": self.problem_count,
            "problems": [{"key": p.key, "what": p.what, "remedy": p.remedy} for p in self.problems],
        }  # fmt: skip

    def to_text(self) -> str:
        """The findings for people."""
        lines = []
        for problem in self.problems:
            where = str(self.path) if problem.key is None else f"answer {problem.key}"
            lines += [f"{where}: {problem.what}", f"  -> {problem.remedy}"]
        if self.problem_count > len(self.problems):
            lines.append(f"... and {self.problem_count - len(self.problems):,} more")
        return "\n".join([*lines, f"{plural(self.answers, 'answer')} checked, {plural(self.problem_count, 'problem')}"])


def export(path: Path) -> Iterator[bytes]:
    """Iterate over the stored answers as lines of JSON, in the order in which they were stored.

    Raises:
        UserError: as `open_existing_store`.
        StorageError: an answer is damaged; the message names its key.
    """
    with open_existing_store(path) as connection:
        connection.text_factory = bytes  # else one damaged text would end the whole query
        for row in connection.execute(_ROWS):
            try:
                yield dump_line(_decoded(row))
            except _Damaged as error:
                problem = Problem(_hex(row[0]), str(error))
                raise StorageError(
                    f"{str(path)!r}: the answer {problem.key} is damaged ({problem.what})",
                    remedy=f"`{problem.remedy}` deletes it; `curator cache verify` lists all that are damaged",
                ) from error


def verify(path: Path) -> StoreCheck:
    """Check the file as SQLite does, and that every answer can be read.

    Raises:
        UserError: as `open_existing_store`; a StorageError also where the file is too damaged to be read to its end.
    """
    problems: list[Problem] = []
    problem_count = answer_count = 0
    with open_existing_store(path) as connection:
        for (finding,) in connection.execute(f"PRAGMA integrity_check({SHOWN_PROBLEMS})"):
            if finding != "ok":
                problem_count += 1
                problems.append(Problem(None, finding))
        connection.text_factory = bytes
        for row in connection.execute(_ROWS):
            answer_count += 1
            try:
                _decoded(row)
            except _Damaged as error:
                problem_count += 1
                if len(problems) < SHOWN_PROBLEMS:
                    problems.append(Problem(_hex(row[0]), str(error)))
    return StoreCheck(path, answer_count, problem_count, tuple(problems))


class _Damaged(ValueError):
    """A row has a value that the store never writes."""


def _decoded(row: Sequence[Any]) -> dict[str, JsonValue]:
    """Return a row of `_ROWS`, whose texts are still bytes, as JSON.

    Raises:
        _Damaged: it cannot be read.
    """
    key, model, text, finish_reason, tokens_in, tokens_out, estimated, logprobs, usd, latency_s, created_at = row
    if not isinstance(key, bytes) or len(key) != _KEY_BYTES:
        raise _Damaged(f"the key is not {_KEY_BYTES} bytes long")
    return {
        "key": key.hex(),
        "model": _text("model", model),
        "text": _text("text", text),
        "finish_reason": None if finish_reason is None else _text("finish_reason", finish_reason),
        "usage": {
            "input_tokens": _number("input_tokens", tokens_in, int),
            "output_tokens": _number("output_tokens", tokens_out, int),
            "estimated": bool(estimated),
        },
        "logprobs": None if logprobs is None else _logprobs(logprobs),
        "cost_usd": _number("cost_usd", usd, float),
        "latency_s": _number("latency_s", latency_s, float),
        "created_at": _number("created_at", created_at, float),
    }


def _text(name: str, value: object) -> str:
    try:
        if isinstance(value, bytes):
            return value.decode()
    except UnicodeDecodeError as error:
        raise _Damaged(f"`{name}` is not UTF-8") from error
    raise _Damaged(f"`{name}` is not text")


def _number(name: str, value: object, kind: type[int] | type[float]) -> float:
    if isinstance(value, kind) and 0 <= value < math.inf:
        return value
    raise _Damaged(f"`{name}` is {value!r}, expected a number from 0 on")


def _logprobs(value: object) -> list[JsonValue]:
    try:
        content = orjson.loads(value) if isinstance(value, bytes) else None
    except orjson.JSONDecodeError as error:
        raise _Damaged("`logprobs` is not JSON") from error
    if isinstance(content, list) and (not content or read_logprobs(content)):
        return content
    raise _Damaged("`logprobs` is not a list of numbers or tokens")


def _hex(key: object) -> str:
    """Return the key as `--key` takes it, also where it is damaged."""
    return key.hex() if isinstance(key, bytes) else str(key).encode().hex()
