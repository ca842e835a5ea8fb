"""Fill in the generated parts of the pages in `docs/`: `python docs/generate.py`.

A page marks such a part with two comments; the text between them is written by this script, and a test compares the two:

    <!-- generate: help curator score -->
    <!-- end -->

`BLOCKS` lists the words that may follow `generate:`. `output` runs a command in a folder that holds `examples/`; the commands
of one page run one after the other, as in one shell: a `cd` counts for those after it. A page with a
`model` block needs the local model and minutes: it is left as it is without `--with-model`.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import curator
from curator import cli
from curator.cli import COMMANDS
from curator.committee.providers import PROVIDERS
from curator.config import Config
from curator.disagreement.estimators import ESTIMATORS
from curator.errors import ExitCode
from curator.exporters import EXPORTERS
from curator.labels import LABEL_SERVERS, LABEL_TOOLS
from curator.plugins import Registry
from curator.readers import READERS, Content
from curator.run_folder import layout
from curator.selection.strategies import STRATEGIES
from curator.trainers import TRAINERS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
COLUMNS = "80"
CONTENT = "content; of a `.jsonl` file: of one line"
BLOCK = re.compile(r"(<!-- generate: (\S+)(?: ([^\n]*?))? -->\n).*?(<!-- end -->)", re.DOTALL)
_LIMIT = re.compile(r"\[(\d+)\] ")

E = TypeVar("E")
Block = Callable[[str, Path], str]
"""Makes the text of a block from the words after its name and the folder in which commands run."""


def pages() -> list[Path]:
    """Every page that has a generated part."""
    return [page for page in sorted(DOCS.rglob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def needs_model(page: Path) -> bool:
    """Say if a command of the page asks the local model."""
    return any(block[2] == "model" for block in BLOCK.finditer(page.read_text(encoding="utf-8")))


def filled(page: Path) -> str:
    """Return the text of a page with its generated parts written anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "examples", folder / "examples")

        def fill(block: re.Match[str]) -> str:
            text = BLOCKS[block[2]](block[3] or "", folder).strip("\n")
            return f"{block[1]}\n{text}\n\n{block[4]}" if text else f"{block[1]}{block[4]}"

        return BLOCK.sub(fill, page.read_text(encoding="utf-8"))


def configuration(_: str, __: Path) -> str:
    """Every key of the config, a table a section."""
    return "".join(_section("", Config))


def exit_codes(_: str, __: Path) -> str:
    """The table of exit codes."""
    return table(("code", "meaning"), ((code.value, code.meaning) for code in ExitCode))


def run_files(_: str, __: Path) -> str:
    """The table of the files that a run or a selection writes for itself."""
    return table(("file", CONTENT), ((f"`{file.name}`", file.description) for file in layout.FILES))


def _entries(registry: Registry[E], words: str) -> Mapping[str, E]:
    """The entries to list: the built-in ones, so that a page is the same everywhere; with `installed`, those of packages too."""
    return registry if words == "installed" else registry.built_in


def exporters_table(words: str, _: Path) -> str:
    """The table of the formats that an eval set or training data can be written in."""
    entries = _entries(EXPORTERS, words)
    rows = ((f"`{name}`", f"`{entry.file_name}`", entry.description) for name, entry in entries.items())
    return table(("exporter", "file", CONTENT), rows)


def readers_table(words: str, _: Path) -> str:
    """The table of the log formats."""
    rows = ((f"`{name}`", entry.description) for name, entry in _entries(READERS, words).items())
    return table(("`logs.format`", "format"), rows)


def formats_table(words: str, _: Path) -> str:
    """The table of the parts of an exchange that each log format gives."""
    parts = get_args(Content)
    rows = (
        (f"`{name}`", *("yes" if part in entry.understands else "no" for part in parts))
        for name, entry in _entries(READERS, words).items()
    )
    return table(("`logs.format`", *parts), rows)


