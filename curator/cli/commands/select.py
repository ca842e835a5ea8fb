"""`curator select`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.console import load, print_result, progress_on_stderr
from curator.cli.options import (
    LOCAL,
    Command,
    add_files,
    add_quiet,
    add_scoring_arguments,
    closed_share,
    count,
    scoring_from,
)

if TYPE_CHECKING:
    from curator.config import EmbeddingConfig
    from curator.encoders.sentence import Encoder

DEFAULT_OUT = Path("selection")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pool, the budget, and how it is spent."""
    from curator.records import STRATEGY_NAMES

    parser.add_argument(
        "pool",
        type=Path,
        metavar="POOL",
        help="recorded answers or scores (what `curator score` reads or writes), or a run folder",
    )
    parser.add_argument("--k", type=count, metavar="K", help="cases to select (default: `selection.k`, 100)")
    parser.add_argument("--out", type=Path, metavar="DIR", default=DEFAULT_OUT, help=f"default: {DEFAULT_OUT}")
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", help="a job to take `selection:` and `labelling:` from"
    )
    parser.add_argument("--strategy", choices=STRATEGY_NAMES, help="how discovery chooses (default: the config's)")
    parser.add_argument(
        "--random-share", type=closed_share, metavar="SHARE", help="the part of K that is drawn at random, 0 to 1"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="fixes the random part (default: the config's, 0)")
    parser.add_argument("--after", type=Path, metavar="DIR", help="an earlier selection of this pool, already labelled")
    add_files(parser, "--labels", help="the labels of that earlier selection (default: its label_queue.csv)")
    parser.add_argument(
        "--no-embedding", action="store_true", help="use no vectors; only near-duplicates are recognised"
    )
    add_scoring_arguments(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Select cases of a pool and write the selection."""
    from curator.config import EmbeddingConfig
    from curator.workflows.selection import SelectOptions, select

    config = load(arguments.config) if arguments.config else None
    encoder = None if arguments.no_embedding else _open_encoder(config.embedding if config else EmbeddingConfig())
    with (
        scoring_from(arguments) as scoring,
        progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress,
    ):
        options = SelectOptions(
            scoring=scoring,
            seed=arguments.seed if arguments.seed is not None else config.seed if config else 0,
            encoder=encoder,
        ).of(config, strategy=arguments.strategy, random_share=arguments.random_share)
        result = select(
            arguments.pool, arguments.out, k=arguments.k, options=options, after=arguments.after,
            labels=arguments.labels, progress=progress,
        )  # fmt: skip
    return print_result(result, as_json=arguments.json)


def _open_encoder(config: EmbeddingConfig) -> Encoder | None:
    """Open the encoder; None if the default one is not installed."""
    from curator.encoders.sentence import open_encoder
    from curator.errors import MissingDependency

    try:
        return open_encoder(config)
    except MissingDependency as missing:
        if config.model != "local":
            raise
        print(f"warning: no vectors: {missing.what}\n  -> {missing.remedy}", file=sys.stderr)
        return None


COMMAND = Command(
    "choose which cases of a pool to label: unstable ones, and a random sample for the failure rate",
    LOCAL, add_arguments, run,
)  # fmt: skip
