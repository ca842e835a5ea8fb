"""A fine-tuning job of OpenAI, or of an API like it.

A file in the job's folder says how far the job is. It is written before each call that creates something, and again with the id that
the call gave. After a kill in between, the resource is looked for before it is created: a file by its name, which no other file
has, and a job by its file or by a nonce in its metadata.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
from pydantic import Field

from curator.config import ModelConfig, TrainerConfig
from curator.config.endpoint import OPENAI_BASE_URL, OPENAI_KEY, read_key
from curator.config.section import Positive, Section
from curator.errors import ConfigError, ProviderError, StorageError
from curator.io.atomic import write_atomic
from curator.progress import Progress, span
from curator.trainers.openai_api import Clock, FineTuningApi, open_client
from curator.trainers.options import read_options
from curator.trainers.row_tokens import row_tokens
from curator.trainers.trainer import TrainedModel, Trainer, TrainingCost, TrainingJob

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

_STATE = "openai_job.json"
_SUFFIX_CHARS = 40
_MILLION = 1_000_000
_CLOCK = Clock()


class OpenAIOptions(Section):
    """The options of the trainer `openai`."""

    epochs: Annotated[int, Field(ge=1, le=50)] = 3
    """The passes over the rows. The number is always sent: the provider's own choice would leave the cost open."""
    poll_s: Positive = 15
    """Seconds between two looks at the job."""


@dataclass(frozen=True, slots=True)
class _State:
    """The state of a job, as its file keeps it.

    Attributes:
        nonce: identifies the file and the job at the provider.
        sha256: of the training file.
        base_model: the model to fine-tune.
        base_url: the address of the API.
        uploading: the upload may have begun.
        file_id: of the uploaded file; None until it is known.
        creating: the creation of the job may have begun.
        job_id: of the job; None until it is known.
    """

    nonce: str
    sha256: str
    base_model: str
    base_url: str
    uploading: bool = False
    file_id: str | None = None
    creating: bool = False
    job_id: str | None = None


def _check(config: TrainerConfig, environ: Mapping[str, str]) -> None:
    """Refuse a config that cannot work: no base model, no price of the training, no key.

    Raises:
        ConfigError: one of them.
    """
    read_options(OpenAIOptions, config)
    if not config.base_model:
        raise ConfigError(
            "loop.trainer: the model to fine-tune is missing",
            remedy="name it as the endpoint does, such as `base_model: gpt-4.1-mini-2025-04-14`",
        )
    if config.training_price is None:
        raise ConfigError(
            f"loop.trainer: the price of training {config.base_model!r} is not known",
            remedy=(
                "add it, in US dollars per million tokens (0 where it costs you nothing):\n"
                "       trainer:\n"
                "         training_price: 0.00"
            ),
        )
    _key(config, environ)


def _key(config: TrainerConfig, environ: Mapping[str, str]) -> str | None:
    """Return the key of the endpoint; None for a `base_url` without `api_key_env`."""
    variable = config.api_key_env or (None if config.base_url else OPENAI_KEY)
    return None if variable is None else read_key(variable, environ, owner="`loop.trainer`")


def _cost(job: TrainingJob) -> TrainingCost:
    """Estimate the tokens of all epochs, rather too many than too few, and their price."""
    tokens = row_tokens(job.rows) * read_options(OpenAIOptions, job.config).epochs
    return TrainingCost(tokens, _usd(tokens, job.config))


def _usd(tokens: int, config: TrainerConfig) -> float | None:
    return None if config.training_price is None else tokens * config.training_price / _MILLION


def _train(job: TrainingJob, progress: Progress, *, clock: Clock = _CLOCK) -> TrainedModel:
    """Upload the rows, create the job and wait for it.

    What was begun in the job's folder is continued.

    One process at a time may work in the folder.

    Raises:
        ConfigError: `_check`; or the job was begun for other rows or another model.
        ProviderError: the API refuses, cannot be reached, or the job failed, was cancelled, or takes longer than `timeout_s`.
    """
    _check(job.config, job.environ)
    path = job.folder / _STATE
    state = _read(path, job)
    progress.start("train", total=None, unit="events")
    try:
        with open_client(state.base_url, _key(job.config, job.environ)) as client:
            api = FineTuningApi(client, job.environ, clock)
            state = _begun(api, job, state, path)
            finished = _wait(api, job, str(state.job_id), progress, clock)
            if finished.status != "succeeded" or not finished.fine_tuned_model:
                raise _ended(api, finished, path)
    finally:
        progress.finish()
    return _trained(finished, job)