def label_tools_table(words: str, _: Path) -> str:
    """The table of the label tools."""
    entries = _entries(LABEL_TOOLS, words)
    rows = ((f"`{name}`", f"`{entry.queue_name}`", entry.description) for name, entry in entries.items())
    return table(("label tool", "file", CONTENT), rows)


def label_servers_table(words: str, _: Path) -> str:
    """The table of the label servers."""
    entries = _entries(LABEL_SERVERS, words)
    rows = (
        (
            f"`{name}`",
            entry.description,
            f"`{entry.address}`, {', '.join(f'`{key}`' for key in entry.keys)}",
            f"`{entry.extra}`",
        )
        for name, entry in entries.items()
    )
    return table(("label server", "content", "environment", "extra"), rows)


def trainers_table(words: str, _: Path) -> str:
    """The table of the trainers of a loop."""
    rows = ((f"`{name}`", entry.description) for name, entry in _entries(TRAINERS, words).items())
    return table(("`loop.trainer.name`", "model"), rows)


def providers_table(_: str, __: Path) -> str:
    """The table of the ways to reach models."""
    rows = ((f"`{name}`", entry.description, entry.needs) for name, entry in PROVIDERS.built_in.items())
    return table(("`provider`", "models", "needs"), rows)


def strategies_table(_: str, __: Path) -> str:
    """The table of the ways to choose the discovery picks."""
    rows = (
        (f"`{name}`", entry.meaning, "yes" if entry.needs_vectors else "")
        for name, entry in STRATEGIES.built_in.items()
    )
    return table(("`selection.strategy`", "picks", "needs vectors"), rows)


def estimators_table(_: str, __: Path) -> str:
    """The table of estimators; those that differ only in the comparison of texts share a row."""
    rows: dict[tuple[str, str, str], tuple[list[str], dict[str, None]]] = {}
    for name, entry in ESTIMATORS.built_in.items():
        low, high = ("" if end is None else f"{end:g}" for end in (entry.lowest, entry.highest))
        names, needs = rows.setdefault((entry.meaning, f"{low} .. {high}", entry.source), ([], {}))
        names.append(f"`{name}`")
        needs[", ".join(entry.needs)] = None
    return table(
        ("name", "value", "needs", "range", "source"),
        (
            (", ".join(names), meaning, " or ".join(needs), bounds, source)
            for (meaning, bounds, source), (names, needs) in rows.items()
        ),
    )


def command_table(_: str, __: Path) -> str:
    """The table of commands, each with a link to its page."""
    rows = ((f"[`curator {name}`](commands/{name}.md)", entry.summary) for name, entry in COMMANDS.items())
    return table(("command", "purpose"), rows)


def public_functions(_: str, __: Path) -> str:
    """The table of the public functions, each with the first line of its documentation."""
    rows = ((f"`curator.{name}`", summary(value)) for name, value in public_names() if inspect.isfunction(value))
    return table(("function", "purpose"), rows)


def public_types(_: str, __: Path) -> str:
    """The table of the public types, each with the first line of its documentation."""
    rows = ((f"`curator.{name}`", summary(value)) for name, value in public_names() if inspect.isclass(value))
    return table(("type", "content"), rows)


def public_names() -> Iterator[tuple[str, object]]:
    """Every public name of the package with its value."""
    return ((name, getattr(curator, name)) for name in sorted(curator.__all__, key=str.lower))


