"""`curator loop` and `curator round`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import load, print_result, progress_on_stderr
from curator.cli.options import DEFAULT_CONFIG, RESUMABLE, Command, add_files, add_jobs, add_quiet, data_paths
from curator.errors import ConfigError

STATUS = "status"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config, the labels, and the simulation."""
    parser.add_argument(
        "config",
        nargs="*",
        metavar="CONFIG",
        help=f"default: {DEFAULT_CONFIG}; after the word `{STATUS}`, only say how far the loop is",
    )
    _add_common(parser)
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="end after so many rounds (default: when a rule says stop)"
    )
    parser.add_argument(
        "--simulate",
        nargs="*",
        metavar="FILE",
        help="labels for every case, which answer instead of people (without FILE: the trusted answers in the logs)",
    )
    parser.add_argument(
        "--control", action="store_true", help="with --simulate: run a random arm with as many labels beside it"
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_files(
        parser, "--logs", metavar="PATH", help="files, folders or globs to read instead of the config's, at first"
    )
    add_files(parser, "--labels", metavar="PATH", help="label files that came back, beside those in the round's folder")
    parser.add_argument(
        "--close", action="store_true", help="go on with the labels that are there, though some have not come back"
    )
    parser.add_argument(
        "--yes", action="store_true", help="train at any price below `loop.stop.max_usd`, without asking"
    )
    add_jobs(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Go on with a loop, or say how far it is."""
    words = list(arguments.config)
    if words[:1] == [STATUS]:
        from curator.workflows.loop import loop_status

        return print_result(loop_status(_only(words[1:])), as_json=arguments.json)
    arguments.config = _only(words)
    return _advance(arguments, rounds=arguments.rounds, simulate=arguments.simulate, control=arguments.control)


def _only(words: list[str]) -> Path:
    """Return the one config that was named, or the default."""
    if len(words) > 1:
        raise ConfigError(f"{len(words)} configs were named: {', '.join(words)}", remedy="name one")
    return Path(words[0]) if words else DEFAULT_CONFIG


def _advance(
    arguments: argparse.Namespace, *, rounds: int | None, simulate: list[str] | None = None, control: bool = False
) -> int:
    from curator.executors.local import cores
    from curator.workflows.loop import loop

    load(arguments.config)  # a missing or damaged config is said before anything else
    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = loop(
            arguments.config,
            rounds=rounds,
            logs=data_paths("--logs", arguments.logs),
            labels=data_paths("--labels", arguments.labels),
            close=arguments.close,
            agreed=arguments.yes,
            simulate=simulate,
            control=control,
            progress=progress,
            processes=arguments.jobs or cores(),
        )
    return print_result(result, as_json=arguments.json)


def add_round_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config and the labels."""
    parser.add_argument(
        "config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    _add_common(parser)


def run_round(arguments: argparse.Namespace) -> int:
    """Do one turn of a loop."""
    return _advance(arguments, rounds=1)


COMMAND = Command(
    "label, retrain and evaluate in rounds, until a rule says stop", RESUMABLE, add_arguments, run,
)  # fmt: skip
ROUND = Command(
    "do one turn of a loop: take the labels, retrain, evaluate, and choose what to label next", RESUMABLE,
    add_round_arguments, run_round,
)  # fmt: skip
