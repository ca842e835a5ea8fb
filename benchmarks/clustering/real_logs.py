"""The first categories of public data, for a person to read.

    python -m benchmarks.clustering.real_logs --data DIR [--only halueval spider-sql ...] [--labels 200] [--first 10]

DIR holds `recorded/` (pairs NAME.recorded.jsonl and NAME.labels.jsonl), `halueval/` (one reply a question, with a judgement)
and `arena-hard/` (questions without an answer). So many cases of a set, drawn at random, have the judgement of its labels, as
if people had labelled them; of halueval, which has no committee, all have it. For each category: its sentence, cases, share,
the share of judged cases that fail beside that of the set, its sides, and two examples.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.clustering.outcomes import whole_variant
from benchmarks.common.recorded_sets import Record, read, sets
from curator.committee.prompts import Variant
from curator.config import parse_config
from curator.readers.json_text import as_text
from curator.records import (
    KINDS,
    Case,
    Category,
    Contrast,
    Generation,
    Kind,
    Message,
    Role,
    Source,
    Verdict,
)
from curator.stages.categorise import CategoryResult, categorise
from curator.stages.score import Scorer
from curator.text.display import one_line

CONFIG = parse_config(
    {"name": "real", "logs": {"paths": ["-"]}, "committee": {"models": [{"name": "m", "provider": "local"}]}}
)
ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}


@dataclass(frozen=True, slots=True)
class RealLog:
    """Cases with the answers of a committee, and whether production fails on each, by the set's own labels."""

    name: str
    cases: Sequence[Case]
    generations: Mapping[str, Sequence[Generation]]
    wrong: Mapping[str, bool]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of sets; all without")
    parser.add_argument("--labels", type=int, default=200, help="judged cases of a recorded set")
    parser.add_argument("--first", type=int, default=10, help="categories to print")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for log in logs(arguments.data, arguments.labels):
        if not arguments.only or log.name.partition(",")[0] in arguments.only:
            show(log, arguments.first)


def logs(folder: Path, labels: int) -> Iterator[RealLog]:
    """Yield every set of the folder as a log."""
    yield _halueval(read(folder / "halueval" / "general_first1000.jsonl"))
    yield _arena(read(folder / "arena-hard" / "question_v0.1.jsonl"))
    for recorded in sets(folder / "recorded"):
        if not any(record.get("target") for record in recorded.records):
            continue  # its labels judge the majority, which comes as the target of a set of its own
        wrong = {
            record["id"]: bool(is_wrong) for record, is_wrong in zip(recorded.records, recorded.wrong, strict=True)
        }
        judged = set(Random(0).sample(sorted(wrong), min(labels, len(wrong))))
        yield RealLog(
            recorded.name,
            [
                _case(record, wrong=wrong[record["id"]] if record["id"] in judged else None)
                for record in recorded.records
            ],
            {record["id"]: _generations(record) for record in recorded.records},
            wrong,
        )


def _halueval(rows: Sequence[Record]) -> RealLog:
    wrong = {f"halueval/{row['ID']}": row["hallucination"] == "yes" for row in rows}
    cases = [
        _case({"id": f"halueval/{row['ID']}", "input": row["user_query"], "target": row["chatgpt_response"]},
              wrong=wrong[f"halueval/{row['ID']}"])
        for row in rows
    ]  # fmt: skip
    return RealLog("halueval", cases, {case.id: () for case in cases}, wrong)


def _arena(rows: Sequence[Record]) -> RealLog:
    cases = [_case({"id": row["uid"], "input": row["prompt"]}, wrong=None) for row in rows]
    return RealLog("arena-hard", cases, {case.id: () for case in cases}, {})


def _case(record: Record, *, wrong: bool | None) -> Case:
    turns = record["input"] if isinstance(record["input"], list) else [{"role": "user", "content": record["input"]}]
    messages = tuple(Message(role=ROLES[turn["role"]], content=as_text(turn["content"]) or "") for turn in turns)
    return Case(
        id=record["id"],
        messages=messages,
        source=Source("recorded", 1),
        target=as_text(record.get("target")),
        task=record.get("task"),
        kind=_kind(record.get("kind")),
        verdict=None if wrong is None else Verdict(float(wrong)),
    )


def _kind(name: object) -> Kind | None:
    return next((kind for kind in KINDS if kind == name), None)


def _generations(record: Record) -> list[Generation]:
    answers = [g if isinstance(g, dict) else {"text": g} for g in record["generations"]]
    return [
        Generation(
            case_id=record["id"],
            text=as_text(answer["text"]) or "",
            model=answer.get("model"),
            variant=answer.get("variant") or "",
            temperature=answer.get("temperature"),
            sample_index=place,
        )
        for place, answer in enumerate(answers)
        if answer.get("text") is not None
    ]


def show(log: RealLog, first: int) -> None:
    """Print the first top-level categories of a log."""
    if not any(log.generations.values()) and not any(case.target for case in log.cases):
        print(f"\n## {log.name}: {len(log.cases):,} cases without an answer, of which no failure can be told\n")
        return
    scored = Scorer(CONFIG, log.cases, _variants(log.generations)).score(log.generations)
    result = categorise(log.cases, scored.contrasts, scored.scores, scored.failures)
    top = [category for category in result.categories if category.parent is None]
    inside = {case_id for category in top for case_id in category.case_ids}
    base = np.mean(list(log.wrong.values())) if log.wrong else np.nan
    print(
        f"\n## {log.name}: {len(log.cases):,} cases, {len(top)} categories with {len(inside):,} cases; {base:.0%} fail\n"
    )
    texts = {case.id: case for case in log.cases}
    for place, category in enumerate(top[:first], 1):
        for text in described(place, category, log, result, texts):
            print(text)
    print(flush=True, end="")


def _variants(generations: Mapping[str, Sequence[Generation]]) -> list[Variant]:
    """Return the prompt variants of the answers; whole answers are read, as in `curator score`."""
    names = {generation.variant or "" for of_case in generations.values() for generation in of_case}
    return [whole_variant(name) for name in sorted(names)]


def described(
    place: int, category: Category, log: RealLog, result: CategoryResult, cases: Mapping[str, Case]
) -> Iterator[str]:
    """Yield the lines of a category: its sentence and figures, its sides, two examples."""
    count = len(category.case_ids)
    judged = [log.wrong[case_id] for case_id in category.case_ids if case_id in log.wrong]
    fails = f", {np.mean(judged):.0%} fail" if judged else ""
    yield f"{place:2}. {category.name}: {category.sentence}"
    yield f"    {count} cases, {count / len(log.cases):.1%}{fails}; {category.basis}; {category.aspect}"
    if category.sides:
        yield "    " + "; ".join(f"{side.by} {side.share:.0%}: {one_line(side.text, 60)}" for side in category.sides)
    for case_id in category.case_ids[:2]:
        yield from _example(cases[case_id], result.contrasts.get(case_id))


def _example(case: Case, contrast: Contrast | None) -> Iterator[str]:
    yield f"      {one_line(case.user, 70)}"
    if contrast is not None:
        yield f"        given {one_line(contrast.given, 55)} | expected {one_line(contrast.expected, 55)}"
    elif case.target is not None:
        yield f"        given {one_line(case.target, 100)}"


if __name__ == "__main__":
    main()
