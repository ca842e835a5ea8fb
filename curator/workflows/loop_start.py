"""The begin of a loop: logs to its pool, with the settings that must not change afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curator.clustering.texts import embedding_texts
from curator.config import Config
from curator.errors import ConfigError
from curator.io.atomic import json_lines, write_atomic
from curator.progress import Progress
from curator.records import Case, RejectedRecord, with_group
from curator.records.loop import LoopCase
from curator.run_folder.cases import read_case_rows
from curator.run_folder.layout import CASES, SET_ASIDE
from curator.run_folder.loop_folder import SETTINGS, LoopFolder, pool_row, read_pool, read_record_of, write_record
from curator.run_folder.set_aside import rejected_row
from curator.stages.holdout import assign_splits, leaks_among
from curator.stages.ingest import ingest, ingest_lines
from curator.stages.loop_evaluate import kinds_of_cases
from curator.stages.prepare import RunContext
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """The settings of a loop that hold for all its rounds, and what was found in its logs.

    Attributes:
        seed: of the draws.
        trainer: the name of the trainer.
        base_model: that it starts from.
        simulated: True where the labels come from a file that has all of them.
        understood: the formats and counts of the logs.
        warnings: what to know of the pool.
    """

    seed: int
    trainer: str
    base_model: str
    simulated: bool
    understood: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopStart:
    """The pool of a loop, with what was understood of the logs, and warnings.

    `rejected` are the log records that could not be read, in the first call. `notes` are about this call.
    """

    pool: tuple[LoopCase, ...]
    understood: str = ""
    warnings: tuple[str, ...] = ()
    rejected: tuple[RejectedRecord, ...] = ()
    notes: tuple[str, ...] = ()


def open_pool(
    context: RunContext,
    folder: LoopFolder,
    logs: Sequence[str],
    *,
    simulated: bool,
    classifies: bool,
    progress: Progress,
    processes: int,
) -> LoopStart:
    """Return the pool of a loop: that of its folder, or in the first call that of the logs.

    Once it is written the logs are not read again: other logs are the pool of another loop.

    Raises:
        ConfigError: a setting has changed that holds for all rounds.
        LogsError: the logs cannot be read.
    """
    trainer = context.config.loop.trainer
    now = LoopSettings(context.config.seed, trainer.name, trainer.base_model, simulated)
    if folder.pool.is_file():
        then = read_record_of(SETTINGS.of(folder.path), LoopSettings)
        _check_settings(then, now, folder)
        notes = ("the logs are not read again: the pool of a loop stays as it began",) if logs else ()
        return LoopStart(read_pool(folder), then.understood, then.warnings, notes=notes)
    intake = ingest(
        context.config, logs, (), progress, folder.path, redaction=context.redaction, processes=processes
    )  # fmt: skip
    holdout = assign_splits(context.config, intake, context.registry)
    cases = [with_group(case) for case in intake.questions]
    candidates = [case for case in cases if holdout.split_of(case.group) == "train"]
    rules = guarded_config(context.config, classifies=classifies)
    leaks = leaks_among(candidates, cases, rules, context.registry, embed=partial(context.embed, progress=progress))
    leaking, disagreement = {match.row for match in leaks}, _disagreement(context.paths.run_folder)
    cases, others = _for_the_trainer(cases, context.config, classifies=classifies)
    pool = tuple(
        LoopCase(case, holdout.split_of(case.group), text, disagreement.get(case.id), leaks=case.id in leaking)
        for case, text in zip(cases, embedding_texts(cases), strict=True)
    )
    write_atomic(SET_ASIDE.of(folder.path), json_lines(map(rejected_row, intake.unreadable)))
    read = ingest_lines(intake.counts, intake.read, len(intake.cases), len(intake.merged), len(intake.unreadable))
    understood = "\n".join([intake.understood, *read])
    warnings = (*intake.warnings, *holdout.warnings, *others, *_left_out(pool))
    write_record(SETTINGS.of(folder.path), replace(now, understood=understood, warnings=warnings))
    write_atomic(folder.pool, json_lines(map(pool_row, pool)))  # last: its presence says that the loop has begun
    # As every later call reads it, so that no step depends on which call does it.
    return LoopStart(read_pool(folder), understood, warnings, intake.unreadable)


def _for_the_trainer(cases: list[Case], config: Config, *, classifies: bool) -> tuple[list[Case], tuple[str, ...]]:
    """Return the cases that the trainer can learn to answer; and a warning about the others.

    Free text has no classes. Where all answers seem to be free text, people may still label classes: then all cases stay.
    """
    if not classifies:
        return cases, ()
    kinds = kinds_of_cases(cases, {case.id: case.target or "" for case in cases}, config)
    texts = Counter(case.task or "" for case in cases if kinds[case.id] == "text")
    if not texts:
        return cases, ()
    trainer = config.loop.trainer.name
    kept = [case for case in cases if kinds[case.id] != "text"]
    if not kept:
        return cases, (
            (
                f"production's answers are free text, and the trainer {trainer!r} is for answers that are labels: choose another"
                " `loop.trainer`, or name the labels in `tasks`"
            ),
        )
    tasks = ", ".join(f"{task or 'without a name'} ({count:,})" for task, count in sorted(texts.items()))
    return kept, (
        (
            f"{plural(texts.total(), 'case')} left out, whose answers are free text: the trainer {trainer!r} is for answers that are"
            f" labels. By task: {tasks}. If their answers are labels, name these in `tasks`, and begin another loop (`loop.folder`)"
        ),
    )


def guarded_config(config: Config, *, classifies: bool) -> Config:
    """Return the config by whose rules cases ask a held-out question.

    A classifier is to give paraphrases the same class: of its data only equal and near-equal wordings leak.
    """
    if not classifies:
        return config
    rules = config.held_out.model_copy(update={"paraphrases": False, "translations": False})
    return config.model_copy(update={"held_out": rules})


def _left_out(pool: Sequence[LoopCase]) -> Iterator[str]:
    """Yield a sentence where many cases cannot be trained on."""
    leaking, train = sum(item.leaks for item in pool), sum(item.split == "train" for item in pool)
    if leaking:
        yield (
            f"{leaking:,} of {plural(train, 'case')} of the train split ask a held-out question: the loop neither labels nor trains on"
            " them (`held_out:` has the rules, `selection.held_out_share` the number of held-out cases)"
        )


def _disagreement(run_folder: Path) -> dict[str, float]:
    """Return the committee's disagreement by case id, from the run of the same config."""
    if not CASES.of(run_folder).is_file():
        return {}
    rows = read_case_rows(run_folder)
    return {row.id: row.disagreement for row in rows if row.disagreement is not None}


def _check_settings(then: LoopSettings, now: LoopSettings, folder: LoopFolder) -> None:
    keys = {"seed": "seed", "trainer": "loop.trainer.name", "base_model": "loop.trainer.base_model"}
    for name, key in keys.items():
        before, after = getattr(then, name), getattr(now, name)
        if before != after:
            raise ConfigError(
                f"the loop in {str(folder.path)!r} began with `{key}: {before}`, and the config says {after!r} now",
                remedy=f"set `{key}` back, or begin another loop: name another folder in `loop.folder`",
            )
    if then.simulated != now.simulated:
        raise ConfigError(
            f"the loop in {str(folder.path)!r} is {'a simulation' if then.simulated else 'one that people label'}",
            remedy=f"{'give' if then.simulated else 'leave out'} `--simulate`, or begin another loop: name another folder in"
            " `loop.folder`",
        )
