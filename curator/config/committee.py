"""The committee, its budget, and the comparison of answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from curator.config.endpoint import check_endpoint, endpoint_remedy
from curator.config.section import Positive, Section, Share

Provider = Literal["local", "openai", "litellm"]
Mode = Literal["live", "batch"]
EquivalenceMethod = Literal["lexical", "embedding", "judge", "nli"]


class Price(Section):
    """The price of a model, in US dollars per million tokens."""

    input: Annotated[float, Field(ge=0)]
    """Per million input tokens."""
    output: Annotated[float, Field(ge=0)]
    """Per million output tokens."""


class ModelConfig(Section):
    """One model of the committee and the endpoint that serves it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """A short name, used in reports and member ids."""
    provider: Provider = "openai"
    """`openai`: any OpenAI-compatible endpoint; `litellm`: every other provider; `local`: the bundled local model."""
    model: str = ""
    """The model's name as the endpoint knows it (not needed for `local`)."""
    base_url: str | None = None
    """The URL of the endpoint, up to and including `/v1` (`openai`); by default the provider's own."""
    api_key_env: str | None = None
    """The name of the environment variable that holds the key. The key itself never stands in a config."""
    price: Price | None = None
    """Overrides the price list; needed where the model is not in it."""
    mode: Mode = "live"
    """`live`, or `batch`: send the calls as files to OpenAI's batch API, at half the price and within a day."""
    concurrency: Positive = 16
    """The most requests in flight at a time. The actual number adapts to the endpoint."""
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    """The limit of the endpoint; by default it is read from the `x-ratelimit-*` headers, if the endpoint sends them."""
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    """The same for input and output tokens together."""
    group_repeats: bool = True
    """Ask for all repeats of a prompt in one request (`n`), which bills the input once. It is used only if the endpoint is
    seen to return as many answers as were asked for (`openai` without `send_seed` only)."""
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds to wait for one answer. An answer of the `local` model, which runs in this process, has no limit."""
    patience_s: Annotated[float, Field(ge=0)] = 300.0
    """The longest pause, in seconds, that the endpoint may ask for (`Retry-After`, the reset of a used-up limit). A longer
    one, such as that of a day's quota, ends the run with exit code 5, and the same command goes on later."""
    context_window: Positive | None = None
    """The most tokens of a prompt. A prompt that is surely longer is not sent. By default, the limit is taken from litellm's
    list of models, or from what the endpoint's `/models` says."""
    max_tries: Annotated[int, Field(ge=1, le=20)] = 6
    """Tries of one request before its failure is recorded."""
    send_seed: bool = False
    """Send a `seed` that depends on the sample, for endpoints that accept one."""
    options: dict[str, JsonValue] = Field(default={})
    """Further fields of the request body, such as `top_p`; `{logprobs: true}` asks for the log-probabilities of the tokens
    (`docs/likelihood_and_confidence.md`). A field that is null is left out: a reasoning model may need
    `{max_tokens: null, max_completion_tokens: 4000, temperature: null}`. Names that set a host, headers or credentials
    (`api_base`, `extra_headers`, `aws_...`) are refused: `base_url` and `api_key_env` set them."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.provider != "local" and not self.model:
            raise ValueError("model: the name of the model at the endpoint is missing")
        check_endpoint(self.base_url, self.api_key_env)
        if "n" in self.options:
            raise ValueError("options: curator sets `n` itself; ask for more answers with `committee.repeats`")
        for name in self.options:
            if remedy := endpoint_remedy(name):
                raise ValueError(f"options: `{name}` is not a field of the request; {remedy}")
        limits = [self.options.get(name) for name in ("max_tokens", "max_completion_tokens")]
        if "max_tokens" in self.options and not any(type(limit) is int for limit in limits):
            raise ValueError("options: if `max_tokens` is null, `max_completion_tokens` needs a whole number")
        if self.mode == "batch" and self.provider != "openai":
            raise ValueError(
                f"mode: `batch` needs `provider: openai`, and this model has `provider: {self.provider}`; "
                "remove `mode` to ask it live"
            )
        return self


def _asked_live(model: ModelConfig) -> ModelConfig:
    if model.mode == "batch":
        raise ValueError("this model is asked live: remove `mode: batch`")
    return model


LiveModel = Annotated[ModelConfig, AfterValidator(_asked_live)]
"""A model that is asked beside the committee while the run waits, and so never in batches."""


class AdaptiveConfig(Section):
    """The adaptive committee: a few answers a case, then more where they change the ranking."""

    first: Annotated[int, Field(ge=2)] = 3
    """Answers to every case before the first decision; fewer, but at least 2, if the calls do not suffice."""
    full_share: Share = 0.05
    """The share of cases, drawn at random, that always get the whole committee. They measure what the adaptive committee
    misses."""
    average: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The calls to make, as a share of the calls of the whole committee."""
    focus: Share = 0.2
    """The weight of the cut of the ranking, where the selection ends: with 0 the calls improve the whole ranking (AUROC), with
    1 only the decision of which cases are above the cut (precision)."""


