"""Labels of a loop to training rows without a held-out question, and to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curator.config import Config
from curator.errors import BudgetReached, ConfigError, LogsError, NotConfirmed
from curator.exporters.openai_chat import chat_row
from curator.exporters.trusted_targets import UNTRUSTED, training_set
from curator.io.atomic import json_lines
from curator.records import Case, Reference
from curator.records.loop import LoopCase
from curator.stages.holdout import HoldoutSplit, exclude_leaks
from curator.stages.ingest import IngestResult
from curator.state.registry import HeldOutRegistry
from curator.text.display import money
from curator.trainers import TrainedModel, TrainingCost, TrainingRow

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class LoopTraining:
    """The rows of a training.

    Attributes:
        rows: the cases to train on, in the order of the pool.
        lines: the same as lines of OpenAI's chat format.
        excluded: labelled cases that are not trained on, by reason.
        warnings: what to know of the split.
    """

    rows: tuple[TrainingRow, ...]
    lines: tuple[bytes, ...]
    excluded: Mapping[str, int]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundModel:
    """The model of a round, with its training rows, and labelled cases left out by reason."""

    model: TrainedModel
    rows: int
    excluded: Mapping[str, int]


def loop_training(
    pool: Sequence[LoopCase],
    answers: Mapping[str, str],
    config: Config,
    registry: HeldOutRegistry,
    embed: Embed,
) -> LoopTraining:
    """Make a row of every labelled case of the train split that asks no held-out question.

    The rows are registered as exported: no later run holds their cases out and calls the result clean.

    Raises:
        LogsError: no row is left.
    """
    answers = {
        item.case.id: answers[item.case.id] for item in pool if item.split == "train" and item.case.id in answers
    }
    cases = tuple(_labelled(item.case, answers.get(item.case.id)) for item in pool)
    split = HoldoutSplit(
        config.selection.held_out_share,
        {item.case.group: item.split for item in pool},
        groups={item.case.group: 1 for item in pool},
    )
    intake = IngestResult(len(cases), cases, cases, (), (), len(answers), ())
    # The trusted answers of teachers are left out: a loop measures what labels teach.
    without_teachers = config.model_copy(update={"outputs": config.outputs.model_copy(update={"trusted_models": ()})})
    split = exclude_leaks(split, without_teachers, intake, registry, embed=embed)
    rows = training_set(
        cases,
        split_of_group=split.split_of,
        trusted_models=(),
        leaks=split.leaks,
        max_tokens=config.outputs.max_row_tokens,
    )
    if not rows.examples:
        reasons = "; ".join(f"{count:,}: {reason}" for reason, count in rows.excluded.items())
        raise LogsError(
            f"none of {len(answers):,} labelled cases can be trained on ({reasons})",
            remedy="label more cases of the train split; `selection.held_out_share` says how many cases are held out",
        )
    texts = {item.case.id: item.text for item in pool}
    trained = tuple(
        TrainingRow(example.case_id, example.messages, answers[example.case_id], texts[example.case_id])
        for example in rows.examples
    )
    excluded = {reason: count for reason, count in rows.excluded.items() if reason != UNTRUSTED}  # those with a label
    return LoopTraining(trained, tuple(json_lines(map(chat_row, rows.examples))), excluded, split.warnings)


def _labelled(case: Case, answer: str | None) -> Case:
    """Return the case with its label of the loop as the only trusted answer."""
    return replace(case, verdict=None, reference=None if answer is None else Reference(answer, "label"))


def check_budget(cost: TrainingCost, name: str, config: Config, *, spent: float, agreed: bool) -> None:
    """Refuse a training that costs more than is left, or more than is spent without asking.

    Args:
        cost: of the training.
        name: of its model.
        config: with `loop.stop.max_usd` and `budget.confirm_above_usd`.
        spent: US dollars for the trainings before.
        agreed: the user has agreed to any cost.

    Raises:
        ConfigError: a limit is set, and the price is not known.
        BudgetReached: it would cost more than `loop.stop.max_usd` leaves.
        NotConfirmed: it costs more than `budget.confirm_above_usd`, and neither a limit nor the user allows that.
    """
    most = config.loop.stop.max_usd
    if cost.usd is None:
        if most is not None:
            raise ConfigError(
                f"training {name}: its price is not known, so that `loop.stop.max_usd: {most:g}` cannot hold",
                remedy="set `loop.trainer.training_price` (US dollars per million tokens, 0 for free), or leave `max_usd` out",
            )
        return
    price = f"training {name} costs about {money(cost.usd)} ({cost.tokens:,} tokens)"
    if most is not None and spent + cost.usd > most:
        raise BudgetReached(
            f"{price}, and {money(max(most - spent, 0.0))} of `loop.stop.max_usd: {most:g}` are left",
            remedy="raise `loop.stop.max_usd` and run the same command again; nothing was sent",
        )
    if most is None and not agreed and cost.usd > config.budget.confirm_above_usd:
        raise NotConfirmed(
            f"{price}; nothing was sent",
            remedy="set what all trainings together may cost, `loop.stop.max_usd`, or agree with --yes",
        )
