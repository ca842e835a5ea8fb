"""A span -> the piece that it gives: an exchange, retrieved documents, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curator.errors import RecordError
from curator.readers.documents import read_documents
from curator.readers.feedback import nonblank
from curator.readers.genai_attributes import EVALUATION, SWITCHES, read_genai
from curator.readers.json_text import decoded
from curator.readers.openinference import documents_of_span, read_openinference
from curator.readers.options import call_options
from curator.readers.pieces import Attachment, Exchange, NoExchange
from curator.readers.replies import Reply, failed_reply
from curator.readers.span_attributes import Attributes, scalars
from curator.readers.span_bodies import SpanCall, hidden, read_request, read_response
from curator.readers.span_feedback import SpanRatings, annotation_ratings, evaluation_ratings
from curator.readers.span_kinds import CALL, DOCUMENTS, JUDGES, OTHER, span_kind
from curator.readers.span_messages import span_reply
from curator.readers.spans import SpanRecord
from curator.readers.task_names import SPAN_TASKS
from curator.readers.times import elapsed
from curator.readers.vercel import read_vercel
from curator.records import Document, JsonValue, RejectedRecord, Scalar, Source

_BODIES = (
    ("mlflow.chat.messages", ""),
    ("mlflow.spanInputs", "mlflow.spanOutputs"),
    ("langfuse.observation.input", "langfuse.observation.output"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("request_data", "response_data"),
    ("gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"),
    ("llm.request.messages", "llm.response.content"),
    ("input", "output"),
)
"""Attributes that hold the request and the response of a call whole, in the order of their trust."""
_ENCODED = frozenset(("mlflow.spanInputs", "mlflow.spanOutputs"))
"""Attributes whose objects are the arguments or the result of a function."""
_OUTPUTS = ("output.value", "mlflow.spanOutputs", "traceloop.entity.output", "langfuse.observation.output", "output")
_INPUTS = ("input.value", "traceloop.entity.input", "langfuse.observation.input", "input", "gen_ai.input.messages")
_PROPERTIES = "traceloop.association.properties"
_SESSIONS = (
    "session.id", "gen_ai.conversation.id", "langfuse.session.id", "mlflow.trace.session", f"{_PROPERTIES}.session_id",
    f"{_PROPERTIES}.conversation_id", f"{_PROPERTIES}.thread_id", f"{_PROPERTIES}.chat_id", "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.session_id", "ai.telemetry.metadata.threadId", "metadata.session_id", "metadata.thread_id",
)  # fmt: skip
_USERS = (
    "user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id", "mlflow.trace.user", f"{_PROPERTIES}.user_id",
    "ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id", "gen_ai.user.id", "metadata.user_id",
)  # fmt: skip
_REQUEST_MODELS = (
    "gen_ai.request.model",
    "ai.model.id",
    "llm.request.model",
    "mlflow.llm.model",
    "langfuse.observation.model.name",
    "model",
)
_RESPONSE_MODELS = ("gen_ai.response.model", "llm.model_name", "llm.response.model")
_COSTS = (
    "llm.cost.total",
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "operation.cost",
    "mlflow.llm.cost.total_cost",
)
_FACTS: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "ai.usage.inputTokens",
                     "ai.usage.promptTokens", "mlflow.chat.tokenUsage.input_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
                      "ai.usage.outputTokens", "ai.usage.completionTokens", "mlflow.chat.tokenUsage.output_tokens"),
}  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
    "agent": ("gen_ai.agent.name", "agent.name"),
    "workflow": ("traceloop.workflow.name",),
}
_NESTED = (_PROPERTIES, "ai.telemetry.metadata", "metadata")
_JSON_OBJECTS = ("metadata", "mlflow.chat.tokenUsage", "mlflow.llm.cost")


def span_piece(span: SpanRecord, source: Source, task: str | None = None) -> Exchange | Attachment | NoExchange:
    """The piece of one span. `task` is that of calls which name none.

    Raises:
        RecordError: the messages of a call cannot be asked as text.
    """
    attributes = Attributes(_opened(span.attributes))
    kind = span_kind(span, attributes)
    if kind == CALL:
        return _exchange(span, attributes, source, task)
    session, user = attributes.text(*_SESSIONS), attributes.text(*_USERS)
    ratings = _ratings(span, attributes)
    documents = _documents(span, attributes) if kind == DOCUMENTS else ()
    attributes.use(_INPUTS)
    unused = attributes.unused() if kind == OTHER else ()
    if not documents and ratings.feedback is None and not unused:
        answer = _output(attributes)
        return NoExchange(
            source=source, what=kind, place=span.place, session=session, user=user, answer=answer, judges=kind == JUDGES
        )
    return Attachment(
        source=source,
        place=span.place,
        what=kind,
        documents=documents,
        feedback=ratings.feedback,
        session=session,
        user=user,
        metadata=ratings.metadata,
        unused=unused,
    )


def call_of(attributes: Attributes, span: SpanRecord) -> SpanCall:
    """The content of a call in any of the conventions; several may be in use at once.

    Raises:
        RecordError: a message is not text.
    """
    call = SpanCall()
    if attributes.root("llm", "input", "output"):
        call = call.completed(read_openinference(attributes))
    if attributes.root("ai"):
        call = call.completed(read_vercel(attributes))
    if span.events or attributes.root("gen_ai", "llm", "events"):
        call = call.completed(read_genai(attributes, span.events))
    for asked, answered in _BODIES:
        request, response = attributes.get(asked), attributes.get(answered) if answered else None
        if request is not None and not call.messages:
            call = call.completed(read_request(request, is_text=asked not in _ENCODED))
        if response is not None and call.answer is None:
            call = call.completed(read_response(response, is_text=answered not in _ENCODED))
    if isinstance(parameters := decoded(attributes.get("langfuse.observation.model.parameters")), dict):
        call = call.completed(SpanCall(options=call_options(parameters)))
    if tools := attributes.get("mlflow.chat.tools"):
        call = call.completed(read_request({"tools": tools}))
    return call


def _exchange(span: SpanRecord, attributes: Attributes, source: Source, task: str | None) -> Exchange:
    call = call_of(attributes, span)
    ratings = _ratings(span, attributes)
    requested = attributes.text(*_REQUEST_MODELS) or call.request_model
    answered = attributes.text(*_RESPONSE_MODELS) or call.response_model
    messages = () if hidden(call.messages) else call.messages
    session, user = attributes.text(*_SESSIONS), attributes.text(*_USERS)
    attributes.use(f"{name}.mime_type" for name in ("input", "output"))
    metadata = _metadata(attributes)
    return Exchange(
        source=source,
        messages=messages,
        reply=_reply(span, call, answered, attributes.text("gen_ai.response.id", "ai.response.id", "llm.response.id")),
        place=span.place,
        options=call.options,
        feedback=ratings.feedback,
        task=attributes.text(*SPAN_TASKS) or task,
        kind="json" if call.is_json else None,
        model=requested or answered,
        session=session,
        user=user,
        time=span.place.time,
        latency_s=elapsed(span.place.time, span.end),
        cost_usd=attributes.number(*_COSTS),
        metadata={**metadata, **ratings.metadata},
        documents=documents_of_span(attributes),
        unused=(*span.unread, *attributes.unused()),
        notes=call.notes,
        problem=RejectedRecord(source, "the prompt of the call was not captured", SWITCHES),
    )


def _reply(span: SpanRecord, call: SpanCall, model: str | None, id_: str | None) -> Reply | None:
    """The answer; a span that failed has none, unless the model answered before."""
    answer = call.answer
    if answer is not None and hidden((answer,)):
        answer = None
    reply = span_reply(answer, call.finish_reason, model, id_)
    if span.failed and not (reply.text or "").strip():
        return failed_reply(reply)
    return reply if answer is not None or call.finish_reason else None


def _ratings(span: SpanRecord, attributes: Attributes) -> SpanRatings:
    rows = [event.attributes for event in span.events if event.name == EVALUATION]
    return annotation_ratings([*attributes.items("annotations"), *attributes.items("evaluations")]).joined(
        evaluation_ratings(rows)
    )


def _documents(span: SpanRecord, attributes: Attributes) -> tuple[Document, ...]:
    if documents := documents_of_span(attributes):
        return documents
    rows = [
        {key.removeprefix("db.query.result."): value for key, value in event.attributes.items()}
        for event in span.events
        if event.name.startswith("db.query.result")
    ]
    return read_documents(list(rows)) or read_documents(
        decoded(attributes.get("gen_ai.retrieval.documents", *_OUTPUTS))
    )


def _output(attributes: Attributes) -> str | None:
    """The output of a span that is not a call: the text of a message where it is one."""
    value = attributes.get("gen_ai.output.messages", *_OUTPUTS)
    try:
        answer = read_response(value).answer
    except RecordError:
        answer = None
    return answer.content if answer else nonblank(value)


def _metadata(attributes: Attributes) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {}
    for prefix in _NESTED:
        metadata |= scalars(attributes.below(prefix))
    for name, keys in _NAMES.items():
        if (text := attributes.text(*keys)) is not None:
            metadata[name] = text
    for name, keys in _FACTS.items():
        if (number := attributes.number(*keys)) is not None:
            metadata[name] = number
    tags = attributes.get("tag.tags", "langfuse.trace.tags")
    if isinstance(tags, Sequence) and not isinstance(tags, str):
        metadata["tags"] = ", ".join(str(tag) for tag in tags)
    return metadata


def _opened(attributes: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The attributes, with objects that are logged as JSON texts as dotted keys."""
    opened = dict(attributes)
    for key in _JSON_OBJECTS:
        inner = decoded(opened.get(key))
        if isinstance(inner, dict):
            del opened[key]
            opened |= {f"{key}.{name}": value for name, value in inner.items()}
    return opened
