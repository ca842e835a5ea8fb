"""`curator doctor`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import DEFAULT_CONFIG, Command
from curator.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config."""
    parser.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help=f"also check what it needs (default: {DEFAULT_CONFIG}, if there)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Examine this machine and the needs of a config."""
    from curator.workflows.doctor import examine

    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    result = examine(load(path) if path else None, environ=os.environ)
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "check endpoints, models, hashes, disk and versions",
    (ExitCode.DONE, ExitCode.USAGE, ExitCode.INTERRUPTED), add_arguments, run,
)  # fmt: skip
