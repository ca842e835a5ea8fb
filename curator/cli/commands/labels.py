"""`curator labels` with its commands: the label queue out to label tools, the labels back."""

from __future__ import annotations

import argparse
from pathlib import Path

from curator.cli.console import print_result
from curator.cli.options import LOCAL, Command
from curator.errors import ExitCode

NETWORK = (
    ExitCode.DONE, ExitCode.STORAGE, ExitCode.USAGE, ExitCode.PROVIDER_REFUSED, ExitCode.UNREADABLE, ExitCode.INTERRUPTED,
)  # fmt: skip
"""The codes of a command that speaks to a label server."""
_SERVERS = "label-studio, argilla, langfuse, langsmith, or that of a package"


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run or selection folder")


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the label tool and the file."""
    _add_run(parser)
    parser.add_argument(
        "--to",
        required=True,
        metavar="TOOL",
        help="the label tool: csv, xlsx, jsonl, label-studio, prodigy, or that of a package",
    )
    parser.add_argument("--out", metavar="FILE", help="the file or folder to write to (default: the folder RUN)")
    _add_disputed(parser)


def export(arguments: argparse.Namespace) -> int:
    """Write the label queue for a label tool."""
    from curator.workflows.label_exchange import export_labels

    out = arguments.out or f"{arguments.run}/"
    return print_result(
        export_labels(arguments.run, arguments.to, out, disputed=arguments.disputed), as_json=arguments.json
    )


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files, their label tool, and the folder that gets them."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files of labels that came back")
    parser.add_argument(
        "--from", dest="tool", metavar="TOOL", help="the label tool of all files (default: by the ends of their names)"
    )
    parser.add_argument("--run", type=Path, metavar="RUN", help="the run folder that keeps the labels, in `labels/`")


def import_(arguments: argparse.Namespace) -> int:
    """Read labels that came back, and put them into a run folder."""
    from curator.workflows.label_exchange import import_labels

    result = import_labels(arguments.files, arguments.tool, run=arguments.run)
    return print_result(result, as_json=arguments.json)


def _add_disputed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--disputed",
        action="store_true",
        help="only the cases that people disagree on, for the person who decides them",
    )


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    _add_disputed(parser)
    parser.add_argument("--project", metavar="NAME", help="the name of the job there (default: that of the folder)")
    parser.add_argument("--url", metavar="URL", help="the address of the server (default: of its environment variable)")


def add_push_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the label server."""
    _add_run(parser)
    parser.add_argument("--to", required=True, metavar="SERVER", help=f"the label server: {_SERVERS}")
    _add_server_options(parser)


def push(arguments: argparse.Namespace) -> int:
    """Push the label queue to a label server."""
    from curator.workflows.label_sync import push_labels

    result = push_labels(
        arguments.run, arguments.to, project=arguments.project, url=arguments.url, disputed=arguments.disputed
    )
    return print_result(result, as_json=arguments.json)


def add_pull_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the label server."""
    _add_run(parser)
    parser.add_argument(
        "--from",
        dest="server",
        required=True,
        metavar="SERVER",
        help=f"the label server: {_SERVERS}",
    )
    _add_server_options(parser)


def pull(arguments: argparse.Namespace) -> int:
    """Pull the labels from a label server."""
    from curator.workflows.label_sync import pull_labels

    result = pull_labels(
        arguments.run, arguments.server, project=arguments.project, url=arguments.url, disputed=arguments.disputed
    )
    return print_result(result, as_json=arguments.json)


COMMAND = Command(
    "send the label queue to the tools that people label in, and fetch the labels",
    LOCAL,
    subcommands={
        "export": Command("write the label queue as the file of a label tool", LOCAL, add_export_arguments, export),
        "import": Command("read the labels in files that came back", LOCAL, add_import_arguments, import_),
        "push": Command(
            "put the label queue on a label server, without doubling a case", NETWORK, add_push_arguments, push
        ),
        "pull": Command("fetch the labels of a label server into the run folder", NETWORK, add_pull_arguments, pull),
    },
)
