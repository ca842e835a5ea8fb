"""The options of a trainer, `loop.trainer.options`: a section for each trainer."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from curator.config import TrainerConfig
from curator.config.section import Section
from curator.errors import ConfigError

S = TypeVar("S", bound=Section)


def read_options(section: type[S], config: TrainerConfig) -> S:
    """Return the options of the config as a section.

    Raises:
        ConfigError: an option is unknown, or its value does not fit.
    """
    try:
        return section.model_validate(config.options)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        problem = "unknown option" if first["type"] == "extra_forbidden" else first["msg"]
        options = ", ".join(section.model_fields)
        raise ConfigError(
            f"loop.trainer.options: {name!r}: {problem}",
            remedy=f"the options of the trainer {config.name!r} are: {options}"
            if options
            else f"remove it: the trainer {config.name!r} has no options",
        ) from error


class NoOptions(Section):
    """The options of a trainer that has none."""
