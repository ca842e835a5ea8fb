"""The `curator` command: arguments in, exit code out. The only place that prints.

Nothing heavier than argparse is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from curator import __version__
from curator.errors import ConfigError, CuratorError, UserError

if TYPE_CHECKING:
    from curator.config import Config
    from curator.progress import Progress
    from curator.records import JsonValue, Unreadable

DEFAULT_CONFIG = Path("curator.yaml")
INTERRUPTED = 130

EXIT_CODES = """\
exit codes:
  0    done
  1    the disk is full or may not be written; the same command goes on from there
  2    usage or config
  4    a limit of `budget:` was reached; the same command goes on from there
  5    an endpoint refuses for good; the same command goes on from there
  6    no readable log, or too much of it unreadable
  130  interrupted; the same command goes on from there
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with _sigterm_as_interrupt():
            code: int = arguments.command(arguments)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 -- keeps the interpreter's last flush quiet
        return 0
    except KeyboardInterrupt:
        _report(arguments, "interrupted", "every paid answer is stored; the same command goes on from there")
        return INTERRUPTED
    except CuratorError as error:
        what, remedy = (error.what, error.remedy) if isinstance(error, UserError) else (str(error), "")
        _report(arguments, what, remedy, error.exit_code)
        return error.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="curator",
        description="Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"curator {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = _command(commands, "run", _run, "run the whole job; an interrupted one goes on where it stopped")
    _job_arguments(run)
    run.add_argument(
        "--labels", nargs="+", action="extend", metavar="PATH", default=[], help="label files that came back"
    )
    run.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: runs/NAME of the config)")
    run.add_argument("--quiet", action="store_true", help="no progress")

    plan = _command(commands, "plan", _plan, "say what a run would ask and cost, without asking")
    _job_arguments(plan)

    score = _command(commands, "score", _score, "score generations you already have; no model is called")
    score.add_argument("recorded", type=Path, metavar="RECORDED.jsonl", help="one case with its generations a line")
    score.add_argument("--out", type=Path, metavar="SCORES.jsonl", help="where the scores go (default: stdout)")

    doctor = _command(commands, "doctor", _doctor, "check endpoints, models, hashes, disk and versions")
    doctor.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help=f"also check what it needs (default: {DEFAULT_CONFIG}, if there)",
    )

    init = _command(commands, "init", _init, "write a config, prompts and a sample log into a folder")
    init.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, call: object, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".",
        epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, for machines")
    parser.set_defaults(command=call)
    return parser


def _job_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    parser.add_argument(
        "--logs",
        nargs="+",
        action="extend",
        metavar="PATH",
        default=[],
        help="files, folders or globs, instead of the config's",
    )


def _run(arguments: argparse.Namespace) -> int:
    from curator.pipeline import run

    config = _load(arguments.config)
    with _progress(quiet=arguments.quiet or arguments.json) as progress:
        result = run(config, logs=arguments.logs, labels=arguments.labels, out=arguments.out, progress=progress)
    if arguments.json:
        _print_json(result.as_json())
    else:
        print(result.as_text())
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from curator.pipeline import plan

    with _progress(quiet=arguments.json) as progress:
        result = plan(_load(arguments.config), logs=arguments.logs, progress=progress)
    if arguments.json:
        _print_json(result.as_json())
    else:
        print(result.as_text())
    return 0


def _score(arguments: argparse.Namespace) -> int:
    from curator.scoring import score_file

    def tell(problem: Unreadable) -> None:
        print(f"{problem.source}: {problem.reason}\n  -> {problem.remedy}", file=sys.stderr)

    result = score_file(arguments.recorded, arguments.out, stdout=sys.stdout.buffer, on_problem=tell)
    if arguments.out is not None and arguments.json:
        _print_json(result.as_json())
    elif arguments.out is not None:
        print(result.as_text())
    return result.exit_code


def _doctor(arguments: argparse.Namespace) -> int:
    from curator.doctor import examine

    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    report = examine(_load(path) if path else None, environ=os.environ)
    if arguments.json:
        _print_json(report.as_json())
    else:
        print(report.as_text())
    return report.exit_code


def _init(arguments: argparse.Namespace) -> int:
    from curator.scaffold import scaffold

    written = scaffold(arguments.folder)
    if arguments.json:
        _print_json({"written": [str(path) for path in written]})
        return 0
    for path in written:
        print(f"wrote {path}")
    at = "" if arguments.folder == Path() else f"cd {arguments.folder} && "
    print(f"\nnext: {at}curator plan    what it would ask and cost\n      {at}curator run     do it")
    return 0


def _load(path: Path) -> Config:
    from curator.config import load_config

    if path == DEFAULT_CONFIG and not path.exists():
        raise ConfigError(
            f"no config was named, and there is no {str(DEFAULT_CONFIG)!r} here",
            remedy="name one (`curator run my.yaml`), or make one with `curator init`",
        )
    return load_config(path)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    from curator.progress import Bars, Lines, Silent

    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        with Bars(sys.stderr) as bars:
            yield bars
    else:
        yield Lines(sys.stderr)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM ends a run the way Ctrl-C does: what is in flight is stored first.

    A shell starts background jobs with SIGINT ignored; it is heard again, or SIGTERM would be ignored, too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(arguments: argparse.Namespace, what: str, remedy: str, code: int = INTERRUPTED) -> None:
    if arguments.json:
        _print_json({"error": what, "remedy": remedy, "exit_code": code})
        return
    print(f"curator: {what}", file=sys.stderr)
    if remedy:
        print(f"  -> {remedy}", file=sys.stderr)


def _print_json(value: JsonValue) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    sys.exit(main())
