"""The commands on results of several systems: `compare` and `distil`."""

from __future__ import annotations

import argparse
import sys

from curator.cli.commands import tell_problems
from curator.cli.console import print_json, show


def compare(arguments: argparse.Namespace) -> int:
    """`curator compare`."""
    from curator.workflows.compare import GATE_FAILED, CompareOptions, compare_files

    options = CompareOptions(
        baseline=arguments.fail_if_worse or arguments.baseline,
        confidence=arguments.confidence,
        power=arguments.power,
        detect=arguments.detect,
    )
    found = compare_files(arguments.results, eval_set=arguments.eval, by=arguments.by, options=options)
    tell_problems(found.problems)
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if arguments.json:
        print_json(found.as_json())
    else:
        show(found.as_text())
    if arguments.fail_if_worse and (worse := found.worse_than_baseline()):
        print(f"curator: worse than {arguments.fail_if_worse!r}: {', '.join(worse)}", file=sys.stderr)
        return GATE_FAILED
    return found.exit_code


def distil(arguments: argparse.Namespace) -> int:
    """`curator distil`."""
    from curator.workflows.distill import distil_files

    made = distil_files(
        arguments.results,
        arguments.k,
        eval_set=arguments.eval,
        by=arguments.by,
        out=arguments.out,
        seed=arguments.seed,
    )
    tell_problems(made.problems)
    for warning in made.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if arguments.json:
        print_json(made.as_json())
    else:
        print(made.as_text())
    return made.exit_code
