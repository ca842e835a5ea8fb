"""`curator calibrate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result
from curator.cli.options import LOCAL, Command, add_files, add_scoring_arguments, scoring_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the records, their labels, and where the calibration goes."""
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
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write the calibration to (default: none)")
    add_scoring_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fit the score to labels."""
    from curator.workflows.calibrate import calibrate

    with scoring_from(arguments) as scoring:
        result = calibrate(arguments.recorded, arguments.labels, out=arguments.out, scoring=scoring)
    return print_result(result, as_json=arguments.json)


COMMAND = Command("fit the score to your own failures, and test whether it ranks better", LOCAL, add_arguments, run)
