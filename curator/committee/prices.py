"""Price and context window of a model, by the config or by litellm's list of models.

The list is read from litellm's file, since importing litellm takes seconds. It gives the plain price per token, without
discounts (cached input) and surcharges (very long inputs). `batch_price` gives the price in a batch.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from curator.committee.providers.hosts import provider_at
from curator.config import ModelConfig, Price
from curator.errors import ConfigError

_LIST = "model_prices_and_context_window_backup.json"
_TEXT_MODES = {"chat", "completion", "responses"}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _SourcedPrice:
    price: Price
    source: str


def price_of(model: ModelConfig) -> Price:
    """Return the model's price in US dollars per million tokens.

    Raises:
        ConfigError: it is unknown. The remedy gives the lines to add.
    """
    return _find(model).price


def price_source(model: ModelConfig) -> str:
    """Return the source of the price, for the manifest.

    It is `config`, `local`, or litellm's version and the key in its list.

    Raises:
        ConfigError: as `price_of`.
    """
    return _find(model).source


def prices_of(models: Iterable[ModelConfig]) -> dict[str, Price]:
    """Return the price of each model, by its name in the config.

    Raises:
        ConfigError: as `price_of`.
    """
    return {model.name: price_of(model) for model in models}


def listed_context_window(model: ModelConfig) -> int | None:
    """Return the most input tokens of a model by litellm's list; None where it has none."""
    entries, _ = _price_list()
    for key, provider in _keys(model):
        entry = entries.get(key)
        if isinstance(entry, Mapping) and str(entry.get("litellm_provider")).startswith(provider):
            window = entry.get("max_input_tokens")
            return window if isinstance(window, int) and window > 0 else None
    return None


def batch_price(price: Price) -> Price:
    """Return the price of the same tokens in a batch: half of both rates.

    The source is OpenAI's guide "Batch API", which gives a 50% discount.
    """
    return Price(input=price.input / 2, output=price.output / 2)


def takes_batches(model: ModelConfig) -> bool:
    """Return whether the model can have `mode: batch`.

    OpenAI's own models can, and those whose config says so.
    """
    return model.provider == "openai" and (model.mode == "batch" or provider_at(model.base_url) == "openai")


def _find(model: ModelConfig) -> _SourcedPrice:
    if model.price is not None:
        return _SourcedPrice(model.price, "config")
    if model.provider == "local":
        return _SourcedPrice(Price(input=0.0, output=0.0), "local")
    entries, version = _price_list()
    for key, provider in _keys(model):
        if price := _read(entries.get(key), provider=provider):
            return _SourcedPrice(price, f"litellm {version}: {key}")
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
    """Return the names under which the list may hold the model, the likeliest first.

    With each name comes the provider that the entry must have.
    """
    # A fine-tuned model is `ft:<base>:<organisation>:<suffix>:<id>`, and the list holds `ft:<base>`.
    name = ":".join(model.model.split(":")[:2]) if model.model.startswith("ft:") else model.model
    if model.provider == "litellm":
        provider, _, bare = name.partition("/")
        return [(name, ""), (bare, provider)]
    host_provider = provider_at(model.base_url)
    # The same model name at another endpoint has another price.
    return [(f"{host_provider}/{name}", ""), (name, host_provider)] if host_provider else []


def _read(entry: object, *, provider: str) -> Price | None:
    """Return the price in an entry of the list; None where it has none.

    `provider` is the start of the name of the entry's provider.

    A price of zero often means that none was entered, and counts as unknown.
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
    """Return litellm's entries by model, and its version; no entries where it is not installed."""
    spec = importlib.util.find_spec("litellm")
    path = Path(spec.origin).with_name(_LIST) if spec and spec.origin else None
    if path is None or not path.is_file():
        return {}, ""
    return orjson.loads(path.read_bytes()), importlib.metadata.version("litellm")
