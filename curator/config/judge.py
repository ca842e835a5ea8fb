"""A judge of production's answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from curator.config.committee import LiveModel
from curator.config.section import Section


class AnswerJudgeConfig(Section):
    """A judge of production's answers: a model, or verdicts that are in the logs."""

    scale: Literal["pass_fail"] = "pass_fail"
    """The verdicts. `judge: pass_fail` alone asks the first model of the committee."""
    model: LiveModel | None = None
    """The model and its endpoint; the first one of the committee by default. Better take one that production does not use: models
    think well of their own answers. An endpoint without JSON schemas needs `options: {response_format: null}`."""
    rubric: Annotated[str, Field(max_length=8000)] = ""
    """What makes an answer right or wrong, in your words. The model also sees the system prompt and the documents of the case."""
    recorded: Annotated[str, Field(min_length=1)] | None = None
    """The key of the metadata under which the logs hold the verdicts of a judge (pass or fail, true or false, or 0 to 1 where 1 is
    right). No model is asked then."""
    max_tokens: Annotated[int, Field(ge=32)] = 300
    """The most output tokens of a verdict with its reason; a reasoning model needs more."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"scale": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.recorded and (self.model is not None or self.rubric):
            raise ValueError("recorded: verdicts of the logs need no `model` and no `rubric`")
        return self
