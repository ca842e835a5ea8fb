"""`curator purge`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import DEFAULT_CONFIG, Command, add_files
from curator.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config, and whose cases to remove."""
    parser.add_argument(
        "config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    add_files(parser, "--id", metavar="ID", help="cases, by their ids or by the ids of their log records")
    add_files(parser, "--user", metavar="USER", help="all cases of users, by their ids in the logs")
    parser.add_argument("--dry-run", action="store_true", help="print what would be removed, and remove nothing")


def run(arguments: argparse.Namespace) -> int:
    """Remove the cases of people."""
    from curator.workflows.purge import purge

    result = purge(load(arguments.config), ids=arguments.id, users=arguments.user, dry_run=arguments.dry_run)
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "remove a person's cases and answers from the store, the registry and every run folder",
    (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.INTERRUPTED),
    add_arguments,
    run,
)
