"""Trace a retrieval and a call of a model with MLflow, rate the answer, and write the traces as JSON.

Usage: traced_mlflow.py FOLDER FILE
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(folder: str, file: str) -> None:
    """Trace the calls, and write what MLflow kept of them."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a database needs more than `mlflow-skinny` installs
    import mlflow
    import openai
    from fake_openai import serve
    from mlflow.entities import AssessmentSource, SpanType

    mlflow.set_tracking_uri(f"file://{folder}")
    client = openai.OpenAI(base_url=serve(), api_key="none")

    @mlflow.trace(name="chat", span_type=SpanType.CHAT_MODEL)
    def ask(**request: Any) -> dict[str, Any]:
        completion: dict[str, Any] = client.chat.completions.create(**request).model_dump()
        return completion

    @mlflow.trace(span_type=SpanType.RETRIEVER)
    def search(query: str) -> list[dict[str, object]]:
        return [{"page_content": f"{query}: Norway.", "metadata": {"doc_uri": "atlas", "score": 0.9}}]

    @mlflow.trace
    def answer(query: str) -> str:
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "chat-1", "mlflow.trace.user": "ann"})
        context = search(query)[0]["page_content"]
        messages = [{"role": "system", "content": f"Use: {context}"}, {"role": "user", "content": query}]
        completion = ask(model="gpt-4o", messages=messages, max_tokens=50)
        return str(completion["choices"][0]["message"]["content"])

    answer("Where is Oslo?")
    mlflow.flush_trace_async_logging()
    trace_id = mlflow.get_last_active_trace_id()
    for kind, name, value in (("HUMAN", "helpful", False), ("CODE", "length", 24)):
        source = AssessmentSource(source_type=kind, source_id="ann")
        mlflow.log_feedback(trace_id=trace_id, name=name, value=value, source=source, rationale=f"by {kind.lower()}")
    mlflow.log_expectation(
        trace_id=trace_id,
        name="expected_response",
        value="In Norway.",
        source=AssessmentSource(source_type="HUMAN", source_id="ann"),
    )
    trace = mlflow.get_trace(trace_id)
    Path(file).write_text(json.dumps(json.loads(trace.to_json())) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
