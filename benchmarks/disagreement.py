"""How well disagreement finds wrong answers, on recorded generations whose correctness is known.

    python benchmarks/disagreement.py --data DIR [--answers N ...]

DIR holds pairs NAME.recorded.jsonl (contract 4 of docs/architecture.md) and NAME.labels.jsonl ({"id", "wrong"}). Each
set is scored as it is, without a target where its records have none. A set whose labels judge a `majority` (the most
usual answer of the variant `label_prompt`) is scored a second time with that majority as the target, against the
answers of the other variants.

Nothing is fitted here, but choices were made while looking at some sets, so that their rows are optimistic: the
default score's formula (gsm8k-4, jhu-gpt35, sac3-nq), the function words left out of texts (sac3-nq), and how
conclusions are found in prose (bbh-dev.raw). Of gsm8k-4.raw only the format was known.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.disagreement.estimators import VERSIONS
from curator.disagreement.recorded import score_recorded
from curator.disagreement.score import SCORER
from curator.records import Score, stable_unit

Record = dict[str, Any]
Floats = NDArray[np.float64]
DRAWS = 1000
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument(
        "--answers", type=int, nargs="*", default=[], help="score again with N answers a case, for each N"
    )
    arguments = parser.parse_args()
    print(f"scorer {SCORER}; " + ", ".join(f"{name}/{version}" for name, version in VERSIONS.items()))
    print(f"AUROC of `the target is wrong` with a bootstrap 95% interval ({DRAWS} draws), precision of the top 10%")
    for limit in (None, *arguments.answers):
        print(f"\n{'all answers' if limit is None else f'{limit} answers'} a case")
        for name, records, wrong in sets(arguments.data):
            report(name, [limited(record, limit) for record in records], wrong)


def sets(folder: Path) -> Iterator[tuple[str, list[Record], NDArray[np.bool_]]]:
    """Each set in the folder: its name, its records, and whether each one's target is wrong."""
    for path in sorted(folder.glob("*.recorded.jsonl")):
        name = path.name.removesuffix(".recorded.jsonl")
        labels = {label["id"]: label for label in read(folder / f"{name}.labels.jsonl")}
        records = [record for record in read(path) if record["id"] in labels]
        wrong = np.array([bool(labels[record["id"]]["wrong"]) for record in records])
        yield name, records, wrong
        if all("majority" in label for label in labels.values()):
            yield f"{name}, majority as target", [with_majority(r, labels[r["id"]]) for r in records], wrong


def read(path: Path) -> list[Record]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def with_majority(record: Record, label: Record) -> Record:
    others = [g for g in record["generations"] if g.get("variant") != label["label_prompt"]]
    return {**record, "target": label["majority"], "generations": others}


def limited(record: Record, limit: int | None) -> Record:
    """The record with `limit` of its answers, drawn by a hash of id and position."""
    if limit is None:
        return record
    generations = record["generations"]
    drawn = sorted(range(len(generations)), key=lambda i: stable_unit(record["id"], str(i)))[:limit]
    return {**record, "generations": [generations[i] for i in sorted(drawn)]}


def report(name: str, records: Sequence[Record], wrong: NDArray[np.bool_]) -> None:
    """Print the rows of one set."""
    results = list(score_recorded(map(orjson.dumps, records)))
    scores = [result for result in results if isinstance(result, Score)]
    if len(scores) < len(results):
        raise SystemExit(f"{name}: a record does not fit contract 4")
    answers = np.mean([score.n for score in scores])
    print(f"\n{name}: n={len(scores)}, {answers:.0f} answers, base rate {wrong.mean():.3f}")
    rng = np.random.default_rng(SEED)
    columns = {
        "default score": column(scores, lambda s: s.disagreement),
        "against_target": column(scores, lambda s: s.against_target),
        "within+between": column(scores, lambda s: None if s.within is None else s.within + (s.between or 0.0)),
        "within": column(scores, lambda s: s.within),
        "between": column(scores, lambda s: s.between),
        "variation ratio": column(scores, lambda s: None if s.agreement is None else 1 - s.agreement),
        "length": np.array([mean_length(record) for record in records]),
        "random": rng.random(len(records)),
    }
    for estimator, values in columns.items():
        if not np.isnan(values).all():
            low, high = interval(values, wrong, rng)
            area, precision = auroc(values, wrong), precision_at(values, wrong, 0.1)
            print(f"  {estimator:<15} {area:.3f} [{low:.3f}, {high:.3f}]   p@10% {precision:.3f}")


def column(scores: Sequence[Score], value: Callable[[Score], float | None]) -> Floats:
    """One value of every score, NaN for None."""
    return np.array([math.nan if (v := value(score)) is None else v for score in scores])


def mean_length(record: Record) -> float:
    """The mean length of the answers in characters: the baseline that every claim is held against."""
    lengths = [len(g if isinstance(g, str) else g["text"]) for g in record["generations"]]
    return float(np.mean(lengths))


def auroc(values: Floats, wrong: NDArray[np.bool_]) -> float:
    """The chance that a wrong case has a higher value than a right one, ties counting a half."""
    return float(_areas(values, wrong, np.ones((1, len(values))))[0])


def interval(values: Floats, wrong: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float]:
    """The bootstrap percentile interval of the AUROC: cases are drawn with replacement."""
    n = len(values)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    low, high = np.quantile(_areas(values, wrong, draws), (0.025, 0.975))
    return float(low), float(high)


def _areas(values: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """The AUROC under each row of case weights (draws, n): the Mann-Whitney statistic over distinct values."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    weights = weights[:, order]
    bad = np.add.reduceat(weights * wrong[order], starts, axis=1)
    good = np.add.reduceat(weights * ~wrong[order], starts, axis=1)
    below = np.cumsum(good, axis=1) - good / 2
    areas: Floats = (bad * below).sum(axis=1) / (bad.sum(axis=1) * good.sum(axis=1))
    return areas


def precision_at(values: Floats, wrong: NDArray[np.bool_], share: float) -> float:
    """The share of wrong cases among the highest values, with ties at the cut counted in proportion."""
    k = math.ceil(share * len(values))
    cut = np.sort(values)[-k]
    above, tied = values > cut, values == cut
    return float((wrong[above].sum() + (k - above.sum()) * wrong[tied].mean()) / k)


if __name__ == "__main__":
    main()
