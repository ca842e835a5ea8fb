"""Measure how well structured answers rank wrong cases: calls, JSON, SQL and code by their features.

    python benchmarks/signal/structures.py --data DIR [--sets NAME ...] [--baselines FILE]

DIR as in `recorded_sets.py`. For each set: AUROC of "the target is wrong" (of "the majority is wrong" without a target) for
the mean distance of the answers to the target (else of all pairs), where the distance of two answers is

* graded: 1 - `similarity` of their features in one form, the weights of the paths learned from the set without labels;
* exact: whether their `form_key` differs;
* exact text, words (Jaccard), ROUGE-L: of the raw texts;

beside discrete entropy over texts, the length, and `scores` of the Python file given as `--baselines`. A form is printed if at
least half of the answers have it. An answer without the form is as far as possible from one with it, and from one with
another text. Then the processor time for each answer, read once. Nothing here is fitted to labels.
"""

from __future__ import annotations

import argparse
import math
import runpy
import time
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from benchmarks.common.recorded_sets import Record, RecordedSet, auroc, read
from benchmarks.signal.references import jaccard, rouge_l, semantic_entropy
from curator.answers.structured import FORMS, Form, features_of, field_weights, form_key, similarity

SETS = (
    "spider-sql",
    "bfcl-prompt",
    "classeval",
    "crux-input",
    "game24-cot",
    "zeroeval-crux",
    "gqa-json",
    "zeroeval-gsm.raw",
)
Distance = Callable[[str, str], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--sets", nargs="*", default=SETS, help="names of sets")
    parser.add_argument("--baselines", type=Path, help="Python file with a function `scores` of records")
    arguments = parser.parse_args()
    for name in arguments.sets:
        recorded = read_set(arguments.data, name)
        print(f"\n{name}: n={len(recorded.records)}, base rate {recorded.wrong.mean():.3f}")
        print_forms(recorded)
        print_baselines(recorded, arguments.baselines)


def read_set(folder: Path, name: str) -> RecordedSet:
    labels = {label["id"]: bool(label["wrong"]) for label in read(folder / f"{name}.labels.jsonl")}
    records = [record for record in read(folder / f"{name}.recorded.jsonl") if record["id"] in labels]
    return RecordedSet(name, records, np.array([labels[record["id"]] for record in records]))


def print_forms(recorded: RecordedSet) -> None:
    texts = sorted({text for record in recorded.records for text in answers_of(record)})
    for form in FORMS:
        begin = time.process_time()
        read = [features_of(text, form) is not None for text in texts]
        took = (time.process_time() - begin) / len(texts)
        if 2 * sum(read) < len(texts):
            print(f"  {form}: {np.mean(read):.2f} of the answers, {1000 * took:.2f} ms each")
            continue
        cases = [[f for t in answers_of(record) if (f := features_of(t, form))] for record in recorded.records]
        weights = field_weights(cases)
        for name, distance in (
            ("graded", graded(form, weights)),
            ("exact", exact(form)),
        ):
            print_row(f"{form}, {name}", recorded, distance)
        print_row(f"{form}, both by what they tell", recorded, mixed(recorded, [graded(form, weights), exact(form)]))
        top = sorted(weights.items(), key=lambda item: -item[1])[:8]
        print(f"    {np.mean(read):.2f} read, {1000 * took:.2f} ms each;", ", ".join(f"{p} {w:.2f}" for p, w in top))


def print_baselines(recorded: RecordedSet, baselines: Path | None) -> None:
    print_row("exact text", recorded, lambda left, right: float(left.strip() != right.strip()))
    print_row("words", recorded, lambda left, right: 1 - jaccard(left.lower().split(), right.lower().split()))
    print_row("ROUGE-L", recorded, lambda left, right: 1 - rouge_l(words(left), words(right)))
    entropies = [semantic_entropy([text.strip() for text in answers_of(record)]) for record in recorded.records]
    lengths = [np.mean([len(text) for text in answers_of(record)]) for record in recorded.records]
    print(f"  {'discrete entropy':<34}{auroc(np.array(entropies), recorded.wrong):.3f}")
    print(f"  {'length':<34}{auroc(np.array(lengths), recorded.wrong):.3f}")
    if baselines:
        values = runpy.run_path(str(baselines))["scores"](recorded.records)
        print(f"  {baselines.stem:<34}{auroc(np.array(values), recorded.wrong):.3f}", flush=True)


def print_row(name: str, recorded: RecordedSet, distance: Distance) -> None:
    values = np.array([score(record, distance) for record in recorded.records])
    print(f"  {name:<34}{auroc(values, recorded.wrong):.3f}", flush=True)


def score(record: Record, distance: Distance) -> float:
    """Return the mean distance to the target, else of all pairs."""
    members = [text_of(generation) for generation in record["generations"]]
    if record.get("target") is None:
        return float(np.mean([distance(left, right) for left, right in combinations(members, 2)]))
    target = text_of(record["target"])
    return float(np.mean([distance(target, member) for member in members]))


def graded(form: Form, weights: dict[str, float]) -> Distance:
    def distance(left: str, right: str) -> float:
        of_left, of_right = features_of(left, form), features_of(right, form)
        if of_left is None or of_right is None:
            return float(left != right)
        return 1 - similarity(of_left, of_right, weights)

    return distance


def exact(form: Form) -> Distance:
    def distance(left: str, right: str) -> float:
        keys = form_key(left, form), form_key(right, form)
        return float(left != right if None in keys else keys[0] != keys[1])

    return distance


def mixed(recorded: RecordedSet, distances: Sequence[Distance]) -> Distance:
    """Weight distances by KL(Bernoulli(A_w) || Bernoulli(A_b)) of their agreement in a case and across cases."""
    cases = [answers_of(record) for record in recorded.records]
    within = [(case[0], other) for case in cases for other in case[1:]]
    across = [(case[0], following[-1]) for case, following in pairwise(cases)]
    weights = []
    for distance in distances:
        p, q = (
            min(max(1 - float(np.mean([distance(*pair) for pair in pairs])), 1e-4), 1 - 1e-4)
            for pairs in (within, across)
        )
        weights.append(p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)) if p > q else 0.0)
    total = sum(weights) or 1.0
    return lambda left, right: sum(w * d(left, right) for w, d in zip(weights, distances, strict=True)) / total


def answers_of(record: Record) -> Sequence[str]:
    target = [] if record.get("target") is None else [text_of(record["target"])]
    return [*(text_of(generation) for generation in record["generations"]), *target]


def text_of(generation: Record | str) -> str:
    return str(generation["text"] or "") if isinstance(generation, dict) else generation


def words(text: str) -> Sequence[str]:
    return text.lower().split()[:200]


if __name__ == "__main__":
    main()
