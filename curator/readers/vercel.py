"""The spans of the AI SDK of Vercel: the content of a call."""

from __future__ import annotations

from curator.readers.json_text import as_text, decoded
from curator.readers.options import call_options
from curator.readers.span_attributes import Attributes
from curator.readers.span_bodies import SpanCall, read_request
from curator.readers.span_messages import answer_message, span_messages
from curator.readers.tools import plain_tools
from curator.records import JsonValue


def read_vercel(attributes: Attributes) -> SpanCall:
    """The content of a call in `ai.*`; an outer span has its prompt in one attribute.

    Raises:
        RecordError: a message is not text.
    """
    get = attributes.get
    prompt = get("ai.prompt")
    messages = span_messages(get("ai.prompt.messages")) or read_request(prompt).messages
    structure = get("ai.response.object", "ai.result.object")
    text = get("ai.response.text", "ai.result.text")
    calls = decoded(get("ai.response.toolCalls", "ai.result.toolCalls"))
    attributes.use(("ai.response.reasoning", "ai.response.providerMetadata", "ai.settings.output"))
    answer = None
    if structure is not None:
        answer = answer_message({"role": "assistant", "content": as_text(structure)})
    elif text is not None or calls:
        answer = answer_message({"role": "assistant", "content": text, "tool_calls": calls})
    return SpanCall(
        messages,
        answer,
        attributes.text("ai.response.finishReason", "ai.finishReason"),
        _options(attributes),
        response_model=attributes.text("ai.response.model"),
        is_json=structure is not None,
    )


def _options(attributes: Attributes) -> dict[str, JsonValue]:
    get = attributes.get
    options = call_options(
        {
            "max_tokens": get("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
            "stop": get("ai.settings.stopSequences"),
            "tool_choice": get("ai.prompt.toolChoice"),
        }
    )
    if tools := plain_tools(get("ai.prompt.tools")):
        options["tools"] = tools
    schema = decoded(get("ai.schema"))
    if isinstance(schema, dict):
        name = attributes.text("ai.schema.name") or "answer"
        options["response_format"] = {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}
    return options
