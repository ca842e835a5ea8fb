"""Retrieved documents in the shapes of retrievers, vector stores and rerankers."""

from __future__ import annotations

from collections.abc import Mapping

from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.records import Document, JsonValue, Scalar

_LISTS = ("documents", "results", "matches", "output_documents", "chunks", "hits", "nodes", "data", "output", "docs")
_TEXTS = ("page_content", "pageContent", "content", "text", "document", "chunk", "passage", "snippet", "body")
_IDS = ("id", "document_id", "doc_id", "chunk_id", "doc_uri", "file_id", "filename", "url", "source")
_SCORES = ("score", "relevance_score", "relevanceScore", "similarity", "relevance", "rank_score", "_score", "distance")
_FEWEST_WORDS = 4
"""A shorter text in the place of documents is the name of something."""
_HOLDERS = ("document", "node", "data", "metadata", "payload", "item")
"""The objects inside a document that may hold what it is searched for."""


def read_documents(value: JsonValue) -> tuple[Document, ...]:
    """The documents in a value: a list of texts or objects, also as JSON text.

    The list may stand under `documents`, `results` and the like. Objects without a text give no document.
    """
    value = decoded(value)
    if isinstance(value, dict):
        lists = (decoded(value[key]) for key in _LISTS if key in value)
        items = next((items for items in lists if isinstance(items, list)), None)
        if items is None:
            return tuple(filter(None, (_read_document(value),)))
        value = items
    if isinstance(value, str) and len(value.split()) >= _FEWEST_WORDS:
        return (Document(value),)
    if not isinstance(value, list):
        return ()
    flat = [item for entry in value for item in (entry if isinstance(entry, list) else [entry])]
    return tuple(document for item in flat if (document := _read_document(decoded(item))) is not None)


def _read_document(item: JsonValue) -> Document | None:
    if isinstance(item, str):
        return Document(item) if item.strip() else None
    if not isinstance(item, dict):
        return None
    holders = [item, *(inner for key in _HOLDERS if isinstance(inner := decoded(item.get(key)), dict))]
    text = next((text for text in (_text(holder) for holder in holders) if text), None)
    if text is None:
        return None
    return Document(
        text,
        next((id_ for holder in holders for key in _IDS if (id_ := nonblank(holder.get(key)))), None),
        next((score for holder in holders for key in _SCORES if (score := _number(holder.get(key))) is not None), None),
        _metadata(decoded(item.get("metadata"))),
    )


def _text(holder: Mapping[str, JsonValue]) -> str | None:
    """The text of a document: a string, or the parts of a list."""
    for key in _TEXTS:
        value = holder.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list):
            parts = [part.get("text") if isinstance(part, dict) else part for part in value]
            if texts := [part for part in parts if isinstance(part, str) and part]:
                return "\n".join(texts)
    return None


def _number(value: JsonValue) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _metadata(value: JsonValue) -> dict[str, Scalar]:
    items = value.items() if isinstance(value, dict) else ()
    return {key: inner for key, inner in items if isinstance(inner, str | int | float) and inner != ""}
