"""Calls of APIs that ask no chat model: embeddings, images, speech, moderation, reranking."""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.readers.json_text import decoded
from curator.records import JsonValue

_KINDS = (
    ("embed", "embedding calls"),
    ("rerank", "reranking calls"),
    ("moderation", "moderation calls"),
    ("image", "image calls"),
    ("transcri", "speech calls"),
    ("speech", "speech calls"),
)
_NAMED = re.compile(
    r"^_?a?(embed|rerank|moderation|image_|transcri|speech)"
    r"|[/:](?:audio/)?(?:batch)?(embed\w*|rerank|moderations?|images?/\w+|transcri\w+|speech)/?(?:\?|$)",
    re.IGNORECASE,
)  # `aembedding`, `aimage_generation`; `/v1/embeddings`, `/v1/images/edits`, `models/m:embedContent`
_NAMING = ("call_type", "url", "path")
_KIND_KEYS = ("run_type", "span_type", "span_kind", "step_type", "node_type", "observation_type", "type", "kind")
_STEPS: Mapping[str, str] = {
    **dict.fromkeys(("retriever", "retrieval", "reranker", "vector_search"), "steps of retrievers"),
    **dict.fromkeys(("tool", "tool_run", "tool_execution"), "steps of tools"),
    **dict.fromkeys(("guardrail", "guardrails", "moderation"), "steps of guardrails"),
    **dict.fromkeys(("evaluator", "evaluation", "judge", "grader"), "steps of evaluators"),
    **dict.fromkeys(("embedding", "embeddings"), "embedding calls"),
}
"""Kinds of steps that are no calls of the application's model, by what traces call them."""
_VECTORS = frozenset(("embedding", "embeddings"))
_ITEMS = (
    (_VECTORS, "embedding calls"),
    (frozenset(("b64_json", "revised_prompt")), "image calls"),
    (frozenset(("flagged",)), "moderation calls"),
    (frozenset(("relevance_score",)), "reranking calls"),
)


def step_kind(record: Mapping[str, JsonValue]) -> str | None:
    """Name the kind of step that a record says it is (`type: tool`); None for a call of a model."""
    for key in _KIND_KEYS:
        if isinstance(word := record.get(key), str) and (kind := _STEPS.get(word.lower())) is not None:
            return kind
    return None


def other_call(record: Mapping[str, JsonValue], request: JsonValue, response: JsonValue) -> str | None:
    """Name the kind of such calls in the plural; None for a call of a chat model.

    The name of the call or its path says it; else the shape of the response; else a model of embeddings without a list of
    messages, as a failed call has no response.
    """
    for key in _NAMING:
        name = record.get(key)
        if isinstance(name, str) and (match := _NAMED.search(name)):
            return next(kind for start, kind in _KINDS if (match[1] or match[2]).lower().startswith(start))
    if (kind := _shape(decoded(response))) is not None:
        return kind
    bodies = (record, request) if isinstance(request, dict) else (record,)
    chats = any(isinstance(body.get("messages"), list) for body in bodies)
    models = (body.get(key) for body in bodies for key in ("model", "modelId"))
    embeds = not chats and any(isinstance(model, str) and "embed" in model.lower() for model in models)
    return "embedding calls" if embeds else None


def _shape(body: JsonValue) -> str | None:
    if not isinstance(body, dict) or "choices" in body:
        return None
    if any(isinstance(body.get(key), list | dict) for key in _VECTORS):
        return "embedding calls"
    for key in ("data", "results"):
        items = body.get(key)
        first = items[0] if isinstance(items, list) and items else None
        if isinstance(first, dict):
            return next((kind for keys, kind in _ITEMS if keys & first.keys()), None)
    return None
