"""`curator committee`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result
from curator.cli.options import LOCAL, Command, add_files, add_scoring_arguments, scoring_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the records, their labels, and the way to score."""
    parser.add_argument(
        "recorded",
        type=Path,
        metavar="RECORDED",
        help="recorded answers, as `curator score` reads them, or a run folder",
    )
    add_files(
        parser,
        "--labels",
        help="JSONL or CSV rows of `id` with `wrong` (true or false), `verdict` or `label`, of cases drawn at random"
        " (default: the records' references; of a run those of the random slice)",
    )
    add_scoring_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Estimate the gain from a larger committee."""
    from curator.workflows.committee import committee_advice

    with scoring_from(arguments) as scoring:
        result = committee_advice(arguments.recorded, arguments.labels, scoring=scoring)
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "estimate what more repeats, variants or models would add to the committee; no model is asked",
    LOCAL, add_arguments, run,
)  # fmt: skip
