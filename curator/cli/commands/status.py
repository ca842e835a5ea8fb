"""`curator status`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import DEFAULT_CONFIG, LOCAL, Command

RUNS = Path("runs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run folder."""
    parser.add_argument(
        "run",
        nargs="?",
        type=Path,
        metavar="RUN",
        help=f"the run folder (default: runs/NAME of {DEFAULT_CONFIG}, else the newest in runs/)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the status file of a run."""
    from curator.run_folder.status import newest_run, read_status

    folder = arguments.run
    if folder is None:
        folder = RUNS / load(DEFAULT_CONFIG).name if DEFAULT_CONFIG.exists() else newest_run(RUNS)
    return print_result(read_status(folder), as_json=arguments.json)


COMMAND = Command("show how far a run is, from another terminal", LOCAL, add_arguments, run)
