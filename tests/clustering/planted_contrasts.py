"""Logs of made-up cases whose answers have errors at equal rates, and failures that are planted in production."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator.clustering.category_tree import BuiltCategory, build_categories
from curator.clustering.failure_modes import FailureMode, find_modes
from curator.clustering.task_index import AskedCase
from curator.records import Difference, Kind
from curator.records.differences import CaseContrasts, Contrast
from curator.text.words import content_words
from tests.disagreement.contrasts.made_cases import contrasts

LABELS = ("billing", "delivery", "returns", "account", "product", "privacy")
MEMBERS = 6
RATE = 0.06
"""The chance of an error of each answer."""
TOPICS = ("lamp", "sofa", "radio", "tent", "kettle", "mirror")
SENTENCES = (
    "You can send the {} back to us within the month.",
    "Within the month, the {} can be sent back.",
    "Please send the {} back to us, you have one month.",
    "One month is left to send the {} back.",
)
FILLERS = ("kindly", "gladly", "today", "surely", "always", "simply", "soon", "again", "directly", "easily", "happily")
Draw = random.Random
Answer = Callable[[Draw, str], str]
"""An answer to an input about a topic."""


def a_label(draw: Draw, truth: str) -> str:
    return truth if draw.random() > RATE else draw.choice([label for label in LABELS if label != truth])


def a_record(draw: Draw, truth: str) -> str:
    def value(right: object, *wrong: object) -> object:
        return right if draw.random() > RATE else draw.choice(wrong)

    return json.dumps(
        {
            "team": value(truth, *LABELS),
            "total": value(40, 400, 41, 4),
            "paid": value(True, False),
            "note": f"{draw.choice(FILLERS)} {draw.randrange(100)}",
        }
    )


def a_text(draw: Draw, truth: str) -> str:
    sentence = draw.choice(SENTENCES).format(truth)
    return f"{sentence} We {draw.choice(FILLERS)} {draw.choice(FILLERS)} help you."


KINDS: dict[Kind, tuple[Answer, Sequence[str]]] = {
    "label": (a_label, LABELS), "json": (a_record, LABELS), "text": (a_text, TOPICS),
}  # fmt: skip


def log(
    kind: Kind,
    n: int,
    seed: int,
    production: Answer | None = None,
    *,
    member: Answer | None = None,
    task: str = "task",
    labelled: float = 0.0,
) -> list[AskedCase]:
    """Ask `n` cases of a kind; production answers as a member does, or by `production`.

    The first of the members answers by `member`, where that is given. A share of the cases has a label.
    """
    usual, truths = KINDS[kind]
    cases = []
    for number in range(n):
        draw = random.Random(f"{seed}:{number}:{kind}")
        truth = draw.choice(truths)
        answers = [usual(draw, truth) for _ in range(MEMBERS)]
        if member:
            answers[:2] = [member(draw, truth) for _ in range(2)]
        target = (production or usual)(draw, truth)
        failure = float(target != truth) if draw.random() < labelled else None
        question = f"What about the {truth}, {draw.choice(FILLERS)}?"
        cases.append(
            AskedCase(
                contrasts(
                    kind, answers, target, question=question, prompts="aabbcc", case_id=f"{task}-{number:04}",
                    label=truth if failure is not None else None, failure=failure,
                ),
                task, 1, 0.5, content_words(question), None if failure is None else failure > 0,
            )
        )  # fmt: skip
    return cases


def modes_of(cases: Sequence[AskedCase]) -> dict[str, FailureMode]:
    return {mode.key: mode for mode in find_modes(cases)}


def categories_of(cases: Sequence[AskedCase]) -> list[BuiltCategory]:
    return build_categories(cases, find_modes(cases))


def share_planted(cases: Sequence[AskedCase], mode: FailureMode, key: str) -> float:
    return sum(key in cases[place].contrasts.keys for place in mode.cases) / len(mode.cases)


def plain(
    number: int, *differences: Difference, task: str = "task", topics: str = "", members: int = MEMBERS
) -> AskedCase:
    """A case in which production has these differences from a committee that agrees."""
    name = f"{task}-{number:04}"
    keys = frozenset(key for difference in differences for key in difference.keys)
    contrast = Contrast(name, "production", differences, 1.0, "given", "expected") if differences else None
    spread = {difference.part: 0.0 for difference in differences}
    return AskedCase(
        CaseContrasts(name, contrast, None, keys, {}, members, spread=spread), task, 1, 0.5, content_words(topics)
    )


def weighing(cases: Sequence[AskedCase], weight: int) -> list[AskedCase]:
    return [replace(case, weight=weight) for case in cases]
