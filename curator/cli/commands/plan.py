"""`curator plan`."""

from __future__ import annotations

import argparse

from curator.cli.console import load, print_result, progress_on_stderr
from curator.cli.options import LOCAL, Command, add_job_arguments, data_paths


def run(arguments: argparse.Namespace) -> int:
    """Estimate a run of a config."""
    from curator.executors.local import cores
    from curator.workflows.plan import plan

    logs = data_paths("--logs", arguments.logs)
    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = plan(load(arguments.config), logs=logs, progress=progress, processes=arguments.jobs or cores())
    return print_result(result, as_json=arguments.json, report_rejected=False)


COMMAND = Command(
    "show what a run would ask, cost and take, without asking any model", LOCAL, add_job_arguments, run
)  # fmt: skip
