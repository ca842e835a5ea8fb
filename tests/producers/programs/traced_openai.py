"""Make calls with the openai SDK under an instrumentor, and write its spans as OTLP JSON and as the SDK prints them.

The log records of the instrumentor follow its spans in the first file.

Usage: traced_openai.py openinference|openllmetry|opentelemetry OTLP_FILE SDK_FILE
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

SYSTEM = {"role": "system", "content": "You are terse."}
TOOLS = [{
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}]  # fmt: skip


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def instrument(name: str) -> None:
    """Turn on an instrumentor of the openai SDK."""
    if name == "openinference":
        from openinference.instrumentation.openai import OpenAIInstrumentor
    elif name == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    else:
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    OpenAIInstrumentor().instrument()


def call(tracer: Any) -> None:
    """A plain question, one with a tool below an agent's span, a stream, a call that fails."""
    import openai
    from fake_openai import serve

    ask = openai.OpenAI(base_url=serve(), api_key="none", max_retries=0).chat.completions.create
    ask(model="gpt-4o", messages=[SYSTEM, user("Where is Oslo?")], max_tokens=50, temperature=0.5)
    question = user("Is it cold in Oslo?")
    with tracer.start_as_current_span("agent"):
        first = ask(model="gpt-4o", messages=[SYSTEM, question], tools=TOOLS).choices[0].message
        tool = {"role": "tool", "tool_call_id": "call_1", "content": "3 degrees"}
        ask(model="gpt-4o", messages=[SYSTEM, question, first.model_dump(exclude_none=True), tool], tools=TOOLS)
    list(ask(model="gpt-4o", messages=[user("Count to three.")], stream=True, stream_options={"include_usage": True}))
    with contextlib.suppress(openai.BadRequestError):
        ask(model="gpt-4o", messages=[user("Please fail.")])


def main(name: str, otlp_file: str, sdk_file: str) -> None:
    """Make the calls, and write what was exported."""
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

    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    logs, log_provider = InMemoryLogRecordExporter(), LoggerProvider()
    log_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    set_logger_provider(log_provider)
    instrument(name)
    call(trace.get_tracer("app"))
    finished = spans.get_finished_spans()
    batches = [encode_spans([span]) for span in finished] + [encode_logs([log]) for log in logs.get_finished_logs()]
    Path(otlp_file).write_text("".join(json.dumps(MessageToDict(batch)) + "\n" for batch in batches))
    Path(sdk_file).write_text("".join(span.to_json(indent=None) + "\n" for span in finished))


if __name__ == "__main__":
    main(*sys.argv[1:])
