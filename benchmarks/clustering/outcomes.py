"""Categories of a made-up log: from the stages that score and group, in memory, or from a run of the whole product."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

import curator
from benchmarks.clustering.finding import Named
from benchmarks.clustering.made_up import MadeUpLog
from benchmarks.clustering.recorded_committee import (
    RecordedCommittee,
    committee_config,
    member_of,
    served,
    write_log,
)
from benchmarks.common.lexical import LexicalEncoder
from curator.answers.extraction import ReadRule
from curator.committee.prompts import Section, Variant
from curator.config import parse_config
from curator.records import Case, Category, Generation, Reference, Source, case_id
from curator.stages.categorise import CategoryResult, categorise, earlier_categories
from curator.stages.score import Scorer, ScoringResult
from curator.state.categories import CategoriesFile

FIRST_NIGHT = CategoriesFile(None, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The categories of a made-up log.

    Attributes:
        categories: those of the top level, in their order.
        modes: the planted mode of each kept case, by case id; None for none.
        weights: the log records behind each kept case, by case id.
        texts: the last user message of each kept case, by case id.
        seconds: for everything.
    """

    categories: Sequence[Named]
    modes: Mapping[str, str | None]
    weights: Mapping[str, int]
    texts: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class ScoredLog:
    """The cases of a made-up log, each with its weight, their planted modes, by case id, and their scores."""

    cases: Sequence[Case]
    modes: Mapping[str, str | None]
    scoring: ScoringResult


@dataclass(frozen=True, slots=True)
class GroupedLog:
    """The cases of a made-up log, each with its weight, their planted modes, by case id, and their categories."""

    cases: Sequence[Case]
    modes: Mapping[str, str | None]
    result: CategoryResult


def in_memory(log: MadeUpLog) -> Outcome:
    """Score and group the cases of a log."""
    start = time.monotonic()
    grouped = group(log)
    return Outcome(
        categories=named(grouped.result.categories),
        modes=grouped.modes,
        weights={case.id: case.weight for case in grouped.cases},
        texts={case.id: case.user for case in grouped.cases},
        seconds=time.monotonic() - start,
    )


def named(categories: Iterable[Category]) -> list[Named]:
    """Return the categories of the top level as they are measured."""
    return [Named(c.id, c.name, c.sentence, frozenset(c.case_ids)) for c in categories if c.parent is None]


def group(log: MadeUpLog, remembered: CategoriesFile = FIRST_NIGHT) -> GroupedLog:
    """Score and group the cases of a log, after the nights that are remembered."""
    scored = score(log)
    scoring = scored.scoring
    earlier_ids = earlier_categories(scored.cases, remembered)
    result = categorise(scored.cases, scoring.contrasts, scoring.scores, scoring.failures, earlier_ids=earlier_ids)
    return GroupedLog(scored.cases, scored.modes, result)


def score(log: MadeUpLog) -> ScoredLog:
    """Score the cases of a log, of equal inputs the first one is kept, as in a run."""
    cases: dict[str, Case] = {}
    modes: dict[str, str | None] = {}
    weights: dict[str, int] = {}
    generations: dict[str, list[Generation]] = {}
    variants: dict[str, Variant] = {}
    for line, made in enumerate(log.cases, 1):
        identity = case_id(made.messages)
        weights[identity] = weights.get(identity, 0) + 1
        if identity in cases:
            continue
        modes[identity] = made.mode
        cases[identity] = Case(
            identity, made.messages, Source(log.name, line), target=made.target, task=made.task,
            reference=None if made.label is None else Reference(made.label, "label"),
        )  # fmt: skip
        generations[identity] = []
        for number, answer in enumerate(made.answers):
            model, variant = member_of(answer)
            variants.setdefault(variant, whole_variant(variant))
            generations[identity].append(
                Generation(identity, answer.text, model, variant, answer.temperature, sample_index=number)
            )
    config = parse_config({"committee": {"models": [{"name": "made-up", "model": "made-up"}]}})
    scoring = Scorer(config, list(cases.values()), list(variants.values())).score(generations)
    return ScoredLog([replace(case, weight=weights[case.id]) for case in cases.values()], modes, scoring)


def whole_variant(variant: str) -> Variant:
    """Return a prompt variant whose output is the answer."""
    nothing = Section("", 1)
    return Variant(variant, 1, variant, ReadRule("whole"), 0, "", nothing, nothing, Path(variant))


def through_product(log: MadeUpLog, folder: Path) -> Outcome:
    """Run the whole product over a log file and a local endpoint, in a new folder.

    The vectors are those of TF-IDF: they decide which cases are selected, not how failures are grouped.
    """
    folder.mkdir()
    write_log(log.cases, folder / "log.jsonl")
    modes: dict[str, str | None] = {}
    texts: dict[str, str] = {}
    for made in reversed(log.cases):  # of equal inputs the first one is kept
        modes[case_id(made.messages)] = made.mode
        texts[case_id(made.messages)] = made.messages[-1].content
    start = time.monotonic()
    with served(RecordedCommittee(log.cases)) as base_url:
        config: dict[str, Any] = {
            "name": "planted",
            "logs": {"paths": [str(folder / "log.jsonl")]},
            "committee": committee_config(log.cases, base_url, folder / "prompts"),
            "held_out": {"paraphrases": False},
            "store": str(folder / "store.sqlite"),
        }
        curator.run(parse_config(config), out=folder / "run", environ={}, encoder=_NamedEncoder(sorted(texts.values())))
    weights = {row["id"]: row["weight"] for row in _rows(folder / "run" / "cases.jsonl")}
    return Outcome(
        categories=[
            Named(row["id"], row["name"], row["sentence"], frozenset(row["case_ids"]))
            for row in _rows(folder / "run" / "categories.jsonl")
            if row["parent"] is None
        ],
        modes={i: mode for i, mode in modes.items() if i in weights},
        weights=weights,
        texts={i: text for i, text in texts.items() if i in weights},
        seconds=time.monotonic() - start,
    )


class _NamedEncoder(LexicalEncoder):
    """TF-IDF vectors under a name, which the cache of vectors needs."""

    name = "tf-idf of the log"


def _rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(text) for text in path.read_bytes().splitlines()]
