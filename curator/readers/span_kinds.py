"""The kind of a span: a call of a model, a retrieval, or one that asks no model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.readers.genai_attributes import has_content
from curator.readers.span_attributes import Attributes
from curator.readers.spans import SpanRecord

CALL = "calls of models"
DOCUMENTS = "retriever spans"
JUDGES = "evaluator spans"
OTHER = "other spans"

_KEYS = (
    "openinference.span.kind", "ai.operationId", "gen_ai.operation.name", "mlflow.spanType", "langfuse.observation.type",
    "llm.request.type", "traceloop.span.kind", "gen_ai.span.kind", "span.type",
)  # fmt: skip
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("llm", "chat", "chat_model", "chat_completion", "generate_content", "generation", "messages"), CALL
    ),
    **dict.fromkeys(("text_completion", "completion", "completions", "generate", "responses", "response"), CALL),
    **dict.fromkeys(("retriever", "retrieval", "retrieve", "reranker", "rerank", "ai.rerank"), DOCUMENTS),
    **dict.fromkeys(("agent", "invoke_agent", "create_agent", "invoke_workflow"), "agent spans"),
    **dict.fromkeys(("chain", "workflow", "task", "parser", "prompt", "memory"), "chain spans"),
    **dict.fromkeys(("tool", "execute_tool", "ai.toolcall", "function"), "tool spans"),
    **dict.fromkeys(("embedding", "embeddings"), "embedding spans"),
    **dict.fromkeys(("guardrail", "moderation"), "guardrail spans"),
    **dict.fromkeys(("evaluator", "evaluate", "evaluation", "judge"), JUDGES),
}
_STARTS = (("ai.generate", CALL), ("ai.stream", CALL), ("ai.embed", "embedding spans"))
_JUDGE = re.compile(r"(?<![a-z])(llm[-_ ]?as[-_ ]?a[-_ ]?judge|judge|judges|evaluator|evaluators|grader)(?![a-z])")
_DOCUMENT_KEYS = ("gen_ai.retrieval.documents", "retrieval.documents", "reranker.output_documents")


def span_kind(span: SpanRecord, attributes: Attributes) -> str:
    """The kind of a span: `CALL`, `DOCUMENTS`, or the name of such spans in the plural.

    An attribute of a convention says it, else the content does. A span named as a judge, such as `answer-judge`, is one.
    """
    if is_judge(span.name):
        return JUDGES
    for key in _KEYS:
        word = str(attributes.get(key) or "").strip('" ').lower()
        kind = _WORDS.get(word) or next((kind for start, kind in _STARTS if word.startswith(start)), None)
        if kind is not None:
            return kind
    if any(key in attributes or attributes.has(f"{key}.") for key in _DOCUMENT_KEYS):
        return DOCUMENTS
    if any(event.name.startswith("db.query.result") for event in span.events):
        return DOCUMENTS
    if has_content(attributes, span.events) or attributes.has("llm.input_messages."):
        return CALL
    return CALL if "gen_ai.request.model" in attributes and "gen_ai.usage.output_tokens" in attributes else OTHER


def is_judge(name: str) -> bool:
    """Return whether a name says of a span that it judges answers."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return _JUDGE.search(plain.replace("_", "-").replace("-", " ").replace(" ", "-")) is not None
