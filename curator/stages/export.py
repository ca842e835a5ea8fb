"""Picks and cases to the eval set, the fine-tune data and further export formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curator.config import Config
from curator.errors import ConfigError
from curator.exporters import EVAL_SET, EXPORTERS, OPENAI_CHAT, Export, Exporter, export_rows
from curator.exporters.eval_set import EvalRow, eval_rows
from curator.exporters.eval_set_rounds import NO_EARLIER_SET, EarlierEvalSet, EvalSetRound, next_round
from curator.exporters.trusted_targets import TrainingExample, TrainingSet, training_set
from curator.labels import chosen_tools
from curator.records import Case, Category, Label, Pick, Score
from curator.run_folder.layout import FILES
from curator.stages.holdout import HoldoutSplit

ALWAYS: tuple[Exporter[Any], ...] = (EVAL_SET, OPENAI_CHAT)
"""The formats that every run writes."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The files to write and the training examples; `warnings` name what the files lack.

    `eval_round` is the eval set with its changes.
    """

    exports: tuple[Export[Any], ...]
    training: TrainingSet
    warnings: tuple[str, ...] = ()
    eval_round: EvalSetRound = field(default_factory=EvalSetRound)


@dataclass(frozen=True, slots=True)
class EarlierSet:
    """The eval set of earlier runs, and what this run knows of it.

    Attributes:
        rows: the set with its changes.
        gone: its cases that the logs no longer hold, with their labels.
        labels: all labels that this run read, by case id.
        date: of this run, as YYYY-MM-DD in UTC.
    """

    rows: EarlierEvalSet = NO_EARLIER_SET
    gone: tuple[Case, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict)
    date: str = ""


def chosen_exporters(config: Config) -> tuple[Exporter[Any], ...]:
    """Return the formats that a run writes: `ALWAYS`, then those of `outputs.exports`.

    Raises:
        ConfigError: an exporter does not exist, it needs rows that a run does not have, or its file has the name of another.
    """
    chosen = list(ALWAYS)
    for name in dict.fromkeys(config.outputs.exports):
        exporter = EXPORTERS.require(name, where="outputs.exports")
        if exporter.row_type not in (EvalRow, TrainingExample):
            raise ConfigError(
                f"outputs.exports: {name!r} exports {exporter.row_type.__name__} rows, which a run does not have",
                remedy="take it out of `outputs.exports`",
            )
        if exporter not in chosen:
            chosen.append(exporter)
    queues = [tool.queue_name for tool in chosen_tools(config.labelling.tools)]
    taken = Counter([*(file.name for file in FILES), *queues, *(exporter.file_name for exporter in chosen)])
    for exporter in chosen:
        if taken[exporter.file_name] > 1:
            raise ConfigError(
                f"outputs.exports: {exporter.name!r} writes {exporter.file_name!r}, which is another file of the run",
                remedy=f"take {exporter.name!r} out of `outputs.exports`, or report it to the authors of the exporter",
            )
    return tuple(chosen)


def export(  # noqa: PLR0913  a row of the eval set has a part of every stage
    config: Config,
    exporters: Sequence[Exporter[Any]],
    *,
    cases: Sequence[Case],
    picks: Sequence[Pick],
    scores: Mapping[str, Score],
    categories: Sequence[Category],
    holdout: HoldoutSplit,
    eval_set: EarlierSet = EarlierSet(),
) -> ExportResult:
    """Convert the eval set, continued by the picks, and the training examples to every format.

    A format of another package that fails is left out with a warning: it must not cost the run its other files.
    """
    training = training_set(
        cases,
        split_of_group=holdout.split_of,
        trusted_models=config.outputs.trusted_models,
        leaks=holdout.leaks,
        max_tokens=config.outputs.max_row_tokens,
    )
    by_id = {case.id: case for case in cases}
    eval_round = next_round(
        eval_set.rows,
        eval_rows(picks, cases=by_id, scores=scores, categories=categories, labels=eval_set.labels),
        cases=by_id | {case.id: case for case in eval_set.gone},
        labels=eval_set.labels,
        trained_on=holdout.trained_on,
        date=eval_set.date,
    )
    rows: dict[type, Sequence[object]] = {
        EvalRow: eval_round.rows,
        TrainingExample: training.examples,
    }
    exports: list[Export[Any]] = []
    warnings: list[str] = [*eval_round.warnings]
    for exporter in exporters:
        try:
            exported = export_rows(exporter, rows[exporter.row_type])
            if exporter not in ALWAYS:
                _encode(exported)
        except Exception as error:
            if exporter in ALWAYS:
                raise
            warnings.append(
                f"the exporter {exporter.name!r} failed, its file is not written: {type(error).__name__}: {error}"
            )
        else:
            exports.append(exported)
            warnings += exported.warnings
    return ExportResult(tuple(exports), training, tuple(warnings), eval_round)


def _encode(exported: Export[Any]) -> None:
    """Encode a file once without keeping it: a format that fails must fail before any write."""
    for _ in exported.chunks():
        pass
