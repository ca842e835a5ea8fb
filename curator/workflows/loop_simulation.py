"""A loop where all labels exist: they answer instead of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from curator.errors import ConfigError
from curator.io.atomic import json_lines, write_atomic
from curator.labels.page import DONE_NAME
from curator.labels.read import read_labels
from curator.labels.returned import ReturnedRow
from curator.records import Pick
from curator.records.loop import LoopCase, LoopRound
from curator.text.display import plural
from curator.workflows.loop_rounds import Annotate

SIMULATED = "simulated"
"""The author of labels that no person gave."""


def simulated_answers(pool: Sequence[LoopCase], files: Sequence[str]) -> dict[str, str]:
    """Return the right answers of a simulation, by case id.

    Args:
        pool: of the loop. A row of a file names a case by its id, or by the id that the log gave it.
        files: of labels; () for the trusted answers that the logs hold.

    Raises:
        ConfigError: no case has an answer.
        LogsError: a file cannot be read.
    """
    if files:
        texts = read_labels(files, answers=[item.case.target for item in pool]).texts
        texts_of = ((item.case.id, texts.get(item.case.id) or texts.get(item.case.log_id or "")) for item in pool)
        answers = {case_id: text for case_id, text in texts_of if text}
    else:
        answers = {item.case.id: item.case.reference.text for item in pool if item.case.reference}
    if not answers:
        where = f"{files[0]!r} names none" if files else "the logs hold no trusted answer"
        raise ConfigError(
            f"a simulation needs the right answers of the cases, and {where}",
            remedy="name a file of labels with the id of each case, in the logs or in `pool.jsonl`, and its right answer in `label`",
        )
    return answers


def answered_pool(pool: Sequence[LoopCase], answers: Mapping[str, str]) -> tuple[tuple[LoopCase, ...], tuple[str, ...]]:
    """Return the cases with an answer, without what the logs say of it; and a note."""
    kept = tuple(
        replace(item, case=replace(item.case, reference=None, verdict=None, feedback=None))
        for item in pool
        if item.case.id in answers
    )
    others = len(pool) - len(kept)
    return kept, ((f"{plural(others, 'case')} without a right answer left out of the simulation",) if others else ())


def annotator(answers: Mapping[str, str]) -> Annotate:
    """Return what labels the picks of a round, as a person would by the label page."""

    def annotate(folder: Path, picks: Sequence[Pick]) -> None:
        rows = [ReturnedRow(pick.case_id, label=answers[pick.case_id], labelled_by=SIMULATED) for pick in picks]
        write_atomic(folder / DONE_NAME, json_lines(row.to_json() for row in rows))

    return annotate


def labels_saved(ours: Sequence[LoopRound], random: Sequence[LoopRound]) -> float | None:
    """Return the share of labels that the loop saves at the last score of the random arm.

    Between two rounds the score is taken to rise in a line. None without a random arm, and where the loop has not reached the score.
    """
    if not ours or not random:
        return None
    target, labels = random[-1].score, random[-1].training_labels
    scores = np.maximum.accumulate([done.score for done in ours])
    if scores[-1] < target:
        return None
    counts = [done.training_labels for done in ours]
    place = int(np.argmax(scores >= target))
    if place == 0:
        return 1 - counts[0] / labels
    low, high = scores[place - 1], scores[place]
    needed = counts[place - 1] + (counts[place] - counts[place - 1]) * (target - low) / (high - low)
    return float(1 - needed / labels)
