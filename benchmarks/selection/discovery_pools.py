"""Pools for `discovery.py`: vectors, disagreement, which cases fail, and of what kind each case is.

Four hold answers of real models (bbh twice, gsm8k, jhu). Nobody recorded a committee for the others, so that one stands in: for
clinc and banking five intent classifiers (logistic regression on the vectors, each fitted to five questions an intent, drawn
anew), whose target is one fitted to ten; for halueval nine classifiers that were fitted to bootstrap samples of one half
and vote on the other half which of its queries a model will answer wrongly.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from benchmarks.common.recorded_sets import Record, read
from curator.disagreement.recorded import fit_scoring, score_record
from curator.run_folder.recorded import read_record

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
Names = NDArray[np.str_]
SEED = 0
TOPICS = 50
OUT_OF_SCOPE = "oos"


@dataclass(frozen=True)
class Pool:
    """n cases: unit vectors (n, d), (n, 0) without; disagreement (n,); failures (n,); categories (n,)."""

    name: str
    vectors: Vectors
    u: NDArray[np.float64]
    failed: NDArray[np.bool_]
    categories: Names


def pools(folder: Path, embed: Embed) -> Iterator[Pool]:
    """Every pool of the folder."""
    yield from _bbh(folder / "recorded", embed)
    yield _gsm8k(folder / "recorded", folder / "gsm8k-model-solutions", embed)
    yield _jhu(folder / "recorded")
    yield _halueval(folder / "halueval", embed)
    yield _clinc(folder / "clinc-oos", embed)
    yield _banking(folder / "banking77", embed)


def topics(vectors: Vectors, count: int = TOPICS) -> Names:
    """k-means clusters, where the data do not name what a case is about."""
    return np.asarray(KMeans(count, n_init=2, random_state=SEED).fit_predict(vectors)).astype(str)


def scored(records: Sequence[Record]) -> NDArray[np.float64]:
    """Curator's default score of each record; 1 where too few answers could be read."""
    recorded = [read_record(orjson.dumps(record)) for record in records]
    model, _ = fit_scoring(recorded)
    found = [score_record(record, model=model).disagreement for record in recorded]
    return np.array([1.0 if value is None else value for value in found])


def _labelled(folder: Path, name: str) -> tuple[list[Record], list[Record]]:
    label_of = {label["id"]: label for label in read(folder / f"{name}.labels.jsonl")}
    records = [record for record in read(folder / f"{name}.recorded.jsonl") if record["id"] in label_of]
    return records, [label_of[record["id"]] for record in records]


def _bbh(folder: Path, embed: Embed) -> Iterator[Pool]:
    """Each prompt's answer is the target once, against the other's. The category is the task."""
    records, labels = _labelled(folder, "bbh-dev")
    vectors = embed([record["input"] for record in records])
    task = np.array([label["stratum"] for label in labels])
    for target in ("direct", "cot"):
        failed = np.array([label[f"wrong_{target}"] for label in labels], dtype=bool)
        yield Pool(f"bbh, {target}", vectors, scored(records), failed, task)


def _gsm8k(folder: Path, texts: Path, embed: Embed) -> Pool:
    records, labels = _labelled(folder, "gsm8k-4")
    vectors = embed([row["question"] for row in read(texts / "example_model_solutions.jsonl")])
    if len(vectors) != len(records):
        raise ValueError("gsm8k-4 and the questions are not of one length")
    failed = np.array([label["wrong"] for label in labels], dtype=bool)
    return Pool("gsm8k", vectors, scored(records), failed, topics(vectors))


def _jhu(folder: Path) -> Pool:
    """The texts are not in the data: no vectors and no categories, the case is one of its own."""
    records, labels = _labelled(folder, "jhu-gpt35")
    targeted = [
        {
            **record,
            "target": label["majority"],
            "generations": [g for g in record["generations"] if g["variant"] != label["label_prompt"]],
        }
        for record, label in zip(records, labels, strict=True)
    ]
    failed = np.array([label["wrong"] for label in labels], dtype=bool)
    ids = np.array([record["id"] for record in records])
    return Pool("jhu", np.zeros((len(ids), 0), dtype=np.float32), scored(targeted), failed, ids)


def _halueval(folder: Path, embed: Embed) -> Pool:
    rows = read(folder / "general_first1000.jsonl")
    vectors = embed([row["user_query"] for row in rows])
    failed = np.array([row["hallucination"] == "yes" for row in rows])
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(rows))
    fitted, judged = order[: len(rows) // 2], order[len(rows) // 2 :]
    votes = np.zeros(len(judged))
    members = 9
    for _ in range(members):
        drawn = rng.choice(fitted, len(fitted))
        model = LogisticRegression(C=3, max_iter=300).fit(vectors[drawn], failed[drawn])
        chance = model.predict_proba(vectors[judged])[:, 1]
        votes += chance > np.quantile(chance, 1 - failed[fitted].mean())
    return Pool("halueval*", vectors[judged], votes / members, failed[judged], topics(vectors)[judged])


def _clinc(folder: Path, embed: Embed) -> Pool:
    data = orjson.loads((folder / "data_small.json").read_bytes())
    train, pool = data["train"], [*data["test"], *data["oos_val"], *data["oos_train"]]
    return _classified("clinc*", train, pool, embed)


def _banking(folder: Path, embed: Embed) -> Pool:
    def rows(name: str) -> list[list[str]]:
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return [[row["text"], row["category"]] for row in csv.DictReader(file)]

    return _classified("banking77*", rows("train"), rows("test"), embed)


def _classified(name: str, train: list[list[str]], pool: list[list[str]], embed: Embed) -> Pool:
    rng = np.random.default_rng(SEED)
    vectors, intents = embed([text for text, _ in train]), np.array([intent for _, intent in train])
    judged, truth = embed([text for text, _ in pool]), np.array([intent for _, intent in pool])

    def answers(shots: int) -> Names:
        drawn = [rng.choice(np.flatnonzero(intents == one), shots, replace=False) for one in np.unique(intents)]
        places = np.concatenate(drawn)
        found = LogisticRegression(C=10, max_iter=200).fit(vectors[places], intents[places]).predict(judged)
        return np.asarray(found)

    target, committee = answers(10), [answers(5) for _ in range(5)]
    records = [
        {
            "id": str(i),
            "input": text,
            "kind": "label",
            "target": str(target[i]),
            "generations": [{"text": str(member[i]), "variant": str(m)} for m, member in enumerate(committee)],
        }
        for i, (text, _) in enumerate(pool)
    ]
    return Pool(name, judged, scored(records), target != truth, truth)
