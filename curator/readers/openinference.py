"""The OpenInference conventions: the content of a call, retrieved documents, annotations."""

from __future__ import annotations

from collections.abc import Mapping

from curator.errors import RecordError
from curator.readers.documents import read_documents
from curator.readers.json_text import decoded
from curator.readers.options import call_options
from curator.readers.span_attributes import Attributes
from curator.readers.span_bodies import SpanCall, read_request, read_response
from curator.readers.span_messages import answer_message, span_messages
from curator.readers.tools import plain_tools
from curator.records import Document, JsonValue

_MORE_CHOICES = "further choices of a call are not used: its first one is the answer"
_JSON = "application/json"


def read_openinference(attributes: Attributes) -> SpanCall:
    """The content of a call in `llm.*`, else in the bodies of its request and response.

    Raises:
        RecordError: a message is not text.
    """
    outputs = attributes.items("llm.output_messages")
    parameters = attributes.tree("llm.invocation_parameters")
    model = parameters.get("model")
    call = SpanCall(
        span_messages(attributes.items("llm.input_messages")),
        answer_message(outputs[0]) if outputs else None,
        attributes.text("llm.finish_reason"),
        _options(attributes, parameters),
        request_model=model if isinstance(model, str) else None,
        notes=(_MORE_CHOICES,) if len(outputs) > 1 else (),
    )
    if prompts := attributes.items("llm.prompts"):
        call = call.completed(SpanCall(span_messages(_inner(prompts[0], "prompt", "text"))))
    if choices := attributes.items("llm.choices"):
        call = call.completed(SpanCall(answer=answer_message(_inner(choices[0], "completion", "text"))))
    request, response = attributes.get("input.value"), attributes.get("output.value")
    if not call.messages:
        is_text = attributes.text("input.mime_type") != _JSON
        call = call.completed(read_request(request, is_text=is_text))
    is_text = attributes.text("output.mime_type") != _JSON
    return call.completed(_response(response, is_text=is_text, needed=call.answer is None))


def documents_of_span(attributes: Attributes) -> tuple[Document, ...]:
    """The documents of a retriever or reranker, else those in its output."""
    for key in ("reranker.output_documents", "retrieval.documents"):
        if items := attributes.items(key):
            attributes.use(("output.value", "output.mime_type"))
            return read_documents([_inner(item, "document") for item in items])
    return ()


def _response(value: JsonValue, *, is_text: bool, needed: bool) -> SpanCall:
    """The body of the response.

    Beside messages it only says why the answer ended, and may have any shape.
    """
    try:
        return read_response(value, is_text=is_text)
    except RecordError:
        if needed:
            raise
        return SpanCall()


def _options(attributes: Attributes, parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    options = call_options({key: value if key == "stop" else decoded(value) for key, value in parameters.items()})
    tools = [_inner(tool, "tool") for tool in attributes.items("llm.tools")]
    if definitions := plain_tools(tools):
        options["tools"] = definitions
    return options


def _inner(value: JsonValue, *keys: str) -> JsonValue:
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
    return value
