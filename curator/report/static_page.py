"""The shared parts of static pages: template engine, inline scripts, data that cannot run."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import orjson
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_SHARED = "curator.report"
"""The package whose templates every page may include: `theme.css` has the colours and the base of the type."""
_ESCAPES = {c: f"\\u{ord(c):04x}".encode() for c in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class InlineText:
    """A script or a style sheet of the package, and its hash for a content security policy."""

    text: Markup
    digest: str


@cache
def inline_text(package: str, name: str) -> InlineText:
    """Return a script of a package's `templates` folder."""
    text = files(package).joinpath("templates", name).read_text(encoding="utf-8")
    return InlineText(Markup(text), b64encode(sha256(text.encode()).digest()).decode())  # noqa: S704  it is part of the package


def inert_json(value: object) -> bytes:
    """Return a value as JSON for a `<script>` element, which no text in it can end."""
    text = orjson.dumps(value)
    for character, escaped in _ESCAPES.items():
        text = text.replace(character.encode(), escaped)
    return text


def with_code(text: str) -> Markup:
    """Escape a text, and show what stands between two backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


@cache
def page_environment(package: str) -> Environment:
    """Return the engine for the templates of a package; it escapes every text."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, _SHARED))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = with_code
    return environment
