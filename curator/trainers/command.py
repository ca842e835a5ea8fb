"""Any program as a trainer.

It gets the training file, and names the model in the last line that it prints. That line is the model's name, or a JSON object
with the fields of `CommandResult`. A program that is to serve its model gives a `serve_command` there, which `serve` starts and
ends.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlsplit

import orjson
from pydantic import Field, ValidationError

from curator.config import ModelConfig, Price, TrainerConfig
from curator.config.section import Section
from curator.errors import ConfigError, ProviderError, UserError
from curator.progress import Progress, span
from curator.records import JsonValue
from curator.trainers.messages import shown
from curator.trainers.options import read_options
from curator.trainers.ports import free_port
from curator.trainers.program import Program, running
from curator.trainers.row_tokens import row_tokens
from curator.trainers.trainer import TrainedModel, Trainer, TrainingCost, TrainingJob

_LOCK = "command.lock"
_SERVE_LOCK = "serve.lock"
_LOOK_S = 0.2
_ANSWER_S = 5.0
_MILLION = 1_000_000
_FORM = (
    "let the last line that it prints on stdout be the name of the model, or JSON such as"
    ' {"model": "NAME", "base_url": "http://127.0.0.1:8000/v1"} (docs/trainers.md)'
)


class CommandOptions(Section):
    """The options of the trainer `command`."""

    start_s: Annotated[float, Field(gt=0)] = 300.0
    """Seconds until the endpoint of a `serve_command` must answer."""


class CommandResult(Section):
    """The last line of a training program, as JSON."""

    model: Annotated[str, Field(min_length=1)]
    """The name of the model, as its endpoint knows it."""
    base_url: str | None = None
    """The URL of the endpoint; by default `loop.trainer.base_url`. `{port}` is replaced."""
    price: Price | None = None
    """The price of asking the model; by default `loop.trainer.price`, and 0 with a `serve_command`."""
    serve_command: tuple[str, ...] = ()
    """A program that serves the model until it is ended. `{port}` is replaced by a free port of this computer."""
    usd: Annotated[float, Field(ge=0)] | None = None
    """The cost of the training, in US dollars."""


def _check(config: TrainerConfig, environ: Mapping[str, str]) -> None:
    """Refuse a config without a program, or with one that is not there.

    Raises:
        ConfigError: one of them.
    """
    read_options(CommandOptions, config)
    if os.name != "posix":
        raise ConfigError(
            "loop.trainer: `command` needs process groups, which this system does not have",
            remedy="run the loop on Linux or macOS, or choose another trainer",
        )
    if not config.command:
        raise ConfigError(
            "loop.trainer: the program is missing",
            remedy='name it with its arguments, such as `command: ["python", "train.py", "{training_file}"]`',
        )
    program = config.command[0]
    if shutil.which(program, path=environ.get("PATH")) is None:
        raise ConfigError(
            f"loop.trainer.command: no program {program!r} was found that may be executed",
            remedy="install it, or name it with its path; a relative path is looked up from the working directory",
        )


def _cost(job: TrainingJob) -> TrainingCost:
    """Estimate the tokens of the rows; the cost is known only with a `training_price`."""
    tokens = row_tokens(job.rows)
    price = job.config.training_price
    return TrainingCost(tokens, None if price is None else tokens * price / _MILLION)


def _train(job: TrainingJob, progress: Progress) -> TrainedModel:
    """Run the program to its end, and read the model's name.

    After a kill it is started again, once what is left of it is ended; it can keep what it needs to go on in `{folder}`.

    Raises:
        ConfigError: `_check`, or its last line is not a model.
        UserError: it fails, or takes longer than `timeout_s`.
    """
    _check(job.config, job.environ)
    started = time.monotonic()
    progress.start("train", total=None, unit="lines")
    last = ""
    try:
        with running(_filled(job.config.command, _places(job)), job.environ, job.folder / _LOCK) as program:
            try:
                for line in program.lines(until=started + job.config.timeout_s):
                    last = line
                    progress.advance(note=shown(line, job.environ))
            except TimeoutError:
                raise _failed(
                    f"still runs after {span(job.config.timeout_s)} (`loop.trainer.timeout_s`), and was ended",
                    program,
                    job,
                ) from None
            if program.exit_code:
                raise _failed(f"ended with exit code {program.exit_code}", program, job)
    finally:
        progress.finish()
    result = _result(last, job)
    usd = _cost(job).usd if result.usd is None else result.usd
    details = result.model_dump(mode="json", include={"base_url", "price", "serve_command"})
    details["training"] = secrets.token_hex(8)
    return TrainedModel("command", result.model, time.monotonic() - started, usd=usd, details=details)


def _failed(problem: str, program: Program, job: TrainingJob) -> UserError:
    errors = shown(" | ".join(list(program.errors)[-5:]), job.environ)
    end = f"the end of its stderr: {errors}" if errors else "it wrote nothing to stderr"
    return UserError(
        f"the training program {job.config.command[0]!r} {problem}; {end}",
        remedy="fix it, or raise `loop.trainer.timeout_s` if it needs longer; the same command starts it again",
    )


def _result(line: str, job: TrainingJob) -> CommandResult:
    """Return what the last line says.

    Raises:
        ConfigError: it is neither a name nor JSON with the right fields.
    """
    try:
        result = CommandResult.model_validate(_parsed(line))
        _model_config(result, job, port=0)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise _no_model(line, problems, job) from error
    except ValueError as error:
        raise _no_model(line, str(error), job) from error
    of_config = job.config.base_url
    if of_config and result.base_url and of_config.rstrip("/") != result.base_url.rstrip("/"):
        raise ConfigError(
            f"the training program names the endpoint {result.base_url!r}, and `loop.trainer.base_url` is {of_config!r}",
            remedy="remove one of the two: the key of `api_key_env` is sent to one endpoint only",
        )
    return result


def _parsed(line: str) -> object:
    if line.startswith("{"):
        return orjson.loads(line)
    if len(line.split()) > 1:
        raise ValueError("a name has no blanks")
    return {"model": line}


def _no_model(line: str, problem: str, job: TrainingJob) -> ConfigError:
    last = f"its last line, {shown(line, job.environ)!r}, names no model ({problem})" if line else "it printed nothing"
    return ConfigError(f"the training program {job.config.command[0]!r}: {last}", remedy=_FORM)


@contextmanager
def _serve(model: TrainedModel, job: TrainingJob) -> Iterator[ModelConfig]:
    """Give the model as the engine asks it.

    Its `serve_command` runs for as long as the context is open.

    Raises:
        ProviderError: the endpoint does not answer in time, or its program ends.
        UserError: as `running`.
    """
    details = dict(model.details)
    training = str(details.pop("training", ""))
    result = CommandResult.model_validate({"model": model.model, **details})
    # Stored answers are found by model and request: those of an earlier training must not count for this one, even if its model had
    # the same name.
    options: dict[str, JsonValue] = {"user": f"{job.name}-{training}"}
    if not result.serve_command:
        yield _model_config(result, job, port=0).model_copy(update={"options": options})
        return
    port = free_port(training)
    served = _model_config(result, job, port=port).model_copy(update={"options": options})
    command = _filled(result.serve_command, {**_places(job), "port": str(port)})
    with running(command, job.environ, job.folder / _SERVE_LOCK) as program:
        _await_answer(served.base_url or "", program, job)
        yield served


def _model_config(result: CommandResult, job: TrainingJob, *, port: int) -> ModelConfig:
    """Return the model as the engine asks it.

    Raises:
        ValueError: a `serve_command` has no `base_url`, or the URL has a password in it.
    """
    config = job.config
    url = result.base_url or config.base_url
    if result.serve_command and not url:
        raise ValueError("`serve_command` needs a `base_url`")
    free = Price(input=0, output=0) if result.serve_command else None
    return ModelConfig(
        name=job.name,
        model=result.model,
        base_url=url and _filled([url], {"port": str(port)})[0],
        api_key_env=config.api_key_env,
        price=result.price or config.price or free,
    )


def _await_answer(base_url: str, program: Program, job: TrainingJob) -> None:
    """Wait until the endpoint answers anything but an error of its own."""
    limit = read_options(CommandOptions, job.config).start_s
    until = time.monotonic() + limit
    while not _answers(base_url):
        if program.exit_code is not None:
            program.end()
            raise _not_served(f"its program ended with exit code {program.exit_code}", base_url, program, job)
        if time.monotonic() > until:
            raise _not_served(f"it does not answer after {span(limit)} (`options.start_s`)", base_url, program, job)
        time.sleep(_LOOK_S)


def _answers(base_url: str) -> bool:
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/models")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _not_served(problem: str, base_url: str, program: Program, job: TrainingJob) -> ProviderError:
    errors = shown(" | ".join(list(program.errors)[-5:]), job.environ)
    return ProviderError(
        f"the trained model is not served at {base_url!r}: {problem}; the end of its stderr: {errors or 'nothing'}",
        remedy="start the `serve_command` that the training program printed by hand, and see why it fails",
    )


def _places(job: TrainingJob) -> dict[str, str]:
    return {"training_file": str(job.file.resolve()), "folder": str(job.folder.resolve()), "name": job.name}


def _filled(command: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """Return the arguments with the placeholders replaced; other braces stay."""
    placeholder = re.compile("{(" + "|".join(places) + ")}")
    return [placeholder.sub(lambda match: places[match[1]], argument) for argument in command]


COMMAND = Trainer(
    name="command",
    description="any program: it gets the training file, and prints the name of its model, or how it is served",
    check=_check,
    cost=_cost,
    train=_train,
    serve=_serve,
)
