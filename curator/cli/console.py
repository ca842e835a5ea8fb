"""The means of all commands: load a config, print a result, show progress, ask for consent."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from curator.cli.options import DEFAULT_CONFIG
from curator.errors import ConfigError

if TYPE_CHECKING:
    from curator.config import Config
    from curator.progress import Progress
    from curator.records import JsonValue, RejectedRecord
    from curator.records.result import Result
    from curator.stages.plan import PlanResult

SHOWN_REJECTED = 10


def load(path: Path) -> Config:
    """Load the config at a path; print a warning for each key of it that has a new name.

    Raises:
        ConfigError: as `load_config`, or the default config is meant and is not there.
    """
    from curator.config import load_config

    if path == DEFAULT_CONFIG and not path.exists():
        raise ConfigError(
            f"no config was named, and {str(DEFAULT_CONFIG)!r} does not exist here",
            remedy="name one (`curator run my.yaml`), or make one with `curator init`",
        )
    with catch_warnings(record=True) as caught:
        simplefilter("always", FutureWarning)
        config = load_config(path)
    print_warnings(str(warning.message) for warning in caught)
    return config


@contextmanager
def progress_on_stderr(*, quiet: bool, as_json: bool) -> Iterator[Progress]:
    """Yield the progress for a terminal (bars), a file (lines), `--json` (events) or `--quiet`."""
    from curator.progress import Bars, Events, Lines, Silent

    if quiet:
        yield Silent()
    elif as_json:
        yield Events(sys.stderr)
    elif sys.stderr.isatty():
        with Bars(sys.stderr) as bars:
            yield bars
    else:
        yield Lines(sys.stderr)


def ask_on_terminal(progress: Progress, *, as_json: bool) -> Callable[[PlanResult], bool]:
    """Return the function that asks the user whether a run may spend so much.

    It raises a ConfigError, with the options that agree beforehand, without a terminal. With `--json` it does
    so on a terminal as well: stderr then holds events for a program.
    """
    from curator.progress import Bars
    from curator.text.display import money

    def ask(plan: PlanResult) -> bool:
        ceiling = money(plan.ceiling_usd, at_most=True)
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfigError(
                f"this run may cost up to {ceiling}, more than `budget.confirm_above_usd` allows unasked",
                remedy="agree with --yes, or set a limit with --max-usd; `curator plan` shows what it is for",
            )
        with progress.paused() if isinstance(progress, Bars) else nullcontext():
            print(plan.to_text(), file=sys.stderr)
            print(f"Spend up to {ceiling}? [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return ask


def print_result(result: Result, *, as_json: bool, report_rejected: bool = True) -> int:
    """Print a result and return its exit code.

    Rejected records and warnings go to stderr, the rest to stdout. A run does not report its rejected records: it writes them to `set_aside.jsonl`.
    """
    code = result.exit_code
    if report_rejected:
        print_rejected(result.rejected)
    if not result.warnings_in_text:
        print_warnings(result.warnings)
    if as_json:
        print_json(result.to_dict())
    else:
        print_text(result.to_text())
    return code


def print_on_stderr(text: str) -> None:
    """Print on stderr; if its reader is gone, as in `2>&1 | head`, print nothing more."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet


def print_warnings(warnings: Iterable[str]) -> None:
    """Print warnings on stderr."""
    for warning in warnings:
        print_on_stderr(f"warning: {warning}")


def print_rejected(rejected: Sequence[RejectedRecord]) -> None:
    """Print the first problems of rejected records on stderr, one line a remedy."""
    from curator.text.problems import problems_by_kind

    problems = list(problems_by_kind(rejected))
    for problem, remedy in problems[:SHOWN_REJECTED]:
        print_on_stderr(f"{problem}\n  -> {remedy}")
    if len(problems) > SHOWN_REJECTED:
        print_on_stderr(f"{len(problems) - SHOWN_REJECTED:,} more such lines, which --json lists")


def print_json(value: JsonValue) -> None:
    """Print one JSON value on stdout."""
    print_text(json.dumps(value, ensure_ascii=False, indent=2))


def print_text(text: str) -> None:
    """Print on stdout.

    If the reader is gone, as `head` goes, print nothing more: a gate still ends with its code.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet
