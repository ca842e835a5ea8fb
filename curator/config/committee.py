"""Who is asked, what it may cost, and when answers mean the same."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from curator.config.section import Positive, Section, Share

Provider = Literal["local", "openai", "litellm"]
Mode = Literal["live", "batch"]
EquivalenceMethod = Literal["lexical", "embedding", "judge", "nli"]

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Some providers' keys (`gsk_...`, `hf_...`, `AIza...`) have the form of a name, but no variable mixes its letters so.
_KEY_WITH_FORM_OF_NAME = re.compile(r"(?:sk_|gsk_|hf_|r8_|AIza)\w{12,}|(?=\w*[a-z])(?=(?:\w*[0-9]){3})\w{24,}")


class Price(Section):
    """What a model costs, in US dollars per million tokens."""

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
    """The endpoint, up to and including `/v1` (`openai`); the provider's own by default."""
    api_key_env: str | None = None
    """The name of the environment variable that holds the key. The key itself never stands in a config."""
    price: Price | None = None
    """Overrides the price list; needed where the model is not in it."""
    mode: Mode = "live"
    """`batch`: hand the calls in as files to the provider's batch API (OpenAI's), at half the price and within a day."""
    concurrency: Positive = 16
    """Requests in flight at most; how many there are follows what the endpoint takes."""
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    """The endpoint's limit; learned from its `x-ratelimit-*` headers where it sends them."""
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    """The same for input and output tokens together."""
    group_repeats: bool = True
    """Ask for the repeats of a prompt in one request (`n`), which bills the input once, where the endpoint proves to
    give as many answers as it is asked for (`openai` without `send_seed` only)."""
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds to wait for one answer. An answer of the `local` model, which runs in this process, has no limit."""
    max_tries: Annotated[int, Field(ge=1, le=20)] = 6
    """How often one request is tried before its failure is recorded."""
    send_seed: bool = False
    """Send a `seed` that depends on the sample, where the endpoint takes one."""
    options: dict[str, JsonValue] = Field(default={})
    """Further fields of the request body (top_p, ...); one that is null is left out of it: a reasoning model may want
    `{max_tokens: null, max_completion_tokens: 4000, temperature: null}`."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.provider != "local" and not self.model:
            raise ValueError("model: the name of the model at the endpoint is missing")
        if self.api_key_env is not None and not _is_variable_name(self.api_key_env):
            raise ValueError(
                "api_key_env: this is not the name of an environment variable, and may be the key itself: "
                "write the name here (such as MY_KEY), and put the key into that variable"
            )
        if self.base_url and ("@" in self.base_url or "?" in self.base_url):
            raise ValueError("base_url: no name, password or query may stand in it; a key goes into `api_key_env`")
        if "n" in self.options:
            raise ValueError("options: `n` is curator's own; ask for more answers with `committee.repeats`")
        limits = [self.options.get(name) for name in ("max_tokens", "max_completion_tokens")]
        if "max_tokens" in self.options and not any(type(limit) is int for limit in limits):
            raise ValueError("options: without `max_tokens` a whole number is needed in `max_completion_tokens`")
        if self.mode == "batch" and self.provider != "openai":
            raise ValueError(
                f"mode: `batch` needs `provider: openai`, and this model has `provider: {self.provider}`; "
                "take `mode` out, so that it is asked live"
            )
        return self


def _is_variable_name(text: str) -> bool:
    return bool(_VARIABLE_NAME.fullmatch(text)) and not _KEY_WITH_FORM_OF_NAME.fullmatch(text)


class AdaptiveConfig(Section):
    """How a cascade spends its calls: a few answers to every case, then more where they change the ranking."""

    first: Annotated[int, Field(ge=2)] = 3
    """Answers to every case before anything is decided; fewer, but at least 2, where the calls are not enough for it."""
    full_share: Share = 0.05
    """The share of cases, drawn at random, that get the whole committee whatever it says: they measure what the cascade
    misses."""
    average: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The calls to spend, as a share of those that the whole committee would take."""
    focus: Share = 0.2
    """How much the place where the selection cuts the ranking counts beside all other places: with 0 the calls serve the
    whole ranking (AUROC), with 1 only who is above the cut (precision)."""


class CommitteeConfig(Section):
    """Members are models x variants x temperatures; each one answers every case `repeats` times."""

    models: Annotated[tuple[ModelConfig, ...], Field(min_length=1)]
    """The models that are asked."""
    variants: Annotated[tuple[str, ...], Field(min_length=1)] = ("plain", "careful", "restated")
    """Prompt variants by id, from `prompts` or from those that come with curator."""
    temperatures: Annotated[tuple[Annotated[float, Field(ge=0, le=2)], ...], Field(min_length=1)] = (0.8,)
    """Sampling temperatures."""
    repeats: Positive = 2
    """Answers per member and case. With 1 the sampling noise of one prompt cannot be seen."""
    adaptive: AdaptiveConfig | None = None
    """Ask a small committee first, and the rest of it only where that changes the ranking; all of it everywhere
    by default."""
    max_tokens: Positive = 512
    """Output tokens per answer at most; a logged request's own smaller limit is kept."""
    prompts: str | None = None
    """A folder with variants of your own, one .md file each."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what, values in (
            ("models", [m.name for m in self.models]),
            ("variants", list(self.variants)),
            ("temperatures", list(self.temperatures)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what}: each one may stand there once")
        return self


class JudgeConfig(Section):
    """The model that says whether two answers mean the same. It shares the budget, the store and the prices."""

    model: ModelConfig
    """The model and its endpoint. An endpoint that knows no JSON schemas needs `options: {response_format: null}`."""
    max_tokens: Annotated[int, Field(ge=16)] = 64
    """Output tokens of a verdict at most; a reasoning model needs more."""
    pairs_per_case: Positive = 40
    """Pairs of answers to ask about at most in one case, those with the logged answer first; words decide the others."""

    @model_validator(mode="after")
    def _live(self) -> Self:
        if self.model.mode == "batch":
            raise ValueError("model: a judge is asked live: take `mode: batch` out")
        return self


class EquivalenceConfig(Section):
    """When short answers and texts mean the same. Labels, numbers and JSON are compared by value, whatever stands here."""

    method: EquivalenceMethod = "lexical"
    """`lexical`: by words, free; `embedding`: also by the vectors of `embedding.model`; `judge`: ask an LLM about the
    pairs that words leave open; `nli`: let a cross-encoder tell whether each answer entails the other."""
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
        """The judge, if it is to be asked."""
        return self.judge if self.method == "judge" else None


class BudgetConfig(Section):
    """Limits on what one run may spend; None is no limit. Stored answers cost nothing."""

    max_usd: Annotated[float, Field(ge=0)] | None = None
    """US dollars."""
    max_requests: Annotated[int, Field(ge=0)] | None = None
    """Requests sent, tries included; the repeats of a prompt may share one."""
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    """Input and output tokens together."""
    confirm_above_usd: Annotated[float, Field(ge=0)] = 1.0
    """`curator run` asks before it spends more than this many US dollars; `--yes` or `--max-usd` answer beforehand."""
