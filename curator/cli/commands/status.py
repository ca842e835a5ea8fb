"""`curator status`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import DEFAULT_CONFIG, LOCAL, Command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run folder or its config."""
    parser.add_argument(
        "run",
        nargs="?",
        type=Path,
        metavar="RUN",
        help=f"the run folder, or the config of the run (default: {DEFAULT_CONFIG}, else the newest folder in runs/)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the status file of a run."""
    from curator.run_folder.status import read_status

    return print_result(read_status(_run_folder(arguments.run)), as_json=arguments.json)


def _run_folder(named: Path | None) -> Path:
    """Return the run folder that the arguments or a config name, else the newest in `runs/`."""
    from curator.run_folder.status import newest_run
    from curator.state.paths import RUNS, StatePaths

    if named is None:
        if not DEFAULT_CONFIG.exists():
            return newest_run(RUNS)
        named = DEFAULT_CONFIG
    is_config = named.is_file() or named.suffix in {".yaml", ".yml"}
    return StatePaths.of(load(named)).run_folder if is_config else named


COMMAND = Command("show how far a run is, from another terminal", LOCAL, add_arguments, run)
