"""Messages as spans hold them -> chat messages, in the words of every convention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curator.readers.json_text import as_text, decoded
from curator.readers.messages import ROLES, read_messages
from curator.readers.parts import is_call_item, is_part, is_result_item, is_thought
from curator.readers.replies import Reply, answer_of
from curator.records import JsonValue, Message

_MESSAGE_KEYS = frozenset(("role", "parts", "kwargs", "message"))
Fields = dict[str, JsonValue]


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
    if isinstance(parts, list) and parts and all(isinstance(part, dict) and is_part(part) for part in parts):
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
    """Yield a logged message as an API has it, or as the items that `read_messages` reads."""
    if not isinstance(raw, dict):
        yield {"role": role, "content": raw} if isinstance(raw, str) else raw
        return
    for inner in ("message", "kwargs", "data"):
        if isinstance(raw.get(inner), dict) and "role" not in raw and "content" not in raw:
            yield from _chat(_with_type(raw, inner), role)
            return
    parts = [raw] if "role" not in raw and is_part(raw) else _parts(raw)
    results = [_result(part) for part in parts if is_result_item(part)]
    speaker = _speaker(raw, role)
    if speaker in ("tool", "function"):
        yield from results or [_result(raw)]
        return
    yield from results
    others = [part for part in parts if not is_result_item(part) and not is_thought(part)]
    calls = _dicts(raw.get("tool_calls")) or _dicts([raw.get("function_call")])
    if others or calls or not parts:
        message: dict[str, JsonValue] = {"role": speaker, "content": [*others] or None}
        yield {**message, "tool_calls": [*calls]} if calls else message


def _result(part: Fields) -> JsonValue:
    """The item of a tool's result; its text may be the JSON of parts."""
    held = {key: content_blocks(value) for key, value in part.items() if key != "role"}
    return {**held, "type": "tool_result"}


def _are_messages(items: Sequence[JsonValue]) -> bool:
    """Return whether a list that was logged as a text holds messages or parts."""
    inner = [item for entry in items for item in (entry if isinstance(entry, list) else [entry])]
    dicts = [item for item in map(decoded, inner) if isinstance(item, dict)]
    return bool(dicts) and all(
        not _MESSAGE_KEYS.isdisjoint(item) or is_part(item) or str(item.get("type")) in ROLES for item in dicts
    )


def _speaker(raw: Fields, role: str) -> str:
    """The role of a message; it may be named as its type, and a tool call may have none."""
    kind = str(raw.get("type")).lower()
    speaker = raw.get("role") or (kind if kind in ROLES else "assistant" if is_call_item(raw) else role)
    return str(speaker).lower()


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
            return [_plain(part) if isinstance(part, dict) else {"type": "text", "text": part} for part in value]
        if isinstance(value, dict) and value:
            return [value]
    return []


def _plain(part: Fields) -> Fields:
    """A part without its wrapper; the text of one may be an object."""
    part = _inner(part, "message_content")
    text = part.get("text") if part.get("text") is not None else part.get("content")
    is_object = part.get("type") == "text" and text is not None and not isinstance(text, str)
    return {"type": "text", "text": as_text(text)} if is_object else part


def _inner(value: Fields, *keys: str) -> Fields:
    return next((inner for key in keys if isinstance(inner := value.get(key), dict)), value)


def _dicts(value: JsonValue) -> list[Fields]:
    value = decoded(value)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
