"""The steps of the rounds of a loop, each of which writes one file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.committee.questions import Asking
from curator.config import Config, ModelConfig, TaskConfig
from curator.disagreement.equivalence.comparers import ComparerFactory
from curator.errors import ConfigError
from curator.io.atomic import write_atomic
from curator.labels import chosen_tools
from curator.labels.page import label_page
from curator.labels.queue import queue_rows
from curator.labels.queue_files import write_queues
from curator.records import Case, JsonValue, Pick
from curator.records.loop import LoopCase, LoopLabel, LoopRound, Prediction, WaitingRound
from curator.run_folder.layout import LABEL_PAGE
from curator.run_folder.loop_folder import (
    BEFORE,
    LABELS,
    MODEL,
    PICKS,
    PREDICTIONS,
    RESULTS,
    ROUND,
    TRAINING,
    TRAINING_FOLDER,
    LoopFolder,
    read_record_of,
    read_rows,
    write_record,
    write_rows,
)
from curator.stages.loop_curve import LoopCurve, ended_round
from curator.stages.loop_evaluate import ask_trained, class_names, classify, correct_answers, production_score
from curator.stages.loop_labels import LoopLabels, read_loop_labels, with_references
from curator.stages.loop_picks import RoundPlan, embedded_cases, held_out_picks, training_picks
from curator.stages.loop_training import RoundModel, check_budget, loop_training
from curator.stages.prepare import RunContext
from curator.trainers import Classifier, Trainer, TrainingJob, TrainingRow
from curator.workflows.event_loop import run_coroutine
from curator.workflows.loop_start import guarded_config

ARMS = ("loop", "random")
"""The arms by name, that of the loop first."""
Annotate = Callable[[Path, Sequence[Pick]], None]
"""Labels the picks of a round in its folder, in a simulation."""


def waiting_for(folder: Path, number: int, picks: Sequence[Pick], labels: LoopLabels) -> WaitingRound:
    """Return what a round waits for."""
    incomplete = sum(pick.case_id in labels.incomplete for pick in picks)
    notes = (*labels.unusable, *labels.notes)
    return WaitingRound(folder, number, len(picks), len(labels.missing(picks)), incomplete, notes)


def system_name(arm: str, number: int) -> str:
    """Return the name of a round's model in `results.jsonl`."""
    return f"{arm}, round {number}"


