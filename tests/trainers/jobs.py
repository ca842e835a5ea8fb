"""Jobs for the tests of trainers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curator.config import TrainerConfig
from curator.records import Message
from curator.trainers import TrainingJob, TrainingRow
from tests.conftest import HashingEncoder

ENCODER = HashingEncoder()
ANSWERS = ("billing", "delivery")


def rows_of(answers: Sequence[str]) -> list[TrainingRow]:
    return [
        TrainingRow(f"c{i}", (Message("user", f"about {answer} number{i}"),), answer, f"about {answer} number{i}")
        for i, answer in enumerate(answers)
    ]


def job_of(
    folder: Path,
    answers: Sequence[str] = ANSWERS * 6,
    *,
    environ: Mapping[str, str] | None = None,
    embed: Any = ENCODER.encode,
    **config: Any,
) -> TrainingJob:
    """A job in a folder that holds nothing but its training file."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows_of(answers)
    file = folder / "training.jsonl"
    lines = [
        json.dumps({"messages": [*(m.as_openai() for m in row.messages), {"role": "assistant", "content": row.answer}]})
        for row in rows
    ]
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return TrainingJob(
        "loop-r1",
        folder,
        file,
        rows,
        TrainerConfig(**config),
        7,
        embed,
        dict(os.environ) if environ is None else environ,
    )
