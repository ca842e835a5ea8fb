"""Keys and proxies of the environment: a key goes only to the host it was named for."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from curator.config import ModelConfig
from curator.config.endpoint import LOOPBACK, OPENAI_KEY, read_key, words_for

NO_KEY = "none"
"""Sent where an endpoint has no key of its own: without a key, the SDKs refuse or take one from the environment."""
_SECRET_CHARS = 8  # a shorter "key" (`none`, `EMPTY`, ...) is a placeholder, and texts may contain it


def api_key(model: ModelConfig, environ: Mapping[str, str]) -> str | None:
    """Return the key of a model's endpoint; None for a `base_url` without `api_key_env`.

    Raises:
        ConfigError: the environment variable is missing or empty, or does not hold a key.
    """
    variable = _variable(model)
    return None if variable is None else read_key(variable, environ, owner=f"model {model.name!r}")


def key_variable(model: ModelConfig) -> str | None:
    """Return the words for the variable of a model's key; None for a model without one."""
    variable = _variable(model)
    return None if variable is None else words_for(variable, f"model {model.name!r}")


def _variable(model: ModelConfig) -> str | None:
    if model.api_key_env is None and model.provider == "openai" and model.base_url is None:
        return OPENAI_KEY
    return model.api_key_env


def secret_of(key: str | None) -> str:
    """Return the text to black out where an endpoint repeats a key; empty for a placeholder."""
    return key if key and len(key) >= _SECRET_CHARS else ""


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the environment's HTTP proxy for a URL; None for this machine.

    `https_proxy`, `http_proxy` and `no_proxy` name it.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    lowered = {name.lower(): value for name, value in environ.items() if value}
    direct = [entry.strip().lstrip(".") for entry in lowered.get("no_proxy", "").split(",")]
    if host in LOOPBACK or any(entry and (entry == "*" or f".{host}".endswith(f".{entry}")) for entry in direct):
        return None
    return lowered.get(f"{parts.scheme}_proxy")