def summary(value: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def command_names(command: argparse.ArgumentParser) -> Iterator[str]:
    """The names of a command and of all that are below it, in the order of its help."""
    yield command.prog
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from command_names(inner)


def help_text(command: str, _: Path) -> str:
    """The help of a command; the meaning of its exit codes stands once, in `cli.md`."""
    text = io.StringIO()
    words = command.split()[1:]
    with _columns(), contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        cli.main([*words, "--help"])
    entry = COMMANDS[words[0]]
    for word in words[1:]:
        entry = entry.subcommands[word]
    usage = f"```text\n{text.getvalue().partition('exit codes:')[0].rstrip()}\n```"
    if entry.subcommands:
        return usage
    return f"{usage}\n\n[Exit codes](../cli.md#exit-codes): {', '.join(str(int(code)) for code in entry.exit_codes)}."


def code(words: str, _: Path) -> str:
    """A file of the repository, quoted; the words are its language and its path."""
    language, path = words.split()
    return f"```{language}\n{(ROOT / path).read_text(encoding='utf-8').rstrip()}\n```"


def setup(command: str, folder: Path) -> str:
    """Run a command that later ones of the page need, and show nothing."""
    _run(command, folder)
    return ""


def output(command: str, folder: Path) -> str:
    """A command with the lines that it prints; `[12]` before the command keeps the first twelve."""
    limit = _LIMIT.match(command)
    command = command[limit.end() :] if limit else command
    done = _run(command, folder)
    lines = done.stdout.rstrip().splitlines()
    if limit and len(lines) > int(limit[1]):
        lines = [*lines[: int(limit[1])], "..."]
    code = [f"$ echo $?\n{done.returncode}"] if done.returncode else []
    language = "text" if any(line.startswith("$") for line in lines) else "console"  # `console` reads "$0" as a prompt
    return "\n".join([f"```{language}", f"$ {command}", *lines, *code, "```"])


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line of the shell where the line before it ended, first in `folder`; `curator` is this checkout's."""
    environment = os.environ | {"COLUMNS": COLUMNS, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    place = folder / ".folder"
    current = place.read_text(encoding="utf-8").strip() if place.exists() else folder
    line = f'curator() {{ {shlex.quote(sys.executable)} -m curator.cli "$@"; }}; {command}\n'
    line += f"status=$?; pwd > {shlex.quote(str(place))}; exit $status"
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=current, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode and not done.stdout:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stderr}")
    return done


BLOCKS: dict[str, Block] = {
    "code": code,
    "commands": command_table,
    "configuration": configuration,
    "estimators": estimators_table,
    "exit-codes": exit_codes,
    "files": run_files,
    "exporters": exporters_table,
    "label-servers": label_servers_table,
    "label-tools": label_tools_table,
    "formats": formats_table,
    "readers": readers_table,
    "providers": providers_table,
    "strategies": strategies_table,
    "help": help_text,
    "model": output,
    "output": output,
    "public-functions": public_functions,
    "public-types": public_types,
    "setup": setup,
    "trainers": trainers_table,
}


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    title = f"`{path}`" if path else "Top level"
    yield f"\n## {title}\n\n{(model.__doc__ or '').strip()}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner:
            many = "[]" if get_origin(field.annotation) in (tuple, Annotated) else ""
            many = ".<name>" if get_origin(field.annotation) is dict else many
            nested.append((f"{path}.{name}{many}".lstrip("."), inner))
        text = (field.description or "").replace("|", "\\|").replace("\n", " ")
        yield f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {text} |\n"
    for inner_path, inner in nested:
        yield from _section(inner_path, inner)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _type(annotation: object) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if _model_in(annotation):
        return {tuple: "list of sections", dict: "section per name"}.get(origin, "section")  # type: ignore[arg-type]
    if origin is Literal:
        return " \\| ".join(f"`{part}`" for part in parts)
    if origin is Annotated:
        return _type(parts[0])
    if origin in (Union, UnionType):
        return " \\| ".join(_type(part) for part in parts if part is not type(None)) + " or none"
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    return {str: "text", int: "integer", float: "number", bool: "true/false", dict: "section"}.get(
        origin or annotation,  # type: ignore[arg-type]
        "any value",
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if isinstance(value, BaseModel) or value in (None, "", (), {}):
        return ""
    if isinstance(value, tuple):
        return "`[" + ", ".join(str(item) for item in value) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@contextlib.contextmanager
def _columns() -> Iterator[None]:
    """Set the width of the help for a while."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def main() -> None:
    """Write the generated parts of every page."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--with-model", action="store_true", help="also the pages that ask the local model")
    with_model = options.parse_args().with_model
    for page in pages():
        if with_model or not needs_model(page):
            page.write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
