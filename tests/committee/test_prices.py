"""Prices: the config's first, nothing for the local model, litellm's list, else an error that says what to add."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from curator.committee import prices
from curator.committee.prices import batch_price, price_of, price_source, prices_of, takes_batches
from curator.config import Config, ModelConfig, Price, parse_config
from curator.errors import ConfigError

LIST = {
    "gpt-x": {"mode": "chat", "litellm_provider": "openai", "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07},
    "ft:gpt-x": {"mode": "chat", "litellm_provider": "openai", "input_cost_per_token": 3e-07, "output_cost_per_token": 1e-06},
    "sage-1": {"mode": "chat", "litellm_provider": "anthropic", "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06},
    "groq/lama": {"mode": "chat", "litellm_provider": "groq", "input_cost_per_token": 5e-08, "output_cost_per_token": 8e-08},
    "lama": {"mode": "chat", "litellm_provider": "elsewhere", "input_cost_per_token": 9e-06, "output_cost_per_token": 9e-06},
    "free": {"mode": "chat", "litellm_provider": "openai", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "half": {"mode": "chat", "litellm_provider": "openai", "input_cost_per_token": 1e-06},
    "painter": {"mode": "image_generation", "litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
}  # fmt: skip


@pytest.fixture(autouse=True)
def price_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_price_list", lambda: (LIST, "9.9.9"))


def model(name: str, **fields: object) -> ModelConfig:
    return ModelConfig.model_validate({"name": "m", "model": name, **fields})


def test_the_config_comes_first() -> None:
    priced = model("gpt-x", price={"input": 7, "output": 8})
    assert price_of(priced) == Price(input=7, output=8)
    assert price_source(priced) == "config"


def test_the_local_model_costs_nothing() -> None:
    local = ModelConfig(name="m", provider="local")
    assert price_of(local) == Price(input=0, output=0)
    assert price_source(local) == "local"


@pytest.mark.parametrize(
    ("asked", "key", "price"),
    [
        (model("gpt-x"), "gpt-x", (0.15, 0.6)),
        (model("ft:gpt-x:acme::1a2b"), "ft:gpt-x", (0.3, 1.0)),
        (model("lama", base_url="https://api.groq.com/openai/v1"), "groq/lama", (0.05, 0.08)),
        (model("groq/lama", provider="litellm"), "groq/lama", (0.05, 0.08)),
        (model("anthropic/sage-1", provider="litellm"), "sage-1", (1.0, 5.0)),
        (model("sage-1", provider="litellm"), "sage-1", (1.0, 5.0)),
    ],
)
def test_the_list_is_read_per_million_tokens(asked: ModelConfig, key: str, price: tuple[float, float]) -> None:
    assert price_of(asked) == Price(input=price[0], output=price[1])
    assert price_source(asked) == f"litellm 9.9.9: {key}"


@pytest.mark.parametrize(
    "asked",
    [
        model("nobody-knows"),
        model("free"),
        model("half"),
        model("painter"),
        model("sage-1"),  # another provider's model, asked of OpenAI
        model("mistral/lama", provider="litellm"),  # another provider's price
    ],
)
def test_an_unknown_price_is_an_error(asked: ModelConfig) -> None:
    with pytest.raises(ConfigError, match="is not known"):
        price_of(asked)


def test_the_lines_of_the_remedy_fit_a_config() -> None:
    with pytest.raises(ConfigError) as caught:
        price_of(model("nobody-knows"))
    lines = caught.value.remedy.split(":\n", 1)[1]
    (added,) = yaml.safe_load(lines)
    data = {"committee": {"models": [{**added, "model": "nobody-knows"}]}}
    config: Config = parse_config(data)
    assert config.committee.models[0].price == Price(input=0, output=0)


def test_a_batch_costs_half() -> None:
    assert batch_price(Price(input=3.0, output=5.0)) == Price(input=1.5, output=2.5)


def test_prices_go_by_the_name_in_the_config() -> None:
    models = [ModelConfig(name="a", model="gpt-x"), ModelConfig(name="b", provider="local")]
    assert prices_of(models) == {"a": Price(input=0.15, output=0.6), "b": Price(input=0, output=0)}


def test_the_list_that_litellm_carries_is_read_without_importing_it() -> None:
    code = (
        "import sys; from curator.committee.prices import batch_price, price_of, price_source; from curator.config import ModelConfig;"
        "m = ModelConfig(name='m', model='gpt-4o-mini'); p = price_of(m); assert 0 < p.input < p.output < 100, p;"
        "assert price_source(m).endswith(': gpt-4o-mini'); assert 'litellm' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"base_url": "https://api.openai.com/v1"}, True),
        ({"base_url": "https://host.example/v1"}, False),
        ({"base_url": "https://host.example/v1", "mode": "batch"}, True),
        ({"provider": "litellm"}, False),
        ({"provider": "local", "model": ""}, False),
    ],
)
def test_batches_can_be_had_at_openai_or_where_the_config_says_so(fields: dict[str, object], *, expected: bool) -> None:
    assert takes_batches(ModelConfig.model_validate({"name": "m", "model": "gpt-x", **fields})) is expected