def _begun(api: FineTuningApi, job: TrainingJob, state: _State, path: Path) -> _State:
    """Return the state once the file is uploaded and the job is created."""
    if state.file_id is None:
        begun = state.uploading
        state = _write(path, replace(state, uploading=True))
        file_id = api.upload(job.file, f"curator-{state.nonce}.jsonl", begun=begun)
        state = _write(path, replace(state, file_id=file_id))
    if state.job_id is None:
        begun = state.creating
        state = _write(path, replace(state, creating=True))
        job_id = api.create(
            str(state.file_id),
            state.nonce,
            model=state.base_model,
            suffix=job.name[:_SUFFIX_CHARS],
            seed=job.seed % 2**31,
            epochs=read_options(OpenAIOptions, job.config).epochs,
            begun=begun,
        )
        state = _write(path, replace(state, job_id=job_id))
    return state


def _wait(api: FineTuningApi, job: TrainingJob, job_id: str, progress: Progress, clock: Clock) -> FineTuningJob:
    """Return the job once it has ended; its events are shown meanwhile.

    Raises:
        ProviderError: it takes longer than `timeout_s`.
    """
    seen: set[str] = set()
    until = clock.now() + job.config.timeout_s
    pause = read_options(OpenAIOptions, job.config).poll_s
    while True:
        current = api.retrieve(job_id)
        for event in api.events(job_id):
            if event.id not in seen:
                seen.add(event.id)
                progress.advance(note=api.shown(event.message))
        if current.status in ("succeeded", "failed", "cancelled"):
            return current
        if clock.now() + pause > until:
            raise ProviderError(
                f"the fine-tuning job {job_id!r} is {current.status!r} after {span(job.config.timeout_s)}"
                " (`loop.trainer.timeout_s`)",
                remedy="it goes on at the provider: the same command waits for it again, and begins no second one",
            )
        clock.sleep(pause)


def _ended(api: FineTuningApi, finished: FineTuningJob, path: Path) -> ProviderError:
    """Return the error for a job without a model.

    Its state is put aside, so that the next training is a new job.
    """
    aside = path.with_name(f"openai_job.{finished.id}.json")
    path.replace(aside)
    if finished.status == "cancelled":
        return ProviderError(
            f"the fine-tuning job {finished.id!r} was cancelled at the provider",
            remedy="the same command begins a new job",
        )
    error = finished.error
    reason = api.shown(error.message) if error and error.message else "the provider gives no reason"
    field = f" ({error.param})" if error and error.param else ""
    return ProviderError(
        f"the fine-tuning job {finished.id!r} failed: {reason}{field}",
        remedy="fix what it names (the labels, `loop.trainer.base_model`, the quota); the same command then begins a new job",
    )


def _trained(finished: FineTuningJob, job: TrainingJob) -> TrainedModel:
    tokens = finished.trained_tokens
    seconds = float(max(0, (finished.finished_at or finished.created_at) - finished.created_at))
    return TrainedModel(
        trainer="openai",
        model=str(finished.fine_tuned_model),
        seconds=seconds,
        tokens=tokens,
        usd=_usd(_cost(job).tokens if tokens is None else tokens, job.config),
        details={"job": finished.id, "file": finished.training_file, "base_model": finished.model},
    )


@contextmanager
def _serve(model: TrainedModel, job: TrainingJob) -> Iterator[ModelConfig]:
    """Give the model as the engine asks it: the provider serves it."""
    config = job.config
    yield ModelConfig(
        name=job.name, model=model.model, base_url=config.base_url, api_key_env=config.api_key_env, price=config.price
    )


def _read(path: Path, job: TrainingJob) -> _State:
    """Return the state of a job that was begun, or that of a new one.

    Raises:
        ConfigError: it was begun for other rows, or another model or endpoint.
        StorageError: the file is damaged.
    """
    fresh = _State(
        secrets.token_hex(12),
        hashlib.sha256(job.file.read_bytes()).hexdigest(),
        job.config.base_model,
        job.config.base_url or OPENAI_BASE_URL,
    )
    try:
        state = _State(**orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return fresh
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(
            f"{str(path)!r}: the state of a fine-tuning job cannot be read ({error})",
            remedy="restore it from a copy. If you delete it, a new job is begun: cancel the one at the provider first",
        ) from error
    for what, before, now in (
        ("rows", state.sha256, fresh.sha256),
        ("base_model", state.base_model, fresh.base_model),
        ("base_url", state.base_url, fresh.base_url),
    ):
        if before != now:
            value = "" if what == "rows" else f" ({before!r}, now {now!r})"
            raise ConfigError(
                f"{str(path)!r}: a fine-tuning job was begun with other {what}{value}",
                remedy="set it back to wait for that job; or cancel it at the provider and delete this file, to begin a new one",
            )
    return state


def _write(path: Path, state: _State) -> _State:
    write_atomic(path, [orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2), b"\n"])
    return state


OPENAI = Trainer(
    name="openai",
    description="a fine-tuning job of OpenAI or of an endpoint with the same API; its cost is estimated before it starts",
    check=_check,
    cost=_cost,
    train=_train,
    serve=_serve,
)
