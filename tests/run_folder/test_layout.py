"""The names of the run folder's files: each one once, and described."""

from __future__ import annotations

import ast
from pathlib import Path

from curator.io import manifest
from curator.run_folder import layout

ROOT = Path(layout.__file__).parents[1]


def test_every_file_is_listed_once() -> None:
    files = [value for value in vars(layout).values() if isinstance(value, layout.RunFile)]
    assert sorted(file.name for file in files) == sorted(file.name for file in layout.FILES)
    assert len({file.name for file in layout.FILES}) == len(layout.FILES)
    assert all(file.description and "\n" not in file.description for file in layout.FILES)


def test_no_other_module_spells_a_file_name() -> None:
    names = {file.name for file in layout.FILES}
    for path in ROOT.rglob("*.py"):
        if path not in {Path(layout.__file__), Path(manifest.__file__)}:
            literals = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
            assert not names & {text for text in literals if isinstance(text, str)}, path
