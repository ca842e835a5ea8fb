"""The answer in the body of a response, found by its shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from curator.errors import RecordError
from curator.readers.documents import read_documents
from curator.readers.json_text import decoded
from curator.readers.messages import read_messages, read_tool_calls
from curator.readers.outcome import FAILED, FILTERED, failed_error
from curator.readers.parts import SERVER_TOOLS, read_parts
from curator.readers.record_keys import by_keys
from curator.records import Document, JsonValue, ToolCall

Body = Mapping[str, JsonValue]

MORE_CHOICES = "several answers to one request: the first one is used"
_REASONS = ("finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason", "completionReason")
_TEXT_KEYS = ("output_text", "outputText", "generation", "generated_text", "completion", "text")
_LISTS = ("choices", "candidates", "generations", "outputs", "results", "predictions")
_MESSAGES = ("message", "content", "delta")
_OF_MESSAGE = frozenset(("content", "parts", "tool_calls", "function_call", "refusal"))
_MODELS = ("model", "modelVersion", "model_version", "model_id", "modelId")
_IDS = ("id", "responseId", "response_id")


class Answer(NamedTuple):
    """The answer in a response body; `finish_reason`, `model` and `id` are as logged."""

    text: str | None = None
    calls: tuple[ToolCall, ...] = ()
    finish_reason: JsonValue = None
    model: JsonValue = None
    id: JsonValue = None
    logprobs: JsonValue = None
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()


_ReadAnswer = Callable[[Body], Answer | None]


def holds_answer(body: Body) -> bool:
    """Return whether an object is a response or a message, not an answer in JSON."""
    message = body.get("message", body)
    if (
        isinstance(message, dict)
        and message.get("role") == "assistant"
        and not message.keys().isdisjoint(("content", "tool_calls", "parts"))
    ):
        return True
    for key, signs in _SIGNS.items():
        first = _first(body.get(key))
        if isinstance(first, dict) and not first.keys().isdisjoint(signs):
            return True
    messages, output = body.get("messages"), body.get("output")
    if isinstance(output, dict):
        return isinstance(inner := output.get("message"), dict) and "role" in inner
    if isinstance(output, list):
        return body.get("object") == "response" or _is_items(output)
    turns = messages if isinstance(messages, list) else []
    return bool(turns) and all(isinstance(turn, dict) and "role" in turn and "content" in turn for turn in turns)


def names_answer(body: JsonValue) -> bool:
    """Return whether an object that is known to be a response has its answer under a usual name."""
    if not isinstance(body, dict):
        return False
    texts = any(isinstance(body.get(key), str) for key in _TEXT_KEYS)
    return texts or any(isinstance(body.get(key), list) for key in _LISTS) or holds_answer(body)


_SIGNS: Mapping[str, tuple[str, ...]] = {
    "choices": ("message", "delta", "finish_reason"),
    "candidates": ("content", "finishReason"),
    "results": ("outputText",),
}
"""Lists of answers, with the keys of which each item has one."""


def read_body(body: Body) -> Answer | None:
    """The answer of a response body; None where its shape is not known.

    An empty list of choices is an answer without text.

    Raises:
        RecordError: the answer is not text.
    """
    for read in _readers_of(body):
        answer = read(body)
        if answer is not None:
            return answer._replace(
                finish_reason=answer.finish_reason or _reason(body),
                model=answer.model or next((body[key] for key in _MODELS if body.get(key)), None),
                id=answer.id or next((body[key] for key in _IDS if body.get(key)), None),
            )
    return None


@by_keys
def _readers_of(keys: tuple[str, ...]) -> tuple[_ReadAnswer, ...]:
    return tuple(read for names, read in _SHAPES if not names.isdisjoint(keys))


def _of_list(body: Body) -> Answer | None:
    """The first of several choices, candidates or results."""
    for key in _LISTS:
        items = decoded(body.get(key))
        if not isinstance(items, list):
            continue
        first = _first(items)
        if not items:
            return _of_blocked(body) or Answer()
        notes = (MORE_CHOICES,) if len(items) > 1 else ()
        if isinstance(first, str):
            return Answer(first, notes=notes) if key != "choices" else _bad_choices()
        if not isinstance(first, dict):
            return _bad_choices()
        if failed_error(first.get("error")):
            return Answer(finish_reason=FAILED)
        answer = read_body(first) or Answer()
        logprobs = first.get("logprobs")
        return answer._replace(logprobs=logprobs, notes=(*answer.notes, *notes), id=None, model=None)
    return None


def _of_blocked(body: Body) -> Answer | None:
    """No text, where Gemini blocked the prompt; the response then has no candidates."""
    about = body.get("promptFeedback") or body.get("prompt_feedback")
    is_blocked = isinstance(about, dict) and (about.get("blockReason") or about.get("block_reason"))
    return Answer(finish_reason=FILTERED) if is_blocked else None


def _bad_choices() -> Answer:
    raise RecordError("`choices` holds something else than objects", "log the response as the API gives it")


def _of_items(body: Body) -> Answer | None:
    """The output items of the Responses API: the text and the calls of the last turn.

    An agent's response has the calls of its own steps with their results before the answer.
    """
    output = decoded(body.get("output"))
    if not isinstance(output, list) or not (body.get("object") == "response" or _is_items(output) or not output):
        return None
    if failed_error(body.get("error")) or body.get("status") in ("failed", "cancelled"):
        return Answer(finish_reason=FAILED)
    notes: list[str] = []
    messages = read_messages([item for item in output if isinstance(item, dict)], notes)
    start = max((i + 1 for i, message in enumerate(messages) if message.role == "tool"), default=0)
    turns = [message for message in messages[start:] if message.role == "assistant"]
    calls = tuple(call for message in turns for call in message.tool_calls)
    texts = [message.content for message in turns if message.content]
    incomplete = body.get("incomplete_details")
    reason = incomplete.get("reason") if isinstance(incomplete, dict) else None
    if reason is None and body.get("status") == "completed":
        reason = "tool_calls" if calls else "stop"
    documents = [
        document
        for item in output
        if isinstance(item, dict) and item.get("type") == "file_search_call"
        for document in read_documents(item.get("results"))
    ]
    if documents and not any("web_search" in str(item) for item in output):
        notes = [note for note in notes if note != SERVER_TOOLS]
    text = "\n".join(texts) if texts or not calls else None
    return Answer(text if turns else None, calls, reason, documents=tuple(documents), notes=tuple(notes))


def _is_items(output: Sequence[JsonValue]) -> bool:
    return any(
        isinstance(item, dict)
        and isinstance(item.get("type"), str)
        and ("content" in item or "call_id" in item or "summary" in item or str(item["type"]).endswith("_call"))
        for item in output
    )


def _of_message(body: Body) -> Answer | None:
    """A message, alone, under `message`, or as the content of a candidate."""
    for key in _MESSAGES:
        inner = body.get(key)
        if isinstance(inner, dict) and (key != "content" or "parts" in inner):
            answer = _of_message(inner) or Answer()
            return answer._replace(finish_reason=_reason(body) or answer.finish_reason)
    if _OF_MESSAGE.isdisjoint(body):
        return None
    content = next((body[key] for key in ("content", "parts") if body.get(key) is not None), None)
    parts = read_parts(content)
    calls = (*read_tool_calls(body), *parts.calls)
    text = None if content is None or (isinstance(content, list) and not parts.texts) else parts.text
    if not text and isinstance(spoken := body.get("audio"), dict) and isinstance(spoken.get("transcript"), str):
        text = str(spoken["transcript"])
    refusal = body.get("refusal")
    if not text and isinstance(refusal, str) and refusal:
        text = refusal
    notes = (SERVER_TOOLS,) if parts.server else ()
    return Answer(text, calls, _reason(body), notes=notes)


def _of_messages(body: Body) -> Answer | None:
    """The last message of the assistant in the messages that an agent answers with."""
    messages = decoded(body.get("messages"))
    if not isinstance(messages, list) or not messages:  # gateways have empty lists of notes
        return None
    if not all(isinstance(item, dict) and "role" in item for item in messages):
        return None
    answers = [item for item in messages if isinstance(item, dict) and item.get("role") in ("assistant", "ai", "model")]
    return _of_message(answers[-1]) if answers else Answer()


def _of_output_message(body: Body) -> Answer | None:
    output = decoded(body.get("output"))
    if isinstance(output, dict) and isinstance(output.get("message"), dict):
        return _of_message(output)
    return None


def _of_text(body: Body) -> Answer | None:
    """A plain text under one of the names that APIs of completions have for it."""
    for key in _TEXT_KEYS:
        if isinstance(text := body.get(key), str):
            return Answer(text, read_tool_calls(body), _reason(body))
    if isinstance(text := body.get("response"), str) and ("done" in body or "finish_reason" in body):
        return Answer(text, (), _reason(body))
    return None


_SHAPES: Sequence[tuple[frozenset[str], _ReadAnswer]] = (
    (frozenset(("output",)), _of_output_message),
    (frozenset(("output",)), _of_items),
    (frozenset(_LISTS), _of_list),
    (frozenset((*_MESSAGES, *_OF_MESSAGE)), _of_message),
    (frozenset((*_TEXT_KEYS, "response")), _of_text),
    (frozenset(("messages",)), _of_messages),
    (frozenset(("promptFeedback", "prompt_feedback")), _of_blocked),
)
"""The readers of the shapes of an answer, with the keys of which its body has at least one."""


def _reason(body: Body) -> JsonValue:
    reason = next((body[key] for key in _REASONS if body.get(key)), None)
    details = body.get("details")
    return details.get("finish_reason") if reason is None and isinstance(details, dict) else reason


def _first(value: JsonValue) -> JsonValue:
    return value[0] if isinstance(value, list) and value else None
