"""The parts of a message's content: text, tool calls, results, thoughts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from curator.errors import RecordError
from curator.readers.json_text import as_text, decoded, type_name
from curator.records import JsonValue, ToolCall

Fields = Mapping[str, JsonValue]

_TEXTS = frozenset(("text", "input_text", "output_text", "summary_text"))
_THOUGHTS = frozenset(("thinking", "redacted_thinking", "reasoning", "thought", "reasoningcontent"))
_CALLS = frozenset(
    ("tool_use", "tool_call", "function_call", "tooluse", "functioncall", "custom_tool_call", "tool-call", "function")
)
_RESULTS = frozenset(
    (
        "tool_result", "function_call_output", "custom_tool_call_output", "toolresult", "functionresponse", "tool-result",
        "tool_call_response", "function_response",
    )
)  # fmt: skip
_PARTS = (_TEXTS | _THOUGHTS | _CALLS | _RESULTS | {"refusal"}) - {"function"}
"""The kinds of parts; "function" is the definition of a tool, too."""
_SERVER = (
    "server_tool", "web_search", "code_execution", "bash_code", "text_editor_code", "executablecode", "codeexecution",
    "tool_reference", "cachepoint", "mcp_tool", "compaction", "container_upload",
)  # fmt: skip
"""Beginnings of the kinds of parts in which the provider logs what its own tools did before the model answered."""
_MEDIA = {"image": "an image", "audio": "audio", "video": "a video", "file": "a file", "document": "a file"}
_DATA = ("inlineData", "inline_data", "fileData", "file_data")
SERVER_TOOLS = "what the provider's own tools did (such as a web search) is not part of the case"


@dataclass(slots=True)
class Parts:
    """The parts of one content, by what they are. `results` are texts with the id of their call."""

    texts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[tuple[str, str | None]] = field(default_factory=list)
    thoughts: int = 0
    server: int = 0

    @property
    def text(self) -> str:
        """The text, its parts joined by line feeds."""
        return "\n".join(self.texts)


def read_parts(content: JsonValue) -> Parts:
    """The parts of a content: null, a string, one part, or a list of them.

    Raises:
        RecordError: a part is an image, audio, a file or unknown.
    """
    parts = Parts()
    if isinstance(content, str):
        parts.texts.append(content)
    elif isinstance(content, list):
        for part in content:
            _add(parts, part)
    elif isinstance(content, dict) and _kind(content) != "unknown":
        _add(parts, content)
    elif content is not None:
        raise RecordError(
            f"`content` is a JSON {type_name(content)}", "log it as a string, or as a list of parts of type `text`"
        )
    return parts


def read_call(call: JsonValue) -> ToolCall:
    """A tool call in the shape of any API; without an id, its name is the id.

    Without arguments they are `{}`.

    Raises:
        RecordError: the call has no name.
    """
    if isinstance(call, dict):
        holders = list(_call_holders(call))
        holder = holders[-1]
        name = holder.get("name", holder.get("toolName"))
        if isinstance(name, str) and name:
            arguments = next((holder[key] for key in _ARGUMENTS if holder.get(key) is not None), None)
            text = arguments if isinstance(arguments, str) else as_text({} if arguments is None else arguments)
            ids = (outer.get(key) for key in _IDS for outer in holders)
            return ToolCall(next((id_ for id_ in ids if isinstance(id_, str) and id_), name), name, text or "{}")
    raise RecordError("a tool call without a function name", "log `tool_calls` as the API gives them")


def _call_holders(call: Fields) -> Iterator[Fields]:
    """Yield a call and the objects inside of each other that hold its name and arguments."""
    inner: Fields | None = call
    while inner is not None:
        yield inner
        outer = inner
        inner = next((held for key in _CALL_HOLDERS if isinstance(held := outer.get(key), dict)), None)


_CALL_HOLDERS = ("function", "custom", "functionCall", "function_call", "toolUse", "tool_call")
_RESULT_HOLDERS = ("functionResponse", "function_response", "toolResult", "tool_result")
_ARGUMENTS = ("arguments", "args", "input", "parameters")
_IDS = ("call_id", "id", "toolUseId", "toolCallId", "tool_call_id", "tool_use_id")
_RESULT_IDS = ("tool_use_id", "toolUseId", "call_id", "tool_call_id", "toolCallId", "id", "name")
_OUTPUTS = ("content", "output", "result", "response", "outputs")


def read_result(part: Fields) -> tuple[str, str | None]:
    """The text of a tool's result, and the id of its call.

    Raises:
        RecordError: the result holds an image, audio or a file.
    """
    holder = next((inner for key in _RESULT_HOLDERS if isinstance(inner := part.get(key), dict)), part)
    value = next((holder[key] for key in _OUTPUTS if holder.get(key) is not None), None)
    if isinstance(value, dict) and value.keys() == {"type", "value"}:  # the AI SDK says whether it is text or JSON
        value = value["value"]
    ids = (holder.get(key) for key in _RESULT_IDS)
    id_ = next((text for text in ids if isinstance(text, str) and text), None)
    if isinstance(value, list) and value and all(isinstance(item, dict) and _has_text_or_media(item) for item in value):
        return read_parts(value).text, id_
    return as_text(value) or "", id_


def is_call_item(item: Fields) -> bool:
    """Return whether a message without a role is a tool call, as in the Responses API."""
    return "role" not in item and _kind(item) in _CALLS


def is_result_item(item: Fields) -> bool:
    """Return whether a message without a role is a tool's result."""
    return "role" not in item and _kind(item) in _RESULTS


