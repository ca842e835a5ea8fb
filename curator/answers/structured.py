"""Features by which tool calls, records, SQL and code are compared, and their weights."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, islice
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.answers.record_fields import (
    MOST_FIELDS,
    fields_of,
    folded_key,
    folded_value,
    parse_record,
    value_features,
)
from curator.answers.source_code import read_program_of
from curator.answers.sql import read_sql
from curator.answers.tool_calls import folded_name, read_calls
from curator.records import JsonValue

Form = Literal["tool_call", "json", "sql", "code"]
FORMS: tuple[Form, ...] = ("tool_call", "sql", "json", "code")
"""The forms, the most specific one first."""
Floats = NDArray[np.float64]
Features = frozenset[tuple[str, str]]
"""(path, value) of an answer: a field and its value, a clause of SQL, the statements of a program."""

CACHED = 4096
"""Texts whose features and keys are kept."""
LONGEST_CACHED = 20_000
_MOST_PAIRS = 20
_MOST_CASES = 400
_MOST_BETWEEN = 4_000
_FEW_PAIRS = 30
"""Pairs of answers below which the weight of a path is that of its group."""
_TOKENS_TOGETHER = 3


def features_of(text: str, form: Form) -> Features | None:
    """Return the features of an answer in a form; None if the answer does not have that form.

    Results for texts of up to `LONGEST_CACHED` characters are kept.
    """
    read = _features if len(text) <= LONGEST_CACHED else _features.__wrapped__
    return read(_encodable(text), form)


def form_key(text: str, form: Form) -> str | None:
    """Return the key of an answer, which equal answers share; None without the form."""
    read = _form_key if len(text) <= LONGEST_CACHED else _form_key.__wrapped__
    return read(_encodable(text), form)


@lru_cache(maxsize=CACHED)
def _features(text: str, form: Form) -> Features | None:
    if form == "tool_call":
        return _of_calls(text)
    if form == "json":
        value = None if read_program_of(text) else parse_record(text)
        return None if value is None else _of_fields(fields_of(value))
    if form == "sql":
        statement = read_sql(text)
        return frozenset((*statement.parts, *_grams("token", statement.tokens))) if statement else None
    program = read_program_of(text)
    if program is None:
        return None
    tokens = " ".join(program.statements).split(" ")
    return frozenset((*(("statement", statement) for statement in program.statements), *_grams("token", tokens)))


@lru_cache(maxsize=CACHED)
def _form_key(text: str, form: Form) -> str | None:
    if form == "tool_call":
        calls = read_calls(text)
        keys = sorted(_key([folded_name(call.name), call.arguments]) for call in calls)
        return f"[{','.join(keys)}]" if calls else None
    if form == "json":
        value = None if read_program_of(text) else parse_record(text)
        return None if value is None else _key(value)
    if form == "sql":
        statement = read_sql(text)
        return statement.key if statement else None
    program = read_program_of(text)
    if program is None:
        return None
    lines = (f"{depth} {statement}\n" for depth, statement in zip(program.depths, program.statements, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def similarity(left: Features, right: Features, weights: Mapping[str, float]) -> float:
    """Return the weighted Jaccard index of two answers, 0..1; see `similarity_matrix`."""
    return float(similarity_matrix([left, right], weights)[0, 1])


def similarity_matrix(answers: Sequence[Features], weights: Mapping[str, float]) -> Floats:
    """Return the weighted Jaccard index of each pair of answers, a positive definite kernel.

    Args:
        answers: the features of n answers.
        weights: the weight of a value by its path; a path that is missing has the weight of its group (`group_of`).

    Returns:
        The similarities (n, n), 1 on the diagonal. Answers without any weight have the index of their plain features.
    """
    columns: dict[tuple[str, str], int] = {}
    rows = [[columns.setdefault(feature, len(columns)) for feature in answer] for answer in answers]
    present = np.zeros((len(answers), len(columns)))
    for place, row in enumerate(rows):
        present[place, row] = 1.0
    of_paths = {path: weights.get(path, weights.get(group_of(path), 0.0)) for path, _ in columns}
    weighted = _jaccard_matrix(present * np.array([of_paths[path] for path, _ in columns]), present)
    matrix = np.where(np.isnan(weighted), _jaccard_matrix(present, present), weighted)
    return np.where(np.isnan(matrix), 1.0, matrix)


def _jaccard_matrix(weighted: Floats, present: Floats) -> Floats:
    shared = weighted @ present.T
    sizes = np.diag(shared)
    total = sizes[:, np.newaxis] + sizes - shared
    return np.divide(shared, total, out=np.full_like(shared, np.nan), where=total > 0)


def field_weights(cases: Sequence[Sequence[Features]]) -> dict[str, float]:
    """Return the weight of a value under each path, from answers without labels.

    The weight of a path is KL(Bernoulli(A_w) || Bernoulli(A_b)) nats, times the fourth power of the share of answers that have a path
    of its group: A_w is the mean Jaccard index of two answers to one case, A_b that of answers to two cases. So what differs
    within a case as much as between cases, such as free text, counts little. It is divided by the mean number of values under the path,
    so that a path of many words does not outweigh a path of one value. Paths with few pairs share the weight of their group.

    Args:
        cases: the features of the answers to each case.
    """
    spread = [case for case in cases if case][:: max(1, len(cases) // _MOST_CASES)]
    within = [pair for case in spread for pair in islice(combinations(case, 2), _MOST_PAIRS)]
    in_case, counts = _agreement(within)
    across, _ = _agreement(list(islice(_between(spread), _MOST_BETWEEN)))
    answers = [_by_path(answer) for case in spread for answer in case]
    having: Counter[str] = Counter()
    values: Counter[str] = Counter()
    for answer in answers:
        having.update({*answer, *map(group_of, answer)})
        for path, held in answer.items():
            values.update({path: len(held), group_of(path): len(held)})
    return {
        path: _divergence(in_case[path], across.get(path, 0.0))
        * (having[group_of(path)] / len(answers)) ** 4
        * (having[path] / values[path])
        for path in in_case
        if counts[path] >= _FEW_PAIRS or path.endswith("*")
    }


def group_of(path: str) -> str:
    """Return the group of a path: all arguments of calls, all texts in words, all fields.

    A group is a path of its own, and its own group.
    """
    if path.endswith("*"):
        return path
    return f"{path.partition('.')[0] if path.startswith('argument.') else ''}{'~' * path.endswith('~')}*"


def _between(cases: Sequence[Sequence[Features]]) -> Iterable[tuple[Features, Features]]:
    """Yield pairs of answers to two cases, neighbours first."""
    for step in range(1, len(cases)):
        for place in range(len(cases) - step):
            left, right = cases[place], cases[place + step]
            yield left[step % len(left)], right[(step + place) % len(right)]


def _agreement(pairs: Sequence[tuple[Features, Features]]) -> tuple[dict[str, float], Counter[str]]:
    """Return the mean Jaccard index of each path and group, and the pairs that have it."""
    sums: defaultdict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    for left, right in pairs:
        of_left, of_right = _by_path(left), _by_path(right)
        for path in of_left.keys() | of_right.keys():
            same = 1.0 if left == right else _jaccard(of_left.get(path), of_right.get(path))
            for counted in (path, group_of(path)):
                sums[counted] += same
                counts[counted] += 1
    return {path: sums[path] / counts[path] for path in counts}, counts


def _divergence(within: float, between: float) -> float:
    """Return KL(Bernoulli(within) || Bernoulli(between)) in nats; 0 if `within` is smaller."""
    p, q = (min(max(share, 1e-4), 1 - 1e-4) for share in (within, between))
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q)) if p > q else 0.0


def _jaccard(left: frozenset[object] | None, right: frozenset[object] | None) -> float:
    if not left or not right:
        return 0.0
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)


@lru_cache(maxsize=CACHED)
def _by_path(features: Features) -> dict[str, frozenset[object]]:
    values: dict[str, set[object]] = {}
    for path, value in features:
        values.setdefault(path, set()).add(value)
    return {path: frozenset(held) for path, held in values.items()}


def _encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which UTF-8 cannot encode."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _of_calls(text: str) -> Features | None:
    calls = read_calls(text)
    if not calls:
        return None
    fields = [
        (f"argument.{path}", value) for call in calls for path, value in fields_of(dict(call.arguments)) if path != "$"
    ]
    return frozenset((*(("name", folded_name(call.name)) for call in calls), *_of_fields(fields)))


def _of_fields(fields: Iterable[tuple[str, JsonValue]]) -> Features:
    return frozenset(feature for path, value in islice(fields, MOST_FIELDS) for feature in value_features(path, value))


def _grams(path: str, tokens: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Yield runs of three tokens, one from each place; all tokens of a shorter text."""
    for place in range(max(1, len(tokens) - _TOKENS_TOGETHER + 1)):
        yield path, " ".join(tokens[place : place + _TOKENS_TOGETHER])


def _key(value: JsonValue) -> str:
    return json.dumps(_folded(value), sort_keys=True, separators=(",", ":"))


def _folded(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {folded_key(name): _folded(inner) for name, inner in value.items()}
    if isinstance(value, list) and value:
        return [_folded(inner) for inner in value]
    return folded_value(value)
