"""What SDKs of platforms and gateways write is read: LangSmith, Langfuse, LiteLLM, and the openai SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.records import Reference
from tests.producers.conftest import Run
from tests.readers.reading_kit import read_all

pytestmark = pytest.mark.producers
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def test_the_batches_and_the_feedback_of_the_langsmith_sdk(run: Run, tmp_path: Path) -> None:
    runs, feedback = tmp_path / "runs.jsonl", tmp_path / "feedback.jsonl"
    run("platforms.txt", "traced_langsmith.py", runs, feedback)
    cases, reading, _ = read_all([runs, feedback], feedback_scale="1-5")
    answered, called, streamed, failed = sorted(cases, key=lambda case: case.time or 0)
    assert (answered.system, answered.user) == ("Use: Where is Oslo?: Norway.", "Where is Oslo?")
    assert (answered.target, answered.finish_reason) == ("You asked: Where is Oslo?", "stop")
    assert [(document.id, document.score) for document in answered.documents] == [("atlas", 0.9)]
    assert answered.feedback is not None
    assert (answered.feedback.thumb, answered.feedback.comment) == ("down", "wrong")
    assert answered.reference == Reference("In Norway.", "correction")
    assert (called.finish_reason, len(called.options["tools"])) == ("tool_calls", 1)  # type: ignore[arg-type]
    assert (streamed.target or "").strip() == "You asked: Count."
    assert (failed.user, failed.failed_call) == ("Please fail.", True)
    assert all(case.session for case in cases)
    assert reading.account.others == {"feedback": 1, "traces and their roots": 1, "retriever spans": 1}


def test_the_spans_and_the_scores_of_the_langfuse_sdk(run: Run, tmp_path: Path) -> None:
    spans, scores = tmp_path / "spans.jsonl", tmp_path / "scores.jsonl"
    run("platforms.txt", "traced_langfuse.py", spans, scores)
    answered, failed = sorted(read_all([spans, scores])[0], key=lambda case: case.time or 0)
    assert (answered.system, answered.user, answered.target) == ("Use: Oslo: Norway.", "Where is Oslo?", "In Norway.")
    assert (answered.model, answered.options) == ("gpt-4o", {"max_tokens": 50})
    assert [(document.id, document.score) for document in answered.documents] == [("atlas", 0.9)]
    assert answered.feedback is not None
    assert (answered.feedback.thumb, answered.feedback.comment) == ("up", "good")
    assert answered.session
    assert answered.user_id
    assert (failed.user, failed.failed_call) == ("Please fail.", True)


@pytest.mark.parametrize("file", ["payloads", "pairs"])
def test_payloads_of_litellm_and_pairs_of_the_openai_sdk(run: Run, tmp_path: Path, file: str) -> None:
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("payloads", "pairs")}
    run("platforms.txt", "logged_litellm.py", paths["payloads"], paths["pairs"], **OFFLINE)
    cases, reading, _ = read_all([paths[file]])
    terse, called, streamed, failed = cases
    assert (terse.system, terse.user, terse.target) == ("Be terse.", "Where?", "You asked: Where?")
    assert (terse.finish_reason, terse.model, terse.options) == ("stop", "gpt-4o-2024-08-06", {"max_tokens": 50})
    assert "get_weather" in (called.target or "")
    assert "Let me look." in (called.target or "")
    assert len(called.options["tools"]) == 1  # type: ignore[arg-type]
    assert (streamed.target or "").strip() == "You asked: Count."
    assert (failed.user, failed.failed_call) == ("Please fail.", True)
    assert reading.account.rejected == 0
