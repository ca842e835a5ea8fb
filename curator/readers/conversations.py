"""Records that hold a whole conversation -> one case for each answer in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.account import unused_keys
from curator.readers.chat import read_chat
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord, Reader
from curator.readers.speakers import SESSION_KEYS, TIME_KEYS, plain_name
from curator.readers.times import seconds_of
from curator.readers.tools import plain_tools
from curator.readers.turns import Conversation, is_conversation, read_conversation
from curator.records import JsonValue, Message

KEYS = (
    "messages", "conversation", "conversations", "chat_messages", "dialog", "dialogue", "turns", "chat", "history", "transcript",
    "thread", "utterances", "chosen", "conversation_a", "conversation_b", "data", "items", "interactions", "exchanges",
)  # fmt: skip
"""Keys of the turns, the surest first; a list of turns under any other key is found too."""
_TREE = "mapping"
_HOLDERS = ("chat", "conversation", "thread")
_ANSWERS = ("response", "output", "completion", "choices", "responses", "answer", "target")
_PARENT_KEYS = ("parent_message_id", "parent_id", "parent_message_uuid", "parent_uuid", "parent")
_TURN_IDS = ("message_id", "uuid", "id", "message_uuid")
_SYSTEM = ("system", "system_prompt", "system_message", "instructions", "preprompt")
_ALTERNATING = (
    "dialog",
    "dialogue",
    "turns",
    "conversation",
    "conversations",
    "utterances",
    "data",
    "chat",
    "messages",
)
_USERS = ("user_id", "user", "userid", "hashed_ip", "user_hash", "customer_id", "account_id")
_IDS = ("id", "uuid", "log_id", "record_id", "request_id")
_READ = frozenset(
    ("tools", "functions", "model", "metadata", "task", "kind", "label", "labelled_by", "feedback", "thumb", "thumbs", "rating",
     "score", "stars", "comment", "correction", "custom_id", "max_tokens", "response_format", "tool_choice", "stop",
     "current_node", "finish_reason", "status", "error")
)  # fmt: skip
ASSUMED = "the turns have no speakers: they are read in turn, the user's first"
COMPARED = "two conversations that were compared: the winner is read, of equal ones the first"
BRANCHES = "other branches of a conversation, such as answers that were written anew, are not read"


def _turns_key(record: Mapping[str, JsonValue]) -> str | None:
    """The key of the turns of a whole conversation; None where the record is another one."""
    if any(record.get(key) for key in _ANSWERS):
        return None
    tree = record.get(_TREE)
    if isinstance(tree, dict) and _tree_messages(record):
        return _TREE
    keys = [*(key for key in KEYS if key in record), *(key for key in record if key not in KEYS)]
    for key in keys:
        value = decoded(record[key])
        if is_conversation(value) or (key in _ALTERNATING and _alternates(value)):
            return key
    return None


def _opened(record: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], str | None]:
    """The record and the key of its turns; None where it holds no whole conversation.

    The keys of an object in it that holds the conversation (Open WebUI) are keys of the record.
    """
    if (key := _turns_key(record)) is not None:
        return record, key
    for holder in _HOLDERS:
        inner = decoded(record.get(holder))
        if isinstance(inner, dict) and (key := _turns_key(inner)) is not None:
            return {**{other: value for other, value in record.items() if other != holder}, **inner}, key
    return record, None


def _winner(record: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], bool]:
    """The record with the winner of two compared conversations, and whether it has two."""
    if not (record.get("conversation_a") and record.get("conversation_b")):
        return record, False
    won = str(record.get("winner", "")).lower()
    side, other = ("b", "a") if won in ("b", "model_b") or record.get("winner_model_b") == 1 else ("a", "b")
    lost = {f"conversation_{other}", f"model_{other}", f"model_{side}", "winner"}
    model = {"model": record[f"model_{side}"]} if record.get(f"model_{side}") else {}
    return {**{key: value for key, value in record.items() if key not in lost}, **model}, True


def _read(record: LogRecord, options: LogsConfig) -> Exchange:
    cells, compared = _winner(record.cells)
    cells, key = _opened(cells)
    record = LogRecord(cells, record.source)
    if key is None:
        raise RecordError(
            "no conversation: none of the keys holds turns of a user and an assistant",
            'log each turn with its speaker: {"messages": [{"role": "user", "content": "..."}, ...]}',
        )
    notes: list[str] = [COMPARED] if compared else []
    items = _tree_messages(cells) if key == _TREE else decoded(cells[key])
    if not isinstance(items, list):
        raise RecordError(f"`{key}` is not a list of turns", "log the turns as a list")
    if key == _TREE and _has_branches(cells[_TREE]):
        notes.append(BRANCHES)
    if key != _TREE and (path := _current_path(items)) is not None:
        items = path
        notes.append(BRANCHES)
    if key != _TREE and _alternates(items):
        items = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(items)]
        notes.append(ASSUMED)
    roles = options.mapping.roles if options.mapping else {}
    conversation = read_conversation(items, roles)
    return _exchange(record, key, conversation, options, tuple(notes))


def _exchange(
    record: LogRecord, key: str, conversation: Conversation, options: LogsConfig, notes: tuple[str, ...]
) -> Exchange:
    cells = record.cells
    names = {plain_name(name): name for name in cells}
    messages = list(conversation.messages)
    turns = dict(conversation.turns)
    system_key = next((names[name] for name in _SYSTEM if name in names and isinstance(cells[names[name]], str)), None)
    system = nonblank(cells[system_key]) if system_key else None
    if system and not any(message.role == "system" for message in messages):
        messages.insert(0, Message("system", system))
        turns = {place + 1: about for place, about in turns.items()}
    tools = plain_tools(cells.get("tools") or cells.get("functions"))
    chat: dict[str, JsonValue] = {name: cells[name] for name in cells if name not in (key, "tools", "functions")}
    chat["messages"] = [message.as_openai() for message in messages]
    if tools:
        chat["tools"] = tools
    exchange = read_chat(chat, record.source, task=options.task)
    session_key = next((names[name] for name in SESSION_KEYS if name in names and _is_plain(cells[names[name]])), None)
    user_key = next((names[name] for name in _USERS if name in names and _is_plain(cells[names[name]])), None)
    time_key = next((names[name] for name in TIME_KEYS if name in names and seconds_of(cells[names[name]])), None)
    id_key = next((names[name] for name in _IDS if name in names and _is_plain(cells[names[name]])), None)
    used = {key, system_key or "", session_key or "", user_key or "", time_key or "", id_key or "", *_READ}
    return replace(
        exchange,
        messages=tuple(messages),
        conversation=True,
        turns=turns,
        session=nonblank(cells[session_key]) if session_key else None,
        user=nonblank(cells[user_key]) if user_key else None,
        time=seconds_of(cells[time_key]) if time_key else None,
        log_id=nonblank(cells[id_key]) if id_key else exchange.log_id,
        unused=(*unused_keys(cells, frozenset(used)), *(f"{key}[].{name}" for name in conversation.unused)),
        notes=(*exchange.notes, *notes),
    )


def _is_plain(value: JsonValue) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _alternates(value: JsonValue) -> bool:
    """Return whether a value is a list of texts that are said in turn."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) and item.strip() for item in value)


