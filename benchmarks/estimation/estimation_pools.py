"""Pools of real model answers whose correctness is known, as `curator.estimation` sees them.

A pool is the production of one model or prompt: its answers are the targets, and recorded answers of others are the
committee. The signals are curator's own (`curator.disagreement`), with every member's health, as in a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.config import DedupeConfig
from curator.dedup import near_duplicate_groups
from curator.disagreement.recorded import fit_scoring, measure_record
from curator.disagreement.score import default_score
from curator.disagreement.scoring_model import ScoringModel
from curator.estimation.sampling_frame import GROUP
from curator.records import Case, Kind, Message, Source
from curator.records.recorded import Answered, Recorded

GSM8K = "gsm8k-model-solutions/example_model_solutions.jsonl"
JHU = "jhu-temperature/answers_gpt-35-turbo_comprehensive-100.jsonl"
BBH = "bbh-two-prompts"
LEAST_CASES = 140
"""Smaller pools are left out: whoever has so few cases labels them all."""
OWN, OTHERS = (1, 2), (0, 1)
"""The answers of the target's own prompt, and of each other prompt, that make the committee of a jhu pool."""


@dataclass(frozen=True)
class Answers:
    """One case of a pool: what was asked, production's answer, the committee's answers, and whether production failed."""

    id: str
    question: str
    target: str
    committee: tuple[Answered, ...]
    failed: bool
    task: str = ""


@dataclass(frozen=True)
class Pool:
    """A pool with signals and categories by name, and its failures, 0 or 1, which a labeller would tell."""

    name: str
    family: str
    ids: tuple[str, ...]
    signals: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, tuple[str, ...]]
    failed: NDArray[np.float64]


def pools(folder: Path) -> Iterator[Pool]:
    """Every pool that the folder holds."""
    yield from _gsm8k(folder / GSM8K)
    yield from _jhu(folder / JHU)
    yield from _bbh(folder / BBH)


def _gsm8k(path: Path) -> Iterator[Pool]:
    """Each of four models is the target once, the other three are its committee."""
    rows = _read(path)
    models = [name for name, value in rows[0].items() if isinstance(value, dict)]
    for target in models:
        cases = [
            Answers(
                id=str(number),
                question=row["question"],
                target=row[target]["solution"],
                committee=tuple(Answered(row[m]["solution"], prompt_id=m) for m in models if m != target),
                failed=not row[target]["is_correct"],
            )
            for number, row in enumerate(rows)
        ]
        yield _pool(f"gsm8k/{target}", "gsm8k", "number", cases)


def _jhu(path: Path) -> Iterator[Pool]:
    """Each prompt is the target once, over all temperatures, and each of three temperatures once, over all prompts.

    A question comes once with every temperature (or prompt): 100 questions make 1,100 (or 500) cases.
    """
    rows = {(r["prompt_variant"], r["temperature"], r["problem_id"]): r for r in _read(path)}
    variants, temperatures, problems = ([*dict.fromkeys(key[i] for key in rows)] for i in range(3))

    def case(variant: str, temperature: float, problem: str) -> Answers:
        row = rows[variant, temperature, problem]
        committee = [
            Answered(str(rows[v, temperature, problem]["answers"][i]), prompt_id=v, temperature=temperature)
            for v in variants
            for i in (OWN if v == variant else OTHERS)
            if i < len(rows[v, temperature, problem]["answers"])
        ]
        return Answers(
            id=f"{variant}/{temperature}/{problem}",
            question=problem,
            target=str(row["answers"][0]),
            committee=tuple(committee),
            failed=str(row["answers"][0]) != row["correct_answer"],
        )

    for variant in variants:
        cases = [case(variant, t, p) for t in temperatures for p in problems if rows[variant, t, p]["answers"]]
        yield _pool(f"jhu/{variant}", "jhu", "label", cases)
    for temperature in (temperatures[0], temperatures[len(temperatures) // 2], temperatures[-1]):
        cases = [case(v, temperature, p) for v in variants for p in problems if rows[v, temperature, p]["answers"]]
        yield _pool(f"jhu/t{temperature}", "jhu", "label", cases)


def _bbh(folder: Path) -> Iterator[Pool]:
    """Each of two prompts is the target once: whole, and by task. The committee are both prompts, an answer each."""
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in _read(path)]
    for target in ("direct", "cot"):
        cases = [_bbh_case(row, target) for row in rows]
        yield _pool(f"bbh/{target}", "bbh", "label", cases)
        for task in dict.fromkeys(case.task for case in cases):
            own = [case for case in cases if case.task == task]
            if len(own) >= LEAST_CASES:
                yield _pool(f"bbh/{target}/{task}", "bbh task", "label", own)


def _bbh_case(row: Mapping[str, Any], target: str) -> Answers:
    outputs = {output["prompt_variant"]: output for output in row["outputs"]}
    return Answers(
        id=f"{row['task']}/{row['i']}",
        question=row["question"],
        target=outputs[target]["answer"],
        committee=tuple(Answered(output["answer"], prompt_id=name) for name, output in sorted(outputs.items())),
        failed=not outputs[target]["correct"],
        task=row["task"],
    )


def _pool(name: str, family: str, kind: Kind, cases: Sequence[Answers]) -> Pool:
    recorded = [
        Recorded(c.id, c.committee, c.target, kind, labels=(), input=c.question, question=c.question) for c in cases
    ]
    model, _ = fit_scoring(recorded)
    rows = [_signals(one, case, model) for one, case in zip(recorded, cases, strict=True)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Pool(
        name=name,
        family=family,
        ids=tuple(case.id for case in cases),
        signals={n: np.array([row.get(n, np.nan) for row in rows], dtype=float) for n in names},
        categories={"task": tuple(case.task for case in cases), **_groups(cases)},
        failed=np.array([case.failed for case in cases], dtype=float),
    )


def _groups(cases: Sequence[Answers]) -> dict[str, tuple[str, ...]]:
    """Near-duplicate questions, as a selection has them: of more than one case."""
    asked = [Case(c.id, (Message("user", c.question),), Source(c.id, 1)) for c in cases]
    found = near_duplicate_groups(asked, DedupeConfig())
    sizes = Counter(found)
    return {GROUP: tuple(group if sizes[group] > 1 else "" for group in found)}


def _signals(one: Recorded, case: Answers, model: ScoringModel) -> dict[str, float]:
    found = measure_record(one, model=model)
    if found is None:
        return {}
    told = {
        "score": default_score(found),
        "within": found.split.within,
        "between": found.split.between,
        "against_target": found.against_target,
        "agreement": found.agreement,
        "wording": found.wording,
        "words": found.words,
        "target_words": float(len(case.target.split())),
        "question_words": float(len(case.question.split())),
        **{f"by {group}": value for group, value in found.by_group.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def _read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def auroc(values: Iterable[float], failed: NDArray[np.float64]) -> float:
    """The chance that a failing case has a higher value than another, ties counting a half."""
    from scipy.stats import rankdata

    ranks, ones = rankdata(list(values)), failed.sum()
    return float((ranks[failed == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(failed) - ones)))
