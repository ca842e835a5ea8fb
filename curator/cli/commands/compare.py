"""`curator compare`."""

from __future__ import annotations

import argparse

from curator.cli.console import print_on_stderr, print_result, print_warnings
from curator.cli.options import GATE, Command, add_results_arguments, share
from curator.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, what to compare, and how sure to be."""
    parser.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help="JSONL or CSV rows of `id` with `score` (0..1), `passed` or `wrong`, one file a system or one for all"
        " (with `system`, `model` or `prompt`), or with a column for each system",
    )
    against = parser.add_mutually_exclusive_group()
    against.add_argument("--baseline", metavar="SYSTEM", help="compare the others with this one (default: all pairs)")
    against.add_argument(
        "--fail-if-worse", metavar="SYSTEM", help="as --baseline, and exit with 3 if one is significantly worse"
    )
    parser.add_argument(
        "--missing",
        choices=["fail", "ignore"],
        default="fail",
        help="a case of the baseline without an answer of the other system: `fail` counts it as a failure of that system,"
        " `ignore` leaves it out (default: fail)",
    )
    parser.add_argument("--confidence", type=share, default=0.95, metavar="SHARE", help="default: 0.95")
    parser.add_argument(
        "--power", type=share, default=0.8, metavar="SHARE", help="the power to plan more labels for (default: 0.8)"
    )
    parser.add_argument(
        "--detect",
        type=share,
        metavar="DIFFERENCE",
        help="the difference to plan more labels for (default: the one measured)",
    )
    parser.add_argument(
        "--relabel",
        metavar="FILE",
        help="write a label queue of the labels in doubt, as CSV, XLSX, JSONL or another label tool's file by its ending;"
        " needs --eval",
    )
    add_results_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare systems by their results."""
    from curator.workflows.compare import CompareOptions, compare_files
    from curator.workflows.doubtful_labels import relabel_queue

    options = CompareOptions(
        baseline=arguments.fail_if_worse or arguments.baseline,
        confidence=arguments.confidence,
        power=arguments.power,
        detect=arguments.detect,
        missing=arguments.missing,
    )
    result = compare_files(arguments.results, eval_set=arguments.eval, by=arguments.by, options=options)
    code = print_result(result, as_json=arguments.json)
    if arguments.relabel:
        queue = relabel_queue(result.doubts, arguments.eval, arguments.relabel)
        print_warnings(queue.warnings)
        print_on_stderr(queue.to_text())
    if arguments.fail_if_worse and (worse := result.worse_than_baseline()):
        print_on_stderr(f"curator: worse than {arguments.fail_if_worse!r}: {', '.join(worse)}")
        return ExitCode.GATE_FAILED
    return code


COMMAND = Command(
    "test which of several prompts or models is better on one eval set, and how sure that is",
    GATE, add_arguments, run,
)  # fmt: skip
