"""`curator cache`: what is stored, and looking after it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from curator.cli.console import DEFAULT_CONFIG, load, print_json


def list_models(arguments: argparse.Namespace) -> int:
    """`curator cache list`."""
    from curator.state.maintenance import contents

    found = contents(_store(arguments))
    if arguments.json:
        print_json(found.as_json())
    else:
        print(found.as_text())
    return 0


def prune(arguments: argparse.Namespace) -> int:
    """`curator cache prune`."""
    from curator.state.maintenance import Wanted, prune

    wanted = Wanted.of(model=arguments.model, older_than_days=arguments.older_than, keys=arguments.key, now=time.time())
    done = prune(_store(arguments), wanted, dry_run=arguments.dry_run)
    if arguments.json:
        print_json(done.as_json())
    else:
        print(done.as_text())
    return 0


def export(arguments: argparse.Namespace) -> int:
    """`curator cache export`. Without `--out` the answers themselves are printed, with `--json` or without."""
    from curator.io.atomic import write_atomic
    from curator.state.verify import export

    path, written = _store(arguments), 0

    def lines() -> Iterator[bytes]:
        nonlocal written
        for line in export(path):
            written += 1
            yield line

    if arguments.out is None:
        sys.stdout.buffer.writelines(lines())
        return 0
    write_atomic(arguments.out, lines())
    if arguments.json:
        print_json({"answers": written, "file": str(arguments.out)})
    else:
        print(f"{arguments.out}  {written:,} answers")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """`curator cache verify`."""
    from curator.state.verify import verify

    found = verify(_store(arguments))
    if arguments.json:
        print_json(found.as_json())
    else:
        print(found.as_text())
    return found.exit_code


def _store(arguments: argparse.Namespace) -> Path:
    """The store that is meant: the one named, else the config's, else the default one."""
    from curator.state.paths import DEFAULT_STORE, StatePaths

    named: Path | None = arguments.store
    if named is not None:
        return named
    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return StatePaths.of(load(path)).store if path else DEFAULT_STORE
