"""YAML of configs and prompt files; a key that is given twice is an error."""

from __future__ import annotations

import yaml


class DuplicateKeyError(yaml.MarkedYAMLError):
    """A mapping has the same key twice.

    YAML keeps the last one in silence: a second `max_usd` would remove the spending limit.
    """


def parse_yaml(text: str, *, first_line: int = 1) -> object:
    """Parse one YAML document; `first_line` is the number of its first line in the file.

    Raises:
        yaml.YAMLError: it is not valid YAML.
        DuplicateKeyError: a key is given twice in one mapping, at any depth; the message has the key and both lines.
    """
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _refuse_duplicate_keys(root, path=(), first_line=first_line, checked=set())
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _refuse_duplicate_keys(node: yaml.Node, *, path: tuple[str, ...], first_line: int, checked: set[int]) -> None:
    """Check a node and everything in it; `checked` stops at circles of aliases."""
    if id(node) in checked:
        return
    checked.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_duplicate_keys(item, path=(*path, str(index)), first_line=first_line, checked=checked)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        line = key.start_mark.line + first_line
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, name) in lines:
                twice = (
                    f"the key {'.'.join((*path, name))!r} is given twice, in lines {lines[key.tag, name]} and {line}"
                )
                raise DuplicateKeyError(problem=twice, problem_mark=key.start_mark)
            lines[key.tag, name] = line
        _refuse_duplicate_keys(value, path=(*path, name), first_line=first_line, checked=checked)
