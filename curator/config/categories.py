"""Names of categories by a model, and attributes of cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from curator.config.committee import LiveModel
from curator.config.section import Positive, Section

ATTRIBUTE_LIMIT = 40
"""The most characters of a value of an attribute: the report shows it in a filter."""


class NamesConfig(Section):
    """The names and sentences of categories that `categories.model` writes."""

    samples: Annotated[int, Field(ge=0, le=15)] = 3
    """Replies per category. More than half of them must be usable, and the one nearest to the others gives the name. With 0
    templates write all names."""
    examples: Annotated[int, Field(ge=1, le=20)] = 5
    """The most cases of a category that the model sees, the most central ones first."""
    most: Positive = 60
    """The most categories that a model names in a run, in the order of the report. Templates name the others."""
    max_tokens: Annotated[int, Field(ge=64)] = 200
    """The most output tokens of a reply; a reasoning model needs more."""


class AttributeConfig(Section):
    """A question about every case, which `categories.model` answers."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    """A short name; the answers are in the metadata of the cases, as `attribute.<name>`."""
    question: Annotated[str, Field(min_length=1, max_length=1000)]
    """The question, such as `Is the user a customer already?`; the model sees the conversation and production's answer."""
    values: tuple[Annotated[str, Field(min_length=1, max_length=ATTRIBUTE_LIMIT)], ...] = ()
    """The possible answers; by default any short label. A case that none of them fits has no answer."""
    group: bool = False
    """Only cases with the same answer share a category; needs `values`."""
    max_tokens: Annotated[int, Field(ge=16)] = 64
    """The most output tokens of an answer; a reasoning model needs more."""

    @model_validator(mode="after")
    def _values(self) -> Self:
        if len(self.values) == 1 or _repeats(self.values):
            raise ValueError("values: two or more different ones, or none for any short label")
        if self.group and not self.values:
            raise ValueError(
                "group: name the possible answers in `values`; free ones would split the categories at random"
            )
        return self


class CategoriesConfig(Section):
    """A model that names categories and answers questions on cases; it shares budget and store."""

    model: LiveModel | None = None
    """The model and its endpoint; it sees inputs and answers of the log. Without one, templates write all names. An endpoint
    without JSON schemas needs `options: {response_format: null}`."""
    names: NamesConfig = NamesConfig()
    """The names that the model writes."""
    attributes: tuple[AttributeConfig, ...] = ()
    """Questions that the model answers about every case; each one is a call per case."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.attributes and self.model is None:
            raise ValueError("attributes: they need a `model` that answers them")
        if _repeats([attribute.name for attribute in self.attributes]):
            raise ValueError("attributes: each one needs a name of its own")
        return self

    @property
    def namer(self) -> LiveModel | None:
        """The model that writes names; None where templates do."""
        return self.model if self.names.samples else None


def _repeats(words: Sequence[str]) -> bool:
    return len({word.strip().casefold() for word in words}) < len(words)
