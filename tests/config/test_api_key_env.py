"""`api_key_env` takes the name of a variable; a key that stands there is refused and never shown."""

from __future__ import annotations

import traceback

import pytest

from curator.config import ModelConfig, parse_config
from curator.errors import ConfigError


def config(api_key_env: str, **judge: object) -> dict[str, object]:
    model = {"name": "big", "model": "gpt-x", "api_key_env": api_key_env}
    return {"logs": {"paths": ["logs.jsonl"]}, "committee": {"models": [model]}, **judge}


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "key", "_K2", "my_endpoint_key_for_the_nightly_run"])
def test_names_are_taken(name: str) -> None:
    assert ModelConfig(name="a", model="m", api_key_env=name).api_key_env == name


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-canary4f1d9a7b2c",
        "canary key",
        "",
        "$CANARY_KEY",
        "sk_canary_4f1d9a7b2c",
        "gsk_canary4f1d9a7b2c",
        "hf_canary4f1d9a7b2c",
        "AIzacanary4f1d9a7b2c",
        "canary4f1d9a7b2c4f1d9a7b2c4f1d9a7b2c",
    ],
)
def test_a_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="not the name of an environment variable") as refused:
        parse_config(config(key))
    shown = "".join(traceback.format_exception(refused.value))
    assert "canary" not in shown.lower()
    assert "committee.models.0" in shown


def test_a_judges_key_is_refused_as_well() -> None:
    judge = {"model": {"name": "j", "model": "m", "api_key_env": "sk-canary"}}
    with pytest.raises(ConfigError) as refused:
        parse_config(config("NAME", equivalence={"method": "judge", "judge": judge}))
    assert "canary" not in "".join(traceback.format_exception(refused.value))
