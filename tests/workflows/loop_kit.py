"""A pool of four topics whose labels a test can give, for loops without a model."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from curator.io.atomic import json_lines, write_atomic
from curator.labels.page import DONE_NAME
from curator.labels.returned import ReturnedRow
from curator.records import Pick
from curator.run_folder.loop_folder import PICKS, loop_folder, read_pool, read_rows

WORDS: Mapping[str, str] = {
    "billing": "card charged invoice refund payment fee price twice",
    "delivery": "parcel late courier tracking arrive address van lost",
    "returns": "send back return label exchange broken size replace",
    "account": "password login email profile locked reset name delete",
}


def write_pool(folder: Path, cases: int = 240) -> dict[str, str]:
    """Write `logs.jsonl` with questions of four topics, and return the topic by the id in the log."""
    rng = random.Random(5)
    topics, lines = {}, []
    for n in range(cases):
        topic = [*WORDS][n % 4]
        others = " ".join(WORDS.values()).split()
        text = " ".join([*rng.choices(WORDS[topic].split(), k=4), *rng.choices(others, k=4), f"n{n}"])
        answered = topic if n % 5 else "billing"
        record = {
            "id": f"q{n}",
            "task": "route",
            "request": {"model": "prod", "messages": [{"role": "user", "content": text}]},
            "response": {
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": answered}, "finish_reason": "stop"}
                ]
            },
        }
        topics[f"q{n}"] = topic
        lines.append(json.dumps(record))
    (folder / "logs.jsonl").write_text("\n".join(lines))
    return topics


def loop_job(folder: Path, **loop: Any) -> dict[str, Any]:
    """Return a config of a small loop."""
    return {
        "name": "small",
        "seed": 1,
        "logs": {"paths": [str(folder / "logs.jsonl")]},
        "tasks": {"route": {"kind": "label", "labels": [*WORDS]}},
        "committee": {"models": [{"name": "m", "model": "m", "price": {"input": 0, "output": 0}}]},
        "selection": {"held_out_share": 0.4},
        "store": str(folder / ".curator" / "store.sqlite"),
        "loop": {
            "folder": str(folder / "loop"), "held_out_labels": 60, "seed_labels": 8, "round_labels": 10, "random_share": 0.2,
            "stop": {"max_labels": 108}, **loop,
        },
    }  # fmt: skip


def write_truth(folder: Path, topics: Mapping[str, str]) -> Path:
    """Write a label file that answers every case by its id in the log."""
    path = folder / "truth.jsonl"
    path.write_text("".join(json.dumps({"id": log_id, "label": topic}) + "\n" for log_id, topic in topics.items()))
    return path


def picks_of(config: Any, number: int) -> tuple[Pick, ...]:
    return read_rows(PICKS.of(loop_folder(config).round(number)), Pick)


def label_round(config: Any, number: int, topics: Mapping[str, str], *, skip: Iterable[str] = (), **more: Any) -> None:
    """Label the picks of a round as the label page saves them."""
    folder, left = loop_folder(config), set(skip)
    log_ids = {item.case.id: item.case.log_id or "" for item in read_pool(folder)}
    rows = [
        ReturnedRow(p.case_id, **({"label": topics[log_ids[p.case_id]], "labelled_by": "ana"} | more))
        for p in picks_of(config, number)
        if p.case_id not in left
    ]
    write_atomic(folder.round(number) / DONE_NAME, json_lines(row.to_json() for row in rows))
