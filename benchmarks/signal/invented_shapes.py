"""Induced readings on invented shapes with known answers, and on raw sets with twins.

    python -m benchmarks.signal.invented_shapes --seeds 6000 6200 [--data DIR]

For each shape: the share of answers whose reading equals the wrapped answer, the share whose class in the case is that of the
known answers, and the AUROC of "the target is wrong" lost against the known answers, with the share of the committee that gives
another answer than the target as the score. The baseline is the whole text. The bars: 97% of the answers, and .03 AUROC on no shape.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common.recorded_sets import Record, read
from curator.answers.frames.frame import ReadingChain
from curator.answers.frames.induction import SAMPLE, induce_reading_chain
from curator.answers.frames.tokens import inner_key
from curator.disagreement.calibration import auroc
from tests.answers.invented_shapes import Shape, shape

TWINS = (
    ("gsm8k-4.raw", "gsm8k-4"),
    ("bbh-dev.raw", "bbh-dev"),
    ("jhu-gpt35.raw", "jhu-gpt35"),
    ("zeroeval-gsm.raw", "zeroeval-gsm.parsed"),
)
"""Raw sets and the sets that hold their parsed answers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(6000, 6200), metavar=("FROM", "TO"))
    parser.add_argument("--data", type=Path, help="the folder of the recorded sets")
    arguments = parser.parse_args()
    print_shapes(range(*arguments.seeds))
    if arguments.data:
        print_twins(arguments.data)


def print_shapes(seeds: Sequence[int]) -> None:
    print(f"{'seed':>6} {'equal':>6} {'class':>6} {'whole':>6} {'lost':>6}  shape (only those below a bar)")
    rows, spent, answers = [], 0.0, 0
    for seed in seeds:
        task = shape(seed)
        started = time.process_time()
        chain = induce_reading_chain([case.wrapped for case in task.cases])
        spent += time.process_time() - started
        answers += sum(len(case.wrapped) for case in task.cases)
        row = (*shares(task, chain), shares(task, ReadingChain())[1], lost(task, chain))
        rows.append(row)
        if row[1] < 0.97 or row[3] > 0.03:
            print(f"{seed:>6} {row[0]:6.3f} {row[1]:6.3f} {row[2]:6.3f} {row[3]:+6.3f}  {task.description}", flush=True)
    equal, same, whole, losses = (np.array(column) for column in zip(*rows, strict=True))
    print(f"{'mean':>6} {equal.mean():6.3f} {same.mean():6.3f} {whole.mean():6.3f} {losses.mean():+6.3f}")
    print(f"shapes that lose more than .03 AUROC: {(losses > 0.03).sum()} of {len(rows)}; the most: {losses.max():.3f}")
    print(f"induction: {1000 * spent / answers:.2f} s of processor time for 1,000 answers")


def shares(task: Shape, chain: ReadingChain) -> tuple[float, float]:
    """Return the shares of answers that are read as known, and that are in the right class."""
    equal, same = [], []
    for case in task.cases:
        keys = [inner_key(text) for text in case.known]
        inner = [inner_key(chain.read(text)) for text in case.wrapped]
        for key, part in zip(keys, inner, strict=True):
            equal.append(key == part)
            same.append([key == other for other in keys] == [part == other for other in inner])
    return float(np.mean(equal)), float(np.mean(same))


def lost(task: Shape, chain: ReadingChain) -> float:
    """Return the AUROC that the known answers reach, less that of the answers as they are read."""
    wrong = np.array([case.known[0] != case.right for case in task.cases])
    reached = []
    for texts in ([case.known for case in task.cases], [[*map(chain.read, case.wrapped)] for case in task.cases]):
        keys = [[inner_key(text) for text in case] for case in texts]
        shared = np.array([np.mean([key != case[0] for key in case[1:]]) for case in keys])
        reached.append(float(auroc(shared, wrong, np.ones((1, len(wrong))))[0]))
    return reached[0] - reached[1]


def print_twins(folder: Path) -> None:
    print(f"\n{'raw set':20} {'answers':>8} {'equal':>6} {'whole':>6} {'s/1,000':>8} {'us/read':>8}  frames")
    for raw, parsed in TWINS:
        records = read(folder / f"{raw}.recorded.jsonl")
        cases = [[generation["text"] for generation in record["generations"]] for record in records]
        started = time.process_time()
        chain = induce_reading_chain(cases)
        induced = time.process_time()
        inner = [[inner_key(chain.read(text)) for text in case] for case in cases]
        took = time.process_time() - induced
        twins = parsed_answers(read(folder / f"{parsed}.recorded.jsonl"))
        pairs = [
            (part in parsed_keys, inner_key(generation["text"]) in parsed_keys)
            for record, parts in zip(records, inner, strict=True)
            for generation, part in zip(record["generations"], parts, strict=True)
            if (parsed_keys := twins.get((question(record), member(generation))))
        ]
        equal, whole = (float(np.mean(column)) for column in zip(*pairs, strict=True))
        used, answers = min(sum(map(len, cases)), SAMPLE), sum(map(len, cases))
        print(
            f"{raw:20} {len(pairs):8,} {equal:6.3f} {whole:6.3f} {1000 * (induced - started) / used:8.2f} "
            f"{1e6 * took / answers:8.1f}  {'; '.join(frame.name for frame in chain.frames)}"
        )


def parsed_answers(records: Sequence[Record]) -> dict[tuple[str, str], set[str]]:
    """Return the keys of the parsed answers by question and member."""
    answers: dict[tuple[str, str], set[str]] = {}
    for record in records:
        for generation in record["generations"]:
            answers.setdefault((question(record), member(generation)), set()).add(inner_key(generation["text"]))
    return answers


def question(record: Record) -> str:
    """Return the part of a record's id that the records of all targets and both twins share."""
    name = str(record["id"])
    return name.rpartition("#")[2] if "#" in name else name


def member(generation: Record) -> str:
    """Return the variant and the temperature of an answer, or its model."""
    return f"{generation.get('variant') or generation.get('model')} {generation.get('temperature')}"


if __name__ == "__main__":
    main()
