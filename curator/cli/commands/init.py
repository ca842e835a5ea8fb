"""`curator init`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from curator.cli.console import print_json, print_text, print_warnings
from curator.cli.options import Command, data_paths
from curator.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the logs."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    parser.add_argument(
        "--logs",
        nargs="+",
        default=[],
        metavar="PATH",
        help="write a config that reads these logs: with their format, or a mapping that fits, and their tasks",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the files of a first job."""
    from curator.workflows.init import scaffold

    written = scaffold(arguments.folder, logs=data_paths("--logs", arguments.logs))
    if written.found:
        print_warnings(written.found.warnings)
    if arguments.json:
        understood = {"found": written.found.to_dict()} if written.found else {}
        print_json({"written": [str(path) for path in written.files], **understood})
        return ExitCode.DONE
    if written.found:
        print_text(f"{written.found.account_text()}\n")
    for path in written.files:
        print(f"wrote {path}")
    enter = "" if arguments.folder == Path() else f"cd {shlex.quote(str(arguments.folder))}\n      "
    print(f"\nnext: {enter}curator plan    what it would ask and cost\n      curator run     do it")
    return ExitCode.DONE


COMMAND = Command(
    "write a config, prompts and a sample log into a folder, or a config for your logs",
    (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.UNREADABLE), add_arguments, run,
)  # fmt: skip
