"""The `curator` command: arguments in, exit code out. The only place that prints.

Nothing heavier than argparse is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from curator.cli.commands import (
    cache,
    calibrate,
    check,
    committee,
    compare,
    distil,
    doctor,
    estimate,
    init,
    label,
    labels,
    leaks,
    loop,
    plan,
    purge,
    redact,
    run,
    score,
    select,
    status,
)
from curator.cli.console import print_json, print_on_stderr, print_text, print_warnings
from curator.cli.options import Command, exit_code_help
from curator.errors import BudgetReached, CuratorError, ExitCode, NoAnswers, UserError

if TYPE_CHECKING:
    from curator.records.result import Result

__all__ = ["COMMANDS", "build_parser", "main"]

COMMANDS: Mapping[str, Command] = {
    "check": check.COMMAND,
    "run": run.COMMAND,
    "plan": plan.COMMAND,
    "status": status.COMMAND,
    "score": score.COMMAND,
    "calibrate": calibrate.COMMAND,
    "committee": committee.COMMAND,
    "select": select.COMMAND,
    "label": label.COMMAND,
    "labels": labels.COMMAND,
    "estimate": estimate.COMMAND,
    "loop": loop.COMMAND,
    "round": loop.ROUND,
    "leaks": leaks.COMMAND,
    "compare": compare.COMMAND,
    "distil": distil.COMMAND,
    "doctor": doctor.COMMAND,
    "init": init.COMMAND,
    "cache": cache.COMMAND,
    "purge": purge.COMMAND,
    "redact": redact.COMMAND,
}
"""Every command by name, in the order of `curator --help`."""

_Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    arguments = build_parser(next((word for word in words if not word.startswith("-")), "")).parse_args(words)
    try:
        with sigterm_as_interrupt():
            code: int = arguments.command(arguments)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet
        return ExitCode.DONE
    except KeyboardInterrupt:
        _report(
            arguments, "interrupted", "run the same command again: it uses every answer stored so far", ExitCode.INTERRUPTED
        )  # fmt: skip
        return ExitCode.INTERRUPTED
    except CuratorError as error:
        what, remedy = (error.what, error.remedy) if isinstance(error, UserError) else (str(error), "")
        _report(
            arguments,
            what,
            remedy,
            error.exit_code,
            error.result if isinstance(error, BudgetReached | NoAnswers) else None,
        )
        return error.exit_code
    return code


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser of the command line; `command` of its arguments is the function to call.

    Args:
        only: the command whose arguments are added, as the others are not used; None for all commands. It saves the
            imports that arguments need, so that `curator --help` answers at once.
    """
    parser = _Parser(
        prog="curator",
        description="Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.",
        epilog=exit_code_help(tuple(ExitCode)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action=_Version, help="print the version of curator, Python and the packages, and exit"
    )
    _add_commands(parser, COMMANDS, only)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser that ends with its own usage, what is wrong, and a remedy."""

    def parse_known_args(  # type: ignore[override]  # the overloads of typeshed differ only in the namespace's type
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse all arguments; end where some are left over.

        argparse itself would report those of a command with the usage of the whole command line.
        """
        arguments, left_over = super().parse_known_args(args, namespace)
        options = [argument.partition("=")[0] for argument in left_over if argument.startswith("-")]
        if options:
            self._fail(f"unknown option {options[0]!r}", self._nearest(options[0], self._option_string_actions))
        if left_over:
            self._fail(f"unexpected argument {left_over[0]!r}")
        return arguments, []

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            self._fail(f"unknown command {value!r}", self._nearest(str(value), action.choices))
        super()._check_value(action, value)

    def _nearest(self, given: str, names: Iterable[str]) -> str:
        from difflib import get_close_matches

        near = get_close_matches(given, list(names), n=1, cutoff=0.65)
        return f"did you mean {near[0]}?" if near else ""

    def error(self, message: str) -> NoReturn:
        """Report what argparse finds wrong, and end."""
        self._fail(message)

    def _fail(self, what: str, remedy: str = "") -> NoReturn:
        self.print_usage(sys.stderr)
        remedy = remedy or f"`{self.prog} --help` explains the arguments"
        self.exit(ExitCode.USAGE, f"curator: {what}\n  -> {remedy}\n")


class _Version(argparse.Action):
    """Prints the versions; they are looked up only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: ARG002  argparse gives it
        super().__init__(option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and exit."""
        from curator.workflows.installation import version_text

        print_text(version_text())
        parser.exit()


def _add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, Command], only: str | None = None) -> None:
    group: _Subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in commands.items():
        subparser = group.add_parser(
            name,
            help=command.summary,
            description=command.description,
            epilog=exit_code_help(command.exit_codes),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if only is not None and name != only:
            continue
        if command.subcommands:
            _add_commands(subparser, command.subcommands)
            continue
        subparser.add_argument("--json", action="store_true", help="print one JSON object on stdout, for machines")
        subparser.set_defaults(command=command.run)
        command.add_arguments(subparser)


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: the answers in flight are stored first.

    A shell starts background jobs with SIGINT ignored. It is handled again here, or SIGTERM would be ignored as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(
    arguments: argparse.Namespace, what: str, remedy: str, code: ExitCode, result: Result | None = None
) -> None:
    """Print an error, and with `--json` the result that a stopped run has, in one object."""
    if arguments.json:
        figures = result.to_dict() if result else {}
        print_json({**figures, "error": what, "remedy": remedy, "exit_code": code})
        return
    print_on_stderr(f"curator: {what}")
    if remedy:
        print_on_stderr(f"  -> {remedy}")
    print_warnings(result.warnings if result else ())
