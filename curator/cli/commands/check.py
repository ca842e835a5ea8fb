"""`curator check`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import LOCAL, Command, data_paths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the logs and the config."""
    parser.add_argument(
        "logs", nargs="*", metavar="PATH", help="files, folders, globs or addresses; default: the config's"
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="CONFIG",
        help="a job whose `logs:`, `tasks:` and `redaction:` sections are used; default: none",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read logs, and print what was understood."""
    from curator.workflows.check import check

    config = load(arguments.config) if arguments.config else None
    result = check(data_paths("PATH", arguments.logs), config=config)
    return print_result(result, as_json=arguments.json, report_rejected=False)  # the text has them by remedy


COMMAND = Command("show what is understood of logs, before anything is spent", LOCAL, add_arguments, run)
