"""`curator estimate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result
from curator.cli.options import LOCAL, Command, add_files, add_scoring_arguments, positive, scoring_from, share


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the labels, how their cases were drawn, and what to break down by."""
    parser.add_argument(
        "labels",
        nargs="+",
        metavar="LABELS",
        help="the filled-in label queue, or JSONL or CSV rows of `id` with `wrong`, `verdict` or `label`",
    )
    parser.add_argument(
        "--selection", type=Path, metavar="DIR", help="the selection or run folder (default: the folder of LABELS)"
    )
    parser.add_argument(
        "--sample-of",
        type=positive,
        metavar="N",
        help="without a selection: LABELS is a simple random sample of N cases, with `wrong` or `verdict`",
    )
    add_files(
        parser,
        "--by",
        metavar="FIELD",
        help="break down by these: task, kind, category, a field of the metadata (default: all)",
    )
    parser.add_argument(
        "--any-time",
        action="store_true",
        help="also give an interval that may be looked at after every label (a confidence sequence); it is wider",
    )
    parser.add_argument("--confidence", type=share, metavar="P", default=0.95, help="of the intervals (default: 0.95)")
    parser.add_argument(
        "--half-width", type=share, metavar="W", help="also estimate how many more labels an interval of ±W takes"
    )
    add_scoring_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Estimate the failure rate from labels."""
    from curator.workflows.estimate import estimate

    with scoring_from(arguments) as scoring:
        result = estimate(
            arguments.labels,
            selection=arguments.selection,
            population=arguments.sample_of,
            by=arguments.by,
            confidence=arguments.confidence,
            half_width=arguments.half_width,
            any_time=arguments.any_time,
            comparer=scoring.comparer,
        )
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "estimate how often production fails, with an interval, from the labels of a selection",
    LOCAL, add_arguments, run,
)  # fmt: skip
