"""Names in the config and on the command line are those of the registries: there is no second list to forget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from curator.committee.providers import PROVIDERS
from curator.config import Config, parse_config
from curator.disagreement.estimators import ESTIMATORS
from curator.errors import ConfigError
from curator.exporters import EXPORTERS
from curator.labels import LABEL_SERVERS, LABEL_TOOLS
from curator.readers import READERS
from curator.selection.strategies import STRATEGIES
from curator.trainers import TRAINERS
from curator.workflows.installation import plugin_registries

REGISTRIES = {"provider": PROVIDERS, "strategy": STRATEGIES}
WITHOUT_A_REGISTRY = {"mode", "method", "kind", "personal", "roles", "turns", "scale", "overlap", "unsure"}


def choices(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every key of the config that takes one of a few names, with the names."""
    if model in seen:
        return
    seen.add(model)
    for key, field in model.model_fields.items():
        parts = [field.annotation]
        while parts:
            part = parts.pop()
            if get_origin(part) is Literal:
                yield key, get_args(part)
            elif isinstance(part, type) and issubclass(part, BaseModel):
                yield from choices(part, seen)
            else:
                parts += get_args(part)


def test_every_list_of_names_in_the_config_is_that_of_a_registry() -> None:
    names = dict(choices(Config, set()))
    assert names.keys() == REGISTRIES.keys() | WITHOUT_A_REGISTRY
    for key, registry in REGISTRIES.items():
        assert set(names[key]) == set(registry.built_in), key


@pytest.mark.parametrize(
    "registry", [READERS, LABEL_TOOLS, LABEL_SERVERS, EXPORTERS, ESTIMATORS, TRAINERS], ids=lambda r: r.noun
)
def test_a_name_that_a_package_may_add_is_checked_by_its_registry(registry: object) -> None:
    with pytest.raises(ConfigError, match=r"here: unknown .* 'no-such'"):
        registry.require("no-such", where="here")  # type: ignore[attr-defined]


def test_a_config_may_name_what_a_package_adds() -> None:
    config = parse_config(
        {
            "committee": {"models": [{"name": "m", "provider": "local"}]},
            "logs": {"format": "added"}, "outputs": {"exports": ["added"]}, "labelling": {"tools": ["added"]},
        }
    )  # fmt: skip
    assert (config.logs.format, config.outputs.exports, config.labelling.tools) == ("added", ("added",), ("added",))


def test_doctor_knows_each_registry_that_packages_add_to_once() -> None:
    groups = [registry.group for registry in plugin_registries()]
    rooms = ("exporters", "label_servers", "label_tools", "readers", "trainers")
    assert sorted(groups) == [f"curator.{room}" for room in rooms]
