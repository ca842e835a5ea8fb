"""`curator run`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.console import ask_on_terminal, load, print_result, progress_on_stderr
from curator.cli.options import RESUMABLE, Command, add_files, add_job_arguments, data_paths, dollars

if TYPE_CHECKING:
    from curator.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the job, and how much it may spend."""
    add_job_arguments(parser)
    add_files(parser, "--labels", metavar="PATH", help="label files that came back")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run folder (default: the config's `out`, else runs/NAME beside the config)",
    )
    parser.add_argument("--yes", action="store_true", help="spend what it takes, without asking first")
    parser.add_argument(
        "--max-usd",
        type=dollars,
        metavar="USD",
        help="spend this much at most, without asking first (instead of the config's `budget.max_usd`)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the job of a config."""
    from curator.executors.local import cores
    from curator.workflows.run import run as run_job

    logs, labels = data_paths("--logs", arguments.logs), data_paths("--labels", arguments.labels)
    config = _with_limit(load(arguments.config), arguments.max_usd)
    agreed = arguments.yes or arguments.max_usd is not None
    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = run_job(
            config,
            logs=logs,
            labels=labels,
            out=arguments.out,
            progress=progress,
            confirm=None if agreed else ask_on_terminal(progress, as_json=arguments.json),
            processes=arguments.jobs or cores(),
        )
    return print_result(result, as_json=arguments.json, report_rejected=False)


def _with_limit(config: Config, max_usd: float | None) -> Config:
    """Return the config with another spending limit; the same config for None."""
    if max_usd is None:
        return config
    return config.model_copy(update={"budget": config.budget.model_copy(update={"max_usd": max_usd})})


COMMAND = Command("run the whole job; an interrupted one continues where it stopped", RESUMABLE, add_arguments, run)
