"""Turns of conversations in the words of every product -> chat messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from curator.errors import RecordError
from curator.readers.account import EMPTY
from curator.readers.feedback import nonblank, read_feedback
from curator.readers.json_text import as_text, decoded
from curator.readers.outcome import finish_reason_of
from curator.readers.pieces import AboutTurn
from curator.readers.span_messages import span_messages
from curator.readers.speakers import CALLS, ROLE_KEYS, TEXT_KEYS, TIME_KEYS, plain_name, role_of, speaker_of
from curator.readers.times import seconds_of
from curator.records import Feedback, JsonValue, Message, Role

Fields = Mapping[str, JsonValue]

QUESTION_KEYS = (
    "user",
    "human",
    "question",
    "input",
    "prompt",
    "query",
    "instruction",
    "customer",
    "q",
    "user_message",
    "request",
)
"""Keys of the question in a turn of question and answer, the surest first."""
ANSWER_KEYS = ("assistant", "bot", "answer", "output", "response", "reply", "completion", "gpt", "ai", "agent", "a", "model",
               "chatbot", "bot_response", "assistant_message")  # fmt: skip
_EARLIER = (
    "history", "chat_history", "conversation_history", "message_history", "dialog_history", "dialogue_history", "previous_messages",
    "prior_messages", "previous_turns", "earlier_turns", "conversation_context", "memory",
)  # fmt: skip
"""Keys of the turns before a question."""
_WRAPPERS = ("message", "info", "data", "kwargs")
_THOUGHTS = frozenset(("thoughts", "reasoning_recap", "thinking", "reasoning"))
_NOTICES = frozenset(
    ("info", "error", "warning", "notice", "status", "event", "about", "help", "compression", "log", "meta")
)
"""Speakers of turns that were shown to the user only."""
_STEPS = frozenset(("step-start", "step-finish", "snapshot", "patch", "compaction", "retry", "agent"))
"""Parts of a turn that hold nothing that was said."""
_IDS = frozenset(
    (
        "parent_message_id",
        "parent_message_uuid",
        "conversation_id",
        "id",
        "uuid",
        "message_id",
        "turn_id",
        "turn_identifier",
        "index",
        "timestamp",
        "ts",
        "status",
        "type",
        "name",
    )
)
_USED = frozenset(
    ("tool_calls", "toolcalls", "tool_call_id", "function_call", "weight", "thoughts", "model", "info", "parts")
)
_FEEDBACK = frozenset(
    ("feedback", "annotation", "thumb", "thumbs", "rating", "score", "stars", "comment", "correction")
)
_SAID_ELSEWHERE = _IDS | _USED | _FEEDBACK | frozenset(TIME_KEYS)
"""Keys of a turn that are read, or that are ids."""


@dataclass(slots=True)
class Conversation:
    """The messages of a conversation, the facts on single answers, and the unused keys."""

    messages: list[Message] = field(default_factory=list)
    turns: dict[int, AboutTurn] = field(default_factory=dict)
    unused: dict[str, None] = field(default_factory=dict)

    def add(self, messages: Sequence[Message], about: AboutTurn | None = None) -> None:
        """Append messages; those of the assistant that follow each other are one."""
        for message in messages:
            if message.role == "assistant" and self.messages and self.messages[-1].role == "assistant":
                self.messages[-1] = continued(self.messages[-1], message)
            else:
                self.messages.append(message)
            if about is not None and message.role == "assistant":
                self.turns[len(self.messages) - 1] = about


def continued(first: Message, second: Message) -> Message:
    """Two messages of the assistant that follow each other, as one."""
    texts = [text for text in (first.content, second.content) if text.strip()]
    return Message("assistant", "\n\n".join(texts), (*first.tool_calls, *second.tool_calls))


def is_conversation(value: JsonValue) -> bool:
    """Return whether a value is a list of turns of a user and an assistant."""
    if not isinstance(value, list) or not value:
        return False
    roles = {role for item in value for role in _roles(item)}
    return "user" in roles and "assistant" in roles


def earlier_key(record: Fields) -> str | None:
    """The key of the turns before the question, in a record of one question; None without any."""
    return next((key for key in record if plain_name(key) in _EARLIER and is_conversation(decoded(record[key]))), None)


def earlier_turns(record: Fields, question: Message, roles: Mapping[str, Role]) -> tuple[Message, ...]:
    """The turns before the question of a record, without the question itself at their end."""
    key = earlier_key(record)
    turns = decoded(record[key]) if key else None
    earlier = read_conversation(turns, roles).messages if isinstance(turns, list) else []
    repeats = bool(earlier) and (earlier[-1].role, earlier[-1].content.strip()) == ("user", question.content.strip())
    return tuple(earlier[:-1] if repeats else earlier)


def read_conversation(items: Sequence[JsonValue], roles: Mapping[str, Role]) -> Conversation:
    """The messages of a list of turns.

    Raises:
        RecordError: a turn has no speaker, or is not text.
    """
    conversation = Conversation()
    for item in items:
        pair = _pair(item)
        if pair is not None:
            question, answer = pair
            conversation.add([Message("user", question)] if question else [])
            conversation.add([Message("assistant", answer)] if answer else [])
        else:
            turn = item if isinstance(item, dict) else {"content": item}
            conversation.add(turn_messages(turn, roles), _about(turn))
            conversation.unused |= dict.fromkeys(_unused(turn))
    return conversation


def turn_messages(turn: Fields, roles: Mapping[str, Role]) -> tuple[Message, ...]:
    """The messages of one turn: its own, and the results of tools that it holds.

    Raises:
        RecordError: it has no speaker that is known, or its content is not text.
    """
    turn = _unwrapped(turn)
    if str(_content_type(turn)) in _THOUGHTS:
        return ()
    speaker = speaker_of(turn, roles)
    if speaker is None:
        return _unknown_speaker(turn)
    key, role = speaker
    content = _with_attachments(_content(turn, key), turn)
    chat: dict[str, JsonValue] = {"role": role, "content": content}
    for name in ("tool_calls", "tool_call_id", "function_call", "name"):
        if turn.get(name) is not None:
            chat[name] = turn[name]
    speaker_name = turn.get(key)
    if isinstance(speaker_name, str) and plain_name(speaker_name) in CALLS:
        calls = decoded(content) if content is not None else dict(turn)
        return span_messages([{"role": "assistant", "tool_calls": calls if isinstance(calls, list) else [calls]}])
    if role == "tool":
        if content is None and "output" in turn:  # an item of the Responses API
            chat |= {"content": turn["output"], "tool_call_id": turn.get("call_id")}
        return span_messages([_tool_result(chat)])
    recipient = turn.get("recipient")
    if role == "assistant" and isinstance(recipient, str) and recipient not in ("all", ""):
        call: JsonValue = {"name": recipient, "arguments": as_text(content) or "{}"}
        return span_messages([{"role": role, "tool_calls": [call]}])
    return span_messages([*_steps(chat), *_calls_beside(turn)])


def _unknown_speaker(turn: Fields) -> tuple[Message, ...]:
    """No message of a turn that only informs.

    Raises:
        RecordError: it is another one.
    """
    names = [value for key in turn if plain_name(key) in ROLE_KEYS and isinstance(value := turn[key], str)]
    if names and names[0].lower() in _NOTICES:
        return ()
    raise RecordError(
        f"a turn whose speaker {names[0][:40]!r} has no role that is known" if names else "a turn without a speaker",
        "the roles are user, assistant, system and tool; say whose turns they are in `logs: {mapping: {roles: ...}}`"
        if names
        else "log each turn with its `role`",
    )


def _roles(item: JsonValue) -> Iterator[Role]:
    if _pair(item) is not None:
        yield from ("user", "assistant")
    elif isinstance(item, dict):
        turn = _unwrapped(item)
        speaker = speaker_of(turn, {})
        if speaker is not None and (_text_key(turn, speaker[0]) or turn.get("tool_calls")):
            yield speaker[1]


def _pair(item: JsonValue) -> tuple[str, str] | None:
    """The question and the answer of a turn that holds both; None for any other one."""
    if isinstance(item, list) and len(item) == 2 and all(text is None or isinstance(text, str) for text in item):
        if any(isinstance(text, str) and seconds_of(text) is not None for text in item[:1]):
            return None  # a line of a log with its time
        return str(item[0] or ""), str(item[1] or "")
    if not isinstance(item, dict) or any(
        isinstance(item.get(key), str) and role_of(str(item[key])) for key in ("role", "from")
    ):
        return None
    names = {plain_name(key): value for key, value in item.items() if isinstance(value, str)}
    question = next((names[key] for key in QUESTION_KEYS if key in names), None)
    answer = next((names[key] for key in ANSWER_KEYS if key in names), None)
    return (question, answer) if question is not None and answer is not None else None


def _unwrapped(turn: Fields) -> Fields:
    """The turn with the keys of the message that is an object inside of it."""
    for key in _WRAPPERS:
        inner = turn.get(key)
        if isinstance(inner, dict) and ("role" in inner or "author" in inner or "content" in inner):
            return {**turn, key: None, **inner}
    return turn


def _content_type(turn: Fields) -> JsonValue:
    content = turn.get("content")
    return content.get("content_type") if isinstance(content, dict) else None


def _text_key(turn: Fields, speaker_key: str) -> str | None:
    names = {plain_name(key): key for key in turn if key != speaker_key}
    filled = (names[name] for name in TEXT_KEYS if name in names and turn[names[name]] not in EMPTY)
    return next(filled, next((names[name] for name in TEXT_KEYS if name in names), None))


def _content(turn: Fields, speaker_key: str) -> JsonValue:
    """The text of a turn, or its parts in the form of `span_messages`."""
    key = _text_key(turn, speaker_key)
    value = turn.get(key) if key else None
    if isinstance(value, dict):  # the export of ChatGPT
        inner = next((value[name] for name in ("parts", "text", "result") if value.get(name) is not None), None)
        value = inner if inner is not None or "content_type" in value else value
    if not isinstance(value, list):
        return value
    return [_part(part, turn) for part in value if part not in EMPTY and not _is_step(part)]


def _with_attachments(content: JsonValue, turn: Fields) -> JsonValue:
    """The content with the texts of attachments, which the model saw too (Claude's export)."""
    attached = turn.get("attachments")
    items = attached if isinstance(attached, list) else []
    texts = [str(item["extracted_content"]) for item in items if isinstance(item, dict) and _has_text(item)]
    if not texts:
        return content
    parts: list[JsonValue] = content if isinstance(content, list) else [content] if nonblank(content) else []
    whole: list[JsonValue] = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    whole += [{"type": "text", "text": text} for text in texts]
    return whole


def _has_text(attachment: JsonValue) -> bool:
    return isinstance(attachment, dict) and nonblank(attachment.get("extracted_content")) is not None


def _is_step(part: JsonValue) -> bool:
    return isinstance(part, dict) and part.get("type") in _STEPS


def _part(part: JsonValue, turn: Fields) -> JsonValue:
    """A part as the APIs have it, where its content is under the name of its type."""
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if kind == "tool_result" and "tool_result" in part:
        return {"type": kind, "tool_use_id": turn.get("tool_call_id"), "content": part["tool_result"]}
    return part


def _tool_result(chat: dict[str, JsonValue]) -> JsonValue:
    content = chat["content"]
    if isinstance(content, list) and all(isinstance(part, str) for part in content):
        content = "\n".join(str(part) for part in content)
    return {**chat, "content": content if isinstance(content, list) else as_text(content)}


def _steps(chat: dict[str, JsonValue]) -> Iterator[JsonValue]:
    """Yield the message, cut after each part with a call and its result (opencode)."""
    parts: list[JsonValue] = []
    content = chat["content"]
    for part in content if isinstance(content, list) else ():
        state = part.get("state") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(state, dict):
            parts.append(part)
            continue
        id_ = part.get("callID")
        call: JsonValue = {"type": "tool_call", "id": id_, "name": part.get("tool"), "arguments": state.get("input")}
        yield {**chat, "content": [*parts, call]}
        yield {"role": "tool", "tool_call_id": id_, "content": as_text(state.get("output") or state.get("error")) or ""}
        parts = []
    if parts or not isinstance(content, list):
        yield {**chat, "content": parts if isinstance(content, list) else content}


def _calls_beside(turn: Fields) -> Iterator[JsonValue]:
    """Yield calls with their results that are beside the text of a turn (Gemini CLI)."""
    calls = turn.get("toolCalls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            id_ = call.get("id")
            yield {"role": "assistant", "tool_calls": [{"id": id_, "name": call.get("name"), "args": call.get("args")}]}
            result = call.get("result") if call.get("result") is not None else call.get("resultDisplay")
            if result is not None:
                yield {"role": "tool", "tool_call_id": id_, "content": _response(result)}


def _response(result: JsonValue) -> JsonValue:
    if isinstance(result, list):
        inner = [item["functionResponse"] for item in result if isinstance(item, dict) and "functionResponse" in item]
        result = inner[0].get("response") if len(inner) == 1 and isinstance(inner[0], dict) else result
    if isinstance(result, dict) and len(result) == 1 and "output" in result:
        result = result["output"]
    return as_text(result)


def _about(turn: Fields) -> AboutTurn | None:
    turn = _unwrapped(turn)
    metadata = turn.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    time = next(
        (time for key in turn if plain_name(key) in TIME_KEYS and (time := seconds_of(turn[key])) is not None), None
    )
    model = nonblank(turn.get("model")) or nonblank(metadata.get("model_slug")) or nonblank(turn.get("modelID"))
    feedback = _feedback(turn)
    reason = turn.get("finish_reason") or turn.get("stop_reason")
    id_ = next((id_ for key in ("id", "uuid", "message_id") if (id_ := nonblank(turn.get(key)))), None)
    return AboutTurn(log_id=id_, model=model, time=time, feedback=feedback, finish_reason=finish_reason_of(reason))


def _feedback(turn: Fields) -> Feedback | None:
    return None if _FEEDBACK.isdisjoint(turn) else read_feedback({key: turn[key] for key in _FEEDBACK if key in turn})


def _unused(turn: Fields) -> Iterator[str]:
    """Yield the names of keys with content that say nothing to `turn_messages`."""
    turn = _unwrapped(turn)
    speaker = speaker_of(turn, {})
    text = _text_key(turn, speaker[0] if speaker else "")
    used = {speaker[0] if speaker else "", text or ""}
    for key, value in turn.items():
        if key in used or value in EMPTY or not isinstance(value, str | dict | list) or value == turn.get(text or ""):
            continue
        if key == "attachments" and isinstance(value, list) and all(_has_text(item) for item in value):
            continue
        if plain_name(key) not in _SAID_ELSEWHERE:
            yield key