def is_part(item: Fields) -> bool:
    """Return whether an object is a part of a message: its type says so, or its only key."""
    return ("type" in item or len(item) == 1) and _kind(item) in _PARTS


def is_thought(item: Fields) -> bool:
    """Return whether an object is what a model thought before it answered."""
    return _kind(item) in _THOUGHTS


def is_skipped_item(item: Fields) -> bool:
    """Return whether an item is a thought, or a step of the provider's own tools."""
    kind = _kind(item)
    return "role" not in item and (kind in _THOUGHTS or kind.startswith(_SERVER) or kind.endswith(_STEPS))


_STEPS = ("_call", "_call_output", "_list_tools", "_approval_request", "_approval_response", "_output")


def _add(parts: Parts, part: JsonValue) -> None:
    if isinstance(part, str):
        parts.texts.append(part)
        return
    if not isinstance(part, dict):
        raise RecordError(f"a content part that is a JSON {type_name(part)}", "log parts as the API takes them")
    kind = _kind(part)
    if kind in _THOUGHTS:
        parts.thoughts += 1
    elif kind in _CALLS:
        parts.calls.append(read_call(part))
    elif kind in _RESULTS:
        parts.results.append(read_result(part))
    elif kind.startswith(_SERVER):
        parts.server += 1
    else:
        parts.texts.append(_text_of(kind, part))


def _text_of(kind: str, part: Fields) -> str:
    if kind in _TEXTS:
        return _text(
            next((part[key] for key in ("text", "content", "guardContent") if part.get(key) is not None), None)
        )
    if kind == "refusal":
        return _text(part.get("refusal"))
    if kind == "json":
        return as_text(part.get("json")) or ""
    text = _plain_document(part) if kind in ("document", "search_result") else None
    if text is None:
        raise _not_text(kind, part)
    return text


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(inner := value.get("text", value.get("value")), str):
        return inner
    raise RecordError("a text part without text", 'log {"type": "text", "text": "..."}')


def _kind(part: Fields) -> str:
    """The kind of a part: its type, or where it has none the key that holds its content."""
    kind = part.get("type")
    if part.get("thought") is True:
        return "thought"
    if isinstance(kind, str):
        return kind.lower()
    keys = (key for key in part if key not in ("thoughtSignature", "cache_control", "citations"))
    for key in keys:
        name = {"function_call": "functioncall", "function_response": "functionresponse"}.get(key, key.lower())
        if name in _TEXTS | _CALLS | _RESULTS | _THOUGHTS or name in ("json", *_MEDIA) or key in _DATA:
            return name
        if name.startswith(_SERVER):
            return name
        if name == "guardcontent":
            return "text"
    return "unknown" if kind is None else str(kind)[:40]


def _has_text_or_media(item: Fields) -> bool:
    return _kind(item) in ("json", *_TEXTS) or _media(_kind(item), item) is not None


def _plain_document(part: Fields) -> str | None:
    """The text of a document that was sent as text; None for any other."""
    source = part.get("source")
    if isinstance(source, dict) and source.get("type") == "text" and isinstance(source.get("data"), str):
        return str(source["data"])
    inner = source.get("content") if isinstance(source, dict) else part.get("content")
    if isinstance(inner, str):
        return inner
    if isinstance(inner, list) and inner and all(isinstance(item, dict) and _kind(item) in _TEXTS for item in inner):
        return read_parts(inner).text
    return None


def _media(kind: str, part: Fields) -> str | None:
    """The name of a medium that is not text; None for other kinds."""
    for key in _DATA:
        if isinstance(data := part.get(key), dict):
            kind = str(data.get("mimeType", data.get("mime_type", "file")))
    return next((name for word, name in _MEDIA.items() if word in kind), "a file" if "/" in kind else None)


def _not_text(kind: str, part: Fields) -> RecordError:
    medium = _media(kind, part)
    if medium:
        return RecordError(
            f"{medium} in the content (a part of type {kind[:40]!r}), which the committee cannot be asked",
            "log what it says as a part of type `text` beside it or in its place (a caption, a transcript, the text of the "
            "file), or leave such records out of the logs: all others are used",
        )
    return RecordError(
        f"an unknown part of the content, of type {kind[:40]!r}",
        'log it as {"type": "text", "text": "..."}, or leave such records out of the logs: all others are used',
    )


def inner_list(value: JsonValue) -> list[JsonValue] | None:
    """The list in a value, also as JSON text or under `data`; None without one."""
    value = decoded(value)
    if isinstance(value, dict) and value.get("object", "list") == "list":
        value = decoded(value.get("data"))
    return value if isinstance(value, list) else None
