"""Logged streams of every API -> the whole response that their events add up to.

A stream is the text of server-sent events, JSON values one a line, or a list of chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from curator.readers.json_text import decoded
from curator.records import JsonValue

Event = dict[str, JsonValue]

UNFINISHED = "a stream that was logged without its end: its answer counts as cut off"
_SSE_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_ANTHROPIC = (
    "message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta", "content_block_stop",
    "ping",
)  # fmt: skip
_BEDROCK = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop")
_OLLAMA = ("message", "response", "thinking")
_COMPLETIONS = ("outputText", "generation", "completion", "text")
_LONGEST_HEAD = 200


def events_of(value: JsonValue) -> list[Event] | None:
    """The events of a stream; None for any other value.

    A text is a stream where each of its lines belongs to one and it has an event of a known API: a model's text about such
    events is none.
    """
    if isinstance(value, list):
        events = [item for item in map(decoded, value) if isinstance(item, dict)]
        if len(events) < len(value):  # a list of the lines of a stream
            lines = [item for item in value if isinstance(item, str)]
            return events_of("\n".join(lines)) if len(lines) == len(value) and lines else None
        return events if any(map(_is_event, events)) else None
    read = logged_events(value) if isinstance(value, str) else None
    return read if read and any(map(_is_event, read)) else None


def logged_events(text: str) -> list[Event] | None:
    """The events in a text of server-sent events or JSON lines; None for any other text."""
    head = text[:_LONGEST_HEAD].lstrip("\ufeff \t\r\n")
    if not head.startswith((*_SSE_FIELDS, "{")):
        return None
    return _of_json_lines(text) if head.startswith("{") else _of_sse(text)


def assembled(events: Sequence[Event]) -> Event:
    """The response body that the events of a stream add up to, in the shape of their API.

    An event that is an error makes it `{"error": ...}`. Where the end of the stream is missing, `stream_unfinished` is true.
    """
    for event in events:
        inner = event.get("response")
        failed = isinstance(inner, dict) and inner.get("status") == "failed"
        error = event.get("error") or (inner.get("error") if isinstance(inner, dict) else None)
        if error or failed or event.get("type") in ("error", "response.failed"):
            return {"error": error or event}
    for is_of, build in _APIS:
        if any(is_of(event) for event in events):
            return build(events)
    return {}


def _of_sse(text: str) -> list[Event] | None:
    events: list[Event] = []
    data: list[str] = []
    for line in (*text.replace("\r\n", "\n").split("\n"), ""):
        if not line.strip():
            events += _decoded_event("\n".join(data))
            data = []
        elif not line.startswith(_SSE_FIELDS):
            return None
        elif line.startswith("data:"):
            piece = line[len("data:") :].strip()
            if data and isinstance(decoded("\n".join(data)), dict):  # a logger that drops the blank lines
                events += _decoded_event("\n".join(data))
                data = []
            data.append(piece)
    return events


def _decoded_event(data: str) -> list[Event]:
    if data == "[DONE]":
        return [{"type": "[DONE]"}]
    value = decoded(data)
    return [value] if isinstance(value, dict) else []


def _of_json_lines(text: str) -> list[Event] | None:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    values = [decoded(line) for line in lines if line not in ("data: [DONE]", "[DONE]")]
    events = [value for value in values if isinstance(value, dict)]
    return events if len(events) == len(values) and len(lines) > 1 else None


def _is_event(event: Event) -> bool:
    return any(is_of(event) for is_of, _ in _APIS)


def _is_chat(event: Event) -> bool:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return str(event.get("object")).endswith("completion.chunk")
    return "delta" in first or (event.get("object") == "text_completion" and "text" in first and "usage" not in event)


def _of_chat(events: Sequence[Event]) -> Event:
    head: Event = {}
    choices: dict[int, _Choice] = {}
    for event in events:
        head |= {key: event[key] for key in ("id", "model", "usage") if event.get(key)}
        parts = event.get("choices")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and isinstance(index := part.get("index", 0), int):
                choices.setdefault(index, _Choice()).add(part)
    whole = [choice.whole(index) for index, choice in sorted(choices.items())] or [_Choice().whole(0)]
    ended = any(choice.reason for choice in choices.values()) or any(e.get("type") == "[DONE]" for e in events)
    return _ended({**head, "choices": whole}, ended=ended)


@dataclass(slots=True)
class _Choice:
    """One of the answers of a streamed chat completion, as far as its parts came."""

    texts: dict[str, str] = field(default_factory=dict)
    calls: dict[int, Event] = field(default_factory=dict)
    logprobs: list[JsonValue] = field(default_factory=list)
    reason: JsonValue = None
    error: JsonValue = None

    def add(self, part: Event) -> None:
        """Append one event's part to what came before."""
        self.reason = part.get("finish_reason") or self.reason
        self.error = part.get("error") or self.error
        delta = part.get("delta") or part.get("message") or {"content": part.get("text")}
        if isinstance(delta, dict):
            for key in ("content", "refusal", "reasoning_content"):
                if pieces := list(_texts(delta.get(key))):
                    self.texts[key] = self.texts.get(key, "") + "".join(pieces)
            _add_calls(self.calls, delta.get("tool_calls"))
            if isinstance(legacy := delta.get("function_call"), dict):
                _add_calls(self.calls, [{"function": legacy}])
        probabilities = part.get("logprobs")
        content = probabilities.get("content") if isinstance(probabilities, dict) else None
        self.logprobs += content if isinstance(content, list) else []

    def whole(self, index: int) -> JsonValue:
        """The choice as an answer that was not streamed has it."""
        message: Event = {"role": "assistant", **self.texts}
        if self.calls:
            message["tool_calls"] = [call for _, call in sorted(self.calls.items())]
        elif "content" not in message:
            message["content"] = ""
        choice: Event = {"index": index, "message": message, "finish_reason": self.reason}
        if self.logprobs:
            choice["logprobs"] = {"content": self.logprobs}
        return {**choice, "error": self.error} if self.error else choice


