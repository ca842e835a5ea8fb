"""The commands but `cache`: each takes its arguments, prints what came of it and returns the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.console import DEFAULT_CONFIG, asking, load, print_json, progress_on_stderr, show

if TYPE_CHECKING:
    from curator.config import Config
    from curator.records import RejectedRecord
    from curator.workflows.score import Scoring


RUNS = Path("runs")
MOST_PROBLEMS = 10


def run(arguments: argparse.Namespace) -> int:
    """`curator run`."""
    from curator.workflows import run as pipeline

    config = _limited(load(arguments.config), arguments.max_usd)
    agreed = arguments.yes or arguments.max_usd is not None
    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = pipeline.run(
            config,
            logs=arguments.logs,
            labels=arguments.labels,
            out=arguments.out,
            progress=progress,
            confirm=None if agreed else asking(progress, as_json=arguments.json),
        )
    if arguments.json:
        print_json(result.as_json())
    else:
        print(result.as_text())
    return 0


def _limited(config: Config, max_usd: float | None) -> Config:
    """The config with another limit on the dollars, if there is one."""
    if max_usd is None:
        return config
    return config.model_copy(update={"budget": config.budget.model_copy(update={"max_usd": max_usd})})


def plan(arguments: argparse.Namespace) -> int:
    """`curator plan`."""
    from curator.workflows import plan as planning

    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = planning.plan(load(arguments.config), logs=arguments.logs, progress=progress)
    if arguments.json:
        print_json(result.as_json())
    else:
        print(result.as_text())
    return 0


def status(arguments: argparse.Namespace) -> int:
    """`curator status`."""
    from curator.run_folder.status import newest_run, read_status

    folder = arguments.run
    if folder is None:
        folder = RUNS / load(DEFAULT_CONFIG).name if DEFAULT_CONFIG.exists() else newest_run(RUNS)
    found = read_status(folder)
    if arguments.json:
        print_json(found.as_json())
    else:
        print(found.as_text())
    return 0


def score(arguments: argparse.Namespace) -> int:
    """`curator score`."""
    from curator.disagreement.estimators import require_estimators
    from curator.disagreement.recorded import default_scorer
    from curator.records.recorded import group_of
    from curator.run_folder.calibration import read_calibration
    from curator.workflows.score import score_file

    fitted = read_calibration(arguments.calibration) if arguments.calibration else None
    estimators = require_estimators(arguments.estimator, where="--estimator")
    with scoring_of(arguments) as scoring:
        formula = fitted.formula if fitted else scoring.formula
        result = score_file(
            arguments.recorded,
            arguments.out,
            stdout=sys.stdout.buffer,
            on_problem=_tell,
            scoring=replace(scoring, processes=arguments.jobs, formula=formula, estimators=estimators),
        )
        if fitted:
            groups = {group_of(h.model, h.variant) for h in result.health} or None
            result = replace(result, notes=fitted.warnings(scorer=default_scorer(scoring.comparer), groups=groups))
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if arguments.out is not None and arguments.json:
        print_json(result.as_json())
    elif arguments.out is not None:
        print(result.as_text())
    return result.exit_code


def calibrate(arguments: argparse.Namespace) -> int:
    """`curator calibrate`."""
    from curator.workflows.calibrate import calibrate_file

    with scoring_of(arguments) as scoring:
        result = calibrate_file(arguments.recorded, arguments.labels, out=arguments.out, scoring=scoring)
    tell_problems(result.problems)
    if arguments.json:
        print_json(result.as_json())
    else:
        print(result.as_text())
    return result.exit_code


def leaks(arguments: argparse.Namespace) -> int:
    """`curator leaks`."""
    from curator.workflows.leaks import leaks as check

    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = check(
            arguments.train,
            arguments.held_out,
            train_key=arguments.train_key,
            eval_key=arguments.eval_key,
            embedding=not arguments.no_embedding,
            paraphrase_similarity=arguments.similarity,
            out=arguments.out,
            clean=arguments.clean,
            progress=progress,
        )
    tell_problems(result.unreadable)
    if arguments.json:
        print_json(result.as_json())
    else:
        show(result.as_text())
    return result.exit_code


@contextmanager
def scoring_of(arguments: argparse.Namespace) -> Iterator[Scoring]:
    """How records are scored, by a command's arguments."""
    from curator.config import EmbeddingConfig, parse_equivalence
    from curator.stages.equivalence import open_comparer
    from curator.state.paths import DEFAULT_VECTORS
    from curator.workflows.score import Scoring

    wanted = parse_equivalence({"method": arguments.equivalence, "nli_model": arguments.nli_model})
    with open_comparer(wanted, EmbeddingConfig(), cache=DEFAULT_VECTORS) as comparer:
        yield Scoring(comparer, equal_members=arguments.equal_members)


def tell_problems(problems: Sequence[RejectedRecord]) -> None:
    """The first of the lines that cannot be used, on stderr, and how many more there are."""
    for problem in problems[:MOST_PROBLEMS]:
        _tell(problem)
    if len(problems) > MOST_PROBLEMS:
        print(f"{len(problems) - MOST_PROBLEMS:,} more such lines, which --json lists", file=sys.stderr)


def _tell(problem: RejectedRecord) -> None:
    print(f"{problem.source}: {problem.reason}\n  -> {problem.remedy}", file=sys.stderr)


def doctor(arguments: argparse.Namespace) -> int:
    """`curator doctor`."""
    from curator.workflows.doctor import examine

    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    report = examine(load(path) if path else None, environ=os.environ)
    if arguments.json:
        print_json(report.as_json())
    else:
        print(report.as_text())
    return report.exit_code


def init(arguments: argparse.Namespace) -> int:
    """`curator init`."""
    from curator.workflows.init import scaffold

    written = scaffold(arguments.folder)
    if arguments.json:
        print_json({"written": [str(path) for path in written]})
        return 0
    for path in written:
        print(f"wrote {path}")
    at = "" if arguments.folder == Path() else f"cd {arguments.folder} && "
    print(f"\nnext: {at}curator plan    what it would ask and cost\n      {at}curator run     do it")
    return 0
