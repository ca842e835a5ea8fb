"""The content of a call in the GenAI conventions of OpenTelemetry and those of OpenLLMetry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curator.readers.json_text import decoded
from curator.readers.options import call_options
from curator.readers.span_attributes import Attributes, nested
from curator.readers.span_bodies import SpanCall, read_request, read_response
from curator.readers.span_messages import answer_message, content_blocks, span_messages, system_messages
from curator.readers.spans import SpanEvent
from curator.readers.tools import plain_tools
from curator.records import JsonValue, Message

CHOICE = "gen_ai.choice"
DETAILS = "gen_ai.client.inference.operation.details"
EVALUATION = "gen_ai.evaluation.result"
_MESSAGE_EVENTS: Mapping[str, str] = {
    f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")
}
_TEXT_EVENTS = ("gen_ai.content.prompt", "gen_ai.content.completion")
SWITCHES = (
    "turn on the capture of content in the tracer: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true (OpenTelemetry), "
    "TRACELOOP_TRACE_CONTENT=true (OpenLLMetry), OPENINFERENCE_HIDE_INPUTS=false and OPENINFERENCE_HIDE_OUTPUTS=false "
    "(OpenInference), recordInputs and recordOutputs (AI SDK)"
)
"""The remedy for calls whose content was not logged."""
_MORE_CHOICES = "further choices of a call are not used: its first one is the answer"


def read_genai(attributes: Attributes, events: Sequence[SpanEvent]) -> SpanCall:
    """The content of a call in `gen_ai.*` attributes and events.

    Raises:
        RecordError: a message is not text.
    """
    for event in events:
        if event.name == DETAILS:
            return _new(Attributes(event.attributes)).completed(_new(attributes)).completed(_options(attributes))
    logged = [*events, *_logged_events(attributes)]
    call = _new(attributes).completed(_of_events(logged))
    if not call.messages or not call.answer:
        call = call.completed(_flattened(attributes))
    return call.completed(_options(attributes))


def event_message(event: SpanEvent) -> tuple[Message, ...]:
    """The messages of an event of the old convention; () for other events and for choices."""
    role = _MESSAGE_EVENTS.get(event.name)
    return span_messages({"role": role, **_plain(event.attributes)}) if role else ()


def event_choice(event: SpanEvent) -> SpanCall:
    """The answer of a `gen_ai.choice` event."""
    fields = _plain(event.attributes)
    message = decoded(fields.get("message"))
    inner = message if isinstance(message, dict) else {**fields, "content": fields.get("content", message)}
    reason = fields.get("finish_reason")
    answer = answer_message({**inner, "role": "assistant"})
    return SpanCall(answer=answer, finish_reason=reason if isinstance(reason, str) else None)


def has_content(attributes: Attributes, events: Sequence[SpanEvent]) -> bool:
    """Return whether messages of a call are among the attributes or events."""
    keys = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion")
    names = {*_MESSAGE_EVENTS, CHOICE, DETAILS, *_TEXT_EVENTS}
    return (
        any(key in attributes for key in keys)
        or attributes.has("gen_ai.prompt.0.")
        or any(event.name in names for event in events)
    )


def _new(attributes: Attributes) -> SpanCall:
    asked = attributes.get("gen_ai.input.messages")
    system = attributes.get("gen_ai.system_instructions")
    messages = span_messages(asked)
    if system and messages and not any(message.role == "system" for message in messages):
        messages = (*system_messages(system), *messages)
    outputs = decoded(attributes.get("gen_ai.output.messages"))
    first = outputs[0] if isinstance(outputs, list) and outputs else outputs
    reason = first.get("finish_reason") if isinstance(first, dict) else None
    notes = (_MORE_CHOICES,) if isinstance(outputs, list) and len(outputs) > 1 and _is_choice(outputs) else ()
    return SpanCall(messages, answer_message(first), reason if isinstance(reason, str) else None, notes=notes)


def _is_choice(outputs: Sequence[JsonValue]) -> bool:
    return all(isinstance(item, dict) and item.get("role", "assistant") == "assistant" for item in outputs)


def _of_events(events: Sequence[SpanEvent]) -> SpanCall:
    """Messages in the events of a span, each with its role in its name; the first choice counts."""
    messages = tuple(message for event in events for message in event_message(event))
    choices = [event for event in events if event.name == CHOICE]
    call = SpanCall(messages, notes=(_MORE_CHOICES,) if len(choices) > 1 else ())
    if choices:
        call = call.completed(event_choice(choices[0]))
    for event in events:
        if event.name == "gen_ai.content.prompt":
            call = call.completed(read_request(event.attributes.get("gen_ai.prompt"), is_text=True))
        elif event.name == "gen_ai.content.completion":
            call = call.completed(read_response(event.attributes.get("gen_ai.completion"), is_text=True))
    return call


def _logged_events(attributes: Attributes) -> list[SpanEvent]:
    """The events that some tracers log as one attribute, a list with the name of each in it."""
    if "events" not in attributes:
        return []
    items = [item for item in attributes.items("events") if isinstance(item, dict)]
    flat = [{**item, **_event_head(item)} for item in items]
    return [SpanEvent(str(item.get("event.name") or item.get("name") or ""), item) for item in flat]


def _event_head(item: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The name of an event whose dotted key was taken apart."""
    event = item.get("event")
    return {"event.name": event.get("name")} if isinstance(event, dict) else {}


def _flattened(attributes: Attributes) -> SpanCall:
    """The numbered keys of OpenLLMetry (`gen_ai.prompt.0.content`), or one attribute each."""
    prompts, completions = (
        [] if isinstance(attributes.get(key), str) else attributes.items(key)
        for key in ("gen_ai.prompt", "gen_ai.completion")
    )
    call = SpanCall(span_messages(prompts), answer_message(completions[0]) if completions else None)
    if completions and isinstance(first := completions[0], dict) and isinstance(first.get("finish_reason"), str):
        call = call.completed(SpanCall(finish_reason=str(first["finish_reason"])))
    if not call.messages:
        call = call.completed(read_request(attributes.get("gen_ai.prompt"), is_text=True))
    if call.answer is None:
        call = call.completed(read_response(attributes.get("gen_ai.completion"), is_text=True))
    return call


def _options(attributes: Attributes) -> SpanCall:
    """The options of the request, and the reasons why its answers ended."""
    get = attributes.get
    options = call_options(
        {
            "max_tokens": get("gen_ai.request.max_tokens"),
            "stop": get("gen_ai.request.stop_sequences"),
            "tool_choice": get("gen_ai.request.tool_choice"),
            "response_format": get("gen_ai.request.response_format"),
        }
    )
    tools = attributes.items("llm.request.functions") or decoded(get("gen_ai.tool.definitions", "gen_ai.request.tools"))
    if definitions := plain_tools(tools):
        options["tools"] = definitions
    if get("gen_ai.output.type", "gen_ai.openai.request.response_format") in ("json", "json_object", "json_schema"):
        options.setdefault("response_format", {"type": "json_object"})
    reasons = decoded(
        get("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "gen_ai.response.stop_reason")
    )
    reason = reasons[0] if isinstance(reasons, list) and reasons else reasons
    return SpanCall(options=options, finish_reason=reason if isinstance(reason, str) else None)


def _plain(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields of an event; they may be dotted keys, JSON texts, or stand under a prefix."""
    body = nested({key: value for key, value in fields.items() if not key.startswith(("gen_ai.", "event."))})
    whole = decoded(fields.get("gen_ai.event.content"))
    if isinstance(whole, dict):
        body |= whole
    return {key: content_blocks(value) if key in ("content", "message") else value for key, value in body.items()}
