"""The commands that choose what to label and read what labels say: each returns the exit code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.commands import scoring_of, tell_problems
from curator.cli.console import load, print_json, progress_on_stderr

if TYPE_CHECKING:
    from curator.config import EmbeddingConfig
    from curator.encoders.sentence import Encoder


DEFAULT_OUT = Path("selection")


def select(arguments: argparse.Namespace) -> int:
    """`curator select`."""
    from curator.config import EmbeddingConfig
    from curator.workflows.selection import SelectOptions, select_file

    config = load(arguments.config) if arguments.config else None
    encoder = None if arguments.no_embedding else _encoder(config.embedding if config else EmbeddingConfig())
    with (
        scoring_of(arguments) as scoring,
        progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress,
    ):
        options = SelectOptions(
            scoring=scoring,
            seed=arguments.seed if arguments.seed is not None else config.seed if config else 0,
            encoder=encoder,
        ).of(config, strategy=arguments.strategy, random_share=arguments.random_share)
        found = select_file(
            arguments.pool, arguments.out, k=arguments.k, options=options, after=arguments.after,
            labels=arguments.labels, progress=progress,
        )  # fmt: skip
    tell_problems(found.problems)
    if arguments.json:
        print_json(found.as_json())
    else:
        print(found.as_text())
    return 0


def _encoder(config: EmbeddingConfig) -> Encoder | None:
    """The encoder, or None where its packages are not installed and nobody asked for it by name."""
    from curator.encoders.sentence import open_encoder
    from curator.errors import MissingDependency

    try:
        return open_encoder(config)
    except MissingDependency as missing:
        if config.model != "local":
            raise
        print(f"warning: no vectors: {missing.what}\n  -> {missing.remedy}", file=sys.stderr)
        return None


def estimate(arguments: argparse.Namespace) -> int:
    """`curator estimate`."""
    from curator.workflows import estimate as estimating

    with scoring_of(arguments) as scoring:
        if arguments.sample_of is not None:
            found = estimating.estimate_sample(
                arguments.labels,
                size=arguments.sample_of,
                confidence=arguments.confidence,
                half_width=arguments.half_width,
            )
        else:
            found = estimating.estimate(
                arguments.labels,
                selection=arguments.selection or Path(arguments.labels[-1]).parent,
                by=arguments.by,
                confidence=arguments.confidence,
                half_width=arguments.half_width,
                comparer=scoring.comparer,
            )
    tell_problems(found.problems)
    if arguments.json:
        print_json(found.as_json())
    else:
        print(found.as_text())
    return 0
