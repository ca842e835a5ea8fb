"""`curator redact`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from curator.cli.console import load, print_result
from curator.cli.options import DEFAULT_CONFIG, Command
from curator.errors import ConfigError, ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, the config, and the direction."""
    parser.add_argument("file", metavar="FILE", help="a text, JSON or JSONL file; - for standard input")
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    parser.add_argument("--restore", action="store_true", help="turn pseudonyms back into personal data")


def run(arguments: argparse.Namespace) -> int:
    """Print the file redacted, or turned back."""
    from curator.workflows.redact import redact, restore

    config = load(arguments.config)
    text = _read(arguments.file)
    result = restore(text, config) if arguments.restore else redact(text, config)
    return print_result(result, as_json=arguments.json)


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file!r}: cannot be read ({error.strerror or error})", remedy="name a text file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file!r}: not UTF-8", remedy="name a text file in UTF-8") from error


COMMAND = Command(
    "print a file without secrets and personal data, or turn its pseudonyms back",
    (ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.INTERRUPTED),
    add_arguments,
    run,
)
