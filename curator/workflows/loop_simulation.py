"""A loop where all labels exist: they answer instead of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.io.atomic import json_lines, write_atomic
from curator.labels.page import DONE_NAME
from curator.labels.read import read_labels
from curator.labels.returned import ReturnedRow
from curator.records import Pick
from curator.records.loop import LoopCase, SavedLabels
from curator.run_folder.loop_folder import RESULTS, LoopFolder
from curator.text.display import plural
from curator.workflows.loop_rounds import ARMS, Annotate, ended_rounds, system_name

Floats = NDArray[np.float64]

SIMULATED = "simulated"
"""The author of labels that no person gave."""
_DRAWS = 1000


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


def labels_saved(folder: LoopFolder, groups: Mapping[str, str]) -> SavedLabels | None:
    """Return the share of labels that the loop saves at the last score of the random arm.

    Between two rounds the score is taken to rise in a line. The interval is that of 1,000 samples of the held-out cases, with
    near-duplicates together and the same cases for both arms (bootstrap, Efron 1979). The noise of another random arm is not in it.
    None without a random arm, and where the loop has not reached the score.

    Args:
        folder: of the loop, with `results.jsonl`.
        groups: the near-duplicate group of each case, by case id.
    """
    arms = (ended_rounds(folder), ended_rounds(folder.control))
    if not all(arms):
        return None
    ours, random = _scores(folder, groups, [len(arm) for arm in arms])
    counts = [[done.training_labels for done in arm] for arm in arms]
    share = _share_saved(ours.mean(axis=1), random.mean(axis=1), *counts)
    if share is None or not ours.shape[1]:
        return None
    draws = np.random.default_rng(0).integers(ours.shape[1], size=(_DRAWS, ours.shape[1]))
    shares = [_share_saved(ours[:, draw].mean(axis=1), random[:, draw].mean(axis=1), *counts) for draw in draws]
    low, high = np.quantile([-np.inf if drawn is None else drawn for drawn in shares], (0.025, 0.975), method="nearest")
    return SavedLabels(share, None if np.isinf(low) else float(low), float(high))


def _scores(folder: LoopFolder, groups: Mapping[str, str], rounds: Sequence[int]) -> list[Floats]:
    """Return the mean score of each group of held-out cases, (rounds, groups) for each arm."""
    rows = [orjson.loads(line) for line in RESULTS.of(folder.path).read_bytes().splitlines()]
    names = sorted({groups.get(row["case_id"]) or row["case_id"] for row in rows})
    places = {name: place for place, name in enumerate(names)}
    tables = []
    for arm, count in zip(ARMS, rounds, strict=True):
        sums, cases = np.zeros((count, len(names))), np.zeros((count, len(names)))
        numbers = {system_name(arm, number): number for number in range(count)}
        for row in rows:
            if row["system"] in numbers:
                place = numbers[row["system"]], places[groups.get(row["case_id"]) or row["case_id"]]
                sums[place] += row["score"]
                cases[place] += 1
        tables.append((sums, cases))
    compared = np.logical_and.reduce([cases.all(axis=0) for _, cases in tables])
    return [sums[:, compared] / cases[:, compared] for sums, cases in tables]


def _share_saved(ours: Floats, random: Floats, counts: Sequence[int], random_counts: Sequence[int]) -> float | None:
    """Return the share saved; None where the first curve does not reach the end of the other."""
    scores, target = np.maximum.accumulate(ours), random[-1]
    if scores[-1] < target:
        return None
    place = int(np.argmax(scores >= target))
    needed = float(counts[place])
    if place:
        low, high = scores[place - 1], scores[place]
        needed = counts[place - 1] + (counts[place] - counts[place - 1]) * float((target - low) / (high - low))
    return 1 - needed / random_counts[-1]
