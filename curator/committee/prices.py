"""What a model costs: the config's own price, nothing for the local model, else litellm's price list.

The list is read as the file that litellm carries, since importing litellm takes seconds. It gives the plain price per
token; discounts (cached input, batches) and surcharges (very long inputs) are left out.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from curator.config import ModelConfig, Price
from curator.errors import ConfigError

_LIST = "model_prices_and_context_window_backup.json"
_TEXT_MODES = {"chat", "completion", "responses"}
_MILLION = 1_000_000
# The list's name for the provider behind a well-known endpoint.
_PROVIDER_OF_HOST = {
    "api.anthropic.com": "anthropic",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks_ai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.openai.com": "openai",
    "api.together.xyz": "together_ai",
    "api.x.ai": "xai",
    "generativelanguage.googleapis.com": "gemini",
    "openrouter.ai": "openrouter",
}


@dataclass(frozen=True, slots=True)
class _Found:
    price: Price
    source: str


def price_of(model: ModelConfig) -> Price:
    """The model's price in US dollars per million tokens.

    Raises:
        ConfigError: nobody knows it. The remedy gives the lines to add.
    """
    return _find(model).price


def price_source(model: ModelConfig) -> str:
    """Where `price_of` has the price from, for the manifest: `config`, `local`, or litellm's version and the key there.

    Raises:
        ConfigError: as `price_of`.
    """
    return _find(model).source


def prices_of(models: Iterable[ModelConfig]) -> dict[str, Price]:
    """The price of each model, by its name in the config.

    Raises:
        ConfigError: as `price_of`.
    """
    return {model.name: price_of(model) for model in models}


def batch_price(price: Price) -> Price:
    """What the same tokens cost in a batch: half of both.

    OpenAI's Batch API is billed at a 50% discount on the synchronous API, input and output alike
    (https://platform.openai.com/docs/guides/batch).
    """
    return Price(input=price.input / 2, output=price.output / 2)


def _find(model: ModelConfig) -> _Found:
    if model.price is not None:
        return _Found(model.price, "config")
    if model.provider == "local":
        return _Found(Price(input=0.0, output=0.0), "local")
    entries, version = _price_list()
    for key, provider in _keys(model):
        if price := _read(entries.get(key), provider=provider):
            return _Found(price, f"litellm {version}: {key}")
    raise ConfigError(
        f"committee.models: the price of {model.name!r} (model {model.model!r}) is not known",
        remedy=(
            "add its price, in US dollars per million tokens, to that model (0 where it costs you nothing):\n"
            f"       - name: {model.name}\n"
            "         price:\n"
            "           input: 0.00\n"
            "           output: 0.00"
        ),
    )


def _keys(model: ModelConfig) -> list[tuple[str, str]]:
    """The names under which the list may hold the model, the likeliest first, each with the provider it must be of."""
    # A fine-tuned model is `ft:<base>:<organisation>:<suffix>:<id>`, and the list holds `ft:<base>`.
    name = ":".join(model.model.split(":")[:2]) if model.model.startswith("ft:") else model.model
    if model.provider == "litellm":
        provider, _, bare = name.partition("/")
        return [(name, ""), (bare, provider)]
    host = urlsplit(model.base_url).hostname if model.base_url else "api.openai.com"
    provider = _PROVIDER_OF_HOST.get(host or "", "")
    # The same name at an endpoint of one's own costs something else.
    return [(f"{provider}/{name}", ""), (name, provider)] if provider else []


def _read(entry: object, *, provider: str) -> Price | None:
    """The price in an entry of the list, None where it has none; `provider` is what its provider's name begins with.

    A price of zero there often means one that nobody entered, and counts as unknown.
    """
    if not isinstance(entry, Mapping) or entry.get("mode") not in _TEXT_MODES:
        return None
    costs = [entry.get(key) for key in ("input_cost_per_token", "output_cost_per_token")]
    rates = [round(cost * _MILLION, 6) for cost in costs if isinstance(cost, int | float)]
    if len(rates) < 2 or not any(rates) or not str(entry.get("litellm_provider")).startswith(provider):
        return None
    return Price(input=rates[0], output=rates[1])


@functools.cache
def _price_list() -> tuple[Mapping[str, Any], str]:
    """Litellm's entries by model, and its version; no entries where it is not installed."""
    spec = importlib.util.find_spec("litellm")
    path = Path(spec.origin).with_name(_LIST) if spec and spec.origin else None
    if path is None or not path.is_file():
        return {}, ""
    return orjson.loads(path.read_bytes()), importlib.metadata.version("litellm")
