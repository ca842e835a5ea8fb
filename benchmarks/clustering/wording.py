"""Paraphrases for made-up logs: templates with alternatives, letters, calls of tools and JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

import orjson

from benchmarks.clustering.company_logs import Write

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_GREETINGS = (
    "[Hi|Hello|Dear] {first},", "[Good morning|Good day|Hi there],", "Hi {first}!", "Dear {name},", "Hello,", "",
    "[Thank you|Thanks] for [your message|writing to us|getting in touch|reaching out][, {first}|].",
    "Hi {first}, [thanks for asking|good question|happy to help].",
)  # fmt: skip
_CLOSINGS = (
    "", "", "[Kind|Best|Warm] regards,\n[your Fernhill team|Fernhill Outdoor]", "Have a [great|nice|good] day!",
    ("[If you have any other questions|If anything else comes up|Should you need anything else], [just reply to this message"
    "|we are happy to help|let us know]."),
    "[Is there anything else|Can we help with anything else]?", "All the best from [the team|Fernhill]",
)  # fmt: skip
EXTRA_CHANCE = {"careful": 0.7, "restated": 0.25}
"""The chance of a further sentence in an answer, by prompt variant."""


def phrase(rng: Random, template: str, /, **values: object) -> str:
    """Return one wording of a template: `[a|b|]` is one of these at random, nested ones too, `{name}` is a value."""
    while match := _CHOICE.search(template):
        template = template[: match.start()] + rng.choice(match[1].split("|")) + template[match.end() :]
    return re.sub(r" {2,}", " ", template.format_map(values)).strip()


def fixed(*templates: str, **values: object) -> Write:
    """Return a writer of one of the templates in one of its wordings."""
    return lambda rng, _: phrase(rng, rng.choice(templates), **values)


def letter(values: Mapping[str, object], *cores: str, extras: Sequence[str] = (), frames: Sequence[str] = ()) -> Write:
    """Return a writer of letters: a greeting, one of the cores, now and then a further sentence, a closing.

    `frames` replace the greetings, for letters in another language; they have no closing then.
    """

    def write(rng: Random, style: str) -> str:
        parts = [rng.choice(frames or _GREETINGS), rng.choice(cores)]
        if extras and rng.random() < EXTRA_CHANCE.get(style, 0.4):
            parts.append(rng.choice(extras))
        if not frames:
            parts.append(rng.choice(_CLOSINGS))
        said = (phrase(rng, part, **values) for part in parts)
        return rng.choice((" ", "\n\n")).join(part for part in said if part)

    return write


def tool_call(name: str, **arguments: object) -> str:
    """Return the call of a tool as the readers write it."""
    call = {"tool_calls": [{"name": name, "arguments": arguments}]}
    return orjson.dumps(call, option=orjson.OPT_SORT_KEYS).decode()


def json_text(rng: Random, record: Mapping[str, object]) -> str:
    """Return a record as JSON in one of the layouts that models write."""
    text = orjson.dumps(record, option=orjson.OPT_INDENT_2 if rng.random() < 0.5 else None).decode()
    return f"```json\n{text}\n```" if rng.random() < 0.1 else text
