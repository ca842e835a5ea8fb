"""`curator loop` and `curator round`: select, label, retrain, evaluate, and stop by rule."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curator.committee.budget import Budget
from curator.committee.questions import Asking
from curator.config import Config, EquivalenceConfig
from curator.encoders.sentence import Encoder
from curator.errors import ConfigError
from curator.estimation.stop_rule import planned_power
from curator.io.atomic import json_lines, run_lock, write_atomic
from curator.progress import Progress, Silent
from curator.records import Pick
from curator.records.loop import LoopCase, WaitingRound
from curator.report.loop_page import loop_page
from curator.run_folder.loop_folder import (
    LOOP_REPORT,
    PICKS,
    RESULTS,
    SETTINGS,
    LoopFolder,
    loop_folder,
    read_pool,
    read_record_of,
    read_rows,
)
from curator.stages.equivalence import open_comparer
from curator.stages.loop_curve import stop_rule
from curator.stages.loop_labels import read_loop_labels, with_references
from curator.stages.prepare import open_run
from curator.stages.redact import Redaction
from curator.state.paths import REGISTRY_NAME, StatePaths
from curator.trainers import TRAINERS, Trainer
from curator.workflows.event_loop import run_job
from curator.workflows.inputs import PathLike, Paths, config_from, path_list
from curator.workflows.loop_result import LoopResult, waiting_sentence
from curator.workflows.loop_rounds import ARMS, Arm, Rounds, ended_rounds, waiting_for
from curator.workflows.loop_simulation import annotator, answered_pool, labels_saved, simulated_answers
from curator.workflows.loop_start import LoopSettings, open_pool


def loop(  # noqa: PLR0913  the options of the command
    config: Config | PathLike,
    *,
    rounds: int | None = None,
    logs: Paths = (),
    labels: Paths = (),
    close: bool = False,
    agreed: bool = False,
    simulate: Paths | None = None,
    control: bool = False,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    environ: Mapping[str, str] | None = None,
    processes: int = 1,
) -> LoopResult:
    """Go on with a loop until it needs labels, or a rule ends it.

    The first call reads the logs, draws the held-out set and the seed, and writes their label queue. Each further one reads the labels
    that came back, trains a model, measures it on the held-out set, and writes the queue of the next round. What is done is not done
    again, so that a call that was interrupted goes on where it was.

    Args:
        config: The job, or the path of its file.
        rounds: End after so many rounds, with the label queue of the next one; None for no limit.
        logs: Files, folders or globs to read instead of `config.logs.paths`, in the first call.
        labels: Label files to use beside `config.labels` and the label queues of the rounds.
        close: Go on with the labels that are there, though more are wanted.
        agreed: Train at any price below `loop.stop.max_usd`; else one above `budget.confirm_above_usd` is refused where no such
            limit is set.
        simulate: Label files that answer every case, instead of people; () for the trusted answers in the logs; None for people.
        control: In a simulation, run a random arm beside it, with as many labels.
        progress: Receives the progress of the work; silent by default.
        encoder: Turns texts into vectors, instead of the config's.
        environ: The environment, for keys.
        processes: Reads large logs in so many processes.

    Raises:
        ConfigError: the config does not fit, or a simulation lacks answers.
        UserError: something else that the user can fix; the subclasses in `curator.errors` say what.
    """
    if rounds is not None and rounds < 0:
        raise ConfigError(f"the number of rounds is {rounds}", remedy="give 0 or more")
    named = str(config) if isinstance(config, str | Path) else ""
    loaded = config_from(config)
    trainer = TRAINERS.require(loaded.loop.trainer.name, where="loop.trainer.name")
    environment = os.environ if environ is None else environ
    trainer.check(loaded.loop.trainer, environment)
    if control and simulate is None:
        raise ConfigError(
            "a random arm needs labels for all its cases, and people label only those of the loop",
            remedy="leave `control` out, or simulate the loop where labels exist (`simulate`)",
        )

    options = _Options(
        trainer, rounds, tuple(path_list(logs)), tuple(path_list(labels)), close, agreed,
        None if simulate is None else tuple(path_list(simulate)), control, processes,
    )  # fmt: skip
    return run_job(partial(_loop, loaded, named, options, progress or Silent(), environment, encoder))


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of `loop`."""

    trainer: Trainer
    rounds: int | None
    logs: Sequence[str]
    labels: Sequence[str]
    close: bool
    agreed: bool
    simulate: Sequence[str] | None
    control: bool
    processes: int


