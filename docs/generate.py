"""Writes docs/configuration.md and docs/cli.md from the code, so that they cannot drift: `python docs/generate.py`."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from curator import cli
from curator.cli.parser import parser
from curator.config import Config

DOCS = Path(__file__).parent
CONFIG_HEAD = """\
# Configuration

One YAML file describes one job; `configs/` has examples and `curator init` writes one. Every key there is, with its
default. An unknown key is an error. Paths in the file are relative to the file's own folder.
"""
CLI_HEAD = "# The command line\n\nWhat `--help` prints, of each command.\n"


def configuration() -> str:
    """The page of all config keys."""
    return CONFIG_HEAD + "".join(_section("", Config))


def command_line() -> str:
    """The page of all commands."""
    return CLI_HEAD + "".join(f"\n## {name}\n\n```text\n{_help(name)}```\n" for name in commands(parser()))


def commands(of: argparse.ArgumentParser) -> Iterator[str]:
    """The names of a command and of all that are below it, in the order of its help."""
    yield of.prog
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from commands(inner)


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    title = f"`{path}`" if path else "Top level"
    yield f"\n## {title}\n\n{(model.__doc__ or '').strip()}\n\n| key | type | default | |\n|---|---|---|---|\n"
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
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


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


def _help(command: str) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        cli.main([*command.split()[1:], "--help"])
    return text.getvalue()


def main() -> None:
    """Write both pages."""
    os.environ["COLUMNS"] = "100"
    (DOCS / "configuration.md").write_text(configuration(), encoding="utf-8")
    (DOCS / "cli.md").write_text(command_line(), encoding="utf-8")


if __name__ == "__main__":
    main()