def _tree_messages(record: Mapping[str, JsonValue]) -> list[JsonValue]:
    """The messages from the root of a tree to the current one, as ChatGPT exports them."""
    nodes = record.get(_TREE)
    if not isinstance(nodes, dict):
        return []
    node_id = record.get("current_node") or _deepest(nodes)
    path: list[JsonValue] = []
    seen: set[str] = set()
    while isinstance(node_id, str) and node_id not in seen and isinstance(node := nodes.get(node_id), dict):
        seen.add(node_id)
        message = node.get("message")
        if isinstance(message, dict) and not _hidden(message):
            path.append(message)
        node_id = node.get("parent")
    return path[::-1]


def _current_path(items: list[JsonValue]) -> list[JsonValue] | None:
    """The turns before the last one, where turns name their parents and one has several answers.

    None where each turn has one at most, so that the turns are in their order.
    """
    turns = [item for item in items if isinstance(item, dict)]
    if not turns or len(turns) != len(items):
        return None
    parent_key = next((key for key in turns[-1] if plain_name(key) in _PARENT_KEYS), None)
    id_key = next((key for key in turns[-1] if plain_name(key) in _TURN_IDS), None)
    if parent_key is None or id_key is None:
        return None
    parents = [str(turn[parent_key]) for turn in turns if turn.get(parent_key) is not None]
    by_id = {str(turn.get(id_key)): turn for turn in turns}
    if len(set(parents)) == len(parents) or parents[-1] not in by_id:
        return None
    path: list[JsonValue] = []
    turn: dict[str, JsonValue] | None = turns[-1]
    while turn is not None and len(path) < len(turns):
        path.append(turn)
        turn = by_id.get(str(turn.get(parent_key)))
    return path[::-1]


def _hidden(message: Mapping[str, JsonValue]) -> bool:
    """Return whether a message was not said, such as an empty system prompt or settings."""
    content = message.get("content")
    if not isinstance(content, dict):
        return not content
    parts = content.get("parts")
    return content.get("content_type") in ("model_editable_context", "user_editable_context") or (
        isinstance(parts, list) and not any(part not in ("", None) for part in parts)
    )


def _deepest(nodes: Mapping[str, JsonValue]) -> str | None:
    """The last node without children."""
    leaves = [id_ for id_, node in nodes.items() if isinstance(node, dict) and not node.get("children")]
    return leaves[-1] if leaves else None


def _has_branches(nodes: JsonValue) -> bool:
    items: Sequence[JsonValue] = list(nodes.values()) if isinstance(nodes, dict) else []
    return any(
        isinstance(node, dict) and isinstance(kids := node.get("children"), list) and len(kids) > 1 for node in items
    )


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """More sure than of a chat request: the conversation has answers, and none is beside it."""
    return 0.0 if _opened(dict(record))[1] is None else 0.6


CONVERSATIONS = Reader(
    name="conversations",
    description="A whole conversation in each record: lists of turns under any usual names, exports of chat products.",
    understands=frozenset({"question", "answer", "system", "tools", "feedback", "time", "task"}),
    sniff=_sniff,
    parse=_read,
    reads_csv=True,
)
