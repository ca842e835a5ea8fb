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


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("api_base", "base_url:"),
        ("base_url", "base_url:"),
        ("API-Base", "base_url:"),
        ("custom_llm_provider", "base_url:"),
        ("fallbacks", "base_url:"),
        ("aws_bedrock_runtime_endpoint", "base_url:"),
        ("api_key", "api_key_env:"),
        ("organization", "api_key_env:"),
        ("headers", "api_key_env:"),
        ("extra_headers", "api_key_env:"),
        ("default_headers", "api_key_env:"),
        ("aws_secret_access_key", "api_key_env:"),
        ("azure_ad_token", "api_key_env:"),
        ("vertex_credentials", "api_key_env:"),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "litellm", "local"])
def test_options_set_neither_host_nor_credentials(provider: str, option: str, remedy: str) -> None:
    model = {"name": "big", "provider": provider, "model": "openai/x", "options": {option: "http://canary.example"}}
    with pytest.raises(ConfigError, match=f"options: `{option}`.*{remedy}") as refused:
        parse_config({"logs": {"paths": ["logs.jsonl"]}, "committee": {"models": [model]}})
    assert "canary" not in "".join(traceback.format_exception(refused.value))


def test_other_options_are_taken() -> None:
    options = {
        "top_p": 0.9, "max_completion_tokens": 9, "stop_token_ids": [1], "api_version": "2024-10-21", "extra_body": {},
        "aws_region_name": "eu-west-1", "vertex_project": "p", "reasoning_effort": "low", "eos_token": "</s>",
    }  # fmt: skip
    assert ModelConfig(name="a", model="m", options=options).options == options
