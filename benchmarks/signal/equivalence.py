"""Compare the methods of `equivalence:` on recorded short answers and texts.

    python benchmarks/signal/equivalence.py --data DIR [--sets NAME ...] [--answers N ...] [--nli MODEL]

DIR as in `recorded_sets.py`. Sets whose records are not of kind short or text are left out: there, no
method matters. Printed are the AUROC of `the target is wrong` by the default score and by the committee's own
disagreement, and what the steps before a judge leave to it.

`word sets` is exact keys and the Jaccard distance of blank-separated words; `words` is the default without the question,
and `lexical` the default. The sets are few and `sac3-nq` was looked at while the rules were made: see the interval.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.common.recorded_sets import Record, auroc, interval, limited, sets
from curator.answers.read import Answer, read_answer
from curator.config import EmbeddingConfig, EquivalenceConfig
from curator.disagreement.equivalence.comparers import WORD_COMPARER, Comparer, VerdictComparer, classes_by_key
from curator.disagreement.equivalence.leader_clustering import Pair, cheap_verdict, pair_of
from curator.disagreement.recorded import score_record
from curator.run_folder.recorded import read_record
from curator.stages.equivalence import open_comparer


@dataclass(frozen=True)
class WordSets:
    """Exact keys, and the Jaccard distance of the sets of words: a baseline without any rule."""

    name: str = "word sets"

    def classes_by_key(self, answers: Sequence[Answer], target: Answer | None) -> list[int]:
        """See `Comparer`."""
        return classes_by_key([*answers, *([target] if target else [])])

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`."""
        words = [set(answer.key.casefold().split()) for answer in (*answers, *([target] if target else []))]
        return np.array([[1 - len(a & b) / max(len(a | b), 1) if a != b else 0.0 for b in words] for a in words])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--sets", nargs="*", default=[], help="only these (default: all)")
    parser.add_argument("--answers", type=int, nargs="*", default=[3, 5, 10, 20], help="answers a case")
    parser.add_argument("--nli", help="also a cross-encoder for NLI, by folder or hub name")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        cache = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "vectors.sqlite"
        methods: dict[str, Callable[[str], Comparer]] = {
            "word sets": lambda _: WordSets(),
            "words": lambda _: WORD_COMPARER,
        }
        for method, model in (("lexical", None), ("embedding", None), ("nli", arguments.nli)):
            if method != "nli" or model:
                config = EquivalenceConfig.model_validate({"method": method, "nli_model": model})
                methods[method] = stack.enter_context(open_comparer(config, EmbeddingConfig(), cache=cache))
        for recorded_set in sets(arguments.data):
            wanted = not arguments.sets or recorded_set.name in arguments.sets
            if wanted and recorded_set.records[0].get("kind") in ("short", "text"):
                report(recorded_set.name, recorded_set.records, recorded_set.wrong, arguments.answers, methods)


def report(
    name: str,
    records: Sequence[Record],
    wrong: NDArray[np.bool_],
    limits: Sequence[int],
    methods: dict[str, Callable[[str], Comparer]],
) -> None:
    print(f"\n{name}: n={len(records)}, base rate {wrong.mean():.3f}; AUROC by default score / target-free")
    print(f"  {'':<20}" + "".join(f"{f'{limit} answers':>34}" for limit in limits))
    for method, comparer in methods.items():
        cells = []
        start = time.perf_counter()
        for limit in limits:
            lines = (orjson.dumps(limited(record, limit)) for record in records)
            scores = [score_record(read_record(line), comparer=comparer) for line in lines]
            values = np.array([s.disagreement or 0.0 for s in scores])
            low, high = interval([values], wrong)
            free = auroc(np.array([s.spread or 0.0 for s in scores]), wrong)
            cells.append(f"{auroc(values, wrong):.3f} [{low:.3f}, {high:.3f}] / {free:.3f}")
        print(f"  {method:<20}" + "".join(f"{cell:>34}" for cell in cells) + f"  {time.perf_counter() - start:.1f} s")
    for limit in limits:
        judge_load([limited(record, limit) for record in records], limit)


def judge_load(records: Sequence[Record], limit: int) -> None:
    """Print what the cheap steps decide of all pairs, and how many pairs a judge would see."""
    decided: Counter[bool | None] = Counter()
    asked = {True: 0, False: 0}
    for record in records:
        answers = [read_answer(g["text"], record["kind"]) for g in record["generations"]]
        target = read_answer(record["target"], record["kind"]) if record.get("target") else None
        decided.update(map(cheap_verdict, pairs(record["input"], answers, target)))
        for same in asked:
            seen: list[Pair] = []
            VerdictComparer(record["input"], functools.partial(say, same=same, seen=seen), "").classes(answers, target)
            asked[same] += len(seen)
    total = decided.total()
    print(
        f"  {limit} answers: words decide {1 - decided[None] / total:.1%} of {total:,} pairs"
        f" ({decided[True]:,} the same, {decided[False]:,} apart);"
        f" a judge is asked {asked[True] / len(records):.1f} to {asked[False] / len(records):.1f} pairs a case"
    )


def pairs(question: str, answers: Sequence[Answer], target: Answer | None) -> Iterator[Pair]:
    texts = sorted({answer.key for answer in (*answers, *([target] if target else []))})
    return (pair_of(question, text, other) for i, text in enumerate(texts) for other in texts[:i])


def say(pairs: Sequence[Pair], *, same: bool, seen: list[Pair]) -> dict[Pair, bool | None]:
    """Decides every pair alike, and remembers that it was asked."""
    seen.extend(pairs)
    return dict.fromkeys(pairs, same)


if __name__ == "__main__":
    main()
