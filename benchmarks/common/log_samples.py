"""The sample logs of every reader, for its contract test and for the mutations of `benchmarks.ingest.mutations`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "tests" / "data" / "logs"
MAPPING = {"input": "question", "target": "answer"}
SAMPLES: Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "braintrust": (("braintrust.jsonl", "parts_braintrust.jsonl"), {}),
    "chat": (("chat.jsonl", "damaged.jsonl", "parts_chat.jsonl"), {}),
    "conversations": (("conversations.jsonl",), {}),
    "langfuse": (
        (
            "langfuse_observations.jsonl+langfuse_scores.jsonl+langfuse_traces.jsonl",
            "langfuse_ui.csv",
            "langfuse_trace.jsonl",
        ),
        {},
    ),
    "langsmith": (("langsmith_runs.jsonl+langsmith_feedback.jsonl", "langsmith_batch.jsonl"), {}),
    "mapped": (("tickets.csv", "damaged.csv"), {"mapping": MAPPING}),
    "mlflow": (("mlflow.jsonl", "mlflow_table.jsonl"), {}),
    "otlp": (("otlp.jsonl", "sdk_spans.jsonl"), {}),
    "weave": (("weave.jsonl", "parts_weave.jsonl"), {}),
    "phoenix": (("phoenix_spans.jsonl+phoenix_annotations.jsonl", "phoenix_trace.jsonl", "parts_phoenix.jsonl"), {}),
    "pairs": (("pairs.jsonl", "parts_pairs.jsonl"), {}),
    "transcripts": (("agent_claude.jsonl", "agent_codex.jsonl"), {}),
    "openai-batch": (("batch_input.jsonl+batch_output.jsonl+batch_errors.jsonl", "parts_batch.jsonl"), {}),
    "stored-completions": (("stored_completions.json+stored_messages.json", "parts_stored.jsonl"), {}),
    "databricks": (("databricks.jsonl", "parts_databricks.jsonl"), {}),
    "litellm": (("litellm.jsonl",), {}),
    "bedrock": (("bedrock.jsonl",), {}),
    "sagemaker": (("sagemaker.jsonl",), {}),
    "anthropic": (("anthropic.jsonl", "parts_anthropic.jsonl"), {}),
    "responses": (("responses.jsonl", "parts_responses.jsonl"), {}),
    "gemini": (("gemini.jsonl", "parts_gemini.jsonl"), {}),
    "gateway": (("gateway.jsonl", "parts_gateway.jsonl"), {}),
    "turns": (("turns.jsonl", "turns.csv", "turn_tree.jsonl", "parts_turns.jsonl"), {}),
}
"""The samples of each reader with its options. Files of one exchange that belong together are named `a.jsonl+b.jsonl`."""
EVERY = [(name, [DATA / part for part in file.split("+")]) for name, (files, _) in SAMPLES.items() for file in files]
