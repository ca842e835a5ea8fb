"""The contract that every entry of TRAINERS keeps, and what a trainer of another package costs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from curator.config import TrainerConfig
from curator.errors import ConfigError
from curator.plugins import Registry
from curator.progress import Silent
from curator.trainers import TRAINERS, TrainedModel, Trainer, TrainingCost
from tests.trainers.jobs import job_of

NAMES = pytest.mark.parametrize("name", TRAINERS)
OTHER = Trainer(
    name="majority",
    description="Another trainer.",
    check=lambda config, environ: None,
    cost=lambda job: TrainingCost(0, 0.0),
    train=lambda job, progress: TrainedModel("majority", max(row.answer for row in job.rows), 0.0),
    serve=lambda model, job: nullcontext(),  # type: ignore[arg-type, return-value]
)


@NAMES
def test_an_entry_has_its_own_name_and_a_line_for_the_documentation(name: str) -> None:
    assert TRAINERS[name].name == name
    assert TRAINERS[name].description
    assert "\n" not in TRAINERS[name].description


@NAMES
def test_an_unknown_option_is_refused_with_those_that_exist(name: str) -> None:
    config = TrainerConfig(name=name, options={"epoch": 3})
    with pytest.raises(ConfigError, match="'epoch': unknown option") as caught:
        TRAINERS[name].check(config, {})
    assert name in caught.value.remedy


def test_the_room_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "peft", "openai", "sklearn", "aiohttp"]
    code = f"import sys, curator.trainers; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_another_package_adds_a_trainer(tmp_path: Path) -> None:
    point = EntryPoint("majority", "tests.trainers.test_registry:OTHER", "curator.trainers")
    registry: Registry[Trainer] = Registry(
        "trainer", Trainer, TRAINERS.built_in, group="curator.trainers", find=lambda group: [point]
    )
    assert TRAINERS.group == "curator.trainers"
    assert registry.require("majority", where="test").train(job_of(tmp_path), Silent()).model == "delivery"
    with pytest.raises(ConfigError, match="unknown trainer 'nothing'"):
        registry.require("nothing", where="loop.trainer.name")
