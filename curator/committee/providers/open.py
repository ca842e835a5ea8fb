"""Opens a client for each model of a config, with its key out of the environment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from curator.committee.providers.litellm import LiteLLMClient
from curator.committee.providers.local import open_local
from curator.committee.providers.openai_compatible import OPENAI_BASE_URL, OpenAIClient
from curator.committee.requests import ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.errors import ConfigError

_OPENAI_KEY = "OPENAI_API_KEY"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


@asynccontextmanager
async def open_clients(
    models: Sequence[ModelConfig], *, environ: Mapping[str, str]
) -> AsyncIterator[Mapping[str, ModelClient]]:
    """A client for each model, by the model's name; leaving the context closes them.

    Nothing is connected, imported or loaded before the first request, so that a run whose answers are all stored
    needs no more than the keys.

    Raises:
        ConfigError: the variable that holds a key is missing or holds none, or a `base_url` is no address.
    """
    async with AsyncExitStack() as stack:
        clients: dict[str, ModelClient] = {}
        for model in models:
            if model.provider == "local":
                clients[model.name] = await stack.enter_async_context(open_local(model))
            elif model.provider == "litellm":
                clients[model.name] = _LazyLiteLLM(_litellm_opener(model, environ))
            else:
                clients[model.name] = await stack.enter_async_context(_openai(model, environ))
        yield clients


def api_key(model: ModelConfig, environ: Mapping[str, str]) -> str | None:
    """The model's key, None where it needs none: an endpoint of one's own without `api_key_env`.

    Raises:
        ConfigError: the variable that should hold it is missing or empty, or holds something else.
    """
    variable = model.api_key_env
    if variable is None and model.provider == "openai" and model.base_url is None:
        variable = _OPENAI_KEY
    if variable is None:
        return None
    key = environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"model {model.name!r}: the environment variable {variable!r} is not set, which should hold its key",
            remedy=f"export {variable}=..., or name another variable in `api_key_env`",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"model {model.name!r}: what the environment variable {variable!r} holds is no key (blanks or odd signs)",
            remedy=f"set {variable} to the key alone",
        )
    return key


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The HTTP proxy that `https_proxy`, `http_proxy` and `no_proxy` name for a URL; never one for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    lowered = {name.lower(): value for name, value in environ.items() if value}
    direct = [entry.strip().lstrip(".") for entry in lowered.get("no_proxy", "").split(",")]
    if host in _LOOPBACK or any(entry and (entry == "*" or f".{host}".endswith(f".{entry}")) for entry in direct):
        return None
    return lowered.get(f"{parts.scheme}_proxy")


def _openai(model: ModelConfig, environ: Mapping[str, str]) -> OpenAIClient:
    base_url = model.base_url or OPENAI_BASE_URL
    return OpenAIClient(
        base_url,
        api_key(model, environ),
        timeout_s=model.timeout_s,
        concurrency=model.concurrency,
        proxy=proxy_for(base_url, environ),
    )


def _litellm_opener(model: ModelConfig, environ: Mapping[str, str]) -> Callable[[], LiteLLMClient]:
    """Makes the client; litellm finds the keys of most providers itself, so every secret there is gets blacked out."""
    key = api_key(model, environ)
    secrets = tuple(value for name, value in environ.items() if _SECRET_NAME.search(name))
    return lambda: LiteLLMClient(
        model.model, api_key=key, base_url=model.base_url, timeout_s=model.timeout_s, secrets=secrets
    )


class _LazyLiteLLM:
    """A LiteLLMClient that is made by its first request, since importing litellm takes seconds."""

    def __init__(self, make: Callable[[], LiteLLMClient]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._client: LiteLLMClient | None = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, as LiteLLMClient does."""
        async with self._lock:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
        return await self._client.complete(request)
