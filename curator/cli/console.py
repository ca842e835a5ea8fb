"""What the commands share: the config they load, what they print, and how they ask."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import ConfigError
from curator.text.display import money

if TYPE_CHECKING:
    from curator.config import Config
    from curator.progress import Progress
    from curator.records import JsonValue
    from curator.stages.plan import PlanResult


DEFAULT_CONFIG = Path("curator.yaml")


def load(path: Path) -> Config:
    """The config at a path.

    Raises:
        ConfigError: as `load_config`, and where the default one is meant but not there.
    """
    from curator.config import load_config

    if path == DEFAULT_CONFIG and not path.exists():
        raise ConfigError(
            f"no config was named, and there is no {str(DEFAULT_CONFIG)!r} here",
            remedy="name one (`curator run my.yaml`), or make one with `curator init`",
        )
    return load_config(path)


@contextmanager
def progress_on_stderr(*, quiet: bool, as_json: bool) -> Iterator[Progress]:
    """The progress that suits who looks at it."""
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


def asking(progress: Progress, *, as_json: bool) -> Callable[[PlanResult], bool]:
    """How to ask whether a run may spend so much; its ConfigError says how to answer beforehand if nobody can be asked.

    With `--json` nobody is: stderr then belongs to a machine, whoever watches it.
    """
    from curator.progress import Bars

    def ask(plan: PlanResult) -> bool:
        ceiling = money(plan.ceiling_usd, at_most=True)
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfigError(
                f"this run may cost up to {ceiling}, more than `budget.confirm_above_usd` allows unasked",
                remedy="agree with --yes, or set a limit with --max-usd; `curator plan` shows what it is for",
            )
        with progress.paused() if isinstance(progress, Bars) else nullcontext():
            print(plan.as_text(), file=sys.stderr)
            print(f"Spend up to {ceiling}? [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return ask


def print_json(value: JsonValue) -> None:
    """One JSON value on stdout."""
    show(json.dumps(value, ensure_ascii=False, indent=2))


def show(text: str) -> None:
    """Print on stdout. Where whoever reads it is gone, as `head` goes, nothing more is said, and a gate still has its code."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet
