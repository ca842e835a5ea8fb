"""The example of a loop with a local fine-tune runs: two rounds over the example logs, small."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import orjson
import pytest

from curator.config import load_config
from curator.errors import MissingDependency
from curator.trainers import TRAINERS
from curator.workflows.loop import loop

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def copied(folder: Path) -> Path:
    """The example, with the logs beside it, where a loop may write."""
    shutil.copytree(EXAMPLES / "loop_finetune", folder / "loop_finetune")
    shutil.copytree(EXAMPLES / "logs", folder / "logs")
    return folder / "loop_finetune"


def test_the_labels_are_the_answers_of_the_inputs() -> None:
    inputs = (EXAMPLES / "inputs" / "route.yaml").read_text(encoding="utf-8")
    rows = [orjson.loads(line) for line in (EXAMPLES / "loop_finetune" / "labels.jsonl").read_bytes().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 100
    assert {row["label"] for row in rows} == {"delivery", "refund", "account", "product"}
    assert all(f"truth: {row['label']}" in inputs for row in rows)


def test_the_config_is_that_of_the_trainer(tmp_path: Path) -> None:
    config = load_config(copied(tmp_path) / "curator.yaml")
    trainer = TRAINERS[config.loop.trainer.name]
    assert trainer.name == "local"
    if importlib.util.find_spec("peft") is None:
        with pytest.raises(MissingDependency, match="'peft'"):
            trainer.check(config.loop.trainer, {})
    else:
        trainer.check(config.loop.trainer, {})


@pytest.mark.finetune
@pytest.mark.filterwarnings("default")
def test_the_loop_goes_round(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    folder = copied(tmp_path)
    config = load_config(folder / "curator.yaml")
    trainer = config.loop.trainer.model_copy(update={"options": {"epochs": 1, "batch_rows": 4}})
    sizes = {"held_out_labels": 20, "seed_labels": 8, "round_labels": 4}
    small = config.loop.model_copy(update={**sizes, "trainer": trainer})
    result = loop(
        config.model_copy(update={"loop": small}), rounds=2, simulate=str(folder / "labels.jsonl"), environ={"PATH": ""}
    )
    assert [done.training_labels for done in result.rounds] == [8, 12]
    assert all(0 < done.score < 1 for done in result.rounds)
    rounds = folder / "loops" / "loop-finetune" / "rounds"
    for number in range(2):
        answers = [
            orjson.loads(line)["answer"]
            for line in (rounds / str(number) / "predictions.jsonl").read_bytes().splitlines()
        ]
        assert len(answers) == 20
        assert set(answers) & {"delivery", "refund", "account", "product"}
