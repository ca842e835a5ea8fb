"""Messages as spans hold them -> chat messages, in the words of every convention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from curator.readers.json_text import as_text, decoded
from curator.readers.messages import read_messages
from curator.readers.replies import Reply, answer_of
from curator.records import JsonValue, Message

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant", "chatbot": "assistant"}
_TYPES = frozenset((*_ROLES, "system", "user", "assistant", "tool", "function", "developer"))
_TEXTS = frozenset(("text", "input_text", "output_text", "refusal"))
_THOUGHTS = frozenset(("reasoning", "thinking", "redacted_thinking", "thought"))
_CALLS = frozenset(("tool_call", "tool_use", "function_call", "functioncall"))
_RESULTS = frozenset(
    ("tool_call_response", "tool_result", "function_response", "functionresponse", "function_call_output")
)
_PART_TYPES = _TEXTS | _THOUGHTS | _CALLS | _RESULTS
_MESSAGE_KEYS = frozenset(("role", "parts", "kwargs", "message"))
_KINDS_BY_KEY = {
    "text": "text", "functionCall": "function_call", "function_call": "function_call", "toolUse": "tool_use",
    "functionResponse": "function_response", "function_response": "function_response", "toolResult": "tool_result",
    "reasoningContent": "reasoning",
}  # fmt: skip
"""The kinds of parts that Gemini and Bedrock name by their key."""
_CALL_IDS = ("id", "toolCallId", "toolUseId", "tool_call_id", "tool_use_id", "call_id")
_NAMES = ("name", "toolName", "tool_name")
_ARGUMENTS = ("arguments", "args", "input", "parameters")
_RESPONSES = ("response", "result", "output", "content")

Fields = Mapping[str, JsonValue]


def span_messages(value: JsonValue, role: str = "user") -> tuple[Message, ...]:
    """The messages of a value: a list of messages, one message, or a text of the given role.

    Raises:
        RecordError: a role or a part of a content is not known, or is not text.
    """
    structure = decoded(value)
    if isinstance(structure, dict):
        structure = [structure]
    if not isinstance(structure, list) or (isinstance(value, str) and not _are_messages(structure)):
        text = as_text(value)
        return read_messages([{"role": role, "content": text}]) if text else ()
    value = structure
    if value and all(isinstance(item, list) for item in value):  # LangChain logs a batch of one conversation
        value = value[0]
    items = value if isinstance(value, list) else []
    return read_messages([message for item in items for message in _chat(decoded(item), role)])


def content_blocks(value: JsonValue) -> JsonValue:
    """A content that is the JSON text of a list of parts as that list; others as they are."""
    parts = decoded(value) if isinstance(value, str) else None
    if isinstance(parts, list) and parts and all(isinstance(part, dict) and _is_part(part) for part in parts):
        return parts
    return value


def system_messages(value: JsonValue) -> tuple[Message, ...]:
    """The system prompt of a value: a text, or a list of parts or messages."""
    value = decoded(value)
    if isinstance(value, list) and not any(isinstance(item, dict) and "role" in item for item in value):
        value = {"parts": value}
    return span_messages(value, "system")


def span_reply(
    message: Message | None, reason: JsonValue = None, model: str | None = None, id_: str | None = None
) -> Reply:
    """The answer that a message of the model is, with what other attributes say about it."""
    answer = answer_of(message) if message else Reply()
    finish = reason if isinstance(reason, str) and reason else None
    return Reply(answer.text, finish, model, id_, answer.is_call)


def answer_message(value: JsonValue) -> Message | None:
    """The first message that a value holds, as that of the model."""
    messages = span_messages(value, "assistant")
    return next((message for message in messages if message.role == "assistant"), None)


def _chat(raw: JsonValue, role: str) -> Iterator[JsonValue]:
    """Yield a logged message as the chat-completions API has it, its tool results apart."""
    if not isinstance(raw, dict):
        yield {"role": role, "content": raw} if isinstance(raw, str) else raw
        return
    for inner in ("message", "kwargs", "data"):
        if isinstance(raw.get(inner), dict) and "role" not in raw and "content" not in raw:
            yield from _chat(_with_type(raw, inner), role)
            return
    speaker = _speaker(raw, role)
    is_part = "role" not in raw and str(raw.get("type")) in _PART_TYPES
    parts = [raw] if is_part else _parts(raw)
    results = [_result(part) for part in parts if _kind(part) in _RESULTS]
    if speaker in ("tool", "function"):
        yield from results or [_result(raw)]
        return
    yield from results
    calls = [_call(call) for call in _dicts(raw.get("tool_calls"))]
    if isinstance(raw.get("function_call"), dict) and not calls:
        calls = [_call(_inner(raw, "function_call"))]
    calls += [_call(part) for part in parts if _kind(part) in _CALLS]
    texts = [_text(part) for part in parts if _kind(part) not in _CALLS | _RESULTS | _THOUGHTS]
    if texts or calls or not parts:
        message: dict[str, JsonValue] = {"role": speaker, "content": texts or None}
        yield {**message, "tool_calls": list(calls)} if calls else message


def _are_messages(items: Sequence[JsonValue]) -> bool:
    """Return whether a list that was logged as a text holds messages or parts."""
    inner = [item for entry in items for item in (entry if isinstance(entry, list) else [entry])]
    dicts = [item for item in map(decoded, inner) if isinstance(item, dict)]
    return bool(dicts) and all(
        not _MESSAGE_KEYS.isdisjoint(item) or _is_part(item) or str(item.get("type")) in _TYPES for item in dicts
    )


def _is_part(item: Fields) -> bool:
    """Return whether an object is a part of a message: its type says so, or its only key."""
    return _kind(item) in _PART_TYPES and ("type" in item or len(item) == 1)


def _speaker(raw: Fields, role: str) -> str:
    """The role of a message; it may be named as its type, and a tool call may have none."""
    kind = _kind(raw)
    speaker = raw.get("role") or (kind if kind in _TYPES else "assistant" if kind in _CALLS else role)
    return _ROLES.get(str(speaker).lower(), str(speaker).lower())


def _with_type(raw: Fields, inner: str) -> JsonValue:
    """The inner object; the name of its class (`HumanMessage`) or its type is its role."""
    content = dict(_inner(raw, inner))
    names = raw.get("id")
    name = names[-1] if isinstance(names, list) and names else raw.get("type")
    if isinstance(name, str) and "role" not in content and "type" not in content:
        content["type"] = name.removesuffix("Chunk").removesuffix("Message").lower()
    return content


def _parts(raw: Fields) -> list[Fields]:
    """The parts of a message; a text counts as one."""
    for key in ("parts", "contents", "content"):
        value = raw.get(key)
        if isinstance(value, str) and value:
            return [{"type": "text", "text": value}]
        if isinstance(value, list) and value:
            return [_inner(part, "message_content") if isinstance(part, dict) else {"text": part} for part in value]
        if isinstance(value, dict) and value:
            return [value]
    return []


def _kind(part: Fields) -> str:
    kind = part.get("type")
    if not isinstance(kind, str):
        kind = next((_KINDS_BY_KEY[key] for key in part if key in _KINDS_BY_KEY), "unknown")
        kind = "thought" if part.get("thought") is True else kind
    return kind.replace("-", "_").lower()


def _text(part: Fields) -> JsonValue:
    """A part of text as the API has it; any other part as it is."""
    if _kind(part) not in _TEXTS:
        return {**part, "type": part.get("type") or _kind(part)}
    value = next((part[key] for key in ("text", "content", "refusal") if part.get(key) is not None), "")
    return {"type": "text", "text": value if isinstance(value, str) else as_text(value)}


def _call(call: Fields) -> dict[str, JsonValue]:
    inner = _inner(call, "tool_call", "functionCall", "function_call", "toolUse")
    function = _inner(inner, "function")
    arguments = _pick(function, _ARGUMENTS)
    text = arguments if isinstance(arguments, str) and arguments else as_text(arguments or {})
    name = _pick(function, _NAMES)
    return {"id": _pick(inner, _CALL_IDS) or "", "type": "function", "function": {"name": name, "arguments": text}}


def _result(part: Fields) -> JsonValue:
    """The message of a tool's result."""
    part = _inner(part, "functionResponse", "function_response", "toolResult")
    id_ = _pick(part, ("tool_call_id", "toolCallId", "toolUseId", "tool_use_id", "call_id", "id"))
    value = content_blocks(_pick(part, _RESPONSES))
    # The AI SDK says of a result whether it is text or JSON.
    if isinstance(value, dict) and value.keys() <= {"type", "value"}:
        value = value.get("value")
    if isinstance(value, list) and value and all(isinstance(item, dict) and _kind(item) == "text" for item in value):
        value = "\n".join(str(_pick(item, ("text", "content")) or "") for item in value if isinstance(item, dict))
    return {"role": "tool", "content": as_text(value) or "", "tool_call_id": id_}


def _inner(value: Fields, *keys: str) -> Fields:
    return next((inner for key in keys if isinstance(inner := value.get(key), dict)), value)


def _pick(value: Fields, keys: Sequence[str]) -> JsonValue:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _dicts(value: JsonValue) -> list[Fields]:
    value = decoded(value)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