def _loop(
    config: Config,
    named: str,
    options: _Options,
    progress: Progress,
    environ: Mapping[str, str],
    encoder: Encoder | None,
) -> LoopResult:
    folder, simulate = loop_folder(config), options.simulate
    if simulate is not None:
        config = _apart(config, folder)
    paths = StatePaths.of(config)
    with ExitStack() as stack:
        stack.enter_context(run_lock(folder.path))
        context = stack.enter_context(open_run(config, paths, encoder=encoder))
        comparer = stack.enter_context(
            open_comparer(
                _without_judge(config.equivalence), config.embedding,
                cache=paths.vectors, encoder=context.encoder, nli=context.nli,
            )
        )  # fmt: skip
        start = open_pool(
            context, folder, options.logs,
            simulated=simulate is not None, classifies=options.trainer.classifies, progress=progress,
            processes=options.processes,
        )  # fmt: skip
        pool, notes, annotate = start.pool, [*paths.notices, *start.notes], None
        if simulate is not None:
            answers = simulated_answers(pool, simulate)
            pool, others = answered_pool(pool, answers)
            notes += others
            annotate = annotator(answers)
        shared = Rounds(
            context, pool, Arm(folder, random=False, annotate=annotate), options.trainer, comparer,
            Asking(context.store, Budget(config.budget), progress, environ),
            files=() if annotate else (*config.labels, *options.labels), close=options.close, agreed=options.agreed,
        )  # fmt: skip
        waiting = shared.advance(options.rounds)
        if annotate:
            waiting = None  # a simulation asks no person for labels
        control = replace(shared, arm=Arm(folder.control, random=True, annotate=annotate), warnings=[])
        if options.control and len(control.ended) < len(shared.ended):
            control.advance(len(shared.ended) - len(control.ended))
        if not shared.ended:  # until the first model, in every call: a call may have ended before it said so
            notes += start.warnings
        power = "" if shared.ended else _power(config, pool, read_rows(PICKS.of(folder.round(0)), Pick))
        rows = (row for name, rounds in zip(ARMS, (shared, control), strict=True) for row in rounds.results(name))
        write_atomic(RESULTS.of(folder.path), json_lines(rows))
        result = LoopResult(
            folder=folder.path, config=named, rounds=tuple(shared.ended), control=tuple(control.ended), waiting=waiting,
            saved=labels_saved(folder, _groups(pool)), power=power, understood="" if shared.ended else start.understood,
            rejected=start.rejected,
            warnings=_warnings([*notes, *shared.warnings, *control.warnings, *shared.corrections()], waiting),
        )  # fmt: skip
        write_atomic(LOOP_REPORT.of(folder.path), [_page(config.name, result, start.warnings).encode()])
    return result


def _apart(config: Config, folder: LoopFolder) -> Config:
    """Return the config of a simulation, with a registry of its own: it exports nothing."""
    registry = str(folder.path / REGISTRY_NAME)
    return config.model_copy(update={"held_out": config.held_out.model_copy(update={"registry": registry})})


def _without_judge(equivalence: EquivalenceConfig) -> EquivalenceConfig:
    """Return the comparison of answers, with words instead of a judge: a loop asks none."""
    return EquivalenceConfig() if equivalence.method == "judge" else equivalence


def _warnings(warnings: Sequence[str], waiting: WaitingRound | None) -> tuple[str, ...]:
    """Return each warning once, without those that the waiting round shows as notes."""
    notes = waiting.notes if waiting else ()
    return tuple(warning for warning in dict.fromkeys(warnings) if warning not in notes)


def _page(name: str, result: LoopResult, of_pool: Sequence[str]) -> str:
    """Return the page with the learning curve, and all warnings."""
    waiting = waiting_sentence(result.waiting) if result.waiting else ""
    return loop_page(
        name, result.rounds, result.control,
        saved=result.saved, waiting=waiting, power=result.power,
        warnings=tuple(dict.fromkeys([*of_pool, *result.warnings])),
    )  # fmt: skip


def _power(config: Config, pool: Sequence[LoopCase], picks: Sequence[Pick]) -> str:
    """Return what the held-out set of these picks will be able to show, before there is a model."""
    held_out = {pick.case_id for pick in picks if pick.split == "eval"}
    # As the rule to stop counts them: near-duplicates once.
    cases = len({item.case.group or item.case.id for item in pool if item.case.id in held_out})
    power = planned_power(cases, stop_rule(config), seed_labels=config.loop.seed_labels).sentence
    if cases == len(held_out):
        return power
    return f"The {len(held_out):,} held-out cases count as {cases:,}, as near-duplicates are counted once. {power}"


def loop_status(config: Config | PathLike) -> LoopResult:
    """Return how far a loop is, by the files in its folder.

    The logs are not read, and nothing is asked or trained.

    Raises:
        ConfigError: no loop has begun yet.
    """
    named = str(config) if isinstance(config, str | Path) else ""
    loaded = config_from(config)
    folder = loop_folder(loaded)
    if not folder.pool.is_file():
        raise ConfigError(
            f"no loop has begun in {str(folder.path)!r}", remedy=f"begin it: curator loop {named}".rstrip()
        )
    pool = read_pool(folder)
    cases = {item.case.id: item.case for item in pool}
    ours, random = ended_rounds(folder), ended_rounds(folder.control)
    waiting = None
    simulated = read_record_of(SETTINGS.of(folder.path), LoopSettings).simulated
    if len(folder.rounds) > len(ours) and not simulated:
        picks = read_rows(PICKS.of(folder.rounds[-1]), Pick)
        redaction = Redaction(loaded, StatePaths.of(loaded))
        labels = with_references(read_loop_labels(folder.rounds, loaded.labels, cases, loaded, redaction), cases, picks)
        waiting = waiting_for(folder.rounds[-1], len(ours), picks, labels)
    saved = labels_saved(folder, _groups(pool)) if RESULTS.of(folder.path).is_file() else None
    return LoopResult(folder.path, named, tuple(ours), tuple(random), waiting, saved)


def _groups(pool: Sequence[LoopCase]) -> dict[str, str]:
    """Return the near-duplicate group of each case."""
    return {item.case.id: item.case.group for item in pool if item.case.group}
