"""`curator leaks`."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result, progress_on_stderr
from curator.cli.options import GATE, Command, add_quiet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add both files, how they are read, and what is written."""
    parser.add_argument("train", type=Path, metavar="TRAIN", help="the training data: JSONL or CSV, of any shape")
    parser.add_argument(
        "held_out",
        type=Path,
        metavar="EVAL",
        help="the held-out questions: an eval set, JSONL or CSV, or the registry of held-out cases (held_out.sqlite)",
    )
    parser.add_argument(
        "--train-key", metavar="KEY", help="the key or column of the question in TRAIN (default: detected)"
    )
    parser.add_argument(
        "--eval-key", metavar="KEY", help="the key or column of the question in EVAL (default: detected)"
    )
    parser.add_argument(
        "--no-embedding", action="store_true", help="do not look for paraphrases, which takes a model and time"
    )
    parser.add_argument(
        "--similarity",
        type=float,
        metavar="COSINE",
        help="the cosine from which two questions without numbers or names are paraphrases"
        " (default: that of `held_out.paraphrase_similarity`)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write every leak with its evidence, as JSONL")
    parser.add_argument(
        "--clean", type=Path, metavar="FILE", help="write TRAIN without the leaking rows, the others byte for byte"
    )
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Find the leaks of a training file."""
    from curator.workflows.leaks import find_leaks

    with progress_on_stderr(quiet=arguments.quiet, as_json=arguments.json) as progress:
        result = find_leaks(
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
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "find training rows that ask a held-out question; exit code 3 if there are any", GATE, add_arguments, run
)  # fmt: skip
