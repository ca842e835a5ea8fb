"""`curator label`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from curator.cli.console import print_on_stderr, print_result
from curator.cli.options import LOCAL, Command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and whether its page is opened."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run or a selection")
    parser.add_argument("--no-open", action="store_true", help="only print the path (so does --json)")


def has_screen(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a browser can open a window.

    Elsewhere a text browser would be started, which runs no script.
    """
    return platform != "linux" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def run(arguments: argparse.Namespace) -> int:
    """Find or write the label page of a folder, and open it."""
    import webbrowser

    from curator.workflows.label_page import label_page

    page = label_page(arguments.run)
    code = print_result(page, as_json=arguments.json)
    if arguments.no_open or arguments.json:
        return code
    if not (has_screen(os.environ, sys.platform) and webbrowser.open(page.path.resolve().as_uri())):
        print_on_stderr("no browser could be opened here: open the file yourself; it may be copied to any computer")
    return code


COMMAND = Command("open the label page of a run, in which people judge its cases one by one", LOCAL, add_arguments, run)