def ended_rounds(folder: LoopFolder) -> list[LoopRound]:
    """Return the rounds of a loop that have ended."""
    paths = (ROUND.of(round_folder) for round_folder in folder.rounds)
    return [read_record_of(path, LoopRound) for path in paths if path.is_file()]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to choose the cases of a loop, with a folder of its own.

    Attributes:
        folder: of its rounds.
        random: True where all cases are drawn at random.
        annotate: labels the picks in a simulation; None where people do.
    """

    folder: LoopFolder
    random: bool = False
    annotate: Annotate | None = None


@dataclass
class Rounds:
    """The rounds of one arm of a loop.

    Attributes:
        context: the config, with what is opened for it.
        pool: every case of the loop.
        arm: whose rounds they are.
        trainer: of all rounds.
        comparer: decides which answers mean the same.
        asking: the store, the budget and the progress.
        files: further label files.
        close: the round that waits goes on with the labels that are there.
        agreed: the user has agreed to what a training costs.
        warnings: what the steps warn of, filled as they are done.
        vectors: of texts, filled as they are needed.
    """

    context: RunContext
    pool: tuple[LoopCase, ...]
    arm: Arm
    trainer: Trainer
    comparer: ComparerFactory
    asking: Asking
    files: Sequence[str] = ()
    close: bool = False
    agreed: bool = False
    warnings: list[str] = field(default_factory=list)
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        """The job."""
        return self.context.config

    @cached_property
    def cases(self) -> dict[str, Case]:
        """The pool by case id."""
        return {item.case.id: item.case for item in self.pool}

    @cached_property
    def ended(self) -> list[LoopRound]:
        """The rounds that have ended."""
        return ended_rounds(self.arm.folder)

    def advance(self, rounds: int | None) -> WaitingRound | None:
        """Do the steps that are left, until labels are missing or the loop or its part ends.

        Returns the round that waits for labels; None where the loop has ended, or no more rounds are wanted.
        """
        ended = 0
        while not (self.ended and self.ended[-1].stop):
            number = len(self.ended)
            folder = self.arm.folder.round(number)
            if not PICKS.of(folder).is_file():
                self._choose(number)
            picks = read_rows(PICKS.of(folder), Pick)
            more = rounds is None or ended < rounds
            if not LABELS.of(folder).is_file() or not more:
                if self.arm.annotate and more:
                    self.arm.annotate(folder, picks)
                labels = self._came_back(number)
                self._write_queue(number, picks, labels)
                if not more or not self._take_labels(number, picks, labels):
                    return waiting_for(folder, number, picks, labels)
            self._train(number)
            self._predict(number, picks)
            self._end(number, picks)
            ended += 1
        return None

    def _choose(self, number: int) -> None:
        """Write the picks of a round."""
        loop, seed = self.config.loop, self.config.seed
        picks = held_out_picks(self.pool, loop.held_out_labels, seed=seed) if number == 0 else []
        taken = {pick.case_id for folder in self.arm.folder.rounds for pick in read_rows(PICKS.of(folder), Pick)}
        plan = RoundPlan(
            self.pool, number,
            size=self._size(number),
            random_share=1.0 if self.arm.random else 0.0 if number == 0 else loop.random_share,
            seed=seed,
            taken=taken,
            answers=self._answers(number - 1),
        )  # fmt: skip
        with ExitStack() as stack:
            model = self._served(number - 1, stack) if number and not self.arm.random else None
            probabilities = None
            if model is not None and not isinstance(model, ModelConfig):
                embedded = embedded_cases(self.pool, taken, seed=seed)
                probabilities = model.probabilities([item.text for item in embedded])
            picks += training_picks(plan, self._embed, probabilities)
        ranked = [replace(pick, rank=rank) for rank, pick in enumerate(picks, 1)]
        write_rows(PICKS.of(self.arm.folder.round(number)), ranked)

    def _size(self, number: int) -> int:
        """Return the cases to choose: no more than `max_labels` leaves."""
        loop = self.config.loop
        if number == 0:
            return loop.seed_labels
        return min(loop.round_labels, loop.stop.max_labels - self.ended[-1].labels)

    def _write_queue(self, number: int, picks: Sequence[Pick], labels: LoopLabels) -> None:
        """Write the label queue and the label page of a round that people label."""
        folder = self.arm.folder.round(number)
        if LABELS.of(folder).is_file() or self.arm.annotate:
            return
        missing = set(labels.missing(picks))
        tasks = self.config.tasks
        rows = list(
            queue_rows(
                [pick for pick in picks if pick.case_id in missing],
                cases=self.cases, scores={}, answers_of=lambda _: (),
                labels_of=lambda case: tasks.get(case.task or "", TaskConfig()).labels,
                labelling=self.config.labelling, seed=self.config.seed,
                difficulty={pick.case_id: float(pick.slice == "disagreement") for pick in picks},
            )
        )  # fmt: skip
        write_queues(folder, rows, chosen_tools(self.config.labelling.tools))
        write_atomic(LABEL_PAGE.of(folder), [label_page(rows).encode()])

    def _came_back(self, number: int) -> LoopLabels:
        """Return the labels of all rounds up to this one."""
        picks = [pick for n in range(number + 1) for pick in self._picks(n)]
        folders = [self.arm.folder.round(n) for n in range(number + 1)]
        labels = read_loop_labels(folders, self.files, self.cases, self.config, self.context.redaction)
        return with_references(labels, self.cases, picks)

    def _take_labels(self, number: int, picks: Sequence[Pick], labels: LoopLabels) -> bool:
        """Write the labels of a round if enough have come back, and return whether they have."""
        missing = labels.missing(picks)
        enough = len(picks) - len(missing) >= self.config.loop.least_labelled * len(picks)
        if not enough and not self.close:
            return False
        if len(missing) == len(picks):
            raise ConfigError(
                f"round {number}: none of its {len(picks):,} cases has a label, so that it cannot go on",
                remedy=f"label some of them on {str(LABEL_PAGE.of(self.arm.folder.round(number)))!r} first",
            )
        self.close = False  # one round is closed, not all that follow
        self.warnings += [*labels.unusable, *labels.notes]
        write_rows(LABELS.of(self.arm.folder.round(number)), [labels.labels[i] for i in sorted(labels.labels)])
        return True

    def _labels(self, number: int) -> dict[str, LoopLabel]:
        """Return the labels that a round went on with; none before the first round."""
        path = LABELS.of(self.arm.folder.round(number))
        return {label.case_id: label for label in read_rows(path, LoopLabel)} if number >= 0 else {}

    def _answers(self, number: int) -> dict[str, str]:
        """Return the right answers that a round went on with, as the trainer learns them."""
        answers = {i: label.answer for i, label in self._labels(number).items() if label.answer is not None}
        return class_names(answers, self.cases, self.config) if self.trainer.classifies else answers

    def _train(self, number: int) -> None:
        """Write the training rows of a round, and make its model."""
        folder = self.arm.folder.round(number)
        if MODEL.of(folder).is_file():
            return
        rules = guarded_config(self.config, classifies=self.trainer.classifies)
        training = loop_training(self.pool, self._answers(number), rules, self.context.registry, self._embed)
        write_atomic(TRAINING.of(folder), training.lines)
        self.warnings += training.warnings
        job = self._job(number, training.rows)
        spent = sum(done.usd or 0.0 for done in self.ended)
        check_budget(self.trainer.cost(job), job.name, self.config, spent=spent, agreed=self.agreed)
        model = self.trainer.train(job, self.asking.progress)
        self.warnings += model.notes
        write_record(MODEL.of(folder), RoundModel(model, len(training.rows), training.excluded))

    def _job(self, number: int, rows: Sequence[TrainingRow]) -> TrainingJob:
        folder = self.arm.folder.round(number) / TRAINING_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        arm = "-random" if self.arm.random else ""
        name = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.config.name)
        return TrainingJob(
            f"{name}{arm}-round-{number}", folder, TRAINING.of(self.arm.folder.round(number)), rows,
            self.config.loop.trainer, self.config.seed, self._embed, self.asking.environ,
            [item.text for item in embedded_cases(self.pool, (), seed=self.config.seed)],
        )  # fmt: skip

    def _served(self, number: int, stack: ExitStack) -> Classifier | ModelConfig:
        """Make the model of a round ready to answer."""
        model = self._model(number).model
        return stack.enter_context(self.trainer.serve(model, self._job(number, ())))

    def _model(self, number: int) -> RoundModel:
        return read_record_of(MODEL.of(self.arm.folder.round(number)), RoundModel)

    def _predict(self, number: int, picks: Sequence[Pick]) -> None:
        """Write the held-out answers of a round's model, and those of the model before to its cases."""
        folder = self.arm.folder.round(number)
        if not PREDICTIONS.of(folder).is_file():
            held_out = [pick.case_id for pick in self._picks(0) if pick.split == "eval"]
            write_rows(PREDICTIONS.of(folder), self._asked(number, held_out))
        if number and not BEFORE.of(folder).is_file():
            write_rows(BEFORE.of(folder), self._asked(number - 1, [pick.case_id for pick in picks]))

    def _asked(self, number: int, case_ids: Sequence[str]) -> tuple[Prediction, ...]:
        """Return the answers of a round's model to some cases."""
        wanted = set(case_ids)
        items = [item for item in self.pool if item.case.id in wanted]
        with ExitStack() as stack:
            model = self._served(number, stack)
            if not isinstance(model, ModelConfig):
                return classify(model, items)
            return run_coroutine(ask_trained(model, [item.case for item in items], self.config, self.asking))

    def _picks(self, number: int) -> tuple[Pick, ...]:
        return read_rows(PICKS.of(self.arm.folder.round(number)), Pick)

    def _correct(self, path: Path, answers: Mapping[str, str]) -> dict[str, float | None]:
        return correct_answers(read_rows(path, Prediction), answers, self.cases, self.config, self.comparer)

    def _end(self, number: int, picks: Sequence[Pick]) -> None:
        """Write the score of a round, by the labels as they are now, and what the rule to stop says."""
        curve = self.curve(number)
        before = BEFORE.of(self.arm.folder.round(number))
        labels, answers = self._labels(number), self._answers(number)
        slices = self._correct(before, answers) if before.is_file() else {}
        compared = [i for i, score in curve.correct[-1].items() if score is not None]
        logged = [Prediction(i, target) for i in compared if (target := self.cases[i].target) is not None]
        right = correct_answers(logged, answers, self.cases, self.config, self.comparer)
        round_ = ended_round(
            curve, labels, self._model(number), picks, slices,
            cases=self.cases, config=self.config, before=self.ended, left=self._left(number),
            production=production_score(labels, right),
        )  # fmt: skip
        write_record(ROUND.of(self.arm.folder.round(number)), round_)
        self.ended.append(round_)

    def curve(self, number: int) -> LoopCurve:
        """Return the scores of all rounds up to one, by the labels of that round."""
        answers = self._answers(number)
        folders = [self.arm.folder.round(n) for n in range(number + 1)]
        correct = [self._correct(PREDICTIONS.of(folder), answers) for folder in folders]
        rows = [self._model(n).rows for n in range(number + 1)]
        groups = {case.id: case.group for case in self.cases.values() if case.group}
        return LoopCurve(rows, correct, groups)

    def results(self, arm: str) -> Iterator[dict[str, JsonValue]]:
        """Yield the score of each model on each held-out case, for `curator compare`."""
        if not self.ended:
            return
        curve = self.curve(len(self.ended) - 1)
        drawn = {pick.case_id: pick.inclusion_probability for pick in self._picks(0)}
        for number, correct in enumerate(curve.correct):
            for case_id, right in correct.items():
                if right is not None:
                    yield {
                        "system": system_name(arm, number), "case_id": case_id, "score": right,
                        "inclusion_probability": drawn[case_id], "slice": "random",
                    }  # fmt: skip

    def corrections(self) -> Iterator[str]:
        """Yield a sentence where labels have changed since rounds were measured by them."""
        curve = self.curve(len(self.ended) - 1) if self.ended else LoopCurve((), ())
        changed = []
        for done, correct in zip(self.ended, curve.correct, strict=True):
            scores = [right for right in correct.values() if right is not None]
            if scores and not math.isclose(score := sum(scores) / len(scores), done.score, abs_tol=1e-9):
                changed.append(f"round {done.number}: {score:.1%}")
        if changed:
            yield (
                "labels of held-out cases have changed since these rounds were measured. By the labels of the last round their scores"
                f" are {', '.join(changed)}; the rule to stop and {RESULTS.name!r} go by these"
            )

    def _left(self, number: int) -> int:
        """Return the cases of the train split that no round has chosen."""
        chosen = {pick.case_id for n in range(number + 1) for pick in self._picks(n)}
        return sum(item.trainable and item.case.id not in chosen for item in self.pool)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, (n, d).

        Each text is embedded once: the pool is needed several times a round.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        if new:
            self.vectors.update(zip(new, self.context.embed(new, progress=self.asking.progress), strict=True))
        return np.stack([self.vectors[text] for text in texts])
