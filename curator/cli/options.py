"""The `Command` type, the types of argument values, and the options that commands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from curator.workflows.score import Scoring

DEFAULT_CONFIG = Path("curator.yaml")
RESUMABLE = (
    ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.BUDGET_REACHED, ExitCode.PROVIDER_REFUSED,
    ExitCode.UNREADABLE, ExitCode.INTERRUPTED,
)  # fmt: skip
"""The codes of a command that asks models."""
LOCAL = (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.UNREADABLE, ExitCode.INTERRUPTED)
"""The codes of a command that reads and writes files."""
GATE = (*LOCAL[:3], ExitCode.GATE_FAILED, *LOCAL[3:])
"""The codes of a command that can fail a gate."""


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments of its own."""


def _never_run(arguments: argparse.Namespace) -> int:
    """Stand in for a command that only has commands below it: its parser requires one of them."""
    raise NotImplementedError(arguments)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the command line.

    Attributes:
        summary: the sentence that `curator --help` lists, without capital and full stop.
        exit_codes: the codes that it can end with; its help lists them.
        add_arguments: adds its arguments to its parser; `--json` is added for it.
        run: runs it and returns the exit code.
        subcommands: the commands below it, by name; it cannot be run itself then.
    """

    summary: str
    exit_codes: tuple[ExitCode, ...] = LOCAL
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments
    run: Callable[[argparse.Namespace], int] = _never_run
    subcommands: Mapping[str, Command] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The summary as a sentence."""
        return self.summary[0].upper() + self.summary[1:] + "."


def exit_code_help(codes: tuple[ExitCode, ...]) -> str:
    """The list of exit codes at the end of a help text."""
    return "\n".join(["exit codes:", *(f"  {code:<4d} {code.meaning}" for code in codes), ""])


def add_job_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config, `--logs`, `--jobs` and `--quiet`."""
    parser.add_argument(
        "config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    add_files(parser, "--logs", metavar="PATH", help="files, folders or globs to read instead of the config's")
    add_jobs(parser)
    add_quiet(parser)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add `--jobs`; None means all cores that the process may use."""
    parser.add_argument("--jobs", type=positive, metavar="N", help="processors to read with (default: all)")


def add_files(parser: argparse.ArgumentParser, flag: str, *, help: str, metavar: str = "FILE") -> None:
    """Add an option that takes several values and may be repeated."""
    parser.add_argument(flag, nargs="+", action="extend", metavar=metavar, default=[], help=help)


def data_paths(flag: str, paths: Sequence[str]) -> Sequence[str]:
    """Return the values of an option that takes data files.

    Raises:
        ConfigError: one of them is a config, which the option took because it takes several values.
    """
    for path in paths:
        if path.lower().endswith((".yaml", ".yml")):
            raise ConfigError(
                f"{path!r} is a YAML file, and {flag} takes every value after it as a data file",
                remedy=f"put the config before {flag}",
            )
    return paths


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add `--quiet`."""
    parser.add_argument(
        "--quiet", action="store_true", help="print no progress, which goes to stderr (with --json as JSON)"
    )


def add_scoring_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `scoring_from` reads."""
    parser.add_argument(
        "--equivalence",
        choices=["lexical", "embedding", "nli"],
        default="lexical",
        help="how to decide which short answers and texts mean the same (default: lexical, which needs no model)",
    )
    parser.add_argument("--nli-model", metavar="NAME", help="for `nli`: a folder, or a name at the model hub")
    parser.add_argument(
        "--equal-members", action="store_true", help="give every member the same weight, whatever its health"
    )


@contextmanager
def scoring_from(arguments: argparse.Namespace) -> Iterator[Scoring]:
    """Open the comparer that the arguments name, and yield the way to score records with it."""
    from curator.config import EmbeddingConfig, parse_equivalence
    from curator.stages.equivalence import open_comparer
    from curator.state.paths import DEFAULT_VECTORS
    from curator.workflows.score import Scoring

    equivalence = parse_equivalence({"method": arguments.equivalence, "nli_model": arguments.nli_model})
    with open_comparer(equivalence, EmbeddingConfig(), cache=DEFAULT_VECTORS) as comparer:
        yield Scoring(comparer, equal_members=arguments.equal_members)


def add_results_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands on results of several systems."""
    parser.add_argument(
        "--eval",
        metavar="EVAL_SET",
        help="the eval set: its rows, with their weights, probabilities and strata (default: those in the results)",
    )
    add_files(parser, "--by", metavar="KEY", help="the keys of a row that name its system")


def dollars(text: str) -> float:
    """Parse an amount of dollars, 0 or more."""
    return _at_least_zero(text, "dollars")


def days(text: str) -> float:
    """Parse a number of days, 0 or more."""
    return _at_least_zero(text, "days")


def _at_least_zero(text: str, unit: str) -> float:
    number = _number(text)
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit}")
    return number


def share(text: str) -> float:
    """Parse a share between 0 and 1, both excluded."""
    number = _number(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return number


def closed_share(text: str) -> float:
    """Parse a share between 0 and 1, both included."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return number


def count(text: str) -> int:
    """Parse a whole number from 0 on."""
    return 0 if text == "0" else positive(text)


def positive(text: str) -> int:
    """Parse a whole number from 1 on."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