class CommitteeConfig(Section):
    """Members are models x variants x temperatures; each one answers every case `repeats` times."""

    models: Annotated[tuple[ModelConfig, ...], Field(min_length=1)]
    """The models that are asked."""
    variants: Annotated[tuple[str, ...], Field(min_length=1)] = ("plain", "careful", "restated")
    """Prompt variants by id, from `prompts` or from those that come with curator."""
    temperatures: Annotated[tuple[Annotated[float, Field(ge=0, le=2)], ...], Field(min_length=1)] = (0.8,)
    """Sampling temperatures."""
    repeats: Positive = 2
    """Answers per member and case. With 1, the sampling noise of one prompt cannot be measured."""
    adaptive: AdaptiveConfig | None = None
    """Ask a part of the committee first, and the rest only where that changes the ranking. By default, every case gets the
    whole committee."""
    max_tokens: Positive = 512
    """The most output tokens of an answer; a smaller limit of the logged request is kept."""
    prompts: str | None = None
    """A folder with your own variants, one .md file each."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what, values in (
            ("models", [m.name for m in self.models]),
            ("variants", list(self.variants)),
            ("temperatures", list(self.temperatures)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what}: each one must be given once")
        return self


class JudgeConfig(Section):
    """A model that decides whether two answers mean the same; it shares budget and store."""

    model: LiveModel
    """The model and its endpoint. An endpoint without JSON schemas needs `options: {response_format: null}`."""
    max_tokens: Annotated[int, Field(ge=16)] = 64
    """The most output tokens of a verdict; a reasoning model needs more."""
    pairs_per_case: Positive = 40
    """The most pairs of answers to ask about per case, those with the logged answer first. Words decide the others."""


class EquivalenceConfig(Section):
    """The comparison of short answers and texts; labels, numbers and JSON are compared by value."""

    method: EquivalenceMethod = "lexical"
    """`lexical`: by words, free; `embedding`: also by the vectors of `embedding.model`; `judge`: ask an LLM about the
    pairs that words leave open; `nli`: a cross-encoder decides whether each answer entails the other."""
    judge: JudgeConfig | None = None
    """The judge, for `method: judge`."""
    nli_model: str | None = None
    """For `method: nli`: a cross-encoder trained for NLI, as a folder (`./...`) or by its name at the model hub."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.method == "judge" and self.judge is None:
            raise ValueError("method: `judge` needs a `judge:` section that names its model")
        if self.method == "nli" and not self.nli_model:
            raise ValueError("method: `nli` needs an `nli_model`, such as a folder with a cross-encoder")
        return self

    @property
    def asks(self) -> JudgeConfig | None:
        """The judge, if the method uses one."""
        return self.judge if self.method == "judge" else None


class BudgetConfig(Section):
    """Limits on the spending of one run; None means without limit. Stored answers cost nothing."""

    max_usd: Annotated[float, Field(ge=0)] | None = None
    """The most US dollars to spend."""
    max_requests: Annotated[int, Field(ge=0)] | None = None
    """The most requests to send, retries included; the repeats of a prompt may share one."""
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    """The most input and output tokens, together."""
    confirm_above_usd: Annotated[float, Field(ge=0)] = 1.0
    """`curator run` asks before it spends more than this many US dollars; `--yes` or `--max-usd` answer in advance."""
