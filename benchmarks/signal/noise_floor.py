"""Measure the signal of repeats at temperature 0: real ones, with gold answers.

    python benchmarks/signal/noise_floor.py --data DIR [--temperature T]

DIR holds the runs of https://github.com/breckbaldwin/llm-stability (Apache-2.0) as *.jsonl, a question a line: `{"model",
"id", "question", "gold", "runs": [...]}`. Each becomes a record of contract 4 (docs/architecture.md) whose answers have
temperature 0, or `--temperature`: what the product would say of the same answers were they not cold. A case is wrong where
its majority is not the gold answer; a gold answer that is no option is left out, as is a case that has no majority.

For each file: the default score, the cases whose repeats differ, and how well the score ranks the wrong cases, beside the
length of the answers. Then the wrong cases that were unanimous, the product's noise floor, the report's sentence on it, and
the warnings of `curator score`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.common.recorded_sets import Record, auroc, interval, read
from curator.answers.read import read_answer
from curator.disagreement.diagnosis.blind_spots import noise_floor
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.records import NoiseFloor
from curator.records.recorded import Recorded
from curator.report.format import interval as with_interval
from curator.report.sentences import noise_sentence
from curator.run_folder.recorded import read_record
from curator.stats import UNANIMOUS, rate
from curator.workflows.score import ScoreResult, score, score_file

OPTION = re.compile(r"\(([A-Z])\)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of llm-stability's runs, *.jsonl")
    parser.add_argument("--temperature", type=float, default=0.0, help="what the records say of their answers")
    arguments = parser.parse_args()
    for path in sorted(arguments.data.glob("*.jsonl")):
        print(f"\n{path.stem}")
        for line in lines(read(path), arguments.temperature):
            print(f"  {line}")


def lines(rows: Sequence[dict[str, Any]], temperature: float) -> Iterator[str]:
    """Yield the lines that are printed for one file."""
    records = [record_of(row, temperature) for row in rows]
    scored = score(records)
    values = np.array([score_of_case.disagreement for score_of_case in scored], dtype=float)
    unanimous = np.array([(score_of_case.agreement or 0.0) >= UNANIMOUS for score_of_case in scored])
    longest = np.array([np.mean([len(g["text"]) for g in record["generations"]]) for record in records])
    verdicts = [wrong(row, score_of_case.majority) for row, score_of_case in zip(rows, scored, strict=True)]
    judged = np.array([verdict is not None for verdict in verdicts])
    bad = np.array([verdict is True for verdict in verdicts])[judged]
    differing = rate(float((~unanimous).sum()), len(scored))
    yield f"{len(rows)} cases, {sum(len(r['runs']) for r in rows) / len(rows):.1f} repeats; {judged.sum()} with a verdict"
    yield f"default score: mean {values.mean():.4f}, median {np.median(values):.4f}"
    yield f"cases whose repeats differ in meaning: {with_interval(differing)}"
    yield f"wrong: {with_interval(rate(float(bad.sum()), int(judged.sum())))}"
    for name, column in (("disagreement", values), ("length of the answers", longest)):
        low, high = interval([column[judged]], bad)
        yield f"AUROC of 'the majority is wrong': {auroc(column[judged], bad):.3f} [{low:.3f}, {high:.3f}] by {name}"
    same = unanimous[judged]
    yield f"wrong among the unanimous: {with_interval(rate(float(bad[same].sum()), int(same.sum())))} of {same.sum()}"
    noise = floor_of(records)
    yield f"noise floor: {noise}"
    yield f"the report says: {noise_sentence(noise)}"
    result = report_of(records)
    yield f"`curator score` says: {result.figures.to_text()}"
    yield from (f"`curator score` warns: {warning}" for warning in result.warnings)


def record_of(row: dict[str, Any], temperature: float) -> Record:
    """A question with its runs as a record of contract 4, without the gold answer."""
    answers = [{"text": text, "model": row["model"], "temperature": temperature} for text in row["runs"]]
    return {"id": row["id"], "input": row["question"], "generations": answers, "kind": "choice"}


def wrong(row: dict[str, Any], majority: str | None) -> bool | None:
    """Return True if the majority is not the gold option; None where one is unreadable."""
    gold = OPTION.fullmatch(row["gold"].strip())
    answer = read_answer(majority or "", "choice", input=row["question"]).key
    return (
        None if gold is None or not answer else answer != read_answer(row["gold"], "choice", input=row["question"]).key
    )


def floor_of(records: Sequence[Record]) -> NoiseFloor:
    """The noise floor as a run would find it."""
    recorded = [read_record(orjson.dumps(record)) for record in records]
    return noise_floor({case.id: votes(case, record) for case, record in zip(recorded, records, strict=True)})


def votes(case: Recorded, record: Record) -> list[Vote]:
    """The answers of a record as votes, in which those that mean the same have one meaning."""
    answers = [read_answer(a.text, case.kind, labels=case.labels, input=case.input) for a in case.answers]
    members = [MemberKey(model=g["model"], temperature=g["temperature"]) for g in record["generations"]]
    return votes_of(members, answers, case.kind, WordComparer(case.question))


def report_of(records: Sequence[Record]) -> ScoreResult:
    """Return the result of `curator score` for the records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recorded.jsonl"
        path.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records))
        return score_file(path, Path(folder) / "scores.jsonl")


if __name__ == "__main__":
    main()
