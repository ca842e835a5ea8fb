"""Registries: built-in entries, entries of other packages, and broken ones."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from curator.errors import ConfigError
from curator.plugins import Registry

GROUP = "curator.tests"


def registry(*points: tuple[str, str]) -> Registry[int]:
    found = [EntryPoint(name, value, GROUP) for name, value in points]
    return Registry("number", int, {"one": 1}, group=GROUP, find=lambda group: found if group == GROUP else [])


def test_a_plugin_stands_behind_the_built_in_entries() -> None:
    numbers = registry(("max", "sys:maxsize"))
    assert list(numbers) == ["one", "max"]
    assert len(numbers) == 2
    assert numbers["max"] > numbers["one"]
    assert not numbers.broken


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:thing", "ModuleNotFoundError"),
        ("sys:no_such_name", "AttributeError"),
        ("sys:version", "is a str, not a int"),
    ],
)
def test_a_broken_plugin_is_named_and_disturbs_nothing(value: str, reason: str) -> None:
    numbers = registry(("bad", value), ("max", "sys:maxsize"))
    assert list(numbers) == ["one", "max"]
    assert reason in numbers.broken["bad"]
    with pytest.raises(ConfigError, match="number 'bad' is broken"):
        numbers.require("bad", where="here")


def test_a_plugin_never_replaces_an_entry() -> None:
    numbers = registry(("one", "sys:maxsize"))
    assert numbers["one"] == 1
    assert "the name of another number" in numbers.broken["one"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown number 'two'") as raised:
        registry(("max", "sys:maxsize")).require("two", where="--number")
    assert "one, max" in raised.value.remedy


def test_a_built_in_name_needs_no_look_at_the_entry_points() -> None:
    def find(group: str) -> list[EntryPoint]:
        raise AssertionError(group)

    assert Registry("number", int, {"one": 1}, group=GROUP, find=find)["one"] == 1
