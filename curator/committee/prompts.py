r"""Prompt variants: ways to ask the same task. Each is a Markdown file with two templates.

    ---
    id: careful                       the name of the file, without .md
    version: 1                        counts up when the text changes
    changes: What it changes, in one sentence.
    answer: {read: whole}             or {read: after, marker: "Answer:"}, {read: json, path: answer.label},
                                      {read: regex, pattern: 'is (\d+)'}, {read: last_number}; see `ReadRule`
    extra_tokens: 0                   output tokens that it needs beyond the answer itself
    ---
    [system]
    {{ system }}
    Take care.
    [user]
    {{ user }}

The sections are Jinja templates in a sandbox. They are split before anything is rendered, and logged texts are only
values, so that no log text can add a section or run as a template. They see `system` (the system messages as
one text), `user` (the last user message) and `messages` (the turns before it, each with `role` and `content`).
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curator.answers.extraction import Reading, ReadRule, path_problem
from curator.committee.regex_safety import pattern_problem
from curator.config.yaml_text import parse_yaml
from curator.errors import ConfigError
from curator.io.assets import asset
from curator.records import Case, Message, Source

VARIABLES = ("messages", "system", "user")
_SECTIONS = ("system", "user")
_HEADER = re.compile(r"\[(system|user)\][ \t]*")
_FORM = "front matter between two lines `---` comes first; copy the form of a variant that ships"
_SAFE = "the template must work for every case: `messages` and `system` may be empty"
# The output is a prompt, not HTML: escaping would change the user's text.
_JINJA = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

# Cases for which a template is rendered when it is loaded: one with only a user message, and one with every role.
_NOWHERE = Source("trial", 1)
_TRIALS = (
    Case("c0", (Message("user", "Hello"),), _NOWHERE),
    Case(
        "c1",
        (
            Message("system", "Be kind."),
            Message("user", "Hello"),
            Message("assistant", "Hello! How can I help?"),
            Message("user", "Where is my parcel?"),
        ),
        _NOWHERE,
    ),
)


@dataclass(frozen=True, slots=True)
class Section:
    """One template of a variant, and the number of its first line in the file."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to ask.

    `extra_tokens` come on top of the token limit. `digest` is the SHA-256 (hex) of its file.
    """

    id: str
    version: int
    changes: str
    read: ReadRule
    extra_tokens: int
    digest: str
    system: Section
    user: Section
    file: Path


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    read: Reading
    marker: str = ""
    pattern: str = ""
    path: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = {"after": "marker", "tag": "marker", "regex": "pattern", "json": "path"}.get(self.read)
        for key in ("marker", "pattern", "path"):
            if (key == needed) != bool(getattr(self, key).strip()):
                raise ValueError(
                    "`after` and `tag` need a marker, `regex` a pattern, `json` a path, and no other way of reading has one"
                )
        if self.read == "regex" and (problem := pattern_problem(self.pattern)):
            raise ValueError(problem)
        if self.read == "json" and (problem := path_problem(self.path)):
            raise ValueError(problem)
        return self


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    version: Annotated[int, Field(ge=1)]
    changes: Annotated[str, Field(min_length=1)]
    answer: _Answer
    extra_tokens: Annotated[int, Field(ge=0)] = 0


def load_variants(ids: Sequence[str], folder: Path | None) -> tuple[Variant, ...]:
    """Return the variants of these ids, in this order.

    A variant in `folder` replaces the one of that name that ships.

    Only the files that are asked for are read.

    Raises:
        ConfigError: an id is unknown or given twice, `folder` is not a folder, or a file does not fit; the message
            names the file and line.
    """
    if repeated := sorted({i for i in ids if list(ids).count(i) > 1}):
        raise ConfigError(f"variants: {repeated[0]!r} stands there twice", remedy="name each variant once")
    if folder is not None and not folder.is_dir():
        raise ConfigError(
            f"prompts: {str(folder)!r} is not a folder", remedy="name a folder that holds your .md variants"
        )
    folders = [*([folder] if folder else []), asset("prompts", "committee")]
    files = {path.stem: path for place in reversed(folders) for path in sorted(place.glob("*.md"))}
    if missing := [i for i in ids if i not in files]:
        near = difflib.get_close_matches(missing[0], files, n=3, cutoff=0.5)
        hint = " or ".join(repr(name) for name in near) or "one of " + ", ".join(sorted(files))
        places = " and ".join(repr(str(place)) for place in folders)
        raise ConfigError(
            f"variants: {missing[0]!r} is not a variant (looked in {places})",
            remedy=f"did you mean {hint}? Your own would be {missing[0]}.md in the folder `prompts:` names",
        )
    return tuple(_load(files[i]) for i in ids)


def render(variant: Variant, case: Case) -> tuple[Message, ...]:
    """Return the messages that ask the case's question in the variant's way.

    Every other turn stays as it was logged, byte for byte. A system prompt that renders to an empty text gives no system
    message. The case needs a user message (readers set other cases aside).

    Raises:
        ConfigError: a template fails on this case.
    """
    last = max(i for i, m in enumerate(case.messages) if m.role == "user")
    values = {
        "system": case.system,
        "user": case.messages[last].content,
        "messages": tuple(m for m in case.messages[:last] if m.role != "system"),
    }
    system, user = _fill(variant, "system", values), _fill(variant, "user", values)
    turns = [*case.messages[:last], replace(case.messages[last], content=user), *case.messages[last + 1 :]]
    if system == case.system:
        return tuple(turns)
    head = [Message("system", system)] if system.strip() else []
    return (*head, *(m for m in turns if m.role != "system"))


def _fill(variant: Variant, name: Literal["system", "user"], values: Mapping[str, object]) -> str:
    section = variant.system if name == "system" else variant.user
    if section.text == f"{{{{ {name} }}}}":  # most variants leave one of the two alone; rendering costs the most here
        return str(values[name])
    try:
        return _template(section.text).render(values)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        frames = reversed(traceback.extract_tb(error.__traceback__))
        line = next((f.lineno for f in frames if f.filename == "<template>" and f.lineno), 1)
        _refuse(variant.file, section.line + line - 1, f"[{name}] cannot be rendered ({error})", _SAFE)


@functools.lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return _JINJA.from_string(text)


def _load(path: Path) -> Variant:
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{str(path)!r}: the prompt variant cannot be read ({error})", remedy="save it as a UTF-8 text file"
        ) from error
    front, body = _split(path, lines)
    matter = _front_matter(path, lines[1:front])
    sections = _sections(path, lines[body:], first_line=body + 1)
    for name, section in sections.items():
        _check_template(path, name, section)
    if not sections["user"].text:
        _refuse(path, sections["user"].line, "the [user] section is empty", "put at least {{ user }} there")
    variant = Variant(
        id=matter.id,
        version=matter.version,
        changes=matter.changes,
        read=ReadRule(**matter.answer.model_dump()),
        extra_tokens=matter.extra_tokens,
        digest=hashlib.sha256(content).hexdigest(),
        system=sections["system"],
        user=sections["user"],
        file=path,
    )
    for case in _TRIALS:
        render(variant, case)
    return variant


def _split(path: Path, lines: Sequence[str]) -> tuple[int, int]:
    """Return the index of the line that ends the front matter, and of the first line after it."""
    if not lines or lines[0].rstrip() != "---":
        _refuse(path, 1, "the front matter is missing", _FORM)
    end = next((i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
    if end is None:
        _refuse(path, 1, "the front matter has no end", _FORM)
    return end, end + 1


def _front_matter(path: Path, lines: Sequence[str]) -> _FrontMatter:
    try:
        data = parse_yaml("\n".join(lines), first_line=2)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        _refuse(path, mark.line + 2 if mark else 1, f"the front matter is not valid YAML ({problem})", _FORM)
    if not isinstance(data, dict):
        _refuse(path, 1, "the front matter holds no keys", _FORM)
    try:
        matter = _FrontMatter.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(_explain(e["loc"], e["msg"], e["type"]) for e in error.errors())
        line = _line_of(error.errors()[0]["loc"], lines)
        _refuse(path, line, f"front matter: {problems}", "its keys are " + ", ".join(_FrontMatter.model_fields))
    if matter.id != path.stem:
        _refuse(
            path, 1, f"its id is {matter.id!r}, its name {path.name!r}", f"write `id: {path.stem}` or rename the file"
        )
    return matter


def _line_of(location: tuple[int | str, ...], lines: Sequence[str]) -> int:
    """Return the line of the innermost key of `location` in the front matter, else line 1."""
    for name in reversed(location):
        if at := [i for i, line in enumerate(lines, start=2) if re.search(rf"\b{re.escape(str(name))}\s*:", line)]:
            return at[0]
    return 1


def _explain(location: tuple[int | str, ...], message: str, kind: str) -> str:
    where = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        fields = _FrontMatter.model_fields if len(location) == 1 else _Answer.model_fields
        near = difflib.get_close_matches(str(location[-1]), fields, n=1, cutoff=0.5)
        return f"unknown key {where!r}" + (f", did you mean {near[0]!r}?" if near else "")
    return f"{where!r} is missing" if kind == "missing" else f"{where!r}: {message.removeprefix('Value error, ')}"


def _sections(path: Path, lines: Sequence[str], *, first_line: int) -> dict[str, Section]:
    headers = [(i, header[1]) for i, line in enumerate(lines) if (header := _HEADER.fullmatch(line))]
    names = [name for _, name in headers]
    for name in _SECTIONS:
        if names.count(name) != 1:
            problem = "is missing" if name not in names else "stands there twice"
            _refuse(
                path, first_line, f"the section [{name}] {problem}", "a variant has one [system] and one [user] line"
            )
    if any(line.strip() for line in lines[: headers[0][0]]):
        _refuse(path, first_line, f"there is text before [{names[0]}]", "move it into a section")
    ends = [*(i for i, _ in headers[1:]), len(lines)]
    return {
        name: _trim(lines[start + 1 : end], first_line=first_line + start + 1)
        for (start, name), end in zip(headers, ends, strict=True)
    }


def _trim(lines: Sequence[str], *, first_line: int) -> Section:
    """Return the section without the blank lines around it."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if not filled:
        return Section("", first_line)
    return Section("\n".join(lines[filled[0] : filled[-1] + 1]), first_line + filled[0])


def _check_template(path: Path, name: str, section: Section) -> None:
    """Refuse a template that does not compile or that uses a variable there is not."""
    try:
        tree = _JINJA.parse(section.text)
        _template(section.text)
    except TemplateSyntaxError as error:
        line = section.line + error.lineno - 1
        _refuse(path, line, f"[{name}] is not a valid template ({error.message})", "fix the Jinja syntax there")
    unknown = meta.find_undeclared_variables(tree) - set(VARIABLES)
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            near = difflib.get_close_matches(node.name, VARIABLES, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            line = section.line + node.lineno - 1
            _refuse(
                path,
                line,
                f"[{name}] uses the unknown variable {node.name!r}",
                f"{hint}the variables are {', '.join(VARIABLES)}",
            )


def _refuse(path: Path, line: int, problem: str, remedy: str) -> NoReturn:
    raise ConfigError(f"{str(path)!r}, line {line}: {problem}", remedy=remedy)
