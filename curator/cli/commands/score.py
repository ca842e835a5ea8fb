"""`curator score`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from curator.cli.console import print_rejected, print_result, print_warnings
from curator.cli.options import LOCAL, Command, add_scoring_arguments, positive, scoring_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the records, where the scores go, and how they are made."""
    parser.add_argument("recorded", type=Path, metavar="RECORDED.jsonl", help="one case with its generations a line")
    parser.add_argument(
        "--out", type=Path, metavar="SCORES.jsonl", help="the file to write the scores to (default: stdout)"
    )
    add_scoring_arguments(parser)
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="rank by the score that `curator calibrate` fitted, if it ranked better than the default score",
    )
    parser.add_argument(
        "--estimator",
        action="append",
        default=[],
        metavar="NAME",
        help="add the value of this estimator to every score, as `estimators: {NAME: value}`; may be repeated; the names"
        " are in docs/estimators.md",
    )
    parser.add_argument("--jobs", type=positive, metavar="N", help="processors to use (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Score a file of recorded answers."""
    from curator.disagreement.estimators import require_estimators
    from curator.run_folder.calibration import read_calibration
    from curator.workflows.score import score_file

    fitted = read_calibration(arguments.calibration) if arguments.calibration else None
    estimators = require_estimators(arguments.estimator, where="--estimator")
    with scoring_from(arguments) as scoring:
        result = score_file(
            arguments.recorded,
            arguments.out,
            stdout=sys.stdout.buffer,
            scoring=replace(scoring, processes=arguments.jobs, estimators=estimators),
            calibration=fitted,
        )
    if arguments.out is None:  # stdout holds the scores
        print_rejected(result.rejected)
        print_warnings(result.warnings)
        return result.exit_code
    return print_result(result, as_json=arguments.json)


COMMAND = Command("score generations you already have; no model is asked", LOCAL, add_arguments, run)
