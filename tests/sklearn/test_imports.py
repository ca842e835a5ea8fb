"""`import curator.sklearn` is instant; its names are loaded when they are used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import curator.sklearn
from tests.test_public_api import HEAVY, loaded_after

ROOT = Path(curator.sklearn.__file__)


def test_import_loads_nothing_heavy() -> None:
    assert "sklearn" in HEAVY
    assert loaded_after("import curator.sklearn") == set()


def test_every_name_resolves_to_the_class_that_type_checkers_see() -> None:
    (block,) = [node for node in ast.parse(ROOT.read_text(encoding="utf-8")).body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: f"{node.module}" for node in imports for alias in node.names if alias.asname == alias.name}
    assert seen == {name: f"curator.sklearn.{module}" for name, module in curator.sklearn._EXPORTS.items()}
    for name in curator.sklearn.__all__:
        assert getattr(curator.sklearn, name).__module__ == seen[name]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Committee'"):
        curator.sklearn.Committee  # noqa: B018
