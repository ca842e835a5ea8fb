"""Parse tags such as those of XML, also without ends, and `<function=f>`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DEEPEST = 20
_MOST_TAGS = 2_000
_TAG = re.compile(
    r"""<(?P<close>/?)(?P<name>[A-Za-z_][\w.:-]*)(?:=(?P<value>"[^"<>]*"|[^\s<>]+?))?"""
    r"""(?P<attributes>(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(?P<empty>/?)>"""
)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(slots=True)
class Element:
    """A tag and the part of the text that it encloses.

    Attributes:
        tag: the name of the tag.
        name: its attribute `name`, or the value behind its own name (`<function=f>`); else "".
        start: where its contents begin.
        end: where they end.
        children: the tags inside it.
    """

    tag: str
    name: str
    start: int
    end: int = 0
    children: list[Element] = field(default_factory=list)


def parse_tags(text: str) -> list[Element]:
    """Parse the tags; a tag without an end reaches to the end of the tag around it."""
    root = Element("", "", 0, len(text))
    open_elements = [root]
    for number, match in enumerate(_TAG.finditer(text)):
        if number >= _MOST_TAGS:
            break
        if match["close"]:
            names = [element.tag for element in open_elements[1:]]
            if match["name"] in names:
                while open_elements[-1].tag != match["name"]:
                    open_elements.pop().end = match.start()
                open_elements.pop().end = match.start()
        elif len(open_elements) <= DEEPEST:
            attributes = {name: double or single for name, double, single in _ATTRIBUTE.findall(match["attributes"])}
            name = (match["value"] or "").strip('"') or attributes.get("name", "")
            element = Element(match["name"], name, match.end(), match.end())
            open_elements[-1].children.append(element)
            if not match["empty"]:
                open_elements.append(element)
    for element in open_elements[1:]:
        element.end = len(text)
    return root.children
