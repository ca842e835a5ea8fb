"""Read a config file, and explain what is wrong with it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from curator.config.committee import EquivalenceConfig
from curator.config.job import Config
from curator.config.yaml_text import DuplicateKeyError, parse_yaml
from curator.errors import ConfigError


def load_config(path: str | Path) -> Config:
    """Read a config file, with the paths in it resolved against its folder.

    Raises:
        ConfigError: the file does not exist, is not YAML, or has a key or value that does not fit.
    """
    path = Path(path)
    if path.is_dir():
        inside = path / "curator.yaml"
        make = "name a YAML file, or make one with `curator init`"
        raise ConfigError(
            f"{str(path)!r} is a folder, not a config file",
            remedy=f"name the config in it: {inside}" if inside.is_file() else make,
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{str(path)!r}: the config cannot be read ({error})",
            remedy="name an existing YAML file, or make one with `curator init`",
        ) from error
    try:
        data = parse_yaml(text)
    except DuplicateKeyError as error:
        raise ConfigError(
            f"{str(path)!r}: {error.problem}", remedy="keep one of the two; YAML would silently take the last one"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{str(path)!r}{where}: not valid YAML ({getattr(error, 'problem', error)})",
            remedy="fix the indentation or quoting there",
        ) from error
    if not isinstance(data, dict):
        raise ConfigError(
            f"{str(path)!r}: expected keys such as `logs:` and `committee:`, found {type(data).__name__}",
            remedy="start from a config made by `curator init`",
        )
    return _resolve(parse_config(data, name=str(path)), path.resolve().parent)


def parse_config(data: Mapping[str, object], *, name: str = "config") -> Config:
    """Validate a config that is already a mapping.

    Raises:
        ConfigError: a key or value does not fit; an unknown key names the nearest known one.
    """
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems = [_explain(e["loc"], e["msg"], e["type"], e.get("input")) for e in _causes(error)]
        raise ConfigError(
            f"{name!r}: " + "; ".join(problems), remedy="see docs/configuration.md for every key"
        ) from error


def parse_equivalence(data: Mapping[str, object]) -> EquivalenceConfig:
    """Validate only an `equivalence:` section, as `curator score` makes it from its arguments.

    Raises:
        ConfigError: it does not fit.
    """
    try:
        return EquivalenceConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            first["msg"].removeprefix("Value error, "), remedy="say which model with --nli-model NAME"
        ) from error


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors without those of a section or list that has an error inside.

    pydantic counts only the items that fit, and so says of a list with one wrong item that it is too short.
    """
    places = [detail["loc"] for detail in error.errors()]
    return [
        detail
        for detail in error.errors()
        if not any(len(place) > len(detail["loc"]) and place[: len(detail["loc"])] == detail["loc"] for place in places)
    ]


def _explain(location: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    where = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _known_keys(location[:-1]), n=1, cutoff=0.5)
        return f"unknown key {where!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if kind == "missing":
        return f"{where!r} is missing"
    if kind in ("tuple_type", "list_type"):
        return f"{where!r} should be a list" + (f", such as [{value}]" if isinstance(value, str | int | float) else "")
    # The value of a whole section is not shown: it may hold a key that was pasted into it.
    given = f" (found {value!r})" if isinstance(value, str | int | float) else ""
    return f"{where!r}: {message.removeprefix('Value error, ')}{given}"


def _known_keys(path: Iterable[int | str]) -> list[str]:
    """Return the keys of the section at a path."""
    section: type[BaseModel] = Config
    for part in path:
        field = section.model_fields.get(str(part))
        nested = _section_in(field.annotation) if field else None
        section = nested or section
    return list(section.model_fields)


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if section := _section_in(argument):
            return section
    return None


def _resolve(config: Config, folder: Path) -> Config:
    """Resolve the paths in a config against its folder.

    Paths inside the working directory become relative to it.
    """

    def resolve(path: str) -> str:
        full = Path(os.path.normpath(folder / os.path.expanduser(path)))  # noqa: PTH111  (no error for an unknown ~user)
        return str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)

    def resolve_log(path: str) -> str:
        """Standard input, `-`, and addresses such as `s3://bucket` are not paths."""
        return path if path == "-" or "://" in path else resolve(path)

    def resolve_optional(path: str | None) -> str | None:
        return resolve(path) if path else None

    def resolve_model(name: str) -> str:
        return resolve(name) if name.startswith(("./", "../", "~")) else name

    committee, logs, embedding, equivalence = config.committee, config.logs, config.embedding, config.equivalence
    held_out = config.held_out
    return config.model_copy(
        update={
            "held_out": held_out.model_copy(update={"registry": resolve_optional(held_out.registry)}),
            "logs": logs.model_copy(update={"paths": tuple(resolve_log(p) for p in logs.paths)}),
            "labels": tuple(resolve(p) for p in config.labels),
            "calibration": resolve_optional(config.calibration),
            "out": resolve_optional(config.out),
            "store": resolve_optional(config.store),
            "embedding": embedding.model_copy(update={"model": resolve_model(embedding.model)}),
            "equivalence": equivalence.model_copy(
                update={"nli_model": resolve_model(equivalence.nli_model) if equivalence.nli_model else None}
            ),
            "committee": committee.model_copy(update={"prompts": resolve_optional(committee.prompts)}),
            "loop": config.loop.model_copy(update={"folder": resolve_optional(config.loop.folder)}),
        }
    ).in_folder(Path(resolve(".")))
