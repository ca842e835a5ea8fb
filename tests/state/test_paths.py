"""The files of a config: beside its store, which `.curator/` holds by default."""

from __future__ import annotations

from pathlib import Path

from curator.config import Config, parse_config
from curator.state.paths import StatePaths


def config(**keys: object) -> Config:
    return parse_config(
        {"logs": {"paths": ["logs.jsonl"]}, "committee": {"models": [{"name": "m", "provider": "local"}]}, **keys}
    )


def test_all_files_stand_beside_the_store() -> None:
    folder = Path("a")
    assert StatePaths.of(config(store="a/store.sqlite", name="night")) == StatePaths(
        folder / "store.sqlite",
        folder / "vectors.sqlite",
        folder / "held_out.sqlite",
        folder / "categories.night.json",
    )


def test_a_registry_with_a_name_of_its_own_stands_where_the_config_says() -> None:
    paths = StatePaths.of(config(store="a/store.sqlite", held_out={"registry": "b/r.sqlite"}))
    assert paths.registry == Path("b/r.sqlite")
    assert paths.vectors == Path("a/vectors.sqlite")


def test_without_a_store_in_the_config_the_files_stand_in_the_default_folder() -> None:
    assert StatePaths.of(config()).store == Path(".curator/store.sqlite")
