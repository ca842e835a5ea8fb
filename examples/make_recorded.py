"""Make the example answers and their verdicts from a run over the example logs.

    python examples/make_recorded.py runs/quickstart mine/runs/my-logs

Writes `recorded.jsonl` (the first run's answers), `verdicts.csv` (pass or fail of every logged answer that `inputs/` can judge),
`results.csv` (1 or 0 for the first answer of each prompt variant) and `labels.csv` (the tutorial's labels, for the second run,
which is one of `curator init`). All of them follow from what `inputs/` says is true.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml
from make_logs import HERE, SEED, Question, is_right, load_questions

from curator.records import Message

RESULT_TASKS = ("route", "extract", "faq")
Judged = tuple[Mapping[str, Any], Question]
"""A recorded case, and the question that it comes from."""


def main() -> None:
    """Parse the arguments and write the four files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder of configs/quickstart.yaml")
    parser.add_argument("sample", type=Path, help="a run folder of the config that `curator init` writes")
    parser.add_argument("--out", type=Path, default=HERE, help="the folder to write to")
    arguments = parser.parse_args()
    questions = {question.messages: question for question in load_questions(HERE / "inputs", seed=SEED)}
    replies = yaml.safe_load((HERE / "inputs" / "verdicts.yaml").read_text(encoding="utf-8"))
    shutil.copyfile(arguments.run / "recorded.jsonl", arguments.out / "recorded.jsonl")
    records = _records(arguments.run, questions)
    _write(arguments.out / "verdicts.csv", ("id", "verdict"), _verdicts(records, replies))
    variants = list(dict.fromkeys(g["variant"] for record, _ in records for g in record["generations"]))
    _write(arguments.out / "results.csv", ("id", *variants), _results(records, variants))
    _write(
        arguments.out / "labels.csv",
        ("id", "verdict", "label"),
        _labels(_records(arguments.sample, questions), replies),
    )


def _records(run: Path, questions: Mapping[tuple[Message, ...], Question]) -> list[Judged]:
    """Read the recorded cases of a run, each with the question that it comes from."""
    records = [orjson.loads(line) for line in (run / "recorded.jsonl").read_bytes().splitlines()]
    return [(record, questions[_messages(record)]) for record in records]


def _messages(record: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(Message(message["role"], message["content"]) for message in record["input"])


def _is_right(record: Mapping[str, Any], question: Question, replies: Mapping[str, Sequence[str]]) -> bool | None:
    """Judge the logged answer. A reply has a verdict where a person has read that very text."""
    if question.task["task"] != "reply":
        return is_right(question.task["task"], question.spec, question.truth, record["target"])
    return record["target"] in replies["helpful"] or (False if record["target"] in replies["unhelpful"] else None)


def _verdicts(judged: Iterable[Judged], replies: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    rights = [(record["id"], _is_right(record, question, replies)) for record, question in judged]
    return [(case_id, "pass" if right else "fail") for case_id, right in rights if right is not None]


def _labels(judged: Iterable[Judged], replies: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Write the right answer where `inputs/` has one, else the verdict only."""
    rows = []
    for record, question in judged:
        right = _is_right(record, question, replies)
        truth = question.truth
        if isinstance(truth, list):
            truth = orjson.dumps(dict(zip(("order", "item"), truth, strict=True))).decode()
        if right is not None:
            rows.append((record["id"], "pass" if right else "fail", truth or ""))
    return rows


def _results(judged: Iterable[Judged], variants: Sequence[str]) -> list[tuple[object, ...]]:
    """Judge the first answers of the variants, as 1 or 0, on cases that all of them answered."""
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
