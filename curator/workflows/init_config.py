"""The config that `curator init --logs` writes, from what a check found in the logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os.path import normpath
from pathlib import Path

import yaml

from curator.answers.normalization import normal_form
from curator.io.log_file import is_address
from curator.text.display import one_line, plural
from curator.workflows.check_result import CheckResult

_SECTIONS = re.compile(r"^name: my-logs$|^logs:\n(?:  .*\n)+|^# What is known .*\ntasks:\n(?:  .*\n)+", re.MULTILINE)
_MAX_TOKENS = re.compile(r"^  max_tokens: \d+$", re.MULTILINE)
_PLAIN_KINDS = ("label", "number", "boolean", "choice", "date", "json", "tool_call", "code")
"""Kinds that answers show plainly. Short answers and texts are left to the run, which sees the committee's answers too."""
_LEAST_OF_LABEL = 3
_LONGEST_LABEL = 40
_TOKENS = (64, 128, 256, 512, 1024, 2048, 4096)
_CHARACTERS_PER_TOKEN = 3.0


def config_for_logs(
    starter: str, paths: list[str], result: CheckResult, *, folder: Path, mapping: Mapping[str, object]
) -> str:
    """The starter config with the logs and the tasks that were found.

    Args:
        starter: the text of the starter config.
        paths: the logs as the user named them.
        result: the check of the logs, through the mapping if there is one.
        folder: the folder of the config.
        mapping: the fields of a mapping that fits; {} where a format was recognised.
    """
    sections = iter(
        (
            f"name: {_quoted(_name(paths))}",
            "".join(f"{line}\n" for line in _logs_section(paths, result, folder, mapping)),
            "".join(f"{line}\n" for line in _tasks_section(result)),
        )
    )
    text = _SECTIONS.sub(lambda _: next(sections), starter)
    longest = max((answers.longest for answers in result.answers.values()), default=0)
    tokens = next((limit for limit in _TOKENS if 1.5 * longest / _CHARACTERS_PER_TOKEN <= limit), _TOKENS[-1])
    return _MAX_TOKENS.sub(
        f"  max_tokens: {tokens}              # room for the longer ones of the logged answers", text
    )


def _name(paths: list[str]) -> str:
    stem = re.split(r"[\\/]", paths[0].rstrip("/\\"))[-1].partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:60] or "my-logs"


def _logs_section(paths: list[str], result: CheckResult, folder: Path, mapping: Mapping[str, object]) -> Iterator[str]:
    yield "logs:"
    yield f"  paths: [{', '.join(_quoted(_from_folder(path, folder)) for path in paths)}]"
    readers = sorted({file.reader for file in result.account.files.values()})
    if mapping:
        yield f"  # Found from the names and values of the keys: it gives {plural(result.account.cases, 'case')}. Check the first ones."
        if readers == ["mapped"]:
            yield "  format: mapped"
        else:
            yield f"  # The format of each other file is recognised: {', '.join(name for name in readers if name != 'mapped')}."
        yield f"  mapping: {_flow(mapping)}"
    elif len(readers) == 1:
        yield f"  format: {_quoted(readers[0])}"
    else:
        yield f"  # The format of each file is recognised: {', '.join(readers)}."
    for name, values in result.account.open_ratings.items():
        shown = ", ".join(f"{value:g}" for value in sorted(values)[:8])
        yield f"  # The ratings {one_line(repr(name), 60)} ({shown}) fit no scale alone. Name the worst and the best one:"
        yield "  # feedback_scale: 1-5"


def _from_folder(path: str, folder: Path) -> str:
    """The path as the config in the folder has to name it."""
    if is_address(path):
        return path
    full, base = (Path(normpath(each.expanduser().absolute())) for each in (Path(path), folder))
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else str(full)


def _tasks_section(result: CheckResult) -> Iterator[str]:
    yield "# What is known of a task's answers. Without it the kind is detected from the answers of each run."
    lines = [
        f"  {_quoted(task)}: {{ kind: {answers.kind}{_labels(answers.labels)} }}"
        for task, answers in result.answers.items()
        if answers.kind in _PLAIN_KINDS and task in result.tasks and task != "(none)"
    ]
    if lines:
        yield "tasks:"
        yield from lines
    else:
        yield "# tasks:"
        yield "#   route: { kind: label, labels: [delivery, refund] }"


def _labels(labels: tuple[tuple[str, int], ...]) -> str:
    """The labels of a classifier; "" where one is rare or long, or part of another."""
    names = [label for label, count in labels if count >= _LEAST_OF_LABEL]
    plain = [f" {normal_form(name)} " for name in names]
    overlap = any(short in long for short in plain for long in plain if short is not long)
    if len(names) < max(2, len(labels)) or overlap or any(len(name) > _LONGEST_LABEL for name in names):
        return ""
    return f", labels: [{', '.join(map(_quoted, names))}]"


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(str(key))}: {_flow(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _quoted(str(value))


_BARE = re.compile(r"[A-Za-z][\w./-]*")
_YAML_WORDS = frozenset(("true", "false", "yes", "no", "null", "on", "off", "y", "n"))


def _quoted(text: str) -> str:
    """A text as YAML: bare where nothing in it can be misread."""
    if _BARE.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6).strip()
