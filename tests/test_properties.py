"""What holds for any input: no record is lost between a damaged log and the cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.config import Config, parse_config
from curator.errors import LogsError
from curator.workflows.plan import plan

CONFIG = {
    "logs": {"max_unreadable": 1.0},
    "committee": {"models": [{"name": "local", "provider": "local"}], "variants": ["plain"]},
}
WORDS = st.lists(
    st.sampled_from(["please", "refund", "my", "order", "17", "18", "not", "late", "parcel", "the"]),
    min_size=1,
    max_size=8,
)


def record(words: list[str]) -> bytes:
    messages = [{"role": "user", "content": " ".join(words)}]
    return json.dumps({"request": {"messages": messages}, "response": {"choices": []}}).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A log record, whole or damaged: cut off, bytes overwritten, or no record at all; never a line break."""
    line = record(draw(WORDS))
    how = draw(st.sampled_from(["whole", "whole", "cut", "overwritten", "other"]))
    if how == "cut":
        line = line[: draw(st.integers(1, len(line)))]
    elif how == "overwritten":
        at = draw(st.integers(0, len(line) - 1))
        line = line[:at] + draw(st.binary(min_size=1, max_size=4)) + line[at + 1 :]
    elif how == "other":
        line = draw(st.binary(min_size=1, max_size=40))
    return line.replace(b"\n", b" ").replace(b"\r", b" ")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return parse_config(CONFIG | {"store": str(tmp_path_factory.mktemp("store") / "none.sqlite")})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(damaged(), min_size=1, max_size=25))
def test_read_is_kept_merged_and_set_aside(lines: list[bytes], config: Config, tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_bytes(record(["first"]) + b"\n" + b"\n".join(lines) + b"\n")
    records = 1 + sum(bool(line.strip()) for line in lines)
    intake = plan(config, logs=[str(path)]).intake
    assert intake.read == records == len(intake.cases) + len(intake.merged) + len(intake.unreadable)
    assert sum(case.weight for case in intake.cases) == records - len(intake.unreadable)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(damaged(), min_size=1, max_size=10))
def test_any_bytes_give_a_plan_or_a_message(lines: list[bytes], config: Config, tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_bytes(b"\n".join(lines))
    outcome: Any
    try:
        outcome = plan(config, logs=[str(path)]).intake.read
    except LogsError as error:
        outcome = error.remedy
    assert outcome
