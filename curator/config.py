"""The models of `configs/*.yaml`. Every default of the product lives here, once.

Paths in a config are relative to the config's own folder; paths on the command line are relative to where it is typed.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from curator.errors import ConfigError
from curator.records import Kind

Provider = Literal["local", "openai", "litellm"]
Mode = Literal["live", "batch"]
LogFormat = Literal["auto", "chat", "mapped"]
EquivalenceMethod = Literal["lexical", "embedding", "judge", "nli"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """What every part of the config has in common: it is frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FieldMapping(Section):
    """Which column (CSV) or key (JSONL, dotted for nested ones: `request.text`) holds what."""

    input: str
    """The user's text, or a list of chat messages."""
    target: str | None = None
    """The answer that production gave."""
    id: str | None = None
    """The log's own id of the record; kept as `log_id`."""
    system: str | None = None
    """The system prompt, where each record has its own. `logs.system` is the fixed one."""
    task: str | None = None
    """The name of the task, which `tasks:` refers to."""
    model: str | None = None
    """The model that gave the target."""
    finish_reason: str | None = None
    """Why the target ended; `length` marks a truncated answer."""
    thumb: str | None = None
    """The user's verdict: up/down, 1/-1, true/false, good/bad, positive/negative."""
    correction: str | None = None
    """What the user said the answer should have been."""
    label: str | None = None
    """An answer that a human labeller gave."""
    metadata: tuple[str, ...] = ()
    """Further columns to keep with the case."""


class LogsConfig(Section):
    """Where the production logs are and how they are read."""

    paths: tuple[str, ...] = ()
    """Files, folders (searched for .jsonl, .ndjson, .csv, also .gz and .zst) or globs. `--logs` replaces them."""
    format: LogFormat = "auto"
    """`chat`: JSONL of chat-completions request/response pairs; `mapped`: CSV or JSONL through `mapping`."""
    mapping: FieldMapping | None = None
    """Needed for `mapped`."""
    system: str | None = None
    """A system prompt for records that carry none (`mapped` only)."""
    examples: tuple[tuple[str, str], ...] = ()
    """Pairs of question and answer that the application puts before every input, as earlier turns (`mapped` only)."""
    task: str | None = None
    """The task of records that name none."""
    max_record_mb: Annotated[float, Field(gt=0)] = 16.0
    """A longer record is set aside unread, in megabytes."""
    max_unreadable: Share = 0.2
    """The run stops (exit code 6) when a larger share of the records than this cannot be read."""
    sample: Positive | None = None
    """Work on a random subset of this many deduplicated cases."""


class DedupeConfig(Section):
    """When two inputs count as the same."""

    merge_similarity: Share = 0.9
    """Cases this alike (Jaccard over character 4-grams), with the same numbers and negations, are merged into one."""
    group_similarity: Share = 0.7
    """Cases this alike share a near-duplicate group, which is never split between eval and train."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Length of the MinHash signature."""

    @property
    def same_group(self) -> float:
        """The similarity of a group's cases: what is alike enough to be merged is alike enough for a group."""
        return min(self.group_similarity, self.merge_similarity)


