"""The loop: rounds of labels, a trainer, and the rule to stop."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from curator.config.committee import Price
from curator.config.endpoint import check_endpoint
from curator.config.section import Positive, Section, Share


class TrainerConfig(Section):
    """The trainer, and the model that it makes."""

    name: str = "student"
    """`student`: a classifier over sentence vectors, for answers that are labels; `openai`: a fine-tuning job; `command`: any program;
    `local`: a small model that is fine-tuned on this computer."""
    base_model: str = ""
    """The model to fine-tune, as its endpoint knows it (`openai`)."""
    base_url: str | None = None
    """The URL of the endpoint that trains and serves the model, up to and including `/v1`; by default the provider's own."""
    api_key_env: str | None = None
    """The name of the environment variable that holds the key."""
    command: tuple[str, ...] = ()
    """The program and its arguments (`command`). `{training_file}`, `{folder}` and `{name}` are replaced; nothing else is, and no
    shell is started."""
    timeout_s: Annotated[float, Field(gt=0)] = 86_400.0
    """The longest time of one training, in seconds."""
    training_price: Annotated[float, Field(ge=0)] | None = None
    """The price of training, in US dollars per million tokens (`openai`). It is needed, as no list has it for every model."""
    price: Price | None = None
    """The price of asking the trained model; needed where the price list does not have it."""
    options: dict[str, JsonValue] = Field(default={})
    """Further settings of the trainer, such as `epochs` (`docs/trainers.md`)."""

    @model_validator(mode="after")
    def _without_secrets(self) -> Self:
        check_endpoint(self.base_url, self.api_key_env)
        return self


class StopConfig(Section):
    """The rule to stop. Whatever holds first ends the loop."""

    min_gain: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """The least gain of a round that is worth its labels, as a share of right answers (0.01: one point)."""
    rounds: Positive = 2
    """The loop stops when the gain is shown to be under `min_gain` in so many rounds, one after the other."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """The confidence that a loop whose rounds keep gaining `min_gain` is not stopped, over all its rounds together. A lower one stops
    earlier (`docs/loop.md`)."""
    max_labels: Positive = 2000
    """The most labels of all rounds together, those of the held-out set included."""
    max_hours: Annotated[float, Field(gt=0)] | None = None
    """The most hours of labelling: as measured where the labels say so, else by `labelling.minutes_per_label`."""
    max_usd: Annotated[float, Field(gt=0)] | None = None
    """The most that all trainings together may cost, in US dollars."""
    half_width: Annotated[float, Field(gt=0, lt=0.5)] | None = None
    """Stop when the 95% interval of the model's score is at most so wide to each side. That depends on the number of held-out cases
    more than on the rounds."""


class LoopConfig(Section):
    """Rounds of select, label, retrain and evaluate: `curator loop`."""

    folder: str | None = None
    """The folder of the loop's state; by default `loops/<name>` beside the config file."""
    held_out_labels: Annotated[int, Field(ge=20)] = 300
    """Held-out cases to label, drawn at random before everything else. They measure every model, and no model is trained on them."""
    seed_labels: Annotated[int, Field(ge=2)] = 100
    """Cases to label before the first training. They cover the pool."""
    round_labels: Positive = 75
    """Cases to label in each further round."""
    random_share: Share = 0.1
    """The share of a round that is drawn at random. It shows errors that neither student nor committee doubts."""
    least_labelled: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of a round's cases that must come back before the round goes on. Cases marked as unsure have come back."""
    trainer: TrainerConfig = TrainerConfig()
    """The trainer."""
    stop: StopConfig = StopConfig()
    """The rule to stop."""

    @model_validator(mode="after")
    def _room_for_the_seed(self) -> Self:
        first = self.held_out_labels + self.seed_labels
        if self.stop.max_labels < first:
            raise ValueError(
                f"stop: `max_labels` is {self.stop.max_labels:,}, and the held-out set and the seed alone take {first:,}: raise it, or"
                " lower `held_out_labels` or `seed_labels`"
            )
        return self
