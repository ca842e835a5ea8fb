"""`curator cache` with its commands: the store of paid-for answers."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from curator.cli.console import load, print_json, print_result
from curator.cli.options import DEFAULT_CONFIG, Command, add_files, days
from curator.errors import ExitCode
from curator.text.display import plural

EXIT_CODES = (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.INTERRUPTED)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the store, by its path or by a config."""
    parser.add_argument("--store", type=Path, metavar="PATH", help="the store (default: the config's)")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="CONFIG",
        help=f"the config that names the store (default: {DEFAULT_CONFIG}, if there)",
    )


def store_path(arguments: argparse.Namespace) -> Path:
    """Return the path of the store: the one named, else the config's, else the default one."""
    from curator.state.paths import DEFAULT_STORE, StatePaths

    named: Path | None = arguments.store
    if named is not None:
        return named
    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return StatePaths.of(load(path)).store if path else DEFAULT_STORE


def list_models(arguments: argparse.Namespace) -> int:
    """Print the stored answers by model."""
    from curator.state.maintenance import contents

    return print_result(contents(store_path(arguments)), as_json=arguments.json)


def add_prune_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the store, and which of its answers to delete."""
    add_store(parser)
    parser.add_argument("--model", metavar="NAME", help="only those of this model, as `cache list` names it")
    parser.add_argument("--older-than", type=days, metavar="DAYS", help="only those older than this many days")
    add_files(parser, "--key", metavar="HEX", help="only those with these keys")
    parser.add_argument("--dry-run", action="store_true", help="print what would be deleted, and delete nothing")


def prune(arguments: argparse.Namespace) -> int:
    """Delete stored answers."""
    from curator.state.maintenance import AnswerFilter
    from curator.state.maintenance import prune as prune_store

    wanted = AnswerFilter.of(
        model=arguments.model, older_than_days=arguments.older_than, keys=arguments.key, now=time.time()
    )
    return print_result(
        prune_store(store_path(arguments), wanted, dry_run=arguments.dry_run), as_json=arguments.json
    )  # fmt: skip


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the store, and where its answers go."""
    add_store(parser)
    parser.add_argument("--out", type=Path, metavar="ANSWERS.jsonl", help="the file to write to (default: stdout)")


def export(arguments: argparse.Namespace) -> int:
    """Write the stored answers; without `--out` print them, with or without `--json`."""
    from curator.io.atomic import write_atomic
    from curator.state.verify import export as export_store

    path, written = store_path(arguments), 0

    def lines() -> Iterator[bytes]:
        nonlocal written
        for line in export_store(path):
            written += 1
            yield line

    if arguments.out is None:
        sys.stdout.buffer.writelines(lines())
        return ExitCode.DONE
    write_atomic(arguments.out, lines())
    if arguments.json:
        print_json({"answers": written, "file": str(arguments.out)})
    else:
        print(f"{arguments.out}  {plural(written, 'answer')}")
    return ExitCode.DONE


def verify(arguments: argparse.Namespace) -> int:
    """Check the store."""
    from curator.state.verify import verify as verify_store

    return print_result(verify_store(store_path(arguments)), as_json=arguments.json)


COMMAND = Command(
    "look after the store of paid-for answers",
    EXIT_CODES,
    subcommands={
        "list": Command("list what is stored of each model, and what it cost", EXIT_CODES, add_store, list_models),
        "prune": Command(
            "delete stored answers; asked for again, they cost again", EXIT_CODES, add_prune_arguments, prune
        ),
        "export": Command("write every stored answer as a line of JSON", EXIT_CODES, add_export_arguments, export),
        "verify": Command(
            "check the file and every answer in it; exit code 1 if one is bad", EXIT_CODES, add_store, verify
        ),
    },
)
