"""`curator distil`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result
from curator.cli.options import LOCAL, Command, add_results_arguments, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, and the size of the short set."""
    parser.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help="scores of several systems for the cases, as `curator compare` reads them; may be the eval set itself",
    )
    parser.add_argument("--k", type=positive, required=True, metavar="K", help="how many cases to keep")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write the chosen rows to (default: none)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random draws (default: 0)")
    add_results_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Choose a short eval set."""
    from curator.workflows.distil import distil_files

    result = distil_files(
        arguments.results,
        arguments.k,
        eval_set=arguments.eval,
        by=arguments.by,
        out=arguments.out,
        seed=arguments.seed,
    )
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "choose K cases of an eval set whose weighted score is close to the score of all of it",
    LOCAL, add_arguments, run,
)  # fmt: skip