def _texts(value: JsonValue) -> Iterator[str]:
    """Yield the pieces of text in a delta: a string, or parts with text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, dict) and isinstance(text := part.get("text"), str):
                yield text


def _add_calls(calls: dict[int, Event], deltas: JsonValue) -> None:
    """Append the pieces of tool calls to those that came before, by their index or their place."""
    for place, delta in enumerate(deltas if isinstance(deltas, list) else ()):
        if not isinstance(delta, dict) or not isinstance(index := delta.get("index", place), int):
            continue
        call = calls.setdefault(index, {"id": "", "function": {"name": "", "arguments": ""}})
        function, piece = call["function"], delta.get("function")
        if isinstance(id_ := delta.get("id"), str):
            call["id"] = id_
        for key in ("name", "arguments"):
            if isinstance(piece, dict) and isinstance(function, dict) and isinstance(text := piece.get(key), str):
                function[key] = str(function[key]) + text


def _is_responses(event: Event) -> bool:
    kind = event.get("type")
    return isinstance(kind, str) and kind.startswith("response.")


def _of_responses(events: Sequence[Event]) -> Event:
    items: list[JsonValue] = []
    texts: list[str] = []
    head: Event = {}
    ended = False
    for event in events:
        kind = event.get("type")
        inner = event.get("response")
        if isinstance(inner, dict):
            head |= inner
        if kind in ("response.completed", "response.incomplete", "response.done", "[DONE]"):
            ended = True
        elif kind == "response.output_item.done":
            items.append(event.get("item"))
        elif kind == "response.output_text.delta":
            texts += _texts(event.get("delta"))
    last_is_whole = bool(events) and str(events[-1].get("type")).endswith(".done")
    if head.get("output"):
        return _ended(head, ended=ended)
    if not items and texts:
        items.append({"type": "message", "role": "assistant", "content": "".join(texts)})
    return _ended({**head, "output": items}, ended=ended or last_is_whole)


def _is_anthropic(event: Event) -> bool:
    return event.get("type") in _ANTHROPIC


def _of_anthropic(events: Sequence[Event]) -> Event:
    blocks: dict[str, Event] = {}
    arguments: dict[str, str] = {}
    body: Event = {"role": "assistant"}
    stopped = False
    for event in events:
        kind, place, delta = event.get("type"), str(event.get("index", 0)), event.get("delta")
        message, block = event.get("message"), event.get("content_block")
        stopped = stopped or kind == "message_stop"
        if kind == "message_start" and isinstance(message, dict):
            body |= {key: message[key] for key in ("id", "model", "usage") if message.get(key)}
        elif kind == "content_block_start" and isinstance(block, dict):
            blocks[place] = dict(block)
        elif kind == "message_delta" and isinstance(delta, dict):
            body |= {key: delta[key] for key in ("stop_reason",) if delta.get(key)}
        elif kind == "content_block_delta" and isinstance(delta, dict):
            _add_block_delta(blocks, arguments, place, delta)
    for place, text in arguments.items():
        blocks[place]["input"] = decoded(text) if text else {}
    reason = body.pop("stop_reason", None)
    whole: Event = {**body, "content": list(blocks.values()), "stop_reason": reason}
    return _ended(whole, ended=stopped or reason is not None)


def _add_block_delta(blocks: dict[str, Event], arguments: dict[str, str], place: str, delta: Event) -> None:
    """Add a piece of text, of a thought or of the arguments of a call to its content block."""
    if isinstance(text := delta.get("text"), str):
        block = blocks.setdefault(place, {"type": "text", "text": ""})
        block["text"] = str(block.get("text") or "") + text
    elif isinstance(piece := delta.get("partial_json"), str):
        blocks.setdefault(place, {"type": "tool_use"})
        arguments[place] = arguments.get(place, "") + piece
    elif "thinking" in delta:
        blocks.setdefault(place, {"type": "thinking"})


def _is_gemini(event: Event) -> bool:
    candidates = event.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    streamed = isinstance(first, dict) and isinstance(content := first.get("content"), dict) and "parts" in content
    return isinstance(candidates, list) and (streamed or "modelVersion" in event or "usageMetadata" in event)


def _of_gemini(events: Sequence[Event]) -> Event:
    parts: list[JsonValue] = []
    whole: Event = {}
    reason: JsonValue = None
    for event in events:
        whole = {**event, **whole}
        candidates = event.get("candidates")
        first = candidates[0] if isinstance(candidates, list) and candidates else None
        if not isinstance(first, dict):
            continue
        reason = first.get("finishReason") or reason
        content = first.get("content")
        pieces = content.get("parts") if isinstance(content, dict) else None
        for piece in pieces if isinstance(pieces, list) else ():
            _add_part(parts, piece)
    candidate: Event = {"content": {"role": "model", "parts": parts}, "finishReason": reason}
    blocked = any("promptFeedback" in event for event in events)
    return _ended({**whole, "candidates": [candidate] if parts or reason else []}, ended=bool(reason) or blocked)


def _add_part(parts: list[JsonValue], piece: JsonValue) -> None:
    """Append a part; pieces of one text are joined without anything between them."""
    last = parts[-1] if parts else None
    plain = isinstance(piece, dict) and isinstance(piece.get("text"), str) and not piece.get("thought")
    if plain and isinstance(last, dict) and isinstance(last.get("text"), str) and not last.get("thought"):
        parts[-1] = {**last, "text": str(last["text"]) + str(piece["text"])}  # type: ignore[call-overload,index]
    else:
        parts.append(piece)


def _is_ollama(event: Event) -> bool:
    return isinstance(event.get("done"), bool) and any(key in event for key in _OLLAMA)


def _of_ollama(events: Sequence[Event]) -> Event:
    texts: list[str] = []
    calls: list[JsonValue] = []
    for event in events:
        message = event.get("message")
        fields: Mapping[str, JsonValue] = message if isinstance(message, dict) else event
        texts += _texts(fields.get("content", fields.get("response")))
        new = fields.get("tool_calls")
        calls += new if isinstance(new, list) else []
    last = events[-1]
    message = {"role": "assistant", "content": "".join(texts), **({"tool_calls": calls} if calls else {})}
    body: Event = {"model": last.get("model"), "message": message, "done_reason": last.get("done_reason")}
    return _ended(body, ended=any(event.get("done") is True for event in events))


def _is_bedrock(event: Event) -> bool:
    return any(isinstance(event.get(key), dict) for key in _BEDROCK)


def _of_bedrock(events: Sequence[Event]) -> Event:
    blocks: dict[str, Event] = {}
    reason: JsonValue = None
    for event in events:
        start, change = event.get("contentBlockStart"), event.get("contentBlockDelta")
        stop = event.get("messageStop")
        if isinstance(stop, dict):
            reason = stop.get("stopReason") or reason
        if isinstance(start, dict) and isinstance(start.get("start"), dict):
            blocks[str(start.get("contentBlockIndex", 0))] = _started(start["start"])
        if isinstance(change, dict) and isinstance(delta := change.get("delta"), dict):
            block = blocks.setdefault(str(change.get("contentBlockIndex", 0)), {})
            use, call = delta.get("toolUse"), block.get("toolUse")
            if isinstance(delta.get("text"), str):
                block["text"] = str(block.get("text") or "") + str(delta["text"])
            elif isinstance(use, dict) and isinstance(call, dict):
                call["input"] = str(call.get("input") or "") + str(use.get("input") or "")
    content = [block for block in blocks.values() if block]
    body: Event = {"output": {"message": {"role": "assistant", "content": list(content)}}, "stopReason": reason}
    return _ended(body, ended=reason is not None)


def _is_completion(event: Event) -> bool:
    """Return whether an event is a chunk of a model of Bedrock that completes a text."""
    if isinstance(event.get("outputText"), str):
        return "completionReason" in event
    if any(isinstance(event.get(key), str) for key in ("generation", "completion")):
        return "stop_reason" in event
    outputs = event.get("outputs")
    return isinstance(outputs, list) and any(isinstance(each, dict) and "stop_reason" in each for each in outputs)


def _of_completions(events: Sequence[Event]) -> Event:
    text = ""
    reason: JsonValue = None
    for event in events:
        outputs = event.get("outputs")
        first = outputs[0] if isinstance(outputs, list) and outputs else None
        piece = first if isinstance(first, dict) else event
        text += "".join(str(piece[key]) for key in _COMPLETIONS if isinstance(piece.get(key), str))
        reason = piece.get("stop_reason") or piece.get("completionReason") or reason
    return _ended({"completion": text, "stop_reason": reason}, ended=bool(reason))


def _started(start: JsonValue) -> Event:
    use = start.get("toolUse") if isinstance(start, dict) else None
    return {"toolUse": dict(use)} if isinstance(use, dict) else {}


def _ended(body: Event, *, ended: bool) -> Event:
    return body if ended else {**body, "stream_unfinished": True}


_APIS: Sequence[tuple[Callable[[Event], bool], Callable[[Sequence[Event]], Event]]] = (
    (_is_chat, _of_chat),
    (_is_responses, _of_responses),
    (_is_anthropic, _of_anthropic),
    (_is_gemini, _of_gemini),
    (_is_ollama, _of_ollama),
    (_is_bedrock, _of_bedrock),
    (_is_completion, _of_completions),
)
