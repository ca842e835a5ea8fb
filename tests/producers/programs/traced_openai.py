"""Make the same calls of the openai SDK under one instrumentor; write its spans and log records as OTLP JSON lines.

Usage: traced_openai.py openinference|openllmetry|otel FILE
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

for switch in ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "TRACELOOP_TRACE_CONTENT"):
    os.environ.setdefault(switch, "true")

import openai
from fake_openai import serve
from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
SYSTEM = {"role": "system", "content": "You are terse."}


def instrument(name: str) -> None:
    """Turn on one instrumentor of the openai SDK."""
    if name == "openinference":
        from openinference.instrumentation.openai import OpenAIInstrumentor
    elif name == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    else:
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    OpenAIInstrumentor().instrument()


def call(client: openai.OpenAI) -> None:
    """A plain question, a question with a tool and its result, a stream, a call that fails."""
    ask = client.chat.completions.create
    tracer = trace.get_tracer("app")
    ask(
        model="gpt-4o", messages=[SYSTEM, {"role": "user", "content": "Where is Oslo?"}], max_tokens=50, temperature=0.5
    )
    question = {"role": "user", "content": "Is it cold in Oslo?"}
    with tracer.start_as_current_span("agent"):
        first = ask(model="gpt-4o", messages=[SYSTEM, question], tools=TOOLS).choices[0].message
        tool = {"role": "tool", "tool_call_id": "call_1", "content": "3 degrees"}
        ask(model="gpt-4o", messages=[SYSTEM, question, first.model_dump(exclude_none=True), tool], tools=TOOLS)
    list(
        ask(
            model="gpt-4o",
            messages=[{"role": "user", "content": "Count to three."}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    with contextlib.suppress(openai.BadRequestError):
        ask(model="gpt-4o", messages=[{"role": "user", "content": "Please fail."}])


def main(name: str, file: str) -> None:
    """Make the calls, and write what was exported."""
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    trace.set_tracer_provider(tracers)
    set_logger_provider(loggers)
    instrument(name)
    call(openai.OpenAI(base_url=serve(), api_key="none", max_retries=0))
    lines = [encode_spans([span]) for span in spans.get_finished_spans()]
    lines += [encode_logs([log]) for log in logs.get_finished_logs()]
    Path(file).write_text("".join(json.dumps(MessageToDict(line)) + "\n" for line in lines))


main(*sys.argv[1:])
