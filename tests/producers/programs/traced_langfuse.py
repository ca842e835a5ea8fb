"""Generations under the SDK of Langfuse, with scores -> its spans as OTLP JSON, and its scores as rows.

usage: traced_langfuse.py SPANS SCORES
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import platform_stub
from google.protobuf.json_format import MessageToJson
from langfuse import Langfuse, propagate_attributes  # noqa: TID253  the program is run in an environment that has it
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

spans, scores = map(Path, sys.argv[1:])
langfuse = Langfuse(public_key="pk-lf-1", secret_key="sk-lf-1", host=platform_stub.serve())  # noqa: S106
with (
    langfuse.start_as_current_observation(as_type="span", name="answer", input={"question": "Where is Oslo?"}) as root,
    propagate_attributes(session_id="session-1", user_id="user-1", tags=["web"]),
):
    with langfuse.start_as_current_observation(as_type="retriever", name="search", input="Where is Oslo?") as search:
        search.update(output=[{"page_content": "Oslo: Norway.", "metadata": {"id": "atlas", "score": 0.9}}])
    with langfuse.start_as_current_observation(
        as_type="generation",
        name="llm",
        model="gpt-4o",
        model_parameters={"max_tokens": 50},
        input=[{"role": "system", "content": "Use: Oslo: Norway."}, {"role": "user", "content": "Where is Oslo?"}],
    ) as generation:
        generation.update(
            output={"role": "assistant", "content": "In Norway."}, usage_details={"input": 11, "output": 7}
        )
        generation.score(name="user-feedback", value=1, data_type="BOOLEAN", comment="good")
    root.update(output="In Norway.")
with langfuse.start_as_current_observation(
    as_type="generation", name="llm", model="gpt-4o", input=[{"role": "user", "content": "Please fail."}]
) as failed:
    failed.update(level="ERROR", status_message="429 too many requests")
langfuse.flush()
with spans.open("w") as span_file, scores.open("w") as score_file:
    for path, body in platform_stub.received:
        if path.endswith("/otel/v1/traces"):
            request = ExportTraceServiceRequest.FromString(body)
            span_file.write(MessageToJson(request, indent=None) + "\n")
        elif path.endswith("/scores"):
            for score in json.loads(body):
                score_file.write(json.dumps({**score, "source": "API"}) + "\n")
