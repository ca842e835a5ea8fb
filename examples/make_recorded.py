"""Make the example answers and their verdicts from a run over the example logs.

    python examples/make_recorded.py runs/quickstart

Writes `recorded.jsonl` (the run's answers), `verdicts.csv` (pass or fail of every logged answer that `inputs/` can judge) and
`results.csv` (pass or fail of the first answer of each prompt variant). The verdicts follow from what `inputs/` says is true.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson
import yaml
from make_logs import HERE, SEED, Question, is_right, load_questions

from curator.records import Message

RESULT_TASKS = ("route", "extract", "faq")


def main() -> None:
    """Parse the arguments and write the three files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder of configs/quickstart.yaml")
    parser.add_argument("--out", type=Path, default=HERE, help="the folder to write to")
    arguments = parser.parse_args()
    recorded = arguments.run / "recorded.jsonl"
    shutil.copyfile(recorded, arguments.out / "recorded.jsonl")
    records = [orjson.loads(line) for line in recorded.read_bytes().splitlines()]
    questions = {question.messages: question for question in load_questions(HERE / "inputs", seed=SEED)}
    replies = yaml.safe_load((HERE / "inputs" / "verdicts.yaml").read_text(encoding="utf-8"))
    judged = [(record, questions[_messages(record)]) for record in records]
    _write(arguments.out / "verdicts.csv", ("id", "verdict"), _verdicts(judged, replies))
    variants = list(dict.fromkeys(g["variant"] for record in records for g in record["generations"]))
    _write(arguments.out / "results.csv", ("id", *variants), _results(judged, variants))


def _messages(record: Mapping[str, list[dict[str, str]]]) -> tuple[Message, ...]:
    return tuple(Message(message["role"], message["content"]) for message in record["input"])


def _verdicts(
    judged: Iterable[tuple[Mapping[str, str], Question]], replies: Mapping[str, Sequence[str]]
) -> list[tuple[str, ...]]:
    """Judge the logged answers; a reply has a verdict where a person has read that very text."""
    rows = []
    for record, question in judged:
        target = record["target"]
        if question.task["task"] != "reply":
            right = is_right(question.task["task"], question.spec, question.truth, target)
        else:
            right = target in replies["helpful"] or (False if target in replies["unhelpful"] else None)
        if right is not None:
            rows.append((record["id"], "pass" if right else "fail"))
    return rows


def _results(
    judged: Iterable[tuple[Mapping[str, list[dict[str, str]]], Question]], variants: Sequence[str]
) -> list[tuple[object, ...]]:
    """Judge the first answer of each variant, as 1 or 0, for the cases where all of them answered."""
    rows = []
    for record, question in judged:
        name = question.task["task"]
        if name not in RESULT_TASKS or question.truth is None:
            continue
        first = {g["variant"]: g["text"] for g in reversed(record["generations"])}
        if first.keys() == set(variants):
            rights = [is_right(name, question.spec, question.truth, first[variant]) for variant in variants]
            rows.append((record["id"], *(int(bool(right)) for right in rights)))
    return rows


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
