"""Config files: what is refused, and that the message says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.committee.prompts import load_variants
from curator.config import LogsConfig, load_config, parse_config
from curator.config.yaml_text import parse_yaml
from curator.errors import ConfigError, UserError
from curator.workflows.inputs import config_from

COMMITTEE = "committee: {models: [{name: m, provider: local}]}\n"


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "curator.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("budget:\n  max_usd: 5\n  max_requests: 10\n  max_usd: 500\n", "budget.max_usd", "3 and 5"),
        ("budget: {max_usd: 5}\nseed: 1\nbudget: {max_usd: 500}\n", "budget", "2 and 4"),
        ("tasks:\n  route:\n    kind: label\n    'kind': text\n", "tasks.route.kind", "4 and 5"),
        ("labels:\n- a: 1\n  a: 2\n", "labels.0.a", "3 and 4"),
    ],
)
def test_a_key_given_twice_is_refused_with_both_lines(tmp_path: Path, text: str, key: str, lines: str) -> None:
    assert f"the key {key!r} is given twice, in lines {lines}" in refused(tmp_path, COMMITTEE + text)


def test_anchors_and_merges_are_still_yaml() -> None:
    assert parse_yaml("a: &x {k: 1}\nb: *x\nc: {<<: *x, j: 2}\n") == {
        "a": {"k": 1},
        "b": {"k": 1},
        "c": {"k": 1, "j": 2},
    }
    assert parse_yaml("") is None
    assert isinstance(parse_yaml("&x [*x]"), list)


def test_a_key_given_twice_in_a_prompt_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("---\nid: mine\nversion: 1\nversion: 2\n---\n[system]\n\n[user]\n{{ input }}\n")
    with pytest.raises(UserError, match="the key 'version' is given twice, in lines 3 and 4"):
        load_variants(("mine",), tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"budgit": {}}, "unknown key 'budgit', did you mean 'budget'?"),
        ({"budget": {"max_us": 1}}, "unknown key 'budget.max_us', did you mean 'max_usd'?"),
        ({"tasks": {"route": {"lables": []}}}, "unknown key 'tasks.route.lables', did you mean 'labels'?"),
        ({"committee": {"models": [{"name": "m", "provder": "local"}]}}, "did you mean 'provider'?"),
    ],
)
def test_a_misspelt_key_gets_its_nearest(data: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config({"committee": {"models": [{"name": "m", "provider": "local"}]}} | data)
    assert message in str(raised.value)


def test_a_list_with_a_wrong_item_is_not_called_too_short() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config({"committee": {"models": [{"name": "m", "provider": "locl"}]}})
    assert "'committee.models.0.provider'" in str(raised.value)
    assert "at least 1 item" not in str(raised.value)


def test_one_value_instead_of_a_list_is_shown_as_a_list() -> None:
    logs = {"mapping": {"input": "text", "metadata": "Chan"}}
    with pytest.raises(ConfigError, match=r"'logs.mapping.metadata' should be a list, such as \[Chan\]"):
        parse_config({"logs": logs, "committee": {"models": [{"name": "m", "provider": "local"}]}})


def test_a_dict_is_not_a_config() -> None:
    with pytest.raises(ConfigError, match="the config is a dict, not a path or a `Config`"):
        config_from({"name": "x"})  # type: ignore[arg-type]


def test_an_encoding_has_to_be_known() -> None:
    assert LogsConfig(encoding="cp1251").encoding == "cp1251"
    for name in ("cp9999", "rot13"):
        with pytest.raises(ValueError, match="is not the name of an encoding"):
            LogsConfig(encoding=name)


def test_addresses_and_standard_input_are_not_paths_of_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "curator.yaml"
    path.write_text(COMMITTEE + "logs: {paths: [s3://bucket/folder/*.json, '-', a.jsonl]}\n")
    assert load_config(path).logs.paths == ("s3://bucket/folder/*.json", "-", str(tmp_path / "a.jsonl"))
