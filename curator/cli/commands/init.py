"""`curator init`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from curator.cli.console import print_json
from curator.cli.options import Command
from curator.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder")


def run(arguments: argparse.Namespace) -> int:
    """Write the files of a first job."""
    from curator.workflows.init import scaffold

    written = scaffold(arguments.folder)
    if arguments.json:
        print_json({"written": [str(path) for path in written]})
        return ExitCode.DONE
    for path in written:
        print(f"wrote {path}")
    enter = "" if arguments.folder == Path() else f"cd {shlex.quote(str(arguments.folder))}\n      "
    print(f"\nnext: {enter}curator plan    what it would ask and cost\n      curator run     do it")
    return ExitCode.DONE


COMMAND = Command(
    "write a config, prompts and a sample log into a folder",
    (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE), add_arguments, run,
)  # fmt: skip
