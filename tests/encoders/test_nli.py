"""The NLI adapter on a tiny model with random weights: the real code path, and no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.disagreement.equivalence.leader_clustering import pair_of
from curator.encoders.nli import NliModel
from curator.errors import MissingDependency

pytestmark = pytest.mark.slow


def save_model(folder: Path, labels: dict[int, str], *, seed: int = 0) -> Path:
    """A cross-encoder of one small layer that has never learned anything."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789?."
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, id2label=labels, label2id={label: i for i, label in labels.items()},
        initializer_range=1.0,
    )  # fmt: skip
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of some random models that takes some pairs for the same and others not."""
    base = tmp_path_factory.mktemp("nli")
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    made = (save_model(base / f"tiny{seed}", labels, seed=seed) for seed in range(40))
    return next(model for model in made if {True, False} <= set(reference(model)))


ANSWERS = ["paris", "rome", "the city of paris", "a town", "nobody knows", "in the north", "lyon", "perhaps nice"]
PAIRS = [pair_of("where is it?", one, other) for one in ANSWERS for other in ANSWERS if one < other]


def reference(folder: Path) -> list[bool]:
    """The same by the library alone: both directions, question before each answer."""
    from sentence_transformers import CrossEncoder

    model: Any = CrossEncoder(str(folder), local_files_only=True)

    def entails(one: str, other: str) -> bool:
        scores = model.predict([(f"where is it? {one}", f"where is it? {other}")], show_progress_bar=False)
        return bool(model.config.id2label[int(np.argmax(scores[0]))] == "entailment")

    return [entails(p.left, p.right) and entails(p.right, p.left) for p in PAIRS]


@pytest.mark.filterwarnings("ignore")
def test_answers_mean_the_same_where_each_entails_the_other(folder: Path) -> None:
    model = NliModel(str(folder))
    wanted = reference(folder)
    assert list(model.decide(PAIRS).values()) == wanted
    assert list(model.decide(PAIRS[::-1]).values()) == wanted[::-1]


@pytest.mark.filterwarnings("ignore")
def test_a_pair_is_run_once(folder: Path) -> None:
    model = NliModel(str(folder))
    first = model.decide(PAIRS[:3])
    model.__dict__["_model"] = None  # whatever asks it again fails
    assert model.decide(PAIRS[:3]) == first
    with pytest.raises(TypeError):
        model.decide(PAIRS[3:4])


@pytest.mark.filterwarnings("ignore")
def test_a_model_without_entailment_is_no_nli_model(tmp_path: Path) -> None:
    other = save_model(tmp_path / "other", {0: "good", 1: "bad", 2: "not_entailment"})
    with pytest.raises(MissingDependency, match=r"not an NLI model: none of its labels \(good, bad, not_entailment\)"):
        NliModel(str(other)).load()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["nobody/has-this-nli-model", "./nowhere"])
def test_a_model_that_is_not_there_is_told_with_a_remedy(name: str) -> None:
    with pytest.raises(MissingDependency, match="neither a folder with a model nor available") as caught:
        NliModel(name).load()
    assert "nli_model" in caught.value.remedy


@pytest.mark.filterwarnings("ignore")
def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency):
        NliModel(str(tmp_path)).load()


@pytest.mark.filterwarnings("ignore")
def test_curator_score_takes_the_model(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curator.cli import main

    monkeypatch.chdir(tmp_path)
    record = {"id": "a", "input": "where is it?", "kind": "short", "generations": ANSWERS[:6], "target": "paris"}
    Path("r.jsonl").write_text(json.dumps(record))
    assert main(["score", "r.jsonl", "--out", "s.jsonl", "--equivalence", "nli", "--nli-model", str(folder)]) == 0
    score = json.loads(Path("s.jsonl").read_text())
    assert score["scorer"].endswith(f"+nli({folder})")
    against = [p for p in PAIRS if "paris" in (p.left, p.right) and {p.left, p.right} <= set(ANSWERS[:6])]
    apart = [p for p, same in zip(PAIRS, reference(folder), strict=True) if p in against and not same]
    assert score["against_target"] == pytest.approx(len(apart) / 6)
