"""The files of a config: beside the config file, or in the working directory where earlier versions put them."""

from __future__ import annotations

import json
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
    (notice,) = paths.notices
    assert f"beside the config ({str(paths.store)!r})" in notice
    assert f"{str(Path('.curator/store.sqlite').absolute())!r}) are ignored" in notice
    assert "name that file in `store`" in notice
    assert "held-out" not in notice
    Path(".curator/held_out.sqlite").touch()
    (notice,) = StatePaths.of(load_config(project / "curator.yaml")).notices
    assert f"its held-out cases ({str(Path('.curator/held_out.sqlite').absolute())!r})" in notice
    assert "`held_out.registry`" in notice


@pytest.mark.parametrize(
    ("name", "logs", "used"),
    [("night", "logs.jsonl", True), ("night", "others.jsonl", False), ("day", "logs.jsonl", False), (None, "", False)],
)
def test_a_run_folder_in_the_working_directory_is_used_only_if_this_config_made_it(
    project: Path, name: str | None, logs: str, used: bool
) -> None:
    job = {"name": "night", "committee": COMMITTEE, "logs": {"paths": ["logs.jsonl"]}}
    (project / "curator.yaml").write_text(yaml.safe_dump(job))
    Path("runs/night").mkdir(parents=True)
    earlier = {"name": name, "logs": {"paths": [str(project / logs)]}, "selection": {}}
    content = {"config": earlier, "seed": 0} if name else {"another": "tool's"}
    Path("runs/night/manifest.json").write_text(json.dumps(content))
    paths = StatePaths.of(load_config(project / "curator.yaml"))
    assert paths.run_folder == (Path("runs/night") if used else project / "runs" / "night")
    (notice,) = paths.notices
    assert notice.startswith("used the run folder" if used else "ignored the run folder")


def test_paths_in_the_config_are_relative_to_it_and_an_argument_to_the_working_directory(project: Path) -> None:
    keys = {"out": "../o", "store": "s/a.sqlite", "committee": COMMITTEE}
    (project / "curator.yaml").write_text(yaml.safe_dump(keys))
    loaded = load_config(project / "curator.yaml")
    assert StatePaths.of(loaded).run_folder == project.parent / "o"
    assert StatePaths.of(loaded).vectors == project / "s" / "vectors.sqlite"
    assert StatePaths.of(loaded, out="mine").run_folder == Path("mine")
