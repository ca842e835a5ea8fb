"""The `curator` command: arguments in, exit code out. The only place that prints.

Nothing heavier than argparse is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from curator.cli.console import print_json
from curator.cli.parser import parser
from curator.errors import CuratorError, UserError

__all__ = ["main"]

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        with _sigterm_as_interrupt():
            code: int = arguments.command(arguments)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet
        return 0
    except KeyboardInterrupt:
        _report(arguments, "interrupted", "every answer that came is stored; the same command goes on from there")
        return INTERRUPTED
    except CuratorError as error:
        what, remedy = (error.what, error.remedy) if isinstance(error, UserError) else (str(error), "")
        _report(arguments, what, remedy, error.exit_code)
        return error.exit_code
    return code


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM ends a run the way Ctrl-C does: what is in flight is stored first.

    A shell starts background jobs with SIGINT ignored; it is heard again, or SIGTERM would be ignored, too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(arguments: argparse.Namespace, what: str, remedy: str, code: int = INTERRUPTED) -> None:
    if arguments.json:
        print_json({"error": what, "remedy": remedy, "exit_code": code})
        return
    print(f"curator: {what}", file=sys.stderr)
    if remedy:
        print(f"  -> {remedy}", file=sys.stderr)
