"""The files of a config: beside the config file, or in the working directory where earlier versions put them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from curator.config import Config, load_config, parse_config
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
        Path("runs/night"),
    )


def test_a_registry_with_a_name_of_its_own_stands_where_the_config_says() -> None:
    paths = StatePaths.of(config(store="a/store.sqlite", held_out={"registry": "b/r.sqlite"}))
    assert paths.registry == Path("b/r.sqlite")
    assert paths.vectors == Path("a/vectors.sqlite")


def test_without_a_store_in_the_config_the_files_stand_in_the_default_folder() -> None:
    assert StatePaths.of(config()).store == Path(".curator/store.sqlite")


COMMITTEE = {"models": [{"name": "m", "provider": "local"}]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `curator.yaml`; the working directory is another one beside it."""
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "curator.yaml").write_text(yaml.safe_dump({"name": "night", "committee": COMMITTEE}))
    monkeypatch.chdir(elsewhere)
    return folder


def test_everything_lies_beside_the_config_wherever_the_command_is_typed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = StatePaths.of(load_config(project / "curator.yaml"))
    assert far.store == project / ".curator" / "store.sqlite"
    assert far.registry == project / ".curator" / "held_out.sqlite"
    assert far.run_folder == project / "runs" / "night"
    assert not far.notices
    monkeypatch.chdir(project)
    near = StatePaths.of(load_config("curator.yaml"))
    assert (near.store, near.run_folder) == (Path(".curator/store.sqlite"), Path("runs/night"))
    assert near.store.absolute() == far.store


def test_what_lies_in_the_working_directory_is_used_and_named(project: Path) -> None:
    Path(".curator").mkdir()
    Path(".curator/store.sqlite").touch()
    Path("runs/night").mkdir(parents=True)
    paths = StatePaths.of(load_config(project / "curator.yaml"))
    assert (paths.store, paths.run_folder) == (Path(".curator/store.sqlite"), Path("runs/night"))
    answers, run = paths.notices
    assert "elsewhere/.curator/store.sqlite" in answers
    assert f"move '.curator' to {str(project / '.curator')!r}" in answers
    assert f"move 'runs/night' to {str(project / 'runs' / 'night')!r}" in run


def test_what_lies_beside_the_config_comes_first(project: Path) -> None:
    for folder in (Path(), project):
        (folder / ".curator").mkdir()
        (folder / ".curator" / "store.sqlite").touch()
    paths = StatePaths.of(load_config(project / "curator.yaml"))
    assert paths.store == project / ".curator" / "store.sqlite"
    assert not paths.notices


def test_paths_in_the_config_are_relative_to_it_and_an_argument_to_the_working_directory(project: Path) -> None:
    keys = {"out": "../o", "store": "s/a.sqlite", "committee": COMMITTEE}
    (project / "curator.yaml").write_text(yaml.safe_dump(keys))
    loaded = load_config(project / "curator.yaml")
    assert StatePaths.of(loaded).run_folder == project.parent / "o"
    assert StatePaths.of(loaded).vectors == project / "s" / "vectors.sqlite"
    assert StatePaths.of(loaded, out="mine").run_folder == Path("mine")
