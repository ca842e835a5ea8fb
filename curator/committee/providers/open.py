"""Clients of the models of a config, opened and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from curator.committee.providers import PROVIDERS
from curator.committee.requests import ModelClient
from curator.config import ModelConfig


@asynccontextmanager
async def open_clients(
    models: Sequence[ModelConfig], *, environ: Mapping[str, str]
) -> AsyncIterator[Mapping[str, ModelClient]]:
    """Open a client for each model, by the model's name; leaving the context closes them.

    Nothing is connected, imported or loaded before the first request. A run whose answers are all stored needs only
    the keys.

    Raises:
        ConfigError: the variable of a key is missing or does not hold one, or a `base_url` is not a URL.
    """
    async with AsyncExitStack() as stack:
        yield {
            model.name: await stack.enter_async_context(PROVIDERS[model.provider].open_client(model, environ))
            for model in models
        }
