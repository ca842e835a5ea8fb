"""Prompts of models beside the committee, and logged texts put into them as data.

The texts come from logs and models, and may try to steer the model. They stand between lines with a code that their authors
could not know.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from curator.config.yaml_text import parse_yaml
from curator.errors import ConfigError
from curator.records import JsonValue, Message

_FORM = re.compile(r"---\n(?P<front>.*?\n)---\n\[system\]\n(?P<system>.*?)\n\[user\]\n(?P<user>.*)", re.DOTALL)
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class QuestionPrompt:
    """A prompt file: two templates with places such as `{{ question }}`.

    `digest` is the SHA-256 (hex) of its file.
    """

    id: str
    version: int
    digest: str
    system: str
    user: str

    @property
    def label(self) -> str:
        """The id with the version, as reports name the prompt."""
        return f"{self.id}/{self.version}"

    def fill(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """Return the messages with these values in the places of their names."""

        def filled(template: str) -> str:
            # one pass, so that a `{{ question }}` inside a value stays what it is
            return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)

        return Message("system", filled(self.system)), Message("user", filled(self.user))


def load_question_prompt(path: Path, places: Collection[str]) -> QuestionPrompt:
    """Return the prompt in a file, whose [user] section has all of the places, and `nonce`.

    Raises:
        ConfigError: the file cannot be read, or is not of the form.
    """
    remedy = "reinstall curator, or fix the file: front matter with `id` and `version`, then [system] and [user]"
    try:
        content = path.read_bytes()
        form = _FORM.fullmatch(content.decode("utf-8-sig").replace("\r\n", "\n").strip())
        front = parse_yaml(form["front"], first_line=2) if form else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{str(path)!r}: the prompt cannot be read ({error})", remedy=remedy) from error
    if not form or not isinstance(front, dict) or front.get("id") != path.stem or type(front.get("version")) is not int:
        raise ConfigError(f"{str(path)!r}: this is not a prompt of the form", remedy=remedy)
    if missing := {*places, "nonce"} - set(_PLACE.findall(form["user"])):
        raise ConfigError(f"{str(path)!r}: [user] lacks {{{{ {min(missing)} }}}}", remedy=remedy)
    digest = hashlib.sha256(content).hexdigest()
    return QuestionPrompt(path.stem, front["version"], digest, form["system"].strip(), form["user"].strip())


def nonce_of(*texts: str) -> str:
    """Return the code that delimits these texts: a hash of them all.

    The same texts give the same request. No text can contain the code: it would change with the text.
    """
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def shortened(text: str, limit: int) -> str:
    """Return a text of at most about `limit` characters: its head and its tail."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}\n[...]\n{text[-half:]}"


def reply_object(text: str) -> dict[str, JsonValue] | None:
    """Return the JSON object of a reply; None where it is not one.

    A code fence around it and thoughts before it do not count.
    """
    plain = text.rpartition("</think>")[2].strip()
    fenced = _FENCE.fullmatch(plain)
    try:
        reply = orjson.loads(fenced[1] if fenced else plain)
    except orjson.JSONDecodeError:
        return None
    return reply if isinstance(reply, dict) else None


def reply_schema(name: str, properties: dict[str, JsonValue]) -> JsonValue:
    """Return the `response_format` of a reply that is an object with exactly these properties."""
    return {
        "type": "json_schema",
        "json_schema": {
            "name": name,
            "strict": True,
            "schema": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
        },
    }