class TaskConfig(Section):
    """What is known of one task's answers. Without it the kind is found from the answers themselves."""

    kind: Kind | None = None
    """How answers are read and compared; `docs/answers.md` says which kind is for what."""
    labels: tuple[str, ...] = ()
    """The labels an answer may be; an answer is then read as the first of them that it names."""


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
    """Seconds to wait for one answer."""
    max_tries: Annotated[int, Field(ge=1, le=20)] = 6
    """How often one request is tried before its failure is recorded."""
    send_seed: bool = False
    """Send a `seed` that depends on the sample, where the endpoint takes one."""
    options: dict[str, JsonValue] = {}
    """Further fields of the request body (top_p, ...); one that is null is left out of it: a reasoning model may want
    `{max_tokens: null, max_completion_tokens: 4000, temperature: null}`."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.provider != "local" and not self.model:
            raise ValueError("model: the name of the model at the endpoint is missing")
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


class EmbeddingConfig(Section):
    """The model that turns inputs into vectors."""

    model: str = "local"
    """`local`: the bundled all-MiniLM-L6-v2; else a sentence-transformers model name, or a folder (`./...`)."""
    batch_size: Positive = 32
    """Texts per batch."""


class ClusteringConfig(Section):
    """How unstable cases are grouped into categories."""

    min_cluster_size: Annotated[int, Field(ge=2)] = 4
    """The smallest group that counts as a category."""
    two_stage_above: Positive = 3000
    """Above this many points, k-means centres are clustered instead of the points."""


class SelectionConfig(Section):
    """How the labelling budget is spent."""

    k: Annotated[int, Field(ge=0)] = 100
    """Cases to select."""
    random_share: Share = 0.2
    """The share of k that is drawn at random against blind spots. Discovery takes one case of a near-duplicate group;
    what it leaves of k is drawn at random as well, unless this is 0."""
    held_out_share: Share = 0.5
    """The share of near-duplicate groups that are held out: they may be evaluated on, never trained on."""
    candidates_per_pick: Positive = 5
    """How many of the most disagreeing cases are embedded for each pick."""
    disagreement_power: Annotated[float, Field(ge=0)] = 2.0
    """The exponent of disagreement in the objective."""
    score_weight: Annotated[float, Field(ge=0)] = 0.1
    """The weight of a pick's own disagreement beside the coverage it brings."""


class HeldOutConfig(Section):
    """How what is held out is kept out of training, for ever. Its share is `selection.held_out_share`."""

    registry: str | None = None
    """The file that remembers over nights what is held out and what was trained on; `held_out.sqlite` beside the store by
    default. It knows no more than the logs do, and must not be lost."""
    paraphrases: bool = True
    """Also keep out of training what asks a held-out question in other words; the vectors take time."""
    paraphrase_similarity: Annotated[float, Field(ge=0.7, le=1)] = 0.88
    """The cosine from which on two questions are the same in other words, if they have no numbers and names; those that
    agree ask for up to .25 less, those that differ for up to .15 more (`docs/held_out.md`)."""
    translations: bool = True
    """Also keep out of training what has a held-out question's numbers, names and code in the same order, in other words."""


class OutputsConfig(Section):
    """What is trusted enough to be trained on."""

    trusted_models: tuple[str, ...] = ()
    """Models whose logged answers may become fine-tune targets, by the name in the log."""


class Config(Section):
    """One curation job."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "curator"
    """Names the run folder: `runs/<name>`."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Fixes every random choice."""
    logs: LogsConfig = LogsConfig()
    """Where the production logs are and how they are read."""
    dedupe: DedupeConfig = DedupeConfig()
    """When two inputs count as the same."""
    tasks: dict[str, TaskConfig] = {}
    """What is known of each task's answers, by the task's name in the log."""
    committee: CommitteeConfig
    """Who is asked."""
    equivalence: EquivalenceConfig = EquivalenceConfig()
    """When answers mean the same."""
    budget: BudgetConfig = BudgetConfig()
    """What may be spent."""
    embedding: EmbeddingConfig = EmbeddingConfig()
    """The model that turns inputs into vectors."""
    clustering: ClusteringConfig = ClusteringConfig()
    """How unstable cases are grouped."""
    selection: SelectionConfig = SelectionConfig()
    """How the labelling budget is spent."""
    held_out: HeldOutConfig = HeldOutConfig()
    """How what is held out is kept out of training."""
    outputs: OutputsConfig = OutputsConfig()
    """What is trusted enough to be trained on."""
    calibration: str | None = None
    """A file that `curator calibrate --out` wrote: cases are ranked by its fitted score where that has shown a gain
    (`docs/calibration.md`). Not with `committee.adaptive`."""
    labels: tuple[str, ...] = ()
    """Label files that came back: `label_queue.csv` or `.jsonl` with the `label` column filled in."""
    store: str | None = None
    """The file that keeps paid-for answers; `.curator/store.sqlite` where the command is typed by default."""

    @model_validator(mode="after")
    def _one_ranking(self) -> Self:
        if self.calibration and self.committee.adaptive:
            raise ValueError(
                "calibration: a fitted score ranks cases with the whole committee's answers only; take it out, or "
                "`committee.adaptive`"
            )
        return self


def load_config(path: str | Path) -> Config:
    """Read a config file, with the paths in it resolved against its folder.

    Raises:
        ConfigError: there is no such file, it is no YAML, or a key or value does not fit.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{str(path)!r}: the config cannot be read ({error})",
            remedy="name an existing YAML file, or make one with `curator init`",
        ) from error
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{str(path)!r}{where}: not valid YAML ({getattr(error, 'problem', error)})",
            remedy="mend the indentation or quoting there",
        ) from error
    if not isinstance(data, dict):
        raise ConfigError(
            f"{str(path)!r}: expected keys such as `logs:` and `committee:`, found {type(data).__name__}",
            remedy="start from a config made by `curator init`",
        )
    return _resolve(parse_config(data, name=str(path)), path.resolve().parent)


def parse_config(data: Mapping[str, object], *, name: str = "config") -> Config:
    """Validate a config that is already a mapping.

    Raises:
        ConfigError: a key or value does not fit; an unknown key names the nearest known one.
    """
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems = [_explain(e["loc"], e["msg"], e["type"], e.get("input")) for e in error.errors()]
        raise ConfigError(
            f"{name!r}: " + "; ".join(problems), remedy="see docs/configuration.md for every key"
        ) from error


def parse_equivalence(data: Mapping[str, object]) -> EquivalenceConfig:
    """The `equivalence:` section alone, as `curator score` takes it from its arguments.

    Raises:
        ConfigError: it does not fit.
    """
    try:
        return EquivalenceConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            first["msg"].removeprefix("Value error, "), remedy="say which model with --nli-model NAME"
        ) from error


def _explain(location: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    where = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _known_keys(location[:-1]), n=1, cutoff=0.5)
        return f"unknown key {where!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if kind == "missing":
        return f"{where!r} is missing"
    # A whole section is not repeated: it may hold what nobody should see.
    found = f" (found {value!r})" if isinstance(value, str | int | float) else ""
    return f"{where!r}: {message.removeprefix('Value error, ')}{found}"


def _known_keys(path: Iterable[int | str]) -> list[str]:
    """The keys of the section that `path` leads to."""
    section: type[BaseModel] = Config
    for part in path:
        field = section.model_fields.get(str(part))
        nested = _section_in(field.annotation) if field else None
        section = nested or section
    return list(section.model_fields)


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _section_in(argument):
            return found
    return None


def _resolve(config: Config, folder: Path) -> Config:
    """The config with its paths made ready to open: relative to the working folder where they are inside it."""

    def resolved(path: str) -> str:
        full = Path(os.path.normpath(folder / os.path.expanduser(path)))  # noqa: PTH111  (no error for an unknown ~user)
        return str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)

    def model(name: str) -> str:
        return resolved(name) if name.startswith(("./", "../", "~")) else name

    committee, logs, embedding, equivalence = config.committee, config.logs, config.embedding, config.equivalence
    held_out = config.held_out
    return config.model_copy(
        update={
            "logs": logs.model_copy(update={"paths": tuple(resolved(p) for p in logs.paths)}),
            "labels": tuple(resolved(p) for p in config.labels),
            "calibration": resolved(config.calibration) if config.calibration else None,
            "store": resolved(config.store) if config.store else None,
            "held_out": held_out.model_copy(
                update={"registry": resolved(held_out.registry) if held_out.registry else None}
            ),
            "embedding": embedding.model_copy(update={"model": model(embedding.model)}),
            "equivalence": equivalence.model_copy(
                update={"nli_model": model(equivalence.nli_model) if equivalence.nli_model else None}
            ),
            "committee": committee.model_copy(
                update={"prompts": resolved(committee.prompts) if committee.prompts else None}
            ),
        }
    )
